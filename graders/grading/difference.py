"""How a wrong answer differs, small enough to be kept with the result: one byte an entry.

The gradient itself is that of a public case and can be computed again; so the difference alone is kept, in
steps of 1/127 of the largest one.
"""

import base64
import json
import zlib

import torch
from torch import Tensor

from graders.oracle import compare

MOST_ENTRIES = 64 * 64


def keep(answer: Tensor | None, expected: Tensor) -> str:
    """The difference as text; empty where there is none to show: another shape, not finite, too large."""
    if answer is None or answer.numel() != expected.numel() or not 0 < expected.numel() <= MOST_ENTRIES:
        return ""
    if not compare.same_up_to_ones(answer.shape, expected.shape):
        return ""
    difference = answer.reshape(expected.shape) - expected
    if not torch.isfinite(difference).all():
        return ""
    largest = difference.abs().max().item()
    steps = (difference / largest * 127).round().to(torch.int8) if largest else difference.to(torch.int8)
    data = zlib.compress(steps.contiguous().numpy().tobytes(), 9)
    return json.dumps([largest, base64.b64encode(data).decode()])


def difference_of(picture: str, expected: Tensor) -> Tensor | None:
    """The difference that `keep` wrote, in the shape of `expected`; None where there is none."""
    if not picture:
        return None
    largest, text = json.loads(picture)
    data = zlib.decompressobj().decompress(base64.b64decode(text), MOST_ENTRIES)
    if len(data) != expected.numel():
        return None
    steps = torch.frombuffer(bytearray(data), dtype=torch.int8)
    difference: Tensor = steps.to(torch.float64).reshape(expected.shape) / 127 * largest
    return difference
