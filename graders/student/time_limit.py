"""A limit on the time of a student's code, in the student's own process."""

import contextlib
import ctypes
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

PATIENCE = 6  # behind a limit of processor time stands a wall clock, this many times as long
TICK = 0.01  # seconds; no look at a clock sooner after the last one


class TimeLimit(BaseException):
    """Raised in the student's code when its time is up; a BaseException, so `except Exception` lets it pass."""


class Waited(TimeLimit):
    """The wall clock ran out, and the processor time did not: the code waits, or a thread of its own computes."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TimeLimit in this thread after `seconds` of its processor time, at the next bytecode.

    Only this thread's own time counts, so a right answer passes however busy the machine is. Code that waits gets
    Waited after PATIENCE times as long. Under a debugger, and with None, nothing is raised. This works on every
    platform, unlike an alarm signal; a single call into C is interrupted only after it returns.
    """
    if seconds is None or sys.gettrace() is not None:
        yield
        return
    watch, hook = _Watch(seconds), sys.breakpointhook

    def stop_the_clock(*args: Any, **kwargs: Any) -> Any:
        watch.stopped.set()
        return hook(*args, **kwargs)

    sys.breakpointhook = stop_the_clock
    threading.Thread(target=watch.run, daemon=True).start()
    try:
        yield
    finally:
        sys.breakpointhook = hook  # first: a limit that was just reached interrupts what follows
        watch.end()


class _Watch:
    """The clocks of the thread that makes it, read by another one, which raises in it the limit that is reached."""

    def __init__(self, seconds: float):
        self.seconds, self.stopped = seconds, threading.Event()
        self._thread, self._spent = threading.get_ident(), _processor_clock()
        self._enough, self._until = self._spent() + seconds, time.monotonic() + PATIENCE * seconds
        self._lock, self._ended = threading.Lock(), False

    def run(self) -> None:
        reached = self._wait()
        with self._lock:
            if reached and not self._ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(reached))

    def _wait(self) -> type[TimeLimit] | None:
        """Wait for the first limit. None if the clock was stopped before."""
        wait = self.seconds
        while not self.stopped.wait(wait):
            computing, waiting = self._enough - self._spent(), self._until - time.monotonic()
            if min(computing, waiting) <= 0:
                return TimeLimit if computing <= 0 else Waited
            wait = max(min(computing, waiting), TICK)
        return None

    def end(self) -> None:
        """From here on nothing is raised any more."""
        self.stopped.set()
        with self._lock:
            self._ended = True


def _processor_clock() -> Callable[[], float]:
    """Reads this thread's processor time, in any thread; that of the whole process where no more is known."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    return functools.partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))
