"""Accidents in the student's code stay there: time limits, and process-wide settings put back afterwards."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import torch
from torch.overrides import TorchFunctionMode


class TimeLimit(BaseException):
    """Raised in the student's code when its time is up; a BaseException, so `except Exception` lets it pass."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimit in this thread after `seconds`, at the next bytecode; never under a debugger.

    Works on every platform, unlike an alarm signal; a single call into C is interrupted only after it returns.
    """
    if sys.gettrace() is not None:
        yield
        return
    finished = False
    lock = threading.Lock()
    thread = ctypes.c_ulong(threading.get_ident())

    def expire() -> None:
        with lock:
            if not finished:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeLimit))

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    hook = sys.breakpointhook

    def stop_the_clock(*args: Any, **kwargs: Any) -> Any:
        timer.cancel()
        return hook(*args, **kwargs)

    sys.breakpointhook = stop_the_clock
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:  # from here on the timer can no longer fire
            finished = True
        sys.breakpointhook = hook


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
