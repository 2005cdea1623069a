"""What may stand in the place of a node of a syntax tree by mistake: each change with its cause and its words."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

Change = tuple[str, str, ast.AST]  # cause, message, what stands there instead
SHAPE_ONLY = {"shape", "dtype", "device", "expand_as", "view_as", "reshape_as", "sum_to_size"}


def phrase(node: ast.AST) -> str:
    """A subexpression in words: its variables, never its code."""
    if isinstance(node, ast.Name):
        return f"`{node.id}`"
    if isinstance(node, ast.Constant):
        return str(node.value)
    names = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in ("torch", "F"))
    listed = " and ".join(f"`{name}`" for name in list(names)[:3])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return f"the power of {listed}"
    return f"the part made of {listed}" if listed else "a constant"


def changes(node: ast.AST, parent: ast.AST, lookalikes: Mapping[str, Sequence[str]]) -> Iterable[Change]:
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
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


def _binary(node: ast.BinOp) -> Iterable[Change]:
    left, right = node.left, node.right
    a, b = phrase(left), phrase(right)

    def other(op: ast.operator, x: ast.expr = left, y: ast.expr = right) -> ast.BinOp:
        return ast.BinOp(x, op, y)

    if (
        isinstance(node.op, ast.Mult | ast.Div)
        and isinstance(right, ast.BinOp)
        and isinstance(right.op, ast.Add | ast.Sub)
    ):
        only_first = ast.BinOp(other(node.op, left, right.left), right.op, right.right)
        yield "missing brackets", f"brackets are missing: {a} reaches the first term only", only_first
    if (
        isinstance(node.op, ast.Mult | ast.Div)
        and isinstance(left, ast.BinOp)
        and isinstance(left.op, ast.Add | ast.Sub)
    ):
        only_last = ast.BinOp(left.left, left.op, other(node.op, left.right, right))
        yield "missing brackets", f"brackets are missing: {b} reaches the last term only", only_last
    if isinstance(node.op, ast.Mult):
        yield "missing factor", f"a factor is missing: {b}", left
        yield "missing factor", f"a factor is missing: {a}", right
        yield "extra factor", f"a factor stands there twice: {b}", other(ast.Mult(), node)
        yield "extra factor", f"a factor stands there twice: {a}", other(ast.Mult(), left, node)
        yield "wrong operation", f"divided by {b}, which is a factor", other(ast.Div())
        yield "wrong operation", f"divided by {a}, which is a factor", other(ast.Div(), right, left)
        yield "wrong operation", f"{a} and {b} are added, not multiplied", other(ast.Add())
    elif isinstance(node.op, ast.Div):
        yield "missing factor", f"the division by {b} is missing", left
        yield "wrong operation", f"multiplied by {b} instead of divided", other(ast.Mult())
        yield "extra factor", f"divided by {b} twice", other(ast.Div(), node)
        yield (
            "wrong operation",
            f"{a} and {b} have changed places in the quotient",
            other(ast.Div(), right, left),
        )
    elif isinstance(node.op, ast.Add | ast.Sub):
        plus = isinstance(node.op, ast.Add)
        if not isinstance(right, ast.Constant):
            yield "missing term", f"a term is missing: {b}", left
        yield "missing term", f"a term is missing: {a}", right
        yield "sign", f"the sign before {b} is wrong", other(ast.Sub() if plus else ast.Add())
        yield "extra term", f"a term is counted twice: {b}", other(node.op, node)
        yield "extra term", f"a term is counted twice: {a}", other(ast.Add(), left, node)
        yield "wrong operation", f"{a} and {b} are multiplied, not added", other(ast.Mult())
        if isinstance(right, ast.Constant):
            yield "wrong constant", f"{phrase(left)} stands where one less or more belongs", left
    elif isinstance(node.op, ast.Pow):
        yield "wrong exponent", f"the exponent of {a} is missing", left
        for change, words in (
            (1, "off by one"),
            (-1, "off by one"),
            (0.5, "off by a half"),
            (-0.5, "off by a half"),
        ):
            yield (
                "wrong exponent",
                f"the exponent of {a} is {words}",
                other(ast.Pow(), left, ast.BinOp(right, ast.Add(), ast.Constant(change))),
            )
        yield (
            "wrong exponent",
            f"the exponent of {a} has the wrong sign",
            other(ast.Pow(), left, ast.UnaryOp(ast.USub(), right)),
        )
    elif isinstance(node.op, ast.MatMult):
        yield (
            "transposed",
            f"{a} and {b} have changed places in the product",
            other(ast.MatMult(), right, left),
        )
        yield "transposed", f"{a} is transposed the wrong way", other(ast.MatMult(), _transposed(left))
        yield "transposed", f"{b} is transposed the wrong way", other(ast.MatMult(), left, _transposed(right))


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


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
        yield "wrong constant", f"the constant {value:g} is wrong", ast.Constant(other)


REDUCTIONS = {
    "sum": ("mean", "a mean stands where a sum belongs"),
    "mean": ("sum", "a sum stands where a mean belongs"),
}
ELEMENTWISE = {
    "exp": "log",
    "log": "exp",
    "tanh": "sigmoid",
    "sigmoid": "tanh",
    "sqrt": "rsqrt",
    "rsqrt": "sqrt",
}


def _call(node: ast.Call) -> Iterable[Change]:
    if not isinstance(node.func, ast.Attribute):
        return
    name, base = node.func.attr, node.func.value
    is_function = isinstance(base, ast.Name) and base.id in ("torch", "F", "np")
    subject = node.args[0] if is_function and node.args else base
    dims = node.args[1:] if is_function else node.args

    def renamed(new: str) -> ast.Call:
        return ast.Call(ast.Attribute(base, new, ast.Load()), node.args, node.keywords)

    if name in REDUCTIONS:
        new, message = REDUCTIONS[name]
        yield "constant factor", message, renamed(new)
        yield "not summed", f"the {name} over a dimension is missing", subject
    if name in ("sum", "mean", "softmax", "log_softmax", "cumsum", "amax", "max") and dims:
        if isinstance(dims[0], ast.Constant) and isinstance(dims[0].value, int):
            for dim in {0, 1, -1} - {dims[0].value}:
                yield (
                    "wrong dim",
                    f"the {name} runs over dim {dim}, the wrong one",
                    _with_dim(node, is_function, dim),
                )
    keep = [k for k in node.keywords if k.arg == "keepdim"]
    if keep:
        without = [k for k in node.keywords if k.arg != "keepdim"]
        yield "keepdim", "keepdim=True is missing", ast.Call(node.func, node.args, without)
    if name in ELEMENTWISE:
        yield "wrong function", f"{ELEMENTWISE[name]} stands where {name} belongs", renamed(ELEMENTWISE[name])
        yield "wrong function", f"{name} is missing", subject
    if name == "ones_like":
        yield "zeros", "zeros stand where ones belong", renamed("zeros_like")
    if name == "zeros_like":
        yield "extra term", "it starts from ones, not from zeros", renamed("ones_like")
    if name in ("index_add_", "scatter_add_"):
        new = {"index_add_": "index_copy_", "scatter_add_": "scatter_"}[name]
        yield (
            "overwritten rows",
            "repeated indices overwrite each other where they should add up",
            renamed(new),
        )
    if name == "one_hot":
        yield (
            "wrong constant",
            "zeros stand where the one-hot rows belong",
            ast.BinOp(node, ast.Mult(), ast.Constant(0)),
        )


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
        yield "wrong operand", f"`{other}` stands where `{node.id}` belongs", ast.Name(other, ast.Load())


def _subscript(node: ast.Subscript) -> Iterable[Change]:
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        if isinstance(first, ast.Call | ast.Name) and not isinstance(second, ast.Slice):
            every = ast.Slice()
            columns = ast.Subscript(node.value, ast.Tuple([every, second], ast.Load()), node.ctx)
            yield "whole columns", f"whole columns, not one entry a row as {phrase(second)} picks it", columns


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
        yield "zeros", "it is zero everywhere", ast.Return(zero)
        double = ast.BinOp(value, ast.Mult(), ast.Constant(2.0))
        yield "constant factor", "it is twice the gradient", ast.Return(double)


def _augmented(node: ast.AugAssign) -> Iterable[Change]:
    """`x += y` and `x /= y`, forgotten, turned round, or overwriting."""
    target, value = phrase(node.target), phrase(node.value)
    if isinstance(node.op, ast.Mult | ast.Div):
        divides = isinstance(node.op, ast.Div)
        done, opposite = ("division", ast.Mult()) if divides else ("multiplication", ast.Div())
        yield "missing factor", f"the {done} of {target} by {value} is missing", ast.Pass()
        yield (
            "wrong operation",
            f"the {done} of {target} by {value} goes the wrong way",
            ast.AugAssign(node.target, opposite, node.value),
        )
        return
    cause = "overwritten rows" if isinstance(node.target, ast.Subscript) else "missing branch"
    overwritten = f"{target} is overwritten where contributions should add up"
    yield cause, overwritten, ast.Assign([node.target], node.value)
    flipped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    turned = ast.AugAssign(node.target, flipped, node.value)
    yield "sign", f"the sign of what is added to {target} is wrong", turned
    yield "missing term", f"what is added to {target} is missing", ast.Pass()
