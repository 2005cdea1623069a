"""The lecture's pictures of a network's health: histograms, saturation, size of the updates, forces on the logits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graders.train import drawing
from graders.train.steppers import Parameters
from graders.train.subject import Subject

SATURATED = 0.99
ROWS = 32  # an image shows so many examples at most
FLOOR = -6.0  # updates below this are noise: nothing is to be seen of them


@dataclass(frozen=True)
class Look:
    """One batch seen by one state of the network: tensors of the forward pass, and their gradients."""

    label: str
    values: dict[str, Tensor]
    gradients: dict[str, Tensor]


def look(label: str, subject: Subject, parameters: Parameters, Xb: Tensor, Yb: Tensor) -> Look:
    """Run the forward pass once. Gradients inside of it come from autograd: the training function returns none."""
    wanted = subject.given("diagnostics")
    names = list(dict.fromkeys([*wanted["histograms"], wanted["saturation"], wanted["forces"]]))
    leaves = {k: v.detach().clone().requires_grad_() for k, v in parameters.items()}
    values = subject.given("forward")(**leaves, Xb=Xb, Yb=Yb)
    gradients = torch.autograd.grad(values["loss"], [values[name] for name in names])
    return Look(label, {name: values[name].detach() for name in names}, dict(zip(names, gradients, strict=True)))


def draw(
    subject: Subject,
    states: dict[str, Parameters],
    batch: tuple[Tensor, Tensor],
    alphabet: str,
    ratios: tuple[Tensor, int],
    switch: int | None,
    out: Path,
) -> list[Path]:
    """All four pictures: `states` before and after training, `ratios` (points, parameters) and their interval."""
    wanted = subject.given("diagnostics")
    looks = [look(label, subject, parameters, *batch) for label, parameters in states.items()]
    return [
        _histograms(looks, wanted["histograms"], out / "histograms.png"),
        _saturation(looks, wanted["saturation"], out / "saturation.png"),
        _updates(*ratios, subject.names, switch, out / "updates.png"),
        _forces(looks, wanted["forces"], batch[1], alphabet, out / "dlogits.png"),
    ]


def _histograms(looks: list[Look], names: tuple[str, ...], path: Path) -> Path:
    figure, grid = drawing.axes(2, len(names), size=(4 * len(names), 6.4))
    for column, name in enumerate(names):
        for row, title in enumerate((name, f"d{name}")):
            axis = grid[row][column]
            tensors = [(each.values, each.gradients)[row][name].flatten() for each in looks]
            spread = max(_spread(t) for t in tensors)
            for each, tensor, color in zip(looks, tensors, (drawing.GREY, drawing.BLUE), strict=False):
                counts, edges = torch.histogram(tensor, bins=60, range=(-spread, spread), density=True)
                label = f"{each.label}: mean {tensor.mean():.2g}, std {tensor.std():.2g}"
                fill = {"fill": True, "alpha": 0.25} if each is looks[0] else {"lw": 1.6}
                axis.stairs(counts.numpy(), edges.numpy(), color=color, label=label, **fill)
            axis.set_title(title, loc="left", fontweight="bold")
            axis.set(yticks=[], ylabel=("activations", "gradients")[row] if column == 0 else "")
            axis.locator_params(axis="x", nbins=5)
            axis.margins(y=0.28)  # room for the legend
            axis.legend(fontsize=8, loc="upper left", frameon=False)
    figure.suptitle("One batch through the network: densities of its values and of their gradients")
    return drawing.save(figure, path)


def _spread(tensor: Tensor) -> float:
    """Half the width in which nearly all entries lie."""
    return max(float(tensor.abs().quantile(0.998)) * 1.1, 1e-12)


def _saturation(looks: list[Look], name: str, path: Path) -> Path:
    neurons = looks[0].values[name].shape[1]
    figure, grid = drawing.axes(len(looks), 1, size=(11, 0.6 + 2.6 * len(looks)), sharex=True)
    for each, (axis,) in zip(looks, grid, strict=True):
        saturated = each.values[name].abs() > SATURATED
        axis.imshow(saturated[:ROWS].numpy(), cmap="gray", aspect="auto", interpolation="nearest", vmin=0, vmax=1)
        dead = int(saturated.all(0).sum())
        dead_ones = f"{dead} of {neurons} neurons dead (white from top to bottom)"
        axis.set_title(f"{each.label}: {saturated.double().mean():.1%} saturated, {dead_ones}", loc="left")
        axis.set(ylabel="example")
        axis.grid(False)
    grid[-1][0].set(xlabel="neuron")
    figure.suptitle(f"Saturation: white where |{name}| > {SATURATED}, and no gradient comes through")
    return drawing.save(figure, path)


def _updates(ratios: Tensor, every: int, names: tuple[str, ...], switch: int | None, path: Path) -> Path:
    figure, ((axis,),) = drawing.axes(size=(10, 5.4))
    steps = (torch.arange(len(ratios)) * every).numpy()
    wide = max(1, len(ratios) // 100)
    low = []
    for name, series, color in zip(names, ratios.T, _colors(len(names)), strict=True):
        if not series.median() > FLOOR:
            low.append(name)
            continue
        axis.plot(steps, series.numpy(), color=color, lw=0.5, alpha=0.25)
        middle = series.unfold(0, wide, 1).median(1).values.numpy()  # one for each window: fewer than steps
        axis.plot(steps[wide // 2 :][: len(middle)], middle, color=color, lw=1.8, label=name)
    axis.axhline(-3, color="black", lw=1.2, ls="--", label="guide: -3")
    if switch and len(steps) and switch < steps[-1]:
        axis.axvline(switch, color=drawing.GREY, lw=0.8, ls=":", label="learning rate drops")
    axis.set(xlabel="step", ylabel="log10 of std(update) / std(parameter)", xlim=(0, max(1, int(steps[-1]))))
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.set_title("Update to data: about a thousandth a step is healthy", loc="left")
    if low:
        below = f"{', '.join(low)}:\nbelow {FLOOR:g},\nonly rounding"
        axis.plot([], [], " ", label=below)
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False)
    return drawing.save(figure, path)


def _colors(count: int) -> list[Any]:
    import matplotlib

    return [matplotlib.colormaps["tab10"](i % 10) for i in range(count)]


def _forces(looks: list[Look], name: str, Yb: Tensor, alphabet: str, path: Path) -> Path:
    """The gradient of the logits in grey, times n; beside it, per row, the pull on the target and all pushes."""
    rows = min(ROWS, len(Yb))
    figure, grid = drawing.axes(
        len(looks), 2, size=(10.5, 5.4 * len(looks)), sharey="row", width_ratios=(len(alphabet), 12)
    )
    at = torch.arange(rows)
    for each, (image, bars) in zip(looks, grid, strict=True):
        forces = (each.gradients[name] * len(Yb))[:rows]
        pulls = forces[at, Yb[:rows]]
        pushes = forces.sum(1) - pulls
        shown = image.imshow(forces.numpy(), cmap="gray", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        image.set(xlabel="character", ylabel="example", xticks=range(len(alphabet)), xticklabels=list(alphabet))
        image.set_title(f"{each.label}: d{name} times n (dark: the target, pulled up)", loc="left")
        image.grid(False)
        figure.colorbar(shown, ax=image, fraction=0.03, pad=0.01)
        bars.barh(at, pulls.numpy(), color="black", height=0.8, label="target")
        bars.barh(at, pushes.numpy(), color=drawing.LIGHT, height=0.8, label="all others")
        bars.plot(forces.sum(1).numpy(), at, "|", color=drawing.ORANGE, ms=6, mew=2, label="row sum")
        bars.set(xlabel=f"d{name} times n", xlim=(-1.05, 1.05))
        bars.set_title(f"row sums: at most {forces.sum(1).abs().max():.0e}", loc="left")
        bars.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=8, handlelength=1, frameon=False)
    return drawing.save(figure, path)
