"""An exercise as the parts of a notebook, in order: what is given, what to write, what is tested."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from graders.exercise.mistake import ExerciseError
from graders.exercise.module import Exercise, Gradient, functions_of, sections_of, targets_of
from graders.exercise.stub import BEGIN, END, stub

STAGES = ("a nudge", "a sketch", "nearly there")
HOW_TO = """\
*In this notebook* you write each function into the cell beneath its story and run the cell, then
run the cell under it: `check(...)` compares your gradient with autograd's and says why it is wrong, if it
is. Where the text speaks of `pytest exercises/`, that is the cell. You may begin anywhere, and add cells
of your own for helper functions, constants and experiments."""


@dataclass(frozen=True)
class Part:
    """One cell to be: `kind` and `name` give it its id; an answer's `text` has solution markers."""

    kind: str  # title, start, section, given, about, answer or test
    name: str
    text: str
    points: int = 0
    derivation: str = ""

    @property
    def is_code(self) -> bool:
        return self.kind in ("start", "given", "answer", "test")


def parts(exercise: Exercise) -> list[Part]:
    """Everything in order. Only the answers hold anything of the solutions and derivations."""
    text = stub(exercise)
    lines = text.splitlines()
    sections = sections_of(text)
    made = [Part("title", "title", f"# {exercise.title}\n\n{exercise.story}\n\n{HOW_TO}")]
    (span, _), *rest = _blocks(text)
    imports = _clean(lines[span])
    start = f'{imports}\n\nfrom graders.nb import check\n\nEXERCISE = "{exercise.identity}"'
    made.append(Part("start", "start", start))
    shown = ""
    for span, function in rest:
        section = next((name for number, name in reversed(sections) if number <= span.stop), "")
        if section != shown:
            made.append(Part("section", re.sub(r"[^\w]+", "-", section, flags=re.ASCII).strip("-"), f"## {section}"))
            shown = section
        made += _of_block(exercise, function, _clean(lines[span]), span.stop)
    return made


def _blocks(text: str) -> Iterator[tuple[slice, ast.FunctionDef | None]]:
    """The statements before the first function as one block, then one block a statement, comments above included."""
    tree = ast.parse(text)
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    start = (tree.body[0].end_lineno or 0) if body is not tree.body else 0
    head = next(i for i, node in enumerate(body) if isinstance(node, ast.FunctionDef))
    end = (body[head - 1].end_lineno or start) if head else start
    yield slice(start, end), None
    for node in body[head:]:
        yield slice(end, node.end_lineno or end), node if isinstance(node, ast.FunctionDef) else None
        end = node.end_lineno or end


def _clean(lines: list[str]) -> str:
    """Without section lines, which become headings."""
    return "\n".join(line for line in lines if not sections_of(line)).strip()


def _of_block(exercise: Exercise, function: ast.FunctionDef | None, text: str, last: int) -> Iterator[Part]:
    """A block's parts; `last` is its last line."""
    if function is None or not targets_of(function):
        name = function.name if function else f"line-{last}"
        run = exercise.run if name == "run" else None
        if run:
            yield Part("about", name, _about(run, 0))
        yield Part("given", name, text)
        if run:
            yield Part("test", name, f'check({run.function}, "run")', run.points)
        return
    written = [g for g in exercise.gradients if g.function == function.name]
    yield Part("about", function.name, _about(written[0], len(written)))
    yield Part("answer", function.name, _answer(exercise, function.name), derivation=written[0].derivation)
    for g in written:
        which = f', "{g.name}"' if g.index is not None else ""
        yield Part("test", g.name, f"check({g.function}{which})", g.points)


def _about(gradient: Gradient, count: int) -> str:
    """Story, points, and the hints as text that unfolds."""
    each = f" for each of the {count} gradients" if gradient.index is not None and count else ""
    points = f"{gradient.points} point{'s' if gradient.points > 1 else ''}{each}"
    effort = f"*{points} · difficulty {gradient.difficulty} of 5 · about {gradient.minutes} minutes*"
    title = gradient.function if count else gradient.name
    texts = [f"### `{title}`", gradient.story, effort]
    for number, hint in enumerate(gradient.hints):
        stage = f": {STAGES[number]}" if number < len(STAGES) else ""
        texts.append(f"<details>\n<summary>Hint {number + 1}{stage}</summary>\n\n{hint}\n\n</details>")
    return "\n\n".join(texts)


def _answer(exercise: Exercise, name: str) -> str:
    """The reference's function without its docstring; its derivation stands inside of the solution markers."""
    lines = exercise.text.splitlines()
    function = next(f for f in functions_of(ast.parse(exercise.text)) if f.name == name)
    start = min([function.lineno, *(d.lineno for d in function.decorator_list)]) - 1
    docstring = function.body[0]
    head = lines[start : docstring.lineno - 1]
    body = lines[docstring.end_lineno or docstring.lineno :]
    last = next((i for i, line in enumerate(body) if END.match(line)), None)
    first = next((i for i, line in enumerate(body) if BEGIN.match(line)), None)
    if first is None or last is None:
        what = f"{name} needs one ### BEGIN SOLUTION and one ### END SOLUTION"
        raise ExerciseError(exercise.path, function.lineno, what, "put the two markers around the solution.")
    derivation = next(g.derivation for g in exercise.gradients if g.function == name)
    comment = [f"    # {line}".rstrip() for line in derivation.splitlines()]
    return "\n".join([*head, *body[: first + 1], *comment, *body[first + 1 : last + 1]])
