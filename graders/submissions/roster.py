"""A class as it is handed in: which file of whom counts for what, and what of it is still to be graded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.exercise.kit import Kit
from graders.submissions.archives import is_notebook
from graders.submissions.cells import release_of
from graders.submissions.entries import Attempt, Student, Unread, entries_of, read_student

Work = tuple[str, bytes]  # an exercise's name, a submission's file
Piece = tuple[str, str]  # an exercise's name, the digest of a submission's file
Wanted = Callable[[str, str, str], bool]  # of a student's name, an exercise's, and a file's digest


@dataclass(frozen=True)
class Handed:
    """What one student handed in, without its contents: the attempts, and the digests of those that count.

    `problems` is what there is to tell of the notebooks that count, by exercise.
    """

    name: str
    attempts: tuple[dict[str, object], ...] = ()
    counted: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unreadable(self) -> list[str]:
        """What could not be read at all, in a sentence each."""
        return [unread.sentence for unread in self.unread]

    @property
    def remarks(self) -> list[str]:
        """Everything that could not be read as it should be, in a line each."""
        of_notebooks = [f"{name}: {problem}" for name, problems in self.problems.items() for problem in problems]
        return [*self.unreadable, *of_notebooks]

    def in_notebook(self, exercise: str) -> bool:
        """Whether a notebook is what counts for an exercise."""
        counted = [str(a["file"]) for a in self.attempts if a["counts"] and a["exercise"] == exercise]
        return any(map(is_notebook, counted))

    def missing(self, exercise: str) -> str:
        """Why nothing was graded of an exercise: the file of that name could not be read, or there is none."""
        unread = next((unread for unread in self.unread if unread.names(exercise)), next(iter(self.unread), None))
        return unread.sentence if unread else f"no {exercise}.py or {exercise}.ipynb was handed in"


class Roster:
    """The students in a folder of submissions. Contents are read one student at a time and not kept.

    Raises OSError if the folder cannot be read.
    """

    def __init__(self, folder: Path, kits: Mapping[str, Kit]):
        self.folder, self.kits = folder, kits
        self.offers = {name: [g.function for g in kit.exercise.gradients] for name, kit in kits.items()}
        self._releases = {name: release_of(kit.stub) for name, kit in kits.items()}
        self._entries = entries_of(folder, self.offers)
        self.students = [self._handed(self._read(name)) for name in self._entries]

    def _read(self, name: str) -> Student:
        return read_student(self.folder, name, self._entries[name], self.offers, self._releases)

    def _handed(self, student: Student) -> Handed:
        attempts, counted, problems = [], {}, {}
        for exercise, made in student.attempts.items():
            attempts += [_record(attempt, attempt is made[-1]) for attempt in made]
            counted[exercise] = made[-1].hash
            problems[exercise] = made[-1].problems
        return Handed(student.name, tuple(attempts), counted, tuple(student.unread), problems)

    def exercises(self) -> list[str]:
        """Those that anybody handed in."""
        return [name for name in self.kits if any(name in student.counted for student in self.students)]

    def waiting(self, wanted: Wanted) -> dict[Piece, str]:
        """What is to be graded, equal files once, and one of those who handed it in."""
        waiting: dict[Piece, str] = {}
        for student in self.students:
            for exercise, file in student.counted.items():
                if wanted(student.name, exercise, file):
                    waiting.setdefault((exercise, file), student.name)
        return waiting

    def works(self, waiting: Mapping[Piece, str]) -> Iterator[Work]:
        """The files of what is waiting, read as they are asked for."""
        wanted: dict[str, list[str]] = {}
        for (exercise, _), name in waiting.items():
            wanted.setdefault(name, []).append(exercise)
        for name, exercises in wanted.items():
            student = self._read(name)
            for exercise in exercises:
                attempt = student.counted(exercise)
                if attempt is not None:
                    yield exercise, attempt.content


def _record(attempt: Attempt, counts: bool) -> dict[str, object]:
    return {
        "exercise": attempt.exercise,
        "file": attempt.path,
        "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(attempt.modified)),
        "sha256": attempt.hash,
        "counts": counts,
    }
