"""One submission in one expendable process: give everything up, load its text, answer, end.

Whatever comes back from here is a claim. This process knows the submission, the inputs and nothing else.
"""

import linecache
import os
import random
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from graders.outcome import Outcome
from graders.sandbox import confine
from graders.sandbox.by_hand import Watch
from graders.sandbox.task import Limits, Task, most_elements, unpack
from graders.sandbox.wire import ARMED, CLAIMABLE, LOADED, MOST_DIMENSIONS, Claim, claim_of, encode, extent
from graders.student.accidents import at_import, attempted
from graders.student.answer import Answer, ask
from graders.student.guard import Guard
from graders.student.module import unreadable
from graders.student.question import Question
from graders.words import Code, Reason, reason

RESULT = 3  # the descriptor that claims go to; 0 is empty, 1 and 2 are counted and thrown away
PATH = Path("submission.py")


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
        _arm(locks, work.limits, result, printed)
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


def _arm(locks: Locks, limits: Limits, result: int, printed: int) -> None:
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
    confine.set_limits(locks.address_space + limits.memory_bytes, limits.cpu_seconds)
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
    guard = Guard(PATH, work.limits.watch, work.limits.static_check)
    watch = Watch(guard)
    sys.breakpointhook = lambda *_, **__: None  # one that was left in the text costs nothing
    module = types.ModuleType("submission")
    vars(module)["__file__"] = str(PATH)
    sys.modules[module.__name__] = module
    (loaded,) = _claimable(1, lambda: _load(work, guard, vars(module)))
    _send(claim_of(LOADED, loaded))
    if loaded.outcome is not Outcome.ANSWERED:
        return
    if callable(forward := vars(module).get("forward")):
        vars(module)["forward"] = watch.noticing(forward)
    number = 0
    for question in work.questions():
        function = vars(module).get(question.function)
        answers = _claimable(len(question.targets), lambda: _answers(question, function, watch))
        for index, answer in enumerate(answers):
            _send(claim_of(number, _within_bounds(answer, question.shapes[index])))
            number += 1


def _load(work: Task, guard: Guard, names: dict[str, Any]) -> tuple[Answer, ...]:
    """Run the text, which is UTF-8 here (student/text.py saw to that); it leaves its functions in `names`."""

    def load() -> Answer:
        text = work.source.decode().removeprefix("\ufeff")
        linecache.cache[str(PATH)] = len(text), None, text.splitlines(True), str(PATH)
        try:
            program = guard.program(text)
        except SyntaxError as error:
            return unreadable(error)
        guard.run(program, names)
        return Answer(Outcome.ANSWERED)

    return (at_import(attempted(load, PATH, None), PATH),)


def _answers(question: Question, function: Any, watch: Watch) -> tuple[Answer, ...]:
    if not callable(function):
        return (Answer(Outcome.ERROR, reason=Reason(Code.MISSING)),) * len(question.targets)

    def attempt(action: Callable[[], Any]) -> Any:
        with watch.during(question.operations):
            return watch.guard.judged(lambda: attempted(action, PATH, None))

    answers = ask(function, question, attempt)
    if watch.remark is None:
        return answers
    remark = Reason(watch.remark)
    return tuple([a if a.tensor is None else replace(a, reason=remark) for a in answers])


def _claimable(count: int, action: Callable[[], tuple[Answer, ...]]) -> tuple[Answer, ...]:
    """What came of it, in terms that may be claimed. Nothing that a submission raises gets past here."""
    try:
        answers = action()
    except (Exception, KeyboardInterrupt) as error:  # the latter is handed on by `attempted`
        answers = (Answer(Outcome.ERROR, reason=reason(Code.RAISED, kind=type(error).__name__)),) * count
    claimable = all(answer.outcome in CLAIMABLE for answer in answers)
    return answers if claimable else (Answer(Outcome.ERROR, reason=Reason(Code.RAISED)),) * count


def _within_bounds(answer: Answer, shape: tuple[int, ...]) -> Answer:
    tensor = answer.tensor
    if tensor is None or (tensor.dim() <= MOST_DIMENSIONS and extent(tensor.shape) <= most_elements(shape)):
        return answer
    return Answer(Outcome.BAD_OUTPUT, reason=Reason(Code.RETURNED_TOO_MUCH))
