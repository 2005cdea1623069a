"""check() in a kernel whose cells have computed in threads: what dies is not the kernel, and what stays is felt."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from graders.student.forks import can_fork
from tests.support.stubs import EXERCISES, NINJA, solutions

EXERCISE = "ex1_atomic"
START = f"""\
import time, torch
import torch.nn.functional as F
from graders.nb import check
EXERCISE = "{EXERCISE}"
torch.set_num_threads(2)
(torch.ones(800, 800) @ torch.ones(800, 800)).tanh().sum()
"""
SEGFAULT = (
    "def dprobs(probs, dlogprobs):\n    print('a last word')\n    import random\n    modules = "
    "getattr(getattr(getattr(random, '_os'), 'sys'), 'modules')\n    modules['ctypes'].string_at(0)\ncheck(dprobs)"
)
HELPED = """\
ONE = 1.0
def recip(x):
    return ONE / x
def dprobs(probs, dlogprobs):
    import random
    print("kernel" if getattr(random, "_os").getpid() == KERNEL else "apart")
    return dlogprobs * recip(probs)
check(dprobs)
"""
KEPT = "kept = []\ndef dprobs(probs, dlogprobs):\n    kept.append(probs)\n    return dlogprobs / probs\ncheck(dprobs)\nprint('kept', len(kept) > 0)"
CULPRIT = "def dlogprobs(logprobs, Yb, n):\n    return torch.zeros_like(logprobs)\ncheck(dprobs)"
KERNEL = "import os as system\nKERNEL = system.getpid()"
TIMED = "t = time.perf_counter()\ncheck(dprobs)\nprint('took', time.perf_counter() - t)"


@pytest.mark.skipif(not can_fork(), reason="forks do not serve here")
def test_a_kernel_lives_on(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    shutil.copy(EXERCISES / NINJA / "kit" / f"{EXERCISE}.json", tmp_path / "kit")
    given = f"def dlogprobs(logprobs, Yb, n):\n{solutions(EXERCISE)['dlogprobs']}\ncheck(dlogprobs)"
    cells = [START, KERNEL, given, SEGFAULT, HELPED, KEPT, TIMED, CULPRIT]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    said = [
        "".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") + o.get("evalue", "") for o in c["outputs"])
        for c in notebook["cells"]
    ]
    assert all(o.get("name") != "stderr" for c in notebook["cells"] for o in c["outputs"])
    assert "exact: True" in said[2]
    assert (
        "a last word" in said[3]
        and "died of SIGSEGV" in said[3]
        and "line 5: modules['ctypes'].string_at(0)" in said[3]
    )
    assert "apart" in said[4] and "approximate: True" in said[4]
    assert "kept True" in said[5]
    assert "took" in said[6]
    assert "the first culprit is dlogprobs" in said[7]
    assert nbformat.validate(notebook) is None
