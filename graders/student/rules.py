"""What by hand means, as far as the text tells: imports from an allow-list, no way into autograd by name.

The text is read before it runs. What offends is replaced by a refusal where it stands, so that it costs only the
functions that come upon it. Names that are built at run time are not seen here.
"""

import ast
from typing import Any

from graders.words import Code, Reason, reason

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


Fault = tuple[Reason, int]  # what is not allowed, and its line


class Forbidden(Exception):
    """Not by hand, or out of bounds."""

    def __init__(self, why: Reason, line: int = 0):
        self.why, self.line = why, line
        super().__init__(str(why))


def screen(tree: ast.Module) -> tuple[ast.Module, list[Fault]]:
    """The module with what is not allowed replaced by refusals `__refuse__(number, later)`, and the numbered faults.

    Raises Forbidden for a fault that concerns the whole module.
    """
    body: list[ast.stmt] = []
    faults: list[Fault] = []
    for statement in tree.body:
        if isinstance(statement, ast.If) and _is_main_block(statement.test):
            continue
        fault = _first_fault([statement])
        if fault is None:
            body.append(statement)
            continue
        faults.append(fault)
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            body += _stand_ins(statement, faults)
        elif isinstance(statement, ast.FunctionDef) and not _fault_of_frame(statement):
            refusal = ast.copy_location(ast.Expr(call := _refusal(faults)), call)
            statement.body = [ast.fix_missing_locations(refusal)]
            body.append(statement)
        else:
            raise Forbidden(*fault)
    return ast.Module(body, tree.type_ignores), faults


def _is_main_block(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _fault_of_frame(function: ast.FunctionDef) -> Fault | None:
    """A fault outside of the body, which runs when the function is defined."""
    returns = [function.returns] if function.returns else []
    return _first_fault([*function.decorator_list, function.args, *returns])


def _refusal(faults: list[Fault], later: bool = False) -> ast.Call:
    """A call that refuses for the last of `faults`; `later`: a stand-in that does so when it is used."""
    arguments: list[ast.expr] = [ast.Constant(len(faults) - 1), ast.Constant(later)]
    call = ast.Call(ast.Name(REFUSE, ast.Load()), arguments, [])
    call.lineno = call.end_lineno = faults[-1][1]
    call.col_offset = call.end_col_offset = 0
    return call


def _stand_ins(statement: ast.Import | ast.ImportFrom, faults: list[Fault]) -> list[ast.stmt]:
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
            made.append(ast.Assign([name], _refusal(faults, later=True)))
    return [ast.fix_missing_locations(ast.copy_location(new, statement)) for new in made]


def _first_fault(nodes: list[Any]) -> Fault | None:
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        fault = _fault(node)
        if fault:
            return fault, getattr(node, "lineno", 0)
    return None


def _fault(node: ast.AST) -> Reason | None:
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
            return reason(Code.SPELLED_OUT, name=name)
        case ast.Call(func=ast.Name(id="getattr" | "hasattr") as call, args=[_, ast.Constant(str(name)), *_]):
            call.spelled = True  # type: ignore[attr-defined]
            return _fault_of_name(name, True)
        case ast.Name(id=name) if name in NAMES or (name.startswith("__") and name not in SPECIAL):
            return reason(Code.NOT_NEEDED, name=name)
        case ast.keyword(arg="requires_grad", value=value) if not _is_false(value):
            return Reason(Code.REQUIRES_GRAD)
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


def _fault_of_import(name: str) -> Reason | None:
    if name in MODULES:
        return None
    by_hand = set(name.split(".")).isdisjoint(AUTOGRAD)
    return reason(Code.NO_IMPORT if by_hand else Code.NOT_BY_HAND, name=name)


def _fault_of_name(name: str, of_torch: bool, spelled: str = "") -> Reason | None:
    if name in AUTOGRAD:
        return reason(Code.NOT_BY_HAND, name=spelled or name)
    if (of_torch and name in OF_TORCH) or (name.startswith("__") and name not in SPECIAL):
        return reason(Code.NOT_NEEDED, name=spelled or name)
    return None
