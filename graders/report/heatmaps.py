"""Heat maps of three tensors side by side, as HTML that brings its style along: the same on a page and in a notebook.

Each map is a small PNG file in the text itself. It is transparent at zero, so it suits light and dark paper alike.
"""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from graders.grading.difference import difference_of
from graders.oracle.compare import same_up_to_ones

NEGATIVE, POSITIVE, NOT_FINITE = (38, 110, 210), (214, 78, 38), (160, 40, 180)
STEPS = 127  # of colour on either side of zero
PANEL, CELL, THINNEST = 220, 40, 24  # pixels: the most a map takes, the most an entry takes, the least a map takes
LINE = "border:1px solid #8c959f"
RAMP = f"background:linear-gradient(90deg,rgb{NEGATIVE},transparent,rgb{POSITIVE})"
KEY = (
    '<div style="font-size:12px;margin:4px 0">−<span style="display:inline-block;width:112px;height:10px;'
    f'margin:0 6px;{RAMP};{LINE}"></span>+, faint is near zero</div>'
)


def compared(answer: Tensor, expected: Tensor) -> str:
    """Yours, autograd's and the difference, where the shapes (equal up to ones) let there be one."""
    fits = same_up_to_ones(answer.shape, expected.shape)
    return _side_by_side(answer, expected, answer.reshape(expected.shape) - expected if fits else None)


def recalled(picture: str, expected: Tensor) -> str:
    """The same for a difference that difference.keep() kept. The text is empty if there is none."""
    difference = difference_of(picture, expected)
    return "" if difference is None else _side_by_side(expected + difference, expected, difference)


def _side_by_side(answer: Tensor, expected: Tensor, difference: Tensor | None) -> str:
    """Yours and autograd's share one scale, the difference has its own."""
    largest = _largest(_matrix(expected))
    maps = [_map("yours", answer, largest), _map("autograd", expected, largest)]
    if difference is None:
        maps.append(_figure("", "difference: none, the shapes differ"))
    else:
        maps.append(_map("difference", difference, 0.0))
    columns = f"grid-template-columns:repeat(3,minmax(0,{PANEL}px));column-gap:16px"
    return f'<div style="display:grid;{columns};margin:6px 0">{"".join(maps)}</div>{KEY}'


def _map(title: str, tensor: Tensor, largest: float) -> str:
    """One tensor with its title, its shape and the value of its deepest colour (0: its own largest)."""
    matrix = _matrix(tensor)
    largest = largest or _largest(matrix)
    shape = ", ".join(map(str, tensor.shape)) + ("," if tensor.dim() == 1 else "")
    caption = f"{title} ({shape}) ±{largest:.3g}"
    odd = matrix.size - int(np.isfinite(matrix).sum())
    if odd:
        caption += f', <span style="color:rgb{NOT_FINITE}">■</span> {odd} not finite'
    return _figure(_image(matrix, largest, title) if matrix.size else "", caption)


def _figure(image: str, caption: str) -> str:
    return f'<figure style="margin:0">{image}<figcaption style="font-size:12px">{caption}</figcaption></figure>'


def _image(matrix: NDArray[np.float64], largest: float, title: str) -> str:
    """As large as its place allows; a very thin one is drawn wider or higher than it is."""
    rows, columns = matrix.shape
    scale = min(PANEL / rows, PANEL / columns, CELL)
    width, height = max(columns * scale, THINNEST), max(rows * scale, THINNEST)
    size = f"width:{width:.0f}px;max-width:100%;height:auto;aspect-ratio:{width:.0f}/{height:.0f}"
    data = base64.b64encode(png(_indices(matrix, largest))).decode()
    look = f"display:block;box-sizing:border-box;{size};image-rendering:pixelated;{LINE}"
    return f'<img src="data:image/png;base64,{data}" alt="{title}, {rows} by {columns}" style="{look}">'


def _matrix(tensor: Tensor) -> NDArray[np.float64]:
    """(rows, columns): a vector is one row, the last dimensions of more than two are one."""
    values: NDArray[np.float64] = tensor.detach().double().numpy()
    rows = values.shape[0] if values.ndim > 1 else 1
    return values.reshape(rows, values.size // max(rows, 1))


def _largest(matrix: NDArray[np.float64]) -> float:
    return float(np.abs(matrix[np.isfinite(matrix)]).max(initial=0.0))


def _indices(matrix: NDArray[np.float64], largest: float) -> NDArray[np.uint8]:
    """Of the palette, (rows, columns): 0 is -largest or less, STEPS zero, 2 * STEPS the most, the last not finite."""
    with np.errstate(over="ignore"):  # infinite is clipped, too
        share = np.clip(np.nan_to_num(matrix) / (largest or 1.0), -1.0, 1.0)
    return np.where(np.isfinite(matrix), STEPS + (share * STEPS).round(), 2 * STEPS + 1).astype(np.uint8)


def png(indices: NDArray[np.uint8]) -> bytes:
    """A PNG file of indices (rows, columns) of the palette. PNG specification, section 11."""
    rows, columns = indices.shape
    colours = [NEGATIVE] * STEPS + [POSITIVE] * (STEPS + 1) + [NOT_FINITE]
    alphas = [round(255 * abs(index - STEPS) / STEPS) for index in range(2 * STEPS + 1)] + [255]
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(map(bytes, colours))),
        (b"tRNS", bytes(alphas)),
        (b"IDAT", zlib.compress(np.pad(indices, ((0, 0), (1, 0))).tobytes(), 9)),  # each row begins with its filter, 0
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
