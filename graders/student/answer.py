"""Ask one function one question: the one way in which somebody's function is called.

It is asked so in the student's own process, in the sandbox, by the library of known mistakes, by the short training
run and by the trainer. They differ in the `attempt` that the call is made under: what happens to an exception, to a
loop that does not end, to a change of torch's settings.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from graders.exercise.forward import in_double
from graders.outcome import Outcome
from graders.student.question import Question
from graders.student.reading import nothing_returned
from graders.student.returned import NotATensor, as_tensor, elements
from graders.student.slips import asked_in_vain, details, slip
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
    error: BaseException | None = field(default=None, repr=False)  # until ask() has read it


Function = Callable[..., Any]
Attempt = Callable[[Callable[[], Any]], Any]  # what the action returned, or the Answer that tells what became of it


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
        return (_explained(given, function, question),) * len(question.targets)
    found = attempt(lambda: _collected(_called(function, given, question.dtype), question, function))
    if isinstance(found, Answer):
        return (_explained(found, function, question),) * len(question.targets)
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
            why = question.refusal(name) or asked_in_vain(name, function, offered)
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


def _plain(function: Function) -> FunctionType | None:
    """What stands behind decorators; None if that is no function of Python."""
    try:
        plain = inspect.unwrap(function)
    except Exception:  # of the student's own making
        return None
    return plain if type(plain) is FunctionType else None


def _line(function: Function) -> int:
    """Where it is defined; 0 where that is not known."""
    plain = _plain(function)
    return plain.__code__.co_firstlineno if plain else 0


def _explained(answer: Answer, function: Function, question: Question) -> Answer:
    """An accident with what it tells of a slip, as far as that is certain."""
    error, plain = answer.error, _plain(function)
    if error is None or plain is None or answer.reason is None or answer.outcome is not Outcome.ERROR:
        return replace(answer, error=None)
    try:
        why = slip(error, plain, question) or reason(
            answer.reason.code, **{**dict(answer.reason.facts), **details(error, plain, question)}
        )
    except Exception:  # an exception of the student's own may be anything
        why = answer.reason
    return replace(answer, reason=why, error=None)


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


def _collected(returned: Any, question: Question, function: Function) -> tuple[Answer, ...]:
    """An answer for each gradient that came back."""
    plain = _plain(function) if returned is None else None
    if plain:
        why = nothing_returned(plain.__code__, ", ".join(question.upstream))
        return (Answer(Outcome.BAD_OUTPUT, reason=why),) * len(question.targets)
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
