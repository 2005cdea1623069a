"""What a class report shows, as plain numbers, from the results of all students."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graders.outcome import Outcome
from graders.report.scores import Graded, Report
from graders.verdict.result import Result
from graders.words import WORTH_A_LOOK

GROUPS = ("passed", "wrong", "failed", "untouched", "none")
WRONG = (Outcome.WRONG, Outcome.WRONG_SHAPE, Outcome.BAD_OUTPUT)
NOT_BY_HAND = (Outcome.FORBIDDEN, Outcome.CRASH, Outcome.MEMORY, Outcome.OUTPUT_LIMIT)
MOST_ROWS = 400
BINS = 10


def group(outcome: Outcome) -> str:
    """One of GROUPS: what a colour stands for."""
    if outcome.right:
        return "passed"
    if outcome in WRONG:
        return "wrong"
    if outcome is Outcome.NOT_ATTEMPTED:
        return "untouched"
    return "failed" if outcome.graded else "none"


@dataclass
class PassRate:
    """How many students stand where with one gradient; `stuck`: for how many it is the first that is not right."""

    gradient: str
    points: int
    section: str
    counts: Counter[str] = field(default_factory=Counter)
    stuck: int = 0

    @property
    def graded(self) -> int:
        return sum(self.counts[name] for name in GROUPS[:4])

    def share(self, name: str) -> float:
        return 100 * self.counts[name] / self.graded if self.graded else 0.0


@dataclass
class Misconception:
    """One reason why one gradient is wrong, and who has it."""

    exercise: str
    gradient: str
    cause: str
    message: str
    students: list[Graded] = field(default_factory=list)


@dataclass
class Tally:
    """Add the students one by one, then read."""

    report: Report
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    rates: dict[str, dict[str, PassRate]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    looked_at: list[tuple[Graded, str, Result]] = field(default_factory=list)
    _found: dict[tuple[str, str, str, str], Misconception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, exercise in self.report.exercises.items():
            self.rates[name] = {item.name: PassRate(item.name, item.points, item.section) for item in exercise.items}

    def add(self, student: Graded) -> None:
        score = student.score()
        if score is not None:
            share = score / max(student.possible(), 1)
            self.bins[min(int(share * BINS), BINS - 1)] += 1
        if student.seconds:
            self.seconds.append(student.seconds)
        stuck = first_open(student)
        if stuck:
            self.rates[stuck[0]][stuck[1].item].stuck += 1
        for name, results in student.results.items():
            for result in results:
                self._count(student, name, result)

    def _count(self, student: Graded, exercise: str, result: Result) -> None:
        self.rates[exercise][result.item].counts[group(result.outcome)] += 1
        if result.outcome in WRONG and result.cause != "departs":
            key = (exercise, result.item, result.cause, result.message if result.cause != "unknown" else "")
            self.causes[result.cause or result.outcome.value] += 1
            self._found.setdefault(key, Misconception(exercise, result.item, result.cause, result.message))
            self._found[key].students.append(student)
        remarked = any(remark.code in WORTH_A_LOOK for remark in result.remarks)
        if result.outcome in NOT_BY_HAND or result.outcome is Outcome.GRADER_ERROR or remarked:
            self.looked_at.append((student, exercise, result))

    def misconceptions(self) -> list[Misconception]:
        """The most frequent first; those that nothing explains last."""
        return sorted(self._found.values(), key=lambda m: (m.cause == "unknown", -len(m.students)))

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def first_open(student: Graded) -> tuple[str, Result] | None:
    """Where a student is stuck: the first gradient that was tried and is not right, else the first not tried."""
    results = [(name, m) for name, row in student.results.items() for m in row if m.outcome.graded and not m.right]
    tried = [pair for pair in results if pair[1].outcome is not Outcome.NOT_ATTEMPTED]
    return next(iter(tried or results), None)


def strip(exercises: Iterable[Sequence[Result]]) -> dict[str, str]:
    """A row of cells as one SVG path a group, with a gap between exercises: M3 0h.9v1h-.9z for the fourth."""
    paths: dict[str, str] = {}
    at = 0.0
    for results in exercises:
        for number, result in enumerate(results):
            kind = group(result.outcome)
            paths[kind] = paths.get(kind, "") + f"M{at + number:g} 0h.9v1h-.9z"
        at += len(results) + 0.6
    return paths
