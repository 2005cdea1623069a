"""A class as it is handed in: which file of whom counts for what. Contents are read one student at a time, once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.exercise.kit import Kit
from graders.submissions.archives import is_notebook
from graders.submissions.entries import Attempt, Student, Unread, entries_of, read_student
from graders.submissions.spool import Piece, Spool
from graders.words import Code, Reason, reason

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

    def missing(self, exercise: str) -> Reason:
        """Why nothing was graded of an exercise: the file of that name could not be read, or there is none."""
        unread = next((unread for unread in self.unread if unread.names(exercise)), next(iter(self.unread), None))
        if unread:
            return reason(Code.UNREADABLE, text=unread.sentence)
        return reason(Code.NOT_HANDED_IN, exercise=exercise)


class Roster:
    """The students in a folder of submissions, by name as soon as it is made. Raises OSError if it cannot be read."""

    def __init__(self, folder: Path, kits: Mapping[str, Kit]):
        self.folder, self.kits = folder, kits
        self._offers = {name: [g.function for g in kit.exercise.gradients] for name, kit in kits.items()}
        self.entries = entries_of(folder, self._offers)
        self.students: list[Handed] = []

    def read(self, wanted: Wanted, spool: Spool) -> list[Piece]:
        """Read all students, each once. What is to be graded, equal files once; their contents go to the spool.

        Raises OSError if the spool has no room.
        """
        releases = {name: kit.release for name, kit in self.kits.items()}
        waiting: dict[Piece, None] = {}
        for name, entries in self.entries.items():
            student = read_student(self.folder, name, entries, self._offers, releases)
            handed = _handed(student)
            self.students.append(handed)
            for exercise, file in handed.counted.items():
                if (exercise, file) not in waiting and wanted(name, exercise, file):
                    spool.put(student.attempts[exercise][-1].content)
                    waiting[exercise, file] = None
        return list(waiting)

    def exercises(self) -> list[str]:
        """Those that anybody handed in."""
        return [name for name in self.kits if any(name in student.counted for student in self.students)]


def _handed(student: Student) -> Handed:
    attempts, counted, problems = [], {}, {}
    for exercise, made in student.attempts.items():
        attempts += [_record(attempt, attempt is made[-1]) for attempt in made]
        counted[exercise] = made[-1].hash
        problems[exercise] = made[-1].problems
    return Handed(student.name, tuple(attempts), counted, tuple(student.unread), problems)


def _record(attempt: Attempt, counts: bool) -> dict[str, object]:
    return {
        "exercise": attempt.exercise,
        "file": attempt.path,
        "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(attempt.modified)),
        "sha256": attempt.hash,
        "counts": counts,
    }
