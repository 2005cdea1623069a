"""What the text of a student's function tells: nothing is returned, lines that are never reached, a leftover raise.

The text is read as Python and not run. What is said is a remark beside a verdict, never the verdict.
"""

import ast
import itertools
import linecache
from collections.abc import Iterator
from types import CodeType

from graders.words import Code, Reason, reason

REMEDIES = {  # by how Python's words on a syntax error begin
    "expected ':'": "a line that opens a block ends with a colon",
    "expected an indented block": "write what belongs to it four spaces further in",
    "unexpected indent": "lines of one block begin in the same column",
    "unindent does not match": "lines of one block begin in the same column",
    "inconsistent use of tabs": "indent by spaces only",
    "'return' outside function": "is the line indented?",
    "unterminated string": "a quote is missing",
    "invalid syntax": "look at the end of the line above, too",
}
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def remedy(words: str) -> str | None:
    """What to do about a syntax error, by Python's words on it."""
    plain = [said for start, said in REMEDIES.items() if words.startswith(start)]
    return plain[0] if plain and words.count("Perhaps") + words.count("Maybe") == 0 else None


def parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def tree_of(code: CodeType) -> ast.Module | None:
    """The file that code was compiled from; None where it is not to be had."""
    return parsed("".join(linecache.getlines(code.co_filename)))


def definition(code: CodeType) -> ast.FunctionDef | None:
    """The `def` that code was compiled from."""
    tree = tree_of(code)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            if code.co_firstlineno in (node.lineno, *(decorator.lineno for decorator in node.decorator_list)):
                return node
    return None


def nothing_returned(code: CodeType, direct: str) -> Reason:
    """Why a function returned None, as far as its text tells; `direct` are the names of what arrives at it."""
    function = definition(code)
    if function is None:
        return Reason(Code.RETURNED_NONE)
    returned = [node.value for node in _own(function) if isinstance(node, ast.Return) and node.value]
    if not returned:
        return _without_return(function.body[-1])
    if len(returned) == 1 and any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(returned[0])):
        return reason(Code.NO_GRAD, direct=direct or None)
    if any(_is_print(value) for value in returned):
        return Reason(Code.RETURNED_PRINTED)
    return Reason(Code.RETURNED_NONE_VALUE)


def _without_return(last: ast.stmt) -> Reason:
    targets = last.targets if isinstance(last, ast.Assign) else [getattr(last, "target", None)]
    if isinstance(last, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and isinstance(targets[0], ast.Name):
        return reason(Code.RETURNED_NONE, name=targets[0].id)
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant):
        return Reason(Code.RETURNED_PRINTED if _is_print(last.value) else Code.RETURN_BEFORE_LAST)
    return Reason(Code.RETURNED_NONE)


def _is_print(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"


def leftover(released: str, now: str, function: str) -> Reason | None:
    """A function that still raises NotImplementedError, although there is more in it than was released."""
    then, present = _function(released, function), _function(now, function)
    if present is None or (then is not None and ast.dump(then) == ast.dump(present)):
        return None
    body = [statement for statement in present.body if not _is_text(statement)]
    place = next((number for number, statement in enumerate(body) if _is_leftover(statement)), None)
    if place is None or len(body) == 1:
        return None
    line = body[place].lineno
    return reason(Code.LEFTOVER_ABOVE if body[place + 1 :] else Code.LEFTOVER_BELOW, line=line)


def remarks(text: str, function: str) -> Iterator[Reason]:
    """What is to be seen in the text of a function whose answer is not right."""
    found = _function(text, function)
    for node in _own(found) if found else ():
        for block in (getattr(node, key, None) for key in ("body", "orelse", "finalbody")):
            yield from _unreached(block) if isinstance(block, list) else ()
        if isinstance(node, (ast.For, ast.While)):
            yield from _first_round(node)
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.BitXor):
            yield reason(Code.CARET_AT, line=node.lineno)


def _unreached(block: list[ast.stmt]) -> Iterator[Reason]:
    for ending, after in itertools.pairwise(block):
        if isinstance(ending, ast.Return | ast.Raise) and not _is_leftover(after) and not _is_text(after):
            yield reason(Code.UNREACHED, line=after.lineno, before=ending.lineno)
            return


def _first_round(loop: ast.For | ast.While) -> Iterator[Reason]:
    if not any(isinstance(node, ast.Continue | ast.Break) for node in ast.walk(loop)):
        yield from [reason(Code.LOOP_ENDS, line=s.lineno) for s in loop.body if isinstance(s, ast.Return)]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_leftover(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and "NotImplementedError" in ast.dump(statement)


def _function(text: str, name: str) -> ast.FunctionDef | None:
    """The last definition of this name at the top of a module: the one that counts."""
    tree = parsed(text)
    found = [n for n in (tree.body if tree else ()) if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[-1] if found else None


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The function and what is in it, but for functions inside."""
    waiting: list[ast.AST] = [function]
    for node in waiting:
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, INNER)]
