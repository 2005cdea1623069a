"""The supervisor: grade a submission of somebody nobody has reason to trust.

    with Sandbox() as sandbox:
        replies = sandbox.grade(source, cases, asks)

The submission runs in another process (zygote.py, child.py), locked in (confine.py). A reply's tensor is a
claim that the caller compares with the gradient; expected values never enter the other process, and may be
computed after the answer is in. How a child ended is the kernel's word, its time our clock's.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from graders.sandbox.clock import Clock
from graders.sandbox.launch import Zygote
from graders.sandbox.listen import Lost, Run
from graders.sandbox.outcome import Outcome
from graders.sandbox.selftest import CLASSES, prove
from graders.sandbox.wire import LONGEST_SOURCE, Ask, Claim, Limits, Reply, pack

__all__ = ["Ask", "Limits", "Outcome", "Reply", "Sandbox", "SandboxError"]


class SandboxError(Exception):
    """No sandbox of the class that was asked for; the message says what is missing."""


class Sandbox:
    """A context manager that grades submissions, one at a time. `isolation` is what the self-test proved.

    A: bubblewrap, Landlock and seccomp. B: Landlock and seccomp. C: a separate process with limits, and
    whatever else the platform has. Asked for none, it takes the best one that there is.
    """

    def __init__(
        self,
        isolation: str | None = None,
        limits: Limits = Limits(),  # noqa: B008  frozen
        static_check: bool = True,
        watch: bool = True,
    ):
        self.limits, self.static_check, self.watch = limits, static_check, watch
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
            return prove(self._grade, self.isolation)
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
        """Stop for good what another thread is grading here; whatever it still asks for is a grader error."""
        self._ended = True
        if self._zygote is not None:
            self._zygote.process.kill()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def grade(self, source: bytes, cases: Sequence[Mapping[str, Any]], asks: Sequence[Ask]) -> list[Reply]:
        """A reply for every ask. Does not raise for anything that a submission does.

        A function that killed its child, or had to be stopped, is not asked again: its later asks get the
        same outcome. A module that does not load gives its outcome to all.
        """
        return self._grade(source, cases, asks, self.limits, self.static_check, self.watch)

    def _grade(
        self,
        source: bytes,
        cases: Sequence[Mapping[str, Any]],
        asks: Sequence[Ask],
        limits: Limits,
        static_check: bool,
        watch: bool,
    ) -> list[Reply]:
        if len(source) > LONGEST_SOURCE:
            too_long = f"the file is longer than {LONGEST_SOURCE // 1024} kB"
            return [Reply(Outcome.ERROR, message=too_long)] * len(asks)
        replies: dict[int, Reply] = {}
        whole = Clock(limits.total_seconds, time.monotonic(), what=" for the whole file")
        retries = 1
        while len(replies) < len(asks):
            left = [number for number in range(len(asks)) if number not in replies]
            if said := whole.over():
                replies |= dict.fromkeys(left, Reply(Outcome.TIME_OUT, message=said))
                break
            task = pack(source, cases, [asks[n] for n in left], limits, static_check, watch)
            run = self._run(task, [asks[n].most_elements for n in left], limits, whole)
            faultless = run.outcome is Outcome.GRADER_ERROR
            if faultless and retries:
                retries -= 1
                continue
            replies |= _replies(run, left, asks)
        return [replies[number] for number in range(len(asks))]

    def _run(self, task: bytes, most: list[int], limits: Limits, whole: Clock) -> Run:
        descriptor = sealed(task)
        try:
            run = self._start().run(descriptor, most, limits, whole)
        except Lost as error:
            self.close()
            return Run([], Outcome.GRADER_ERROR, f"the sandbox failed: {error}")
        finally:
            os.close(descriptor)
        if not run.claims:  # not even armed: nothing of the submission has run
            run.outcome, run.message = Outcome.GRADER_ERROR, f"the sandbox failed: {run.message}"
        return run


def _replies(run: Run, left: list[int], asks: Sequence[Ask]) -> dict[int, Reply]:
    """What one child's run says of the asks that were left to it, given as numbers; at least one."""
    ended = Reply(run.outcome, message=run.message, seconds=run.seconds)
    about_asks = run.claims[2:]
    loading = run.claims[1] if len(run.claims) > 1 else None
    if loading is None:
        return dict.fromkeys(left, ended)
    if loading[0].outcome is not Outcome.ANSWERED:
        return dict.fromkeys(left, _reply(*loading))
    replies = {left[claim.ask]: _reply(claim, seconds) for claim, seconds in about_asks}
    if len(replies) < len(left):
        culprit = left[len(replies)]
        same = [n for n in left if n not in replies and asks[n].function == asks[culprit].function]
        replies |= {n: ended if n == culprit else replace(ended, seconds=0.0) for n in same}
    return replies


def _reply(claim: Claim, seconds: float) -> Reply:
    answer = claim.tensor() if claim.outcome is Outcome.ANSWERED and claim.ask >= 0 else None
    return Reply(claim.outcome, answer, claim.message, claim.line, claim.frames, seconds)


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
