"""Who handed in what: a folder in which every entry is a student's folder, archive or single Python file.

A student is an entry's name. Several entries of one student (alice_attempt_1.zip, alice_attempt_2.zip), or several
files for one exercise in an entry, are attempts. The last one counts: the highest attempt number or time stamp at
the end of a name on the way to the file, if all attempts have one; else the latest time of modification, and in
doubt the last by name. All attempts are kept in the record.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graders.classroom.records import digest
from graders.classroom.wire import LONGEST_SOURCE, printable
from graders.grading.archives import MOST_ENTRIES, Found, Unreadable, is_archive, is_source, read, stem

COUNTED = re.compile(r"(?:^|(?P<name>.*?)[\s_.-]+)(?:attempt|try|version)[\s_.-]*(?P<number>\d{1,6})", re.IGNORECASE)
STAMPED = re.compile(r"(?:^|(?P<name>.*?)[\s_-]+)(?P<number>20\d\d-?\d\d-?\d\d[T\s_-]*\d\d[-:.]?\d\d(?:[-:.]?\d\d)?)Z?")

NOBODY = {".DS_Store", ".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__"}  # no student's name

Offers = Mapping[str, Sequence[str]]  # the functions that each exercise asks for


@dataclass(frozen=True)
class Attempt:
    """One file for one exercise, and what the rule sorts by: a number of some kind, or the time."""

    exercise: str
    path: str
    modified: float
    number: tuple[str, int] | None
    content: bytes = field(repr=False)

    @property
    def hash(self) -> str:
        return digest(self.content)


@dataclass
class Student:
    """The attempts at every exercise, the one that counts last; `unreadable` says what could not be read, and why."""

    name: str
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def counted(self, exercise: str) -> Attempt | None:
        return self.attempts[exercise][-1] if self.attempts.get(exercise) else None


def entries_of(folder: Path, offers: Offers) -> dict[str, list[str]]:
    """The entries of every student, by the student's name. Raises OSError if the folder cannot be read."""
    students: dict[str, list[str]] = {}
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_file = is_archive(entry.name) or entry.name.lower().endswith(".py")
            if (
                entry.name in NOBODY
                or entry.name.startswith("._")
                or not (is_file or entry.is_dir() or entry.is_symlink())
            ):
                continue  # an LMS's own list, a spreadsheet
            name = student_name(stem(entry.name) if is_file else entry.name, offers)
            students.setdefault(name, []).append(entry.name)
    return dict(sorted(students.items()))


def read_student(folder: Path, name: str, entries: Sequence[str], offers: Offers) -> Student:
    """All that a student handed in. Never raises for what is in it: what cannot be read is said at the student."""
    student = Student(name)
    for entry in entries:
        try:
            for found in _files(folder / entry, student):
                _sort_in(student, PurePosixPath(entry), found, offers)
        except (Unreadable, OSError, ValueError) as error:
            student.unreadable.append(_unreadable(entry, error))
    for attempts in student.attempts.values():
        attempts.sort(key=_rule(attempts))
    return student


def readable(name: str) -> str:
    """A file's name as text that can be printed and encoded; different names stay different."""
    raw = os.fsencode(name)
    text = printable(raw.decode("utf-8", "backslashreplace")).strip()
    same = text.encode() == raw.strip()
    return text if text and same else f"{text} [{hashlib.sha256(raw).hexdigest()[:4]}]".strip()


def student_name(name: str, offers: Offers) -> str:
    """An entry's name without an exercise, attempt number or time stamp at its end."""
    name = readable(name)
    while True:
        match = COUNTED.fullmatch(name) or STAMPED.fullmatch(name) or _named(offers).fullmatch(name)
        if not match or not match["name"]:
            return name
        name = match["name"]


def _named(offers: Offers) -> re.Pattern[str]:
    """A name that ends in an exercise's."""
    names = "|".join(map(re.escape, sorted(offers, key=len, reverse=True)))
    return re.compile(
        rf"(?:^|(?P<name>.*?)[\s_.-]+)(?P<exercise>{names})(?:[\s_.-]*\(\d+\)|[\s_-]copy|-\d)?", re.IGNORECASE
    )


def _unreadable(name: str, error: Exception) -> str:
    told = error if isinstance(error, Unreadable) else type(error).__name__
    return f"unreadable: {readable(name)}: {told}"


def _files(path: Path, student: Student) -> Iterator[Found]:
    """The Python files of one entry. Raises Unreadable, OSError."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, student)
    elif not stat.S_ISREG(mode):
        raise Unreadable("not a file or folder, but a link or a device")
    elif is_archive(path.name):
        yield from read(path)
    else:
        yield _read_file(path, PurePosixPath())


def _in_folder(folder: Path, student: Student) -> Iterator[Found]:
    """Files of a student's folder and of archives in it; links are not followed, a bad archive spoils nothing else."""
    seen = 0
    for where, _, names in os.walk(folder, followlinks=False):
        for name in sorted(names):
            seen += 1
            if seen > MOST_ENTRIES:
                raise Unreadable(f"more than {MOST_ENTRIES} files")
            path = Path(where, name)
            inside = PurePosixPath(path.relative_to(folder).as_posix())
            if not stat.S_ISREG(path.lstat().st_mode):
                continue
            if is_source(inside):
                yield _read_file(path, inside)
            elif is_archive(name) and not name.startswith("."):
                try:
                    found = read(path)
                except Unreadable as error:
                    student.unreadable.append(_unreadable(name, error))
                    continue
                yield from (Found(inside / f.path, f.modified, f.content) for f in found)


def _read_file(path: Path, inside: PurePosixPath) -> Found:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        return Found(inside, os.fstat(descriptor).st_mtime, file.read(LONGEST_SOURCE + 1))


def _sort_in(student: Student, entry: PurePosixPath, found: Found, offers: Offers) -> None:
    """Keep a file that belongs to an exercise; other files are ignored."""
    single = not found.path.parts
    path = entry / found.path
    match = _named(offers).fullmatch(stem(path.name)) or _named(offers).fullmatch(_without_number(stem(path.name)))
    exercise = _spelled(match["exercise"], offers) if match else _by_content(found.content, offers) if single else None
    if exercise is None:
        return
    shown = "/".join(map(readable, path.parts))
    attempt = Attempt(exercise, shown, found.modified, _number(path), found.content)
    student.attempts.setdefault(exercise, []).append(attempt)


def _without_number(name: str) -> str:
    match = COUNTED.fullmatch(name) or STAMPED.fullmatch(name)
    return (match["name"] or name) if match else name


def _spelled(name: str, offers: Offers) -> str | None:
    return next((exercise for exercise in offers if exercise.lower() == name.lower()), None)


def _by_content(content: bytes, offers: Offers) -> str | None:
    """The exercise of which most functions are defined; None if none is, or several tie."""
    defined = set(re.findall(rb"^def (\w+)\(", content, re.MULTILINE))
    found = {name: len(defined & {f.encode() for f in asked}) for name, asked in offers.items()}
    shares = {name: (count / max(len(offers[name]), 1), count) for name, count in found.items() if count}
    best = [name for name, share in shares.items() if share == max(shares.values())]
    return best[0] if len(best) == 1 else None


def _number(path: PurePosixPath) -> tuple[str, int] | None:
    """The attempt number or time stamp nearest to the file, on the way to it."""
    for part in reversed(path.parts):
        for kind, pattern in (("count", COUNTED), ("stamp", STAMPED)):
            if match := pattern.fullmatch(stem(part)):
                return kind, int(re.sub(r"\D", "", match["number"]).ljust(14 if kind == "stamp" else 0, "0"))
    return None


def _rule(attempts: Sequence[Attempt]) -> Callable[[Attempt], tuple[float, float, str]]:
    """What to sort attempts by: numbers where all have one of a kind, else times."""
    kinds = {attempt.number[0] if attempt.number else "" for attempt in attempts}
    numbered = len(kinds) == 1 and "" not in kinds
    return lambda a: (float(a.number[1]) if numbered and a.number else 0.0, a.modified, a.path)
