"""Notebooks: made from the exercises, checked while one writes them, graded under nbgrader without a kernel.

A student's notebook needs one name of it: `check`. Only exporter.py and preprocessor.py import nbgrader.
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
