"""What may stand in the place of a binary operation by mistake: one function an operator.

Messages are clauses: "it is what comes out when <message>". They say what was changed, not what a student wrote.
"""

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
        yield "missing brackets", f"{phrase(left)} meets only the first term of a sum", only_first
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub):
        only_last = ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right))
        yield "missing brackets", f"{phrase(right)} meets only the last term of a sum", only_last


def _product(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "missing factor", f"{b} is missing as a factor", left
    yield "missing factor", f"{a} is missing as a factor", right
    yield "extra factor", f"{b} is a factor twice", ast.BinOp(node, ast.Mult(), right)
    yield "extra factor", f"{a} is a factor twice", ast.BinOp(left, ast.Mult(), node)
    yield "wrong operation", f"{b} divides, though it is a factor", ast.BinOp(left, ast.Div(), right)
    yield "wrong operation", f"{a} divides, though it is a factor", ast.BinOp(right, ast.Div(), left)
    yield "wrong operation", f"{a} and {b} are added, not multiplied", ast.BinOp(left, ast.Add(), right)


def _quotient(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "missing factor", f"the division by {b} is missing", left
    yield "wrong operation", f"{b} multiplies, though it should divide", ast.BinOp(left, ast.Mult(), right)
    yield "extra factor", f"{b} divides twice", ast.BinOp(node, ast.Div(), right)
    turned = ast.BinOp(right, ast.Div(), left)
    yield "wrong operation", f"{a} and {b} change places in a quotient", turned


def _sum(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    flipped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    constant = isinstance(right, ast.Constant)
    if not constant:
        yield "missing term", f"{b} is missing as a term", left
    alone = ast.UnaryOp(ast.USub(), right) if isinstance(node.op, ast.Sub) else right
    yield "missing term", f"{a} is missing as a term", alone
    yield "sign", f"the sign before {b} is wrong", ast.BinOp(left, flipped, right)
    yield "extra term", f"{b} is a term twice", ast.BinOp(node, node.op, right)
    yield "extra term", f"{a} is a term twice", ast.BinOp(left, ast.Add(), node)
    yield "wrong operation", f"{a} and {b} are multiplied, not added", ast.BinOp(left, ast.Mult(), right)
    if constant:
        yield "wrong constant", f"{a} stands for one less or more", left


def _power(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    yield "wrong exponent", f"the exponent of {a} is missing", left
    for change, words in ((1, "off by one"), (-1, "off by one"), (0.5, "off by a half"), (-0.5, "off by a half")):
        other = ast.BinOp(right, ast.Add(), ast.Constant(change))
        yield "wrong exponent", f"the exponent of {a} is {words}", ast.BinOp(left, ast.Pow(), other)
    negative = ast.BinOp(left, ast.Pow(), ast.UnaryOp(ast.USub(), right))
    yield "wrong exponent", f"the exponent of {a} has the wrong sign", negative


def _matrix_product(node: ast.BinOp, left: ast.expr, right: ast.expr, a: str, b: str) -> Iterable[Change]:
    turned = ast.BinOp(right, ast.MatMult(), left)
    yield "transposed", f"{a} and {b} change places in a matrix product", turned
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
