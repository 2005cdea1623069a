"""What names tell: of an entry the student, of a file the exercise, of either which attempt it is.

Every function takes time in proportion to the name's length.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from graders.exercise.identity import file_safe, meant
from graders.student.text import escaped
from graders.submissions.kinds import stem

BETWEEN = " \t\n\r\f\v_.-"
COUNT = re.compile(r"(?:attempt|try|version)[\s_.-]*(\d{1,6})\Z", re.IGNORECASE)
STAMP = re.compile(r"(20\d\d-?\d\d-?\d\d[T\s_-]{0,3}\d\d[-:.]?\d\d(?:[-:.]?\d\d)?)Z?\Z")
COPY = re.compile(r"(?:[ _-]copy|-\d|\(\d{1,6}\))\Z", re.IGNORECASE)

Offers = Mapping[str, Sequence[str]]  # the functions that each exercise asks for
Number = tuple[str, int]  # what kind of number tells an attempt, and the number


def readable(name: str) -> str:
    """A file's name as text that can be printed and encoded; different names stay different."""
    raw = os.fsencode(name)
    text = escaped(raw.decode("utf-8", "backslashreplace")).strip()
    same = text.encode() == raw.strip()
    return text if text and same else f"{text} [{hashlib.sha256(raw).hexdigest()[:8]}]".strip()


def student_name(name: str, offers: Offers) -> str:
    """An entry's name without an exercise, attempt number or time stamp at its end."""
    name = readable(name)
    while True:
        shorter = _without_number(name)[0]
        if shorter == name:
            shorter = _without_exercise(name, offers)[0]
        if not shorter or shorter == name:
            return name
        name = shorter


def exercise_named(name: str, offers: Offers, folders: Sequence[str] = ()) -> str | None:
    """The exercise that a file is named after: its name, without an attempt's number, ends in the exercise's.

    Where several units have one so called, a folder above the file says the unit.
    """
    name = stem(name)
    shorter, number = _without_number(name)
    found = _without_exercise(name, offers)[1] or (_without_exercise(shorter or name, offers)[1] if number else [])
    if len(found) > 1:
        above = {folder.lower() for folder in folders}
        found = [exercise for exercise in found if exercise.partition("/")[0].lower() in above]
    return found[0] if len(found) == 1 else None


def file_stem(exercise: str) -> str:
    """How a file of an exercise is called without its unit, in small letters."""
    return exercise.rpartition("/")[2].lower()


def holds_name(name: str, exercise: str) -> bool:
    """Whether an exercise's name stands somewhere in a file's, as in ex2_cross_entropy_final.py."""
    return file_stem(exercise) in name.lower()


def _without_number(name: str) -> tuple[str, Number | None]:
    """A name without the attempt number or time stamp at its end, and that number."""
    for kind, pattern in (("count", COUNT), ("stamp", STAMP)):
        match = pattern.search(name[-80:])
        if match:
            before = name[: len(name) - len(match[0])]
            if not before or before[-1] in BETWEEN:
                digits = re.sub(r"\D", "", match[1]).ljust(14 if kind == "stamp" else 0, "0")
                return before.rstrip(BETWEEN), (kind, int(digits))
    return name, None


def _without_exercise(name: str, offers: Offers) -> tuple[str, list[str]]:
    """A name without the exercise at its end, and those that it can be; copies are numbered as (2), -2 or copy."""
    spelled = {form(exercise).lower() for exercise in offers for form in (file_safe, file_stem)}
    for whole in dict.fromkeys((name, COPY.sub("", name).rstrip(BETWEEN))):
        for spelling in sorted(spelled, key=len, reverse=True):
            before = whole[: len(whole) - len(spelling)]
            if whole.lower().endswith(spelling) and (not before or before[-1] in BETWEEN):
                return before.rstrip(BETWEEN), meant(spelling, offers)
    return name, []


def exercise_of_functions(text: str, offers: Offers) -> list[str]:
    """The exercise of which most functions are defined; several if they tie, none if nothing is defined."""
    defined = set(re.findall(r"^def (\w+)\(", text, re.MULTILINE))
    found = {name: len(defined & set(asked)) for name, asked in offers.items()}
    shares = {name: (count / max(len(offers[name]), 1), count) for name, count in found.items() if count}
    return [name for name, share in shares.items() if share == max(shares.values())]


def attempt_number(path: PurePosixPath) -> Number | None:
    """The attempt number or time stamp nearest to the file, on the way to it."""
    numbers = (_without_number(stem(part))[1] for part in reversed(path.parts))
    return next((number for number in numbers if number), None)
