"""Draw docs/architecture.svg from the imports of graders/: python -m scripts.draw_architecture

An arrow points from a room to one that it imports; where a longer way leads there too, it is left out. A room stands
right below the lowest room that imports it, so that what people touch is at the top.
"""

from __future__ import annotations

import ast
import itertools
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tests.support.rooms import ROOMS, House, room_of

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "architecture.svg"
WIDTH, HEIGHT, GAP, FLOOR, BEND, MARGIN, HEAD = 196, 66, 22, 112, 12, 26, 90
LETTERS = 24  # of a line in a box
STYLE = """
svg { font-family: system-ui, sans-serif; color: #1f2933; --paper: #fcfcfa; --soft: #5d6b78; --wall: #c2410c }
@media (prefers-color-scheme: dark) { svg { color: #e6e9ec; --paper: #171b20; --soft: #a3adb8; --wall: #fb923c } }
text { fill: currentColor } .soft { fill: var(--soft) } .name { font-weight: 600; font-size: 16px }
.paper { fill: var(--paper); stroke: var(--soft); stroke-opacity: .4 }
.room { fill: currentColor; fill-opacity: .05; stroke: currentColor; stroke-opacity: .55 }
.wall { stroke: var(--wall); stroke-opacity: 1; stroke-width: 2.5 }
.arrow { fill: none; stroke: var(--soft); stroke-width: 1.3 }
"""
Place = tuple[float, float]


def imported(house: House) -> dict[str, list[str]]:
    """For each room those that it imports, without those that it reaches by a longer way as well."""
    direct: dict[str, set[str]] = {room: set() for room in ROOMS}
    for arrow in house.arrows:
        direct[room_of(arrow.file)].add(house.target_room(arrow))
    below: dict[str, set[str]] = {}
    for room in ROOMS:
        direct[room].discard(room)
        below[room] = direct[room].union(*(below[other] for other in direct[room]))
    return {
        room: sorted(direct[room] - set().union(*(below[other] for other in direct[room])), key=ROOMS.index)
        for room in ROOMS
    }


def floors(arrows: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Counted from the top, where rooms stand that no other imports."""
    floor: dict[str, int] = {}
    for room in reversed(ROOMS):
        floor[room] = max((floor[above] + 1 for above in floor if room in arrows[above]), default=0)
    return floor


def ways(arrows: Mapping[str, Sequence[str]], floor: Mapping[str, int]) -> list[list[str]]:
    """Each arrow as its room, a bend on every floor that it crosses, the other room."""
    return [
        [room, *(f"{room}>{other}@{between}" for between in range(floor[room] + 1, floor[other])), other]
        for room in ROOMS
        for other in arrows[room]
    ]


def places(floor: Mapping[str, int], lines: Sequence[Sequence[str]]) -> dict[str, Place]:
    """Centres: each floor is ordered by where its neighbours stand, a few times over."""
    rows: list[list[str]] = [[room for room in ROOMS if floor[room] == f] for f in range(max(floor.values()) + 1)]
    neighbours: dict[str, list[str]] = {}
    for line in lines:
        for number, (above, below) in enumerate(itertools.pairwise(line), floor[line[0]] + 1):
            neighbours.setdefault(above, []).append(below)
            neighbours.setdefault(below, []).append(above)
            rows[number] += [below] if below not in ROOMS else []
    widest = max(map(_width, rows))
    x: dict[str, float] = {}
    for row in rows:
        x |= _near(row, dict.fromkeys(row, widest / 2), widest)
    for row in [*rows, *rows[::-1]] * 12:
        wish = {name: sum(x[n] for n in neighbours[name]) / len(neighbours[name]) for name in row}
        row.sort(key=lambda name: wish[name])
        x |= _near(row, wish, widest)
    return {n: (MARGIN + x[n], HEAD + HEIGHT / 2 + FLOOR * number) for number, row in enumerate(rows) for n in row}


def _size(name: str) -> float:
    return WIDTH if name in ROOMS else BEND


def _width(row: Sequence[str]) -> float:
    return sum(map(_size, row)) + GAP * (len(row) - 1)


def _near(row: Sequence[str], wish: Mapping[str, float], widest: float) -> dict[str, float]:
    """Places in this order without overlap, near to the wishes: the mean of what either side would choose."""
    back = _from_left(row[::-1], {name: widest - x for name, x in wish.items()}, widest)
    return {name: (x + widest - back[name]) / 2 for name, x in _from_left(row, wish, widest).items()}


def _from_left(row: Sequence[str], wish: Mapping[str, float], widest: float) -> dict[str, float]:
    left, right, at = 0.0, widest - _width(row), dict[str, float]()
    for name in row:
        start = min(max(wish[name] - _size(name) / 2, left), right)
        at[name] = start + _size(name) / 2
        left, right = start + _size(name) + GAP, right + _size(name) + GAP
    return at


def box(house: House, room: str, at: Place) -> str:
    """A room with its name and what it says that it is for: the beginning of its docstring, up to a colon."""
    is_file = f"graders/{room}.py" in house.trees
    tree = house.trees[f"graders/{room}.py" if is_file else f"graders/{room}/__init__.py"]
    about = (ast.get_docstring(tree) or "").partition(":")[0].replace("`", "")
    lines = [
        f'<text class="soft" font-size="13" x="12" y="{41 + 16 * number}">{escape(line)}</text>'
        for number, line in enumerate(textwrap.wrap(about, LETTERS, break_on_hyphens=False))
    ]
    kind = "room wall" if room == "sandbox" else "room"
    return (
        f'<g transform="translate({at[0] - WIDTH / 2:.0f} {at[1] - HEIGHT / 2:.0f})">'
        f'<rect class="{kind}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        f'<text class="name" x="12" y="22">{room}{".py" if is_file else "/"}</text>{"".join(lines)}</g>'
    )


def curve(points: Sequence[Place]) -> str:
    """From the foot of one box to the top of the other, straight down beside the boxes of each floor between."""
    x, y = points[0]
    way = f"M{x:.0f} {y + HEIGHT / 2:.0f}"
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        start, middle, end = y + HEIGHT / 2, (y + next_y) / 2, next_y - HEIGHT / 2
        way += f"V{start:.0f}C{x:.0f} {middle:.0f} {next_x:.0f} {middle:.0f} {next_x:.0f} {end:.0f}"
    return f'<path class="arrow" d="{way}m-4-6l4 6 4-6"/>'


def draw(root: Path) -> str:
    """The picture as text."""
    house = House(root)
    arrows = imported(house)
    floor = floors(arrows)
    lines = ways(arrows, floor)
    at = places(floor, lines)
    width = max(x + _size(name) / 2 for name, (x, _) in at.items()) + MARGIN
    height = max(y for _, y in at.values()) + HEIGHT / 2 + MARGIN
    said = "An arrow points to a room that is imported. Arrows that a longer way implies are left out."
    parts = [f'<text font-size="20" font-weight="600" x="{MARGIN}" y="40">The rooms of graders/</text>']
    parts += [f'<text class="soft" font-size="14" x="{MARGIN}" y="64">{said}</text>']
    parts += [curve([at[name] for name in line]) for line in lines]
    parts += [box(house, room, at[room]) for room in ROOMS]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n'
        f"<title>The rooms of graders/ and which imports which</title>\n<style>{STYLE}</style>\n"
        f'<rect class="paper" x="1" y="1" width="{width - 2:.0f}" height="{height - 2:.0f}" rx="10"/>\n'
        + "\n".join([*parts, "</svg>\n"])
    )


if __name__ == "__main__":
    TARGET.write_text(draw(ROOT), encoding="utf-8")
