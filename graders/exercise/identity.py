"""What an exercise is called: `unit/exercise` where people read and type, `unit--exercise` where a file bears it.

Both parts are Python names, which hold no hyphen and no slash, so no two exercises share a form.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePath

IDENTITY = re.compile(r"[^\W\d]\w*/[^\W\d]\w*", re.ASCII)


def identity_of(path: Path) -> str:
    """Of an exercise by its place, UNIT/EXERCISE.py; the path need not exist."""
    return f"{path.absolute().parent.name}/{path.stem}"


def short(stub: Path) -> str:
    """The name of a student's stub: without the unit, unless an exercise of another unit beside it is called so too."""
    several = len(list(stub.parent.parent.glob(f"*/kit/{stub.stem}.json"))) > 1
    return identity_of(stub) if several else stub.stem


def in_short(identities: Iterable[str]) -> dict[str, str]:
    """What a table calls exercises: all without their units, unless two would be called the same."""
    stems = {identity: identity.rpartition("/")[2] for identity in identities}
    return stems if len(set(stems.values())) == len(stems) else {identity: identity for identity in stems}


def file_safe(identity: str) -> str:
    """As a file, an nbgrader assignment or a cell bears it."""
    return identity.replace("/", "--")


def is_of(told: str, identity: str) -> bool:
    """Whether a mark of an exercise, which may lack the unit as in earlier releases, is one of `identity`."""
    return told in (identity, identity.rpartition("/")[2])


def meant(spelled: str, identities: Iterable[str]) -> list[str]:
    """The exercises that somebody may mean: by either form, in full or without the unit, in upper or lower case."""
    known = list(identities)
    spelled = spelled.lower()
    whole = [one for one in known if spelled in (one.lower(), file_safe(one).lower())]
    return whole or [one for one in known if spelled == one.rpartition("/")[2].lower()]


def typed(spelled: str, identities: Iterable[str]) -> list[str]:
    """The exercises that somebody may mean who types a name, the beginning of one, or the path of a stub."""
    known, path = list(identities), PurePath(spelled)
    stem = path.stem if path.suffix == ".py" else path.name
    found = meant("/".join([*path.parts[-2:-1], stem]), known) or meant(stem, known)
    return found or [one for one in known if one.rpartition("/")[2].startswith(stem)]
