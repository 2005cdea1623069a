"""Hypotheses on the extent of a gradient: not broadcast to all of the tensor, or summed where it should not be."""

import itertools

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis, expands
from graders.oracle.trial import Trial


def not_broadcast(trial: Trial) -> Hypothesis:
    """The right numbers, each of them once."""
    message = f"it must be broadcast: every entry of {trial.target} has a gradient, though many are alike"
    return Hypothesis("not broadcast", message, _broadcastable)


def _broadcastable(t: Trial) -> Tensor | None:
    if t.answer is None or not expands(t.answer.shape, t.expected.shape):
        return None
    return t.answer if torch.allclose(t.answer.expand(t.expected.shape), t.expected, rtol=1e-6) else None


def summed_too_much(trial: Trial) -> list[Hypothesis]:
    """Summed over one dimension or several, over few rather than many."""
    dims = range(trial.expected.dim())
    message = f"it is summed over dim {{}}, and should not be: every entry of {trial.target} has a gradient of its own"
    return [
        Hypothesis("summed too much", message.format(", ".join(map(str, chosen))), _summed(chosen, keep))
        for size in dims
        for chosen in itertools.combinations(dims, size + 1)
        for keep in (False, True)
    ]


def _summed(dims: tuple[int, ...], keepdim: bool) -> Candidate:
    return lambda t: t.expected.sum(dims, keepdim=keepdim)
