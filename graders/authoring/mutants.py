"""Wrong answers made from a right one: one small change of its syntax tree at a time, each with a name.

A mutant is a hypothesis about a mistake. Messages name operations and variables that the student's signature shows,
never the code of the solution.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.authoring.changes import SHAPE_ONLY, changes


@dataclass(frozen=True)
class Mutant:
    """A changed copy of a solution: what is wrong with it, and the function itself."""

    cause: str
    message: str
    source: str
    function: Callable[..., Any]


def mutants(
    function: ast.FunctionDef, namespace: Mapping[str, Any], lookalikes: Mapping[str, Sequence[str]]
) -> Iterator[Mutant]:
    """Every mutant of `function`, run in `namespace`.

    `lookalikes` lists, for a variable's name, the names that may stand there by mistake.
    """
    function = copy.deepcopy(function)
    function.decorator_list = []
    constants = [n for n in function.body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
    function.body = [n for n in function.body if n not in constants]  # the docstring
    made_of = _local_variables(function, lookalikes)
    for parent, key, index, node in list(_sites(function)):
        for cause, message, instead in changes(node, parent, lookalikes):
            _put(parent, key, index, instead)
            added = _ask_for_new_names(function, lookalikes)
            yield Mutant(cause, _without_locals(message, made_of), *_compiled(function, namespace))
            for _ in range(added):
                function.args.args.pop()
            _put(parent, key, index, node)


def _local_variables(function: ast.FunctionDef, offered: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """For each variable of the function's own: the offered names that its value is made of, in order.

    A size (`n = x.shape[0]`) is known by its name, as is what is called like a gradient.
    """
    made_of: dict[str, list[str]] = {}
    known = {*offered, *(f"d{name}" for name in offered), *(a.arg for a in function.args.args)}
    for node in (n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign | ast.For)):
        value = node.iter if isinstance(node, ast.For) else node.value
        size = not any(_read_for_their_values(value)) and (
            "shape" in ast.unparse(value) or "len(" in ast.unparse(value)
        )
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        assigned = [
            n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        ]
        used = [n.id for n in _read_for_their_values(value)]
        for name in [] if size else [n for n in assigned if n not in known]:
            names = [o for u in used for o in made_of.get(u, [u] if u in known else [])]
            made_of[name] = list(dict.fromkeys(made_of.get(name, []) + names))
    return made_of


def _read_for_their_values(node: ast.AST) -> Iterator[ast.Name]:
    """The names in an expression, but for those of which only the shape is read."""
    if isinstance(node, ast.Name):
        yield node
    elif not (isinstance(node, ast.Attribute) and node.attr in SHAPE_ONLY):
        is_length = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
        for child in [] if is_length else ast.iter_child_nodes(node):
            yield from _read_for_their_values(child)


def _without_locals(message: str, made_of: Mapping[str, Sequence[str]]) -> str:
    """A student does not know the solution's own variables: what they are made of stands in their place."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in made_of:
            return match[0]
        listed = " and ".join(f"`{name}`" for name in made_of[match[1]][:3])
        return f"what is made of {listed}" if listed else "a tensor made on the way"

    return re.sub(r"`(\w+)`", replaced, message)


def _sites(root: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below `root` with the place where it hangs."""
    for parent in ast.walk(root):
        for key, value in ast.iter_fields(parent):
            if isinstance(parent, ast.FunctionDef) and key != "body":
                continue
            if isinstance(value, ast.AST):
                yield parent, key, None, value
            elif isinstance(value, list):
                yield from ((parent, key, i, v) for i, v in enumerate(value) if isinstance(v, ast.AST))


def _put(parent: ast.AST, key: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, key, node)
    else:
        getattr(parent, key)[index] = node


def _ask_for_new_names(function: ast.FunctionDef, lookalikes: Mapping[str, Sequence[str]]) -> int:
    """Add parameters for names that a change has brought in; returns how many."""
    has = {a.arg for a in function.args.args}
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    new = sorted((used & {o for others in lookalikes.values() for o in others}) - has)
    assigned = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    new = [name for name in new if name not in assigned]
    function.args.args += [ast.arg(arg=name) for name in new]
    return len(new)


def _compiled(function: ast.FunctionDef, namespace: Mapping[str, Any]) -> tuple[str, Callable[..., Any]]:
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    scope = dict(namespace)
    exec(compile(module, "<mutant>", "exec"), scope)
    return ast.unparse(module), scope[function.name]
