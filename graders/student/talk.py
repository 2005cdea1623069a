"""A talk with one fork: it is given orders, its replies are waited for, and every end of it has an answer."""

import linecache
import os
import re
import select
import signal
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from graders.outcome import Outcome
from graders.student import time_limit
from graders.student.accidents import shown_lines
from graders.student.answer import Answer
from graders.student.forks import Fork
from graders.student.inside import LOST, SAY_WHERE, Done
from graders.words import Code, Reason, reason

OUTPUT = 1 << 20  # bytes that may be printed for one order; in class it is the whole file's
DYING = 0.5  # seconds for a fork that closed the link, to die; and for one that is asked where it is, to say so
MUCH = 4  # killed with more than a quarter of the machine's memory, it was killed for that
FRAME = re.compile(r'^  File "(.*)", line (\d+) in ', re.MULTILINE)  # as faulthandler writes it


class Ended(Exception):
    """The fork is dead, or had to be killed; `answer` says why."""

    def __init__(self, answer: Answer):
        self.answer = answer
        super().__init__(str(answer.reason))


class Talk:
    """`path` is the student's file, `limit` the seconds of processor time that one reply may take.

    Behind it stands a wall clock, as in time_limit.py.
    """

    def __init__(self, fork: Fork, path: Path, limit: float):
        self.fork, self.path, self.limit = fork, path, limit
        self.printed: list[tuple[int, bytes]] = []
        self._end = weakref.finalize(self, fork.kill)  # with this process, too

    def order(self, order: Any) -> Iterator[Any]:
        """The replies to an order, and Done. Raises Ended."""
        self.printed.clear()
        self.send(order)
        while True:
            reply = self._reply()
            yield reply
            if isinstance(reply, Done):
                return

    def send(self, order: Any) -> None:
        with suppress(OSError):  # it is gone: this shows when it is listened to
            self.fork.link.send(order)

    def end(self) -> tuple[int, int]:
        return self._end() or (0, 0)

    def show(self) -> None:
        """Print here what was printed there."""
        for stream, descriptor in ((sys.stdout, self.fork.out), (sys.stderr, self.fork.err)):
            text = b"".join(data for source, data in self.printed if source == descriptor).decode(errors="replace")
            if text:
                stream.write(text)
        self.printed.clear()

    def _reply(self) -> Any:
        fork = self.fork
        if reply := self._message():
            return reply[0]
        enough, until = fork.computed() + self.limit, time.monotonic() + time_limit.PATIENCE * self.limit
        poll = select.poll()
        for source in (fork.link.fileno(), fork.out, fork.err, fork.end):
            poll.register(source, select.POLLIN)
        while True:
            computing, patience = enough - fork.computed(), until - time.monotonic()
            if min(computing, patience) <= 0:
                raise self._out_of_time(computing <= 0)
            wait = max(min(computing, patience), time_limit.TICK)
            happened = {source for source, _ in poll.poll(wait * 1000)}
            for source in (fork.out, fork.err):
                if source in happened and not self._take(source):
                    poll.unregister(source)
            if fork.link.fileno() in happened:
                if not self._read():
                    raise self._died()
                if reply := self._message():
                    self._drain()
                    return reply[0]
            elif fork.end in happened:
                raise self._died()

    def _read(self) -> bool:
        """Take what has come. False where nothing more will come."""
        try:
            return self.fork.link.read()
        except OSError:
            return False

    def _message(self) -> tuple[Any, ...]:
        """The next message in a tuple, if it is complete."""
        try:
            return self.fork.link.next()
        except Exception:  # bytes that no fork of ours would send
            raise self._died() from None

    def _take(self, source: int) -> bool:
        """Keep what was printed. False where nothing more will come, or nothing is there."""
        try:
            data = os.read(source, 1 << 16)
        except BlockingIOError:
            return False
        self.printed.append((source, data))
        if sum(len(data) for _, data in self.printed) > OUTPUT:
            line = self._where()
            self.end()
            self.printed.clear()
            raise Ended(Answer(Outcome.OUTPUT_LIMIT, None, reason(Code.PRINTED_TOO_MUCH, bytes=OUTPUT), *line))
        return bool(data)

    def _drain(self) -> None:
        for source in (self.fork.out, self.fork.err):
            while self._take(source):
                pass

    def _out_of_time(self, computed: bool) -> Ended:
        line = self._where()
        self.end()
        if computed:
            return Ended(Answer(Outcome.TIME_OUT, None, reason(Code.STILL_RUNNING, seconds=self.limit), *line))
        waited = reason(Code.STILL_WAITING, seconds=time_limit.PATIENCE * self.limit)
        return Ended(Answer(Outcome.TIME_OUT, None, waited, *line))

    def _where(self) -> tuple[int, tuple[str, ...]]:
        """Where the student's code is now, if it says so."""
        with suppress(OSError):
            os.kill(self.fork.pid, SAY_WHERE)
            until = time.monotonic() + DYING
            while not self.fork.last_words().endswith("\n") and not self.fork.has_ended(time_limit.TICK):
                if time.monotonic() > until:
                    break
        return self._lines()

    def _lines(self) -> tuple[int, tuple[str, ...]]:
        """The student's own lines among the last words."""
        linecache.checkcache(str(self.path))
        found = [int(line) for file, line in FRAME.findall(self.fork.last_words()) if file == str(self.path)]
        return shown_lines([(line, linecache.getline(str(self.path), line)) for line in reversed(found)])

    def _died(self) -> Ended:
        """What its end says. One that lives on without a link is of no more use."""
        gone = self.fork.has_ended(DYING)
        with suppress(Ended):
            self._drain()
        lines = self._lines()
        status, memory = self.end()
        outcome, why = ending(status, memory) if gone else (Outcome.CRASH, Reason(Code.NO_ANSWER))
        return Ended(Answer(outcome, None, why, *lines))


def ending(status: int, memory: int) -> tuple[Outcome, Reason]:
    """What a wait status says of a fork that nobody here killed; `memory` is the most that it had, in bytes."""
    if not os.WIFSIGNALED(status):
        code = os.waitstatus_to_exitcode(status)
        return Outcome.CRASH, Reason(Code.NO_ANSWER) if code == LOST else reason(Code.ENDED_PROCESS, status=code)
    number = os.WTERMSIG(status)
    if number == signal.SIGKILL and memory > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MUCH:
        return Outcome.MEMORY, Reason(Code.KILLED)
    names = {known.value: known.name for known in signal.Signals}  # not every number has one
    return Outcome.CRASH, reason(Code.SIGNAL, signal=names.get(number, f"signal {number}"))
