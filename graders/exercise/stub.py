"""The student's module, from the reference: a pure function from text to text."""

import ast
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from graders.exercise.mistake import ExerciseError
from graders.exercise.module import Exercise, Gradient, functions_of, targets_of

BEGIN = re.compile(r"^\s*### BEGIN SOLUTION\s*$")
RELEASE = re.compile(r"# release: ([0-9a-f]{12})\b")
END = re.compile(r"^(\s*)### END SOLUTION\s*$")
RULES = (
    "# Allowed: torch, numpy, math and the like; loops, vmap, helpers and classes of your own.",
    "# Not allowed: autograd in any form, torch.func's derivatives, backward kernels, torch.jit, torch.compile.",
    "# One file: only this one is graded. It imports and reads no other; copy what you need into it.",
)


def stub(exercise: Exercise) -> str:
    """The student's module: the rules, stories instead of docstrings with hints, an exception for each solution.

    Raises ExerciseError where solution markers are missing or do not pair up.
    """
    lines: list[str | None] = list(exercise.text.splitlines())
    tree = ast.parse(exercise.text)
    for function in functions_of(tree):
        item = next((g for g in exercise.items if function.name in (g.function, g.name)), None)
        if item:
            described = exercise.run if exercise.run and function.name == "run" else item
            _replace_docstring(lines, function, described)
        if targets_of(function):
            begin, end = markers(lines, function, exercise.path)
            indent = (END.match(lines[end] or "") or [""] * 2)[1]
            lines[begin : end + 1] = [None] * (end - begin + 1)
            lines[begin] = f"{indent}raise NotImplementedError"
    for number, line in enumerate(lines, 1):
        if line is not None and (BEGIN.match(line) or END.match(line)):
            raise ExerciseError(exercise.path, number, "a solution marker outside a gradient", "remove it.")
    if ast.get_docstring(tree) is not None:
        lines.insert(tree.body[0].end_lineno or 1, "\n".join(["", *RULES]))
    return _stamped("\n".join(line for line in lines if line is not None) + "\n")


def release_of(text: str) -> str:
    """Names a release of an exercise: changes with the given code and what is asked for, not with words about them."""
    tree = ast.parse(text)
    documented: list[ast.Module | ast.FunctionDef] = [tree, *functions_of(tree)]
    words = [node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None]
    of_words = {number for node in words for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    lines = [line.rstrip() for number, line in enumerate(text.split("\n"), 1) if number not in of_words]
    code = [line for line in lines if line and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:12]


def release_in(text: str) -> str:
    """The release that a student's file says it was made from; empty where it says none."""
    found = RELEASE.search(text)
    return found[1] if found else ""


def _stamped(text: str) -> str:
    """With its release in a comment behind the module's docstring, so that no line moves."""
    tree, lines = ast.parse(text), text.split("\n")
    if ast.get_docstring(tree) is None:
        return f"# release: {release_of(text)}\n{text}"
    lines[(tree.body[0].end_lineno or 1) - 1] += f"  # release: {release_of(text)}"
    return "\n".join(lines)


def _replace_docstring(lines: list[str | None], function: ast.FunctionDef, gradient: Gradient) -> None:
    each = " for each gradient" if gradient.index is not None else ""
    points = f"{gradient.points} point{'s' if gradient.points > 1 else ''}{each}"
    effort = f"{points}, difficulty {gradient.difficulty} of 5, about {gradient.minutes} minutes."
    story = gradient.story.replace("\n", "\n    ").replace("\n    \n", "\n\n")
    docstring = function.body[0]
    start, end = docstring.lineno - 1, (docstring.end_lineno or docstring.lineno) - 1
    prefix = "r" if "\\" in story else ""
    lines[start : end + 1] = [None] * (end - start + 1)
    lines[start] = f'    {prefix}"""{story}\n\n    {effort}\n    """'


def markers(lines: Sequence[str | None], function: ast.FunctionDef, path: Path) -> tuple[int, int]:
    """Where the two solution markers of a function stand among a module's lines. Raises ExerciseError."""
    span = range(function.lineno - 1, function.end_lineno or function.lineno)
    after = next((i for i in range(span.stop, len(lines)) if (lines[i] or "").strip()), span.stop)
    inside = [i for i in (*span, after) if i < len(lines) and lines[i] is not None]
    begins = [i for i in inside if BEGIN.match(lines[i] or "")]
    ends = [i for i in inside if END.match(lines[i] or "")]
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        what = f"{function.name} needs one ### BEGIN SOLUTION and one ### END SOLUTION"
        remedy = "put the two markers around the solution; without them it would be released."
        raise ExerciseError(path, function.lineno, what, remedy)
    return begins[0], ends[0]
