"""Is this tensor that gradient? Shape first, then values; and the line that the lecture prints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

RIGHT = 1e-9  # largest difference over largest expected entry; right answers measure 1e-13 and less
SINGLE_PRECISION = 1e-6  # right too, but something inside was float32


class Match(Enum):
    """How an answer compares with the gradient."""

    RIGHT = "right"
    ROUNDED = "right, with float32 inside"
    SHAPE = "wrong shape"
    NOT_FINITE = "not finite"
    WRONG = "wrong"

    @property
    def passes(self) -> bool:
        return self in (Match.RIGHT, Match.ROUNDED)


class NotATensor(Exception):
    """An answer that is no tensor of real numbers; the message says what it is and what to return."""


def element(answer: object, index: int | None, count: int) -> object:
    """One of `count` gradients that a function returned together (index None: the answer itself).

    Raises NotATensor where it did not return that many.
    """
    if index is None:
        return answer
    if not isinstance(answer, tuple | list) or len(answer) != count:
        got = f"{len(answer)} values" if isinstance(answer, tuple | list) else f"one {type(answer).__name__}"
        raise NotATensor(f"returned {got}: return {count} gradients, in the order of @gradients(...)")
    return answer[index]


def as_tensor(answer: object, dtype: torch.dtype) -> Tensor:
    """The answer as a detached dense tensor of `dtype`: tensors, numpy arrays and numbers are taken.

    Raises NotATensor for anything else, complex numbers and sparse tensors included.
    """
    if answer is None:
        raise NotATensor("returned None: is the `return` missing?")
    if isinstance(answer, (bool, int, float, np.number, np.ndarray)):
        try:
            answer = torch.tensor(answer, dtype=None if isinstance(answer, np.ndarray) else dtype)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            kind = getattr(answer, "dtype", type(answer).__name__)
            raise NotATensor(f"returned numbers of type {kind}, which no tensor can hold") from None
    if not isinstance(answer, Tensor):
        kind = type(answer).__name__
        length = f" of {len(answer)}" if isinstance(answer, (tuple, list)) else ""
        article = "an" if kind[0] in "aeiou" else "a"
        raise NotATensor(f"returned {article} {kind}{length}: return one tensor")
    if answer.is_complex() or answer.layout is not torch.strided:
        what = "complex numbers" if answer.is_complex() else "a sparse tensor"
        raise NotATensor(f"returned {what}: return a dense tensor of real numbers")
    return answer.detach().to("cpu", dtype)


def same_up_to_ones(shape: torch.Size, expected: torch.Size) -> bool:
    """Equal but for dimensions of size 1: (64,) for (1, 64)."""
    return [s for s in shape if s != 1] == [s for s in expected if s != 1]


def difference(answer: Tensor, expected: Tensor, scale: float | None = None) -> float:
    """Largest absolute difference, relative to `scale` (by default the largest expected entry).

    The shapes must be equal up to ones. Not a number where the answer is not finite.
    """
    largest = (answer.reshape(expected.shape) - expected).abs().max().item() if expected.numel() else 0.0
    scale = (expected.abs().max().item() if expected.numel() else 0.0) if scale is None else scale
    if largest == 0:
        return 0.0
    return largest / scale if scale else math.inf


def match(answer: Tensor, expected: Tensor, scale: float | None = None) -> Match:
    """The verdict on one case, in float64: NaN is never right, shapes count up to dimensions of size 1."""
    if not same_up_to_ones(answer.shape, expected.shape):
        return Match.SHAPE
    if torch.equal(answer, expected):
        return Match.RIGHT
    if not torch.isfinite(answer).all():
        return Match.NOT_FINITE
    off = difference(answer, expected, scale)
    if off <= RIGHT:
        return Match.RIGHT
    return Match.ROUNDED if off <= SINGLE_PRECISION else Match.WRONG


@dataclass(frozen=True)
class Line:
    """The lecture's line for one gradient, in float32 at the lecture's shapes."""

    name: str
    exact: bool
    approximate: bool
    maxdiff: float

    def __str__(self) -> str:
        flags = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {flags} | maxdiff: {self.maxdiff:.6g}"


def line(name: str, answer: Tensor, expected: Tensor) -> Line:
    """What the lecture's cmp() prints for `answer`, whose shape equals that of `expected` up to ones."""
    answer = answer.reshape(expected.shape)
    return Line(
        name,
        exact=torch.equal(answer, expected),
        approximate=torch.allclose(answer, expected),
        maxdiff=(answer - expected).abs().max().item() if expected.numel() else 0.0,
    )
