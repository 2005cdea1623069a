"""A class as it is handed in: which file of whom counts for what. Contents are read one student at a time, once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from graders.exercise.kit import Kit
from graders.submissions.entries import Contents, Entry, Wanted
from graders.submissions.kinds import is_notebook
from graders.submissions.ledger import Attempt, Fate, Line, ambiguity, in_order, lines_of
from graders.submissions.naming import readable
from graders.submissions.people import Person, people_of
from graders.submissions.reader import Reader
from graders.submissions.spool import Piece, Spool
from graders.words import Code, Reason, reason

Chosen = Callable[[str, str, str], bool]  # of a student's name, an exercise's, and a file's digest: is it to be graded
Read = Callable[[Path, Entry, Wanted], Contents]
MOST_REASONS = 3


@dataclass(frozen=True)
class Handed:
    """What one student handed in, without its contents: the attempts, and the digests of those that count.

    `problems` is what there is to tell of the files that count, by exercise; `likeness` is theirs, too. `lines` is the
    student's part of the ledger; `platform`, `id` and the names of the `entries` are what grades go back by.
    """

    name: str
    attempts: tuple[dict[str, object], ...] = ()
    counted: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    platform: str = ""
    id: str = ""
    entries: tuple[str, ...] = ()
    likeness: Mapping[str, str] = field(default_factory=dict)

    @property
    def unread(self) -> list[Line]:
        return [line for line in self.lines if line.fate is Fate.UNREADABLE]

    @property
    def unreadable(self) -> list[str]:
        """What could not be read at all, in a sentence each."""
        return [line.sentence for line in self.unread]

    @property
    def remarks(self) -> list[str]:
        """Why nothing was graded, and everything that could not be read as it should be, in a line each."""
        of_files = [f"{name}: {problem}" for name, problems in self.problems.items() for problem in problems]
        doubts = [line.why for line in self.lines if line.fate is Fate.REMARK]
        ignored = [] if self.counted or self.unread else self._ignored()
        nothing = [] if self.counted else ["not graded"]
        return [*nothing, *self.unreadable, *ignored, *of_files, *doubts]

    def _ignored(self) -> list[str]:
        ignored = [f"{line.path}: {line.why}" for line in self.lines if line.fate is Fate.IGNORED]
        more = len(ignored) - MOST_REASONS
        return ignored if more <= 0 else [*ignored[:MOST_REASONS], f"and {more} more"]

    def in_notebook(self, exercise: str) -> bool:
        """Whether a notebook is what counts for an exercise."""
        counted = [str(a["file"]) for a in self.attempts if a["counts"] and a["exercise"] == exercise]
        return any(map(is_notebook, counted))

    def missing(self, exercise: str) -> Reason:
        """Why nothing was graded of an exercise: what could be it was not read or not taken, or there is nothing."""
        told = [line for line in self.lines if line.fate in (Fate.UNREADABLE, Fate.IGNORED) and line.why]
        named = [line for line in told if line.exercise == exercise]
        unread = [line for line in self.unread if not line.exercise]
        if found := [*named, *unread]:
            return reason(Code.UNREADABLE, text=found[0].sentence)
        if ignored := self._ignored() if not self.counted and not self.unread else []:
            return reason(Code.NOTHING_TO_GRADE, text="; ".join(ignored))
        return reason(Code.NOT_HANDED_IN, exercise=exercise)


class Roster:
    """The students in a folder of submissions, by name as soon as it is made.

    `lines` is what lies in the folder and is no student's. Raises OSError if the folder cannot be read.
    """

    def __init__(self, folder: Path, kits: Mapping[str, Kit]):
        self.folder, self.kits = folder, kits
        offers = {name: [g.function for g in kit.exercise.gradients] for name, kit in kits.items()}
        self._wanted = Wanted(offers, {name: kit.release for name, kit in kits.items()})
        with Reader() as reader:
            people = people_of(folder, offers, reader.explained)
        self.entries, self.lines = people.students, tuple(people.lines)
        self.students: list[Handed] = []

    def read(self, chosen: Chosen, spool: Spool) -> list[Piece]:
        """Read all students, each once. What is to be graded, equal files once; their contents go to the spool.

        Raises OSError if the spool has no room, ReaderError if nothing can be read.
        """
        waiting: dict[Piece, None] = {}
        with Reader() as reader:
            for name, person in self.entries.items():
                attempts, lines = read_person(self.folder, person, self._wanted, reader.entry)
                handed = _handed(person, attempts, lines)
                self.students.append(handed)
                for exercise, file in handed.counted.items():
                    if (exercise, file) not in waiting and chosen(name, exercise, file):
                        spool.put(attempts[exercise][-1].content)
                        waiting[exercise, file] = None
        return list(waiting)

    def exercises(self) -> list[str]:
        """Those that anybody handed in."""
        return [name for name in self.kits if any(name in student.counted for student in self.students)]


def read_person(
    folder: Path, person: Person, wanted: Wanted, read: Read
) -> tuple[dict[str, list[Attempt]], list[Line]]:
    """The attempts at every exercise, the one that counts last; the student's part of the ledger."""
    made: dict[str, list[Attempt]] = {}
    lines = list(person.doubts)
    for entry in person.entries:
        contents = read(folder, entry, wanted)
        for attempt in contents.attempts:
            made.setdefault(attempt.exercise, []).append(attempt)
        lines += contents.lines
    ordered = {name: in_order(made[name]) for name in wanted.offers if name in made}
    return ordered, [*(line for attempts in ordered.values() for line in lines_of(attempts)), *lines]


def _handed(person: Person, made: Mapping[str, Sequence[Attempt]], lines: Iterable[Line]) -> Handed:
    attempts, counted, problems, likeness = [], {}, {}, {}
    for exercise, ordered in made.items():
        chosen, doubt = ordered[-1], ambiguity(ordered)
        attempts += [_record(attempt, attempt is chosen) for attempt in ordered]
        counted[exercise] = chosen.hash
        problems[exercise] = (*chosen.problems, *([doubt] if doubt else []))
        likeness[exercise] = chosen.likeness
    return Handed(
        name=person.name,
        attempts=tuple(attempts),
        counted=counted,
        problems=problems,
        lines=tuple(lines),
        platform=person.platform,
        id=person.id,
        entries=tuple(readable(entry.name) for entry in person.entries),
        likeness=likeness,
    )


def _record(attempt: Attempt, counts: bool) -> dict[str, object]:
    return {
        "exercise": attempt.exercise,
        "file": attempt.path,
        "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(attempt.modified)),
        "sha256": attempt.hash,
        "counts": counts,
    }
