"""What may stand in the place of a binary operation by mistake: one function an operator."""

import ast
from collections.abc import Callable, Iterable

Change = tuple[str, str, ast.AST]  # cause, message, what stands there instead


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


def of_binary(node: ast.BinOp) -> Iterable[Change]:
    """The changes of `left op right`."""
    if isinstance(node.op, ast.Mult | ast.Div):
        yield from _without_brackets(node)
    of_operator = OPERATORS.get(type(node.op))
    if of_operator:
        yield from of_operator(node, node.left, node.right, phrase(node.left), phrase(node.right))


def _without_brackets(node: ast.BinOp) -> Iterable[Change]:
    """x * (a + b) written x * a + b, and (a + b) * x written a + b * x."""
    left, right = node.left, node.right
    if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Add | ast.Sub):
        only_first = ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right)
        yield "missing brackets", f"brackets are missing: {phrase(left)} reaches the first term only", only_first
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub):
        only_last = ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right))
        yield "missing brackets", f"brackets are missing: {phrase(right)} reaches the last term only", only_last


def _product(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "missing factor", f"a factor is missing: {b}", left
    yield "missing factor", f"a factor is missing: {a}", right
    yield "extra factor", f"a factor stands there twice: {b}", ast.BinOp(node, ast.Mult(), right)
    yield "extra factor", f"a factor stands there twice: {a}", ast.BinOp(left, ast.Mult(), node)
    yield "wrong operation", f"divided by {b}, which is a factor", ast.BinOp(left, ast.Div(), right)
    yield "wrong operation", f"divided by {a}, which is a factor", ast.BinOp(right, ast.Div(), left)
    yield "wrong operation", f"{a} and {b} are added, not multiplied", ast.BinOp(left, ast.Add(), right)


def _quotient(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "missing factor", f"the division by {b} is missing", left
    yield "wrong operation", f"multiplied by {b} instead of divided", ast.BinOp(left, ast.Mult(), right)
    yield "extra factor", f"divided by {b} twice", ast.BinOp(node, ast.Div(), right)
    turned = ast.BinOp(right, ast.Div(), left)
    yield "wrong operation", f"{a} and {b} have changed places in the quotient", turned


def _sum(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    flipped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    constant = isinstance(right, ast.Constant)
    if not constant:
        yield "missing term", f"a term is missing: {b}", left
    yield "missing term", f"a term is missing: {a}", right
    yield "sign", f"the sign before {b} is wrong", ast.BinOp(left, flipped, right)
    yield "extra term", f"a term is counted twice: {b}", ast.BinOp(node, node.op, right)
    yield "extra term", f"a term is counted twice: {a}", ast.BinOp(left, ast.Add(), node)
    yield "wrong operation", f"{a} and {b} are multiplied, not added", ast.BinOp(left, ast.Mult(), right)
    if constant:
        yield "wrong constant", f"{a} stands where one less or more belongs", left


def _power(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "wrong exponent", f"the exponent of {a} is missing", left
    for change, words in ((1, "off by one"), (-1, "off by one"), (0.5, "off by a half"), (-0.5, "off by a half")):
        other = ast.BinOp(right, ast.Add(), ast.Constant(change))
        yield "wrong exponent", f"the exponent of {a} is {words}", ast.BinOp(left, ast.Pow(), other)
    negative = ast.BinOp(left, ast.Pow(), ast.UnaryOp(ast.USub(), right))
    yield "wrong exponent", f"the exponent of {a} has the wrong sign", negative


def _matrix_product(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    turned = ast.BinOp(right, ast.MatMult(), left)
    yield "transposed", f"{a} and {b} have changed places in the product", turned
    yield "transposed", f"{a} is transposed the wrong way", ast.BinOp(_transposed(left), ast.MatMult(), right)
    yield "transposed", f"{b} is transposed the wrong way", ast.BinOp(left, ast.MatMult(), _transposed(right))


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


OPERATORS: dict[type[ast.operator], Callable[[ast.BinOp, ast.expr, ast.expr, str, str], Iterable[Change]]] = {
    ast.Mult: _product,
    ast.Div: _quotient,
    ast.Add: _sum,
    ast.Sub: _sum,
    ast.Pow: _power,
    ast.MatMult: _matrix_product,
}
