"""What became of all that was handed in, for the terminal and the class report. All lines are in submissions.jsonl."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from graders.report.scores import Graded, Report
from graders.submissions.ledger import Fate, Line

PLURAL = {Fate.OLDER: "other attempts", Fate.REMARK: "remarks"}


class Alike(NamedTuple):
    """Students whose file for an exercise is the same: in every byte, or but for white space and comments."""

    exercise: str
    every_byte: bool
    students: tuple[Graded, ...]


@dataclass
class Ledger:
    """The files of a class, sorted by what became of them."""

    counts: Counter[Fate] = field(default_factory=Counter)
    missing: list[tuple[Graded, str]] = field(default_factory=list)  # nothing is graded, and why
    doubts: list[tuple[Graded, str]] = field(default_factory=list)  # a person should look: what was chosen, kept apart
    left: list[tuple[Graded | None, Line]] = field(default_factory=list)  # unreadable or ignored
    _same: dict[tuple[str, str], list[Graded]] = field(default_factory=dict)
    _alike: dict[tuple[str, str], list[Graded]] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> Self:
        ledger = cls()
        for student in report.students:
            ledger._add(student)
        ledger._count(report.lines)
        ledger.left += [(None, line) for line in report.lines if line.fate is not Fate.SYSTEM]
        return ledger

    def _add(self, student: Graded) -> None:
        handed = student.handed
        self._count(handed.lines)
        if student.score() is None:
            self.missing.append((student, why_nothing(student)))
        for line in handed.lines:
            if line.fate is Fate.REMARK or (line.fate is Fate.GRADED and line.why):
                self.doubts.append((student, line.why))
            elif line.fate in (Fate.UNREADABLE, Fate.IGNORED):
                self.left.append((student, line))
        for exercise, file in handed.counted.items():
            if likeness := handed.likeness.get(exercise):
                self._same.setdefault((exercise, file), []).append(student)
                self._alike.setdefault((exercise, likeness), []).append(student)

    def _count(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.counts[line.fate] += line.count

    @property
    def files(self) -> str:
        """'41 files: 30 graded, 3 other attempts, 2 unreadable'."""
        told = {fate: count for fate in Fate if fate is not Fate.REMARK and (count := self.counts[fate])}
        parts = [f"{n} {fate.value if n == 1 else PLURAL.get(fate, fate.value)}" for fate, n in told.items()]
        total = sum(told.values())
        return f"{total} file{'' if total == 1 else 's'}: {', '.join(parts)}" if parts else "no files"

    def unreadable_first(self) -> list[tuple[Graded | None, Line]]:
        return sorted(self.left, key=lambda pair: (pair[1].fate is not Fate.UNREADABLE, pair[0] is None))

    def alike(self) -> list[Alike]:
        """The largest groups first. Whoever is alike in every byte is not listed again as alike but for layout."""
        same = [Alike(exercise, True, tuple(who)) for (exercise, _), who in self._same.items() if len(who) > 1]
        known = {(one.exercise, _names(one.students)) for one in same}
        found = [Alike(exercise, False, tuple(who)) for (exercise, _), who in self._alike.items() if len(who) > 1]
        more = [one for one in found if (one.exercise, _names(one.students)) not in known]
        return sorted([*same, *more], key=lambda one: -len(one.students))


def _names(students: Iterable[Graded]) -> tuple[str, ...]:
    return tuple(student.name for student in students)


def why_nothing(student: Graded) -> str:
    """Why nothing of a student is graded."""
    told = [remark for remark in student.handed.remarks if remark != "not graded"]
    return "; ".join(told) or _first_message(student.results)


def _first_message(results: Mapping[str, Sequence[object]]) -> str:
    messages = [str(getattr(result, "message", "")) for row in results.values() for result in row]
    return next((text for text in messages if text), "nothing of an exercise was handed in")
