"""Which functions of a notebook are asked in another process: those that are the same there, and leave nothing here."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
import torch

from graders.student.carried import carried

START = "import math, os as system, torch, numpy as np, functools\nimport torch.nn.functional as F\nfrom math import sqrt\nfrom graders import gradients\n"
GO = [
    "def f(x): return torch.tanh(x) + F.relu(x) + np.pi + math.pi + sqrt(2)",
    "EPS = 1e-5\ndef f(x): return x + EPS",
    "AXES = (0, 1)\ndef f(x): return x.sum(AXES)",
    "W = torch.ones(2)\ndef f(x, w=W): return x * w",
    "def h(x): return x\ndef f(x): return [h(i) for i in x]",
    "def f(x): return f(x - 1) if x else x",
    "f = lambda x: x",
    "def make(n):\n    def f(x): return x + n\n    return f\nf = make(3)",
    "def f(x):\n    import os\n    from collections import deque\n    return x",
    "@gradients('x')\ndef f(x): return x",
    "def f(x): return not_there(x)",
]
STAY = [
    "kept = []\ndef f(x): kept.append(x)",
    "kept = {}\ndef h(x): kept[0] = x\ndef f(x): return h(x)",
    "def f(x):\n    global seen\n    seen = x",
    "class A: pass\na = A()\ndef f(x): a.seen = x",
    "def f(x): f.seen = x",
    "def f(x, kept=[]): kept.append(x)",
    "def make(n):\n    def f(x):\n        nonlocal n\n        n += 1\n    return f\nf = make(3)",
    "def f(x): return system.getcwd()",
    "def f(x): breakpoint()",
    "def f(x): return eval('x')",
    "f = functools.lru_cache(lambda x: x)",
    "@torch.no_grad()\ndef f(x): return x",
    "f = functools.partial(int)",
    "kept = []\nkeep = kept.append\ndef f(x): keep(x)",
    "f = torch.nn.Linear(2, 2)",
    "import threading\nlock = threading.Lock()\ndef f(x):\n    with lock: return x",
]


def written(text: str) -> types.ModuleType:
    module = types.ModuleType("__main__")
    exec(START + text, module.__dict__)
    return module


@pytest.mark.parametrize("text", GO)
def test_what_leans_on_plain_things_goes(text: str) -> None:
    order = carried({"f": written(text).f}, Path("cell"))
    assert order is not None
    assert callable(order(lambda: None).functions["f"])


@pytest.mark.parametrize("text", STAY)
def test_what_may_be_felt_here_stays(text: str) -> None:
    assert carried({"f": written(text).f}, Path("cell")) is None


def test_functions_go_with_what_they_lean_on() -> None:
    module = written("TWO = torch.tensor(2.0)\ndef h(x): return x * TWO\ndef f(x): return h(x)\ndef g(x): return f(x)")
    order = carried({"f": module.f, "g": module.g}, Path("cell"))
    assert order is not None
    there = order(lambda: None).functions
    assert torch.equal(there["g"](torch.ones(2)), torch.full((2,), 2.0))
    assert there["g"].__globals__ is there["f"].__globals__ is not module.__dict__
