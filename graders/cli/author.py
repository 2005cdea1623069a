"""What an author of exercises types: release, selfcheck."""

import sys
from pathlib import Path

import click

from graders.cli.shared import FOLDER, find_folder, in_words, missing_extra, reference_option
from graders.student.commands import command


@click.command()
@reference_option
@click.option("--exercises", type=FOLDER, help="Where to write (beside reference/).")
@click.option("--check", is_flag=True, help="Write nothing; fail if exercises/ is not up to date.")
@click.option("--force", is_flag=True, help="Replace stubs that hold answers, too; a copy of each is kept beside it.")
@click.option("--kit", type=click.Path(path_type=Path, dir_okay=False), help="Pack a student's kit, FILE.zip.")
@click.option("--notebooks", type=FOLDER, help="Write nbgrader's source/ and executed solutions/ into this folder.")
@in_words
def release(
    reference: Path | None,
    exercises: Path | None,
    check: bool,
    force: bool,
    kit: Path | None,
    notebooks: Path | None,
) -> None:
    """Make exercises/ from reference/."""
    reference = reference or find_folder("reference")
    from graders.authoring import release as releasing

    if notebooks:
        write_notebooks(reference, notebooks)
        return
    files = releasing.build(reference)
    if not files:
        raise click.ClickException(f"{reference} holds no exercises (reference/UNIT/EXERCISE.py).")
    if kit:
        names = releasing.pack_kit(reference.parent, files, kit)
        click.echo(f"{kit}: {len(names)} files")
        return
    exercises = exercises or reference.parent / "exercises"
    try:
        changed = releasing.outdated(files, exercises) if check else releasing.write(files, exercises, force)
    except releasing.WorkInTheWay as error:
        raise click.ClickException(str(error)) from None
    for name in changed:
        click.echo(f"{'outdated' if check else 'wrote'} {exercises / name}")
    if check and changed:
        remedy = command("backprop-ninja", "release")
        raise click.ClickException(f"exercises/ is not what reference/ gives: run {remedy}")
    click.echo(f"{len(files)} files, {len(changed)} {'outdated' if check else 'written'}")


def write_notebooks(reference: Path, folder: Path) -> None:
    """Write nbgrader's source/ and the executed solutions/ into `folder`."""
    try:
        from graders.notebook import solutions
        from graders.notebook import source as notebooks
    except ImportError as error:
        raise missing_extra(error) from None
    click.echo("source notebooks, with the fingerprints of known wrong answers: about a minute ...")
    for path in notebooks.write(reference, folder):
        click.echo(f"wrote {path}")
    click.echo("solutions, each run in a kernel: about a minute ...")
    try:
        for path in solutions.write(reference, folder):
            click.echo(f"wrote {path}")
    except solutions.Unsolved as error:
        raise click.ClickException(str(error)) from None


@click.command()
@reference_option
@click.option("--seeds", default=5, show_default=True, help="Seeds over which right answers must pass.")
@in_words
def selfcheck(reference: Path | None, seeds: int) -> None:
    """Check the kit itself: references, stubs, wrong answers, mutants, right alternatives."""
    reference = reference or find_folder("reference")
    from graders.authoring import selfcheck as checking

    sys.exit(checking.main(reference, seeds))
