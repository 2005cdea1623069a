"""The public face of the graders: a stub needs one name of it, `gradients`.

`graders.grade(folder, out)` grades a class. A name is loaded when it is asked for, so a stub starts quickly.
The face may name any room, inside a function. docs/architecture.md shows the rooms in order; `verdict/grader.py` is
the way that all checks share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., object])


def gradients(*targets: str) -> Callable[[F], F]:
    """Say that a function returns several gradients: those of the loss with respect to `targets`, in this order."""

    def mark(function: F) -> F:
        return function

    return mark


def __getattr__(name: str) -> Any:
    if name == "grade":
        from graders.report.publish import grade_and_publish

        return grade_and_publish
    raise AttributeError(f"module 'graders' has no attribute {name!r}")
