"""Every attack meets its outcome in every class, guarded and bare; then honest work is still right."""

from __future__ import annotations

import ast
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from graders.authoring.catalogue import examples
from graders.exercise.module import load
from graders.oracle import compare
from graders.oracle.compare import Match
from graders.oracle.gradient import Oracles
from graders.oracle.questions import question
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.supervise import END
from graders.sandbox.task import Limits
from graders.student.answer import Answer
from graders.student.question import Question
from graders.student.rules import screen
from graders.student.time_limit import PATIENCE
from graders.words import Code
from tests.support.busy import descendants
from tests.support.sandboxes import sandbox_of

from .attacks import ATTACKS, HONEST, MARKER, Attack

LIMITS = Limits(seconds=0.5, total_seconds=6, cpu_seconds=5, memory_bytes=1 << 29, output_bytes=1 << 16)
BUDGET = 40
NOBODY = 65534


@pytest.fixture(scope="module", params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    os.environ["BNC_SECRET"] = "the instructor's"
    yield from sandbox_of(request.param, LIMITS)


@pytest.fixture(scope="module")
def secret() -> Iterator[str]:
    with tempfile.NamedTemporaryFile(prefix="secret_") as file:
        file.write(b"the expected values")
        file.flush()
        os.chmod(file.name, 0o644)
        yield file.name


def draw(seed: int = 0) -> tuple[dict[str, Tensor], Tensor]:
    rng = torch.Generator().manual_seed(seed)
    shapes = {"x": (5, 3), "w": (3, 4), "dy": (5, 4)}
    drawn = {k: torch.randn(s, generator=rng, dtype=torch.float64) for k, s in shapes.items()}
    dy = drawn.pop("dy")
    return drawn, dy


CASE, DY = draw()
ASK = Question("dx", ("x",), CASE, {"dy": DY}, {"dx": Code.THE_ANSWER}, ((5, 3),), operations=BUDGET)
RIGHT = DY @ CASE["w"].T


def verdict(reply: Answer) -> str:
    if reply.outcome is not Outcome.ANSWERED:
        return str(reply.outcome.value)
    assert reply.tensor is not None and reply.tensor.dtype is torch.float64
    return "right" if compare.match(reply.tensor, RIGHT) in (Match.RIGHT, Match.ROUNDED) else "wrong"


def grade(sandbox: Sandbox, source: str, static_check: bool = True, watch: bool = True) -> Answer:
    sandbox.limits = replace(LIMITS, static_check=static_check, watch=watch)
    ((answer,),) = sandbox.answers(source.encode("utf-8", "surrogatepass"), [ASK])
    return answer


def left_behind() -> set[str]:
    """Files in shared places that bear the attacks' mark or belong to nobody, and shared memory by its number.

    Others use these places too: a file may be gone as soon as it is listed.
    """
    found = {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}
    for folder in {tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"}:
        for entry in os.scandir(folder) if os.path.isdir(folder) else ():
            with contextlib.suppress(FileNotFoundError):
                if MARKER in entry.name or (os.getuid() == 0 and entry.stat(follow_symlinks=False).st_uid == NOBODY):
                    found.add(entry.path)
    return found


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "bare"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: f"{a.kind}: {a.name}")
def test_attack(sandbox: Sandbox, secret: str, attack: Attack, guarded: bool) -> None:
    processes, files = descendants(os.getpid()), left_behind()
    source = attack.source
    if attack.kind == "reach":
        source = source.replace("{secret}", secret).replace("{supervisor}", str(os.getpid()))
        source = source.replace("{{", "{").replace("}}", "}")
    started = time.monotonic()
    reply = grade(sandbox, source, guarded, guarded)
    assert time.monotonic() - started < PATIENCE * LIMITS.total_seconds + END
    said = f"{reply.reason} line {reply.line} {reply.frames}"
    allowed = attack.guarded if guarded else attack.bare
    if attack.kind == "resource":  # on a slow machine the clock may be first
        allowed |= {"time out"}
    assert verdict(reply) in allowed, said
    assert all(text.isprintable() and len(text) <= 500 for text in (str(reply.reason or ""), *reply.frames))
    assert verdict(grade(sandbox, HONEST)) == "right"
    assert descendants(os.getpid()) == processes
    until = time.monotonic() + 2
    while left_behind() - files and time.monotonic() < until:  # another run's may come and go
        time.sleep(0.05)
    assert left_behind() <= files


@pytest.mark.parametrize(
    ("name", "remark"),
    {
        "central difference": Code.MANY_OPERATIONS,
        "8-point difference": Code.MANY_OPERATIONS,
        "complex step": Code.COMPLEX_NUMBERS,
    }.items(),
)
def test_what_is_merely_suspicious_is_a_remark(sandbox: Sandbox, name: str, remark: Code) -> None:
    reply = grade(sandbox, next(attack.source for attack in ATTACKS if attack.name == name))
    assert reply.outcome is Outcome.ANSWERED and reply.reason and reply.reason.code is remark


@pytest.mark.parametrize("layer", ["static check", "watch"])
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.kind == "autograd"], ids=lambda a: a.name)
def test_each_layer_of_the_guard_alone(sandbox: Sandbox, attack: Attack, layer: str) -> None:
    reply = grade(sandbox, attack.source, layer == "static check", layer == "watch")
    usual = (Outcome.FORBIDDEN, Outcome.ERROR, Outcome.ANSWERED, Outcome.TIME_OUT)
    assert reply.outcome in (*usual, Outcome.BAD_OUTPUT)
    if layer == "watch":
        assert verdict(reply) != "right" or attack.name == "swallowed", reply


SEVERAL = """
import torch
import matplotlib.pyplot as plt
import torch.nn.functional as F
def da(w): return w * 2
def db(w): raise NotImplementedError
def dc(w): return w.undefined
def dd(w):
    while True: pass
def de(w): return torch.autograd.grad(w.sum(), w)
def df(w): return plt.plot(w)
def dg(w): import ctypes; ctypes.string_at(0)
def dh(w, x, dz): return w
def di(w, upstream=None): return w + 1
def dj(w): return db(w)
dk = 5
if __name__ == "__main__":
    import os
"""
EXPECTED = {
    "da": Outcome.ANSWERED,
    "db": Outcome.NOT_ATTEMPTED,
    "dc": Outcome.ERROR,
    "dd": Outcome.TIME_OUT,
    "de": Outcome.FORBIDDEN,
    "df": Outcome.FORBIDDEN,
    "dg": Outcome.FORBIDDEN,
    "dh": Outcome.ERROR,
    "di": Outcome.ANSWERED,
    "dj": Outcome.NOT_ATTEMPTED,
    "dk": Outcome.ERROR,
    "dl": Outcome.ERROR,
}


def question_of(name: str, case: dict[str, Tensor], refused: dict[str, Code] | None = None) -> Question:
    return Question(name, ("w",), case, {}, refused or {}, ((3, 4),), operations=BUDGET)


def test_one_bad_function_costs_that_function_only(sandbox: Sandbox) -> None:
    sandbox.limits = LIMITS
    refused = {"dz": Code.NOT_UPSTREAM}
    asks = [question_of(name, case, refused) for case in (CASE, draw(1)[0]) for name in EXPECTED]
    replies = [answer for (answer,) in sandbox.answers(SEVERAL.encode(), asks)]
    got = {ask.function: reply.outcome for ask, reply in zip(asks, replies, strict=True)}
    assert got == EXPECTED
    assert [reply.outcome for reply in replies[: len(EXPECTED)]] == list(EXPECTED.values())
    by_name = {ask.function: reply for ask, reply in zip(asks, replies, strict=True)}
    assert by_name["de"].line == 10 and "torch.autograd" in str(by_name["de"].reason)
    assert "matplotlib" in str(by_name["df"].reason)
    assert str(by_name["dh"].reason).startswith("asks for `dz`, which is no upstream gradient of w")
    assert str(by_name["dc"].reason) == "it raised AttributeError" and by_name["dc"].line == 7
    assert replies[3].seconds >= LIMITS.seconds and by_name["dd"].seconds == 0


def test_crashes_cost_one_function_each_when_bare(sandbox: Sandbox) -> None:
    sandbox.limits = replace(LIMITS, static_check=False, watch=False)
    source = "import ctypes\n" + "".join(f"def d{n}(w):\n    ctypes.string_at(0)\n" for n in range(4))
    source += "def d9(w):\n    return w\n"
    asks = [question_of(f"d{n}", CASE) for n in (0, 1, 9, 2, 3, 9)]
    outcomes = [answer.outcome for (answer,) in sandbox.answers(source.encode(), asks)]
    crash, answered = Outcome.CRASH, Outcome.ANSWERED
    assert outcomes == [crash, crash, answered, crash, crash, answered]


@pytest.mark.parametrize("source", [b"x" * 65537, b"\xff\xfe", b"a = '\x00'", b"def dx(", b"# coding: utf-7\n+AG8-"])
def test_text_that_cannot_be_run_is_an_error_for_every_ask(sandbox: Sandbox, source: bytes) -> None:
    outcomes = {answer.outcome for (answer,) in sandbox.answers(source, [ASK, ASK])}
    assert outcomes == {Outcome.ERROR}


def test_a_dead_zygote_is_replaced_and_the_student_not_blamed(sandbox: Sandbox) -> None:
    assert sandbox._zygote is not None
    sandbox._zygote.process.kill()
    assert verdict(grade(sandbox, HONEST)) == "right"


def test_files_beside_the_submission_are_ignored(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch", "numpy", "sitecustomize", "usercustomize", "conftest", "graders"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Sandbox(sandbox.isolation, LIMITS) as fresh:
        assert verdict(grade(fresh, HONEST)) == "right"


PROJECT = Path(__file__).parents[2]
RIGHT_ANSWERS = [p for what in ("*/ex*.py", "*/right/*.py") for p in sorted(PROJECT.glob(f"reference/{what}"))]


@pytest.mark.parametrize("path", RIGHT_ANSWERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_false_alarm_on_right_answers(path: Path) -> None:
    assert screen(ast.parse(path.read_text()))[1] == []


def test_the_class_is_told_in_one_line(sandbox: Sandbox) -> None:
    assert sandbox.report.startswith(f"isolation class {sandbox.isolation}: ") and "\n" not in sandbox.report


@pytest.mark.parametrize("path", RIGHT_ANSWERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_right_answer_is_right_through_the_sandbox(sandbox: Sandbox, path: Path) -> None:
    """With the watch and the static check: nobody who works by hand is refused."""
    sandbox.limits = LIMITS
    exercise = load(PROJECT / "reference/backprop_ninja" / path.name)
    answers = {g[0].function: g for g in exercise.by_function.values()}
    if path.parent.name == "right":
        written = {e.function.__name__: exercise.gradient(e.gradient) for e in examples(exercise, "right")}
        answers = {name: exercise.by_function[gradient.function] for name, gradient in written.items()}
    asked = [(name, group, oracle) for name, group in answers.items() for oracle in Oracles(exercise, 1).all]
    questions = [replace(question(group, oracle), function=name) for name, group, oracle in asked]
    replies = sandbox.answers(path.read_bytes(), questions)
    assert len(replies) >= 5
    for (name, group, oracle), given in zip(asked, replies, strict=True):
        for gradient, answer in zip(group, given, strict=True):
            assert answer.tensor is not None, (name, answer)
            assert Trial(oracle, gradient.target, answer).passes, name


def test_class_c_grades_too() -> None:
    with Sandbox("C", LIMITS) as sandbox:
        assert sandbox.isolation == "C" and verdict(grade(sandbox, HONEST)) == "right"
