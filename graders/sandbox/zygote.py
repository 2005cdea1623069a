"""A process with torch imported and warmed and nothing secret in it, which forks a child a submission.

It reads one byte at a time from the supervisor: F (with three descriptors) forks, C asks for the child's
processor time, K kills the child. It answers with the kernel's word on that time, and on how the child
ended. Orders that come too late for a child are ignored. It holds no data of any submission.
"""

import ast
import contextlib
import gc
import importlib
import os
import pwd
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import graders.names
from graders.sandbox import child, confine
from graders.sandbox.by_hand import Watch
from graders.sandbox.clock import processor_time
from graders.sandbox.wire import COMPUTED, ENDED, READY, WORD
from graders.student.accidents import attempted
from graders.student.answer import ask
from graders.student.guard import Guard
from graders.student.question import Question
from graders.student.rules import MODULES, screen

OUR_OWN = (
    "graders",
    "reference",
    "exercises",
    "backprop_ninja",
    "__editable__",
    "site-packages",
    "dist-packages",
)


def library_paths() -> Iterator[Path]:
    """Every package of the interpreter's library folders but this project's own."""
    data = Path(graders.names.__file__).parent / "data"
    yield from [data] if data.is_dir() else []
    for folder in {Path(entry).resolve() for entry in sys.path if entry}:
        if (folder.is_dir() and {"site-packages", "dist-packages", "lib-dynload"} & {folder.name}) or (
            (folder / "os.py").exists()
        ):
            entries = (entry for entry in folder.iterdir() if not entry.name.startswith(OUR_OWN))
            yield from (entry for entry in entries if entry.exists())


def locks(wanted: str) -> child.Locks:
    """In classes A and B all locks or Unavailable; in C what there is."""
    ruleset = program = None
    with contextlib.suppress(confine.Unavailable) if wanted == "C" else contextlib.nullcontext():
        program = confine.seccomp_filter()
        ruleset = confine.landlock_ruleset(library_paths())
    return child.Locks(confine.address_space(), ruleset, program)


def warm() -> None:
    """Whatever is slow or reads files the first time happens here, before the first fork."""
    for name in (*MODULES, "unicodedata"):  # the last is Python's own, for names with letters that are not ASCII
        importlib.import_module(name)
    text = "def f(x, w):\n    return (x @ w).sum(1, keepdim=True) * 2\ndef g(x):\n    raise ValueError\n"
    names: dict[str, object] = {}
    exec(compile(text, "warm", "exec"), names)
    guard = Guard(Path("warm"))
    watch = Watch(guard)
    screen(ast.parse(text))

    def attempt(action: Callable[[], Any]) -> Any:
        with watch.during(100):
            return guard.judged(lambda: attempted(action, Path("warm"), None))

    for dtype in (torch.float64, torch.float32):
        given = {"x": torch.randn(5, 3, dtype=dtype), "w": torch.randn(3, 4, dtype=dtype)}
        for name in ("f", "g"):
            function = names[name]
            assert callable(function)
            ask(function, Question(name, ("x",), given), attempt)
    torch.nn.functional.one_hot(torch.tensor([0, 1]), 2)
    np.random.seed(0)
    repr(torch.ones(1).numpy()), repr(torch.ones(1)), torch.manual_seed(0)
    gc.collect()
    gc.freeze()


def drop_root() -> None:
    """Never serve as root: a child that stayed root would own the machine's files."""
    if os.getuid() != 0 and os.geteuid() != 0:
        return
    nobody = pwd.getpwnam("nobody") if Path("/etc/passwd").exists() else None
    user, group = (nobody.pw_uid, nobody.pw_gid) if nobody else (65534, 65534)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def main(control: int, wanted: str) -> None:
    torch.set_num_threads(1)
    warm()
    ready = locks(wanted)
    if confine.LINUX:
        assert len(os.listdir("/proc/self/task")) == 1, "a second thread: forked children would hang"
        confine.prctl(confine.SUBREAPER, 1)
    drop_root()
    with socket.socket(fileno=control) as supervisor:
        supervisor.sendall(READY)
        while True:
            order, descriptors, _, _ = socket.recv_fds(supervisor, 1, 3)
            if not order:
                return
            if order == b"F" and len(descriptors) == 3:
                supervisor.sendall(WORD.pack(ENDED, *run(supervisor, ready, descriptors)))


def run(supervisor: socket.socket, ready: child.Locks, descriptors: list[int]) -> tuple[int, int]:
    """Fork a child, see to its end and to that of all it left. Its wait status and processor time."""
    pid = os.fork()
    if pid == 0:
        supervisor_fd = supervisor.detach()
        os.close(supervisor_fd)
        child.serve(ready, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    status, spent = wait(supervisor, pid)
    sweep(pid)
    return status, spent


def wait(supervisor: socket.socket, pid: int) -> tuple[int, int]:
    ended = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    watched = [supervisor.fileno()] + ([ended] if ended is not None else [])
    try:
        while True:
            happened = select.select(watched, [], [], 1.0 if ended is not None else 0.005)[0]
            if supervisor.fileno() in happened and not obey(supervisor, pid):
                watched.remove(supervisor.fileno())
            done, status, used = os.wait4(pid, os.WNOHANG)
            if done:
                return status, int(1e9 * (used.ru_utime + used.ru_stime))
    finally:
        if ended is not None:
            os.close(ended)


def obey(supervisor: socket.socket, pid: int) -> bool:
    """One order about a child that has not been waited for. False, and its end, if the supervisor is gone."""
    order = b""
    with contextlib.suppress(OSError):  # it went with answers of ours unread
        order = supervisor.recv(1)
    if order == COMPUTED:
        with contextlib.suppress(OSError):  # it went after asking: the next order will be none
            supervisor.sendall(WORD.pack(COMPUTED, 0, processor_time(pid)))
    else:
        os.kill(pid, signal.SIGKILL)
    return bool(order)


def sweep(pid: int) -> None:
    """Kill the child's group and whatever of it was handed to us, until nothing is left."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    for _ in range(200):
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        with contextlib.suppress(OSError):
            for left in children.read_text().split():
                os.kill(int(left), signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
        except ChildProcessError:
            return
