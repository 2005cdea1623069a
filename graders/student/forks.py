"""A process for a student's code: forked from this one where that is safe, else from a spare one.

A fork of a process that computed in several threads hangs as soon as it does so too: its threads are not copied. So
this file is imported before anything is computed, where that can be had, and counts threads.
"""

import os
import sys

TORCH_WAS_THERE = "torch" in sys.modules  # then something may have been computed before

import contextlib  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from typing import Any, NoReturn  # noqa: E402

import numpy  # noqa: E402, F401  (starts threads of its own, which are safe to fork)
import torch  # noqa: E402, F401

from graders.student.link import Link  # noqa: E402

LAST_WORDS = 1 << 16  # bytes
PIDFD = hasattr(os, "pidfd_open")


def threads() -> int:
    """How many threads this process has, those of libraries included; 0 where that is not told."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


QUIET = 1 if TORCH_WAS_THERE else threads()


def can_fork() -> bool:
    """Whether forks serve here at all. Not on macOS, whose own libraries forbid it beside torch."""
    if not PIDFD or sys.platform != "linux" or not threads():
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # an old kernel
        return False
    return True


def is_quiet() -> bool:
    """Whether this process has computed in one thread only, so that it may be forked itself."""
    return threads() <= QUIET


def is_debugged() -> bool:
    """Whether somebody follows the code of this process line by line."""
    monitoring = getattr(sys, "monitoring", None)
    return sys.gettrace() is not None or bool(monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID))


@dataclass(frozen=True)
class Ends:
    """The files of a forked process: the link to who asks, where prints go, and where it says its last lines."""

    link: int
    out: int
    err: int
    last: int

    def close(self) -> None:
        for number in (self.link, self.out, self.err, self.last):
            os.close(number)


Serve = Callable[[Ends, dict[int, Mapping[str, Any]]], NoReturn]


@dataclass
class Fork:
    """A forked process, from outside. `ended` waits for its end: its wait status and the most memory that it had."""

    pid: int
    link: Link
    out: int
    err: int
    last: int
    ended: Callable[[], tuple[int, int]]
    values: dict[int, Mapping[str, Any]] = field(default_factory=dict)  # that it has, by number
    end: int = -1

    def __post_init__(self) -> None:
        self.end = os.pidfd_open(self.pid)

    def computed(self) -> float:
        """Its processor time, in seconds; that of all its threads."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2)  # as the kernel numbers the clocks of processes
        except OSError:
            return 0.0

    def kill(self) -> tuple[int, int]:
        """End it, and all that it forked; what `ended` says. It may have ended before."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(self.pid, signal.SIGKILL)
        status = self.ended()
        self.link.end.close()
        for number in (self.out, self.err, self.last, self.end):
            os.close(number)
        return status

    def has_ended(self, seconds: float = 0) -> bool:
        """Whether it has, `seconds` from now at the latest."""
        return bool(select.select([self.end], [], [], seconds)[0])

    def last_words(self) -> str:
        """What it said of where it was, when it died or was asked to."""
        return os.pread(self.last, LAST_WORDS, 0).decode(errors="replace")


def pair() -> tuple[Ends, tuple[Link, int, int, int]]:
    """The files of a process to be, and the other ends of them."""
    here, there = socket.socketpair()
    (out, out_there), (err, err_there) = os.pipe(), os.pipe()
    with tempfile.TemporaryFile() as file:
        last, last_there = os.dup(file.fileno()), os.dup(file.fileno())
    for number in (out, err):
        os.set_blocking(number, False)
    return Ends(there.detach(), out_there, err_there, last_there), (Link(here), out, err, last)


def fork_here(serve: Serve, values: dict[int, Mapping[str, Any]]) -> Fork:
    """Fork this process. What `values` holds, the fork has too."""
    ends, mine = pair()
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # what waits there would be written twice
            stream.flush()  # type: ignore[union-attr]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads: they are numpy's own
        pid = os.fork()
    if pid == 0:
        serve(ends, values)
    ends.close()

    def ended() -> tuple[int, int]:
        _, status, usage = os.wait4(pid, 0)
        return status, usage.ru_maxrss * 1024

    return Fork(pid, *mine, ended, dict(values))
