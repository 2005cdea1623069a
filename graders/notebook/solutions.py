"""The instructor's notebooks: solved, run, with derivations. Made again only where they are out of date."""

import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from graders.exercise import kit
from graders.exercise.identity import file_safe
from graders.exercise.kit import Fingerprints
from graders.exercise.module import load, references
from graders.exercise.stub import stub
from graders.files import write_whole
from graders.notebook import source as notebooks

SECONDS = 300  # for one cell


class Unsolved(Exception):
    """A solution notebook in which a cell failed; the message says which."""


def write(reference: Path, folder: Path) -> list[Path]:
    """Write DIR/solutions/NAME.ipynb for every exercise; returns what changed. Raises Unsolved, ExerciseError."""
    changed = []
    for path in references(reference):
        exercise = load(path)
        notebook, name = notebooks.solved(exercise), file_safe(exercise.identity)
        target = folder / "solutions" / f"{name}.ipynb"
        if _sources(notebook) == _read(target):
            continue
        packed = kit.pack(exercise, stub(exercise), Fingerprints())
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, nbformat.writes(run(notebook, name, packed)) + "\n")
        changed.append(target)
    return changed


def run(notebook: Any, name: str, packed: str) -> Any:
    """Execute a notebook in a folder of its own, with its kit beside it."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / "kit" / f"{name}.json"
        beside.parent.mkdir()
        beside.write_text(packed, encoding="utf-8")
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=resources)
        try:
            return client.execute()
        except CellExecutionError as error:
            raise Unsolved(f"{name}: {error.ename}: {error.evalue}") from None


def _sources(notebook: Any) -> list[tuple[str, str]]:
    return [(cell["id"], cell["source"]) for cell in notebook["cells"]]


def _read(path: Path) -> list[tuple[str, str]] | None:
    try:
        return _sources(nbformat.read(path, as_version=4))
    except (OSError, ValueError, KeyError, AttributeError, json.JSONDecodeError):
        return None
