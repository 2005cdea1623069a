"""`backprop-ninja status` and `solution`: how far a student is, and what the reference says."""

import ast
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from graders.exercise import module as exercises
from graders.exercise.identity import short
from graders.exercise.kit import Kit
from graders.outcome import Outcome
from graders.student.commands import command, shown
from graders.verdict.chained import self_check


def is_right(kit: Kit, item: str) -> bool:
    return self_check(kit).result(item).right


def show(kits: Sequence[Kit]) -> int:
    """Print a table of all exercises; returns 0 if all is right, 1 if not."""
    table = Table(box=None, pad_edge=False)
    for heading in ("exercise", "right", "wrong", "untouched", "points", "time left"):
        table.add_column(heading, justify="left" if heading == "exercise" else "right")
    todo = None
    for kit in kits:
        check = self_check(kit)
        found = [(kit.exercise.gradient(result.item), result) for result in check.results()]
        right = [item for item, result in found if result.right]
        untouched = [row for row in found if row[1].outcome is Outcome.NOT_ATTEMPTED]
        open_ones = [row for row in found if not row[1].right]
        table.add_row(
            short(kit.path),
            f"{len(right)}/{len(found)}",
            str(len(open_ones) - len(untouched)),
            str(len(untouched)),
            f"{sum(item.points for item in right)}/{sum(item.points for item, _ in found)}",
            f"{sum(item.minutes for item, _ in open_ones)} min",
        )
        first = next((row for row in open_ones if row not in untouched), next(iter(open_ones), None))
        todo = todo or (first and (kit, first[1]))
    console = Console(emoji=False)
    console.print(table)
    if todo:
        kit, result = todo
        at = f"{shown(kit.path)}:{result.line or 1}"
        console.print(f"next: {at} {result.item} ({result.outcome.state})", soft_wrap=True)
        console.print(f"why: {command('pytest', shown(kit.path))}", soft_wrap=True)
    return 1 if todo else 0


def solution(reference: Path, name: str) -> tuple[str, str]:
    """The reference function, and its story with the derivation."""
    exercise = exercises.load(reference)
    gradient = exercise.gradient(name)
    function = next(f for f in exercises.functions_of(ast.parse(exercise.text)) if f.name == gradient.function)
    body = function.body[1:]
    source = exercise.text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    head = f"def {gradient.function}({', '.join(gradient.parameters)}):"
    return "\n".join([head, *source]), f"{gradient.story}\n\n{gradient.derivation}"
