"""Accidents in the student's code stay there: exceptions, endless loops, process-wide settings, prints."""

import builtins
import contextlib
import dis
import io
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import torch

from graders.outcome import Outcome
from graders.student.answer import Answer
from graders.student.slips import at_import as slip_at_import
from graders.student.time_limit import PATIENCE, TimeLimit, Waited, time_limit
from graders.words import Code, reason

OUT_OF_MEMORY = re.compile(r"can't allocate memory|not enough memory|Cannot allocate memory")  # as torch says it
LONGEST_TEXT = 500  # of an exception's message
MOST_FRAMES = 6
RAISE = dis.opmap["RAISE_VARARGS"]


def attempted(action: Callable[[], Any], path: Path, limit: float | None) -> Any:
    """Run code of the student's at `path`: what it returns, or an Answer that tells what became of it.

    `limit` is in seconds of processor time; None where somebody else holds the clock.
    """
    try:
        with one_thread(), settings_kept(), time_limit(limit):
            return action()
    except KeyboardInterrupt:
        raise
    except Waited as error:
        waited = reason(Code.STILL_WAITING, seconds=PATIENCE * (limit or 0))
        return Answer(Outcome.TIME_OUT, None, waited, *_own_lines(error, path))
    except TimeLimit as error:
        return Answer(Outcome.TIME_OUT, None, reason(Code.STILL_RUNNING, seconds=limit), *_own_lines(error, path))
    except BaseException as error:
        return accident(error, path)


def accident(error: BaseException, path: Path) -> Answer:
    """What an exception in the student's code at `path` amounts to."""
    line, frames = _own_lines(error, path)
    if isinstance(error, NotImplementedError) and _raised_by(error, path):
        return Answer(Outcome.NOT_ATTEMPTED, line=line)
    text = _text(error)
    out_of_memory = isinstance(error, MemoryError) or OUT_OF_MEMORY.search(text)
    outcome = Outcome.MEMORY if out_of_memory else Outcome.ERROR
    why = reason(Code.RAISED, text=text, kind=type(error).__name__)
    return Answer(outcome, None, why, line, frames, error=error)


def _text(error: BaseException) -> str:
    """What the exception says, in one sentence: without the signatures that torch lists after the first line."""
    text = traceback.format_exception_only(error)[-1].strip()
    first = text.split("\n")[0].removesuffix(", but expected one of:")
    return first.rstrip(". ")[:LONGEST_TEXT]


def at_import(answer: Answer, path: Path) -> Answer:
    """An accident at a module's import, with what it tells of a slip."""
    if answer.error is None or answer.reason is None:
        return answer
    return replace(answer, reason=slip_at_import(answer.error, str(path)) or answer.reason, error=None)


def _raised_by(error: BaseException, path: Path) -> bool:
    """Whether a `raise` of the student's own did it, and not something that was called: torch raises the same."""
    trace, own = error.__traceback__, None
    while trace is not None:
        own = trace if trace.tb_frame.f_code.co_filename == str(path) else own
        trace = trace.tb_next
    return own is not None and own.tb_frame.f_code.co_code[own.tb_lasti] == RAISE


def _own_lines(error: BaseException, path: Path) -> tuple[int, tuple[str, ...]]:
    """The innermost line of the student's own, and the way to it; no frame of anybody else's."""
    linecache.checkcache(str(path))
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return shown_lines([(f.lineno or 0, f.line or "") for f in own])


def shown_lines(own: Sequence[tuple[int, str]]) -> tuple[int, tuple[str, ...]]:
    """The innermost of numbered lines, and all of them as they are shown."""
    shown = [f"line {number}: {text.strip()}" for number, text in own]
    if len(shown) > MOST_FRAMES:
        shown = [*shown[:3], f"... {len(shown) - MOST_FRAMES} more ...", *shown[-3:]]
    return own[-1][0] if own else 0, tuple(shown)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one torch thread, and put back afterwards what was set.

    At an exercise's sizes more threads gain nothing, and on a busy machine they wait for each other.
    """
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """Put back torch's default dtype and grad mode, and turn a hard exit of the process into SystemExit."""

    def refuse(code: int = 0, *_: object) -> NoReturn:
        raise SystemExit(code)

    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    hard_exit, abort = os._exit, os.abort
    os._exit, os.abort = refuse, refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit, os.abort = hard_exit, abort
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)


@contextlib.contextmanager
def functions_kept() -> Iterator[None]:
    """Undo what a module's import replaced in torch or the builtins, so that it cannot touch the others."""
    owners = (torch, torch.nn.functional, torch.Tensor, builtins)
    before = [dict(vars(owner)) for owner in owners]
    try:
        yield
    finally:
        for owner, attributes in zip(owners, before, strict=True):
            for name, value in list(vars(owner).items()):
                if name in attributes and attributes[name] is not value:
                    setattr(owner, name, attributes[name])
                elif name not in attributes and owner is torch.Tensor:  # hides what it inherits
                    delattr(owner, name)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """No prints, no breakpoints: for calls that repeat one which the student has already seen."""
    hook = sys.breakpointhook
    sys.breakpointhook = lambda *args, **kwargs: None
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        sys.breakpointhook = hook
