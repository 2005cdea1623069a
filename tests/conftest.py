"""Shared by the kit's own tests: one torch thread, and students' folders made from the released stubs."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from graders.exercise import functions_of, targets_of

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parent.parent
EXERCISES = ROOT / "exercises"
REFERENCE = ROOT / "reference"
NINJA = "backprop_ninja"

torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from what is seen now")


def solutions(exercise: str, unit: str = NINJA) -> dict[str, str]:
    """The bodies of the reference's functions, by name."""
    text = (REFERENCE / unit / f"{exercise}.py").read_text()
    lines = text.splitlines()
    return {
        f.name: "\n".join(lines[f.body[1].lineno - 1 : f.body[-1].end_lineno])
        for f in functions_of(ast.parse(text))
        if targets_of(f)
    }


def fill(stub: str, bodies: Mapping[str, str]) -> str:
    """A stub with the bodies of some functions written in."""
    lines = stub.splitlines()
    for function in reversed(functions_of(ast.parse(stub))):
        if function.name in bodies:
            last = function.body[-1]
            body = bodies[function.name]
            indented = body if body.startswith(" ") else "    " + body.replace("\n", "\n    ")
            lines[last.lineno - 1 : last.end_lineno] = indented.splitlines()
    return "\n".join(lines) + "\n"


Folder = Callable[..., Path]


@pytest.fixture
def student_folder(tmp_path: Path) -> Folder:
    """Make a student's exercises/ with only `exercise` in it, some of its functions filled in."""

    def make(exercise: str, bodies: Mapping[str, str] | None = None, unit: str = NINJA) -> Path:
        folder = tmp_path / "exercises" / unit
        (folder / "kit").mkdir(parents=True, exist_ok=True)
        shutil.copy(EXERCISES / unit / "kit" / f"{exercise}.json", folder / "kit")
        stub = (EXERCISES / unit / f"{exercise}.py").read_text()
        path = folder / f"{exercise}.py"
        path.write_text(fill(stub, bodies or {}))
        return path

    return make
