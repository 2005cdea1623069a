"""What names tell: of an entry the student, of a file the exercise, of either which attempt it is."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from graders.exercise.identity import file_safe, meant
from graders.sandbox.wire import printable
from graders.submissions.archives import stem

COUNTED = re.compile(r"(?:^|(?P<name>.*?)[\s_.-]+)(?:attempt|try|version)[\s_.-]*(?P<number>\d{1,6})", re.IGNORECASE)
STAMPED = re.compile(r"(?:^|(?P<name>.*?)[\s_-]+)(?P<number>20\d\d-?\d\d-?\d\d[T\s_-]*\d\d[-:.]?\d\d(?:[-:.]?\d\d)?)Z?")

Offers = Mapping[str, Sequence[str]]  # the functions that each exercise asks for


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
    """A name that ends in an exercise's, with or without its unit."""
    spelled = {form for one in offers for form in (file_safe(one), one.rpartition("/")[2])}
    names = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True)))
    return re.compile(
        rf"(?:^|(?P<name>.*?)[\s_.-]+)(?P<exercise>{names})(?:[\s_.-]*\(\d+\)|[\s_-]copy|-\d)?", re.IGNORECASE
    )


def exercise_named(name: str, offers: Offers, folders: Sequence[str] = ()) -> str | None:
    """The exercise that a file is named after. Where several units have one so called, a folder above says the unit."""
    name, named = stem(name), _named(offers)
    numbered = COUNTED.fullmatch(name) or STAMPED.fullmatch(name)
    match = named.fullmatch(name) or (named.fullmatch(numbered["name"] or name) if numbered else None)
    found = meant(match["exercise"], offers) if match else []
    if len(found) > 1:
        above = {folder.lower() for folder in folders}
        found = [exercise for exercise in found if exercise.partition("/")[0].lower() in above]
    return found[0] if len(found) == 1 else None


def exercise_of_functions(content: bytes, offers: Offers) -> str | None:
    """The exercise of which most functions are defined; None if none is, or several tie."""
    defined = set(re.findall(rb"^def (\w+)\(", content, re.MULTILINE))
    found = {name: len(defined & {f.encode() for f in asked}) for name, asked in offers.items()}
    shares = {name: (count / max(len(offers[name]), 1), count) for name, count in found.items() if count}
    best = [name for name, share in shares.items() if share == max(shares.values())]
    return best[0] if len(best) == 1 else None


def attempt_number(path: PurePosixPath) -> tuple[str, int] | None:
    """The attempt number or time stamp nearest to the file, on the way to it."""
    for part in reversed(path.parts):
        for kind, pattern in (("count", COUNTED), ("stamp", STAMPED)):
            if match := pattern.fullmatch(stem(part)):
                return kind, int(re.sub(r"\D", "", match["number"]).ljust(14 if kind == "stamp" else 0, "0"))
    return None
