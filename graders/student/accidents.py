"""Accidents in the student's code stay there: time limits, and process-wide settings put back afterwards."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import functools
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import torch
from torch.overrides import TorchFunctionMode

PATIENCE = 6  # behind a limit of processor time stands a wall clock, this many times as long
TICK = 0.01  # seconds; no look at a clock sooner after the last one


class TimeLimit(BaseException):
    """Raised in the student's code when its time is up; a BaseException, so `except Exception` lets it pass."""


class Waited(TimeLimit):
    """The wall clock ran out, and the processor time did not: the code waits, or a thread of its own computes."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimit in this thread after `seconds` of its processor time, at the next bytecode.

    Only this thread's own time counts, so a right answer passes however busy the machine is. Code that waits gets
    Waited after PATIENCE times as long. Under a debugger nothing is raised. This works on every platform, unlike an
    alarm signal; a single call into C is interrupted only after it returns.
    """
    if sys.gettrace() is not None:
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


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one torch thread, and put back afterwards what was set.

    At an exercise's sizes more threads gain nothing, and on a busy machine they wait for each other.
    """
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """Put back torch's default dtype and grad mode, and turn a hard exit of the process into SystemExit."""

    def refuse(code: int = 0, *_: object) -> NoReturn:
        raise SystemExit(code)

    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    hard_exit, abort = os._exit, os.abort
    os._exit, os.abort = refuse, refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit, os.abort = hard_exit, abort
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)


class _Double(TorchFunctionMode):
    """Every request for float32 is served in float64."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in (kwargs or {}).items()}
        return function(*args, **kwargs)


@contextlib.contextmanager
def in_double() -> Iterator[None]:
    """Run code that was written for float32 in float64: torch.zeros, torch.tensor, .float() and their like.

    The formula is what is checked, so `F.one_hot(x).float() @ y` must not fail because y is float64 here.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _Double():
            yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def functions_kept() -> Iterator[None]:
    """Undo what a module's import replaced in torch or the builtins, so that it cannot touch the others."""
    owners = (torch, torch.nn.functional, torch.Tensor, builtins)
    before = [dict(vars(owner)) for owner in owners]
    try:
        yield
    finally:
        for owner, attributes in zip(owners, before, strict=True):
            for name, value in list(vars(owner).items()):
                if name in attributes and attributes[name] is not value:
                    setattr(owner, name, attributes[name])
                elif name not in attributes and owner is torch.Tensor:  # hides what it inherits
                    delattr(owner, name)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """No prints, no breakpoints: for calls that repeat one which the student has already seen."""
    hook = sys.breakpointhook
    sys.breakpointhook = lambda *args, **kwargs: None
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        sys.breakpointhook = hook
