"""The compute graph of a forward pass: laid out in layers, and drawn as SVG for a page or a notebook."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from graders.report import signs

GAP, LAYER, HEIGHT = 14.0, 54.0, 28.0
TIP = "m-3-5l3 5 3-5"  # of an arrow that points down


@dataclass(frozen=True)
class Node:
    name: str
    x: float  # of the centre
    y: float
    width: float


@dataclass(frozen=True)
class Layout:
    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[str, ...]  # SVG paths, from a tensor down to where it is used


def layout(consumers: Mapping[str, Sequence[str]]) -> Layout:
    """Inputs at the top, the loss at the bottom; `consumers` says for every tensor where it is used."""
    depth = depths(consumers)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    paths = []
    for name, used in consumers.items():
        rows[depth[name]].append(name)
        paths += [_with_bends(name, end, depth, rows) for end in used]
    rows[0].append("loss")
    neighbours: dict[str, list[str]] = {}
    for path in paths:
        for above, below in itertools.pairwise(path):
            neighbours.setdefault(above, []).append(below)
            neighbours.setdefault(below, []).append(above)
    at = _places(rows, neighbours)
    nodes = tuple(Node(name, *at[name], _size(name)) for name in (*consumers, "loss"))
    width = max(x + _size(name) / 2 for name, (x, _) in at.items()) + 4
    return Layout(width, LAYER * len(rows), nodes, tuple(_curve([at[name] for name in path]) for path in paths))


def depths(consumers: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many steps each tensor is from the loss, by the longest way."""
    depth = {"loss": 0}

    def of(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(of(used) for used in consumers[name])
        return depth[name]

    for name in consumers:
        of(name)
    return depth


def _with_bends(start: str, end: str, depth: Mapping[str, int], rows: list[list[str]]) -> list[str]:
    """The way from a tensor to its use, with a bend in every layer that it crosses, which keeps a place there."""
    bends = [f"{start}>{end}@{layer}" for layer in range(depth[start] - 1, depth[end], -1)]
    for layer, bend in zip(range(depth[start] - 1, depth[end], -1), bends, strict=True):
        rows[layer].append(bend)
    return [start, *bends, end]


def _places(rows: list[list[str]], neighbours: Mapping[str, Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Order each layer by where its neighbours are, a few times over; then centre the layers."""
    widest = max(sum(map(_size, row)) + GAP * (len(row) - 1) for row in rows)
    at: dict[str, float] = {}
    for row in rows:
        at |= _near(row, dict.fromkeys(row, widest / 2), widest)
    for _ in range(12):
        for row in (*rows, *rows[::-1]):
            wish = {name: sum(at[n] for n in neighbours[name]) / len(neighbours[name]) for name in row}
            row.sort(key=lambda name: wish[name])
            at |= _near(row, wish, widest)
    top = LAYER * (len(rows) - 0.5)
    return {name: (at[name], top - LAYER * layer) for layer, row in enumerate(rows) for name in row}


def _size(name: str) -> float:
    return 10.0 if "@" in name else 6.7 * max(len(name), 5) + 34


def _near(row: Sequence[str], wish: Mapping[str, float], widest: float) -> dict[str, float]:
    """Places without overlap, in this order, as near to the wishes as a sweep from each side brings them."""
    right: list[float] = []
    for name in row:
        least = right[-1] + GAP + _size(name) / 2 if right else _size(name) / 2
        right.append(max(wish[name], least) + _size(name) / 2)
    at: dict[str, float] = {}
    limit = widest
    for name, end in zip(reversed(row), reversed(right), strict=True):
        end = min(end, limit)
        at[name] = end - _size(name) / 2 + 4
        limit = end - _size(name) - GAP
    return at


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A smooth line through the middle of each layer, from the bottom of one box to the top of the other."""
    (x, y), *rest = points
    parts = [f"M{x:.0f} {y + HEIGHT / 2:.0f}"]
    y += HEIGHT / 2
    for number, (next_x, next_y) in enumerate(rest):
        next_y -= HEIGHT / 2 if number == len(rest) - 1 else 0
        middle = (y + next_y) / 2
        parts.append(f"C{x:.0f} {middle:.0f} {next_x:.0f} {middle:.0f} {next_x:.0f} {next_y:.0f}")
        x, y = next_x, next_y
    return "".join([*parts, TIP])


def svg(layout: Layout, states: Mapping[str, tuple[str, str]], title: str, here: str = "") -> str:
    """A box for each tensor, with the sign of its kind; the paper shows through.

    `states` says for a tensor (kind, words), a tensor without is given. The name `here` is set in bold.
    """
    boxes = [_box(node, *states.get(node.name, ("given", "given")), node.name == here) for node in layout.nodes]
    size = f"display:block;width:100%;max-width:{layout.width:.0f}px;margin:0 auto"
    return (
        f'<svg viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" style="{size}" '
        f'role="img" aria-label="{escape(title)}">'
        f'<path d="{"".join(layout.edges)}" fill="none" stroke="{signs.SOFT}" stroke-width="1.1"/>'
        f"{''.join(boxes)}</svg>"
    )


def _box(node: Node, kind: str, words: str, here: bool) -> str:
    colour, given = signs.colour(kind), kind == "given"
    left, tint = -node.width / 2, 0.13 if kind in signs.COLOURS else 0
    dashes = ' stroke-dasharray="4 3"' if kind in ("untouched", "none") else ""
    weight = ' font-weight="bold"' if here else ""
    sign = "" if given else f'<g transform="translate({left + 13:.0f} 0) scale(.72)">{signs.shape(kind)}</g>'
    return (
        f'<g transform="translate({node.x:.0f} {node.y:.0f})"><title>{escape(node.name)}: {escape(words)}</title>'
        f'<rect x="{left:.0f}" y="-13" width="{node.width:.0f}" height="26" rx="{13 if kind == "passed" else 3}" '
        f'fill="{colour}" fill-opacity="{tint}" stroke="{colour}" '
        f'stroke-width="{2 if kind in ("wrong", "failed") else 1.2}"{dashes}/>{sign}'
        f'<text x="{0 if given else 8}" y="3.8" text-anchor="middle" font-size="11" fill="currentColor"{weight}>'
        f"{escape(node.name)}</text></g>"
    )
