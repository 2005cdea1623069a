"""A child cannot take back what it has said, and bytes that say nothing are its own fault.

Where the grader is an ordinary user the child's pipes are of its own user, and /proc/self/fd opens them again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.stubs import ROOT

PROGRAM = """
import sys, torch
torch.set_num_threads(1)
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits
from graders.student.question import Question
REOPENED = '''
import os, torch
def dx(x):
    opened = []
    for number in (1, 2, 3):
        try:
            opened.append(os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            opened.append(-1)
    return torch.tensor(opened, dtype=x.dtype)
'''
GARBLED = '''
import os
os.write(3, b"no claim" * 100)
def dx(x):
    return x
'''
question = Question("dx", ("x",), {"x": torch.zeros(3, dtype=torch.float64)}, shapes=((3,),))
try:
    with Sandbox(sys.argv[1], Limits(static_check=False, watch=False)) as sandbox:
        ((reopened,),) = sandbox.answers(REOPENED.encode(), [question])
        ((garbled,),) = sandbox.answers(GARBLED.encode(), [question])
        print(reopened.tensor.tolist(), garbled.outcome.value)
except SandboxError as error:
    print("none", error)
"""
AS_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []


@pytest.mark.parametrize("isolation", ["A", "B"])
def test_what_was_said_cannot_be_read_again(isolation: str) -> None:
    if AS_USER and not shutil.which("unshare"):
        pytest.skip("there is no unshare on this machine")
    command = [*AS_USER, sys.executable, "-c", PROGRAM, isolation]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or done.stdout.startswith("none"):
        pytest.skip(f"no ordinary user or no class {isolation} here: {done.stdout}{done.stderr}"[-300:])
    assert done.stdout.strip() == "[-1.0, -1.0, -1.0] crash"
