"""Hypotheses on the upstream gradient: forgotten, used twice, exchanged for another, or passed on unchanged."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis, expands, vjp
from graders.oracle.trial import Trial


def used_wrongly(consumers: list[str]) -> Iterator[list[Hypothesis]]:
    """The upstream gradient forgotten, used twice, or exchanged for another."""
    for c in consumers:
        chain_rule = f"the chain rule multiplies the local derivative by d{c}"
        missing = f"what comes out when all of d{c} is 1"
        yield [Hypothesis("upstream missing", missing, vjp(c, ones), chain_rule)]
        yield [Hypothesis("upstream twice", f"what comes out when d{c} is multiplied in twice", vjp(c, squared))]
    for a, b in itertools.combinations(consumers, 2):
        yield [Hypothesis("wrong operand", f"what comes out when d{a} and d{b} change places", _swapped(a, b))]


def ones(_: Trial, upstream: Tensor) -> Tensor:
    return torch.ones_like(upstream)


def squared(_: Trial, upstream: Tensor) -> Tensor:
    return upstream * upstream


def ignored(trial: Trial, consumers: list[str]) -> list[Hypothesis]:
    """Right from the loss on, whatever arrives: computed from forward values alone."""
    if not consumers:
        return []
    arriving = " and ".join(f"d{c}" for c in consumers)
    what = f"the gradient of {trial.target} in the whole chain, whatever arrives at it"
    remark = f"compute it from {arriving}; the check hands in other numbers there, and the answer must follow them"
    return [Hypothesis("upstream ignored", what, _from_the_loss, remark)]


def _from_the_loss(t: Trial) -> Tensor | None:
    """The gradient itself, where the answer is no other multiple of it: that may be chance, of ones for instance."""
    true = t.oracle.true_gradients[t.target]
    same = t.answer is not None and t.answer.shape == true.shape and torch.allclose(t.answer, true, rtol=1e-9)
    return true if same else None


def _swapped(a: str, b: str) -> Candidate:
    def candidate(t: Trial) -> Tensor | None:
        given = t.oracle.upstream
        same = given[a].shape == given[b].shape
        return t.oracle.vjp(t.target, {a: given[b], b: given[a]}) if same else None

    return candidate


def passed_through(trial: Trial, consumers: list[str]) -> Iterator[list[Hypothesis]]:
    """The upstream gradient passed on unchanged, in all of the answer or in one branch of it."""
    for c in consumers:
        lost = f"the local derivative of {c} with respect to {trial.target} is missing"
        unchanged = f"d{c} {how_passed(trial, c)}"
        yield [Hypothesis("upstream passed through", unchanged, _unchanged(c), lost)]
        in_branch = f"what comes out when in the branch through {c} stands d{c}, {how_passed(trial, c)}"
        yield [Hypothesis("upstream passed through", in_branch, _unchanged_in_branch(c), f"{lost} there")]


def how_passed(trial: Trial, consumer: str) -> str:
    """In words, what `reduced` does to the consumer's upstream gradient."""
    upstream, expected = trial.oracle.upstream[consumer], trial.expected
    if upstream.shape == expected.shape:
        return "unchanged"
    return f"only {'summed' if upstream.numel() > expected.numel() else 'broadcast'} to the shape of {trial.target}"


def _unchanged(consumer: str) -> Candidate:
    return lambda t: reduced(t.oracle.upstream[consumer], t.expected.shape)


def _unchanged_in_branch(consumer: str) -> Candidate:
    """The other branches as they are, and in the place of this one its upstream gradient."""

    def candidate(t: Trial) -> Tensor | None:
        upstream = t.oracle.upstream[consumer]
        instead = reduced(upstream, t.expected.shape)
        if instead is None or len(t.oracle.consumers(t.target)) < 2:
            return None
        return t.oracle.vjp(t.target, {consumer: torch.zeros_like(upstream)}) + instead

    return candidate


def reduced(tensor: Tensor, shape: torch.Size) -> Tensor | None:
    """`tensor` summed, or broadcast, to `shape`; None where neither fits."""
    if expands(shape, tensor.shape):
        return tensor.sum_to_size(shape)
    return tensor.expand(shape) if expands(tensor.shape, shape) else None
