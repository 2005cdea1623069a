"""What an instructor types: grade, course."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from graders.cli.author import write_notebooks
from graders.cli.shared import FOLDER, exercises_option, find_folder, in_words, missing_extra, reference_option


@click.command()
@click.argument("submissions", type=FOLDER)
@click.option("--out", required=True, type=FOLDER, help="Where results go; the same again goes on where it stopped.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes on this machine.")
@click.option("--scheduler", help="The address of a dask scheduler, for many machines.")
@click.option("--student", help="Grade this student only.")
@click.option("--exercise", help="Grade this exercise only.")
@exercises_option
@click.option("--secret", type=click.Path(path_type=Path, dir_okay=False), help="The secret that seeds are drawn from.")
@click.option("--allow-class-c", is_flag=True, help="Grade without isolation: a submission can read your files.")
@in_words
def grade(submissions: Path, out: Path, exercises: Path | None, **options: Any) -> None:
    """Grade a folder with one folder, archive, .py or .ipynb file a student, in a sandbox."""
    try:
        from graders.report import summary as command
    except ImportError as error:
        raise missing_extra(error) from None
    try:
        command.run(submissions, out, exercises or find_folder("exercises"), **options)
    except command.REFUSALS as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.argument("folder", type=FOLDER)
@reference_option
@in_words
def course(folder: Path, reference: Path | None) -> None:
    """Set up an nbgrader course in FOLDER: source notebooks, solutions, grading in the sandbox."""
    from graders.notebook.nbgrader.course import set_up

    write_notebooks(reference or find_folder("reference"), folder)
    config = folder / "nbgrader_config.py"
    if set_up(folder):
        click.echo(f"wrote {config}")
    else:
        click.echo(f"{config} is there already; add: from graders.nb.course import configure; configure(c)")
    click.echo(f"next: cd {folder}, then nbgrader generate_assignment NAME for each of source/")
