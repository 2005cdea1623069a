"""An nbgrader course that grades by the trusted path: `backprop-ninja course DIR` makes one.

An instructor who has a course adds two lines to its nbgrader_config.py:

    from graders.nb.course import configure
    configure(c)
"""

from pathlib import Path
from typing import Any

from graders.files import write_whole

CONFIG = """\
c = get_config()

c.CourseDirectory.course_id = "{name}"

from graders.nb.course import configure

configure(c)  # answers are graded in a sandbox, not in a kernel

# Results of `backprop-ninja grade submitted --out ninja_results --exercises source` are taken from there.
# c.NinjaGrade.results = "ninja_results"
"""
PREPROCESSORS = [
    "graders.notebook.nbgrader.grade.NinjaGrade",  # for Execute
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "graders.notebook.nbgrader.save_scores.NinjaSave",  # for SaveAutoGrades
    "graders.notebook.nbgrader.save_scores.NinjaLate",  # for AssignLatePenalties
    "graders.notebook.nbgrader.save_scores.NinjaCheck",  # for CheckCellMetadata
]


def configure(c: Any) -> None:
    """Put our preprocessors and our reader into an nbgrader configuration; assignments of others are not touched."""
    c.Autograde.exporter_class = "graders.notebook.nbgrader.exporter.SubmissionExporter"
    c.Autograde.autograde_preprocessors = list(PREPROCESSORS)


def set_up(folder: Path) -> bool:
    """Write nbgrader_config.py unless there is one; whether it was written."""
    path = folder / "nbgrader_config.py"
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "_" for c in folder.resolve().name) or "course"
    write_whole(path, CONFIG.format(name=name))
    return True
