"""Ids of cells, and nbgrader's marks on them. An id is the same in every release: UNIT--EXERCISE-KIND-NAME.

Earlier releases had no unit in it: such an id tells the exercise without its unit.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from graders.exercise.identity import file_safe

KINDS = "title|start|section|given|about|answer|test"
ID = re.compile(rf"(?P<exercise>\w+(--\w+)?)-(?P<kind>{KINDS})-(?P<name>[\w-]+)", re.ASCII)
LONGEST_CELL_ID = 64
LONGEST_ID = 200  # of ours; a student's notebook may hold any


def grade_id(exercise: str, kind: str, name: str) -> str:
    return f"{file_safe(exercise)}-{kind}-{name}"


def split_id(text: object) -> tuple[str, str, str] | None:
    """(unit/exercise, kind, name) of one of our ids, None for any other."""
    match = ID.fullmatch(text) if isinstance(text, str) and len(text) <= LONGEST_ID else None
    return (match["exercise"].replace("--", "/"), match["kind"], match["name"]) if match else None


def grade_id_of(cell: Mapping[str, Any]) -> object:
    """What stands where nbgrader keeps a cell's id, whatever it is."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return marks.get("grade_id") if isinstance(marks, Mapping) else None


def cell_id(name: str) -> str:
    """The notebook format's own id: at most 64 characters."""
    if len(name) <= LONGEST_CELL_ID:
        return name
    return f"{name[:50]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def marks(name: str, kind: str, points: int) -> dict[str, Any]:
    """nbgrader's metadata, schema 3: answers are open, everything else is locked, tests carry points."""
    found: dict[str, Any] = {"grade": kind == "test", "grade_id": name, "locked": kind != "answer"}
    found |= {"schema_version": 3, "solution": kind == "answer", "task": False}
    return {**found, "points": points} if kind == "test" else found
