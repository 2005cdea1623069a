"""What an author keeps beside an exercise: answers written by hand, wrong and right, and proofs of right mutants.

Beside reference/UNIT/EXERCISE.py there may be wrong/EXERCISE.py and right/EXERCISE.py: functions named
`<function>__<slug>`. A wrong one's docstring reads `cause: message`; several causes are joined by ` | `. In
equivalent/EXERCISE.toml stand the mutants that are right answers as well.
"""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.authoring.mutants import Mutant
from graders.exercise.mistake import ExerciseError, told_as_mistake
from graders.exercise.module import Exercise, functions_of, text_of, tree_of
from graders.student.answer import Function


@dataclass(frozen=True)
class Example:
    """One hand-written answer to a gradient, right or wrong: its name, its causes, what to say of it."""

    gradient: str
    slug: str
    causes: tuple[str, ...]
    message: str
    line: int
    function: Function
    tree: ast.FunctionDef
    namespace: dict[str, Any]


def examples(exercise: Exercise, kind: str) -> list[Example]:
    """The hand-written answers of `kind` ('wrong' or 'right'); none where there is no such file.

    Raises ExerciseError for a function that belongs to no gradient, and for a wrong answer that says no cause.
    """
    path = exercise.path.parent / kind / exercise.path.name
    if not path.exists():
        return []
    text = text_of(path)
    trees = functions_of(tree_of(text, path))
    namespace: dict[str, Any] = {"__file__": str(path)}
    with told_as_mistake(path, "the import", "the module must import cleanly."):
        exec(compile(text, str(path), "exec"), namespace)
    found = []
    for tree in trees:
        name, _, slug = tree.name.partition("__")
        if not slug:
            continue  # a helper of the examples
        if name not in exercise.by_function:
            what = f"{tree.name}: {exercise.identity} has no function {name}"
            raise ExerciseError(path, tree.lineno, what, "name it <function>__<slug>.")
        causes, message = _docstring(tree, kind, path)
        function = namespace[tree.name]
        group = exercise.by_function[name]
        found += [Example(g.name, slug, causes, message, tree.lineno, function, tree, namespace) for g in group]
    return found


def _docstring(tree: ast.FunctionDef, kind: str, path: Path) -> tuple[tuple[str, ...], str]:
    """The causes and the message in a docstring; a right answer has no cause."""
    docstring = " ".join((ast.get_docstring(tree) or "").split())
    if kind != "wrong":
        return (), docstring
    cause, colon, message = docstring.partition(": ")
    if not colon:
        what = f"{tree.name} has no `cause: message` as its docstring"
        raise ExerciseError(path, tree.lineno, what, "say what a student should read.")
    return tuple(cause.split(" | ")), message


@dataclass(frozen=True)
class Equivalent:
    """A mutant that is a right answer as well, and why: of the function `gradient`, with `line` in its source."""

    gradient: str
    mutant: str
    proof: str
    line: str = ""

    def covers(self, function: str, mutant: Mutant) -> bool:
        return (self.gradient, self.mutant) == (function, mutant.message) and self.line in mutant.source


def equivalents(exercise: Exercise) -> list[Equivalent]:
    """The mutants that an author has proven to be right. Raises ExerciseError for a file that cannot be read."""
    path = exercise.path.parent / "equivalent" / f"{exercise.path.stem}.toml"
    if not path.exists():
        return []
    try:
        return [Equivalent(**row) for row in tomllib.loads(text_of(path)).get("equivalent", [])]
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        remedy = "write [[equivalent]] with gradient, mutant and proof, and line if need be."
        raise ExerciseError(path, 1, f"this list of mutants cannot be read: {error}", remedy) from None
