"""One answer to one case, what it should have been, and what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from graders.oracle import compare
from graders.oracle.compare import Match
from graders.oracle.gradient import Branch, Oracle
from graders.student.module import Problem


@dataclass
class Trial:
    """Given the random upstream gradients of `oracle`, the student answered `answer` (or had a problem)."""

    oracle: Oracle
    target: str
    answer: Tensor | None
    problem: Problem | None = None

    @property
    def expected(self) -> Tensor:
        return self.oracle.expected(self.target)

    @cached_property
    def branches(self) -> list[Branch]:
        return self.oracle.branches(self.target)

    @cached_property
    def match(self) -> Match | None:
        return (
            None if self.answer is None else compare.match(self.answer, self.expected, self.oracle.scale(self.target))
        )

    @property
    def passes(self) -> bool:
        return self.match is not None and self.match.passes


@dataclass(frozen=True)
class Diagnosis:
    """A cause (a few words, for counting), a message in plain words, the student's lines if one raised."""

    cause: str
    message: str
    frames: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()  # causes of other descriptions that are as true
