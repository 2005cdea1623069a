"""The released stubs, filled in: what students hand in, in tests."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from graders.exercise.identity import file_safe
from graders.exercise.module import functions_of, targets_of

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "exercises"
REFERENCE = ROOT / "reference"
NINJA = "backprop_ninja"


def identity(stem: str, unit: str = NINJA) -> str:
    return f"{unit}/{stem}"


def assignment(stem: str, unit: str = NINJA) -> str:
    """What nbgrader calls the exercise."""
    return file_safe(identity(stem, unit))


def solutions(exercise: str, unit: str = NINJA) -> dict[str, str]:
    """The bodies of the functions of an exercise's reference, or of an assignment's, by name."""
    text = (REFERENCE / unit / f"{exercise.removeprefix(assignment(''))}.py").read_text()
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
