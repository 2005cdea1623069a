"""The loss curve, smoothed as in the WaveNet lecture: means over 1,000 steps."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from graders.train import drawing

WINDOW = 1000


def smoothed(losses: Tensor) -> tuple[Tensor, Tensor, int]:
    """(middle of each window, mean loss in it, window): 1,000 steps each, fewer in a run of less than 20,000."""
    window = WINDOW if len(losses) >= 20 * WINDOW else max(1, len(losses) // 20)
    whole = len(losses) // window
    means = losses[: whole * window].view(whole, window).mean(1)
    return torch.arange(whole) * window + window / 2, means, window


def draw(runs: dict[str, tuple[Tensor, float]], switch: int | None, path: Path) -> Path:
    """The curves of some runs, {name: (losses, seconds)}, and the step at which the learning rate drops."""
    figure, ((axis,),) = drawing.axes(size=(9, 5))
    looks = [{"color": drawing.BLUE, "lw": 2.0}, {"color": drawing.ORANGE, "lw": 1.4, "ls": (0, (4, 3))}]
    longest = max((losses for losses, _ in runs.values()), key=len)
    for look, (name, (losses, seconds)) in zip(looks, runs.items(), strict=False):
        steps, means, window = smoothed(losses)
        axis.plot(steps.numpy(), means.numpy(), label=f"{name}: {1e3 * seconds / len(losses):.3f} ms a step", **look)
    if switch and switch < len(longest):
        axis.axvline(switch, color=drawing.GREY, lw=0.8, ls=":")
        axis.annotate(
            "learning rate drops",
            (switch, 0.55),
            (5, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=drawing.GREY,
        )
    over = f"mean over {window:,} steps" if window > 1 else "each step"
    axis.set(xlabel="step", ylabel=f"training loss ({over})", xlim=(0, len(longest)))
    axis.set_title(f"Loss, begins at {longest[0]:.2f}, ends at {longest[-window:].mean():.3f}", loc="left")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.legend(frameon=False)
    return drawing.save(figure, path)
