"""The student's module: loaded from its text, asked for one gradient at a time, its accidents kept apart."""

from __future__ import annotations

import ast
import contextlib
import difflib
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graders.exercise.module import functions_of, targets_of
from graders.student.accidents import (
    PATIENCE,
    TimeLimit,
    Waited,
    functions_kept,
    in_double,
    one_thread,
    settings_kept,
    time_limit,
)

DEFAULT_LIMIT = 10.0  # seconds of processor time for one call; the slowest loop of the lecture takes 0.01


@dataclass(frozen=True)
class Problem:
    """Why there is no answer: one sentence, the student's own lines, and where (1-based, 0 if nowhere)."""

    message: str
    line: int = 0
    frames: tuple[str, ...] = ()
    not_attempted: bool = False


@dataclass(frozen=True)
class Student:
    """A student's module: its functions, or the problem that kept it from loading."""

    path: Path
    text: str
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    problem: Problem | None = None


def load_student(path: Path, limit: float = DEFAULT_LIMIT) -> Student:
    """Read and run a student's module. Nothing it does at import raises here: see Student.problem."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
    except (OSError, UnicodeDecodeError) as error:
        return Student(path, "", problem=Problem(f"cannot be read: {error}"))
    except (SyntaxError, ValueError, RecursionError) as error:
        number = getattr(error, "lineno", None) or 0
        shown = (f"line {number}: {(getattr(error, 'text', None) or '').strip()}",) if number else ()
        kind = "syntax error" if isinstance(error, SyntaxError) else type(error).__name__
        message = f"{kind}: {getattr(error, 'msg', error)}"
        return Student(path, "", problem=Problem(message, number, shown))
    lines = {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
    module = types.ModuleType(f"exercise_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up by name
    with functions_kept():
        _, problem = run(lambda: exec(compile(tree, str(path), "exec"), module.__dict__), path, limit)
    functions = {name: value for name, value in vars(module).items() if callable(value)}
    return Student(path, text, functions, lines, problem)


def arguments(
    function: Callable[..., Any], offered: Mapping[str, Any], refused: Mapping[str, str]
) -> dict[str, Any] | Problem:
    """Give a function what it asks for by name, copied, so that nothing it does to them is felt elsewhere.

    `refused` holds names that exist but are not to be had here, each with the sentence that says why.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return Problem("is not a plain function any more: write it as `def`")
    asked = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    optional = set(asked[code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount])
    optional |= set(function.__kwdefaults__ or ())
    given = {}
    for name in asked:
        if name in offered:
            value = offered[name]
            given[name] = value.clone() if isinstance(value, Tensor) else value
        elif name not in optional:
            return Problem(refused.get(name) or _unknown(name, offered), code.co_firstlineno)
    return given


def _unknown(name: str, offered: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, offered, 1)
    remedy = f"did you mean `{close[0]}`?" if close else "ask for names of the forward pass only."
    return f"asks for `{name}`, which the forward pass does not have: {remedy}"


def ask(
    function: Callable[..., Any],
    offered: Mapping[str, Any],
    refused: Mapping[str, str],
    path: Path,
    limit: float = DEFAULT_LIMIT,
) -> tuple[Any, Problem | None]:
    """Call a function of the student's with what it asks for: (its answer, None) or (None, the problem).

    With float64 arguments, float32 constants inside are float64 too. An argument that was changed in place is a
    problem of its own: other gradients need that tensor.
    """
    given = arguments(function, offered, refused)
    if isinstance(given, Problem):
        return None, given
    answer, problem = run(lambda: call(function, given), path, limit)
    if problem:
        return None, problem
    for name, value in given.items():
        if isinstance(value, Tensor) and not _unchanged(value, offered[name]):
            message = f"changed its argument `{name}` in place: work on a copy, `{name}.clone()`"
            return None, Problem(message, function.__code__.co_firstlineno)
    return answer, None


def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call with what it asked for, in the precision of the arguments."""
    double = any(isinstance(v, Tensor) and v.dtype is torch.float64 for v in given.values())
    with in_double() if double else contextlib.nullcontext():
        return function(**given)


def _unchanged(now: Tensor, before: Tensor) -> bool:
    if now.shape != before.shape or now.dtype != before.dtype:
        return False
    return torch.equal(now, before) or bool(((now == before) | (now.isnan() & before.isnan())).all())


def run(action: Callable[[], Any], path: Path, limit: float) -> tuple[Any, Problem | None]:
    """Run code of the student's; whatever it raises comes back as a problem that shows only their own lines."""
    try:
        with one_thread(), settings_kept(), time_limit(limit):
            return action(), None
    except KeyboardInterrupt:
        raise
    except Waited as error:
        message = f"still not back after {PATIENCE * limit:g} s: does it wait for something (input, sleep)?"
        return None, _problem(message, error, path)
    except TimeLimit as error:
        return None, _problem(f"still running after {limit:g} s: an endless loop?", error, path)
    except BaseException as error:
        problem = _problem(traceback.format_exception_only(error)[-1].strip()[:500], error, path)
        if isinstance(error, NotImplementedError) and "raise NotImplementedError" in "".join(problem.frames[-1:]):
            return None, Problem("not attempted", problem.line, not_attempted=True)
        return None, problem


def _problem(message: str, error: BaseException, path: Path) -> Problem:
    linecache.checkcache(str(path))
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    shown = [f"line {f.lineno}: {(f.line or '').strip()}" for f in own]
    if len(shown) > 6:
        shown = [*shown[:3], f"... {len(shown) - 6} more ...", *shown[-3:]]
    return Problem(message, (own[-1].lineno or 0) if own else 0, tuple(shown))


def changed_given_code(released: str, now: str) -> str:
    """A sentence on given functions that differ from what was released; empty if none does.

    Comments and layout do not count. The checks use the released code in any case.
    """
    then, present = _given(released), _functions(now)
    changed = [name for name, tree in then.items() if ast.dump(tree) != ast.dump(present.get(name, ast.Pass()))]
    if not changed:
        return ""
    lines = [_first_difference(then[n], present[n]) if n in present else f"{n} is gone" for n in changed]
    return f"given code was changed: {'; '.join(lines)}. The checks use the original; undo this to be safe."


def _functions(text: str) -> dict[str, ast.FunctionDef]:
    """The top-level functions by name, without their docstrings."""
    found = {f.name: f for f in functions_of(ast.parse(text))}
    for function in found.values():
        if ast.get_docstring(function) is not None:
            function.body = function.body[1:]
    return found


def _given(text: str) -> dict[str, ast.FunctionDef]:
    return {name: f for name, f in _functions(text).items() if not targets_of(f)}


def _first_difference(then: ast.FunctionDef, now: ast.FunctionDef) -> str:
    for old, new in zip(then.body, now.body, strict=False):
        if ast.dump(old) != ast.dump(new):
            return f"line {new.lineno} of {now.name}() reads `{_short(new)}`, and was `{_short(old)}`"
    return f"{now.name}() at line {now.lineno} has other arguments or more or fewer lines"


def _short(node: ast.stmt) -> str:
    return ast.unparse(node).splitlines()[0][:60]
