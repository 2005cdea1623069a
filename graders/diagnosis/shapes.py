"""Why a shape is wrong: not summed, summed over the wrong dimension, transposed, not reshaped."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graders.diagnosis import hypotheses
from graders.diagnosis.fitting import expands, first_fit
from graders.diagnosis.hypotheses.order import orders
from graders.diagnosis.parts import explain_parts
from graders.diagnosis.values import explain_known, explain_values
from graders.exercise.kit import Known
from graders.oracle import compare
from graders.oracle.compare import Match
from graders.oracle.trial import Diagnosis, Trial


def explain_shape(trials: Sequence[Trial], known: Sequence[Known]) -> Diagnosis | None:
    """The shape is wrong: say how it came about if the values tell, else name both shapes.

    Where the values are not right either, the shape is mended and the rest explained: that is two mistakes.
    """
    first = next((t for t in reversed(trials) if t.match is Match.SHAPE), None)
    if first is None or first.answer is None:
        return None
    shapes = both_shapes(trials)
    fitting = first_fit(hypotheses.of_shape(first), trials)
    if fitting and fitting[1] == "1":
        return Diagnosis(fitting[0].cause, f"{shapes}: {fitting[0].sentence()}")
    certain, others = [m for m in _mends(first) if m.why or m.cause != "not summed"], hypotheses.of_other_shapes(first)
    mended = next((d for mend in certain if (d := _mended(mend, trials, known))), None)
    if mended:
        return replace(mended, message=f"{shapes}: {mended.message}")
    said = explain_known(trials, known)
    if said and not fitting:
        return replace(said, message=f"{shapes}: {said.message}")
    fitting = fitting or first_fit(others, trials)
    if fitting:
        hypothesis, times = fitting
        return Diagnosis(hypothesis.cause, f"{shapes}: {hypothesis.sentence(times)}", ties=("constant factor",))
    mended = next((d for mend in _mends(first) if (d := _mended(mend, trials, known))), None)
    return replace(mended, message=f"{shapes}: {mended.message}") if mended else _by_shapes_alone(first, shapes)


@dataclass(frozen=True)
class Mend:
    """What gives an answer the right shape: `done` names it, `why` it belongs."""

    cause: str
    done: str
    why: str
    change: Callable[[Trial, Tensor], Tensor | None]


def _mends(trial: Trial) -> Iterator[Mend]:
    assert trial.answer is not None
    got, expected = trial.answer.shape, trial.expected.shape
    if _sum_to(trial.answer, expected) is not None:
        yield Mend(
            "not summed",
            f"summed over dim {_extra(trial)}",
            _broadcast(trial),
            lambda t, a: _sum_to(a, t.expected.shape),
        )
    for order in orders(trial):
        back = [order.index(dim) for dim in range(len(order))]
        if len(got) == len(expected) and [got[dim] for dim in back] == list(expected):
            yield Mend("transposed", "transposed", "", lambda t, a, back=back: a.permute(back))  # type: ignore[misc]
    if trial.answer.numel() == trial.expected.numel():
        yield Mend("not reshaped", f"reshaped to the shape of {trial.target}", "", _reshaped)


def _mended(mend: Mend, trials: Sequence[Trial], known: Sequence[Known]) -> Diagnosis | None:
    """What the answers are, once they have the right shape."""
    answers = [mend.change(t, t.answer) if t.answer is not None else None for t in trials]
    mended = [t.answering(a) for t, a in zip(trials, answers, strict=True) if a is not None]
    if len(mended) < len(trials) or any(t.match is Match.SHAPE for t in mended):
        return None
    if all(t.right for t in mended):
        right = f"{mend.why}; that sum is all that is missing" if mend.why else f"{mend.done}, it is right"
        return Diagnosis(mend.cause, right)
    rest = explain_values(mended, known) or explain_parts(mended)
    if rest:
        so = f"{mend.why}; summed so, " if mend.why else f"{mend.done}, "
        return Diagnosis(mend.cause, f"{so}{rest.message}", ties=(rest.cause, *rest.ties))
    if mend.why:
        return Diagnosis(mend.cause, f"{mend.why}; summed so, the values are not right either")
    return None


def _broadcast(trial: Trial) -> str:
    """Where the target was broadcast to the shape of the answer: that is why its gradient is a sum."""
    assert trial.answer is not None
    consumers = [c for c in trial.oracle.consumers(trial.target) if c != "loss"]
    if trial.oracle.operations(trial.target) <= {"mul", "add", "sub", "div"}:
        for consumer in consumers:
            if trial.oracle.upstream[consumer].shape == trial.answer.shape:
                over = _extra(trial)
                return f"{trial.target} was broadcast over dim {over}, so its gradient is summed over dim {over}"
    return ""


def _extra(trial: Trial) -> str:
    """The dimensions of the answer that the target does not have."""
    assert trial.answer is not None
    got, expected = trial.answer.shape, trial.expected.shape
    dims = [d for d in range(-len(got), 0) if -d > len(expected) or got[d] != expected[d]]
    return " and ".join(str(d + len(got)) for d in dims)


def _reshaped(trial: Trial, answer: Tensor) -> Tensor | None:
    return answer.reshape(trial.expected.shape) if answer.numel() == trial.expected.numel() else None


def _by_shapes_alone(trial: Trial, shapes: str) -> Diagnosis:
    """No values fit: a sum over another dimension leaves such a shape, or there is nothing to say but the shapes."""
    assert trial.answer is not None
    got, expected = trial.answer.shape, trial.expected.shape
    for consumer in (c for c in trial.oracle.consumers(trial.target) if c != "loss"):
        full = trial.oracle.upstream[consumer].shape
        if len(got) <= len(full) and _reduced_elsewhere(got, full, expected):
            return Diagnosis("wrong dim", f"{shapes}: a sum over another dimension of {consumer} leaves this shape")
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
