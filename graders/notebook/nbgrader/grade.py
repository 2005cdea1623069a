"""In the place of nbgrader's Execute: answers go through the trusted path, and no kernel is started.

`NinjaGrade` writes the report into every test cell, and leaves the scores to NinjaSave (save_scores.py).
Notebooks that were not made by `backprop-ninja release` go through Execute as ever.
"""

from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader import utils
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from graders.exercise.kit import KitError
from graders.exercise.mistake import ExerciseError
from graders.files import told
from graders.grading import GradingError
from graders.grading.store import StoreError
from graders.notebook.nbgrader import feedback
from graders.notebook.nbgrader.rebuild import submitted_bytes
from graders.notebook.nbgrader.released import exercise_of, released_for
from graders.notebook.nbgrader.save_scores import OURS
from graders.notebook.nbgrader.session import Session, session
from graders.outcome import Outcome
from graders.sandbox.sandbox import SandboxError
from graders.submissions.cell_ids import grade_id, grade_id_of, split_id
from graders.submissions.notebook_module import Module, Unreadable, module_of
from graders.verdict.result import Result
from graders.words import Code, Reason, reason


class NinjaGrade(NbGraderPreprocessor):
    """Grades a notebook's answers in the sandbox."""

    exercises = Unicode("source", help="Folder with */kit/*.json, relative to the course.").tag(config=True)
    results = Unicode(
        "ninja_results", help="OUT of `backprop-ninja grade`: its results are taken, its secret is used."
    ).tag(config=True)
    secret = Unicode("", help="A file with the secret, if not the one in `results`.").tag(config=True)
    seconds = Float(10.0, help="Processor time for one call of one function.").tag(config=True)
    allow_class_c = Bool(False, help="Grade without isolation.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Raises GradingError, SandboxError or KitError where the course's set-up is at fault."""
        told = exercise_of(released_for(self.parent.parent, resources["nbgrader"]))
        if not told:
            return Execute(parent=self.parent).preprocess(nb, resources)
        session = self._session()
        exercise = session.identity(told)
        module = self._module(resources["nbgrader"], exercise, session)
        results, isolation = self._results(module, exercise, session)
        for problem in module.problems:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        drawn = {
            name: feedback.pictures_of(result, session.expected(exercise, name))
            for name, result in results.items()
            if result.difference
        }
        noted = _write(nb, told, results, drawn, self._missing(module))
        if isolation:
            self.log.info("%s: %s", resources["nbgrader"]["student"], feedback.graded_in(isolation))
        for line in noted["log"]:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], line)
        resources[OURS] = noted
        nb.cells.insert(0, new_markdown_cell(feedback.notice(module.problems, isolation), id="backprop-ninja-notice"))
        return nb, resources

    def problem(self) -> str:
        """What is at fault with the course's set-up, in a sentence; empty if nothing is."""
        try:
            self._session().begin()
        except (ExerciseError, GradingError, KitError, SandboxError, StoreError) as error:
            return str(error)
        except OSError as error:
            return told(error)
        return ""

    def _session(self) -> Session:
        course = Path(self.parent.parent.coursedir.root)
        secret = course / self.secret if self.secret else None
        return session(course / self.exercises, course / self.results, secret, self.seconds, self.allow_class_c)

    def _module(self, where: Any, exercise: str, session: Session) -> Module:
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.submitted_directory, where["student"], where["assignment"])
        try:
            content = submitted_bytes(Path(folder) / f"{where['notebook']}.ipynb")
        except Unreadable as error:
            return Module(exercise, b"", [str(error)])
        return module_of(content, exercise, {exercise: session.release(exercise)})

    def _results(self, module: Module, exercise: str, session: Session) -> tuple[dict[str, Result], str]:
        if not module.source:
            return {}, ""
        assessment = session.assess(exercise, module.source)
        return {result.item: result for result in assessment.results}, assessment.isolation

    def _missing(self, module: Module) -> Reason:
        """Why a test cell has no result: the notebook cannot be read, or the cell is none of ours."""
        if module.problems and not module.source:
            return reason(Code.UNREADABLE, text=module.problems[0])
        return Reason(Code.FOREIGN_CELL)


def _write(
    nb: Any, exercise: str, results: dict[str, Result], drawn: dict[str, str], missing: Reason
) -> dict[str, Any]:
    """Write the outputs of all test cells. Their scores (None: not graded), comments on answers, lines for the log.

    `looked_at` are cells that a person should look at, whatever their score: those that were not by hand.
    """
    scores: dict[str, float | None] = {}
    comments: dict[str, list[str]] = {}
    log, looked_at = [], []
    for cell in nb.cells:
        if not utils.is_grade(cell) or utils.is_solution(cell) or cell.cell_type != "code":
            continue
        found = split_id(grade_id_of(cell))
        name = found[2] if found and found[:2] == (exercise, "test") else ""
        marks = cell.metadata.nbgrader
        result = results.get(name) or Result(name, Outcome.NOT_GRADED, missing)
        cell.outputs = _outputs(result, drawn.get(name, ""))
        scores[marks["grade_id"]] = _score(result, float(marks["points"]))
        if result.outcome is Outcome.FORBIDDEN:
            looked_at.append(marks["grade_id"])
        if result.outcome is Outcome.FORBIDDEN or not result.outcome.graded:
            log.append(f"{marks['grade_id']} is {result.outcome.value}: {result.message}")
        if result.outcome.graded and result.outcome is not Outcome.NOT_ATTEMPTED:
            answer = grade_id(exercise, "answer", _function(cell.source))
            comments.setdefault(answer, []).append(feedback.short(result))
    return {"scores": scores, "comments": comments, "log": log, "looked_at": looked_at}


def _score(result: Result, points: float) -> float | None:
    if not result.outcome.graded:
        return None
    return points if result.right else 0.0


def _function(source: str) -> str:
    """`backward` of a test cell's check(backward, "dC")"""
    return source.partition("check(")[2].partition(",")[0].partition(")")[0].strip()


def _outputs(result: Result, picture: str) -> list[Any]:
    """The report as text, and a picture if there is one."""
    report = {"output_type": "stream", "name": "stdout", "text": feedback.report(result) + "\n"}
    shown = {"data": {"text/html": picture, "text/plain": "(heat maps)"}, "metadata": {}}
    outputs = [report, {"output_type": "display_data", **shown}] if picture else [report]
    return [from_dict(output) for output in outputs]
