"""A submitted notebook put together anew on the released one: what is locked as released, answers as handed in.

So copied, deleted, reordered, edited or retyped cells, and whatever was done to their metadata, cannot fail a
submission. Cells of the student's own stay where they were, without marks.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import from_dict

from graders.notebook.source import KERNEL
from graders.submissions.cell_ids import cell_id, grade_id_of
from graders.submissions.notebook_module import Unreadable, check_size, text_of
from graders.submissions.statements import LONGEST_CELL, parse


@dataclass(frozen=True)
class Released:
    """A cell as it was released: nbgrader's marks, and the text that it had."""

    marks: Mapping[str, Any]
    cell_type: str
    text: str

    @property
    def name(self) -> str:
        return str(self.marks["grade_id"])

    @property
    def open(self) -> bool:
        return bool(self.marks["solution"])


def rebuild(released: Sequence[Released], submitted: Sequence[Mapping[str, Any]]) -> Any:
    """A valid notebook: every released cell once, in the released order, with the student's text where it is open."""
    names = {cell.name for cell in released}
    own: dict[str, list[str]] = {}
    extra: dict[str, list[Any]] = {}
    above = ""
    for cell in submitted:
        name = grade_id_of(cell)
        if isinstance(name, str) and name in names:
            own.setdefault(name, []).append(text_of(cell))
            above = name
        elif text_of(cell).strip():
            kind = "code" if cell.get("cell_type") == "code" else "markdown"
            extra.setdefault(above, []).append(_cell(kind, text_of(cell)[:LONGEST_CELL]))
    cells = extra.get("", [])
    for known in released:
        text = chosen(own.get(known.name, []), known) if known.open else known.text
        cells.append(_cell(known.cell_type, text, dict(known.marks)))
        cells += extra.get(known.name, [])
    for number, cell in enumerate(cells):
        marks = cell["metadata"].get("nbgrader")
        cell["id"] = cell_id(marks["grade_id"]) if marks else f"extra-{number}"
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _cell(kind: str, text: str, marks: dict[str, Any] | None = None) -> dict[str, Any]:
    """Built by hand: nbformat's own functions validate every cell, and the notebook is validated as a whole."""
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {"nbgrader": marks} if marks else {}, "source": text}
    return {**cell, "outputs": [], "execution_count": None} if kind == "code" else cell


def chosen(copies: Sequence[str], released: Released) -> str:
    """Of an answer's copies the last one that was worked on, as module_of takes it; the released text if none is."""
    worked_on = [text for text in copies if _attempted(text)] if len(copies) > 1 else []
    return (worked_on or [*copies] or [released.text])[-1][:LONGEST_CELL]


def _attempted(text: str) -> bool:
    cell = parse(0, text)
    return bool(cell.problem) or any(statement.attempted for statement in cell.statements)


def submitted_bytes(path: Path) -> bytes:
    """A submitted file, up to a little more than may be read. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("this is not a notebook, nor any file: hand it in again")
            check_size(status.st_size)
            return file.read()
    except OSError as error:
        raise Unreadable(f"the notebook cannot be read ({error.strerror}): hand it in again") from None
