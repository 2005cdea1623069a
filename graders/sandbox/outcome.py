"""What is taken of a claim: its tensor, its code, and names that stand in a text that the supervisor has.

A submission could claim anything. So a sentence about it is composed here, from facts that were found out here: names
from the released stub, from the submission's own text or from Python, lines from the submission's own text, shapes and
limits from the question. What a submission was given cannot come out through its words.
"""

import builtins
import re
from dataclasses import dataclass
from functools import cached_property

from graders.outcome import Outcome
from graders.sandbox.python_says import of_python
from graders.sandbox.wire import NAMES, Claim
from graders.student.answer import Answer
from graders.student.question import Question
from graders.student.reading import remedy
from graders.student.text import printable
from graders.words import WORTH_A_LOOK, Code, Reason, reason

WORD = re.compile(r"[^\W\d]\w*")
DOTTED = re.compile(r"\.?[^\W\d]\w*(?:\.[^\W\d]\w*)*")
LINE_END = re.compile(r"\r\n|\r|\n")  # as Python counts lines
LONGEST_FRAME = 200
PYTHONS = frozenset(dir(builtins)) | {"NoneType", "function", "generator", "ndarray", "Tensor", "OutOfMemoryError"}
SAYABLE = frozenset(  # codes that a child may claim
    {
        *(Code.SYNTAX, Code.RAISED, Code.MISSING, Code.NOT_A_FUNCTION, Code.CHANGED_ARGUMENT),
        *(Code.UNKNOWN_NAME, Code.NOT_UPSTREAM, Code.THE_ANSWER, Code.OF_THE_FILE),
        *(Code.NOT_ASKED_FOR, Code.NOT_HANDED_ON, Code.UNDEFINED, Code.COMPARED, Code.NO_VALUE_YET, Code.NOT_IMPORTED),
        *(Code.OUTSIDE, Code.CARET, Code.CALLED, Code.NO_GRAD, Code.RETURNED_FUNCTION),
        *(Code.RETURNED_NONE, Code.RETURNED_NUMBERS, Code.RETURNED_OTHER, Code.RETURNED_COUNT, Code.RETURNED_COMPLEX),
        *(Code.RETURNED_SPARSE, Code.RETURNED_TOO_MUCH, Code.RETURNED_MASKED, Code.RETURN_BEFORE_LAST),
        *(Code.RETURNED_PRINTED, Code.RETURNED_NONE_VALUE, Code.RETURNED_ONE_TUPLE, Code.RETURNED_SEQUENCE),
        *(Code.NOT_BY_HAND, Code.NOT_NEEDED, Code.NO_IMPORT, Code.ONE_FILE, Code.OTHER_FILE, Code.AUTOGRAD),
        *(Code.BACKWARD_KERNEL,),
    }
)


@dataclass
class Submission:
    """The text of a submission: what its claims are held against."""

    source: bytes

    @cached_property
    def lines(self) -> list[str]:
        return LINE_END.split(self.source.decode("utf-8", "replace"))

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(WORD.findall(self.source.decode("utf-8", "replace")))

    @cached_property
    def _dotted(self) -> list[str]:
        return DOTTED.findall(self.source.decode("utf-8", "replace"))

    def admitted(self, name: str, question: Question | None) -> str | None:
        """A name that is known here, else None. With its dots it must stand in the text: words of it could spell."""
        if "." in name:
            stands = DOTTED.fullmatch(name) and any(f"{found}.".startswith(f"{name}.") for found in self._dotted)
            return name if stands else None
        known = self._words | PYTHONS | (question.offered.keys() | question.refused.keys() if question else set())
        return name if name in known else None

    def answer(self, claim: Claim, seconds: float, question: Question | None = None, index: int = 0) -> Answer:
        """The answer that a claim amounts to; `question` and `index` say what it answers, None that the module loads.

        A claim with a code that no child may use is one without a code.
        """
        if claim.outcome is Outcome.ANSWERED:
            remark = Reason(claim.code) if claim.code in WORTH_A_LOOK else None
            return Answer(claim.outcome, claim.tensor() if question else None, remark, seconds=seconds)
        why = self._reason(claim, question, index)
        line = claim.line if 0 < claim.line <= len(self.lines) else 0
        raised = claim.outcome is Outcome.FORBIDDEN or (why and why.code in (Code.RAISED, Code.SYNTAX))
        shown = printable(f"line {line}: {self.lines[line - 1].strip()}")[:LONGEST_FRAME]
        return Answer(claim.outcome, None, why, line, (shown,) if line and raised else (), seconds)

    def _reason(self, claim: Claim, question: Question | None, index: int) -> Reason | None:
        if claim.outcome is Outcome.NOT_ATTEMPTED:
            return None
        if claim.code not in SAYABLE:
            return Reason(Code.RAISED)
        names = dict(zip(NAMES, claim.names, strict=False))
        if question and claim.code in (Code.NOT_UPSTREAM, Code.THE_ANSWER):
            return question.refusal(names.get("name", "")) or Reason(Code.RAISED)
        words = of_python(names.pop("words", ""))
        facts: dict[str, str | int | None] = {key: self.admitted(name, question) for key, name in names.items() if name}
        facts |= {"words": words, "remedy": remedy(words) if words else None}
        if question:
            facts |= {"function": question.function, "count": len(question.targets), "target": question.targets[index]}
        return reason(claim.code, **facts)
