"""One course for all tests of nbgrader: made, handed in, graded, with feedback and export, once."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bad_notebooks import BAD
from tests.support.course import Course, filled, make, sums
from tests.support.notebook_students import STUDENTS, TRAINEES
from tests.support.stubs import assignment, solutions

OTHER = "sums"
EX, SMALL, TRAINING = map(assignment, ("ex1_atomic", "ex2_cross_entropy", "ex4_training"))  # 26 gradients, one, 7


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = make(tmp_path_factory.mktemp("course"), [EX, SMALL, TRAINING], others={OTHER: sums()})
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
    for name, trainee in TRAINEES.items():
        bodies = {"backward": trainee.body} if trainee.body else {}
        made.submit(name, TRAINING, filled(made.released(TRAINING), bodies))
    other = made.released(OTHER)
    other["cells"][0]["source"] = "x = 3"
    made.submit("right", OTHER, other)
    made.handed_in = contents(made.folder)
    quiet = ",".join(name for name, student in STUDENTS.items() if not student.sentence)
    made.log = made.nbgrader_in_turn(
        ["autograde", EX],
        ["autograde", SMALL],
        ["autograde", TRAINING],
        ["autograde", OTHER],
        ["generate_feedback", EX, f"--CourseDirectory.student_id_exclude={quiet}"],
        ["generate_feedback", SMALL],
        ["generate_feedback", TRAINING],
        ["export"],
    )
    return made


def contents(folder: Path) -> dict[str, str]:
    """What the instructor made and the students handed in, by path."""
    paths = [path for where in ("source", "release", "submitted") for path in sorted((folder / where).rglob("*"))]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


@pytest.fixture(scope="session")
def graded(course: Course) -> Path:
    """What `backprop-ninja grade` makes of the same notebooks, with a secret of its own."""
    out = course.folder / "graded"
    command = [
        sys.executable,
        "-m",
        "graders.cli.main",
        "grade",
        "submitted",
        "--out",
        out.name,
        "--exercises",
        "source",
    ]
    done = subprocess.run([*command, "--jobs", "2"], cwd=course.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def rows(graded: Path) -> dict[str, dict[str, str]]:
    """The rows of its scores.csv, by student."""
    with (graded / "scores.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}
