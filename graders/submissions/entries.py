"""What is in one entry of the folder of submissions: attempts at exercises, and why the rest is none.

An entry is a student's folder, archive, Python file, notebook or any other file. A file belongs to the exercise that
its name ends in, else to the one that a notebook's cells are of, else to the one whose functions it defines. Nothing
here raises for what is in an entry.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from graders.exercise.identity import meant
from graders.student.text import LONGEST_SOURCE, Undecodable, plain
from graders.submissions import kinds, naming
from graders.submissions import notebook_module as extract
from graders.submissions.archives import Archives
from graders.submissions.found import Found, Keep, Left, Unreadable, hidden_in, longest, within
from graders.submissions.ledger import Attempt, Fate, Line
from graders.submissions.looks import looks_of
from graders.submissions.naming import Number, Offers, exercise_named, readable

Releases = Mapping[str, str]  # of each exercise the release that a notebook should be of
LONGEST_SHOWN = 300  # characters of a path
MOST_LINES = 200  # of what is no attempt, in one entry


@dataclass(frozen=True)
class Entry:
    """Where an entry lies in the folder of submissions; what its file is called apart from a platform's additions.

    `called` is empty for a folder. `number` is the attempt that the entry's own name tells. `notes` says that a
    platform wrote it.
    """

    name: str
    called: str = ""
    number: Number | None = None
    notes: bool = False


@dataclass
class Contents:
    """What one entry holds."""

    attempts: list[Attempt] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What is looked for: the exercises with their functions, the present releases.

    Careful reading parses a source that looks untouched; it is done without where that killed the process.
    """

    offers: Offers
    releases: Releases = field(default_factory=dict)
    careful: bool = True


def read_entry(folder: Path, entry: Entry, wanted: Wanted) -> Contents:
    """Read one entry."""
    contents, root = Contents(), PurePosixPath(entry.name)
    try:
        for found in _files(folder / entry.name, entry, wanted):
            if isinstance(found, Left):
                fate = Fate.UNREADABLE if found.unread else Fate.SYSTEM if found.system else Fate.IGNORED
                contents.lines.append(Line(shown(root / found.path), fate, found.why, _meant(found, entry, wanted)))
            else:
                _sort_in(contents, entry, found, wanted)
    except Unreadable as error:
        contents.lines.append(Line(shown(root), Fate.UNREADABLE, str(error)))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        contents.lines.append(Line(shown(root), Fate.UNREADABLE, str(why)))
    if not contents.attempts and all(line.fate is Fate.SYSTEM for line in contents.lines):
        contents.lines.append(Line(shown(root), Fate.IGNORED, "nothing is in it"))
    contents.lines = _few(contents.lines, shown(root))
    return contents


def shown(path: PurePosixPath) -> str:
    """A path as it is printed: nothing in it steers a terminal, and it is not endless."""
    text = "/".join(map(readable, path.parts))
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[: LONGEST_SHOWN // 2]}…{text[-LONGEST_SHOWN // 2 :]}"


def _meant(left: Left, entry: Entry, wanted: Wanted) -> str:
    """The exercise that something unreadable is named after, on the way to it; "" if nothing tells."""
    parts = [*reversed(left.path.parts), entry.called or entry.name]
    spelled = (name for part in parts for name in (part, PurePosixPath(part).stem))  # ex1_atomic.py.txt
    return next((exercise for name in spelled if (exercise := exercise_named(name, wanted.offers))), "")


def _few(lines: list[Line], root: str) -> list[Line]:
    """Each once, and of what is ignored only so many: an environment holds thousands of files."""
    distinct = list(dict.fromkeys(lines))
    more = len(distinct) - MOST_LINES
    if more <= 0:
        return distinct
    distinct.sort(key=lambda line: (line.fate is Fate.SYSTEM, line.fate is Fate.IGNORED))
    rest = distinct[MOST_LINES:]
    return [*distinct[:MOST_LINES], Line(root, rest[0].fate, f"{more} more files of these kinds", count=more)]


def _files(path: Path, entry: Entry, wanted: Wanted) -> Iterator[Found | Left]:
    """The Python files and notebooks of one entry, and what is left out. Raises Unreadable, OSError."""
    mode, here = path.lstat().st_mode, PurePosixPath()
    opened = Archives(_keep(entry, wanted))
    name = entry.called or path.name
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, opened)
    elif not stat.S_ISREG(mode):
        raise Unreadable("not a file or folder, but a link or a device")
    elif entry.notes:
        yield Left(here, "the platform's own notes, or a text that was typed there")
    elif why := kinds.why_ignored(name):
        yield Left(here, why, kinds.is_closed(name))
    elif kinds.is_archive(name):
        yield from opened.read(path)
    else:
        yield opened.keep(_read_file(path, here, name))


def _in_folder(folder: Path, opened: Archives) -> Iterator[Found | Left]:
    """Files of a student's folder and of archives in it; links are not followed, a bad archive spoils nothing else."""
    faults: list[OSError] = []
    for where, folders, names in os.walk(folder, followlinks=False, onerror=faults.append):
        inside = PurePosixPath(Path(where).relative_to(folder).as_posix())
        yield from (Left(inside / n, "a folder, not a file", True) for n in folders if kinds.is_notebook(n))
        for name in sorted([*names, *folders]):
            if hidden := hidden_in(inside / name):
                opened.budget.enter()
                yield hidden
        folders[:] = sorted(n for n in folders if not kinds.hidden(PurePosixPath(n)))
        for name in sorted(n for n in names if not kinds.hidden(PurePosixPath(n))):
            opened.budget.enter()
            yield from _in_place(Path(where, name), inside / name, opened)
    for fault in faults:
        path = PurePosixPath(Path(os.fsdecode(fault.filename)).relative_to(folder).as_posix())
        yield Left(path, fault.strerror or "cannot be opened", True)


def _in_place(path: Path, inside: PurePosixPath, opened: Archives) -> Iterator[Found | Left]:
    """One file of a folder."""
    try:
        if ignored := kinds.why_ignored(path.name):
            yield Left(inside, ignored, kinds.is_closed(path.name))
        elif not stat.S_ISREG(path.lstat().st_mode):
            yield Left(inside, "a link or a device, not a file", True)
        elif kinds.is_archive(path.name):
            own = Archives(opened.keep)  # what a bomb spends is its own
            yield from (within(inside, one) for one in own.read(path))
        else:
            kept = opened.keep(_read_file(path, inside, path.name))
            opened.budget.keep(len(kept.content))
            yield kept
    except OSError as error:
        yield Left(inside, error.strerror or "cannot be read", True)
    except Unreadable as error:
        if opened.budget.entries < 0:
            raise
        yield Left(inside, str(error), True)


def _read_file(path: Path, inside: PurePosixPath, name: str) -> Found:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        return Found(inside, status.st_mtime, file.read(longest(name) + 1), status.st_size)


def _keep(entry: Entry, wanted: Wanted) -> Keep:
    """What is kept of the files of an entry: a Python file as it is, of a notebook the module in it.

    It is the module that nbgrader's preprocessor finds, so that a result of one is a result for the other.
    """

    def keep(found: Found) -> Found:
        name = found.path.name or entry.called or entry.name
        if not kinds.is_notebook(name):
            return found
        try:
            extract.check_size(found.size)
        except extract.Unreadable as error:
            return replace(found, content=b"", problems=(str(error),))
        module = extract.module_of(found.content, exercise_named(name, wanted.offers) or "", wanted.releases)
        return replace(found, content=module.source, exercise=module.exercise, problems=tuple(module.problems))

    return keep


def _sort_in(contents: Contents, entry: Entry, found: Found, wanted: Wanted) -> None:
    """Make an attempt of a file that belongs to an exercise, or say why it belongs to none."""
    name, path = found.path.name or entry.called or entry.name, shown(PurePosixPath(entry.name) / found.path)
    named = exercise_named(name, wanted.offers, (entry.name, *found.path.parts[:-1]))
    notebook, problems = kinds.is_notebook(name), found.problems
    content = found.content
    if not named and not notebook and not content.strip():
        contents.lines.append(Line(path, Fate.IGNORED, "empty"))
        return
    try:
        if not content.strip():
            empty = "; ".join(problems) or f"the file is empty ({found.size} bytes): hand it in again"
            raise Unreadable(empty)
        if not notebook and len(content) <= LONGEST_SOURCE:
            content, remark = plain(content)
            problems = (*problems, str(remark)) if remark else problems
    except (Unreadable, Undecodable) as error:
        of = named or _meant(Left(found.path, ""), entry, wanted)
        contents.lines.append(Line(path, Fate.UNREADABLE, str(error), of))
        return
    text = content.decode("utf-8", "replace")
    exercise, why = (named, "") if named else _by_contents(found, text, wanted.offers)
    if not exercise:
        contents.lines.append(Line(path, Fate.IGNORED, why))
        return
    looks = looks_of(text, wanted.offers[exercise], wanted.careful and len(content) <= LONGEST_SOURCE)
    number = naming.attempt_number(_way(entry, found)) or entry.number
    is_named = named is not None or naming.holds_name(name, exercise)
    made = Attempt(exercise, path, found.modified, number, content, is_named, problems, *looks)
    contents.attempts.append(made)


def _way(entry: Entry, found: Found) -> PurePosixPath:
    return PurePosixPath(entry.called or entry.name) / found.path


def _by_contents(found: Found, text: str, offers: Offers) -> tuple[str, str]:
    """The exercise that a file belongs to by its cells' ids or its functions, or why it belongs to none."""
    told = meant(found.exercise, offers)
    if len(told) == 1:
        return told[0], ""
    possible = naming.exercise_of_functions(text, offers)
    if len(possible) == 1:
        return possible[0], ""
    if possible:
        return "", f"its functions could be of {' or '.join(possible)}: name it after the exercise"
    return "", "named after no exercise, and no function of one is in it"
