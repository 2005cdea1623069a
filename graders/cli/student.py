"""What a student types: status, hint, solution."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graders.cli.shared import did_you_mean, exercises_option, find_folder, in_words, readable
from graders.exercise.identity import short, typed

if TYPE_CHECKING:
    from graders.exercise.kit import Kit


def kits_with_stubs(exercises: Path) -> list[Kit]:
    """The kits of a student's folder, in which every stub must be there."""
    from graders.exercise.kit import kits_in

    kits = kits_in(exercises)
    missing = [kit.path for kit in kits if not kit.path.exists()]
    if missing:
        raise click.ClickException(f"{missing[0]} is gone: take it again from the course kit.")
    return kits


def _find(kits: list[Kit], name: str) -> tuple[Kit, str]:
    """The gradient called `name`: dcounts, counts, or ex1::dcounts."""
    exercise, _, gradient = name.rpartition("::")
    chosen = typed(exercise, [kit.exercise.identity for kit in kits])
    matches = [
        (kit, g.name)
        for kit in kits
        for g in kit.exercise.items
        if gradient in (g.name, g.target) and (not exercise or kit.exercise.identity in chosen)
    ]
    if not matches:
        known = [g.name for kit in kits for g in kit.exercise.items]
        called = [short(kit.path) for kit in kits]
        if exercise and not chosen:
            near = did_you_mean(exercise, called) or f". There are: {', '.join(called)}"
            raise click.ClickException(f"no exercise {exercise}{near}")
        near = did_you_mean(gradient, known)
        raise click.ClickException(f"no gradient {gradient}{near}" if near else _none_of(gradient, known))
    if len(matches) > 1:
        choices = " or ".join(f"{short(kit.path)}::{g}" for kit, g in matches)
        raise click.ClickException(f"{name} occurs in several exercises: say {choices}")
    return matches[0]


def _none_of(name: str, known: list[str]) -> str:
    return f"no gradient {name}. There are: {', '.join(dict.fromkeys(known))}"


@click.command()
@exercises_option
@in_words
def status(exercises: Path | None) -> None:
    """Show how far every exercise is, and what to do next."""
    from graders.cli import status as report

    sys.exit(report.show(kits_with_stubs(exercises or find_folder("exercises"))))


@click.command()
@click.argument("name")
@exercises_option
@in_words
def hint(name: str, exercises: Path | None) -> None:
    """Give the next hint for a gradient: a nudge, a sketch, nearly there."""
    from graders.student.hints import take_hint

    exercises = exercises or find_folder("exercises")
    kit, gradient = _find(kits_with_stubs(exercises), name)
    hints = kit.exercise.gradient(gradient).hints
    if not hints:
        raise click.ClickException(f"{gradient} has no hints.")
    taken = take_hint(exercises, f"{kit.exercise.identity}::{gradient}", len(hints))
    for number, text in enumerate(hints[:taken], 1):
        click.echo(readable(f"hint {number} of {len(hints)}: {text}"))
    last = "That was the last hint." if taken == len(hints) else "The same command gives the next one."
    click.echo(last)


@click.command()
@click.argument("name")
@click.option("--give-up", is_flag=True, help="Show it although yours is not right yet.")
@exercises_option
@in_words
def solution(name: str, give_up: bool, exercises: Path | None) -> None:
    """Show the reference solution and its derivation, once yours is right."""
    from graders.cli import status as report

    exercises = exercises or find_folder("exercises")
    kit, gradient = _find(kits_with_stubs(exercises), name)
    reference = exercises.parent / "reference" / kit.path.parent.name / kit.path.name
    if not reference.exists():
        raise click.ClickException("this kit has no solutions (no reference/): your instructor has them.")
    if not give_up and not report.is_right(kit, gradient):
        raise click.ClickException(f"{gradient} is not right yet: solve it first, or add --give-up to this command.")
    code, words = report.solution(reference, gradient)
    click.echo("\n".join([code, "", readable(words)]))
