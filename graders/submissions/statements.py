"""The statements of a notebook's cells: what each binds and uses, and which of them a set of answers needs."""

import ast
import re
import symtable
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graders.exercise.module import targets_of

LONGEST_CELL = 64 * 1024  # characters; CPython 3.11's parser and compiler survive whatever fits into that
PRELUDE = "import torch; import torch.nn.functional as F; from graders import gradients\n"
LIBRARIES = ("torch", "F", "gradients", "np", "numpy", "math")
MAGIC = re.compile(r"^(\s*)(?:[%!].*|\?.*|[\w.]+\?{1,2})$")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
IN_FUNCTIONS = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)
PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


@dataclass(frozen=True)
class Statement:
    """One top-level statement of cell `cell`: the names it binds (or changes) and uses.

    `function` is the name of the function that it defines; `gradient` says that this may be an answer.
    """

    cell: int
    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    function: str = ""
    gradient: bool = False
    attempted: bool = True


@dataclass(frozen=True)
class Cell:
    """A code cell by its number from 1; `answer` is the function whose answer it is, if it is one."""

    number: int
    answer: str
    statements: tuple[Statement, ...] = field(default=())
    problem: str = ""


def parse(number: int, text: str, answer: str = "") -> Cell:
    """Read a cell. Magics are left out; a cell that is no Python has a problem and no statements."""
    if len(text) > LONGEST_CELL:
        return Cell(number, answer, (), f"it is longer than {LONGEST_CELL // 1024} kB")
    problem = ""
    for attempt in (text, without_magics(text)):
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(attempt)
                check_places(tree)
                return Cell(number, answer, tuple(_statements(number, attempt, tree)))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = problem or _reason(error, attempt)
    return Cell(number, answer, (), problem)


def check_places(tree: ast.Module) -> None:
    """Raises SyntaxError for a return outside of a function, a break outside of a loop, and their like.

    compile() would say so too, but it copies each `finally` to wherever a `try` is left: a cell of 1 kB can make it
    take all memory.
    """
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]  # a node, is it in a function, in a loop
    while waiting:
        node, function, loop = waiting.pop()
        if isinstance(node, FUNCTIONS):
            function, loop = True, False
        elif isinstance(node, ast.ClassDef):
            function, loop = False, False
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            loop = True
        elif isinstance(node, IN_FUNCTIONS) and not function:
            raise _misplaced(node, "function")
        elif isinstance(node, ast.Break | ast.Continue) and not loop:
            raise _misplaced(node, "loop")
        inside = ast.iter_child_nodes(node)
        waiting += [(inner, function, loop) for inner in inside if not function or isinstance(inner, STATEMENTS)]


def _misplaced(node: ast.stmt | ast.expr, place: str) -> SyntaxError:
    word = type(node).__name__.lower().replace("yieldfrom", "yield")
    return SyntaxError(f"'{word}' outside {place}", ("cell", node.lineno, node.col_offset + 1, None))


def _reason(error: Exception, text: str) -> str:
    if not isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error}"[:200]
    lines, number = text.splitlines(), error.lineno or 1
    line = lines[number - 1].strip()[:80] if number <= len(lines) else ""
    return f"{error.msg} (line {number} of the cell: {line})"


def without_magics(text: str) -> str:
    """Without what only IPython understands; `pass` stands in its place."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and not first.startswith(PYTHON_MAGICS):
        return ""  # another language
    return "\n".join(MAGIC.sub(r"\1pass", line) for line in lines)


def _statements(number: int, text: str, tree: ast.Module) -> Iterator[Statement]:
    lines = text.splitlines()
    on_line = Counter(line for node in tree.body for line in {_start(node), _end(node)})
    for node in tree.body:
        alone = on_line[_start(node)] == 1 and on_line[_end(node)] == 1
        source = "\n".join(lines[_start(node) - 1 : _end(node)]) if alone else ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("graders.nb"):
            continue  # check() is not needed here
        binds, uses = frozenset(_binds(node)), _uses(source)
        if isinstance(node, ast.FunctionDef):
            yield Statement(number, source, binds, uses, node.name, bool(targets_of(node)), not untouched(node))
        else:
            yield Statement(number, source, binds, uses)


def _start(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def untouched(function: ast.FunctionDef) -> bool:
    """Whether it is as it was released: nothing but NotImplementedError is raised."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def _binds(node: ast.stmt) -> Iterator[str]:
    """Names that a statement binds at the top level or changes: f, x = ..., x[0] = ..., x.append(...)."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
            yield inner.id
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name.split(".")[0]
        elif isinstance(inner, ast.FunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store | ast.Del):
            yield from _root(inner)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        yield from (name for name in _root(node.value.func) if name not in LIBRARIES)  # not torch.manual_seed(0)


def _root(node: ast.expr) -> Iterator[str]:
    """`x` of x.y[0].z"""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _uses(source: str) -> frozenset[str]:
    """The global names that a statement looks up, in functions too; not their parameters and variables."""
    names: set[str] = set()
    tables = [symtable.symtable(source, "cell", "exec")]
    top = tables[0]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is top or s.is_global())}
    return frozenset(names)


def assemble(cells: Sequence[Cell], answers: Mapping[str, Statement]) -> str:
    """The answers and, of all other statements, those that bind what is used, in the notebook's order.

    Of other definitions of an answered function none is taken.
    """
    rest = [s for cell in cells for s in cell.statements if not s.binds & answers.keys()]
    taken = {id(s) for s in answers.values()} | _needed(rest, answers.values())
    present = [s for cell in cells for s in cell.statements if id(s) in taken]
    there = {id(s) for s in present}
    body = [*present, *(s for s in answers.values() if id(s) not in there)]
    futures = [s.text for s in body if s.text.startswith("from __future__")]
    return "\n".join([*futures, PRELUDE]) + "\n\n".join(s.text for s in body if s.text not in futures) + "\n"


def _needed(rest: Sequence[Statement], answers: Iterable[Statement]) -> set[int]:
    """The ids of the statements that bind what the answers use, and what these use in turn."""
    binders: dict[str, list[Statement]] = {}
    for statement in rest:
        for name in statement.binds:
            binders.setdefault(name, []).append(statement)
    taken: set[int] = set()
    waiting = [name for answer in answers for name in answer.uses]
    while waiting:
        for statement in binders.pop(waiting.pop(), []):
            if id(statement) not in taken:
                taken.add(id(statement))
                waiting += statement.uses
    return taken
