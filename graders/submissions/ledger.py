"""What became of every file that was handed in, and the rule by which one of several files for an exercise counts.

The rule, the first difference decides:
  1. A file with answers counts before one that is as it was released, or empty.
  2. A file named after the exercise (ex1_atomic.py, ex1_atomic_final.py) counts before one that only its functions or
     cells assign to it.
  3. The later attempt counts: by the number or time stamp of the attempt in the names on the way to the file, or by
     the platform's number of the upload, where all have one of the same kind.
  4. The later time of modification counts.
  5. In doubt the last by name counts.
Where two files with answers differ and no attempt's number tells which is later, a person is told: the choice stands
in the ledger, in the student's feedback and among the remarks. All files are kept in the record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from graders.submissions.naming import Number
from graders.submissions.spool import digest


class Fate(Enum):
    """What became of a file."""

    GRADED = "graded"
    OLDER = "another attempt"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    SYSTEM = "of a system"
    REMARK = "remark"


@dataclass(frozen=True)
class Line:
    """A line of the ledger: a file by its path from the folder of submissions on, and what became of it.

    `exercise` is what it counts for, or could have; `count` is of how many files the line tells.
    """

    path: str
    fate: Fate
    why: str = ""
    exercise: str = ""
    count: int = 1

    def __str__(self) -> str:
        told = {Fate.GRADED: f"graded as {self.exercise}", Fate.OLDER: f"not graded as {self.exercise}"}
        said = told.get(self.fate, self.fate.value)
        return f"{self.path}: {said}{': ' if self.why else ''}{self.why}"

    @property
    def sentence(self) -> str:
        return f"{self.fate.value}: {self.path}: {self.why}"


@dataclass(frozen=True)
class Attempt:
    """One file for one exercise, and what the rule sorts by.

    `named` says that the file's name tells the exercise, `answered` how many functions are filled in. `likeness` is the
    same for files that differ in white space and comments only. `problems` is what there is to tell of how it was read.
    """

    exercise: str
    path: str
    modified: float
    number: Number | None
    content: bytes = field(repr=False)
    named: bool = True
    problems: tuple[str, ...] = ()
    answered: int = 1
    likeness: str = ""

    @property
    def hash(self) -> str:
        return digest(self.content)


def in_order(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The one that counts last."""
    return sorted(attempts, key=_rule(attempts))


def _rule(attempts: Sequence[Attempt]) -> Callable[[Attempt], tuple[bool, bool, float, float, str]]:
    numbered = _numbered(attempts)
    return lambda a: (
        a.answered > 0,
        a.named,
        float(a.number[1]) if numbered and a.number else 0.0,
        a.modified,
        a.path,
    )


def _numbered(attempts: Sequence[Attempt]) -> bool:
    kinds = {attempt.number[0] if attempt.number else "" for attempt in attempts}
    return len(kinds) == 1 and "" not in kinds


def ambiguity(ordered: Sequence[Attempt]) -> str:
    """What to say where another file could have counted as well; "" where no person needs to look."""
    chosen = ordered[-1]
    rivals = [a for a in ordered[:-1] if a.answered and a.content != chosen.content and _no_later(a, chosen)]
    if not rivals:
        return ""
    also = ", ".join(rival.path for rival in rivals[:3]) + (f" and {len(rivals) - 3} more" if len(rivals) > 3 else "")
    return f"{len(rivals) + 1} different files could be {chosen.exercise}: {chosen.path} was graded, {also} not"


def _no_later(rival: Attempt, chosen: Attempt) -> bool:
    """Whether no attempt's number says that `chosen` came after `rival`."""
    if rival.number and chosen.number and rival.number[0] == chosen.number[0]:
        return rival.number[1] >= chosen.number[1]
    return True


def lines_of(ordered: Sequence[Attempt]) -> list[Line]:
    """What is told of the attempts at one exercise."""
    *others, chosen = ordered
    doubt = ambiguity(ordered)
    lines = [Line(chosen.path, Fate.GRADED, doubt, chosen.exercise)]
    return [*(Line(a.path, Fate.OLDER, _why_not(a, chosen), a.exercise) for a in others), *lines]


def _why_not(one: Attempt, chosen: Attempt) -> str:
    if one.content == chosen.content:
        return f"the same as {chosen.path}"
    if not one.answered and chosen.answered:
        return f"nothing is filled in, unlike in {chosen.path}"
    if chosen.named and not one.named:
        return f"{chosen.path} bears the exercise's name"
    return f"{chosen.path} counts as the later one"
