"""Training steps by hand against autograd: ratios taken in one run, one torch thread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from graders.train.steppers import ByAutograd, Parameters, Stepper, stepper
from graders.train.subject import Subject, reference_subject
from tests.support.stubs import REFERENCE

console = Console(highlight=False)
KINDS = ("readable", "fast", "autograd")


def bench_training() -> None:
    torch.set_num_threads(1)
    subject = reference_subject(REFERENCE)
    for batch, hidden in ((32, 200), (256, 1024)):
        taken = step_times(subject, batch, hidden, rounds=60)
        console.print(f"a training step, batch {batch}, hidden {hidden}: {_ratios(taken)}")
        console.print(f"  {_shares(subject, batch, hidden)}")
    console.print(_table(subject))


def step_times(subject: Subject, batch: int, hidden: int, rounds: int) -> dict[str, float]:
    """Seconds a step of each kind: the fastest of some rounds that take turns, since machines are shared."""
    count = max(3, min(50, int(1e6 / (batch * hidden))))  # short enough that some round is not disturbed
    best = dict.fromkeys(KINDS, float("inf"))
    for _ in range(rounds):
        for kind in KINDS:
            parameters, X, Y, rates = _start(subject, batch, hidden, count)
            by = ByAutograd(subject, parameters) if kind == "autograd" else _stepper(subject, parameters, batch, kind)
            by.steps(X[:2], Y[:2], rates[:2])
            seconds = _seconds(lambda: by.steps(X, Y, rates))
            best[kind] = min(best[kind], seconds / count)
    return best


def _stepper(subject: Subject, parameters: Parameters, batch: int, kind: str) -> Stepper:
    return stepper(subject, parameters, batch, fast=kind == "fast")


def _start(subject: Subject, batch: int, hidden: int, count: int) -> tuple[Parameters, Tensor, Tensor, Sequence[float]]:
    rng = torch.Generator().manual_seed(1)
    parameters = subject.given("initialise")(rng, n_hidden=hidden)
    X = torch.randint(0, 27, (count, batch, 3), generator=rng)
    return parameters, X, torch.randint(0, 27, (count, batch), generator=rng), [0.1] * count


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _ratios(taken: dict[str, float]) -> str:
    ratios = [f"{kind} {taken[kind] / taken['autograd']:.2f}" for kind in KINDS[:2]]
    times = ", ".join(f"{kind} {1e3 * seconds:.3f} ms" for kind, seconds in taken.items())
    return f"{', '.join(ratios)} x autograd ({times})"


def _shares(subject: Subject, batch: int, hidden: int) -> str:
    """What the readable step spends where, and its backward pass against its four matrix products alone."""
    parameters, X, Y, _ = _start(subject, batch, hidden, 1)
    forward, backward = subject.given("forward"), subject.gradients
    asked = backward.__code__.co_varnames[: backward.__code__.co_argcount]
    with torch.no_grad():
        values = forward(**parameters, Xb=X[0], Yb=Y[0])
        given = {name: values[name] for name in asked}
        gradients = backward(**given)
        dlogits, dhprebn = torch.randn(batch, 27), torch.randn(batch, hidden)

        def update() -> None:
            for parameter, gradient in zip(parameters.values(), gradients, strict=True):
                parameter.sub_(gradient, alpha=0.0)

        def products() -> None:
            dlogits @ given["W2"].T
            given["h"].T @ dlogits
            dhprebn @ given["W1"].T
            given["embcat"].T @ dhprebn

        parts = {
            "forward": lambda: forward(**parameters, Xb=X[0], Yb=Y[0]),
            "backward": lambda: backward(**given),
            "update": update,
            "products": products,
        }
        taken = {name: _fastest(action) for name, action in parts.items()}
    whole = sum(taken[name] for name in ("forward", "backward", "update"))
    shares = ", ".join(f"{name} {100 * taken[name] / whole:.0f} %" for name in ("forward", "backward", "update"))
    ratio = taken["backward"] / taken["products"]
    return f"readable: {shares}; its backward pass takes {ratio:.1f} x its four matrix products alone"


def _fastest(action: Callable[[], object], rounds: int = 15, times: int = 40) -> float:
    """Median within the fastest round."""
    action()
    return min(statistics.median(_seconds(action) for _ in range(times)) for _ in range(rounds))


def _table(subject: Subject) -> Table:
    batches = (32, 128, 512, 1024)
    table = Table(title="ms a step with autograd; readable and fast as multiples of it", box=None, pad_edge=False)
    table.add_column("hidden")
    for batch in batches:
        table.add_column(f"batch {batch}", justify="right")
    for hidden in (64, 200, 512, 1024):
        row = []
        for batch in batches:
            taken = step_times(subject, batch, hidden, rounds=12)
            one = taken["autograd"]
            row.append(f"{1e3 * one:.2f} {taken['readable'] / one:.2f} {taken['fast'] / one:.2f}")
        table.add_row(str(hidden), *row)
    return table


if __name__ == "__main__":
    bench_training()
