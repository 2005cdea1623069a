"""The line that the lecture prints for a gradient: exact, approximate, maxdiff."""

from dataclasses import dataclass

import torch
from torch import Tensor


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
