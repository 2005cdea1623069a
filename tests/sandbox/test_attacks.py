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

from graders.authoring.library import examples
from graders.exercise.module import load
from graders.grading.assess import ask_for, budget
from graders.oracle import compare
from graders.oracle.gradient import Oracle, cases
from graders.oracle.trial import Trial
from graders.sandbox.sandbox import Ask, Limits, Outcome, Reply, Sandbox, SandboxError
from graders.sandbox.watch import REFUSE, screen
from tests.support.processes import children_of

from .attacks import ATTACKS, HONEST, MARKER, Attack

LIMITS = Limits(seconds=1.0, total_seconds=6, cpu_seconds=5, memory_bytes=1 << 29, output_bytes=1 << 16)
BUDGET = 40
NOBODY = 65534


@pytest.fixture(scope="module", params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    os.environ["BNC_SECRET"] = "the instructor's"
    try:
        with Sandbox(request.param, LIMITS) as made:
            yield made
    except SandboxError as error:
        pytest.skip(str(error))


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
ASK = Ask("dx", 0, {"dy": DY}, {"dx": "asks for `dx`, the answer itself"}, (5, 3), BUDGET)
RIGHT = DY @ CASE["w"].T


def verdict(reply: Reply) -> str:
    if reply.outcome is not Outcome.ANSWERED:
        return str(reply.outcome.value)
    assert reply.answer is not None and reply.answer.dtype is torch.float64
    return "right" if compare.match(reply.answer, RIGHT).passes else "wrong"


def grade(sandbox: Sandbox, source: str, static_check: bool = True, watch: bool = True) -> Reply:
    sandbox.static_check, sandbox.watch = static_check, watch
    (reply,) = sandbox.grade(source.encode("utf-8", "surrogatepass"), [CASE], [ASK])
    return reply


def descendants(pid: int) -> set[int]:
    children = children_of(pid)
    return children.union(*map(descendants, children))


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
    assert time.monotonic() - started < LIMITS.total_seconds + 2
    said = f"{reply.message!r} line {reply.line} {reply.frames}"
    allowed = attack.guarded if guarded else attack.bare
    if attack.kind == "resource":  # on a slow machine the clock may be first
        allowed |= {"time out"}
    assert verdict(reply) in allowed, said
    texts = (reply.message, *reply.frames)
    assert len(reply.message) <= 4000 and all(text.isprintable() for text in texts)
    assert verdict(grade(sandbox, HONEST)) == "right"
    assert descendants(os.getpid()) == processes
    until = time.monotonic() + 2
    while left_behind() - files and time.monotonic() < until:  # another run's may come and go
        time.sleep(0.05)
    assert left_behind() <= files


@pytest.mark.parametrize("layer", ["static check", "watch"])
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.kind == "autograd"], ids=lambda a: a.name)
def test_each_layer_of_the_guard_alone(sandbox: Sandbox, attack: Attack, layer: str) -> None:
    reply = grade(sandbox, attack.source, layer == "static check", layer == "watch")
    assert reply.outcome in (Outcome.FORBIDDEN, Outcome.ERROR, Outcome.ANSWERED, Outcome.TIME_OUT)
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


def test_one_bad_function_costs_that_function_only(sandbox: Sandbox) -> None:
    sandbox.static_check = sandbox.watch = True
    asks = [Ask(name, case, {}, {"dz": "no dz here"}, (3, 4), BUDGET) for case in (0, 1) for name in EXPECTED]
    replies = sandbox.grade(SEVERAL.encode(), [CASE, draw(1)[0]], asks)
    got = {ask.function: reply.outcome for ask, reply in zip(asks, replies, strict=True)}
    assert got == EXPECTED
    assert [reply.outcome for reply in replies[: len(EXPECTED)]] == list(EXPECTED.values())
    by_name = {ask.function: reply for ask, reply in zip(asks, replies, strict=True)}
    assert by_name["de"].line == 10 and "torch.autograd" in by_name["de"].message
    assert "matplotlib" in by_name["df"].message
    assert by_name["dh"].message == "no dz here"
    assert "AttributeError" in by_name["dc"].message and by_name["dc"].line == 7
    assert replies[3].seconds >= LIMITS.seconds and by_name["dd"].seconds == 0


def test_crashes_cost_one_function_each_when_bare(sandbox: Sandbox) -> None:
    sandbox.static_check = sandbox.watch = False
    source = "import ctypes\n" + "".join(f"def d{n}(w):\n    ctypes.string_at(0)\n" for n in range(4))
    source += "def d9(w):\n    return w\n"
    asks = [Ask(f"d{n}", 0, {}, {}, (3, 4), BUDGET) for n in (0, 1, 9, 2, 3, 9)]
    outcomes = [reply.outcome for reply in sandbox.grade(source.encode(), [CASE], asks)]
    crash, answered = Outcome.CRASH, Outcome.ANSWERED
    assert outcomes == [crash, crash, answered, crash, crash, answered]


@pytest.mark.parametrize("source", [b"x" * 65537, b"\xff\xfe", b"a = '\x00'", b"def dx(", b"# coding: utf-7\n+AG8-"])
def test_text_that_cannot_be_run_is_an_error_for_every_ask(sandbox: Sandbox, source: bytes) -> None:
    outcomes = {reply.outcome for reply in sandbox.grade(source, [CASE], [ASK, ASK])}
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
    def alarm(why: str, line: int) -> None:
        raise AssertionError(f"{path}:{line}: {why}")

    tree = ast.parse(path.read_text())
    assert REFUSE not in ast.unparse(screen(tree, alarm))


def test_the_class_is_told_in_one_line(sandbox: Sandbox) -> None:
    assert sandbox.report.startswith(f"isolation class {sandbox.isolation}: ") and "\n" not in sandbox.report


@pytest.mark.parametrize("path", RIGHT_ANSWERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_right_answer_is_right_through_the_sandbox(sandbox: Sandbox, path: Path) -> None:
    """With the watch, its budget and the static check: nobody who works by hand is refused."""
    sandbox.static_check = sandbox.watch = True
    exercise = load(PROJECT / "reference/backprop_ninja" / path.name)
    answers = [(gradient, gradient.function) for gradient in exercise.gradients]
    if path.parent.name == "right":
        answers = [(exercise.gradient(e.gradient), e.function.__name__) for e in examples(exercise, "right")]
    oracles = [Oracle(exercise, case) for case in cases(exercise, 1)]
    triples = [(gradient, name, number) for gradient, name in answers for number in range(len(oracles))]
    asks = [
        replace(ask_for(exercise, gradient, number, oracles[number], budget(oracles[number])), function=name)
        for gradient, name, number in triples
    ]
    replies = sandbox.grade(path.read_bytes(), [oracle.values for oracle in oracles], asks)
    assert len(replies) >= 5
    for (gradient, name, number), reply in zip(triples, replies, strict=True):
        assert reply.answer is not None, (name, reply)
        assert Trial(oracles[number], gradient.target, reply.answer).passes, name


def test_class_c_grades_too() -> None:
    with Sandbox("C", LIMITS) as sandbox:
        assert sandbox.isolation == "C" and verdict(grade(sandbox, HONEST)) == "right"
