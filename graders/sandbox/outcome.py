"""What is known of a submission, as plain values: what the store keeps and every report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, NamedTuple


class Outcome(Enum):
    """What came of one gradient. ANSWERED is a claim, before it is compared; the last two are no verdict, and nobody
    gets 0 points for them.
    """

    ANSWERED = "answered"
    PASSED = "passed"
    WRONG = "wrong"
    WRONG_SHAPE = "wrong shape"
    NOT_ATTEMPTED = "not attempted"
    ERROR = "error"
    BAD_OUTPUT = "bad output"
    FORBIDDEN = "forbidden"
    TIME_OUT = "time out"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output limit"
    CRASH = "crash"
    GRADER_ERROR = "grader error"
    NOT_GRADED = "not graded"

    @property
    def graded(self) -> bool:
        return self not in (Outcome.GRADER_ERROR, Outcome.NOT_GRADED)


@dataclass(frozen=True)
class Mark:
    """The outcome of one gradient and the reason; `picture` is how the answer differs, see heat.py."""

    gradient: str
    outcome: Outcome
    message: str = ""
    cause: str = ""
    line: int = 0
    frames: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0
    picture: str = ""

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED


class Key(NamedTuple):
    """What a result depends on: the file's bytes, the exercise as released, the secret that seeds are drawn from."""

    submission: str
    version: str
    seed: str


@dataclass(frozen=True)
class Assessment:
    """One file against one exercise: a mark a gradient, and under which isolation class it was run."""

    key: Key
    exercise: str
    marks: tuple[Mark, ...]
    seconds: float = 0.0
    isolation: str = ""

    @property
    def final(self) -> bool:
        """False where the grader failed somewhere, so that the next run tries again."""
        return all(mark.outcome is not Outcome.GRADER_ERROR for mark in self.marks)


def to_plain(assessment: Assessment) -> dict[str, Any]:
    """As JSON values; what has its default is left out."""
    plain = {**asdict(assessment), "key": list(assessment.key)}
    plain["marks"] = [_mark_to_plain(mark) for mark in assessment.marks]
    return plain


def _mark_to_plain(mark: Mark) -> dict[str, Any]:
    values = {field.name: getattr(mark, field.name) for field in fields(Mark)}
    kept = {name: value for name, value in values.items() if value}
    return {**kept, "outcome": mark.outcome.value}


def from_plain(plain: Mapping[str, Any]) -> Assessment:
    """What `to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    marks = []
    for row in plain["marks"]:
        texts = {name: tuple(map(str, row.get(name, ()))) for name in ("frames", "remarks")}
        marks.append(Mark(**{**row, **texts, "outcome": Outcome(row["outcome"])}))
    submission, version, seed = map(str, plain["key"])
    key = Key(submission, version, seed)
    return Assessment(key, str(plain["exercise"]), tuple(marks), float(plain["seconds"]), str(plain["isolation"]))
