"""For nbgrader's SaveAutoGrades, AssignLatePenalties and CheckCellMetadata, where NinjaGrade graded a notebook.

"Not graded" is not 0 here: such a cell waits for a person. What was not by hand has its 0, and waits for one as well.
Reasons get into the gradebook as comments. All of a notebook is saved in one transaction; nbgrader's own takes one a
cell, and most of its time. Other notebooks are saved and checked as ever.
"""

from collections.abc import Mapping
from typing import Any

from nbgrader import utils
from nbgrader.api import BaseCell, Comment, Grade
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades

from graders.notebook.nbgrader.released import opened

OURS = "backprop_ninja"  # among nbgrader's resources: what NinjaGrade leaves for these


class NinjaSave(SaveAutoGrades):
    """Saves scores and comments."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        if OURS not in resources:
            return super().preprocess(nb, resources)
        where = resources["nbgrader"]
        with opened(where["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(where["notebook"], where["assignment"], where["student"])
            grades, comments = (_by_cell(gradebook, kind, notebook) for kind in (Grade, Comment))
            self._save(nb, resources[OURS], grades, comments)
            notebook.late_submission_penalty = None
            resources[OURS]["late"] = notebook.assignment.total_seconds_late > 0
            gradebook.db.commit()
        return nb, resources

    def _save(self, nb: Any, noted: Mapping[str, Any], grades: Mapping[str, Any], comments: Mapping[str, Any]) -> None:
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell):
                grade = grades[name]
                ours = name in noted["scores"]
                grade.auto_score = noted["scores"][name] if ours else utils.determine_grade(cell, self.log)[0]
                unsettled = grade.manual_score is not None or grade.auto_score is None
                grade.needs_manual_grade = unsettled or name in noted["looked_at"]
            if utils.is_solution(cell) or utils.is_task(cell):
                same = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                untouched = "No response." if same and not utils.is_task(cell) else None
                comments[name].auto_comment = "\n".join(noted["comments"].get(name, ())) or untouched


def _by_cell(gradebook: Any, kind: Any, notebook: Any) -> dict[str, Any]:
    rows = gradebook.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
    return dict(map(tuple, rows.filter(kind.notebook_id == notebook.id).all()))


class NinjaLate(AssignLatePenalties):
    """Asks for the penalty of those who are late; NinjaSave has seen who is."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        if not resources.get(OURS, {}).get("late", True):
            return nb, resources
        return super().preprocess(nb, resources)


class NinjaCheck(CheckCellMetadata):
    """Checks the marks of cells; those of ours were made from the gradebook a moment ago."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        if OURS in resources:
            return nb, resources
        return super().preprocess(nb, resources)
