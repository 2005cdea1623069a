"""Notebooks for students and for nbgrader: made from the exercises, checked on the spot, graded without a kernel.

It may import report/, authoring/, grading/ and what stands before them. A student's notebook needs one name: `check`.
Begin with `source` (an exercise as a notebook), `incell.check` (what a student calls), `nbgrader/` (grading). Only
files in nbgrader/ import nbgrader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graders.notebook.incell import check as check

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    """`check` brings torch with it; who only reads notebooks does without."""
    if name == "check":
        from graders.notebook.incell import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
