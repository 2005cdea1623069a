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
        missing = f"the upstream gradient d{c} does not enter: the chain rule multiplies the local derivative by it"
        ones = vjp(c, lambda _, upstream: torch.ones_like(upstream))
        yield [Hypothesis("upstream missing", missing, ones)]
        squared = vjp(c, lambda _, upstream: upstream * upstream)
        yield [Hypothesis("upstream twice", f"d{c} is multiplied in twice", squared)]
    for a, b in itertools.combinations(consumers, 2):
        yield [Hypothesis("wrong operand", f"d{a} and d{b} have changed places", _swapped(a, b))]


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
        unchanged = f"it is d{c} passed on unchanged: {lost}"
        yield [Hypothesis("upstream passed through", unchanged, _unchanged(c))]
        in_branch = f"in the branch through {c}, d{c} is passed on unchanged: {lost} there"
        yield [Hypothesis("upstream passed through", in_branch, _unchanged_in_branch(c))]


def _unchanged(consumer: str) -> Candidate:
    return lambda t: _reduced(t.oracle.upstream[consumer], t.expected.shape)


def _unchanged_in_branch(consumer: str) -> Candidate:
    """The other branches as they are, and in the place of this one its upstream gradient."""

    def candidate(t: Trial) -> Tensor | None:
        upstream = t.oracle.upstream[consumer]
        instead = _reduced(upstream, t.expected.shape)
        if instead is None or len(t.oracle.consumers(t.target)) < 2:
            return None
        return t.oracle.vjp(t.target, {consumer: torch.zeros_like(upstream)}) + instead

    return candidate


def _reduced(tensor: Tensor, shape: torch.Size) -> Tensor | None:
    """`tensor` summed, or broadcast, to `shape`; None where neither fits."""
    if expands(shape, tensor.shape):
        return tensor.sum_to_size(shape)
    return tensor.expand(shape) if expands(tensor.shape, shape) else None
