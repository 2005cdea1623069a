"""One course for all tests of nbgrader: made, handed in, graded, with feedback and export, once."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import solutions
from tests.nb.bad import BAD
from tests.nb.course import Course, filled, make
from tests.nb.students import STUDENTS

EX, SMALL = "ex1_atomic", "ex2_cross_entropy"  # 26 gradients, and one


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = make(tmp_path_factory.mktemp("course"), [EX, SMALL])
    released = made.released(EX)
    for name, student in STUDENTS.items():
        notebook = filled(released, student.bodies)
        student.edit(notebook)
        path = made.submit(name, EX, notebook)
        for file, text in student.files.items():
            (path.parent / file).parent.mkdir(exist_ok=True)
            (path.parent / file).write_text(text)
    for name, bad in BAD.items():
        bad.write(made.submit(name, SMALL, b""), filled(made.released(SMALL), solutions(SMALL)))
    quiet = ",".join(name for name, student in STUDENTS.items() if not student.told)
    made.log = made.nbgrader_in_turn(
        ["autograde", EX],
        ["autograde", SMALL],
        ["generate_feedback", EX, f"--CourseDirectory.student_id_exclude={quiet}"],
        ["generate_feedback", SMALL],
        ["export"],
    )
    return made


@pytest.fixture(scope="session")
def graded(course: Course) -> Path:
    """What `backprop-ninja grade` makes of the same notebooks, with a secret of its own."""
    out = course.folder / "graded"
    command = [sys.executable, "-m", "graders.cli", "grade", "submitted", "--out", out.name, "--exercises", "source"]
    done = subprocess.run([*command, "--jobs", "2"], cwd=course.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def rows(graded: Path) -> dict[str, dict[str, str]]:
    """The rows of its scores.csv, by student."""
    with (graded / "scores.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}
