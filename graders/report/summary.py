"""What `backprop-ninja grade` says at its end: in a few lines how it went and where everything is."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graders.exercise.identity import in_short
from graders.outcome import Outcome
from graders.report.ledger import Ledger
from graders.report.scores import Report
from graders.submissions.ledger import Fate

MOST = 8  # lines of a kind; report.html has more, submissions.jsonl all


def print_summary(report: Report, console: Console) -> None:
    if report.isolation:
        console.print(Text(report.isolation))
    ledger = Ledger.of(report)
    once = "; equal files once, and none that was graded before" if report.graded != ledger.counts[Fate.GRADED] else ""
    took = f"{report.graded} files graded in {report.seconds:.1f} s{once}"
    console.print(Text(f"{len(report.students)} students, {took}"), soft_wrap=True)
    console.print(table(report))
    for text in [*_handed_in(ledger), *_notes(report)]:
        console.print(Text(text), soft_wrap=True)
    width = max((len(what) for what in report.files), default=0)
    for what, path in report.files.items():
        console.print(Text(f"{what:{width}s}  {path}"), soft_wrap=True)


def table(report: Report) -> Table:
    """A line an exercise: how many handed it in, how far they are."""
    drawn, called = Table(box=None, pad_edge=False), in_short(report.exercises)
    drawn.add_column("exercise", min_width=max(map(len, called.values()), default=0))
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
        drawn.add_row(called[name], str(len(students)), mean, str(full), *shares)
    return drawn


def _handed_in(ledger: Ledger) -> Iterator[str]:
    """What became of the files, in a few lines."""
    yield f"handed in: {ledger.files}"
    yield from _some("not graded, which is not 0 points", [f"{s.name}: {why}" for s, why in ledger.missing])
    known = {student.name for student, _ in ledger.missing}
    left = [line for who, line in ledger.unreadable_first() if who is None or who.name not in known]
    yield from _some("also left out", [f"{line.path}: {line.why}" for line in left])
    yield from _some("to look at", [f"{student.name}: {why}" for student, why in ledger.doubts])
    if alike := len(ledger.alike()):
        yield f"the same text from several students: {alike} time{'s' if alike > 1 else ''}, listed in report.html"


def _some(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{heading}: {len(lines)}"
        yield from (f"  {line}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"  and {len(lines) - MOST} more: see report.html"


def _notes(report: Report) -> list[str]:
    results = [result for student in report.students for row in student.results.values() for result in row]
    failed = sum(result.outcome is Outcome.GRADER_ERROR for result in results)
    notes = []
    if report.again:
        notes.append(f"{report.again} results of an earlier release are not used: those files are graded again")
    if failed:
        notes.append(f"{failed} gradients: the grader failed. Nobody lost points; run the command again")
    return notes
