"""Processes that tests start and look at, whatever else goes on and however the tests were started."""

from __future__ import annotations

import contextlib
import glob
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """A process with signals as at a terminal: what a shell starts in the background ignores SIGINT, and so do its children."""
    return subprocess.Popen(command, preexec_fn=_as_at_a_terminal, **options)


def _as_at_a_terminal() -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def children_of(pid: int) -> set[int]:
    """Those that a process has now, without what ends meanwhile."""
    found: set[int] = set()
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        with contextlib.suppress(OSError):
            found |= set(map(int, Path(task).read_text().split()))
    return found


def command_of(pid: int) -> bytes:
    """The command line of a process, empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
