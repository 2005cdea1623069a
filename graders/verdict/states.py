"""What answers to all cases of one gradient amount to: right, or wrong and why; and what a line can say."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from graders.diagnosis.diagnose import diagnose
from graders.diagnosis.fingerprints import Known
from graders.oracle.compare import Match
from graders.oracle.trial import Diagnosis, Trial


class State(Enum):
    """What a line can say."""

    NOT_ATTEMPTED = "not attempted"
    ERROR = "error"
    WRONG_SHAPE = "wrong shape"
    WRONG = "wrong"
    FED_WRONG = "right, fed a wrong upstream gradient"
    APPROXIMATE = "approximate"
    EXACT = "exact"

    @property
    def right(self) -> bool:
        return self in (State.FED_WRONG, State.APPROXIMATE, State.EXACT)


def passes(trial: Trial, strict_shapes: bool = False) -> bool:
    """Right at this case; strictly, in a shape without dimensions of size 1 more or less."""
    if trial.answer is None or not trial.passes:
        return False
    return not strict_shapes or trial.answer.shape == trial.expected.shape


def fault(trials: Sequence[Trial], known: Sequence[Known]) -> tuple[State, Diagnosis]:
    """What is wrong with answers that do not all pass, `known` being the wrong answers that are known."""
    why = diagnose(trials, known)
    shape = trials[0].match is Match.SHAPE or why.cause == "keepdim"
    return (State.WRONG_SHAPE if shape else State.WRONG), why


def remarks_on(trials: Sequence[Trial]) -> tuple[str, ...]:
    """What to say of answers that are right."""
    remarks = []
    answer, expected = trials[0].answer, trials[0].expected
    if answer is not None and answer.shape != expected.shape:
        shapes = f"{tuple(answer.shape)} for a {trials[0].target} of {tuple(expected.shape)}"
        remarks.append(f"right, but shaped {shapes}: keepdim=True keeps it")
    if any(t.match is Match.ROUNDED for t in trials):
        remarks.append("right to single precision: something inside is float32 (torch.zeros, torch.tensor?)")
    return tuple(remarks)
