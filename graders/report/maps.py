"""Heat maps as small PNG files in the page itself: transparent at zero, so they suit light and dark paper alike."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from graders.grading import difference as heat
from graders.report.png import png_file

NEGATIVE, POSITIVE = (38, 110, 210), (214, 78, 38)
STEPS = 100  # of colour on either side of zero


@dataclass(frozen=True)
class Map:
    """One picture: what it shows, the value of its deepest colour, rows and columns, the picture as a data: URI."""

    title: str
    scale: str
    rows: int
    columns: int
    uri: str

    @property
    def style(self) -> str:
        """As wide as there is room, or as high as is sensible, and never a hair's breadth."""
        if self.columns >= self.rows:
            return f"width: 100%; aspect-ratio: {min(self.columns / self.rows, 10):.3g}"
        return f"height: 13rem; max-width: 100%; width: {max(13 * self.columns / self.rows, 2.5):.3g}rem"


def maps(picture: str, expected: Tensor) -> list[Map]:
    """Yours, autograd's and the difference, for a difference that heat.keep() kept; none if there is none."""
    difference = heat.difference_of(picture, expected)
    if difference is None:
        return []
    largest = expected.abs().max().item()
    return [
        _map("yours", expected + difference, largest),
        _map("autograd", expected, largest),
        _map("difference", difference, difference.abs().max().item()),
    ]


def _map(title: str, tensor: Tensor, largest: float) -> Map:
    rows = tensor.shape[0] if tensor.dim() > 1 else 1
    matrix = tensor.reshape(rows, -1)
    share = (matrix / largest if largest else matrix).clamp(-1, 1)
    indices = (STEPS + share * STEPS).round().to(torch.uint8)
    data = base64.b64encode(png(indices)).decode()
    return Map(title, f"{largest:.3g}", rows, matrix.shape[1], f"data:image/png;base64,{data}")


def png(indices: Tensor) -> bytes:
    """A PNG of palette indices (rows, columns): 0 the most negative, `STEPS` zero, 2 * STEPS the most positive."""
    rows, columns = indices.shape
    raw = b"".join(b"\0" + bytes(row) for row in indices.tolist())
    colours = [NEGATIVE] * STEPS + [POSITIVE] * (STEPS + 1)
    alphas = [round(255 * abs(index - STEPS) / STEPS) for index in range(2 * STEPS + 1)]
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(map(bytes, colours))),
        (b"tRNS", bytes(alphas)),
        (b"IDAT", zlib.compress(raw, 9)),
    )
    return png_file(chunks)
