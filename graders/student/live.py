"""The rules of rules.py for a function that exists already, as in a notebook, where no module is loaded from its text.

Its text, and that of what it uses, is read before it is asked: what offends refuses it, even where it would not be
come upon.
"""

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from graders.outcome import Outcome
from graders.student.answer import Answer
from graders.student.rules import MODULES, REFUSED, Fault, screen

MOST = 200  # functions that are read


def refusal(function: Callable[..., Any], namespace: Mapping[str, Any]) -> Answer | None:
    """The answer of a function that may not be asked; `namespace` is what its notebook has defined."""
    waiting = _functions(function)
    seen: set[FunctionType] = set()
    while waiting and len(seen) < MOST:
        plain = waiting.pop(0)
        if plain in seen:
            continue
        seen.add(plain)
        tree = _tree(plain)
        used = _used(tree, namespace)
        fault = _fault(tree, used, str(namespace.get("__name__", "__main__")))
        if fault:
            why, line = fault
            shown = linecache.getline(plain.__code__.co_filename, line).strip()
            return Answer(Outcome.FORBIDDEN, None, why, line, (f"line {line}: {shown}",) if shown else ())
        waiting += [own for value, _ in used.values() for own in _functions(value) if own.__globals__ is namespace]
    return None


def _functions(value: Any) -> list[FunctionType]:
    """The plain functions in something that can be called: behind decorators, in a class, in an object's class."""
    try:
        plain = inspect.unwrap(value.func if isinstance(value, partial) else value)
    except Exception:  # of the student's own making
        return []
    if isinstance(plain, FunctionType):
        return [plain]
    if isinstance(plain, ModuleType) or not callable(plain):
        return []
    owner = plain if isinstance(plain, type) else type(plain)
    return [inner for inner in vars(owner).values() if isinstance(inner, FunctionType)]


def _tree(function: FunctionType) -> ast.Module:
    """Its text with the lines of its cell; empty where there is none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])
    if function.__name__ == "<lambda>" or not isinstance(tree.body[0], ast.FunctionDef):  # its line holds more
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        found = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and tuple(a.arg for a in n.args.args) == names]
        tree = ast.Module([ast.copy_location(ast.Expr(inner), inner) for inner in found], [])
    return ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)


def _used(tree: ast.Module, namespace: Mapping[str, Any]) -> dict[str, tuple[Any, int]]:
    """What the text uses of the notebook, by name, with the line of its first use."""
    bound = {n.arg if isinstance(n, ast.arg) else n.id for n in ast.walk(tree) if _binds(n)}  # type: ignore[attr-defined]
    read = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in namespace and n.id not in bound]
    return {node.id: (namespace[node.id], node.lineno) for node in reversed(read)}


def _binds(node: ast.AST) -> bool:
    return isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _fault(tree: ast.Module, used: Mapping[str, tuple[Any, int]], here: str) -> Fault | None:
    """The first fault; `used` is known by imports, as if they stood above the function."""
    imports = [made for name, (value, line) in used.items() for made in _imports(name, value, line, here)]
    faults = screen(ast.Module([*imports, *tree.body], []))[1]
    return min(faults, key=lambda fault: fault[1]) if faults else None


def _imports(name: str, value: Any, line: int, here: str) -> Iterator[ast.stmt]:
    place = {"lineno": line, "col_offset": 0}
    if isinstance(value, ModuleType):
        yield ast.Import([ast.alias(value.__name__, name, **place)], **place)
        return
    module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(own, str) or module in (here, "builtins"):
        return
    if module.split(".")[0] not in MODULES or f"{module}.{own}" in REFUSED:
        yield ast.ImportFrom(module, [ast.alias(own, name, **place)], 0, **place)
