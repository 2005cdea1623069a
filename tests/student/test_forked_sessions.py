"""`pytest exercises/` lives on, whatever the student's code does, and ends at once where its user wants it to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.student.forked import Forked
from graders.student.forks import can_fork
from graders.student.module import InProcess
from graders.student.respondents import respondent_for
from tests.conftest import Folder
from tests.support.stubs import solutions

pytestmark = pytest.mark.skipif(not can_fork(), reason="forks do not serve here")

EX1 = "ex1_atomic"
RIGHT = solutions(EX1)
SYSTEM = "import random\nos = getattr(random, '_os')"  # os itself may not be imported
LOADED = f"{SYSTEM}\nmodules = getattr(getattr(os, 'sys'), 'modules')"
SEGFAULT = f"{LOADED}\nctypes = modules['ctypes']\nctypes.string_at(0)"
ACCIDENTS = {
    "dprobs": (SEGFAULT, "died of SIGSEGV"),
    "dcounts_sum": ("import itertools\nsum(itertools.count())", "still running after 1 s: an endless loop?"),
    "dcounts": ("while True: print('flood')", "printed more than 1048576 bytes"),
    "dlogit_maxes": (f"{SYSTEM}\nos.kill(os.getpid(), 9)", "died of SIGKILL"),
    "dh": ("torch.tanh = torch.Tensor.sum = None\nreturn dlogits @ W2.T", None),
    "dW2": ("return torch.ones(10**12)", "can't allocate memory"),
    "dhpreact": (f"{LOADED}\nmodules.clear()\nreturn (1 - h**2) * dh", "AttributeError"),
    "dbngain": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "dbnbias": (
        f"{LOADED}\nctypes = modules['ctypes']\ngetattr(ctypes.CDLL(None), '_exit')(0)",
        "ended the process (exit code 0)",
    ),
    "dbnraw": (f"print('a last word')\n{SYSTEM}\nos.closerange(0, 4096)", "its answer did not come back"),
}


def command(path: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--no-header", str(path), *options]


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(path, *options), cwd=path.parent, capture_output=True, text=True, timeout=120)


def test_ten_accidents_cost_ten_items(student_folder: Folder) -> None:
    path = student_folder(EX1, {**RIGHT, **{name: body for name, (body, _) in ACCIDENTS.items()}})
    done = run(path, "--time-limit", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    told = dict(re.findall(r"^(\w+) +\| (.*(?:\n    .*)*)", done.stdout, re.MULTILINE))
    assert len(told) == 26
    for name in RIGHT:
        _, said = ACCIDENTS.get(name, ("", None))
        if said:
            assert said in " ".join(told[name[1:]].split()), (name, told[name[1:]])
        else:
            assert "exact: True" in told[name[1:]] or "approximate: True" in told[name[1:]], (name, told[name[1:]])
    assert "17 of 26 right" in done.stdout and "next:" in done.stdout
    assert "    > a last word" in done.stdout and "Traceback" not in done.stdout + done.stderr
    line = path.read_text().splitlines().index("    ctypes.string_at(0)") + 1
    assert f"line {line}: ctypes.string_at(0)" in told["probs"]


def test_a_file_that_dies_at_import_does_not_load(student_folder: Folder) -> None:
    path = student_folder(EX1, RIGHT)
    path.write_text(f"{path.read_text()}\n{SEGFAULT}\n")
    done = run(path)
    assert done.returncode == 1
    assert done.stdout.count("not checked: the file does not load") == 26
    assert f"{path.name}: died of SIGSEGV" in done.stdout and "make the file load again" in done.stdout


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def endless(student_folder: Folder) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A session whose fork loops; with the fork's id."""
    body = f"{SYSTEM}\nos.mkdir('looping')\nwhile True:\n    pass"
    path = student_folder(EX1, {**RIGHT, "dprobs": body})
    session = subprocess.Popen(
        command(path, "--time-limit", "60"),
        cwd=path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (path.parent / "looping").exists() and time.monotonic() < until:
        time.sleep(0.02)
    yield session, children(session.pid)[-1]
    session.kill()
    session.communicate()


def lives(pid: int) -> bool:
    """A dead one may wait to be reaped by whoever has taken it over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while lives(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not lives(pid)


def test_an_interrupt_ends_at_once_and_leaves_nothing(endless: tuple[subprocess.Popen[str], int]) -> None:
    session, fork = endless
    os.killpg(session.pid, signal.SIGINT)  # as a terminal does
    output, _ = session.communicate(timeout=30)  # the fork's own time is not up for a minute
    assert session.returncode == 2 and "Traceback" not in output and "KeyboardInterrupt" in output
    assert is_gone(fork)


def test_a_session_that_is_killed_leaves_no_fork(endless: tuple[subprocess.Popen[str], int]) -> None:
    session, fork = endless
    session.kill()
    session.wait()
    assert is_gone(fork)


WRITTEN = [
    ("x = 1", Forked),
    ("# breakpoint()", Forked),
    ("def f(x):\n    breakpoint()\n    return x", InProcess),
    ("import pdb\ndef f(x):\n    pdb.set_trace()", InProcess),
    ("def f(:", Forked),
]


@pytest.mark.parametrize(("text", "kind"), WRITTEN, ids=[text for text, _ in WRITTEN])
def test_who_wants_a_debugger_is_answered_in_this_process(tmp_path: Path, text: str, kind: type) -> None:
    path = tmp_path / "ex.py"
    path.write_text(text)
    assert type(respondent_for(path, 1.0)) is kind
    assert type(respondent_for(path, 1.0, apart=False)) is InProcess


def test_a_traced_process_does_not_fork(tmp_path: Path) -> None:
    (tmp_path / "ex.py").write_text("x = 1")
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        assert type(respondent_for(tmp_path / "ex.py", 1.0)) is InProcess
    finally:
        sys.settrace(before)


ELSEWHERE = """
import os, signal, sys, torch, numpy, multiprocessing, subprocess, tempfile
sys.platform, sys.modules["resource"] = "win32", None
del os.fork, os.pidfd_open, os.killpg, os.wait4, signal.SIGUSR1, signal.SIGALRM, signal.setitimer
from pathlib import Path
from graders.notebook import incell
from graders.student.respondents import respondent_for
print(type(respondent_for(Path("none.py"), 1.0)).__name__)
"""


def test_where_there_are_no_forks_this_process_answers() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False)
    assert done.stdout == "InProcess\n", done.stderr


QUIET = """
import os, sys, pytest
assert "torch" not in sys.modules
code = pytest.main([sys.argv[1], "-p", "no:cacheprovider", "-q"])
from graders.student import forks
spare = sys.modules.get("graders.student.spare")
print("quiet" if forks.is_quiet() and not (spare and spare.started.cache_info().misses) else "not quiet")
"""


def test_the_process_that_checks_computes_in_one_thread_and_is_forked_itself(student_folder: Folder) -> None:
    path = student_folder(EX1, RIGHT)
    done = subprocess.run([sys.executable, "-c", QUIET, str(path)], cwd=path.parent, capture_output=True, text=True)
    assert done.stdout.endswith("\nquiet\n") and "26 of 26 right" in done.stdout, done.stdout
