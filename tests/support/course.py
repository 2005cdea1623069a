"""An nbgrader course in a folder, as an instructor has one, driven by nbgrader's own commands."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from graders.exercise.module import load
from graders.notebook.nbgrader import course
from graders.notebook.source import source as notebook_of
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, ROOT, assignment

Notebook = dict[str, Any]
NONE: Mapping[str, Any] = {}
CONFIG = "\nc.NinjaGrade.seconds = 2.0\n"


@dataclass
class Course:
    folder: Path
    log: str = ""  # of autograde
    handed_in: dict[str, str] = field(default_factory=dict)  # before it, a hash a file

    def nbgrader(self, *arguments: str) -> str:
        """Run a command of nbgrader's in the course; what it logged."""
        return self._run(["-m", "nbgrader", *arguments])

    def nbgrader_in_turn(self, *commands: Sequence[str]) -> str:
        """Run commands one after the other in one process: starting nbgrader takes longer than most of them."""
        return self._run(["-m", "tests.support.in_turn", json.dumps(commands)])

    def _run(self, arguments: Sequence[str]) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls a bare `alembic`
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        log = done.stdout + done.stderr
        assert done.returncode == 0, log[-4000:]
        return log

    def released(self, exercise: str) -> Notebook:
        return _read(self.folder / "release" / exercise / f"{exercise}.ipynb")

    def submit(self, student: str, exercise: str, content: Notebook | bytes) -> Path:
        folder = self.folder / "submitted" / student / exercise
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{exercise}.ipynb"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def scores(self, exercise: str) -> dict[str, dict[str, float | None]]:
        """The gradebook's scores by student and test cell, None where it has none."""
        rows = self.query(
            "select s.student_id, b.name, g.auto_score from grade g join base_cell b on g.cell_id = b.id "
            "join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id "
            "join assignment a on s.assignment_id = a.id where a.name = ?",
            exercise,
        )
        found: dict[str, dict[str, float | None]] = {}
        for student, cell, score in rows:
            found.setdefault(student, {})[cell.split("-")[-1]] = score
        return found

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.folder / "gradebook.db") as database:
            return database.execute(sql, values).fetchall()

    def autograded(self, student: str, exercise: str) -> Notebook:
        return _read(self.folder / "autograded" / student / exercise / f"{exercise}.ipynb")

    def feedback(self, student: str, exercise: str) -> str:
        return (self.folder / "feedback" / student / exercise / f"{exercise}.html").read_text()


def _read(path: Path) -> Notebook:
    notebook: Notebook = json.loads(path.read_text())
    return notebook


def make(folder: Path, exercises: Sequence[str], trusted: bool = True, others: Mapping[str, Any] = NONE) -> Course:
    """A course with these exercises, and other notebooks, released; with nbgrader's own Execute if not trusted."""
    for name, notebook in others.items():
        (folder / "source" / name).mkdir(parents=True)
        nbformat.write(notebook, folder / "source" / name / f"{name}.ipynb")
    for name in exercises:
        source, stem = folder / "source" / name, name.removeprefix(assignment(""))
        (source / "kit").mkdir(parents=True)
        exercise = load(REFERENCE / NINJA / f"{stem}.py")
        (source / f"{name}.ipynb").write_text(nbformat.writes(notebook_of(exercise)))
        shutil.copy(EXERCISES / NINJA / "kit" / f"{stem}.json", source / "kit" / f"{name}.json")
    config = folder / "nbgrader_config.py"
    if trusted:
        course.set_up(folder)
        config.write_text(config.read_text() + CONFIG)
    else:
        config.write_text('c = get_config()\nc.CourseDirectory.course_id = "plain"\n')
    made = Course(folder)
    made.nbgrader_in_turn(*(["generate_assignment", name] for name in (*exercises, *others)))
    return made


def answer_of(cell: Mapping[str, Any]) -> str:
    return str(cell.get("id", "")).partition("-answer-")[2]


def filled(released: Notebook, bodies: Mapping[str, str]) -> Notebook:
    """The released notebook with the bodies of some answers written in."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        if answer_of(cell) in bodies:
            head = "".join(cell["source"]).split("    # YOUR CODE HERE")[0]
            cell["source"] = head + bodies[answer_of(cell)]
    return notebook


def code(source: str) -> dict[str, Any]:
    """A code cell of a student's own."""
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": "own"}


def sums() -> Any:
    """A notebook that is not one of ours: an answer, two tests."""

    def cell(source: str, name: str, points: int = 0) -> Any:
        marks = {"grade": bool(points), "grade_id": name, "locked": bool(points), "solution": not points, "task": False}
        marks |= {"schema_version": 3, **({"points": points} if points else {})}
        return new_code_cell(source, id=name, metadata={"nbgrader": marks})

    answer = cell("### BEGIN SOLUTION\nx = 3\n### END SOLUTION", "x")
    return new_notebook(cells=[answer, cell("assert x == 3", "right", 4), cell("x / 2", "partly", 5)])
