"""What may stand in the place of a node of a syntax tree by mistake: each change with its cause and its words.

The words are a clause: "it is what comes out when <words>".
"""

import ast
from collections.abc import Iterable, Mapping, Sequence

from graders.authoring.operators import Change, of_binary, phrase

SHAPE_ONLY = {"shape", "dtype", "device", "expand_as", "view_as", "reshape_as", "sum_to_size"}


def changes(node: ast.AST, parent: ast.AST, lookalikes: Mapping[str, Sequence[str]]) -> Iterable[Change]:
    if isinstance(node, ast.BinOp):
        yield from of_binary(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", f"a minus sign is missing before {phrase(node.operand)}", node.operand
    elif isinstance(node, ast.Constant):
        yield from _constant(node, parent)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transposed", f"{phrase(node.value)} is not transposed", node.value
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _names(node, parent, lookalikes)
    elif isinstance(node, ast.Subscript):
        yield from _subscript(node)
    elif isinstance(node, ast.stmt):
        yield from _statement(node)


def _constant(node: ast.Constant, parent: ast.AST) -> Iterable[Change]:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float) or isinstance(parent, ast.keyword):
        return
    if isinstance(parent, ast.Call | ast.Subscript | ast.Tuple):
        return  # a dimension or an index: these have changes of their own
    if abs(value) < 1e-3:
        yield "missing epsilon", "the small constant (epsilon) is missing", ast.Constant(0.0)
        return
    yield "sign", f"the sign of the constant {abs(value):g} is wrong", ast.Constant(-value)
    for other in (value + 1, value - 1, value / 2):
        yield "wrong constant", f"{other:g} stands for the constant {value:g}", ast.Constant(other)


REDUCTIONS = {
    "sum": ("mean", "a mean stands for a sum"),
    "mean": ("sum", "a sum stands for a mean"),
}
ELEMENTWISE = {"exp": "log", "log": "exp", "tanh": "sigmoid", "sigmoid": "tanh", "sqrt": "rsqrt", "rsqrt": "sqrt"}
OVERWRITTEN = "repeated indices overwrite each other, and do not add up"
RENAMED = {
    "ones_like": ("zeros", "zeros stand for ones", "zeros_like"),
    "zeros_like": ("extra term", "ones stand for zeros to begin with", "ones_like"),
    "index_add_": ("overwritten rows", OVERWRITTEN, "index_copy_"),
    "scatter_add_": ("overwritten rows", OVERWRITTEN, "scatter_"),
}


def _call(node: ast.Call) -> Iterable[Change]:
    if not isinstance(node.func, ast.Attribute):
        return
    name, base = node.func.attr, node.func.value
    is_function = isinstance(base, ast.Name) and base.id in ("torch", "F", "np")
    subject = node.args[0] if is_function and node.args else base
    if name in REDUCTIONS:
        new, message = REDUCTIONS[name]
        yield "constant factor", message, _renamed(node, new)
        yield "not summed", f"the {name} over a dimension is missing", subject
    yield from _of_dimensions(node, name, is_function)
    if name in ELEMENTWISE:
        other = ELEMENTWISE[name]
        yield "wrong function", f"{other} stands for {name}", _renamed(node, other)
        yield "wrong function", f"{name} is missing", subject
    if name in RENAMED:
        cause, message, new = RENAMED[name]
        yield cause, message, _renamed(node, new)
    if name == "one_hot":
        zero = ast.BinOp(node, ast.Mult(), ast.Constant(0))
        yield "wrong constant", "zeros stand for the one-hot rows", zero


def _of_dimensions(node: ast.Call, name: str, is_function: bool) -> Iterable[Change]:
    """Over another dimension, or without keepdim."""
    dims = node.args[1:] if is_function else node.args
    if name in ("sum", "mean", "softmax", "log_softmax", "cumsum", "amax", "max") and dims:
        if isinstance(dims[0], ast.Constant) and isinstance(dims[0].value, int):
            for dim in {0, 1, -1} - {dims[0].value}:
                message = f"the {name} runs over dim {dim}"
                yield "wrong dim", message, _with_dim(node, is_function, dim)
    without = [k for k in node.keywords if k.arg != "keepdim"]
    if len(without) < len(node.keywords):
        yield "keepdim", "keepdim=True is missing", ast.Call(node.func, node.args, without)


def _renamed(node: ast.Call, name: str) -> ast.Call:
    """The same call of another function or method."""
    assert isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), node.args, node.keywords)


def _with_dim(node: ast.Call, is_function: bool, dim: int) -> ast.Call:
    args = list(node.args)
    args[1 if is_function else 0] = ast.Constant(dim)
    return ast.Call(node.func, args, node.keywords)


def _names(node: ast.Name, parent: ast.AST, lookalikes: Mapping[str, Sequence[str]]) -> Iterable[Change]:
    if isinstance(parent, ast.Attribute) and parent.attr in SHAPE_ONLY:
        return  # only the shape is read, which a lookalike shares
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and node in parent.args:
        if parent.func.attr.endswith("_like") or parent.func.attr in SHAPE_ONLY:
            return
    for other in lookalikes.get(node.id, ()):
        yield "wrong operand", f"`{other}` stands for `{node.id}`", ast.Name(other, ast.Load())


def _subscript(node: ast.Subscript) -> Iterable[Change]:
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        if isinstance(first, ast.Call | ast.Name) and not isinstance(second, ast.Slice):
            columns = ast.Subscript(node.value, ast.Tuple([ast.Slice(), second], ast.Load()), node.ctx)
            yield "whole columns", f"{phrase(second)} picks whole columns, not one entry a row", columns


def _statement(node: ast.stmt) -> Iterable[Change]:
    if isinstance(node, ast.AugAssign):
        yield from _augmented(node)
    elif isinstance(node, ast.Expr):
        yield "missing term", f"a step on {phrase(node.value)} is missing", ast.Pass()
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield "missing term", f"the assignment into {phrase(node.targets[0])} is missing", ast.Pass()
    elif isinstance(node, ast.Return) and node.value:
        value = node.value
        yield "sign", "the sign is wrong", ast.Return(ast.UnaryOp(ast.USub(), value))
        zero = ast.BinOp(value, ast.Mult(), ast.Constant(0.0))
        yield "zeros", "everything is multiplied by zero", ast.Return(zero)
        double = ast.BinOp(value, ast.Mult(), ast.Constant(2.0))
        yield "constant factor", "everything is multiplied by two", ast.Return(double)


def _augmented(node: ast.AugAssign) -> Iterable[Change]:
    """`x += y` and `x /= y`, forgotten, turned round, or overwriting."""
    target, value = phrase(node.target), phrase(node.value)
    if isinstance(node.op, ast.Mult | ast.Div):
        divides = isinstance(node.op, ast.Div)
        done, opposite = ("division", ast.Mult()) if divides else ("multiplication", ast.Div())
        yield "missing factor", f"the {done} of {target} by {value} is missing", ast.Pass()
        turned = ast.AugAssign(node.target, opposite, node.value)
        yield "wrong operation", f"the {done} of {target} by {value} goes the wrong way", turned
        return
    cause = "overwritten rows" if isinstance(node.target, ast.Subscript) else "missing branch"
    overwritten = f"{target} is overwritten, and contributions do not add up"
    yield cause, overwritten, ast.Assign([node.target], node.value)
    flipped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    turned = ast.AugAssign(node.target, flipped, node.value)
    yield "sign", f"the sign of what is added to {target}, or taken off, is wrong", turned
    yield "missing term", f"what is added to {target}, or taken off, is missing", ast.Pass()
