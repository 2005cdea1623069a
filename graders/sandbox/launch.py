"""The supervisor's end of the zygote: start it, hand it one submission at a time."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from graders.sandbox.clock import Clock
from graders.sandbox.supervise import Listener, Lost, Run
from graders.sandbox.task import Limits
from graders.sandbox.wire import READY, Reader

START = 300.0  # seconds for importing torch on a slow disk, beside others that do so
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
        own = Path(__file__).resolve().parents[2]
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

    def run(self, task: int, most: Sequence[int], limits: Limits, whole: Clock) -> Run:
        """Give a child this task and listen to it until it ends. Raises Lost."""
        with contextlib.ExitStack() as stack:
            (result, result_end), (printed, printed_end) = os.pipe(), os.pipe()
            for descriptor in (result, printed):
                stack.callback(os.close, descriptor)
                os.set_blocking(descriptor, False)
                os.fchmod(descriptor, 0)  # or a child opens its end again by /proc/self/fd, and reads what it has said
            try:
                socket.send_fds(self._control, [b"F"], [task, result_end, printed_end])
            except OSError as error:
                raise Lost("the zygote is gone") from error
            finally:
                os.close(result_end)
                os.close(printed_end)
            return Listener(self._control, result, printed, Reader(most), limits, whole).listen()
