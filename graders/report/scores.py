"""A graded class as plain values: what the exports and the pages are made from, and what `graders.grade()` returns."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from graders.exercise.module import Exercise
from graders.grading.grade import Run
from graders.outcome import Outcome
from graders.submissions.ledger import Line
from graders.submissions.roster import Handed
from graders.verdict.result import Result
from graders.words import Code, Reason

HASHED = re.compile(r"-[0-9a-f]{16}\Z")
DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}  # of Windows
NUMBERED = re.compile(r"^line \d+: ")


@dataclass(frozen=True)
class Graded:
    """One student: the results by exercise. An exercise that was not handed in has results too, none of them graded."""

    handed: Handed
    results: Mapping[str, tuple[Result, ...]]
    points: Mapping[str, Mapping[str, int]] = field(repr=False)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.handed.name

    def score(self, exercise: str | None = None) -> int | None:
        """Points, of one exercise or of all; None, which is not 0, where nothing is graded."""
        names = self.results if exercise is None else [exercise]
        graded = [(name, m) for name in names for m in self.results[name] if m.outcome.graded]
        return sum(self.points[name][m.item] for name, m in graded if m.right) if graded else None

    def possible(self, exercise: str | None = None) -> int:
        names = self.results if exercise is None else [exercise]
        return sum(sum(self.points[name].values()) for name in names)

    @property
    def complete(self) -> bool:
        return all(result.outcome.graded for results in self.results.values() for result in results)

    @property
    def slug(self) -> str:
        """The student's name as a file name that is safe everywhere, and unlike any other student's.

        A name that is none by itself ends in its hash, and no other does; capitals alone tell nothing apart.
        """
        plain = re.sub(r"[^a-z0-9_-]+", "_", self.name.lower()).strip("_")[:60]
        if plain == self.name and not HASHED.search(plain) and plain not in DEVICES:
            return plain
        return f"{plain or 'student'}-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"


@dataclass
class Report:
    """What `graders.grade()` returns. `files` says where everything was written, by what it is.

    `lines` is what lies in the folder of submissions and is no student's.
    """

    exercises: dict[str, Exercise]
    isolation: str
    graded: int
    seconds: float
    again: int = 0  # of what was graded, what an earlier release had graded
    lines: Sequence[Line] = ()
    students: list[Graded] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def student(self, name: str) -> Graded:
        return next(student for student in self.students if student.name == name)


def points_of(exercises: Mapping[str, Exercise]) -> dict[str, dict[str, int]]:
    return {name: {item.name: item.points for item in exercise.items} for name, exercise in exercises.items()}


def without_lines(result: Result) -> Result:
    """A result of a notebook: nobody has seen the module that was made of it, so its line numbers tell nothing."""
    return replace(result, line=0, frames=tuple(NUMBERED.sub("", frame) for frame in result.frames))


def graded(
    handed: Handed, exercises: Mapping[str, Exercise], points: Mapping[str, Mapping[str, int]], run: Run
) -> Graded:
    """A student's results as the run's store has them."""
    results, seconds = {}, 0.0
    for name, exercise in exercises.items():
        found = run.result(handed, name)
        seconds += found.seconds if found else 0.0
        known = found.results if found else ()
        if handed.in_notebook(name):
            known = tuple(map(without_lines, known))
        by_name = {result.item: result for result in known}
        missing = Reason(Code.NOT_GRADED_YET) if name in handed.counted else handed.missing(name)
        none = {item.name: Result(item.name, Outcome.NOT_GRADED, missing) for item in exercise.items}
        results[name] = tuple(by_name.get(item.name, none[item.name]) for item in exercise.items)
    return Graded(handed, results, points, seconds)


class Thrift:
    """Equal results are kept once, without pictures: a report of 10,000 students fits into memory."""

    def __init__(self) -> None:
        self._seen: dict[object, Result] = {}

    def slim(self, student: Graded) -> Graded:
        results = {name: tuple(map(self._one, row)) for name, row in student.results.items()}
        return replace(student, results=results)

    def _one(self, result: Result) -> Result:
        slim = replace(result, difference="", frames=(), seconds=0.0)
        return self._seen.setdefault(slim, slim)
