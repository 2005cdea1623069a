"""Is this tensor that gradient? Shape first, then values."""

import math
from enum import Enum

import torch
from torch import Tensor

from graders.words import Code, Reason

RIGHT = 1e-9  # largest difference over largest expected entry; right answers measure 1e-13 and less
SINGLE_PRECISION = 1e-6  # right too, but something inside was float32


class Match(Enum):
    """How an answer compares with the gradient."""

    RIGHT = "right"
    ROUNDED = "right, with float32 inside"
    SHAPE = "wrong shape"
    NOT_FINITE = "not finite"
    WRONG = "wrong"


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


def remedy_for_ones(got: torch.Size, expected: torch.Size) -> Reason:
    """How a shape that is equal up to dimensions of size 1 becomes the very shape."""
    if len(got) == len(expected):
        return Reason(Code.RESHAPE)
    return Reason(Code.KEEP_DIMENSION if len(got) < len(expected) else Code.DROP_DIMENSION)
