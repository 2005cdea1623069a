"""What by hand means, as far as the text tells: which modules may be used, and which names lead around the work.

Forbidden is only what is certain. The text is read before it runs, and what offends is replaced by a refusal where it
stands: it costs the functions that come upon it when they are asked, and nothing else. What a name stands for at run
time is guard.py's business: autograd is found there, however it is called.
"""

import ast
import builtins
import difflib
import sys
from collections.abc import Collection, Iterable, Iterator
from types import ModuleType

from graders.words import Code, Reason, reason

# fmt: off
MODULES = {  # with all that is inside them, but for REFUSED
    "__future__", "abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal",
    "enum", "fractions", "functools", "graders", "heapq", "itertools", "logging", "math", "numbers", "numpy",
    "operator", "pprint", "random", "re", "reprlib", "statistics", "string", "sys", "textwrap", "time", "timeit",
    "torch", "types", "typing", "typing_extensions", "warnings",
}
OF_GRADERS = {"gradients", "names"}
DERIVATIVES = {  # real outside of a graded call, where a check of one's own may use them
    *(f"torch.autograd.{name}" for name in (
        "Variable._execution_engine", "backward", "forward_ad", "functional", "grad", "gradcheck",
        "graph._engine_run_backward")),
    *(f"torch.func.{name}" for name in (
        "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp")),
}
REFUSED = {
    **dict.fromkeys(("functorch", "torch._functorch"), Code.NOT_BY_HAND),
    **dict.fromkeys((
        "numpy.ctypeslib", "numpy.f2py", "sys._current_frames", "sys._getframe", "sys.meta_path", "sys.modules",
        "sys.path_hooks", "sys.setprofile", "sys.settrace", "torch._C", "torch._dynamo", "torch._inductor",
        "torch._ops", "torch.compile", "torch.compiler", "torch.export", "torch.jit", "torch.library",
        "torch.overrides", "torch.utils._python_dispatch", "torch.utils.checkpoint",
    ), Code.NOT_NEEDED),
    **dict.fromkeys((
        "numpy.fromfile", "numpy.genfromtxt", "numpy.load", "numpy.loadtxt", "numpy.memmap", "numpy.save",
        "numpy.savetxt", "numpy.savez", "numpy.savez_compressed", "torch.from_file", "torch.load", "torch.save",
    ), Code.OTHER_FILE),
}
NAMES = {
    "open": Code.OTHER_FILE,
    **dict.fromkeys(("__builtins__", "__import__", "__loader__", "input"), Code.NOT_NEEDED),
}
INSIDES = {  # of functions, frames and modules: the ways to what watches a submission
    "__builtins__", "__closure__", "__code__", "__globals__", "__loader__", "__self__", "__subclasses__",
    "f_back", "f_builtins", "f_globals", "f_locals", "gi_frame", "tb_frame",
}
# fmt: on
REFUSE, STAND_IN = "__refuse__", "__stand_in__"


Fault = tuple[Reason, int]  # what is not allowed, and its line


class Forbidden(Exception):
    """Not by hand, or out of bounds."""

    def __init__(self, why: Reason, line: int = 0):
        self.why, self.line = why, line
        super().__init__(str(why))


def screen(tree: ast.Module) -> tuple[ast.Module, list[Fault]]:
    """The module with refusals for what is not allowed, and the faults, which the refusals know by their numbers.

    `__refuse__(number)` refuses in a graded call; `__stand_in__(number)` makes something that refuses when it is used.
    """
    screener = _Screener(tree)
    return ast.fix_missing_locations(screener.visit(tree)), screener.faults


def fault_of_import(name: str, module: str = "") -> Reason | None:
    """What is wrong with `import name`, or with `from module import name`."""
    whole = meant_by(f"{module}.{name}" if module else name)
    refused = _beginning(whole, REFUSED)
    if refused:
        return reason(REFUSED[refused], name=name)
    root, *rest = whole.split(".")
    if root in MODULES and not (root == "graders" and rest and rest[0] not in OF_GRADERS):
        return None
    called = (module.strip(".") and module) or name
    if root in sys.stdlib_module_names or root == "graders":
        return reason(Code.NO_IMPORT, name=called)
    near = difflib.get_close_matches(root, ["torch", "numpy", "math"], 1)
    return reason(Code.ONE_FILE, name=called, close=near[0] if near else None)


def fault_of_name(meant: str, written: str) -> Reason | None:
    """What is wrong with a dotted name that stands for `meant`."""
    if _beginning(meant, DERIVATIVES):
        return reason(Code.NOT_BY_HAND, name=written)
    why = fault_of_import(meant)
    return why and reason(why.code, name=written)


def meant_by(dotted: str) -> str:
    """A dotted name from its own module on: torch.sys.path is sys.path."""
    root, *rest = dotted.split(".")
    meant, inside = root, sys.modules.get(root)
    for part in rest:
        inside = vars(inside).get(part) if isinstance(inside, ModuleType) else None
        own = inside.__name__ if isinstance(inside, ModuleType) else ""
        strays = own and own.split(".")[0] != meant.split(".")[0]
        meant = own if strays else f"{meant}.{part}"
    return meant


def _beginning(dotted: str, names: Collection[str]) -> str:
    """The beginning of a dotted name that is one of `names`; empty if none is."""
    parts = dotted.split(".")
    return next((p for p in (".".join(parts[:n]) for n in range(1, len(parts) + 1)) if p in names), "")


class _Screener(ast.NodeTransformer):
    def __init__(self, tree: ast.Module):
        nodes = list(ast.walk(tree))
        self.faults: list[Fault] = []
        self.bound = set(_bound(nodes))
        self.own: set[str] = set()  # names that the function at hand binds
        self.read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        self.modules = dict(_imported(nodes))

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for alias in node.names:
            why, root = fault_of_import(alias.name), alias.name.split(".")[0]
            if why is None:
                made.append(ast.Import([alias]))
            elif alias.asname is None and not fault_of_import(root):
                made.append(ast.Import([ast.alias(root)]))
            else:
                made.append(self._stands_for(alias.asname or root, why, node))
        return [ast.copy_location(statement, node) for statement in made]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        module = "." * node.level + (node.module or "")
        honest: list[ast.alias] = []
        made: list[ast.stmt] = []
        for alias in node.names:
            if alias.name == "*":
                why, faulty = None, self._by_star(module)
            else:
                why, name = fault_of_import(alias.name, module), alias.asname or alias.name
                faulty = {name: why} if why else {}
            honest += [] if why or (faulty and fault_of_import(module)) else [alias]
            made += [self._stands_for(name, fault, node) for name, fault in faulty.items()]
        made[:0] = [ast.ImportFrom(node.module, honest, node.level)] if honest else []
        return [ast.copy_location(statement, node) for statement in made] or [ast.copy_location(ast.Pass(), node)]

    def _by_star(self, module: str) -> dict[str, Reason]:
        """Names that the file reads, binds nowhere, and may not have from `module`."""
        unknown = sorted(self.read - self.bound - vars(builtins).keys())
        whole = fault_of_import(module)
        found = {name: whole or fault_of_import(name, module) for name in unknown}
        return {name: why for name, why in found.items() if why}

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        root, *rest = dotted(node)
        meant = meant_by(".".join([self.modules[root], *rest])) if root in self.modules else ""
        why = fault_of_name(meant, ".".join([root, *rest])[-80:]) if meant else None
        if why and isinstance(node.ctx, ast.Load):
            return self._refusal(why, node, node if _beginning(meant, DERIVATIVES) else None)
        self.generic_visit(node)
        if node.attr in INSIDES:
            node.value = self._refusal(reason(Code.NOT_NEEDED, name=node.attr), node, node.value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load):
            return node
        if _beginning(self.modules.get(node.id, ""), DERIVATIVES) and node.id not in self.own:
            return self._refusal(reason(Code.NOT_BY_HAND, name=node.id), node, node)
        if node.id in (REFUSE, STAND_IN) or (node.id in NAMES and node.id not in self.bound):
            return self._refusal(reason(NAMES.get(node.id, Code.NOT_NEEDED), name=node.id), node, None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        before = self.own
        self.own = before | set(_bound(inner for inner in ast.walk(node) if not isinstance(inner, ast.alias)))
        self.generic_visit(node)
        self.own = before
        return node

    visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """A pattern takes no refusal in it, and does nothing but compare."""
        node.guard = self.visit(node.guard) if node.guard else None
        node.body = [made for inner in node.body for made in _as_list(self.visit(inner))]
        return node

    def _stands_for(self, name: str, why: Reason, at: ast.stmt) -> ast.stmt:
        return ast.Assign([ast.Name(name, ast.Store())], self._call(STAND_IN, why, at))

    def _refusal(self, why: Reason, at: ast.expr, real: ast.expr | None) -> ast.expr:
        """In a graded call a refusal, elsewhere what stood there, or what stands for it."""
        call = self._call(REFUSE, why, at)
        return ast.copy_location(ast.BoolOp(ast.Or(), [call, real or self._call(STAND_IN, why, at)]), at)

    def _call(self, function: str, why: Reason, at: ast.stmt | ast.expr) -> ast.expr:
        if (why, at.lineno) not in self.faults:
            self.faults.append((why, at.lineno))
        number = ast.Constant(self.faults.index((why, at.lineno)))
        return ast.copy_location(ast.Call(ast.Name(function, ast.Load()), [number], []), at)


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that are bound somewhere."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.alias(asname=str(name)) | ast.alias(name=name):
                yield name.split(".")[0]


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """What names stand for that were imported, and may be."""
    for node in nodes:
        if isinstance(node, ast.Import):
            own = [(a.asname, a.name) if a.asname else (a.name.split(".")[0],) * 2 for a in node.names]
            yield from ((name, module) for name, module in own if not fault_of_import(module))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            honest = [alias for alias in node.names if not fault_of_import(alias.name, node.module)]
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in honest)


def bound_by(statement: ast.stmt) -> set[str]:
    """Names that a statement binds where it stands, and not inside its functions and classes."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    found, waiting = set(_bound([statement])), list(ast.iter_child_nodes(statement))
    while waiting:
        node = waiting.pop()
        found |= bound_by(node) if isinstance(node, ast.stmt) else set(_bound([node]))
        if not isinstance(node, (ast.stmt, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found


def _as_list(made: ast.AST | list[ast.stmt]) -> list[ast.stmt]:
    return made if isinstance(made, list) else [made]  # type: ignore[list-item]


def dotted(node: ast.expr) -> list[str]:
    """The parts of torch.autograd.grad, as written; the first is empty where it hangs on something else than a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id if isinstance(node, ast.Name) else "", *names]
