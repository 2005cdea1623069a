"""Whose the entries of a folder of submissions are: one student is one row, and two are never taken for one.

A platform's id tells who somebody is; without one the whole name of the entry does. Where two students share a shown
name, the id is added to it, and the ledger says that they were kept apart.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graders.submissions import kinds, naming
from graders.submissions.entries import Entry, shown
from graders.submissions.ledger import Fate, Line
from graders.submissions.naming import Offers, readable
from graders.submissions.platforms import Who, of_platform

NOBODY = {".DS_Store", ".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"}
METADATA = "submission_metadata.yml"  # of Gradescope, beside the folders that it explains
CLONE = ".git"

Explained = Mapping[str, Sequence[Who]]  # whose a folder of Gradescope's is
Explain = Callable[[Path], Explained]  # reads the list of whose they are


@dataclass
class Person:
    """A student: the name that is shown, which no other has; the platform and its id, where they are known."""

    name: str
    platform: str = ""
    id: str = ""
    entries: list[Entry] = field(default_factory=list)
    doubts: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class People:
    """The students by name, in order, and what lies in the folder and is nobody's."""

    students: Mapping[str, Person]
    lines: Sequence[Line]


@dataclass(frozen=True)
class _Seen:
    """One entry: its path from the folder on, whether it is a folder, whether git made it."""

    name: str
    folder: bool
    clone: bool = False


def people_of(folder: Path, offers: Offers, explain: Explain) -> People:
    """Whose is what. Raises OSError if the folder cannot be read."""
    seen, lines, explained = _look(folder, explain)
    clones = _without_common([s.name for s in seen if s.clone], "-")
    teams = [who.name for s in seen if (who := _platform(s)) and who.platform == "Blackboard"]
    users = _users(teams)
    found: dict[tuple[str, str], Person] = {}
    for one in seen:
        for who in explained.get(one.name) or [_who(one, clones, users, offers)]:
            key = (who.platform, who.id or who.name)
            person = found.setdefault(key, Person(readable(who.name), who.platform, who.id))
            person.entries.append(Entry(one.name, "" if one.folder else who.rest or one.name, who.number, who.notes))
    students = _apart(list(found.values()))
    return People({name: students[name] for name in sorted(students)}, lines)


def _look(folder: Path, explain: Explain) -> tuple[list[_Seen], list[Line], dict[str, Sequence[Who]]]:
    """The entries of the folder and of exports of Gradescope's in it, what is nobody's, what is explained."""
    seen: list[_Seen] = []
    lines: list[Line] = []
    explained: dict[str, Sequence[Who]] = {}
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and os.path.isfile(os.path.join(entry.path, METADATA)):
            inner = _look(Path(entry.path), explain)
            seen += [_Seen(f"{entry.name}/{one.name}", one.folder, one.clone) for one in inner[0]]
            lines += [Line(f"{readable(entry.name)}/{line.path}", line.fate, line.why) for line in inner[1]]
            explained |= {f"{entry.name}/{name}": who for name, who in inner[2].items()}
        elif entry.name == METADATA:
            explained |= explain(Path(entry.path))
            lines.append(Line(METADATA, Fate.IGNORED, "Gradescope's list of who submitted what"))
        elif why := _nobodys(entry.name, is_folder):
            fate = Fate.SYSTEM if entry.name.startswith(".") or entry.name in NOBODY else Fate.IGNORED
            lines.append(Line(readable(entry.name), fate, why))
        else:
            clone = is_folder and os.path.lexists(os.path.join(entry.path, CLONE))
            seen.append(_Seen(entry.name, is_folder, clone))
    return seen, lines, explained


def _nobodys(name: str, is_folder: bool) -> str:
    """Why an entry is no student's; "" if it is one's."""
    if name in NOBODY or name.startswith("._"):
        return "a system's own"
    if is_folder or of_platform(readable(name)):
        return ""
    if name.startswith(".") and not (kinds.is_source(name) or kinds.is_archive(name)):
        return "hidden"
    return "a list, not a hand-in" if kinds.is_list(name) else ""


def _platform(one: _Seen) -> Who | None:
    return of_platform(readable(os.path.basename(one.name)))


def _who(one: _Seen, clones: Mapping[str, str], users: Mapping[str, str], offers: Offers) -> Who:
    """Whose an entry is, as its name tells."""
    if one.name in clones:
        user = naming.student_name(clones[one.name], offers)
        return Who(user, "GitHub", user)
    who = _platform(one)
    if who and who.platform == "Blackboard":
        return Who(users[who.name], who.platform, users[who.name], who.rest, who.number, who.notes)
    if who:
        return who
    name = os.path.basename(one.name)
    return Who(naming.student_name(name if one.folder else kinds.without_ending(name), offers), rest=name)


def _without_common(names: Sequence[str], between: str) -> dict[str, str]:
    """Names without the parts that all of them begin with; at least their last part is left. One alone stays whole."""
    parts = [name.split(between) for name in names]
    if len(set(names)) < 2:
        return {name: name for name in names}
    common = 0
    while all(len(p) > common + 1 for p in parts) and len({p[common] for p in parts}) == 1:
        common += 1
    return {name: between.join(p[common:]) for name, p in zip(names, parts, strict=True)}


def _users(names: Iterable[str]) -> dict[str, str]:
    """Blackboard's ASSIGNMENT_USER: of two parts the second; of more, what is left without the parts that all share."""
    distinct = list(dict.fromkeys(names))
    certain = {name: name.split("_")[1] for name in distinct if name.count("_") == 1}
    return certain | _without_common([name for name in distinct if name not in certain], "_")


def _apart(people: Sequence[Person]) -> dict[str, Person]:
    """By names that are unlike each other, with a doubt told wherever two looked the same."""
    looks = Counter(map(_look_of, people))
    named: dict[str, Person] = {}
    for person in people:
        if looks[_look_of(person)] > 1:
            shown_name = person.name
            why = f"{looks[_look_of(person)]} students' names look like {shown_name}: they were kept apart"
            person.name = (
                f"{shown_name} ({person.id if person.id != shown_name else person.platform})"
                if person.platform
                else shown_name
            )
            person.doubts = [Line(shown(PurePosixPath(person.entries[0].name)), Fate.REMARK, why)]
        person.name = next(name for name in _variants(person.name) if name not in named)
        named[person.name] = person
    return named


def _look_of(person: Person) -> str:
    return unicodedata.normalize("NFKC", person.name).casefold()


def _variants(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} [{number}]"
        number += 1
