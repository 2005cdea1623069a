"""The one table of sentences: what a code says, given its facts.

A `Reason` is a code with named facts. It travels as data, and becomes a sentence where somebody reads it. A code has
several sentences where not all of its facts are always known: the first one whose facts are all there is said. In class
grading, for instance, the text of a student's exception is never known, its type is.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

Fact = str | int | float


class Code(Enum):
    """Why an item is as it is, or what there is to say of one that is right."""

    # --- a cause that was found: its sentence is data, of the diagnosis or of the exercise's author
    DIAGNOSIS = ("{sentence}",)

    # --- the file
    CANNOT_READ = ("cannot be read: {text}",)
    SYNTAX = ("syntax error: {words}", "syntax error")
    TOO_LONG = ("the file is longer than {kilobytes} kB",)
    MISSING = (
        "`def {function}({parameters})` is missing from {file}: put it back",
        "`def {function}` is missing from the submission: put it back",
    )
    NOT_A_FUNCTION = ("is not a plain function any more: write it as `def`",)
    GIVEN_LINE = ("line {line} of {function}() reads `{now}`, and was `{before}`",)
    GIVEN_SIGNATURE = ("{function}() at line {line} has other arguments or more or fewer lines",)
    GIVEN_GONE = ("{function} is gone",)
    GIVEN_CHANGED = ("given code was changed: {changes}. The checks use the original; undo this to be safe.",)

    # --- what it asks for
    UNKNOWN_NAME = (
        "asks for `{name}`, which the forward pass does not have: did you mean `{close}`?",
        "asks for `{name}`, which the forward pass does not have: ask for names of the forward pass only.",
        "asks for a name that the forward pass does not have: ask for names of the forward pass only.",
    )
    NOT_UPSTREAM = (
        "asks for `{name}`, which is no upstream gradient of {target}: what arrives at it comes through {direct}",
    )
    THE_ANSWER = ("asks for `{name}`, the answer itself: compute it from {direct}",)

    # --- what it does
    RAISED = ("{text}", "it raised {kind}", "it raised an exception")
    STILL_RUNNING = ("still running after {seconds:.3g} s: an endless loop?",)
    FILE_TOO_SLOW = ("still running after {seconds:.3g} s for the whole file",)
    STILL_WAITING = ("still not back after {seconds:.3g} s: does it wait for something (input, sleep)?",)
    CPU_USED_UP = ("used up its processor time",)
    CHANGED_ARGUMENT = (
        "changed its argument `{name}` in place: work on a copy, `{name}.clone()`",
        "changed an argument in place: work on a copy, `.clone()`",
    )
    PRINTED_TOO_MUCH = ("printed more than {bytes} bytes",)
    ENDED_PROCESS = ("ended the process (exit code {status})",)
    SIGNAL = ("died of {signal}",)
    KILLED = ("was killed by the system: out of memory?",)
    GARBLED = ("sent bytes that are no answer",)
    NO_ANSWER = ("its answer did not come back: does it close or replace something that it has not made?",)

    # --- what it returns
    RETURNED_NONE = ("returned None: is the `return` missing?",)
    RETURNED_NUMBERS = (
        "returned numbers of type {kind}, which no tensor can hold",
        "returned numbers that no tensor can hold",
    )
    RETURNED_OTHER = (
        "returned {what}: return one tensor",
        "returned an object of type {kind}: return one tensor",
        "returned something else than a tensor: return one",
    )
    RETURNED_COUNT = (
        "returned {what}: return {count} gradients, in the order of @gradients(...)",
        "returned another number of values: return {count} gradients, in the order of @gradients(...)",
    )
    RETURNED_COMPLEX = ("returned complex numbers: return a dense tensor of real numbers",)
    RETURNED_SPARSE = ("returned a sparse tensor: return a dense tensor of real numbers",)
    RETURNED_TOO_MUCH = ("returned a far larger tensor than {target}",)

    # --- not by hand
    NOT_BY_HAND = (
        "`{name}` is not by hand: work the gradient out and compute it",
        "this is not by hand: work the gradient out and compute it",
    )
    NOT_NEEDED = ("`{name}` is not needed here and not allowed", "this is not needed here and not allowed")
    NO_IMPORT = (
        "{name} cannot be imported here: torch, numpy, math and the like suffice",
        "this cannot be imported here: torch, numpy, math and the like suffice",
    )
    SPELLED_OUT = (
        "`{name}` is taken only with a name that is written out: {name}(x, 'shape')",
        "attributes are taken only by a name that is written out",
    )
    REQUIRES_GRAD = ("requires_grad is not by hand: work the gradient out and compute it",)
    GRAD_MODE = ("autograd is not by hand: work the gradient out and compute it",)
    BACKWARD_KERNEL = (
        "{name} is not by hand: work the gradient out and compute it",
        "a backward kernel of torch is not by hand: work the gradient out and compute it",
    )
    COMPLEX_NUMBERS = ("complex numbers have no place in this gradient: work it out in real ones",)
    TOO_MANY_OPERATIONS = ("takes far more operations than the gradient needs: work it out as a formula",)

    # --- what follows from the other items
    CULPRIT = ("the first culprit is {item}",)
    DEPARTS = (
        "step {step} is the first that departs: loss {mine:.6f}, autograd's {true:.6f}: {item} is wrong",
        "step {step} is the first that departs: loss {mine:.6f}, autograd's {true:.6f}",
        "{item} is not right, so the run departs",
    )

    # --- remarks on what is right
    SHAPED = ("right, but shaped {got} for a {target} of {expected}: {remedy}",)
    KEEP_DIMENSION = ("keepdim=True keeps it",)
    DROP_DIMENSION = ("a dimension of size 1 is too many (keepdim=True?)",)
    RESHAPE = ("reshape it",)
    SINGLE_PRECISION = ("right to single precision: something inside is float32 (torch.zeros, torch.tensor?)",)
    NOT_BIT_FOR_BIT = ("not bit for bit: autograd's {kernels} kernel rounds in another order. Not graded",)

    # --- no verdict
    SANDBOX_FAILED = ("the sandbox failed: {text}",)
    GRADER_FAILED = ("the grader failed: {text}",)
    WORKER_DIED = ("the worker died each time that this was graded",)
    NOT_GRADED_YET = ("not graded yet",)
    NOT_HANDED_IN = ("no {exercise}.py or {exercise}.ipynb was handed in",)
    UNREADABLE = ("{text}",)
    FOREIGN_CELL = ("this cell is not one of backprop-ninja's: a person has to grade it",)


@dataclass(frozen=True)
class Reason:
    """A code and its facts, in the order in which they were given."""

    code: Code
    facts: tuple[tuple[str, Fact], ...] = ()

    @property
    def cause(self) -> str:
        """A few words for counting, where a cause was found."""
        return str(dict(self.facts).get("cause", ""))

    def __str__(self) -> str:
        """The sentence. This is for people; no decision reads it."""
        facts = dict(self.facts)
        known = facts.keys()
        return next((text.format(**facts) for text in self.code.value if fields_of(text) <= known), "")


def reason(code: Code, **facts: Fact | None) -> Reason:
    """A reason with the facts that are known; None stands for one that is not."""
    return Reason(code, tuple((name, fact) for name, fact in facts.items() if fact is not None))


@cache
def fields_of(text: str) -> frozenset[str]:
    """The facts that a sentence needs."""
    return frozenset(field for _, field, _, _ in string.Formatter().parse(text) if field)


def to_plain(said: Reason) -> list[Any]:
    """As JSON values."""
    return [said.code.name, dict(said.facts)]


def from_plain(plain: Any) -> Reason:
    """What `to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    name, facts = plain
    if not isinstance(facts, Mapping) or not all(isinstance(fact, Fact) for fact in facts.values()):
        raise ValueError("no facts")
    return Reason(Code[name], tuple((str(key), fact) for key, fact in facts.items()))
