"""The supervisor's end of the zygote: start it, hand it one submission at a time, hold the clock."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import graders
from graders.outcome import Outcome
from graders.sandbox.task import Limits
from graders.sandbox.wire import READY, STATUS, Claim, Garbled, Reader
from graders.words import Code, Reason, reason

START = 60.0  # seconds for importing torch on a slow disk
ENVIRONMENT = {  # all that the zygote sees; -I would do the same, but would ignore PYTHONMALLOC as well
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONMALLOC": "malloc",  # with this, huge pages, which a fork copies and an exit frees 3 times as fast
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")},
}
CODE = (
    "import sys; sys.path += {paths!r}; from graders.sandbox.zygote import main; "
    "sys.path[:] = [p for p in sys.path if p != {own!r}]; main({control}, {wanted!r})"
)


class Lost(Exception):
    """The zygote is gone, does not start, or does not answer."""


@dataclass
class Run:
    """What one child did: its claims with their times, and how it ended."""

    claims: list[tuple[Claim, float]] = field(default_factory=list)
    outcome: Outcome = Outcome.CRASH
    reason: Reason | None = None
    seconds: float = 0.0


def library_folders() -> list[str]:
    found = [Path(module.__file__ or "").resolve().parents[1] for module in (torch, np)]
    return [str(folder) for folder in dict.fromkeys(found)]


def bubblewrap(program: str, own: Path) -> list[str]:
    """A command prefix: new namespaces, and a file system that holds libraries and nothing else."""
    command = [program, "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid"]
    command += ["--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:  # the zygote itself drops to an unprivileged user, which a namespace would prevent
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", "/usr", "/usr"]
    for path in map(Path, ("/lib", "/lib64", "/lib32", "/bin")):
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    pages = "/sys/kernel/mm/transparent_hugepage"  # where malloc looks whether there are huge pages
    command += ["--ro-bind-try", pages, pages]
    executable = Path(sys.executable).resolve().parents[1]
    folders = [sys.prefix, sys.base_prefix, str(executable), *library_folders(), str(own / "graders")]
    for folder in dict.fromkeys(folders):
        if not folder.startswith("/usr/"):
            for above in list(Path(folder).parents)[-2::-1]:
                command += ["--perms", "0755", "--dir", str(above)]
            command += ["--ro-bind", folder, folder]
    return [*command, "--chdir", "/", "--"]


class Zygote:
    """One zygote process. Not for more than one thread."""

    def __init__(self, isolation: str):
        own = Path(graders.__file__ or "").resolve().parents[1]
        prefix: list[str] = []
        if isolation == "A":
            program = shutil.which("bwrap")
            if program is None:
                raise Lost("bubblewrap (bwrap) is not installed")
            prefix = bubblewrap(program, own)
        self._control, theirs = socket.socketpair()
        paths = [*library_folders(), str(own)]
        code = CODE.format(paths=paths, own=str(own), control=theirs.fileno(), wanted=isolation)
        with theirs, tempfile.TemporaryFile() as complaints:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-s", "-P", "-B", "-c", code],
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
            self._control.settimeout(START)
            with contextlib.suppress(OSError):
                if self._control.recv(1) == READY:
                    return
            self.close()
            complaints.seek(0)
            last = complaints.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
            raise Lost(last[-1][:200] if last else "it does not start")

    def close(self) -> None:
        """End it and, in bubblewrap, everything in its process namespace."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)
        self.process.kill()
        self.process.wait()

    def run(self, task: int, most: Sequence[int], limits: Limits, until: float) -> Run:
        """Give a child this task and listen to it until it ends. Raises Lost."""
        with contextlib.ExitStack() as stack:
            (result, result_end), (printed, printed_end) = os.pipe(), os.pipe()
            for descriptor in (result, printed):
                stack.callback(os.close, descriptor)
                os.set_blocking(descriptor, False)
            try:
                socket.send_fds(self._control, [b"F"], [task, result_end, printed_end])
            except OSError as error:
                raise Lost("the zygote is gone") from error
            finally:
                os.close(result_end)
                os.close(printed_end)
            return _Listener(self._control, result, printed, Reader(most), limits, until).listen()


@dataclass
class _Listener:
    """Listens to one child; decides when it has to end, and reports how it did."""

    control: socket.socket
    result: int
    printed: int
    reader: Reader
    limits: Limits
    until: float
    run: Run = field(default_factory=Run)
    killed: bool = False
    output: int = 0

    def listen(self) -> Run:
        self.since = time.monotonic()
        poll = select.poll()
        for descriptor in (self.result, self.printed, self.control.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            happened = self._wait(poll)
            for descriptor in (self.result, self.printed):
                if descriptor in happened and not self._take(descriptor):
                    poll.unregister(descriptor)
            if self.control.fileno() in happened:
                status = self._status()
                while self._take(self.result):
                    pass
                if not self.killed:
                    self.run.outcome, self.run.reason = ending(status)
                    self.run.seconds = time.monotonic() - self.since
                return self.run

    def _wait(self, poll: select.poll) -> set[int]:
        deadline = self.since + 10.0 if self.killed else min(self.since + self.limits.seconds, self.until)
        remaining = deadline - time.monotonic()
        if remaining > 0:
            return {descriptor for descriptor, _ in poll.poll(remaining * 1000 + 1)}
        if self.killed:
            raise Lost("the zygote does not answer")
        self._kill(Outcome.TIME_OUT, reason(Code.STILL_RUNNING, seconds=time.monotonic() - self.since))
        return set()

    def _kill(self, outcome: Outcome, why: Reason) -> None:
        if not self.killed:
            now = time.monotonic()
            self.killed, self.run.outcome, self.run.reason = True, outcome, why
            self.run.seconds, self.since = now - self.since, now
            with contextlib.suppress(OSError):
                self.control.sendall(b"K")

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
        except Garbled:
            self._kill(Outcome.CRASH, Reason(Code.GARBLED))

    def _status(self) -> int:
        try:
            data = self.control.recv(STATUS.size, socket.MSG_WAITALL)
        except OSError:
            data = b""
        if len(data) != STATUS.size:
            raise Lost("the zygote died")
        return int(STATUS.unpack(data)[0])


def ending(status: int) -> tuple[Outcome, Reason]:
    """What a wait status says of a child that was not killed for a reason of ours."""
    if not os.WIFSIGNALED(status):
        return Outcome.CRASH, reason(Code.ENDED_PROCESS, status=os.waitstatus_to_exitcode(status))
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return Outcome.TIME_OUT, Reason(Code.CPU_USED_UP)
    if number == signal.SIGKILL:
        return Outcome.MEMORY, Reason(Code.KILLED)
    return Outcome.CRASH, reason(Code.SIGNAL, signal=signal.Signals(number).name)
