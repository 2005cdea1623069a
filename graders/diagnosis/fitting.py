"""Does a hypothesis fit: is its candidate, up to a constant factor, the answer at every case?

Beside it stands what many hypotheses are made of: `vjp` of a changed upstream gradient, `tensors` of the forward pass,
and `expands`, which rules a candidate out by its shape.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.oracle import compare
from graders.oracle.trial import Trial

Candidate = Callable[[Trial], Tensor | None]
Change = Callable[[Trial, Tensor], Tensor | None]  # of an upstream gradient


@dataclass(frozen=True)
class Hypothesis:
    """`candidate(trial)` is what the answer would be (up to a constant factor) if this were the cause.

    `what` names the candidate, as in "it is -1 times <what>", and says no more than the candidate computes: the same
    numbers may come of quite other code. `remark` is a fact about the right gradient.
    """

    cause: str
    what: str
    candidate: Candidate
    remark: str = ""

    def sentence(self, times: str = "1") -> str:
        """What the answer is, which is `times` the candidate."""
        it_is = {"1": "it is ", "-1": "it is minus "}.get(times, f"it is {times} times ")
        return f"{it_is}{self.what}{': ' if self.remark else ''}{self.remark}"


def first_fit(groups: Iterable[list[Hypothesis]], trials: Sequence[Trial]) -> tuple[Hypothesis, str] | None:
    """The first hypothesis that fits, and the factor; an exact fit is preferred within its group."""
    for group in groups:
        fitting = [(h, f) for h in group if (f := fits(h, trials)) is not None and factors.is_plain(f)]
        if fitting:
            return next((pair for pair in fitting if pair[1] == "1"), fitting[0])
    return None


def fits(hypothesis: Hypothesis, trials: Sequence[Trial]) -> str | None:
    """The factor ('1' mostly) by which the answers are multiples of the candidate; None if they are not.

    The last trial has the smallest tensors and is asked first: nearly every hypothesis fails there.
    """
    found = []
    for trial in reversed(trials):
        try:
            candidate = hypothesis.candidate(trial)
        except (RuntimeError, IndexError):  # shapes that do not fit: not this one
            return None
        if candidate is None or trial.answer is None:
            return None
        if not compare.same_up_to_ones(trial.answer.shape, candidate.shape):
            return None
        f = factors.factor(trial.answer.reshape(candidate.shape), candidate)
        if f is None:
            return None
        found.append(f)
    return factors.explain(found, [t.oracle.sizes for t in reversed(trials)])


def expands(shape: torch.Size, full: torch.Size) -> bool:
    """Can a tensor of `shape` be broadcast to `full`? To ask is far cheaper than to catch what torch raises."""
    return len(shape) <= len(full) and all(s in (1, f) for s, f in zip(shape[::-1], full[::-1], strict=False))


def vjp(changed: str, change: Change) -> Candidate:
    """The gradient, were `change(trial, upstream)` to arrive at the consumer `changed`."""

    def candidate(trial: Trial) -> Tensor | None:
        upstream = change(trial, trial.oracle.upstream[changed])
        if upstream is None or upstream.shape != trial.oracle.upstream[changed].shape:
            return None
        return trial.oracle.vjp(trial.target, {changed: upstream})

    return candidate


def tensors(trial: Trial) -> dict[str, Tensor]:
    """Float tensors of the forward pass, each value once (an alias would be a tie with itself)."""
    found: dict[str, Tensor] = {}
    for name, value in trial.oracle.values.items():
        if isinstance(value, Tensor) and value.is_floating_point() and value.dim():
            if not any(value.shape == v.shape and torch.equal(value, v) for v in found.values()):
                found[name] = value
    return found
