"""The command `backprop-ninja`: thin, each command calls the module that does the work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from graders.exercise.kit import Kit, KitError, open_kit
from graders.exercise.module import ExerciseError

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
@click.version_option(package_name="backprop-ninja")
def main() -> None:
    """Write the backward pass by hand; every gradient is checked against autograd."""


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """An author's or a user's mistake is told in words, never as a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ExerciseError, KitError) as error:
            raise click.ClickException(str(error)) from None

    return wrapped


def _folder(name: str) -> Path:
    """The folder `name` here or in a parent folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / name).is_dir():
            return folder / name
    raise click.ClickException(f"no folder {name}/ here or above: change to the project, or name it.")


def _kits(exercises: Path) -> list[Kit]:
    stubs = sorted(p.parent.parent / f"{p.stem}.py" for p in exercises.glob("*/kit/*.json"))
    if not stubs:
        raise click.ClickException(f"{exercises} holds no exercises (no */kit/*.json): is it the right folder?")
    missing = [str(stub) for stub in stubs if not stub.exists()]
    if missing:
        raise click.ClickException(f"{missing[0]} is gone: take it again from the course kit.")
    return [open_kit(stub) for stub in stubs]


def _find(kits: list[Kit], name: str) -> tuple[Kit, str]:
    """The gradient called `name`: dcounts, counts, or ex1::dcounts."""
    exercise, _, gradient = name.rpartition("::")
    matches = [
        (kit, g.name)
        for kit in kits
        for g in kit.exercise.items
        if gradient in (g.name, g.target) and kit.exercise.name.startswith(Path(exercise).stem)
    ]
    if not matches:
        known = ", ".join(g.name for kit in kits for g in kit.exercise.items)
        raise click.ClickException(f"no gradient {name}. There are: {known}")
    if len(matches) > 1:
        choices = " or ".join(f"{kit.exercise.name}::{g}" for kit, g in matches)
        raise click.ClickException(f"{name} occurs in several exercises: say {choices}")
    return matches[0]


@main.command()
@click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
@told
def status(exercises: Path | None) -> None:
    """Show how far every exercise is, and what to do next."""
    from graders.cli import status as report

    sys.exit(report.show(_kits(exercises or _folder("exercises"))))


@main.command()
@click.argument("name")
@click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
@told
def hint(name: str, exercises: Path | None) -> None:
    """Give the next hint for a gradient: a nudge, a sketch, nearly there."""
    from graders.student.hints import take_hint

    exercises = exercises or _folder("exercises")
    kit, gradient = _find(_kits(exercises), name)
    hints = kit.exercise.gradient(gradient).hints
    if not hints:
        raise click.ClickException(f"{gradient} has no hints.")
    taken = take_hint(exercises, f"{kit.exercise.name}::{gradient}", len(hints))
    for number, text in enumerate(hints[:taken], 1):
        click.echo(f"hint {number} of {len(hints)}: {text}")
    if taken < len(hints):
        click.echo("The same command gives the next one.")


@main.command()
@click.argument("name")
@click.option("--give-up", is_flag=True, help="Show it although yours is not right yet.")
@click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
@told
def solution(name: str, give_up: bool, exercises: Path | None) -> None:
    """Show the reference solution and its derivation, once yours is right."""
    from graders.cli import status as report

    exercises = exercises or _folder("exercises")
    kit, gradient = _find(_kits(exercises), name)
    reference = exercises.parent / "reference" / kit.path.parent.name / kit.path.name
    if not reference.exists():
        raise click.ClickException("this kit has no solutions (no reference/): your instructor has them.")
    if not give_up and not report.is_right(kit, gradient):
        raise click.ClickException(f"{gradient} is not right yet: solve it first, or add --give-up.")
    click.echo(report.solution(reference, gradient))


@main.command()
@click.option("--reference", type=FOLDER, help="The folder reference/ (found by itself).")
@click.option("--exercises", type=FOLDER, help="Where to write (beside reference/).")
@click.option("--check", is_flag=True, help="Write nothing; fail if exercises/ is not up to date.")
@click.option("--kit", type=click.Path(path_type=Path, dir_okay=False), help="Pack a student's kit, FILE.zip.")
@click.option("--notebooks", type=FOLDER, help="Write nbgrader's source/ and executed solutions/ into this folder.")
@told
def release(
    reference: Path | None, exercises: Path | None, check: bool, kit: Path | None, notebooks: Path | None
) -> None:
    """Make exercises/ from reference/."""
    from graders.authoring import release as releasing

    reference = reference or _folder("reference")
    if notebooks:
        _write_notebooks(reference, notebooks)
        return
    files = releasing.build(reference)
    if not files:
        raise click.ClickException(f"{reference} holds no exercises (reference/UNIT/EXERCISE.py).")
    if kit:
        names = releasing.pack_kit(reference.parent, files, kit)
        click.echo(f"{kit}: {len(names)} files")
        return
    exercises = exercises or reference.parent / "exercises"
    changed = releasing.outdated(files, exercises) if check else releasing.write(files, exercises)
    for name in changed:
        click.echo(f"{'outdated' if check else 'wrote'} {exercises / name}")
    if check and changed:
        raise click.ClickException("exercises/ is not what reference/ gives: run `backprop-ninja release`.")
    click.echo(f"{len(files)} files, {len(changed)} {'outdated' if check else 'written'}")


@main.command()
@click.option("--reference", type=FOLDER, help="The folder reference/ (found by itself).")
@click.option("--seeds", default=5, show_default=True, help="Seeds over which right answers must pass.")
@told
def selfcheck(reference: Path | None, seeds: int) -> None:
    """Check the kit itself: references, stubs, wrong answers, mutants, right alternatives."""
    from graders.authoring import selfcheck as checking

    sys.exit(checking.main(reference or _folder("reference"), seeds))


@main.command()
@click.argument("submissions", type=FOLDER)
@click.option("--out", required=True, type=FOLDER, help="Where results go; the same again goes on where it stopped.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes on this machine.")
@click.option("--scheduler", help="The address of a dask scheduler, for many machines.")
@click.option("--student", help="Grade this student only.")
@click.option("--exercise", help="Grade this exercise only.")
@click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
@click.option("--secret", type=click.Path(path_type=Path, dir_okay=False), help="The secret that seeds are drawn from.")
@click.option("--allow-class-c", is_flag=True, help="Grade without isolation: a submission can read your files.")
@told
def grade(submissions: Path, out: Path, exercises: Path | None, **options: Any) -> None:
    """Grade a folder with one folder, archive, .py or .ipynb file a student, in a sandbox."""
    try:
        from graders.report import summary as command
    except ImportError as error:
        raise click.ClickException(f"{error.name} is missing: pip install 'backprop-ninja[classroom]'") from None
    try:
        command.run(submissions, out, exercises or _folder("exercises"), **options)
    except command.REFUSALS as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--reference", is_flag=True, help="Train with the reference solution instead of yours.")
@click.option("--fast", is_flag=True, default=None, help="With --reference: its fast variant.")
@click.option("--steps", type=int, help="How many steps (200,000 as in the lecture).")
@click.option(
    "--names", type=click.Path(resolve_path=True), help="Your own list, one word a line (the embedded names of 2017)."
)
@click.option("--seed", type=int, help="Of parameters and batches (2147483647); the names take this plus 10.")
@click.option("--batch", type=int, help="Examples in a batch (32).")
@click.option("--hidden", type=int, help="Neurons of the hidden layer (200).")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="runs", show_default=True, help="Folder."
)
@click.option("--resume", is_flag=True, help="Go on where the run in the folder was stopped.")
@click.option("--compare", is_flag=True, help="Train with autograd as well, for its loss curve and time.")
@click.option("--diagnostics", is_flag=True, help="Draw histograms, saturation, updates and dlogits too.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of torch: at these sizes one is fastest.",
)
@click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
@told
def train(
    reference: bool,
    out: Path,
    resume: bool,
    compare: bool,
    diagnostics: bool,
    threads: int,
    exercises: Path | None,
    **given: Any,
) -> None:
    """Train the network of exercise 4 with your own backward pass."""
    from graders.cli import train as command
    from graders.names import NamesError
    from graders.train import TrainingError, subject

    if given["fast"] and not reference:
        raise click.ClickException("--fast goes with --reference: it is a variant of the reference.")
    request = command.Request(given, out, resume, compare, diagnostics, threads)
    try:
        if reference:
            trained = subject.reference_subject(_folder("reference"))
        else:
            trained = subject.student_subject(_kits(exercises or _folder("exercises")))
        sys.exit(command.main(trained, request))
    except (TrainingError, NamesError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--reference", type=FOLDER, help="The folder reference/ (found by itself).")
@told
def course(folder: Path, reference: Path | None) -> None:
    """Set up an nbgrader course in FOLDER: source notebooks, solutions, grading in the sandbox."""
    from graders.notebook.nbgrader.course import set_up

    _write_notebooks(reference or _folder("reference"), folder)
    config = folder / "nbgrader_config.py"
    if set_up(folder):
        click.echo(f"wrote {config}")
    else:
        click.echo(f"{config} is there already; add: from graders.nb.course import configure; configure(c)")
    click.echo(f"next: cd {folder}, then nbgrader generate_assignment NAME for each of source/")


def _write_notebooks(reference: Path, folder: Path) -> None:
    try:
        from graders.notebook import solutions
        from graders.notebook import source as notebooks
    except ImportError as error:
        raise click.ClickException(f"{error.name} is missing: pip install 'backprop-ninja[classroom]'") from None
    click.echo("source notebooks, with the fingerprints of known wrong answers: about a minute ...")
    for path in notebooks.write(reference, folder):
        click.echo(f"wrote {path}")
    click.echo("solutions, each run in a kernel: about a minute ...")
    try:
        for path in solutions.write(reference, folder):
            click.echo(f"wrote {path}")
    except solutions.Unsolved as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
