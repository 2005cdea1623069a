"""`backprop-ninja grade`: a progress bar, then in a few lines how it went and where everything is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from graders.grading.grade import GradingError, grade
from graders.grading.store import StoreError
from graders.report.scores import Report
from graders.sandbox.outcome import Outcome
from graders.sandbox.sandbox import SandboxError

OPEN = (
    "{} runs whatever reaches it, unencrypted: keep it off networks that others use, or give it certificates "
    "(distributed.comm.tls in dask's configuration) and write tls://"
)
REFUSALS = (GradingError, SandboxError, StoreError)


def run(
    submissions: Path, out: Path, exercises: Path, student: str | None, exercise: str | None, **options: Any
) -> None:
    """Grade, and tell. Raises one of REFUSALS."""
    console = Console(highlight=False)
    if is_open(options.get("scheduler")):
        console.print(Text(OPEN.format(options["scheduler"])))
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("grading", total=None)
        report = grade(
            submissions,
            out,
            only_student=student,
            only_exercise=exercise,
            exercises=exercises,
            told=lambda done, total: progress.update(bar, completed=done, total=total),
            **options,
        )
    tell(report, console)


def is_open(scheduler: str | None) -> bool:
    """True for an address off this machine without TLS."""
    if scheduler is None or scheduler.startswith("tls://"):
        return False
    host = scheduler.partition("://")[2].rpartition(":")[0].strip("[]")
    return host not in ("127.0.0.1", "localhost", "::1")


def tell(report: Report, console: Console) -> None:
    if report.isolation:
        console.print(Text(report.isolation))
    console.print(Text(f"{len(report.students)} students, {report.graded} files graded in {report.seconds:.1f} s"))
    console.print(summary(report))
    for text in _notes(report):
        console.print(Text(text))
    width = max((len(what) for what in report.files), default=0)
    for what, path in report.files.items():
        console.print(Text(f"{what:{width}s}  {path}"), soft_wrap=True)


def summary(report: Report) -> Table:
    """A line an exercise: how many handed it in, how far they are."""
    table = Table(box=None, pad_edge=False)
    table.add_column("exercise", min_width=max(map(len, report.exercises), default=0))
    for heading in ("students", "mean points", "all right", "right", "wrong", "untouched"):
        table.add_column(heading, justify="right")
    for name in report.exercises:
        students = [s for s in report.students if s.score(name) is not None]
        outcomes = [mark.outcome for s in students for mark in s.marks[name] if mark.outcome.graded]
        scores = [s.score(name) or 0 for s in students]
        right, untouched = outcomes.count(Outcome.PASSED), outcomes.count(Outcome.NOT_ATTEMPTED)
        share = [
            f"{100 * n / max(len(outcomes), 1):.0f} %" for n in (right, len(outcomes) - right - untouched, untouched)
        ]
        possible = sum(item.points for item in report.exercises[name].items)
        mean = f"{sum(scores) / len(scores):.1f} of {possible}" if scores else "-"
        full = sum(score == possible for score in scores)
        table.add_row(name, str(len(students)), mean, str(full), *share)
    return table


def _notes(report: Report) -> list[str]:
    marks = [mark for student in report.students for row in student.marks.values() for mark in row]
    failed = sum(mark.outcome is Outcome.GRADER_ERROR for mark in marks)
    unreadable = sum(bool(student.handed.unreadable) for student in report.students)
    notes = []
    if failed:
        notes.append(f"{failed} gradients: the grader failed. Nobody lost points; run the command again")
    if unreadable:
        notes.append(f"{unreadable} students handed in something that cannot be read: see the column remarks")
    return notes
