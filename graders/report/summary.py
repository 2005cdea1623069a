"""What `backprop-ninja grade` says at its end: in a few lines how it went and where everything is."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graders.outcome import Outcome
from graders.report.scores import Report


def print_summary(report: Report, console: Console) -> None:
    if report.isolation:
        console.print(Text(report.isolation))
    console.print(Text(f"{len(report.students)} students, {report.graded} files graded in {report.seconds:.1f} s"))
    console.print(table(report))
    for text in _notes(report):
        console.print(Text(text))
    width = max((len(what) for what in report.files), default=0)
    for what, path in report.files.items():
        console.print(Text(f"{what:{width}s}  {path}"), soft_wrap=True)


def table(report: Report) -> Table:
    """A line an exercise: how many handed it in, how far they are."""
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("exercise", min_width=max(map(len, report.exercises), default=0))
    for heading in ("students", "mean points", "all right", "right", "wrong", "untouched"):
        drawn.add_column(heading, justify="right")
    for name in report.exercises:
        students = [s for s in report.students if s.score(name) is not None]
        outcomes = [result.outcome for s in students for result in s.results[name] if result.outcome.graded]
        scores = [s.score(name) or 0 for s in students]
        right, untouched = sum(outcome.right for outcome in outcomes), outcomes.count(Outcome.NOT_ATTEMPTED)
        counts = (right, len(outcomes) - right - untouched, untouched)
        shares = [f"{100 * count / max(len(outcomes), 1):.0f} %" for count in counts]
        possible = sum(item.points for item in report.exercises[name].items)
        mean = f"{sum(scores) / len(scores):.1f} of {possible}" if scores else "-"
        full = sum(score == possible for score in scores)
        drawn.add_row(name, str(len(students)), mean, str(full), *shares)
    return drawn


def _notes(report: Report) -> list[str]:
    results = [result for student in report.students for row in student.results.values() for result in row]
    failed = sum(result.outcome is Outcome.GRADER_ERROR for result in results)
    unreadable = sum(bool(student.handed.unread) for student in report.students)
    notes = []
    if report.again:
        notes.append(f"{report.again} results of an earlier release are not used: those files are graded again")
    if failed:
        notes.append(f"{failed} gradients: the grader failed. Nobody lost points; run the command again")
    if unreadable:
        notes.append(f"{unreadable} students handed in something that cannot be read: see the column remarks")
    return notes
