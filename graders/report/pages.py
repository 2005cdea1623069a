"""The pages that people read: feedback for a student, the report on a class. Self-contained, everything escaped."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise
from graders.oracle.gradient import Oracle, Oracles
from graders.outcome import Outcome
from graders.report import graph, heatmaps, signs
from graders.report.ledger import Ledger, why_nothing
from graders.report.scores import Graded, Report
from graders.report.tally import MOST_ROWS, Tally, first_open, group, strip
from graders.verdict.result import Result

LEGEND = (
    ("passed", "right"),
    ("wrong", "wrong"),
    ("failed", "error, stopped or not by hand"),
    ("untouched", "not attempted"),
    ("none", "not graded"),
)
MOST_REASONS = 40
MOST_LINES = 200  # of the ledger
COURSE = "Becoming a backprop ninja"


@dataclass(frozen=True)
class Row:
    """One gradient on a student's page."""

    result: Result
    kind: str
    points: int
    maps: Markup  # empty where there is no picture

    @property
    def words(self) -> str:
        return "right" if self.result.right else self.result.outcome.value

    @property
    def given(self) -> str:
        return str(self.points if self.result.right else 0) if self.result.outcome.graded else "–"


@dataclass(frozen=True)
class Page:
    """One exercise on a student's page."""

    name: str
    title: str
    rows: list[Row]
    missing: str
    file: str
    attempts: int
    graph: Markup  # empty where there is nothing to draw
    problems: tuple[str, ...]

    @property
    def right(self) -> int:
        return sum(row.result.right for row in self.rows)


@dataclass
class Forward:
    """What is drawn of an exercise: its public case, computed once."""

    kit: Kit

    @cached_property
    def oracle(self) -> Oracle:
        exercise = self.kit.exercise
        return Oracles(exercise, self.kit.fingerprints.seed).all[0]

    @cached_property
    def layout(self) -> graph.Layout:
        return graph.layout({name: self.oracle.consumers(name) for name in self.oracle.watched})


class Pages:
    """Renders pages for one report."""

    def __init__(self, report: Report, kits: Mapping[str, Kit]):
        self.report = report
        self._forward = {name: Forward(kits[name]) for name in report.exercises}
        loader = FileSystemLoader(Path(__file__).parent / "templates")
        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._html = Environment(loader=loader, autoescape=True, **options)
        self._html.globals |= {"sign": lambda *of: Markup(signs.sign(*of)), "colours": signs.COLOURS, "course": COURSE}
        self._plain = Environment(loader=loader, autoescape=False, **options)
        self._plain.filters["md"] = markdown

    def student(self, student: Graded) -> tuple[str, str]:
        """Feedback as HTML and as Markdown."""
        values = {
            "student": student,
            "pages": [self._page(student, name, exercise) for name, exercise in self.report.exercises.items()],
            "exercises": list(self.report.exercises),
            "isolation": self.report.isolation,
            "legend": LEGEND,
            "told": [why_nothing(student)] if student.score() is None else student.handed.unreadable,
        }
        html = self._html.get_template("student.html.j2").render(values)
        return html, self._plain.get_template("student.md.j2").render(values)

    def _page(self, student: Graded, name: str, exercise: Exercise) -> Page:
        forward, results = self._forward[name], student.results[name]
        missing = "" if any(result.outcome is not Outcome.NOT_GRADED for result in results) else results[0].message
        made = [attempt for attempt in student.handed.attempts if attempt["exercise"] == name]
        rows = [self._row(forward, result, student.points[name][result.item]) for result in results]
        file = str(made[-1]["file"]) if made else ""
        states = {row.result.item[1:]: (row.kind, row.words) for row in rows}
        drawn = len(results) > 1 and not missing
        picture = graph.svg(forward.layout, states, f"The compute graph of {name}") if drawn else ""
        problems = student.handed.problems.get(name, ())
        return Page(name, exercise.title, rows, missing, file, len(made), Markup(picture), tuple(problems))

    def _row(self, forward: Forward, result: Result, points: int) -> Row:
        maps = (
            heatmaps.recalled(result.difference, forward.oracle.expected(result.item[1:])) if result.difference else ""
        )
        return Row(result, group(result.outcome), points, Markup(maps))

    def overview(self, tally: Tally) -> str:
        """The class report as HTML."""
        report = self.report
        scores = sorted(100 * (s.score() or 0) / max(s.possible(), 1) for s in report.students if s.score() is not None)
        reasons = tally.misconceptions()
        values = {
            "isolation": report.isolation,
            "students": report.students,
            "graded": len(scores),
            "mean": f"{sum(scores) / len(scores):.0f}" if scores else "–",
            "median": f"{scores[len(scores) // 2]:.0f}" if scores else "–",
            "full": sum(score == 100 for score in scores),
            "possible": report.students[0].possible() if report.students else 0,
            "bars": list(_bars(tally.bins)),
            "misconceptions": reasons[:MOST_REASONS],
            "more_misconceptions": len(reasons[MOST_REASONS:]),
            "causes": tally.causes.most_common(),
            "rates": tally.rates,
            "titles": {name: exercise.title for name, exercise in report.exercises.items()},
            "legend": LEGEND,
            "shown": list(self._strips()),
            "widest": sum(len(exercise.items) + 0.6 for exercise in report.exercises.values()),
            "looked_at": tally.looked_at[:MOST_REASONS],
            "more_looked_at": len(tally.looked_at[MOST_REASONS:]),
            "ledger": Ledger.of(report),
            "most_lines": MOST_LINES,
            "quantiles": [tally.quantile(share) for share in (0.5, 0.95, 1.0)],
            "total_seconds": sum(tally.seconds),
        }
        return self._html.get_template("class.html.j2").render(values)

    def _strips(self) -> Iterator[dict[str, Any]]:
        """The students with the fewest points first, those with nothing graded at the end."""
        order = sorted(self.report.students, key=lambda s: (s.score() is None, s.score() or 0, s.name))
        for student in order[:MOST_ROWS]:
            cells = strip(student.results.values())
            yield {"student": student, "score": student.score(), "strip": cells, "stuck": first_open(student)}


def _bars(bins: list[int]) -> Iterator[dict[str, Any]]:
    for number, count in enumerate(bins):
        label = f"{number * 10} to {number * 10 + 10} %"
        yield {"label": label, "count": count, "height": 130 * count / max(max(bins), 1)}


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line and also in a table."""
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#|~!$&])", r"\\\1", line)
