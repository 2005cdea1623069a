"""A spare process, started once, that has computed nothing: where this one may not be forked, that one is."""

import os
import select
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache

from graders.student.forks import Ends, Fork, Serve, pair, threads
from graders.student.link import Link

ORDER, READY = b"F", b"R"
BEGIN = "import sys; sys.path[:] = {path!r}; from graders.student.spare import main; main({descriptor})"


@cache
def started() -> socket.socket:
    """The way to the spare process, which ends with this one. It takes a second or two to load: call this ahead."""
    here, there = socket.socketpair()
    command = BEGIN.format(path=[os.path.abspath(folder) for folder in sys.path], descriptor=there.fileno())
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    null = subprocess.DEVNULL
    with there:
        subprocess.Popen(
            [sys.executable, "-c", command],
            env={**os.environ, **one},
            pass_fds=[there.fileno()],
            start_new_session=True,  # an interrupt is not for it
            stdin=null,
            stdout=null,
            stderr=null,
        )
    return here


@cache
def serves() -> bool:
    """Whether it is there. This waits for it, the first time."""
    try:
        return started().recv(1) == READY
    except OSError:
        return False


def fork() -> Fork:
    """A fork of the spare process, which serves as inside.py does."""
    control, (ends, mine) = started(), pair()
    word, word_there = socket.socketpair()
    with word_there:
        socket.send_fds(control, [ORDER], [ends.link, ends.out, ends.err, ends.last, word_there.fileno()])
    ends.close()
    said = Link(word)
    (pid,) = said.wait()

    def ended() -> tuple[int, int]:
        status = said.wait()
        word.close()
        return status[0] if status else (0, 0)

    return Fork(pid, *mine, ended)


def main(descriptor: int) -> None:
    """Of the spare process: fork when told to, tell how each fork ends, and end with the one who asks."""
    import numpy as np
    import torch

    from graders.exercise.forward import in_double
    from graders.student import carried  # noqa: F401  (not once a fork)
    from graders.student.inside import serve

    torch.set_num_threads(1)
    with in_double():
        torch.ones(3).sum()  # what is slow the first time
    np.random.get_state()
    assert threads() == 1
    control, forks = socket.socket(fileno=descriptor), dict[int, tuple[int, Link]]()
    control.sendall(READY)
    while True:
        ready: list[int] = select.select([descriptor, *forks], [], [])[0]
        for end in ready:
            if end == descriptor:
                order, files, _, _ = socket.recv_fds(control, 1, 5)
                if not order:
                    os._exit(0)
                _fork(serve, files, forks)
            else:
                _tell(*forks.pop(end))
                os.close(end)


def _fork(serve: Serve, files: list[int], forks: dict[int, tuple[int, Link]]) -> None:
    pid = os.fork()
    ends, word = Ends(*files[:4]), files[4]
    if pid == 0:
        os.close(word)
        serve(ends, {})
    ends.close()
    link = Link(socket.socket(fileno=word))
    with suppress(OSError):
        link.send(pid)
    forks[os.pidfd_open(pid)] = pid, link


def _tell(pid: int, link: Link) -> None:
    _, status, usage = os.wait4(pid, 0)
    with suppress(OSError):
        link.send((status, usage.ru_maxrss * 1024))
    link.end.close()
