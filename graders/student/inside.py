"""The fork of a self-check, from within: it loads a student's module and answers, until it is killed.

Whatever the student's code does to this process, the one that checks lives on. See forked.py for the other side.
"""

import ctypes
import dataclasses
import faulthandler
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO

import torch
from torch import Tensor

from graders.outcome import Outcome
from graders.student.accidents import accident, attempted
from graders.student.answer import Answer, Function
from graders.student.forks import Ends
from graders.student.guard import Guard
from graders.student.link import Link
from graders.student.module import InProcess, Student, load_student
from graders.student.question import Question
from graders.student.surroundings import TIMERS, Surroundings
from graders.words import Code, Reason

LOST = 86  # the exit status of a fork that cannot say its answer any more
SAY_WHERE = signal.SIGUSR1  # asks where the student's code is; so do the deaths that can be told
TOLD = (signal.SIGTERM, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGHUP, signal.SIGXCPU)
DEATH_OF_PARENT = 1  # prctl's PR_SET_PDEATHSIG
LEAST_MEMORY = 2 << 30  # bytes

_exit, _getpid = os._exit, os.getpid  # as they are before anybody can replace them


@dataclass(frozen=True)
class Done:
    """All answers to an order are said. `changed`: the process is not what it was before."""

    changed: bool


@dataclass(frozen=True)
class Load:
    """The order to load a file."""

    path: Path
    release: str = ""

    def __call__(self, put_back: Callable[[], object]) -> Student:
        return load_student(self.path, None, put_back, self.release)


@dataclass(frozen=True)
class Values:
    """The order to keep the values of a case, which many questions share."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """The order to answer questions to one function; `cases` are the numbers of their values."""

    questions: list[Question]
    cases: list[int]


@dataclass(frozen=True)
class Trained:
    """The order to run a program with one function."""

    function: str
    program: Callable[[Function], Any]


def serve(ends: Ends, values: dict[int, Mapping[str, Any]]) -> NoReturn:
    """Run in a freshly forked process, which never returns from here."""
    try:
        _arm(ends)
        _Inside(ends, values).serve()
    finally:
        _exit(LOST)


def _arm(ends: Ends) -> None:
    with suppress(OSError):
        os.setpgid(0, 0)  # a Ctrl-C is for the self-check alone
    ctypes.CDLL(None).prctl(DEATH_OF_PARENT, signal.SIGKILL)
    for number in (*TOLD, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory()
    faulthandler.enable(ends.last, all_threads=False)
    faulthandler.register(SAY_WHERE, ends.last, all_threads=False)
    for number in TOLD:
        faulthandler.register(number, ends.last, all_threads=False, chain=True)
    sys.excepthook, sys.unraisablehook = sys.__excepthook__, sys.__unraisablehook__
    threading.excepthook = threading.__excepthook__
    torch.set_num_threads(1)


def _limit_memory() -> None:
    """Half of what the machine has, beside what is mapped already; and the system ends this process first."""
    with suppress(OSError, ValueError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(OSError, ValueError):
        page = os.sysconf("SC_PAGE_SIZE")
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * page
        most = mapped + max(LEAST_MEMORY, page * os.sysconf("SC_PHYS_PAGES") // 2)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


@dataclass
class _Asked(InProcess):
    """A student's module, asked in a process that may be spoilt; the self-check holds the clock."""

    around: Surroundings = field(kw_only=True)
    patched: bool = False

    def attempt(self, action: Callable[[], Any]) -> Any:
        def put_back_at_once() -> Any:
            try:
                return action()
            finally:
                self.patched |= self.around.put_back()

        rules = self.student.rules or Guard(self.student.path)
        try:
            return rules.judged(lambda: attempted(put_back_at_once, self.student.path, None))
        except KeyboardInterrupt as error:  # nobody pressed a key: the user's own is for the self-check
            return accident(error, self.student.path)


class _Inside:
    """Takes orders. A fork that the student's own code makes of this process does not get back to here."""

    def __init__(self, ends: Ends, values: dict[int, Mapping[str, Any]]):
        self.ends, self.values, self.pid = ends, values, _getpid()
        self.null = os.open(os.devnull, os.O_RDONLY)
        self.link = Link(socket.socket(fileno=ends.link))

    def serve(self) -> None:
        self._streams()
        (load,) = self.link.wait()
        around = Surroundings()
        try:
            student: Student = load(around.put_back)
        except KeyboardInterrupt as error:
            student = Student(load.path, "", fault=accident(error, load.path))
        for timer in TIMERS:
            signal.setitimer(timer, 0)
        self._flush()
        self._streams()
        self.asked = _Asked(student, around=Surroundings())
        self._say(dataclasses.replace(student, functions={}, rules=None))
        self._say(Done(False))
        while order := self.link.wait():
            if isinstance(order[0], Values):
                self.values[order[0].number] = order[0].values
                continue
            for reply in self._replies(order[0]):
                self._flush()
                self._say(reply)
            self._say(Done(self.asked.patched or self.asked.around.differ()))
        _exit(0)

    def _replies(self, order: Any) -> Iterator[Any]:
        match order:
            case Asked(questions, cases):
                full = [dataclasses.replace(q, values=self.values[n]) for q, n in zip(questions, cases, strict=True)]
                for answers in self.asked.each(full):
                    yield tuple(map(plain, answers))
            case Trained(function, program):
                yield plain(self.asked.trained(function, program))

    def _say(self, message: Any) -> None:
        if _getpid() != self.pid:
            _exit(0)
        try:
            self.link.send(message)
        except OSError:
            _exit(LOST)

    def _streams(self) -> None:
        """Standard streams of its own: nothing to read, and prints go to the self-check."""
        for source, target in ((self.null, 0), (self.ends.out, 1), (self.ends.err, 2)):
            with suppress(OSError):  # no file may be opened any more, and this one still is
                os.dup2(source, target)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout, sys.stderr = map(_written_to, (1, 2))

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # it may be of the student's making
                stream.flush()


def _written_to(number: int) -> TextIO:
    """Line by line, so that little is lost in a crash."""
    return open(number, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def plain(value: Any) -> Any:
    """An answer that can be sent: its tensor is of torch's own class, and it holds no exception."""
    if isinstance(value, Answer) and value.error is not None:
        value = dataclasses.replace(value, error=None)
    if isinstance(value, Answer) and value.tensor is not None and type(value.tensor) is not Tensor:
        try:
            return dataclasses.replace(value, tensor=value.tensor.as_subclass(Tensor))
        except Exception:
            return Answer(Outcome.CRASH, reason=Reason(Code.NO_ANSWER))
    return value
