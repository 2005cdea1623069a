"""The supervisor listens to one child, holds its clocks, and decides when it has to end."""

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass, field

from graders.outcome import Outcome
from graders.sandbox.clock import QUIET_WHOLE, Clock
from graders.sandbox.task import Limits
from graders.sandbox.wire import COMPUTED, WORD, Claim, Garbled, Reader
from graders.words import Code, Reason, reason

TICKS = 0.1  # seconds, by which the kernel's two ways to count processor time may differ
END = 60.0  # seconds for the end of a child that was killed, on a machine that swaps


class Lost(Exception):
    """The zygote is gone, does not start, or does not answer."""


@dataclass
class Run:
    """What one child did: its claims with their times, and how it ended."""

    claims: list[tuple[Claim, float]] = field(default_factory=list)
    outcome: Outcome = Outcome.CRASH
    reason: Reason | None = None
    seconds: float = 0.0


@dataclass
class Listener:
    """Listens to one child; decides when it has to end, and reports how it did."""

    control: socket.socket
    result: int
    printed: int
    reader: Reader
    limits: Limits
    whole: Clock  # of the submission; earlier children may have used some of it
    run: Run = field(default_factory=Run)
    killed: bool = False
    output: int = 0
    asked: float | None = None  # when the zygote was asked for the child's processor time, until it answers

    def listen(self) -> Run:
        self.since = time.monotonic()
        self.call, self.known = Clock(self.limits.seconds, self.since), (self.since, 0.0)
        poll = select.poll()
        for descriptor in (self.result, self.printed, self.control.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            happened = self._wait(poll)
            for descriptor in (self.result, self.printed):
                if descriptor in happened and not self._take(descriptor):
                    poll.unregister(descriptor)
            if self.control.fileno() in happened and self._word():
                return self.run

    def _wait(self, poll: select.poll) -> set[int]:
        clocks = (self.call, self.whole)
        end = self.since + END if self.killed else min(clock.end for clock in clocks)
        asking = not self.killed and self.asked is None
        until = min(end, *(clock.due for clock in clocks)) if asking else end
        remaining = until - time.monotonic()
        if remaining > 0:
            return {descriptor for descriptor, _ in poll.poll(remaining * 1000 + 1)}
        if self.killed:
            raise Lost("the zygote does not answer")
        if time.monotonic() >= end:
            self._out_of_time()
        else:
            self.asked = time.monotonic()
            self._order(COMPUTED)
        return set()

    def _out_of_time(self) -> None:
        """Kill the child if a limit is reached, and the answer did not come while this process had to wait."""
        call = self.call
        self._take(self.result)
        why = self.whole.over() or self.call.over()
        if why and self.call is call:
            if call.quiet:
                self.whole.patience = QUIET_WHOLE
            self._kill(Outcome.TIME_OUT, why)

    def _kill(self, outcome: Outcome, why: Reason) -> None:
        if not self.killed:
            now = time.monotonic()
            self.killed, self.run.outcome, self.run.reason = True, outcome, why
            self.run.seconds, self.since = now - self.since, now
            self._order(b"K")

    def _order(self, order: bytes) -> None:
        with contextlib.suppress(OSError):  # it is gone: this shows when it is listened to
            self.control.sendall(order)

    def _take(self, descriptor: int) -> bool:
        """Read what is there; False when there is nothing more."""
        try:
            data = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            return False
        if descriptor == self.printed:
            self.output += len(data)
            if self.output > self.limits.output_bytes:
                self._kill(Outcome.OUTPUT_LIMIT, reason(Code.PRINTED_TOO_MUCH, bytes=self.limits.output_bytes))
        elif data and not self.killed:
            self._claims(data)
        return bool(data)

    def _claims(self, data: bytes) -> None:
        try:
            for claim in self.reader.feed(data):
                now = time.monotonic()
                self.run.claims.append((claim, now - self.since))
                self.since = now
                self.call = Clock(self.limits.seconds, now, self.known[1] + now - self.known[0])
        except Garbled:
            self._kill(Outcome.CRASH, Reason(Code.GARBLED))

    def _word(self) -> bool:
        """Read one message of the zygote's. True at the child's end, when all it said has been taken."""
        try:
            data = self.control.recv(WORD.size, socket.MSG_WAITALL)
        except OSError:
            data = b""
        if len(data) != WORD.size:
            raise Lost("the zygote died")
        kind, status, spent = WORD.unpack(data)
        if kind == COMPUTED:
            self._look(spent / 1e9 if spent >= 0 else None)
            return False
        while self._take(self.result):
            pass
        self.whole.child_ended(spent / 1e9)
        if not self.killed:
            self.run.outcome, self.run.reason = ending(status, spent / 1e9 >= self.limits.cpu_seconds - TICKS)
            self.run.seconds = time.monotonic() - self.since
        return True

    def _look(self, spent: float | None) -> None:
        asked, self.asked = self.asked, None
        if asked is None or self.killed:
            return
        for clock in (self.call, self.whole):
            clock.look(asked, spent)
        if spent is not None:
            self.known = asked, spent
        self._out_of_time()


def ending(status: int, used_up: bool) -> tuple[Outcome, Reason]:
    """What a wait status says of a child that was not killed for a reason of ours.

    `used_up`: its processor time was, and the kernel kills for that as well.
    """
    if not os.WIFSIGNALED(status):
        return Outcome.CRASH, reason(Code.ENDED_PROCESS, status=os.waitstatus_to_exitcode(status))
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU or (number == signal.SIGKILL and used_up):
        return Outcome.TIME_OUT, Reason(Code.CPU_USED_UP)
    if number == signal.SIGKILL:
        return Outcome.MEMORY, Reason(Code.KILLED)
    names = {known.value: known.name for known in signal.Signals}  # not every number has one
    return Outcome.CRASH, reason(Code.SIGNAL, signal=names.get(number, f"signal {number}"))
