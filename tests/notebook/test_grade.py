"""`backprop-ninja grade` on the notebooks that nbgrader has graded: the same points, and nbgrader takes its results."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.notebook.conftest import EX, SMALL, TRAINING
from tests.support.bad_notebooks import BAD
from tests.support.course import Course
from tests.support.notebook_students import STUDENTS, TRAINEES

Rows = dict[str, dict[str, str]]
NO_SUPERVISOR = """
from graders.notebook.nbgrader.session import Session

def started(session):
    raise AssertionError("the sandbox was started")

Session.supervisor = property(started)
c.NinjaGrade.results = "elsewhere"
c.NinjaGrade.secret = "graded/secret.key"
"""


def points(row: dict[str, str], exercise: str) -> dict[str, float | None]:
    start = f"{exercise.replace('--', '/')}::"
    names = {name: name.removeprefix(start) for name in row if name.startswith(start)}
    return {short: float(row[name]) if row[name] else None for name, short in names.items()}


@pytest.mark.parametrize("name", STUDENTS)
def test_points_are_those_of_autograde(course: Course, rows: Rows, name: str) -> None:
    assert points(rows[name], EX) == course.scores(EX)[name]


@pytest.mark.parametrize("name", TRAINEES)
def test_points_of_exercise_4_are_those_of_autograde(course: Course, rows: Rows, name: str) -> None:
    assert points(rows[name], TRAINING) == course.scores(TRAINING)[name]


@pytest.mark.parametrize("name", BAD)
def test_bad_notebooks_have_the_points_of_autograde_and_a_reason(
    course: Course, rows: Rows, graded: Path, name: str
) -> None:
    bad, row = BAD[name], rows[name]
    assert points(row, SMALL) == course.scores(SMALL)[name]
    assert (row[SMALL.replace("--", "/")] == "") is (bad.right is None)
    sentence = bad.sentence_of_grade or bad.sentence
    page = re.sub(r"<[^>]+>", " ", (graded / "feedback" / name / "feedback.html").read_text())
    assert sentence in row["remarks"] and sentence in page


@pytest.mark.parametrize("name", ["copied", "stripped", "broken"])
def test_what_was_odd_about_a_notebook_is_told(rows: Rows, graded: Path, name: str) -> None:
    sentence = STUDENTS[name].sentence
    assert sentence in rows[name]["remarks"]
    for file in ("feedback.html", "feedback.md", "results.json"):
        assert sentence in (graded / "feedback" / name / file).read_text().replace("\\", ""), file


def test_no_line_of_the_made_up_module_is_told(graded: Path) -> None:
    for name in STUDENTS:
        page = (graded / "feedback" / name / "feedback.html").read_text()
        assert not re.search(r"\(line \d+\)|>line \d+:", page)


def test_autograde_takes_the_results_and_starts_no_sandbox(course: Course, graded: Path) -> None:
    before = course.scores(EX)
    notebooks = sorted(course.folder.glob(f"autograded/*/{EX}/*.ipynb"))
    times = [path.stat().st_mtime_ns for path in notebooks]
    (course.folder / "elsewhere").mkdir()
    shutil.copy(graded / "results.jsonl", course.folder / "elsewhere")
    config = course.folder / "nbgrader_config.py"
    kept = config.read_text()
    config.write_text(kept + NO_SUPERVISOR)
    try:
        course.nbgrader("autograde", EX, "--force")
    finally:
        config.write_text(kept)
    assert course.scores(EX) == before
    assert all(path.stat().st_mtime_ns > time for path, time in zip(notebooks, times, strict=True))
