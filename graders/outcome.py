"""Everything that can come of an item: one enum, from the student's terminal to the gradebook."""

from enum import Enum


class Outcome(Enum):
    """What came of one item.

    ANSWERED is an answer that is not compared yet. EXACT, APPROXIMATE and FED_WRONG are PASSED with the lecture's line
    beside it, which only a module in this process gets. The last two are no verdict: nobody gets 0 points for them.
    """

    ANSWERED = "answered"
    EXACT = "exact"
    APPROXIMATE = "approximate"
    FED_WRONG = "right, fed a wrong upstream gradient"
    PASSED = "passed"
    WRONG = "wrong"
    WRONG_SHAPE = "wrong shape"
    NOT_ATTEMPTED = "not attempted"
    ERROR = "error"
    BAD_OUTPUT = "bad output"
    FORBIDDEN = "forbidden"
    TIME_OUT = "time out"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output limit"
    CRASH = "crash"
    GRADER_ERROR = "grader error"
    NOT_GRADED = "not graded"

    @property
    def right(self) -> bool:
        return self in (Outcome.EXACT, Outcome.APPROXIMATE, Outcome.FED_WRONG, Outcome.PASSED)

    @property
    def graded(self) -> bool:
        return self not in (Outcome.GRADER_ERROR, Outcome.NOT_GRADED)

    @property
    def state(self) -> str:
        """The word that a student's own check says: one of seven, in which every accident is an error."""
        return "error" if self in STOPPED or self is Outcome.BAD_OUTPUT else self.value

    @property
    def stopped(self) -> bool:
        """Whether something ended the call from outside: one such case settles the item."""
        return self in STOPPED


STOPPED = frozenset(
    {Outcome.FORBIDDEN, Outcome.TIME_OUT, Outcome.MEMORY, Outcome.OUTPUT_LIMIT, Outcome.CRASH, Outcome.GRADER_ERROR}
)
