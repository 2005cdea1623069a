"""What nbgrader's gradebook knows of a released notebook. It is the instructor's: no submission has a say in it."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from graders.notebook.nbgrader.rebuild import Released
from graders.submissions.cell_ids import split_id


@contextlib.contextmanager
def opened(db_url: str) -> Iterator[Gradebook]:
    """The gradebook. Connected anew each time, yet what SQLAlchemy has compiled is kept: that is most of its time."""
    gradebook = _gradebook(db_url)
    try:
        yield gradebook
    finally:
        gradebook.close()


@cache
def _gradebook(db_url: str) -> Gradebook:
    return Gradebook(db_url)


def released_for(converter: Any, where: Mapping[str, Any]) -> list[Released]:
    """As `released_cells`, asked once a notebook and run of the converter (Autograde)."""
    known: dict[tuple[str, str], list[Released]] = converter.__dict__.setdefault("_ninja_released", {})
    which = where["assignment"], where["notebook"]
    if which not in known:
        known[which] = released_cells(where)
    return known[which]


def released_cells(where: Mapping[str, Any]) -> list[Released]:
    """The released cells of a notebook, `where` being nbgrader's resources; none if it is not in the gradebook."""
    with opened(where["db_url"]) as gradebook:
        try:
            notebook = gradebook.find_notebook(where["notebook"], where["assignment"])
        except MissingEntry:
            return []
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
        open_ones = {cell.name for cell in notebook.solution_cells}
        return [
            Released(_marks(cell, {**points, **tasks}, points, open_ones, tasks), cell.cell_type, cell.source)
            for cell in notebook.source_cells
        ]


def ours_in(db_url: str, assignment: str) -> bool:
    """Whether any notebook of an assignment was made from an exercise of ours."""
    with opened(db_url) as gradebook:
        try:
            names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        except MissingEntry:
            return False
    return any(
        exercise_of(released_cells({"db_url": db_url, "assignment": assignment, "notebook": name})) for name in names
    )


def _marks(cell: Any, worth: Mapping[str, float], graded: Any, open_ones: Any, tasks: Any) -> dict[str, Any]:
    name = cell.name
    marks = {
        "grade": name in graded,
        "grade_id": name,
        "locked": bool(cell.locked),
        "schema_version": 3,
        "solution": name in open_ones,
        "task": name in tasks,
        "cell_type": cell.cell_type,
        "checksum": cell.checksum,
    }
    return {**marks, "points": worth[name]} if name in worth else marks


def exercise_of(released: Sequence[Released]) -> str:
    """The exercise that a notebook was made from; empty for any other notebook of the course."""
    found = [split_id(cell.name) for cell in released]
    tested = Counter(exercise for exercise, kind, _ in filter(None, found) if kind == "test")
    return tested.most_common(1)[0][0] if tested else ""
