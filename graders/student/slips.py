"""What an exception in a student's function tells of a slip, as a code with facts.

A name that was not asked for, shapes that do not fit, `^` for a power. Only what is certain is said: names as they
stand in the expression that failed, shapes from the variables as they were then. Nothing of the student's runs again.
"""

import ast
import builtins
import difflib
import re
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType

import numpy as np
from torch import Tensor

from graders.student.question import Question
from graders.student.reading import definition, tree_of
from graders.words import Code, Reason, reason

IMPORTS = {
    "np": "import numpy as np",
    "numpy": "import numpy",
    "torch": "import torch",
    "math": "import math",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
}
UNBOUND = re.compile(r"cannot access local variable '(\w+)'")
KEYWORD = re.compile(r"unexpected keyword argument '(\w+)'")
TORCHS = ("keepdim", "dim", "dtype", "unbiased", "correction", "index", "source")  # keywords
OF_SHAPES = re.compile(
    r"shape|size|dim|broadcast|multipl|subscript|einsum|out of (bounds|range)|too many ind|expected \dD"
)
NEAR = 0.7  # how alike two names are, of 1, before one is offered for the other
MOST_SHAPES = 4


def slip(error: BaseException, function: FunctionType, question: Question) -> Reason | None:
    """What was probably meant; None where no more is known than the exception says."""
    trace = innermost(error, function.__code__.co_filename)
    if trace is None:
        return None
    if type(error) in (NameError, UnboundLocalError):
        return _of_name(error, trace.tb_frame, function, question)
    node = _failing(trace)
    if node is None:
        return None
    if _is_power(node, str(error)):
        return Reason(Code.CARET)
    if "NoneType" in str(error) and any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(node)):
        return reason(Code.NO_GRAD, direct=", ".join(question.upstream) or None)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and "is not callable" in str(error):
        return reason(Code.CALLED, name=node.func.id) if _shape(node.func, trace.tb_frame) else None
    return None


def details(error: BaseException, function: FunctionType, question: Question) -> dict[str, str]:
    """Facts to add to what the exception says: a near name, or the shapes of what stands in the failing expression."""
    trace = innermost(error, function.__code__.co_filename)
    if trace is None:
        return {}
    if isinstance(error, AttributeError | TypeError):
        near = _near_attribute(error) if isinstance(error, AttributeError) else _near_keyword(error)
        return {"close": near} if near else {}
    node = _failing(trace) if OF_SHAPES.search(str(error)) else None
    shapes = list(_shapes(node, trace.tb_frame))[:MOST_SHAPES] if node is not None else []
    if not shapes:
        return {}
    said = ", ".join(f"`{ast.unparse(term)}` is {shape}" for term, shape in shapes)
    if len(question.targets) == 1 and trace.tb_frame.f_code is function.__code__ and _is_last(node, function.__code__):
        said += f". `d{question.targets[0]}` is to be {question.shapes[0]}" if question.shapes else ""
    return {"shapes": said}


def at_import(error: BaseException, file: str) -> Reason | None:
    """What an exception tells that was raised while a module was imported: most often a line that is not indented."""
    trace = innermost(error, file)
    name = getattr(error, "name", None)
    if trace is None or type(error) is not NameError or not isinstance(name, str):
        return None
    if name in IMPORTS:
        return reason(Code.NOT_IMPORTED, name=name, statement=IMPORTS[name])
    scope = trace.tb_frame.f_globals
    near = _near(name, [*(key for key, value in scope.items() if not isinstance(value, FunctionType)), *dir(builtins)])
    if near or trace.tb_frame.f_code.co_name != "<module>":
        return reason(Code.UNDEFINED, name=name, close=near)
    return reason(Code.OUTSIDE, name=name)


def innermost(error: BaseException, file: str) -> TracebackType | None:
    """Where the exception passed last through code of `file`."""
    trace, own = error.__traceback__, None
    while trace is not None:
        own = trace if trace.tb_frame.f_code.co_filename == file else own
        trace = trace.tb_next
    return own


def asked_in_vain(name: str, function: object, offered: Iterable[str]) -> Reason:
    """Why a parameter is nothing that can be asked for."""
    if name in getattr(function, "__globals__", {}):
        return reason(Code.OF_THE_FILE, name=name)
    return reason(Code.UNKNOWN_NAME, name=name, close=_near(name, offered))


def _of_name(error: BaseException, frame: FrameType, function: FunctionType, question: Question) -> Reason | None:
    name = getattr(error, "name", None)
    if isinstance(error, UnboundLocalError):
        found = UNBOUND.match(str(error))
        name = found[1] if found else None
    if not isinstance(name, str):
        return None
    own = frame.f_code is function.__code__ or frame.f_code.co_qualname.startswith(f"{function.__qualname__}.<locals>.")
    if name in question.offered:
        if own:
            return reason(Code.NOT_ASKED_FOR, name=name, function=function.__name__)
        return reason(Code.NOT_HANDED_ON, name=name, helper=frame.f_code.co_name)
    if isinstance(error, UnboundLocalError):
        return reason(Code.NO_VALUE_YET, name=name)
    if name in question.refused:
        return question.refusal(name)
    if name in IMPORTS:
        return reason(Code.NOT_IMPORTED, name=name, statement=IMPORTS[name])
    if _is_compared(name, frame):
        return reason(Code.COMPARED, name=name)
    known = [*frame.f_locals, *(question.offered if own else ()), *frame.f_globals, *dir(builtins)]
    return reason(Code.UNDEFINED, name=name, close=_near(name, known))


def _is_compared(name: str, frame: FrameType) -> bool:
    """Whether the line that runs is `name == ...`, and nothing else."""
    tree = tree_of(frame.f_code)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Expr) and node.lineno == frame.f_lineno and isinstance(node.value, ast.Compare):
            left = node.value.left
            return isinstance(node.value.ops[0], ast.Eq) and isinstance(left, ast.Name) and left.id == name
    return False


def _near(name: str, known: Iterable[str]) -> str | None:
    """The name that is most like it; of equals the first."""
    plain = [other for other in dict.fromkeys(known) if not other.startswith("__") and other != name]
    return next(iter(difflib.get_close_matches(name, plain, 1, NEAR)), None)


def _near_attribute(error: AttributeError) -> str | None:
    if not isinstance(error.name, str) or type(error.obj) not in (Tensor, np.ndarray, ModuleType):
        return None
    return _near(error.name, [name for name in dir(error.obj) if not name.startswith("_")])


def _near_keyword(error: TypeError) -> str | None:
    found = KEYWORD.search(str(error))
    return _near(found[1], TORCHS) if found else None


def _failing(trace: TracebackType) -> ast.AST | None:
    """The expression of the student's text that raised; None where it is not known for certain."""
    code = trace.tb_frame.f_code
    line, end_line, column, end_column = list(code.co_positions())[trace.tb_lasti // 2]
    place = (line, column, end_line, end_column)
    tree = tree_of(code)
    found = [node for node in ast.walk(tree) if _place(node) == place] if tree and None not in place else []
    if found and isinstance(getattr(found[0], "ctx", None), ast.Store):  # x[i] = y: the whole statement
        holding = (s for s in ast.walk(tree) if isinstance(s, ast.Assign) and found[0] in s.targets)  # type: ignore[arg-type]
        return next(holding, found[0])
    return next(iter(found), None)


def _place(node: ast.AST) -> tuple[int | None, ...]:
    return tuple(getattr(node, key, None) for key in ("lineno", "col_offset", "end_lineno", "end_col_offset"))


def _shapes(node: ast.AST, frame: FrameType) -> Iterator[tuple[ast.expr, tuple[int, ...]]]:
    """The tensors and arrays in an expression that stand there by name, each once, with their shapes."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        term = waiting.pop(0)
        shape = _shape(term, frame) if isinstance(term, ast.expr) else None
        if shape is None:
            waiting = [*ast.iter_child_nodes(term), *waiting]
        elif isinstance(term, ast.expr) and ast.unparse(term) not in seen:
            seen.add(ast.unparse(term))
            yield term, shape


def _shape(term: ast.expr, frame: FrameType) -> tuple[int, ...] | None:
    """Of a name, or of its transpose; None for anything else."""
    if isinstance(term, ast.Attribute) and term.attr in ("T", "mT"):
        inner = _shape(term.value, frame)
        return inner[::-1] if inner is not None and len(inner) == 2 else None
    if not isinstance(term, ast.Name):
        return None
    value = frame.f_locals.get(term.id, frame.f_globals.get(term.id))
    return tuple(value.shape) if isinstance(value, Tensor | np.ndarray) else None


def _is_power(node: ast.AST, text: str) -> bool:
    operator = getattr(node, "op", None)
    return isinstance(operator, ast.BitXor) and ("bitwise_xor" in text or "for ^" in text)


def _is_last(node: ast.AST | None, code: CodeType) -> bool:
    """Whether it stands in the last statement of its function, or in a `return`."""
    function = definition(code)
    if function is None or node is None:
        return False
    ends = [s for s in ast.walk(function) if isinstance(s, ast.Return)] + function.body[-1:]
    return any(_place(inner) == _place(node) for end in ends for inner in ast.walk(end))
