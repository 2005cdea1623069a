"""Was it done by hand? Two layers that deter and explain; the sandbox does not rely on either.

`screen` reads the text before it runs: imports from an allow-list, no way into autograd by name. What
offends is replaced by a refusal where it stands, so that it costs only the functions that come upon it.
`Guard` watches every tensor operation: inference mode must stay on (autograd and functorch leave it),
no dual or complex numbers, no ops that are themselves backward formulas, and no more operations than the
budget, which ends difference quotients. Work on Python numbers or in numpy is not seen: a student who
writes their own tape on those passes.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# fmt: off
MODULES = {
    "__future__", "collections", "collections.abc", "dataclasses", "functools", "graders", "graders.names", "itertools",
    "math", "numpy", "torch", "torch.nn", "torch.nn.functional", "typing",
}
AUTOGRAD = {
    "autograd", "backward", "compile", "enable_grad", "forward_ad", "func", "functional_call", "functorch", "grad",
    "grad_fn", "hessian", "jacfwd", "jacobian", "jacrev", "jit", "jvp", "register_hook", "requires_grad",
    "requires_grad_", "retain_grad", "set_grad_enabled", "vjp",
}
OF_TORCH = {"_C", "export", "fx", "library", "ops", "overrides", "utils"}  # torch.utils, but not self.utils
NAMES = {"breakpoint", "compile", "delattr", "eval", "exec", "globals", "input", "open", "setattr", "vars"}
SPECIAL = {f"__{name}__" for name in (
    "abs", "add", "all", "annotations", "bool", "call", "contains", "doc", "enter", "eq", "exit", "file", "float",
    "floordiv", "ge", "getitem", "gt", "hash", "iadd", "imul", "init", "int", "isub", "iter", "itruediv", "le", "len",
    "lt", "main", "matmul", "mod", "mul", "name", "ne", "neg", "next", "pos", "post_init", "pow", "radd", "repr",
    "rmatmul", "rmul", "rpow", "rsub", "rtruediv", "setitem", "slots", "str", "sub", "truediv", "version",
)}
# fmt: on
REFUSE = "__refuse__"


class Forbidden(Exception):
    """Not by hand, or out of bounds; the message says what to do instead."""


class Refused:
    """Stands where a module that may not be imported would be."""

    def __init__(self, refuse: Callable[[], NoReturn]):
        object.__setattr__(self, "_refuse", refuse)

    def __call__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        object.__getattribute__(self, "_refuse")()
        raise AssertionError

    __getattribute__ = __setattr__ = __getitem__ = __call__


# --- the text ----------------------------------------------------------------


Fault = tuple[str, int]  # what is wrong, and its line


def screen(tree: ast.Module, refuse: Callable[[str, int], Any]) -> ast.Module:
    """The module with what is not allowed replaced by refusals; `refuse` is called where that cannot be."""
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.If) and _is_main_block(statement.test):
            continue
        fault = _first_fault([statement])
        if fault and isinstance(statement, (ast.Import, ast.ImportFrom)):
            body += _stand_ins(statement, fault)
        elif fault and isinstance(statement, ast.FunctionDef) and not _fault_of_frame(statement):
            refusal = ast.copy_location(ast.Expr(call := _refusal(*fault)), call)
            statement.body = [ast.fix_missing_locations(refusal)]
            body.append(statement)
        elif fault:
            refuse(*fault)
        else:
            body.append(statement)
    return ast.Module(body, tree.type_ignores)


def _is_main_block(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _fault_of_frame(function: ast.FunctionDef) -> Fault | None:
    """A fault outside of the body, which runs when the function is defined."""
    returns = [function.returns] if function.returns else []
    return _first_fault([*function.decorator_list, function.args, *returns])


def _refusal(fault: str, line: int, later: bool = False) -> ast.Call:
    arguments: list[ast.expr] = [ast.Constant(value) for value in (fault, line, later)]
    call = ast.Call(ast.Name(REFUSE, ast.Load()), arguments, [])
    call.lineno = call.end_lineno = line
    call.col_offset = call.end_col_offset = 0
    return call


def _stand_ins(statement: ast.Import | ast.ImportFrom, fault: Fault) -> list[ast.stmt]:
    """An assignment for each name that the import would bind; what may be imported still is."""
    made: list[ast.stmt] = []
    for alias in statement.names:
        root = alias.name.split(".")[0]
        if isinstance(statement, ast.Import) and not _fault_of_import(alias.name):
            made.append(ast.Import([alias]))
        elif isinstance(statement, ast.Import) and root in MODULES and alias.asname is None:
            made.append(ast.Import([ast.alias(root)]))
        elif alias.name != "*":
            name = ast.Name(alias.asname or root, ast.Store())
            made.append(ast.Assign([name], _refusal(*fault, later=True)))
    return [ast.fix_missing_locations(ast.copy_location(new, statement)) for new in made]


def _first_fault(nodes: list[Any]) -> Fault | None:
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        fault = _fault(node)
        if fault:
            return fault, getattr(node, "lineno", 0)
    return None


def _fault(node: ast.AST) -> str | None:
    match node:
        case ast.Import(names=names):
            return next(filter(None, (_fault_of_import(alias.name) for alias in names)), None)
        case ast.ImportFrom(module=module, names=names, level=level):
            whole = _fault_of_import("." * level + (module or ""))
            parts = (_fault_of_name(a.name, module == "torch") for a in names if _not_a_module(module, a))
            return whole or next(filter(None, parts), None)
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return _fault_of_name(name, False) if name.startswith("__") else None
        case ast.Attribute(attr=name):
            dotted = _dotted(node)
            return _fault_of_name(name, dotted == f"torch.{name}", dotted)
        case ast.Name(id="getattr" | "hasattr" as name, ctx=ast.Load()) if not hasattr(node, "spelled"):
            return f"`{name}` is taken only with a name that is written out: {name}(x, 'shape')"
        case ast.Call(func=ast.Name(id="getattr" | "hasattr") as call, args=[_, ast.Constant(str(name)), *_]):
            call.spelled = True  # type: ignore[attr-defined]
            return _fault_of_name(name, True)
        case ast.Name(id=name) if name in NAMES or (name.startswith("__") and name not in SPECIAL):
            return f"`{name}` is not needed here and not allowed"
        case ast.keyword(arg="requires_grad", value=value) if not _is_false(value):
            return "requires_grad is not by hand: work the gradient out and compute it"
    return None


def _dotted(node: ast.expr) -> str:
    """torch.autograd.grad, as it was written; .grad where it hangs on something else than a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "", *names])[-80:]


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _not_a_module(module: str | None, alias: ast.alias) -> bool:
    return f"{module}.{alias.name}" not in MODULES


def _fault_of_import(name: str) -> str | None:
    if name in MODULES:
        return None
    if set(name.split(".")) & AUTOGRAD:
        return f"{name} is not by hand: work the gradient out and compute it"
    return f"{name} cannot be imported here: torch, numpy, math and the like suffice"


def _fault_of_name(name: str, of_torch: bool, spelled: str = "") -> str | None:
    if name in AUTOGRAD:
        return f"`{spelled or name}` is not by hand: work the gradient out and compute it"
    if (of_torch and name in OF_TORCH) or (name.startswith("__") and name not in SPECIAL):
        return f"`{spelled or name}` is not needed here and not allowed"
    return None


# --- the operations ----------------------------------------------------------


class Guard(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses operations that are not by hand. `why` keeps the first refusal, were it caught or not."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # nothing is compiled here; True imports 800 modules and wraps every op
        return False

    def __init__(self, watch: bool):
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch, self.why, self.line, self._left = watch, "", 0, 0

    def refuse(self, why: str, line: int = 0, later: bool = False) -> Any:
        """Raise Forbidden; `later`: a stand-in that raises it when it is used."""
        if later:
            return Refused(lambda: self.refuse(why))
        if not self.why:
            self.why, self.line = why, line
        raise Forbidden(why)

    @contextlib.contextmanager
    def during(self, budget: int) -> Iterator[None]:
        if not self.watch:
            yield
            return
        self._left = budget
        with torch.inference_mode(), self:
            yield

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._left -= 1
        name = func.name()
        if self._left < 0:
            self.refuse("takes far more operations than the gradient needs: work it out as a formula")
        if torch.is_grad_enabled() or not torch.is_inference_mode_enabled():
            self.refuse("autograd is not by hand: work the gradient out and compute it")
        if "backward" in name or "dual" in name or "_fw_" in name:
            self.refuse(f"{name} is not by hand: work the gradient out and compute it")
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor) and value.is_complex():
                self.refuse("complex numbers have no place in this gradient: work it out in real ones")
        return result


class Guarded:
    """A student's function that runs under a guard; `student.ask` sees the same parameters and line."""

    def __init__(self, function: Callable[..., Any], guard: Guard, budget: int):
        self.function, self.guard, self.budget = function, guard, budget
        self.__code__ = getattr(function, "__code__", None)
        self.__defaults__ = getattr(function, "__defaults__", None)
        self.__kwdefaults__ = getattr(function, "__kwdefaults__", None)

    def __call__(self, **given: Any) -> Any:
        with self.guard.during(self.budget):
            return self.function(**given)
