"""Pictures as SVG text: three tensors side by side as heat maps, and the compute graph with a state at each node."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from graders.oracle.compare import same_up_to_ones
from graders.report.png import png_file

COLOURS = {
    "exact": "#1a7f37",
    "approximate": "#4ac26b",
    "right, fed a wrong upstream gradient": "#d4a72c",
    "passed": "#1a7f37",
    "not attempted": "#d0d7de",
    "not checked": "#ffffff",
    "": "#ffffff",
}
FAULT = "#cf222e"  # of every other state
LOW, ZERO, HIGH = (np.array(c, float) for c in ((33, 102, 172), (247, 247, 247), (178, 24, 43)))
PANEL, GAP, HEAD = 216, 20, 34  # pixels


def compared(answer: Tensor, expected: Tensor) -> str:
    """Yours, autograd's and the difference, where the shapes (equal up to ones) let there be one."""
    largest = expected.abs().max().item()
    fits = same_up_to_ones(answer.shape, expected.shape)
    difference = answer.reshape(expected.shape) - expected if fits else None
    last = "difference" if fits else "difference: none, the shapes differ"
    return heat_maps([("yours", answer, largest), ("autograd", expected, largest), (last, difference, 0.0)])


def heat_maps(panels: Sequence[tuple[str, Tensor | None, float]]) -> str:
    """One picture of several tensors, each with its title and the value of its deepest colour (0: its own largest).

    Blue is negative, red positive, white zero, black not finite; a tensor of more than two dimensions is shown as a
    matrix of its first. None leaves a place empty.
    """
    width, height = len(panels) * (PANEL + GAP) - GAP, HEAD + PANEL
    drawn = [_panel(i * (PANEL + GAP), *panel) for i, panel in enumerate(panels)]
    return _svg(width, height, drawn)


def _panel(x: int, title: str, tensor: Tensor | None, largest: float) -> str:
    if tensor is None:
        return _text(x, 12, title)
    matrix = _matrix(tensor)
    finite = matrix[np.isfinite(matrix)]
    largest = largest or float(np.abs(finite).max(initial=0.0))
    shape = ", ".join(map(str, tensor.shape)) + ("," if tensor.dim() == 1 else "")
    rows, columns = matrix.shape
    scale = min(PANEL / rows, PANEL / columns, 40)
    width, height = max(columns * scale, 6), max(rows * scale, 6)
    image = base64.b64encode(png(_coloured(matrix, largest))).decode()
    return (
        _text(x, 12, title)
        + _text(x, 26, f"({shape})   ±{largest:.3g}", "#656d76")
        + f'<image x="{x}" y="{HEAD}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{image}"/>'
        f'<rect x="{x}" y="{HEAD}" width="{width:.1f}" height="{height:.1f}" fill="none" stroke="#8c959f"/>'
    )


def _matrix(tensor: Tensor) -> NDArray[np.float64]:
    values: NDArray[np.float64] = tensor.detach().double().numpy()
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(values.shape[0], -1)


def _coloured(matrix: NDArray[np.float64], largest: float) -> NDArray[np.uint8]:
    """Blue to white to red, linear from -largest to largest; black where it is not finite."""
    share = np.clip(np.nan_to_num(matrix) / (largest or 1.0), -1.0, 1.0)[..., None]
    colours = np.where(share < 0, ZERO + share * (ZERO - LOW), ZERO + share * (HIGH - ZERO))
    colours[~np.isfinite(matrix)] = 0
    pixels: NDArray[np.uint8] = colours.round().astype(np.uint8)
    return pixels


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of (rows, columns, 3) bytes."""
    rows, columns, _ = pixels.shape
    raw = b"".join(b"\0" + pixels[row].tobytes() for row in range(rows))
    head = struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)
    return png_file(((b"IHDR", head), (b"IDAT", zlib.compress(raw, 9))))


def graph(consumers: Mapping[str, Sequence[str]], states: Mapping[str, str], here: str = "") -> str:
    """The compute graph from left to right, in the order of `consumers`; an arc leads from a tensor to each of its
    consumers. The colour of a node is its state's (""/absent: not checked); `here` is drawn large.
    """
    names = [*consumers, "loss"]
    step = 28
    at = {name: 14 + step * i for i, name in enumerate(names)}
    longest = max((at[c] - at[n] for n, above in consumers.items() for c in above if c in at), default=step)
    base = 10 + _height(longest)
    arcs = [_arc(at[n], at[c], base) for n, above in consumers.items() for c in above if c in at]
    nodes = [_node(at[name], base, name, states.get(name, ""), name == here) for name in names]
    below = 16 + max(len(name) for name in names) * 5
    return _svg(at["loss"] + 20 + below // 2, base + below, arcs + nodes)


def _height(length: float) -> float:
    """How high an arc rises: short ones lie flat, long ones grow slowly."""
    return 0.0 if length <= 28 else 7 * math.sqrt(length / 28 - 0.5) + 4


def _arc(start: int, end: int, base: float) -> str:
    rise = 4 / 3 * _height(end - start)
    curve = f"M{start} {base} C{start} {base - rise:.1f} {end} {base - rise:.1f} {end} {base}"
    return f'<path d="{curve}" fill="none" stroke="#8c959f" stroke-width="1.2"/>'


def _node(x: int, y: float, name: str, state: str, here: bool) -> str:
    colour = COLOURS.get(state, FAULT)
    weight = ' font-weight="bold"' if here else ""
    circle = f'<circle cx="{x}" cy="{y}" r="{7 if here else 5}" fill="{colour}" stroke="#24292f"/>'
    label = f'<text transform="translate({x - 2} {y + 14}) rotate(40)" font-size="10"{weight}>{escape(name)}</text>'
    return f"<g><title>{escape(name)}: {escape(state or 'not checked')}</title>{circle}{label}</g>"


def _text(x: int, y: int, text: str, colour: str = "#24292f") -> str:
    return f'<text x="{x}" y="{y}" font-size="11" fill="{colour}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:100%;background:#fff" '
        f'font-family="system-ui,sans-serif">{"".join(parts)}</svg>'
    )
