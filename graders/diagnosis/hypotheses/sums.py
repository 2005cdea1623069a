"""Hypotheses on the extent of a gradient: not broadcast to all of the tensor, or summed where it should not be."""

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis, expands, tensors
from graders.oracle.trial import Trial


def not_broadcast(trial: Trial) -> Hypothesis:
    """The right numbers, each of them once."""
    remark = f"it must be broadcast: every entry of {trial.target} has a gradient, though many are alike"
    return Hypothesis("not broadcast", "the right numbers, each of them once", _broadcastable, remark)


def _broadcastable(t: Trial) -> Tensor | None:
    if t.answer is None or not expands(t.answer.shape, t.expected.shape):
        return None
    return t.answer if torch.allclose(t.answer.expand(t.expected.shape), t.expected, rtol=1e-6) else None


def summed_too_much(trial: Trial) -> list[Hypothesis]:
    """Summed over one dimension or several, over few rather than many."""
    dims = range(trial.expected.dim())
    what, remark = "the gradient summed over dim {}", f"every entry of {trial.target} has a gradient of its own"
    return [
        Hypothesis("summed too much", what.format(", ".join(map(str, chosen))), _summed(chosen, keep), remark)
        for size in dims
        for chosen in itertools.combinations(dims, size + 1)
        for keep in (False, True)
    ]


def _summed(dims: tuple[int, ...], keepdim: bool) -> Candidate:
    return lambda t: t.expected.sum(dims, keepdim=keepdim)


def over_other_dims(trial: Trial, consumers: Sequence[str]) -> list[Hypothesis]:
    """What arrives, times a tensor or by itself, summed over other dimensions than those of the broadcast."""
    return [h for c in consumers for h in _summed_elsewhere(trial, c)]


def _summed_elsewhere(trial: Trial, consumer: str) -> Iterator[Hypothesis]:
    full, expected = trial.oracle.upstream[consumer].shape, trial.expected.shape
    if not expands(expected, full) or full == expected:
        return
    aligned = [1] * (len(full) - len(expected)) + list(expected)
    right = tuple(dim for dim, size in enumerate(aligned) if size != full[dim])
    remark = f"{trial.target} was broadcast over dim {_listed(right)}, so the sum runs over dim {_listed(right)}"
    factors = [None, *(name for name, value in tensors(trial).items() if expands(value.shape, full))]
    choices = (c for size in range(1, len(full) + 1) for c in itertools.combinations(range(len(full)), size))
    for dims, factor in itertools.product([c for c in choices if c != right], factors):
        product = f"d{consumer} times `{factor}`" if factor else f"d{consumer}"
        yield Hypothesis(
            "wrong dim", f"{product}, summed over dim {_listed(dims)}", _over(consumer, factor, dims), remark
        )


def _listed(dims: tuple[int, ...]) -> str:
    return " and ".join(map(str, dims))


def _over(consumer: str, factor: str | None, dims: tuple[int, ...]) -> Candidate:
    def candidate(t: Trial) -> Tensor:
        upstream = t.oracle.upstream[consumer]
        return (upstream * t.oracle.values[factor] if factor else upstream).sum(dims)

    return candidate
