"""A machine that has too much to do: processes kept on one core, and others that compute beside them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tests.support.processes import children_of

BURN = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def pinned(processes: Iterable[int]) -> Iterator[None]:
    """Keep these processes, and what they start, on one core."""
    before = {pid: os.sched_getaffinity(pid) for pid in processes}
    core = {min(os.sched_getaffinity(0))}
    try:
        for pid in before:
            os.sched_setaffinity(pid, core)
        yield
    finally:
        for pid, cores in before.items():
            os.sched_setaffinity(pid, cores)


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and theirs."""
    children = children_of(pid)
    return children.union(*map(descendants, children))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Beside this, `count` processes compute, on the cores of this process."""
    burning = [subprocess.Popen([sys.executable, "-S", "-c", BURN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()
