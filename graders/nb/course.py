"""`configure` for the nbgrader_config.py of a course."""

from graders.notebook.nbgrader.course import configure as configure
