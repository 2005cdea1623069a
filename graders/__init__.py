"""Graders for backward passes written by hand. A stub needs one name of it: `gradients`.

`graders.grade(folder, out)` grades a class; it is loaded when it is asked for.
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
