"""Ask one function one question: the one way in which somebody's function is called.

It is asked so in the student's own process, in the sandbox, by the library of known mistakes, by the short training
run and by the trainer. They differ in the `attempt` that the call is made under: what happens to an exception, to a
loop that does not end, to a change of torch's settings.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graders.exercise.forward import in_double, unknown_name
from graders.outcome import Outcome
from graders.student.question import Question
from graders.words import Code, Reason, reason


@dataclass(slots=True)
class Answer:
    """A tensor (ANSWERED), or why there is none, with the student's own lines (`line` is 0 where no line is known).

    The reason beside a tensor is a remark.
    """

    outcome: Outcome
    tensor: Tensor | None = None
    reason: Reason | None = None
    line: int = 0
    frames: tuple[str, ...] = ()
    seconds: float = 0.0


Function = Callable[..., Any]
Attempt = Callable[[Callable[[], Any]], Any]  # what the action returned, or the Answer that tells what became of it


class NotATensor(Exception):
    """A value that is no tensor of real numbers; `why` says what it is and what to return."""

    def __init__(self, why: Reason):
        self.why = why
        super().__init__(str(why))


def plainly(action: Callable[[], Any]) -> Any:
    """The attempt that lets everything through."""
    return action()


def ask(function: Function, question: Question, attempt: Attempt = plainly, copy: bool = True) -> tuple[Answer, ...]:
    """Call a function with what it asks for; an answer for each gradient that it returns.

    In float64, float32 constants inside are float64 too. It gets copies, unless `copy` is false; a copy
    that was changed in place is an error of its own, since other gradients need that tensor.
    """
    offered = question.offered
    if _is_plain(function):
        given = _arguments(function, question, offered, copy)
    else:  # to ask it for its parameters may already run code of the student's
        given = attempt(lambda: _arguments(function, question, offered, copy))
    if isinstance(given, Answer):
        return (given,) * len(question.targets)
    found = attempt(lambda: _collected(_called(function, given, question.dtype), question))
    if isinstance(found, Answer):
        return (found,) * len(question.targets)
    if copy:
        for name, value in given.items():
            if isinstance(value, Tensor) and not _unchanged(value, offered[name]):
                changed = reason(Code.CHANGED_ARGUMENT, name=name)
                return (Answer(Outcome.ERROR, reason=changed, line=_line(function)),) * len(question.targets)
    answers: tuple[Answer, ...] = found
    return answers


def _arguments(
    function: Function, question: Question, offered: Mapping[str, Any], copy: bool
) -> dict[str, Any] | Answer:
    """What a function asks for by name, copied so that nothing it does to it is felt elsewhere."""
    try:
        asked, optional = _parameters(function)
    except (TypeError, ValueError):
        return Answer(Outcome.ERROR, reason=Reason(Code.NOT_A_FUNCTION))
    given = {}
    for name in asked:
        if name in offered:
            value = offered[name]
            given[name] = value.clone() if copy and isinstance(value, Tensor) else value
        elif name not in optional:
            why = question.refusal(name) or unknown_name(name, offered)
            return Answer(Outcome.ERROR, reason=why, line=_line(function))
    return given


def _parameters(function: Function) -> tuple[Sequence[str], set[str]]:
    """The names that a function asks for, and those of them that it can do without.

    Behind a decorator (torch.no_grad, functools.cache) stand those of what was decorated. Raises TypeError or
    ValueError for something that says no names.
    """
    if not _is_plain(function):
        parameters = inspect.signature(function).parameters.values()
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        return [p.name for p in named], {p.name for p in named if p.default is not p.empty}
    code = function.__code__
    asked = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = asked[code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount]
    return asked, {*positional, *(function.__kwdefaults__ or ())}


def _is_plain(function: Function) -> bool:
    return type(function) is FunctionType and not hasattr(function, "__wrapped__")


def _line(function: Function) -> int:
    """Where it is defined; 0 where that is not known."""
    try:
        plain = inspect.unwrap(function)
    except Exception:  # of the student's own making
        return 0
    return plain.__code__.co_firstlineno if type(plain) is FunctionType else 0


def _called(function: Function, given: Mapping[str, Any], dtype: torch.dtype) -> Any:
    """What it returns, in the precision of the question."""
    if dtype is not torch.float64:
        return function(**given)
    with in_double():
        return function(**given)


def _unchanged(now: Tensor, before: Tensor) -> bool:
    with torch._C.DisableTorchFunctionSubclass():  # a function may have made it a class of its own
        if now.shape != before.shape or now.dtype != before.dtype:
            return False
        return torch.equal(now, before) or bool(((now == before) | (now.isnan() & before.isnan())).all())


def _collected(returned: Any, question: Question) -> tuple[Answer, ...]:
    """An answer for each gradient that came back."""
    try:
        each = elements(returned, len(question.targets)) if question.several else (returned,)
    except NotATensor as error:
        return (Answer(Outcome.BAD_OUTPUT, reason=error.why),) * len(question.targets)
    return tuple([_collect(one, question.dtype) for one in each])


def _collect(returned: Any, dtype: torch.dtype) -> Answer:
    try:
        return Answer(Outcome.ANSWERED, as_tensor(returned, dtype))
    except NotATensor as error:
        return Answer(Outcome.BAD_OUTPUT, reason=error.why)


def elements(returned: object, count: int) -> Sequence[object]:
    """The gradients that a function returned together. Raises NotATensor if there are not `count`."""
    what = f"one {type(returned).__name__}"
    if isinstance(returned, tuple | list):
        if len(returned) == count:
            return returned
        what = f"{len(returned)} values"
    raise NotATensor(reason(Code.RETURNED_COUNT, what=what, count=count))


def as_tensor(returned: object, dtype: torch.dtype) -> Tensor:
    """What was returned as a detached dense tensor of `dtype`: tensors, numpy arrays and numbers are taken.

    Raises NotATensor for anything else, complex numbers and sparse tensors included.
    """
    if type(returned) is Tensor and returned.dtype is dtype and not returned.requires_grad and returned.is_cpu:
        if returned.layout is torch.strided:  # what nearly always comes back, and in training a thousand times a second
            return returned
    if returned is None:
        raise NotATensor(Reason(Code.RETURNED_NONE))
    if isinstance(returned, (bool, int, float, np.number, np.ndarray)):
        try:
            returned = torch.tensor(returned, dtype=None if isinstance(returned, np.ndarray) else dtype)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            kind = str(getattr(returned, "dtype", type(returned).__name__))
            raise NotATensor(reason(Code.RETURNED_NUMBERS, kind=kind)) from None
    if not isinstance(returned, Tensor):
        kind = type(returned).__name__
        length = f" of {len(returned)}" if isinstance(returned, (tuple, list)) else ""
        what = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}{length}"
        raise NotATensor(reason(Code.RETURNED_OTHER, what=what, kind=kind))
    if returned.is_complex() or returned.layout is not torch.strided:
        raise NotATensor(Reason(Code.RETURNED_COMPLEX if returned.is_complex() else Code.RETURNED_SPARSE))
    with torch._C.DisableTorchFunctionSubclass():  # so that a class of the student's own is a plain tensor from here on
        plain = returned.detach().to("cpu", dtype)
    if type(plain) is not Tensor:
        raise NotATensor(reason(Code.RETURNED_OTHER, kind=type(returned).__name__))
    return plain
