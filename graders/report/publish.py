"""Everything that people and programs read, written in one pass over the students."""

import json
from pathlib import Path
from typing import Any

from graders.files import write_whole
from graders.grading.grade import Run, grade
from graders.report import exports
from graders.report.pages import Pages
from graders.report.scores import Graded, Report, Thrift, graded, points_of
from graders.report.tally import Tally
from graders.sandbox.selftest import CLASSES


def grade_and_publish(folder: Path, out: Path, **options: Any) -> Report:
    """Grade the submissions in `folder` into `out`, write what people read, say how it went.

    `options` and exceptions are those of graders.grading.grade.grade().
    """
    with grade(folder, out, **options) as run:
        return publish(run, out)


def publish(run: Run, out: Path) -> Report:
    """Write exports, feedback and the class report into `out`, every file whole. Raises OSError."""
    roster = run.roster
    handed_in = {name: roster.kits[name].exercise for name in roster.exercises()}
    report = Report(handed_in, run.isolation or _earlier(run), run.graded, run.seconds, run.again, roster.lines)
    points, thrift, tally = points_of(handed_in), Thrift(), Tally(report)
    pages = Pages(report, roster.kits)
    with exports.Exports(out, report) as exported:
        for handed in roster.students:
            student = graded(handed, handed_in, points, run)
            exported.add(student)
            _feedback(out / "feedback" / student.slug, student, pages)
            slim = thrift.slim(student)
            report.students.append(slim)
            tally.add(slim)
        exported.add_nobodys(roster.lines)
    write_whole(out / "report.html", pages.overview(tally))
    report.files = {"report": out / "report.html", "feedback": out / "feedback", **report.files}
    return report


def _earlier(run: Run) -> str:
    """Under which isolation was graded what is known, if nothing was graded now."""
    pieces = {piece for student in run.roster.students for piece in student.counted.items()}
    known = (run.store.known(run.keys.of(*piece)) for piece in pieces)
    classes = sorted({found.isolation for found in known if found} & CLASSES.keys())
    return "; ".join(f"isolation class {letter}: {CLASSES[letter]}" for letter in classes)


def _feedback(folder: Path, student: Graded, pages: Pages) -> None:
    """A student's pages. Every run writes them; to wait for the disk three times a student would double its time."""
    folder.mkdir(parents=True, exist_ok=True)
    html, markdown = pages.student(student)
    result = json.dumps(exports.gradescope(student), indent=1, ensure_ascii=False) + "\n"
    for name, text in (("feedback.html", html), ("feedback.md", markdown), ("results.json", result)):
        write_whole(folder / name, text, lasting=False)
