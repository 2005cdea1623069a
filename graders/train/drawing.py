"""What all pictures share: matplotlib, loaded only when something is drawn, and how a picture looks."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.train import TrainingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MISSING = "pictures need matplotlib: pip install 'backprop-ninja[train]'"
BLUE, ORANGE, GREY, LIGHT = "#1f5fa8", "#e07b00", "#666666", "#c9ced6"
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
}


def available() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def axes(rows: int = 1, columns: int = 1, size: tuple[float, float] = (9, 5), **keywords: Any) -> tuple[Figure, Any]:
    """A figure with its axes, drawn off screen. Raises TrainingError without matplotlib."""
    if not available():
        raise TrainingError(MISSING)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):  # a Figure of one's own needs neither pyplot nor a screen
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False, **keywords)


def save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=130)
    return path
