"""Does a hypothesis fit: is its candidate, up to a constant factor, the answer at every case?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from graders.diagnosis import factors
from graders.oracle import compare
from graders.oracle.trial import Trial

Candidate = Callable[[Trial], Tensor | None]


@dataclass(frozen=True)
class Hypothesis:
    """`candidate(trial)` is what the answer would be (up to a constant factor) if this were the cause.

    `what` names the candidate in "it is -1 times <what>".
    """

    cause: str
    message: str
    candidate: Candidate
    what: str = ""


def first_fit(groups: Iterable[list[Hypothesis]], trials: Sequence[Trial]) -> Hypothesis | None:
    return next((h for group in groups for h in group if fits(h, trials) == "1"), None)


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
