"""A submission's time is the processor time it used: a busy machine costs nobody points, and nobody waits for ever."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from graders.outcome import Outcome
from graders.sandbox import clock, launch
from graders.sandbox.clock import Clock, processor_time
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.task import Limits
from graders.sandbox.zygote import wait
from graders.student.answer import Answer
from graders.student.question import Question
from tests.support.busy import busy, descendants, pinned
from tests.support.sandboxes import sandbox_of

SHORT = Limits(seconds=0.2, total_seconds=6, memory_bytes=1 << 29, static_check=False, watch=False)
SOURCE = """
import time
def burn(most):
    start = time.process_time()
    while time.process_time() < start + most: pass
def right(x): return x + 1
def waits(x):
    time.sleep(0.3)
    return x + 1
def works(x):
    burn(0.1)
    return x + 1
def power(x): return 9 ** 9 ** 9
def loops(x):
    while True: pass
def sleeps(x): time.sleep(1000)
def drips(x):
    while True:
        time.sleep(0.01)
        print(".", flush=True)
def grows(x):
    while True: burn(0.01), time.sleep(0.03)
"""


@pytest.fixture(scope="module", params=["A", "B", "C"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from sandbox_of(request.param, SHORT)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PATIENCE", 100)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PATIENCE", 2)


def grade(sandbox: Sandbox, *functions: str, limits: Limits = SHORT) -> dict[str, Answer]:
    x = {"x": torch.zeros(3)}
    questions = [Question(function, ("x",), x, shapes=((3,),), operations=100) for function in functions]
    sandbox.limits = limits
    answers = sandbox.answers(SOURCE.encode(), questions)
    return {function: answer for function, (answer,) in zip(functions, answers, strict=True)}


def outcomes(replies: dict[str, Answer]) -> dict[str, Outcome]:
    return {function: reply.outcome for function, reply in replies.items()}


def test_a_right_answer_may_wait_longer_than_it_may_compute(sandbox: Sandbox) -> None:
    replies = grade(sandbox, "waits", "right")
    assert outcomes(replies) == {"waits": Outcome.ANSWERED, "right": Outcome.ANSWERED}, replies


@pytest.mark.usefixtures("patient")
def test_what_computes_for_ever_is_stopped_by_its_processor_time(sandbox: Sandbox) -> None:
    """A power is one call into C. What sleeps in between is stopped all the same, after several looks."""
    for replies in (grade(sandbox, "loops", "power", "right"), grade(sandbox, "waits", "grows", "right")):
        endless = [reply for function, reply in replies.items() if function in ("loops", "power", "grows")]
        assert {(reply.outcome, str(reply.reason)) for reply in endless} == {
            (Outcome.TIME_OUT, "still running after 0.2 s: an endless loop?")
        }, replies
        assert replies["right"].outcome is Outcome.ANSWERED


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("function", ["sleeps", "drips"])
def test_what_waits_for_ever_is_stopped_by_the_wall_clock(sandbox: Sandbox, function: str) -> None:
    replies = grade(sandbox, function, "right")
    said = replies[function].outcome, str(replies[function].reason)
    assert said == (Outcome.TIME_OUT, "still not back after 0.4 s: does it wait for something (input, sleep)?")
    assert replies["right"].outcome is Outcome.ANSWERED


LONG = replace(SHORT, seconds=2.0, total_seconds=4.0)


def test_what_computes_nothing_is_stopped_long_before_the_wall_clock(sandbox: Sandbox) -> None:
    """And the whole file has less time from then on, so that a file that only sleeps holds no sandbox for minutes."""
    started = time.monotonic()
    replies = grade(sandbox, "sleeps", "right", limits=LONG)
    assert str(replies["sleeps"].reason) == "still not back after 4 s: does it wait for something (input, sleep)?"
    assert time.monotonic() - started < clock.PATIENCE * LONG.seconds
    assert replies["right"].outcome is Outcome.ANSWERED
    many = SOURCE + "".join(f"def sleeps{n}(x): time.sleep(1000)\n" for n in range(9))
    x = {"x": torch.zeros(3)}
    questions = [Question(f"sleeps{n}", ("x",), x, shapes=((3,),), operations=100) for n in range(9)]
    started = time.monotonic()
    answers = sandbox.answers(many.encode(), questions)
    assert {answer.outcome for (answer,) in answers} == {Outcome.TIME_OUT}
    assert time.monotonic() - started < 3 * LONG.total_seconds
    assert "a part of which waits for something" in str(answers[-1][0].reason)


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process can be kept on one core here")
def test_what_gets_little_of_a_busy_machine_is_not_taken_for_what_waits(sandbox: Sandbox) -> None:
    source = SOURCE + "def slow(x):\n    burn(0.6)\n    return x + 1\n"
    sandbox.limits = LONG
    with pinned([os.getpid(), *descendants(os.getpid())]), busy(12):
        question = Question("slow", ("x",), {"x": torch.zeros(3)}, shapes=((3,),), operations=100)
        ((answer,),) = sandbox.answers(source.encode(), [question])
    assert answer.outcome is Outcome.ANSWERED, answer


def test_a_limit_of_the_kernel_on_processor_time_is_no_lack_of_memory(sandbox: Sandbox) -> None:
    replies = grade(sandbox, "loops", "right", limits=replace(SHORT, seconds=60.0, total_seconds=60.0, cpu_seconds=1))
    assert (replies["loops"].outcome, str(replies["loops"].reason)) == (Outcome.TIME_OUT, "used up its processor time")
    assert replies["right"].outcome is Outcome.ANSWERED


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process can be kept on one core here")
def test_a_busy_machine_costs_no_right_answer(sandbox: Sandbox) -> None:
    with pinned([os.getpid(), *descendants(os.getpid())]), busy(3):
        replies = grade(sandbox, "works", "loops", "right")
    expected = {"works": Outcome.ANSWERED, "loops": Outcome.TIME_OUT, "right": Outcome.ANSWERED}
    assert outcomes(replies) == expected, replies


@pytest.mark.usefixtures("patient")
def test_a_whole_submission_has_processor_time_of_its_own(sandbox: Sandbox) -> None:
    """What earlier children used counts; when it is used up, no child is started any more."""
    replies = grade(sandbox, "right", "loops", "power", "waits", limits=replace(SHORT, total_seconds=0.3))
    assert replies["right"].outcome is Outcome.ANSWERED
    assert str(replies["loops"].reason) == "still running after 0.2 s: an endless loop?"
    assert str(replies["power"].reason) == "still running after 0.3 s for the whole file"
    assert replies["waits"].outcome is Outcome.TIME_OUT and replies["waits"].seconds == 0


def test_without_a_word_of_the_kernel_the_wall_clock_alone_counts(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.sandbox.supervise.Listener._look", silent(launch.Listener._look))
    replies = grade(sandbox, "right", "sleeps")
    assert replies["right"].outcome is Outcome.ANSWERED
    assert str(replies["sleeps"].reason) == "still running after 0.2 s: an endless loop?"


def silent(look: object) -> object:
    return lambda listener, spent: look(listener, None)  # type: ignore[operator]


def test_orders_that_come_too_late_are_ignored(sandbox: Sandbox) -> None:
    zygote = sandbox._start()
    for stray in (b"C", b"K", b"CC"):
        zygote._control.sendall(stray)
        assert grade(sandbox, "right")["right"].outcome is Outcome.ANSWERED
    assert sandbox._zygote is zygote, "it was not replaced"


def test_a_zygote_that_dies_when_it_is_asked_is_replaced(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    order, zygote = launch.Listener._order, sandbox._start()

    def dies(listener: launch.Listener, what: bytes) -> None:
        zygote.process.kill()
        order(listener, what)

    with monkeypatch.context() as patched:
        patched.setattr(launch.Listener, "_order", dies)
        replies = grade(sandbox, "waits")
    assert replies["waits"].outcome in (Outcome.ANSWERED, Outcome.GRADER_ERROR)
    assert grade(sandbox, "right")["right"].outcome is Outcome.ANSWERED
    assert sandbox._zygote is not zygote


def test_the_processor_time_of_a_child_is_the_kernels_word() -> None:
    with subprocess.Popen(["sleep", "10"]) as child:
        time.sleep(0.2)
        assert processor_time(child.pid) < 0.1e9
        child.kill()
    assert processor_time(child.pid) == -1


@pytest.mark.parametrize(
    ("before", "asked", "spent", "used"),
    [
        (0.0, 11.0, 1.0, 1.0),  # nothing went before
        (3.0, 15.0, 5.0, 2.0),  # three seconds went before, in which it may have computed
        (3.0, 15.0, 1.0, 0.0),  # it waited then: by now it has used one in all
        (3.0, 9.0, 2.0, 0.0),  # asked in the call before: this one may not have begun yet
        (-4.0, 15.0, 5.0, 9.0),  # earlier children of the same submission used four
    ],
)
def test_what_a_call_used_at_least(before: float, asked: float, spent: float, used: float) -> None:
    one = Clock(10.0, since=10.0, before=before)
    one.look(asked, spent)
    assert one.used == pytest.approx(used, abs=1.0 if asked < 10 else 1e-9) and one.used <= used


@pytest.mark.parametrize("orders", [b"", b"C", b"CC"])
def test_a_supervisor_that_is_gone_ends_the_child(orders: bytes) -> None:
    """Questions may be on the way then, and answers unread."""
    ours, theirs = socket.socketpair()
    with theirs, subprocess.Popen(["sleep", "60"]) as child:
        ours.sendall(orders)
        ours.close()
        status, _ = wait(theirs, child.pid)
    assert os.WIFSIGNALED(status)
