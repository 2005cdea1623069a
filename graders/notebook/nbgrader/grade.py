"""In the place of nbgrader's Execute: answers go through the trusted path, and no kernel is started.

`NinjaGrade` writes what nbgrader looks for into every test cell: the report as text, the score as a plain number.
Notebooks that were not made by `backprop-ninja release` go through Execute as ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader import utils
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from graders.notebook.nbgrader import feedback
from graders.notebook.nbgrader.exporter import submitted_bytes
from graders.notebook.nbgrader.gradebook import exercise_of, released_for
from graders.notebook.nbgrader.save import OURS
from graders.notebook.nbgrader.session import Session, session
from graders.sandbox.outcome import Mark, Outcome
from graders.submissions.cells import grade_id, grade_id_of, split_id
from graders.submissions.notebook import Module, Unreadable, module_of


class NinjaGrade(NbGraderPreprocessor):  # type: ignore[misc]
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
        exercise = exercise_of(released_for(self.parent.parent, resources["nbgrader"]))
        if not exercise:
            executed: tuple[Any, Any] = Execute(parent=self.parent).preprocess(nb, resources)
            return executed
        session = self._session()
        module = self._module(resources["nbgrader"], exercise, session)
        marks, isolation = self._marks(module, exercise, session)
        for problem in module.problems:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        drawn = {
            name: feedback.pictures_of(mark, session.expected(exercise, name))
            for name, mark in marks.items()
            if mark.picture
        }
        noted = _write(nb, exercise, marks, drawn, self._reason(module))
        for line in noted["log"]:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], line)
        resources[OURS] = noted
        nb.cells.insert(0, new_markdown_cell(feedback.notice(module.problems, isolation), id="backprop-ninja-notice"))
        return nb, resources

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

    def _marks(self, module: Module, exercise: str, session: Session) -> tuple[dict[str, Mark], str]:
        if not module.source:
            return {}, ""
        assessment = session.assess(exercise, module.source)
        return {mark.gradient: mark for mark in assessment.marks}, assessment.isolation

    def _reason(self, module: Module) -> str:
        return module.problems[0] if module.problems and not module.source else ""


def _write(nb: Any, exercise: str, marks: dict[str, Mark], drawn: dict[str, str], unreadable: str) -> dict[str, Any]:
    """Write the outputs of all test cells. What is not graded, comments on answers, and lines for the log."""
    not_graded: set[str] = set()
    comments: dict[str, list[str]] = {}
    log = []
    for cell in nb.cells:
        if not utils.is_grade(cell) or utils.is_solution(cell) or cell.cell_type != "code":
            continue
        found = split_id(grade_id_of(cell))
        name = found[2] if found and found[:2] == (exercise, "test") else ""
        mark = marks.get(name) or Mark(name, Outcome.NOT_GRADED, unreadable or feedback.FOREIGN)
        cell.outputs = _outputs(mark, float(cell.metadata.nbgrader["points"]), drawn.get(name, ""))
        if not mark.outcome.graded:
            not_graded.add(cell.metadata.nbgrader["grade_id"])
            log.append(f"{cell.metadata.nbgrader['grade_id']} is {mark.outcome.value}: {mark.message}")
        elif mark.outcome is not Outcome.NOT_ATTEMPTED:
            answer = grade_id(exercise, "answer", _function(cell.source))
            comments.setdefault(answer, []).append(feedback.short(mark))
    return {"not_graded": not_graded, "comments": comments, "log": log}


def _function(source: str) -> str:
    """`backward` of a test cell's check(backward, "dC")"""
    return source.partition("check(")[2].partition(",")[0].partition(")")[0].strip()


def _outputs(mark: Mark, points: float, picture: str) -> list[Any]:
    """The report as text, a picture if there is one, the score as a number, of which nbgrader reads the first.

    Where there is no score an error stands in its place, lest it count as full marks.
    """
    report = {"output_type": "stream", "name": "stdout", "text": feedback.report(mark) + "\n"}
    if not mark.outcome.graded:
        told = {"ename": "NotGraded", "evalue": mark.message, "traceback": [f"NotGraded: {mark.message}"]}
        return [from_dict(report), from_dict({"output_type": "error", **told})]
    score = points if mark.outcome is Outcome.PASSED else 0.0
    value = {"data": {"text/plain": repr(max(0.0, min(score, points)))}, "metadata": {}, "execution_count": 1}
    shown = {"data": {"text/html": picture, "text/plain": "(heat maps)"}, "metadata": {}}
    outputs = [report, {"output_type": "display_data", **shown}] if picture else [report]
    return [from_dict(output) for output in (*outputs, {"output_type": "execute_result", **value})]
