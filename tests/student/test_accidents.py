"""Accidents in a student's module stay in it: settings, patches, loops, exits, changed arguments."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from graders.outcome import Outcome
from graders.student import accidents, time_limit
from graders.student.accidents import attempted
from graders.student.answer import Answer, ask
from graders.student.module import InProcess, Student, load_student
from graders.student.question import Question
from tests.support.busy import busy, pinned

SYSTEM = "import random\ngetattr(random, '_os')"  # os itself may not be imported
ACCIDENTS = [
    ("changes the default dtype", "import torch\ntorch.set_default_dtype(torch.float64)", None),
    ("turns gradients off", "import torch\ntorch.set_grad_enabled(False)", None),
    ("patches torch", "import torch\ntorch.allclose = lambda *a, **k: True\ntorch.Tensor.abs = None", None),
    ("patches the builtins", f"{SYSTEM}.sys.modules['builtins'].len = lambda x: 0", None),
    ("sets torch's threads", "import torch\ntorch.set_num_threads(2)", None),
    ("exits", "import sys\nsys.exit(3)", "SystemExit: 3"),
    ("exits hard", f"{SYSTEM}._exit(0)", "SystemExit: 0"),
    ("loops", "while True:\n    pass", "still running after 0.2 s"),
    ("loops and swallows exceptions", "while True:\n    try:\n        pass\n    except Exception:\n        pass", "still running"),
    ("recurses", "def f():\n    f()\nf()", "RecursionError"),
    ("is no Python", "def f(:", "syntax error"),
    ("null byte", "x = '\0'", "NUL bytes"),
    ("raises", "raise ValueError('no')", "ValueError: no"),
    ("raises something strange", "class E(BaseException): pass\nraise E", "E"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop is to reach its processor time first, however busy this machine is."""
    monkeypatch.setattr(time_limit, "PATIENCE", 100)


def load(tmp_path: Path, text: str) -> Student:
    path = tmp_path / "ex.py"
    path.write_text(text)
    return load_student(path, 0.2 if "while True" in text else 10.0)


def settings() -> tuple[object, ...]:
    replaceable = (torch.allclose, torch.Tensor.abs, builtins.len, os._exit)
    return *replaceable, torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()


@pytest.mark.parametrize(("what", "text", "told"), ACCIDENTS, ids=[a[0] for a in ACCIDENTS])
def test_accidents_at_import(tmp_path: Path, what: str, text: str, told: str | None) -> None:
    before = settings()
    student = load(tmp_path, text)
    assert (student.fault is None) == (told is None)
    assert told is None or told in str(student.fault.reason)  # type: ignore[union-attr]
    assert settings() == before


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "ex.py").write_bytes(b"# \x81")
    assert "no text in any encoding" in str(load_student(tmp_path / "ex.py").fault.reason)  # type: ignore[union-attr]
    assert "cannot be read" in str(load_student(tmp_path / "none.py").fault.reason)  # type: ignore[union-attr]


def asked(
    tmp_path: Path, text: str, limit: float = 10.0, question: Question | None = None, **offered: object
) -> Answer:
    """What `f` of this text answers, or what is asked; `limit` is shorter for an endless loop."""
    student = load(tmp_path, text)
    limit = 0.2 if "while True" in text else limit  # torch may import something at a first call
    question = question or Question("f", ("x",), offered)
    (answer,) = ask(
        student.functions[question.function], question, lambda action: attempted(action, student.path, limit)
    )
    return answer


X = torch.ones(2, dtype=torch.float64)
ASKED = [
    ("def f(x):\n    return x + 1", None),
    ("def f(x, eps=1e-5):\n    return x + eps", None),
    ("def f(x, *args, **kwargs):\n    return x", None),
    ("def f(x):\n    x += 1\n    return x", "changed its argument `x` in place"),
    ("def f(x):\n    x.resize_(1)\n    return x", "changed its argument `x` in place"),
    ("def f(y):\n    return y", "asks for `y`, which the forward pass does not have"),
    ("def f(x):\n    while True:\n        pass", "still running after 0.2 s"),
    ("def f(x):\n    raise NotImplementedError", "not attempted"),
    ("def f(x):\n    return g(x)\ndef g(x):\n    raise (\n        NotImplementedError('later'))", "not attempted"),
    ("def f(x):\n    return x.to_sparse().cumprod(0)  # raise NotImplementedError", "NotImplementedError"),
    ("class E:\n    def __float__(self): raise NotImplementedError\ndef f(x):\n    return x.pow(E())", "Error"),
    ("def f(x):\n    return x.half() @ x.to_sparse()", "Error"),
    ("f = 3\ndef g(): pass\nf = max", "not a plain function"),
    ("import torch\n@torch.no_grad()\ndef f(x):\n    return x + 1", None),
    ("import torch\n@torch.inference_mode()\ndef f(x, eps=1e-5):\n    return x + eps", None),
    ("import torch\n@torch.no_grad()\ndef f(y):\n    return y", "asks for `y`, which the forward pass does not have"),
    ("import functools\n@functools.lru_cache\ndef f(x):\n    return x + 1", None),
    (
        "import functools\ndef g(h):\n    @functools.wraps(h)\n    def inner(*args, **kwargs):\n        return h(*args, **kwargs)\n    return inner\n@g\ndef f(x):\n    return x + 1",
        None,
    ),
    ("import functools\ndef g(x, a):\n    return x + a\nf = functools.partial(g, a=1)", None),
    ("@staticmethod\ndef f(x):\n    return x + 1", None),
    ("class G:\n    def __call__(self, x):\n        return x + 1\nf = G()", None),
    ("f = lambda x: x + 1", None),
    (
        "class G:\n    def __call__(self, x):\n        return x + 1\n    @property\n    def __signature__(self):\n        raise OSError('no')\nf = G()",
        "OSError",
    ),
    ("def f(x):\n    x += 1\n    return x\nf.__wrapped__ = f", "not a plain function"),
]


@pytest.mark.parametrize(("text", "told"), ASKED, ids=[a[0].replace("\n", " ") for a in ASKED])
def test_asking(tmp_path: Path, text: str, told: str | None) -> None:
    x = X.clone()
    answer = asked(tmp_path, text, x=x)
    assert torch.equal(x, X), "what is offered stays as it is"
    assert (answer.tensor is not None) == (told is None)
    if told:
        assert told in (answer.outcome.value, "not attempted") or told in str(answer.reason)
        assert (answer.outcome is Outcome.NOT_ATTEMPTED) == (told == "not attempted")


@pytest.mark.parametrize("text", ["torch.zeros(2)", "torch.tensor(0.1)", "x.float()", "torch.ones(2, dtype=torch.float32)", "x.to(torch.float32)"])  # fmt: skip
def test_code_written_for_float32_runs_in_float64(tmp_path: Path, text: str) -> None:
    answer = asked(tmp_path, f"import torch\ndef f(x):\n    return {text}.dtype is torch.float64", x=X / 3)
    assert answer.tensor is not None and answer.tensor.item() == 1
    assert torch.get_default_dtype() is torch.float32


def test_the_frames_shown_are_the_students_own(tmp_path: Path) -> None:
    text = "import torch\ndef g(x):\n    return torch.cat([x, 3])\ndef f(x):\n    return g(x)"
    answer = asked(tmp_path, text, x=X)
    assert answer.outcome is Outcome.ERROR and answer.line == 3
    assert answer.frames == ("line 5: return g(x)", "line 3: return torch.cat([x, 3])")


def test_the_core_imports_nothing_that_a_check_does_not_need() -> None:
    code = "import sys, graders.verdict.grader; print(*sorted({'rich', 'click', 'nbgrader', 'dask', 'distributed', 'jinja2'} & {m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    bare = subprocess.run(
        [sys.executable, "-c", code.replace("graders.verdict.grader", "torch")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(run.stdout.split()) <= set(bare.stdout.split())


LIMIT = 0.2
ENDLESS = [
    ("computes", 100, "def f(x):\n    while 1: pass", "still running after 0.2 s: an endless loop?"),
    ("sleeps", 2, "import time\ndef f(x):\n    while 1: time.sleep(0.001)", "still not back after 0.4 s: does it wait"),
    ("computes in another thread", 2, "import logging, time\nthreading = getattr(logging, 'threading')\ndef f(x):\n    end = time.monotonic() + 1.5\n    def loop():\n        while time.monotonic() < end: pass\n    t = threading.Thread(target=loop, daemon=True)\n    t.start()\n    while 1: t.join(0.01)", "still not back after 0.4 s"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "patience", "text", "told"), ENDLESS, ids=[e[0] for e in ENDLESS])
def test_what_does_not_come_back_is_told_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, patience: int, text: str, told: str
) -> None:
    for module in (accidents, time_limit):
        monkeypatch.setattr(module, "PATIENCE", patience)
    answer = asked(tmp_path, text, LIMIT, x=X)
    assert answer.outcome is Outcome.TIME_OUT and str(answer.reason).startswith(told) and answer.line > 1


def test_a_right_answer_may_wait_longer_than_it_may_compute(tmp_path: Path) -> None:
    answer = asked(tmp_path, "import time\ndef f(x):\n    time.sleep(0.3)\n    return x", LIMIT, x=X)
    assert answer.outcome is Outcome.ANSWERED


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process can be kept on one core here")
def test_a_busy_machine_costs_no_right_answer(tmp_path: Path) -> None:
    text = "import time\ndef f(x, most=0.1):\n    start = time.thread_time()\n    while time.thread_time() < start + most: pass\n    return x"
    student = load(tmp_path, text)
    with pinned([os.getpid()]), busy(3):
        answer = asked(tmp_path, text, LIMIT, x=X)
        stopped = attempted(lambda: student.functions["f"](X, most=60), student.path, LIMIT)
    assert answer.outcome is Outcome.ANSWERED
    assert str(stopped.reason) == "still running after 0.2 s: an endless loop?"


def test_nothing_is_raised_after_the_block_and_the_hook_is_put_back() -> None:
    hook = sys.breakpointhook
    with time_limit.time_limit(0.01):
        pass
    time.sleep(0.05)
    assert sys.breakpointhook is hook


def test_a_breakpoint_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "breakpointhook", lambda *args, **kwargs: None)
    with time_limit.time_limit(0.01):
        breakpoint()
        start = time.thread_time()
        while time.thread_time() < start + 0.1:
            pass


def test_a_student_computes_in_one_thread_and_the_setting_is_put_back(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        answer = asked(tmp_path, "import torch\ndef f(x):\n    return x * torch.get_num_threads()", x=X)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert answer.tensor is not None and torch.equal(answer.tensor, X)


def test_an_endless_function_is_waited_for_once_and_costs_its_decorators_others_nothing(tmp_path: Path) -> None:
    """What torch.no_grad makes of two functions shares its code."""
    above = "import torch\n@torch.no_grad()\ndef f(x):\n    while True:\n        pass\n@torch.no_grad()\ndef g(x):\n    return x"
    respondent = InProcess(load(tmp_path, above), LIMIT)
    questions = [Question(name, ("x",), {"x": X}) for name in ("f", "g", "f", "g")]
    outcomes = [answer.outcome for (answer,) in respondent.answers(questions)]
    assert outcomes == [Outcome.TIME_OUT, Outcome.ANSWERED] * 2
