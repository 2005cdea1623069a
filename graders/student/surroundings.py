"""What a student's function may change of its process, beside its answer: put back, or found out."""

import builtins
import gc
import locale
import math
import operator
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

PATCHED = (builtins, torch, torch.nn.functional, np, math)  # whose functions somebody may replace
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF) if hasattr(signal, "ITIMER_REAL") else ()
SIGNALS = sorted(signal.valid_signals()) if hasattr(signal, "valid_signals") else []


untrace, unprofile = sys.settrace, sys.setprofile


class Surroundings:
    """As they are when this is made."""

    def __init__(self) -> None:
        self._replaceable = [(vars(owner), dict(vars(owner))) for owner in PATCHED]
        self._methods = dict(vars(torch.Tensor))
        self._modules = dict(sys.modules)
        self._settings = settings()

    def put_back(self) -> bool:
        """Put back functions and modules that were replaced or are gone; whether there were any.

        This runs before any other code of ours: who knows what `len` is by now.
        """
        changed = False
        untrace(None)
        unprofile(None)
        for now, before in self._replaceable:
            if not same(now, before):
                now.update(before)  # a method of a dictionary: it needs no builtin function
                changed = True
        if not same(sys.modules, self._modules):
            sys.modules.update(self._modules)
            changed = True
        methods = vars(torch.Tensor)
        if not same(methods, self._methods) or len(methods) > len(self._methods):  # a new one hides what is inherited
            _put_methods_back(self._methods)
            changed = True
        return changed

    def differ(self) -> bool:
        """Whether a setting of the process is another one, or something was left behind."""
        try:
            return settings() != self._settings
        except Exception:  # such as a working folder that is gone
            return True


def same(
    now: Mapping[str, Any],
    before: Mapping[str, Any],
    map: Callable[..., Any] = map,
    all: Callable[..., bool] = all,
    is_: Callable[[Any, Any], bool] = operator.is_,
) -> bool:
    """Whether everything that was there still is. What came later stands behind it, and may be of torch's making."""
    return now.__len__() >= before.__len__() and all(map(is_, now.values(), before.values()))


def _put_methods_back(methods: Mapping[str, Any]) -> None:
    for name, value in list(vars(torch.Tensor).items()):
        if name not in methods:
            delattr(torch.Tensor, name)
        elif methods[name] is not value:
            setattr(torch.Tensor, name, methods[name])
    for name in methods.keys() - vars(torch.Tensor).keys():
        setattr(torch.Tensor, name, methods[name])


def settings() -> tuple[Any, ...]:
    """Settings of the whole process that another function would feel."""
    return (
        (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()),
        (torch.are_deterministic_algorithms_enabled(), torch.get_default_device()),
        (np.geterr(), np.geterrcall(), np.get_printoptions()),
        (list(warnings.filters), locale.setlocale(locale.LC_ALL), os.getcwd(), dict(os.environ)),
        (sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), sys.gettrace(), sys.getprofile()),
        (sys.stdin, sys.stdout, sys.stderr, sys.excepthook, sys.unraisablehook, sys.displayhook, list(sys.path)),
        [signal.getitimer(timer) == (0.0, 0.0) for timer in TIMERS],
        [signal.getsignal(number) for number in SIGNALS],
        (threading.active_count(), _threads(), [_file_behind(number) for number in range(3)]),
    )


def _threads() -> int:
    """Of this process, those of Python and all others; 0 where that cannot be read."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _file_behind(number: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino
