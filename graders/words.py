"""The one table of sentences: what a code says, given its facts.

A `Reason` is a code with named facts. It travels as data, and becomes a sentence where somebody reads it. A code has
several sentences where not all of its facts are always known: the first one whose facts are all there is said. In class
grading, for instance, the text of a student's exception is never known, its type is.
"""

import string
from collections.abc import Iterable, Mapping
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
    SYNTAX = ("syntax error: {words} ({remedy})", "syntax error: {words}", "syntax error")
    READ_AS = ("the file is not plain UTF-8 and was read as {encoding}: save it as UTF-8",)
    NUL_BYTES = ("the file holds NUL bytes, so it is no Python text: save it as UTF-8",)
    NO_TEXT = ("the file is no text in any encoding that is known here: save it as UTF-8",)
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

    # --- the release that it was made from
    OTHER_RELEASE = (
        "this stub is of release {release} of the exercise, the kit beside it of release {present}: take the new stub "
        "and carry your functions over, or put the old kit back",
        "release {release} of this exercise is needed: the file was made from it, and its kit is not here",
    )
    NOT_IN_RELEASE = ("release {release} of this exercise, which the file was made from, has no {item}",)

    # --- what it asks for
    UNKNOWN_NAME = (
        "asks for `{name}`, which the forward pass does not have: did you mean `{close}`?",
        "asks for `{name}`, which the forward pass does not have: ask for names of the forward pass only.",
        "asks for a name that the forward pass does not have: ask for names of the forward pass only.",
    )
    OF_THE_FILE = (
        "asks for `{name}`, which stands in this file: take it out of the parameters, and use it as it is.",
        "asks for a name that stands in this file: take it out of the parameters, and use it as it is.",
    )
    NOT_UPSTREAM = (
        "asks for `{name}`, which is no upstream gradient of {target}: what arrives at it comes through {direct}",
    )
    THE_ANSWER = ("asks for `{name}`, the answer itself: compute it from {direct}",)

    # --- what it does
    RAISED = (
        "{text}: did you mean `{close}`?",
        "{text}: {shapes}",
        "{text}",
        "it raised {kind}: did you mean `{close}`?",
        "it raised {kind}",
        "it raised an exception",
    )
    NOT_ASKED_FOR = (
        "`{name}` is there in the forward pass, but {function} does not ask for it: add `{name}` to its parameters",
        "`{name}` is there in the forward pass, but is not asked for: add `{name}` to the parameters",
        "a name of the forward pass is not asked for: add it to the parameters",
    )
    NOT_HANDED_ON = (
        "`{name}` is known only where it is asked for: hand it to {helper} as an argument",
        "`{name}` is known only where it is asked for: hand it on as an argument",
        "a name of the forward pass is known only where it is asked for: hand it on as an argument",
    )
    UNDEFINED = (
        "`{name}` is not defined: did you mean `{close}`?",
        "`{name}` is not defined",
        "a name is not defined",
    )
    COMPARED = (
        "`{name}` is not defined: `==` compares, and `=` gives a name its value",
        "a name is not defined: `==` compares, and `=` gives a name its value",
    )
    OUTSIDE = (
        "`{name}` is not defined: this line stands outside of every function. Is it not indented?",
        "a name is not defined in a line outside of every function. Is it not indented?",
    )
    NO_VALUE_YET = ("`{name}` is used before it has a value", "a variable is used before it has a value")
    NOT_IMPORTED = (
        "`{name}` is not imported: write `{statement}` at the top of the file",
        "`{name}` is not imported: import it at the top of the file",
        "a module is not imported: import it at the top of the file",
    )
    CARET = ("`^` is no power in Python: write `**`",)
    CALLED = (
        "`{name}` is no function, and `{name}(...)` calls it: is an operator missing, as in `{name} * (...)`?",
        "something is called that is no function: is an operator missing before the bracket?",
    )
    NO_GRAD = (
        "`.grad` is None: autograd does not run here. What arrives is there by name: {direct}",
        "`.grad` is None: autograd does not run here. What arrives is asked for by name",
    )
    LEFTOVER_ABOVE = (
        "line {line} still raises NotImplementedError, so what stands below it is never reached: delete it",
    )
    LEFTOVER_BELOW = ("line {line} still raises NotImplementedError below your code: `return` the gradient instead",)
    STILL_RUNNING = ("still running after {seconds:.3g} s: an endless loop?",)
    FILE_TOO_SLOW = ("still running after {seconds:.3g} s for the whole file",)
    STILL_WAITING = ("still not back after {seconds:.3g} s: does it wait for something (input, sleep)?",)
    FILE_WAITS = ("{seconds:.3g} s were up for the whole file, a part of which waits for something (input, sleep)",)
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
    RETURNED_NONE = ("returned None: write `return {name}` at the end", "returned None: is the `return` missing?")
    RETURN_BEFORE_LAST = ("returned None: is the word `return` missing in the last line?",)
    RETURNED_PRINTED = ("returned None: `print` only shows a value, `return` gives it back",)
    RETURNED_NONE_VALUE = ("returned None: is there a value at the end of every way through the function?",)
    RETURNED_NUMBERS = (
        "returned values of type {kind}, which no tensor can hold",
        "returned values that no tensor can hold",
    )
    RETURNED_MASKED = ("returned a masked array, some of whose entries have no value: fill them, `.filled(0)`",)
    RETURNED_ONE_TUPLE = ("returned a tuple of 1: is there a comma at the end of the `return`? It makes a tuple.",)
    RETURNED_SEQUENCE = (
        "returned {what}: return one tensor (torch.tensor of numbers, torch.stack of tensors)",
        "returned an object of type {kind}: return one tensor (torch.tensor of numbers, torch.stack of tensors)",
        "returned several values: return one tensor (torch.tensor of numbers, torch.stack of tensors)",
    )
    RETURNED_FUNCTION = ("returned a function: are the brackets missing that call it?",)
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
        "{name} cannot be used here: torch, numpy, math and the like suffice",
        "this cannot be used here: torch, numpy, math and the like suffice",
    )
    ONE_FILE = (
        "{name} cannot be used: did you mean `{close}`?",
        "{name} cannot be used: one file is graded, with torch and numpy. Copy what you need of {name} into it",
        "this cannot be used: one file is graded, with torch and numpy. Copy what you need into it",
    )
    OTHER_FILE = (
        "`{name}` is for other files: one file is graded, and it reads and writes no other",
        "one file is graded, and it reads and writes no other",
    )
    AUTOGRAD = ("autograd is not by hand: work the gradient out and compute it",)
    BACKWARD_KERNEL = (
        "{name} is not by hand: work the gradient out and compute it",
        "a backward kernel of torch is not by hand: work the gradient out and compute it",
    )

    # --- what follows from the other items
    CULPRIT = ("the first culprit is {item}",)
    DEPARTS = (
        "step {step} is the first that departs: loss {mine:.6f}, autograd's {true:.6f}: {item} is wrong",
        "step {step} is the first that departs: loss {mine:.6f}, autograd's {true:.6f}",
        "{item} is not right, so the run departs",
    )

    # --- remarks on a text whose answer is not right
    UNREACHED = ("line {line} is never reached: line {before} ends the function before it",)
    LOOP_ENDS = ("the `return` in line {line} stands inside the loop, and ends it in its first round",)
    CARET_AT = ("in line {line} stands `^`, which is no power in Python: a power is `**`",)

    # --- remarks on what is right
    SHAPED = ("right, but shaped {got} for a {target} of {expected}: {remedy}",)
    KEEP_DIMENSION = ("keepdim=True keeps it",)
    DROP_DIMENSION = ("a dimension of size 1 is too many (keepdim=True?)",)
    RESHAPE = ("reshape it",)
    SINGLE_PRECISION = ("right to single precision: something inside is float32 (torch.zeros, torch.tensor?)",)
    MANY_OPERATIONS = ("took very many tensor operations: nested loops, or difference quotients",)
    FORWARD_CALLED = ("calls the forward pass",)
    COMPLEX_NUMBERS = ("computes with complex numbers",)
    NOT_BIT_FOR_BIT = ("not bit for bit: autograd's {kernels} kernel rounds in another order. Not graded",)

    # --- no verdict
    SANDBOX_FAILED = ("the sandbox failed: {text}",)
    GRADER_FAILED = ("the grader failed: {text}",)
    WORKER_DIED = ("the worker died each time that this was graded",)
    NOT_GRADED_YET = ("not graded yet",)
    NOT_HANDED_IN = ("nothing was handed in for {exercise}",)
    NOTHING_TO_GRADE = ("nothing that can be graded was handed in: {text}",)
    UNREADABLE = ("{text}",)
    FOREIGN_CELL = ("this cell is not one of backprop-ninja's: a person has to grade it",)


# remarks for an instructor: none of them is certain to be anything else than honest work
WORTH_A_LOOK = frozenset({Code.MANY_OPERATIONS, Code.FORWARD_CALLED, Code.COMPLEX_NUMBERS})


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


def joined(sentences: Iterable[object], between: str = "; ") -> str:
    """Several sentences as one: no full stop before what is between them."""
    *first, last = [str(sentence) for sentence in sentences] or [""]
    return between.join([*(sentence.rstrip(".") for sentence in first), last])


def to_plain(said: Reason) -> list[Any]:
    """As JSON values."""
    return [said.code.name, dict(said.facts)]


def from_plain(plain: Any) -> Reason:
    """What `to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    name, facts = plain
    if not isinstance(facts, Mapping) or not all(isinstance(fact, Fact) for fact in facts.values()):
        raise ValueError("no facts")
    said = Reason(Code[name], tuple((str(key), fact) for key, fact in facts.items()))
    str(said)  # a fact of the wrong kind raises ValueError here, not where somebody reads it
    return said
