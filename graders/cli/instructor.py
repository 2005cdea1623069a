"""What an instructor types: grade, course."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.author import write_notebooks
from graders.cli.shared import FOLDER, exercises_option, find_folder, in_words, missing_extra, reference_option

if TYPE_CHECKING:
    from rich.console import Console

OPEN = (
    "{} runs whatever reaches it, unencrypted: keep it off networks that others use, or give it certificates "
    "(distributed.comm.tls in dask's configuration) and write tls://"
)


@click.command()
@click.argument("submissions", type=FOLDER)
@click.option("--out", required=True, type=FOLDER, help="Where results go; the same again goes on where it stopped.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes on this machine.")
@click.option("--scheduler", help="The address of a dask scheduler, for many machines.")
@click.option("--student", "only_student", help="Grade this student only.")
@click.option("--exercise", "only_exercise", help="Grade this exercise only.")
@exercises_option
@click.option("--secret", type=click.Path(path_type=Path, dir_okay=False), help="The secret that seeds are drawn from.")
@click.option("--allow-class-c", is_flag=True, help="Grade without isolation: a submission can read your files.")
@in_words
def grade(submissions: Path, out: Path, exercises: Path | None, **options: Any) -> None:
    """Grade a folder with one folder, archive, .py or .ipynb file a student, in a sandbox."""
    from rich.console import Console
    from rich.text import Text

    from graders.grading import GradingError
    from graders.grading import grade as grading
    from graders.grading.store import StoreError
    from graders.sandbox.sandbox import SandboxError

    try:
        from graders.report import publish, summary
    except ImportError as error:
        raise missing_extra(error) from None
    console = Console(highlight=False)
    if is_open(options["scheduler"]):
        console.print(Text(OPEN.format(options["scheduler"])))
    options["exercises"] = exercises or find_folder("exercises")
    try:
        with _bar(console) as progress, grading.grade(submissions, out, progress=progress, **options) as run:
            report = publish.publish(run, out)
    except (GradingError, SandboxError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    summary.print_summary(report, console)


def is_open(scheduler: str | None) -> bool:
    """True for an address off this machine without TLS."""
    if scheduler is None or scheduler.startswith("tls://"):
        return False
    host = scheduler.partition("://")[2].rpartition(":")[0].strip("[]")
    return host not in ("127.0.0.1", "localhost", "::1")


@contextlib.contextmanager
def _bar(console: Console) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; yields what sets it to so many done, of so many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("grading", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("grading", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


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
