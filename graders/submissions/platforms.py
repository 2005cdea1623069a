"""What the name of an entry tells of its student, in the forms in which learning platforms hand files out.

Canvas       lovelaceada_LATE_123_456_ex1_atomic.py; anon_x7Yz1_456_…; lovelaceada_123_text.html
Moodle       Ada Lovelace_123_assignsubmission_file, as a folder or before a file's name; Participant_123_…, Group_7_…
Blackboard   Homework 1_alovelace_attempt_2026-11-22-10-30-00_ex1_atomic.py, and a .txt of its own without a file
Gradescope   submission_123, explained by submission_metadata.yml: see people.py

Whoever has an id of a platform is one student, whatever the name says. Two ids are two students.
"""

import re
from dataclasses import dataclass

CANVAS = re.compile(r"_(\d{1,20})_(\d{1,20})_(?=.)")
CANVAS_ANONYMOUS = re.compile(r"anon_([A-Za-z0-9]{1,20})_(\d{1,20})_(?=.)")
CANVAS_TEXT = re.compile(r"_(\d{1,20})_(?:text|link)\.html$")
LATE = re.compile(r"_late$", re.IGNORECASE)
MOODLE = re.compile(r"_(\d{1,20})_assignsubmission_(file|onlinetext)_?")
BLACKBOARD = re.compile(r"_attempt_(20\d\d-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_|(?=\.txt$)|$)")
NAMELESS = ("participant", "teilnehmer/in", "teilnehmer", "group", "gruppe", "anon")  # it takes the id to tell who


@dataclass(frozen=True)
class Who:
    """Whose an entry is, as its name says: `id` is the platform's, and empty where only the name tells who it is.

    `rest` is the file's own name, empty for a folder. `number` says which attempt it is, as a kind and a number.
    """

    name: str
    platform: str = ""
    id: str = ""
    rest: str = ""
    number: tuple[str, int] | None = None
    notes: bool = False  # what the platform itself wrote beside the hand-in


def of_platform(name: str) -> Who | None:
    """None for a name that no platform gave."""
    return _moodle(name) or _blackboard(name) or _canvas(name)


def _moodle(name: str) -> Who | None:
    match = MOODLE.search(name)
    if not match or not match.start():
        return None
    shown = " ".join(name[: match.start()].replace("_", " ").split())
    text = match[2] == "onlinetext"
    return Who(_unlike(shown, match[1]), "Moodle", match[1], name[match.end() :], notes=text)


def _blackboard(name: str) -> Who | None:
    """The user name follows the assignment's, and either may hold an underscore: see people.py."""
    match = BLACKBOARD.search(name)
    if not match or "_" not in name[: match.start()].strip("_"):
        return None
    number = int(match[1].replace("-", ""))
    rest = name[match.end() :]
    own = rest in ("", ".txt")
    return Who(name[: match.start()], "Blackboard", "", rest, ("stamp", number), own and name.endswith(".txt"))


def _canvas(name: str) -> Who | None:
    if match := CANVAS_ANONYMOUS.match(name):
        number = ("attachment", int(match[2]))
        return Who(f"anon {match[1]}", "Canvas", match[1], name[match.end() :], number)
    match = CANVAS.search(name) or CANVAS_TEXT.search(name)
    if not match or not match.start() or _is_date(match):
        return None
    shown = LATE.sub("", name[: match.start()])
    if not shown or re.search(r"[A-Z\s]", shown):
        return None
    if match.re is CANVAS_TEXT:
        return Who(_unlike(shown, match[1]), "Canvas", match[1], name[match.end(1) + 1 :], notes=True)
    number = ("attachment", int(match[2]))
    return Who(_unlike(shown, match[1]), "Canvas", match[1], name[match.end() :], number)


def _is_date(match: re.Match[str]) -> bool:
    return match.re is CANVAS and len(match[1]) == 4 and match[1].startswith("20") and len(match[2]) <= 2


def _unlike(shown: str, number: str) -> str:
    return f"{shown} {number}" if shown.lower() in NAMELESS else shown
