"""Who handed in what: in a folder every entry is a student's folder, archive, Python file or notebook.

A student is an entry's name. Several entries of one student (alice_attempt_1.zip, alice_attempt_2.zip), or several
files for one exercise in an entry, are attempts. The last one counts: the highest attempt number or time stamp at
the end of a name on the way to the file, if all attempts have one; else the latest time of modification, and in
doubt the last by name. A notebook that only its cells assign to an exercise counts where no file is named after it.
All attempts are kept in the record.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from graders.exercise.identity import meant
from graders.submissions import archives, naming
from graders.submissions import notebook_module as extract
from graders.submissions.archives import Found, Keep, Unreadable, is_notebook
from graders.submissions.naming import Offers, exercise_named, readable
from graders.submissions.spool import digest

NOBODY = {".DS_Store", ".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__"}  # no student's name

Releases = Mapping[str, str]  # of each exercise the release that a notebook should be of


@dataclass(frozen=True)
class Attempt:
    """One file for one exercise, and what the rule sorts by: a number of some kind, or the time.

    `named` says that the file's name tells the exercise; `problems` is what there is to tell of a notebook.
    """

    exercise: str
    path: str
    modified: float
    number: tuple[str, int] | None
    content: bytes = field(repr=False)
    named: bool = True
    problems: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        return digest(self.content)


@dataclass(frozen=True)
class Unread:
    """A file, archive or folder that could not be read, and why."""

    path: PurePosixPath
    reason: str

    def names(self, exercise: str) -> bool:
        """Whether anything on the path is named after the exercise."""
        return any(exercise_named(part, {exercise: ()}) for part in self.path.parts)

    @property
    def sentence(self) -> str:
        return f"unreadable: {_shown(self.path)}: {self.reason}"


def _shown(path: PurePosixPath) -> str:
    return "/".join(map(readable, path.parts))


@dataclass
class Student:
    """The attempts at every exercise, the one that counts last, and what could not be read."""

    name: str
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    def counted(self, exercise: str) -> Attempt | None:
        return self.attempts[exercise][-1] if self.attempts.get(exercise) else None


def entries_of(folder: Path, offers: Offers) -> dict[str, list[str]]:
    """The entries of every student, by the student's name. Raises OSError if the folder cannot be read."""
    students: dict[str, list[str]] = {}
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_file = archives.is_archive(entry.name) or archives.is_source_name(entry.name)
            anybody = entry.name not in NOBODY and not entry.name.startswith("._")
            if not (anybody and (is_file or entry.is_dir() or entry.is_symlink())):
                continue  # an LMS's own list, a spreadsheet
            name = naming.student_name(archives.stem(entry.name) if is_file else entry.name, offers)
            students.setdefault(name, []).append(entry.name)
    return dict(sorted(students.items()))


def read_student(
    folder: Path, name: str, entries: Sequence[str], offers: Offers, releases: Releases | None = None
) -> Student:
    """All that a student handed in. Never raises for what is in it: what cannot be read is said at the student."""
    student = Student(name)
    for entry in entries:
        try:
            for found in _files(folder / entry, student, _keep(entry, offers, releases or {})):
                _sort_in(student, PurePosixPath(entry), found, offers)
        except (Unreadable, OSError, ValueError) as error:
            student.unread.append(_unread(entry, error))
    for attempts in student.attempts.values():
        attempts.sort(key=_rule(attempts))
    return student


def _unread(name: str, error: Exception) -> Unread:
    return Unread(PurePosixPath(name), str(error) if isinstance(error, Unreadable) else type(error).__name__)


def _keep(entry: str, offers: Offers, releases: Releases) -> Keep:
    """What is kept of the files of an entry: a Python file as it is, of a notebook the module in it.

    It is the module that nbgrader's preprocessor finds, so that a result of one is a result for the other.
    """

    def keep(found: Found) -> Found:
        name = found.path.name or entry
        if not is_notebook(name):
            return found
        try:
            extract.check_size(found.size)
        except extract.Unreadable as error:
            return replace(found, content=b"", problems=(str(error),))
        module = extract.module_of(found.content, exercise_named(name, offers) or "", releases)
        return replace(found, content=module.source, exercise=module.exercise, problems=tuple(module.problems))

    return keep


def _files(path: Path, student: Student, keep: Keep) -> Iterator[Found]:
    """The Python files and notebooks of one entry. Raises Unreadable, OSError."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, student, keep)
    elif not stat.S_ISREG(mode):
        raise Unreadable("not a file or folder, but a link or a device")
    elif archives.is_archive(path.name):
        yield from archives.read(path, keep)
    else:
        yield keep(_read_file(path, PurePosixPath()))


def _in_folder(folder: Path, student: Student, keep: Keep) -> Iterator[Found]:
    """Files of a student's folder and of archives in it; links are not followed, a bad archive spoils nothing else."""
    seen = 0
    for where, folders, names in os.walk(folder, followlinks=False):
        student.unread += [Unread(PurePosixPath(n), "a folder, not a file") for n in folders if is_notebook(n)]
        for name in sorted(names):
            seen += 1
            if seen > archives.MOST_ENTRIES:
                raise Unreadable(f"more than {archives.MOST_ENTRIES} files")
            path = Path(where, name)
            inside = PurePosixPath(path.relative_to(folder).as_posix())
            if not stat.S_ISREG(path.lstat().st_mode):
                if archives.is_source(inside):
                    student.unread.append(Unread(PurePosixPath(name), "a link or a device, not a file"))
                continue
            if archives.is_source(inside):
                yield keep(_read_file(path, inside))
            elif archives.is_archive(name) and not name.startswith("."):
                try:
                    found = archives.read(path, keep)
                except Unreadable as error:
                    student.unread.append(_unread(name, error))
                    continue
                yield from (replace(f, path=inside / f.path) for f in found)


def _read_file(path: Path, inside: PurePosixPath) -> Found:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        return Found(inside, status.st_mtime, file.read(archives.longest(path.name) + 1), status.st_size)


def _sort_in(student: Student, entry: PurePosixPath, found: Found, offers: Offers) -> None:
    """Keep a file that belongs to an exercise; other files are ignored."""
    path = entry / found.path
    if is_notebook(path.name) and not found.content:
        student.unread.append(Unread(path, "; ".join(found.problems)))
        return
    named = exercise_named(path.name, offers, path.parts[:-1])
    told = meant(found.exercise, offers)
    exercise = named or (told[0] if len(told) == 1 else None)
    if exercise is None and (is_notebook(path.name) or not found.path.parts):
        exercise = naming.exercise_of_functions(found.content, offers)
    if exercise is None:
        return
    number, is_named = naming.attempt_number(path), named is not None
    attempt = Attempt(exercise, _shown(path), found.modified, number, found.content, is_named, found.problems)
    student.attempts.setdefault(exercise, []).append(attempt)


def _rule(attempts: Sequence[Attempt]) -> Callable[[Attempt], tuple[bool, float, float, str]]:
    """What to sort attempts by: numbers where all have one of a kind, else times."""
    kinds = {attempt.number[0] if attempt.number else "" for attempt in attempts}
    numbered = len(kinds) == 1 and "" not in kinds
    return lambda a: (a.named, float(a.number[1]) if numbered and a.number else 0.0, a.modified, a.path)
