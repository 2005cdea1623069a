"""nbgrader's source notebooks, and the instructor's solutions, from the exercises.

DIR/source/NAME/NAME.ipynb with DIR/source/NAME/kit/NAME.json beside it, as nbgrader lays out a course; the
solutions stand apart in DIR/solutions/, so that no release contains them.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from graders.authoring import library as known
from graders.authoring import release
from graders.authoring.review import reviewed_all
from graders.exercise import kit
from graders.exercise.identity import file_safe
from graders.exercise.module import Exercise
from graders.exercise.stub import release_of, stub
from graders.files import write_whole
from graders.notebook.outline import Part, parts
from graders.submissions.cell_ids import cell_id, grade_id, marks

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
MARKER = re.compile(r"^\s*### (BEGIN|END) SOLUTION\s*\n?", re.MULTILINE)


def source(exercise: Exercise) -> Any:
    """The notebook from which `nbgrader generate_assignment` makes the student's."""
    cells = [_cell(exercise.identity, part) for part in parts(exercise)]
    return new_notebook(cells=cells, metadata=_metadata(exercise))


def _metadata(exercise: Exercise) -> dict[str, Any]:
    own = {"exercise": exercise.identity, "release": release_of(stub(exercise))}
    return {"kernelspec": KERNEL, "language_info": {"name": "python"}, "backprop_ninja": own}


def _cell(exercise: str, part: Part) -> Any:
    name = grade_id(exercise, part.kind, part.name)
    make = new_code_cell if part.is_code else new_markdown_cell
    return make(part.text, id=cell_id(name), metadata={"nbgrader": marks(name, part.kind, part.points)})


def solved(exercise: Exercise) -> Any:
    """The instructor's notebook, not run yet: solutions without markers, each followed by its derivation."""
    cells = []
    for part in parts(exercise):
        make = new_code_cell if part.is_code else new_markdown_cell
        name = grade_id(exercise.identity, part.kind, part.name)
        cells.append(make(_without_comment(part), id=cell_id(name)))
        if part.derivation:
            why = grade_id(exercise.identity, "why", part.name)
            cells.append(new_markdown_cell(f"**Derivation.** {part.derivation}", id=cell_id(why)))
    return new_notebook(cells=cells, metadata=_metadata(exercise))


def _without_comment(part: Part) -> str:
    """An answer without its markers, and without the derivation, which gets a cell of its own."""
    if not part.derivation:
        return MARKER.sub("", part.text)
    before, _, inside = part.text.partition("### BEGIN SOLUTION\n")
    return before.rstrip() + "\n" + MARKER.sub("", "\n".join(inside.splitlines()[len(part.derivation.splitlines()) :]))


def build(reference: Path) -> dict[str, str]:
    """The source notebooks and their kits, as {path relative to source/: text}. Raises ExerciseError."""
    files: dict[str, str] = {}
    for exercise in reviewed_all(reference):
        name, notebook = file_safe(exercise.identity), source(exercise)
        nbformat.validate(notebook)
        files[f"{name}/{name}.ipynb"] = nbformat.writes(notebook) + "\n"
        files[f"{name}/kit/{name}.json"] = kit.pack(exercise, stub(exercise), known.library(exercise))
    return files


def write(reference: Path, folder: Path) -> list[Path]:
    """Write the source notebooks and their kits; returns what changed. Other files in source/ are left alone."""
    files = build(reference)
    changed = [name for name in release.outdated(files, folder / "source") if name in files]
    for name in changed:
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, files[name])
    return [folder / "source" / name for name in changed]
