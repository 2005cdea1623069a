"""A submitted notebook as one Python module: the answers by their cells' ids, and what they use of other cells.

Nothing of the notebook is run or imported. Test cells, outputs, prints and experiments stay out: of everything that
is not an answer only the definitions that answers use are taken, so a plot or a loss.backward() in a cell of the
student's own costs nothing.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from graders.exercise.identity import is_of
from graders.student.text import text_of as decoded
from graders.submissions.cell_ids import grade_id_of, split_id
from graders.submissions.statements import LONGEST_CELL, Cell, Statement, assemble, parse

LONGEST = 16 * 1024 * 1024  # bytes of a notebook that are read; outputs included
MOST_BRACKETS = 1_000_000  # objects and lists: empty ones take 27 times their bytes in memory
MOST_CELLS = 2000
MOST_CODE = 256 * 1024  # characters in code cells: what is parsed, and what a class's work may take in memory
MOST_PROBLEMS, LONGEST_PROBLEM = 20, 300


class Unreadable(Exception):
    """A file that is no notebook; the message says why and what to do."""


class Module(NamedTuple):
    """The exercise ("" if it cannot be told), the module's source, and what there is to tell the student."""

    exercise: str
    source: bytes
    problems: list[str]


def module_of(notebook: bytes, exercise: str = "", releases: Mapping[str, str] | None = None) -> Module:
    """The module in a notebook's bytes. `exercise` is what it should be of, `releases` the present ones by exercise.

    By default most of its ids tell the exercise. Never raises: what cannot be read is a problem, and the source is
    then empty.
    """
    try:
        content = content_of(notebook)
        module = module_in(cells_in(content), exercise)
    except Unreadable as error:
        return Module(exercise, b"", [str(error)])
    release = (releases or {}).get(module.exercise)
    if release and _release_in(content) not in ("", release):
        problem = "this notebook is of another release of the exercise: it was graded against the present one"
        return module._replace(problems=[problem, *module.problems])
    return module


def _release_in(content: Mapping[str, Any]) -> str:
    metadata = content.get("metadata")
    own = metadata.get("backprop_ninja") if isinstance(metadata, dict) else None
    found = own.get("release") if isinstance(own, dict) else None
    return found if isinstance(found, str) else ""


def cells_of(notebook: bytes) -> list[dict[str, Any]]:
    """The cells of a notebook as they stand. Raises Unreadable."""
    return cells_in(content_of(notebook))


def content_of(notebook: bytes) -> dict[str, Any]:
    """A notebook's JSON object. Raises Unreadable."""
    check_size(len(notebook))
    if not notebook.strip():
        raise Unreadable("the notebook is empty (0 bytes): hand it in again")
    if notebook.count(b"[") + notebook.count(b"{") > MOST_BRACKETS:
        raise Unreadable("the notebook's outputs have too many parts: clear its outputs and hand it in again")
    try:
        content = json.loads(decoded(notebook).text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"this is not a notebook (not JSON: {error}): hand it in again"[:300]) from None
    if not isinstance(content, dict):
        raise Unreadable("this is not a notebook (it has no cells): hand it in again")
    return content


def cells_in(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Raises Unreadable."""
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("this is not a notebook (it has no cells): hand it in again")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"the notebook has {len(cells)} cells, more than {MOST_CELLS}: remove some, hand it in again")
    return [cell for cell in cells if isinstance(cell, dict)]


def check_size(size: int) -> None:
    """Raises Unreadable for more than is read."""
    if size > LONGEST:
        excess = f"the notebook has {size / 1e6:.0f} MB, more than {LONGEST / 1e6:.0f}"
        raise Unreadable(f"{excess}: clear its outputs and hand it in again")


def text_of(cell: Mapping[str, Any]) -> str:
    """A cell's source, which may be written as a list of lines."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def module_in(cells: Sequence[Mapping[str, Any]], exercise: str) -> Module:
    """The module in a notebook's cells. Raises Unreadable."""
    ids = [split_id(grade_id_of(cell)) for cell in cells]
    exercises = Counter(found[0] for found in ids if found)
    name = exercise or (exercises.most_common(1)[0][0] if exercises else "")
    problems = _strangers(name, exercises)
    texts: list[tuple[int, str, str]] = []
    for number, (cell, found) in enumerate(zip(cells, ids, strict=True), 1):
        kind, answer = found[1:] if found and is_of(found[0], name) else ("", "")
        if cell.get("cell_type") == "code" and kind != "test":
            texts.append((number, text_of(cell), answer if kind == "answer" else ""))
    _check_code(text for _, text, _ in texts)
    parsed = [parse(*row) for row in texts]
    problems += [f"cell {cell.number} is left out: {cell.problem}" for cell in parsed if cell.problem]
    answers, doubts = _answers(parsed)
    source = assemble(parsed, answers)
    return Module(name, source.encode("utf-8", "replace"), _few(problems + doubts))


def _check_code(texts: Iterable[str]) -> None:
    """Cells that are too long are left out one by one, and do not count. Raises Unreadable."""
    size = sum(len(text) for text in texts if len(text) <= LONGEST_CELL)
    if size > MOST_CODE:
        excess = f"the notebook has {size // 1024} kB of code, more than {MOST_CODE // 1024}"
        raise Unreadable(f"{excess}: remove what is not needed, hand it in again")


def _few(problems: Sequence[str]) -> list[str]:
    """Problems quote what students wrote: short, few, and nothing in them steers a terminal."""
    shown = ["".join(c if c.isprintable() else " " for c in text[:LONGEST_PROBLEM]) for text in problems]
    more = len(problems) - MOST_PROBLEMS
    return shown if more <= 0 else [*shown[:MOST_PROBLEMS], f"{more} more of that kind"]


def _strangers(name: str, exercises: Mapping[str, int]) -> list[str]:
    others = ", ".join(sorted(told for told in exercises if not is_of(told, name)))
    problems = [f"cells of another exercise ({others}) are not graded here"] if others else []
    if not any(is_of(told, name) for told in exercises):
        problems.append("no cell of the released notebook is in it: functions were looked for by their names alone")
    return problems


def _answers(cells: Sequence[Cell]) -> tuple[dict[str, Statement], list[str]]:
    """Which definition of every function counts, and what to say where there are several.

    The answer's cell counts, of its copies the last one that is attempted, as the last one run counts in Jupyter. A
    definition elsewhere counts where the answer's cell has none, or an untouched one.
    """
    own: dict[str, list[Cell]] = {}
    bound: dict[str, list[tuple[Cell, Statement]]] = {}
    for cell in cells:
        own.setdefault(cell.answer, []).append(cell)
        for statement in cell.statements:
            for bind in statement.binds:
                bound.setdefault(bind, []).append((cell, statement))
    answers: dict[str, Statement] = {}
    doubts: list[str] = []
    elsewhere = [s.function for cell in cells for s in cell.statements if s.gradient]
    for name in dict.fromkeys([*filter(None, own), *elsewhere]):
        inside = [s for cell, s in bound.get(name, ()) if cell.answer == name]
        outside = [s for cell, s in bound.get(name, ()) if cell.answer != name and s.function == name]
        tried = [s for s in inside if s.attempted] or [s for s in outside if s.attempted] or inside or outside
        copies = own.get(name, [])
        if tried:
            answers[name] = tried[-1]
        elif copies and copies[-1].problem:
            answers[name] = _broken(name, copies[-1])
        if len(copies) > 1 or (copies and outside):
            doubts += _copies(name, len(copies), answers.get(name), inside)
    return answers, doubts


def _copies(name: str, count: int, chosen: Statement | None, inside: Sequence[Statement]) -> list[str]:
    if chosen is None:
        return [f"{name} has {count} answer cells, and none defines it"]
    if count > 1:
        return [f"{name} has {count} answer cells (copies): the one in cell {chosen.cell} was graded"]
    if chosen in inside:
        return [f"{name} is defined in other cells too: the answer's cell ({chosen.cell}) was graded"]
    return [f"{name} was not in its answer cell: the one in cell {chosen.cell} was graded"]


def _broken(name: str, cell: Cell) -> Statement:
    """A function that says, when it is asked, why its cell could not be read."""
    text = f"def {name}():\n    raise SyntaxError({cell.problem!r})"
    return Statement(cell.number, text, frozenset({name}), frozenset(), name)
