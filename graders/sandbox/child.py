"""One submission in one expendable process: give everything up, load its text, answer, end.

Whatever comes back from here is a claim. This process knows the submission, the inputs and nothing else.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import random
import re
import signal
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from graders.oracle import compare
from graders.sandbox import confine
from graders.sandbox.outcome import Outcome
from graders.sandbox.watch import REFUSE, Guard, Guarded, screen
from graders.sandbox.wire import ARMED, LOADED, MOST_DIMENSIONS, Claim, Task, encode, unpack
from graders.student import module as student
from graders.student.module import Problem

RESULT = 3  # the descriptor that claims go to; 0 is empty, 1 and 2 are counted and thrown away
PATH = Path("submission.py")
OUT_OF_MEMORY = re.compile(r"MemoryError|can't allocate memory|not enough memory|Cannot allocate memory")


@contextlib.contextmanager
def _no_clock(seconds: float) -> Iterator[None]:
    """The supervisor holds the clock; the self-check's own would need a thread, and there are none."""
    yield


def stop_the_clock() -> None:
    """For the zygote and its children alone: whoever else imports this module keeps the self-check's clock."""
    vars(student)["time_limit"] = _no_clock


@dataclass(frozen=True)
class Locks:
    """Made once by the zygote. None: not to be had here, which the isolation class tells."""

    address_space: int
    ruleset: int | None
    program: bytes | None


def serve(locks: Locks, task: int, result: int, printed: int) -> NoReturn:
    """Run in a freshly forked process, which never returns from here."""
    code = 1
    try:
        work = unpack(_read(task))
        _arm(locks, work.task["limits"], result, printed)
        _send(Claim(ARMED, Outcome.ANSWERED))
        _answer_all(work)
        code = 0
    finally:
        os._exit(code)


def _read(descriptor: int) -> bytearray:
    data = bytearray(os.fstat(descriptor).st_size)
    at = 0
    while at < len(data):
        at += os.preadv(descriptor, [memoryview(data)[at:]], at)
    return data


def _arm(locks: Locks, limits: dict[str, Any], result: int, printed: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    ruleset = RESULT + 1
    sources = [os.open(os.devnull, os.O_RDONLY), printed, printed, result]
    sources += [] if locks.ruleset is None else [locks.ruleset]
    for target, source in enumerate(sources):
        os.dup2(source, 200 + target)  # out of each other's way first
    for target in range(len(sources)):
        os.dup2(200 + target, target)
    os.closerange(len(sources), 65536)
    confine.set_limits(locks.address_space + limits["memory_bytes"], limits["cpu_seconds"])
    if confine.LINUX:
        confine.prctl(confine.PDEATHSIG, signal.SIGKILL)
        confine.prctl(confine.NO_NEW_PRIVS, 1)
        confine.prctl(confine.DUMPABLE, 0)
    if locks.ruleset is not None:
        confine.landlock(ruleset)
        os.close(ruleset)
    if locks.program is not None:
        confine.seccomp(locks.program)


def _send(claim: Claim) -> None:
    data = memoryview(encode(claim))
    while data:
        data = data[os.write(RESULT, data) :]


def _answer_all(work: Task) -> None:
    torch.default_generator.manual_seed(0)  # children share the zygote's random state
    random.seed(0)
    np.random.seed(0)
    guard = Guard(work.task["watch"])
    module = types.ModuleType("submission")
    vars(module).update({"__file__": str(PATH), REFUSE: guard.refuse})
    sys.modules[module.__name__] = module
    loaded = _attempt(LOADED, guard, lambda: _load(work, guard, vars(module)))
    _send(loaded)
    if loaded.outcome is not Outcome.ANSWERED:
        return
    cases: dict[int, dict[str, Any]] = {}
    together: dict[str, Any] = {}
    for number, ask in enumerate(work.task["asks"]):
        if ask["case"] not in cases:
            cases[ask["case"]] = work.values(work.task["cases"][ask["case"]])
        offered = cases[ask["case"]] | work.values(ask["upstream"])
        refused = work.task["refused"][ask["refused"]]
        guard.why = ""
        function = vars(module).get(ask["function"])
        _send(_attempt(number, guard, lambda: _answer(number, ask, function, guard, offered, refused, together)))


def _load(work: Task, guard: Guard, names: dict[str, Any]) -> Claim | Problem:
    """Run the text, decoded once; it leaves its functions in `names`."""

    def load() -> Problem | None:
        text = work.source.decode().removeprefix("\ufeff")
        linecache.cache[str(PATH)] = len(text), None, text.splitlines(True), str(PATH)
        try:
            tree = ast.parse(text, str(PATH))
        except SyntaxError as error:
            shown = ((error.text or "").strip(),) if error.lineno else ()
            return Problem(f"syntax error: {error.msg}", error.lineno or 0, shown)
        if work.task["static_check"]:
            tree = screen(tree, guard.refuse)
        with guard.during(work.task["limits"]["import_operations"]):
            exec(compile(tree, str(PATH), "exec"), names)
        return None

    found, problem = student.run(load, PATH, 0)
    return problem or found or Claim(LOADED, Outcome.ANSWERED)


def _answer(
    number: int,
    ask: dict[str, Any],
    function: Any,
    guard: Guard,
    offered: dict[str, Any],
    refused: dict[str, str],
    together: dict[str, Any],
) -> Claim | Problem:
    """Ask one function once; what it returned for several gradients is kept in `together` for the others."""
    if not callable(function):
        return Problem(f"`def {ask['function']}` is missing from the submission: put it back")
    same = "" if ask["index"] is None else f"{ask['function']} {ask['case']} {ask['upstream']}"
    if same in together:
        answer = together[same]
    else:
        answer, problem = student.ask(Guarded(function, guard, ask["budget"]), offered, refused, PATH)
        if problem:
            return problem
        if same and not guard.why:
            together[same] = answer
    try:
        chosen = compare.element(answer, ask["index"], ask["returned"])
        tensor = compare.as_tensor(chosen, torch.float64)
    except compare.NotATensor as error:
        return Claim(number, Outcome.BAD_OUTPUT, str(error))
    shape = tuple(int(s) for s in tensor.shape)
    if len(shape) > MOST_DIMENSIONS or tensor.numel() > ask["most_elements"]:
        return Claim(number, Outcome.BAD_OUTPUT, f"returned a tensor of shape {shape}: far too large")
    data = tensor.contiguous().numpy().tobytes()
    return Claim(number, Outcome.ANSWERED, shape=shape, data=data)


def _attempt(number: int, guard: Guard, action: Callable[[], Claim | Problem]) -> Claim:
    """What came of it, in the terms of a claim. Nothing that a submission raises gets past here."""
    try:
        found = action()
    except Exception as error:  # while an odd answer was looked at
        found = Problem(f"{type(error).__name__}: {error}"[:500])
    except KeyboardInterrupt:  # which student.run hands on
        found = Problem("KeyboardInterrupt")
    if guard.why:
        line, frames = (found.line, found.frames) if isinstance(found, Problem) else (0, ())
        return Claim(number, Outcome.FORBIDDEN, guard.why, line or guard.line, frames)
    if isinstance(found, Claim):
        return found
    outcome = Outcome.NOT_ATTEMPTED if found.not_attempted else Outcome.ERROR
    if OUT_OF_MEMORY.search(found.message):
        outcome = Outcome.MEMORY
    return Claim(number, outcome, found.message, found.line, found.frames)
