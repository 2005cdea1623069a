"""One answer to one case, what it should have been, and what there is to say of it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from torch import Tensor

from graders.oracle import compare
from graders.oracle.compare import Match
from graders.oracle.gradient import Branch, Oracle
from graders.outcome import Outcome
from graders.student.answer import Answer


@dataclass
class Trial:
    """Given the random upstream gradients of `oracle`, this was answered.

    `strict` refuses a shape that is right only up to dimensions of size 1.
    """

    oracle: Oracle
    target: str
    given: Answer
    strict: bool = False

    @property
    def answer(self) -> Tensor | None:
        return self.given.tensor

    @property
    def problem(self) -> Answer | None:
        """Why there is no tensor."""
        return self.given if self.given.tensor is None else None

    @property
    def expected(self) -> Tensor:
        return self.oracle.expected(self.target)

    def answering(self, tensor: Tensor) -> Self:
        """The same question, were this the answer."""
        return replace(self, given=Answer(Outcome.ANSWERED, tensor))

    @property
    def branches(self) -> list[Branch]:
        return self.oracle.branches(self.target)

    @cached_property
    def match(self) -> Match | None:
        if self.answer is None:
            return None
        return compare.match(self.answer, self.expected, self.oracle.scale(self.target))

    @property
    def right(self) -> bool:
        """The right numbers, in a shape that is right up to dimensions of size 1."""
        return self.match in (Match.RIGHT, Match.ROUNDED)

    @property
    def passes(self) -> bool:
        """Right, and in the very shape if this is strict."""
        return self.right and (self._same_shape or not self.strict)

    @property
    def _same_shape(self) -> bool:
        return self.answer is not None and self.answer.shape == self.expected.shape


@dataclass(frozen=True)
class Diagnosis:
    """A cause (a few words, for counting), a message in plain words, the student's lines if one raised."""

    cause: str
    message: str
    frames: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()  # causes of other descriptions that are as true
