"""The supervisor's end: questions to a submission of somebody nobody has reason to trust, and its answers.

    with Sandbox() as sandbox:
        answers = sandbox.answers(source, questions)

The submission runs in another process (zygote.py, child.py), locked in (confine.py). An answer's tensor is a claim that
the caller compares with the gradient; expected values never enter the other process, and may be computed after the
answer is in. How a child ended is the kernel's word, its time our clock's.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType

from graders.outcome import Outcome
from graders.sandbox.clock import Clock
from graders.sandbox.launch import Zygote
from graders.sandbox.outcome import Submission
from graders.sandbox.selftest import CLASSES, prove
from graders.sandbox.supervise import Lost, Run
from graders.sandbox.task import Limits, most_elements, pack
from graders.student.answer import Answer
from graders.student.question import Question
from graders.student.text import LONGEST_SOURCE
from graders.words import Code, Reason, reason

Answers = list[tuple[Answer, ...]]  # for each question an answer a gradient


class SandboxError(Exception):
    """No sandbox of the class that was asked for; the message says what is missing."""


class Sandbox:
    """A context manager that asks submissions, one at a time. `isolation` is what the self-test proved.

    A: bubblewrap, Landlock and seccomp. B: Landlock and seccomp. C: a separate process with limits, and
    whatever else the platform has. Asked for none, it takes the best one that there is.
    """

    def __init__(self, isolation: str | None = None, limits: Limits = Limits()):  # noqa: B008  frozen
        self.limits = limits
        self._zygote: Zygote | None = None
        self._ended = False
        missing: list[str] = []
        for wanted in (isolation,) if isolation else "ABC":
            self.isolation = wanted
            broken = self._broken()
            if not broken:
                self.report = " · ".join([f"isolation class {wanted}: {CLASSES[wanted]}", *missing])
                return
            self.close()
            missing.append(f"not {wanted}: {broken}")
        raise SandboxError("; ".join(missing))

    def _broken(self) -> str:
        """What keeps this machine from this class, by the self-test; empty if nothing does."""
        try:
            self._start()
            return prove(self._answers, self.isolation)
        except Lost as error:
            return str(error)

    def _start(self) -> Zygote:
        if self._ended:
            raise Lost("the run was ended")
        if self._zygote is None:
            self._zygote = Zygote(self.isolation)
        return self._zygote

    def required(self, allow_class_c: bool = False) -> Sandbox:
        """Itself, if it is good enough for other people's code. Raises SandboxError."""
        if self.isolation == "C" and not allow_class_c:
            self.close()
            raise SandboxError(f"{self.report}. This is no isolation for other people's code")
        return self

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def end(self) -> None:
        """Stop for good what another thread is asking here; whatever it still asks is a grader error."""
        self._ended = True
        if self._zygote is not None:
            self._zygote.process.kill()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answers(self, source: bytes, questions: Sequence[Question]) -> Answers:
        """For each question an answer a gradient. Does not raise for anything that a submission does.

        A function that killed its child, or had to be stopped, is not asked again: its later questions get the same
        answer. A module that does not load gives its outcome to all.
        """
        return self._answers(source, questions, self.limits)

    def _answers(self, source: bytes, questions: Sequence[Question], limits: Limits) -> Answers:
        if len(source) > LONGEST_SOURCE:
            too_long = Answer(Outcome.ERROR, reason=reason(Code.TOO_LONG, kilobytes=LONGEST_SOURCE // 1024))
            return [_for_all(too_long, question) for question in questions]
        found: dict[int, tuple[Answer, ...]] = {}
        submission, whole = Submission(source), Clock(limits.total_seconds, time.monotonic(), whole=True)
        retries = 1
        while len(found) < len(questions):
            left = {number: question for number, question in enumerate(questions) if number not in found}
            if over := whole.over():
                late = Answer(Outcome.TIME_OUT, reason=over)
                return [found.get(number) or _for_all(late, question) for number, question in enumerate(questions)]
            run = self._run(source, list(left.values()), limits, whole)
            faultless = run.outcome is Outcome.GRADER_ERROR
            if faultless and retries:
                retries -= 1
                continue
            found |= _heard(run, left, submission)
        return [found[number] for number in range(len(questions))]

    def _run(self, source: bytes, questions: Sequence[Question], limits: Limits, whole: Clock) -> Run:
        descriptor = sealed(pack(source, questions, limits))
        most = [most_elements(shape) for question in questions for shape in question.shapes]
        try:
            run = self._start().run(descriptor, most, limits, whole)
        except Lost as error:
            self.close()
            return Run([], Outcome.GRADER_ERROR, reason(Code.SANDBOX_FAILED, text=str(error)))
        finally:
            os.close(descriptor)
        if not run.claims and run.reason != Reason(Code.GARBLED):  # not even armed: nothing of the submission has run
            run.outcome, run.reason = Outcome.GRADER_ERROR, reason(Code.SANDBOX_FAILED, text=str(run.reason))
        return run


@dataclass(frozen=True)
class Sandboxed:
    """A submission in a sandbox, as a respondent."""

    sandbox: Sandbox
    source: bytes

    def answers(self, questions: Sequence[Question]) -> Answers:
        return self.sandbox.answers(self.source, questions)

    def line_of(self, function: str) -> int:
        """Not known: nothing here reads the submission as Python."""
        return 0


def _for_all(answer: Answer, question: Question) -> tuple[Answer, ...]:
    return (answer,) * len(question.targets)


def _heard(run: Run, left: dict[int, Question], submission: Submission) -> dict[int, tuple[Answer, ...]]:
    """What one child's run says of the questions that were left to it, at least of one."""
    ended = Answer(run.outcome, reason=run.reason, seconds=run.seconds)
    if len(run.claims) < 2:
        return {number: _for_all(ended, question) for number, question in left.items()}
    loading, *about_questions = run.claims[1:]
    if loading[0].outcome is not Outcome.ANSWERED:
        failed = submission.answer(*loading)
        return {number: _for_all(failed, question) for number, question in left.items()}
    found: dict[int, tuple[Answer, ...]] = {}
    claims = iter(about_questions)
    for number, question in left.items():
        own = list(islice(claims, len(question.targets)))
        if len(own) < len(question.targets):
            return found | _ended(ended, number, left, found)
        found[number] = tuple(submission.answer(*claim, question, index) for index, claim in enumerate(own))
    return found


def _ended(
    ended: Answer, culprit: int, left: dict[int, Question], found: dict[int, tuple[Answer, ...]]
) -> dict[int, tuple[Answer, ...]]:
    """The end of a child is the answer of the function that was asked, and of its further questions."""
    function = left[culprit].function
    same = [number for number, question in left.items() if number not in found and question.function == function]
    again = replace(ended, seconds=0.0)
    return {number: _for_all(ended if number == culprit else again, left[number]) for number in same}


def sealed(data: bytes) -> int:
    """A descriptor of a nameless file that holds `data`, which nobody can change where seals exist."""
    if sys.platform != "linux":
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            return os.dup(file.fileno())
    descriptor = os.memfd_create("task", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
