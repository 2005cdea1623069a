"""Given code that a student changed: which functions, and how the first changed line reads now."""

import ast

from graders.exercise.module import functions_of, targets_of
from graders.words import Code, Reason, joined, reason


def changed_given_code(released: str, now: str) -> Reason | None:
    """Given functions that differ from what was released; None if none does.

    Comments and layout do not count. The checks use the released code in any case.
    """
    then, present = _given(released), _functions(now)
    changed = [name for name, tree in then.items() if ast.dump(tree) != ast.dump(present.get(name, ast.Pass()))]
    if not changed:
        return None
    lines = [
        _first_difference(then[name], present[name]) if name in present else reason(Code.GIVEN_GONE, function=name)
        for name in changed
    ]
    return reason(Code.GIVEN_CHANGED, changes=joined(lines))


def _functions(text: str) -> dict[str, ast.FunctionDef]:
    """The top-level functions by name, without their docstrings."""
    found = {f.name: f for f in functions_of(ast.parse(text))}
    for function in found.values():
        if ast.get_docstring(function) is not None:
            function.body = function.body[1:]
    return found


def _given(text: str) -> dict[str, ast.FunctionDef]:
    return {name: f for name, f in _functions(text).items() if not targets_of(f)}


def _first_difference(then: ast.FunctionDef, now: ast.FunctionDef) -> Reason:
    for old, new in zip(then.body, now.body, strict=False):
        if ast.dump(old) != ast.dump(new):
            return reason(Code.GIVEN_LINE, line=new.lineno, function=now.name, now=_short(new), before=_short(old))
    return reason(Code.GIVEN_SIGNATURE, function=now.name, line=now.lineno)


def _short(node: ast.stmt) -> str:
    return ast.unparse(node).splitlines()[0][:60]
