"""How nbgrader reads a submitted notebook of ours: never failing for what is in it. Others it reads as ever."""

import json
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.converters.base import NbGraderException
from traitlets import Bool

from graders.notebook.nbgrader.grade import NinjaGrade
from graders.notebook.nbgrader.rebuild import rebuild, submitted_bytes
from graders.notebook.nbgrader.released import exercise_of, ours_in, released_for
from graders.submissions.notebook_module import Unreadable, cells_of


class SubmissionExporter(NotebookExporter):
    """In the place of Autograde.exporter_class, which calls it twice: to sanitize a notebook, then to grade it."""

    optimistic_validation = Bool(True).tag(config=True)  # once, after all preprocessors

    def __init__(self, *args: Any, **kw: Any) -> None:
        """Raises NbGraderException, before any notebook is touched, where the course's set-up is at fault.

        nbgrader ends with what was logged then; later, it would log a traceback for every student.
        """
        super().__init__(*args, **kw)
        coursedir = getattr(self.parent, "coursedir", None)
        if coursedir is not None and ours_in(coursedir.db_url, coursedir.assignment_id):
            problem = NinjaGrade(parent=self).problem()
            if problem:
                self.log.error("Nothing was graded: %s", problem)
                raise NbGraderException(problem)

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """A submission of ours is put together anew, and then needs no sanitizing."""
        where = (resources or {}).get("nbgrader")
        released = released_for(self.parent, where) if where else []
        if not exercise_of(released) or not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources=resources, **kw)
        try:
            cells = cells_of(submitted_bytes(Path(filename)))
        except Unreadable as error:
            self.log.warning("%s: %s", filename, error)
            cells = []
        resources = self._init_resources(resources)
        resources["output_extension"] = self.file_extension
        return written(rebuild(released, cells)), resources

    def from_file(self, file_stream: Any, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """A notebook that was put together anew is neither copied nor validated before it is complete."""
        where = (resources or {}).get("nbgrader")
        if not where or not exercise_of(released_for(self.parent, where)):
            return super().from_file(file_stream, resources=resources, **kw)
        notebook, resources = nbformat.from_dict(json.load(file_stream)), self._init_resources(resources)
        for preprocessor in self._preprocessors:
            notebook, resources = preprocessor(notebook, resources)
        nbformat.validate(notebook, relax_add_props=True)
        resources["output_suffix"] = ".nbconvert"
        return written(notebook), resources


def written(notebook: Any) -> str:
    """A notebook as JSON, a cell a line: nbformat's own writing takes three times as long as the grading around it."""
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in notebook["cells"])
    rest = json.dumps({name: value for name, value in notebook.items() if name != "cells"}, ensure_ascii=False)
    return f'{{"cells": [\n{cells}\n],\n{rest[1:]}\n'
