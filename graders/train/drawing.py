"""Pictures by matplotlib, which is loaded only when something is drawn: how all of them look, and the loss curve."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graders.student.commands import command
from graders.train import TrainingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MISSING = f"pictures need matplotlib: {command('pip', 'install', 'backprop-ninja[train]')}"
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
WINDOW = 1000  # steps that the WaveNet lecture takes the mean of


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


def loss_curve(runs: dict[str, tuple[Tensor, float]], switch: int | None, path: Path) -> Path:
    """The curves of some runs, {name: (losses, seconds)}, and the step at which the learning rate drops."""
    figure, ((axis,),) = axes()
    looks = [{"color": BLUE, "lw": 2.0}, {"color": ORANGE, "lw": 1.4, "ls": (0, (4, 3))}]
    longest = max((losses for losses, _ in runs.values()), key=len)
    for look, (name, (losses, seconds)) in zip(looks, runs.items(), strict=False):
        steps, means, window = smoothed(losses)
        axis.plot(steps.numpy(), means.numpy(), label=f"{name}: {1e3 * seconds / len(losses):.3f} ms a step", **look)
    if switch and switch < len(longest):
        axis.axvline(switch, color=GREY, lw=0.8, ls=":")
        across = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        axis.annotate("learning rate drops", (switch, 0.55), (5, 0), color=GREY, **across)
    over = f"mean over {window:,} steps" if window > 1 else "each step"
    axis.set(xlabel="step", ylabel=f"training loss ({over})", xlim=(0, len(longest)))
    axis.set_title(f"Loss, begins at {longest[0]:.2f}, ends at {longest[-window:].mean():.3f}", loc="left")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.legend(frameon=False)
    return save(figure, path)


def smoothed(losses: Tensor) -> tuple[Tensor, Tensor, int]:
    """(middle of each window, mean loss in it, window): WINDOW steps each, fewer in a run of less than 20 windows."""
    window = WINDOW if len(losses) >= 20 * WINDOW else max(1, len(losses) // 20)
    whole = len(losses) // window
    means = losses[: whole * window].view(whole, window).mean(1)
    return torch.arange(whole) * window + window / 2, means, window
