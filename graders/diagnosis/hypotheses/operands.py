"""Hypotheses on the factors of a local derivative: one is missing, one is too many, or another stands in its place."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Change, Hypothesis, expands, tensors, vjp
from graders.oracle.trial import Trial


def saved(trial: Trial) -> list[str]:
    """Forward names of the tensors that the local derivative is made of: autograd has saved them."""
    named = tensors(trial)
    found = [
        name
        for operand in trial.oracle.operands(trial.target)
        for name, tensor in named.items()
        if tensor.shape == operand.shape and torch.equal(tensor, operand)
    ]
    return list(dict.fromkeys(found))


def missing_factor(operands: list[str], consumers: list[str]) -> list[Hypothesis]:
    """One of the factors of the local derivative is not there (or divides once too often)."""
    found = []
    for factor, c in itertools.product(operands, consumers):
        what = f"what comes out without a factor `{factor}`, or divided by it once too often{_where(c, consumers)}"
        found.append(Hypothesis("missing factor", what, vjp(c, divided_by(factor))))
    return found


def extra_factor(trial: Trial, consumers: list[str]) -> list[Hypothesis]:
    """A tensor multiplied in that does not belong, inside the sums or outside."""
    found = []
    for factor in tensors(trial):
        for c in consumers:
            what = f"what comes out with a factor `{factor}` too many{_where(c, consumers)}"
            found.append(Hypothesis("extra factor", what, vjp(c, multiplied_by(factor))))
        found.append(Hypothesis("extra factor", f"`{factor}` times the gradient", _gradient_times(factor)))
    return found


def wrong_operand(trial: Trial, operands: list[str], consumers: list[str]) -> list[Hypothesis]:
    """Another tensor of the forward pass in the place of a factor."""
    found = []
    for right, c in itertools.product(operands, consumers):
        what = f"what comes out with `{right}` reshaped where it is to be transposed"
        found.append(Hypothesis("transposed", what, _matrix_product(c, right, right, reshaped=True)))
    for right, other in itertools.product(operands, tensors(trial)):
        if other == right:
            continue
        for c in consumers:
            what = f"what comes out with `{other}` in a place of `{right}`{_where(c, consumers)}"
            found.append(Hypothesis("wrong operand", what, vjp(c, exchanged(right, other))))
            found.append(Hypothesis("wrong operand", what, _matrix_product(c, right, other)))
    return found


def _where(consumer: str, consumers: list[str]) -> str:
    return f" in the branch through {consumer}" if len(consumers) > 1 else ""


def divided_by(factor: str) -> Change:
    return lambda t, upstream: _times(upstream, 1 / t.oracle.values[factor])


def multiplied_by(factor: str) -> Change:
    return lambda t, upstream: _times(upstream, t.oracle.values[factor])


def exchanged(right: str, other: str) -> Change:
    def change(t: Trial, upstream: Tensor) -> Tensor | None:
        instead, operand = t.oracle.values[other], t.oracle.values[right]
        fits = expands(instead.shape, upstream.shape) and expands(operand.shape, upstream.shape)
        return _times(upstream, instead / operand) if fits else None

    return change


def _gradient_times(factor: str) -> Candidate:
    return lambda t: _times(t.expected, t.oracle.values[factor])


def _matrix_product(consumer: str, right: str, other: str, reshaped: bool = False) -> Candidate:
    """The gradient of a matrix product's operand, with `other` in the place of the operand `right`."""
    turn = _reshaped if reshaped else _turned

    def candidate(t: Trial) -> Tensor | None:
        values, upstream, expected = t.oracle.values, t.oracle.upstream[consumer], t.expected
        if upstream.dim() != 2 or values[right].dim() != 2 or expected.dim() != 2:
            return None
        products: list[Callable[[Tensor], Tensor | None]] = [
            lambda m: _product(m, upstream),
            lambda m: _product(upstream, m),
        ]
        for product in products:
            true = product(_turned(values[right]))
            if true is not None and true.shape == expected.shape and torch.allclose(true, expected, rtol=1e-9):
                return product(turn(values[other]))
        return None

    return candidate


def _product(a: Tensor, b: Tensor) -> Tensor | None:
    """The matrix product; None where the shapes do not allow it."""
    return a @ b if a.shape[-1] == b.shape[-2:][0] else None


def _reshaped(tensor: Tensor) -> Tensor:
    """The shape of the transposed tensor, the entries read into it one after the other."""
    return tensor.reshape(tuple(reversed(tensor.shape)))


def _turned(tensor: Tensor) -> Tensor:
    """The tensor with its dimensions in reverse: `.T` without its warning where it is no matrix."""
    return tensor.permute(*reversed(range(tensor.dim())))


def _times(tensor: Tensor, factor: Tensor) -> Tensor | None:
    """The product in the shape of `tensor`; None where there is none, or where it is not finite."""
    if not expands(factor.shape, tensor.shape):
        return None
    product = tensor * factor
    return product if torch.isfinite(product).all() else None
