"""Why a shape is wrong: not summed, summed over the wrong dimension, transposed, not reshaped."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from graders.diagnosis import hypotheses
from graders.diagnosis.fitting import expands, first_fit
from graders.oracle import compare
from graders.oracle.compare import SINGLE_PRECISION, Match
from graders.oracle.trial import Diagnosis, Trial


def explain_shape(trials: Sequence[Trial]) -> Diagnosis | None:
    """The shape is wrong: say how it came about if the values or the sizes tell, else name both shapes."""
    first = next((t for t in reversed(trials) if t.match is Match.SHAPE), None)
    if first is None or first.answer is None:
        return None
    got, expected = first.answer.shape, first.expected.shape
    shapes = both_shapes(trials)
    summed = [_sum_to(t.answer, t.expected.shape) for t in trials]
    if all(s is not None for s in summed):
        right = all(s is not None and _equal(s, t.expected) for s, t in zip(summed, trials, strict=True))
        dims = [d for d in range(-len(got), 0) if -d > len(expected) or got[d] != expected[d]]
        over = " and ".join(str(d + len(got)) for d in dims)
        rest = "that sum is all that is missing" if right else "and the values are not right either"
        broadcast = f"{first.target} was broadcast over dim {over}, so its gradient is summed over dim {over}"
        return Diagnosis("not summed", f"{shapes}: {broadcast}; {rest}")
    fitting = first_fit(hypotheses.of_shape(first), trials)
    if fitting:
        return Diagnosis(fitting.cause, f"{shapes}: {fitting.message}")
    consumers = (c for c in first.oracle.consumers(first.target) if c != "loss")
    for consumer, full in ((c, first.oracle.upstream[c].shape) for c in consumers):
        if len(got) <= len(full) and _reduced_elsewhere(got, full, expected):
            return Diagnosis("wrong dim", f"{shapes}: that is {consumer} summed over the wrong dimension")
    return Diagnosis("wrong shape", shapes)


def both_shapes(trials: Sequence[Trial]) -> str:
    """A clause that names the shape that came and the one that is wanted."""
    trial = next(t for t in reversed(trials) if t.match is Match.SHAPE)
    assert trial.answer is not None
    got, expected = _named(trial.answer.shape, trial), _named(trial.expected.shape, trial)
    return f"the shape is {got}, and {trial.target} is {expected}"


def _named(shape: Sequence[int], trial: Trial) -> str:
    """(11, 1) at the prime sizes reads (n, 1)."""
    sizes = trial.oracle.sizes
    names: dict[int, str] = {}
    if len(set(sizes.values())) == len(sizes):
        names = {a * b: f"{m}*{n}" for (m, a), (n, b) in itertools.combinations(sizes.items(), 2)}
        names |= {value: name for name, value in sizes.items()} | {1: "1"}
    inside = ", ".join(str(names.get(s, s)) for s in shape)
    return f"({inside}{',' if len(shape) == 1 else ''})"


def _sum_to(answer: Tensor | None, shape: torch.Size) -> Tensor | None:
    if answer is None or answer.shape == shape or not expands(shape, answer.shape):
        return None
    return answer.sum_to_size(shape)


def _reduced_elsewhere(got: torch.Size, full: torch.Size, expected: torch.Size) -> bool:
    """`got` is `full` with other dimensions summed away than `expected` has."""
    if len(expected) > len(full) or not compare.same_up_to_ones(
        torch.Size([f for f, e in zip(full[::-1], (*expected[::-1], *[1] * len(full)), strict=False) if f == e]),
        torch.Size([e for e in expected if e != 1]),
    ):
        return False
    kept = [s for s in got if s != 1]
    return len(kept) < len([f for f in full if f != 1]) and all(s in full for s in kept) and kept != []


def _equal(answer: Tensor, candidate: Tensor) -> bool:
    scale = candidate.abs().max().item() if candidate.numel() else 0.0
    return bool(scale) and (answer - candidate).abs().max().item() <= SINGLE_PRECISION * scale
