"""What a check of the kit came to, in figures: a tally an exercise, a table of them, and what the kit claims."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.table import Table

from graders.exercise.identity import in_short


@dataclass
class Tally:
    """What one exercise's check came to. `faults` are what must not be; each says where and what."""

    exercise: str
    gradients: int = 0
    wrong: int = 0
    named_by_graph: int = 0
    named: int = 0
    misnamed: int = 0
    mutants: int = 0
    survivors: int = 0
    equivalent: int = 0
    right: int = 0
    rejections: int = 0
    faults: list[str] = field(default_factory=list)


COLUMNS = {
    "gradients": "gradients",
    "wrong": "wrong",
    "named (graph)": "named_by_graph",
    "named": "named",
    "mutants": "mutants",
    "survive": "survivors",
    "right": "right",
    "rejected": "rejections",
}


def table(tallies: Sequence[Tally]) -> Table:
    """A row an exercise."""
    called = in_short(tally.exercise for tally in tallies)
    drawn = Table("exercise", box=None, pad_edge=False)
    for heading in COLUMNS:
        drawn.add_column(heading, justify="right")
    for tally in tallies:
        drawn.add_row(called[tally.exercise], *(str(getattr(tally, column)) for column in COLUMNS.values()))
    return drawn


def claims(tallies: Sequence[Tally], seeds: int) -> str:
    """The last line: what the kit claims of itself."""

    def total(name: str) -> int:
        return sum(getattr(t, name) for t in tallies)

    wrong = total("wrong") or 1
    return (
        f"surviving mutants {total('survivors')} of {total('mutants')} ({total('equivalent')} proven equivalent) | "
        f"wrong answers diagnosed {100 * total('named_by_graph') / wrong:.0f} % graph alone, "
        f"{100 * total('named') / wrong:.0f} % with fingerprints, {total('misnamed')} wrongly | "
        f"false rejections {total('rejections')} over {seeds} seeds of {total('right')} right answers"
    )
