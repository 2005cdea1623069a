"""The training loop: blocks of steps, a progress bar, Ctrl-C between two blocks."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from graders.train import checkpoint
from graders.train.checkpoint import State
from graders.train.settings import BLOCK, Data
from graders.train.steppers import Stepper

SAVE_EVERY = 10.0  # seconds: what a power cut may cost
Rate = Callable[[int, int], float]  # the learning rate at a step, of so many


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether Ctrl-C was pressed. Pressed twice, it is a KeyboardInterrupt.

    An interrupt in the middle of an update would leave some parameters a step ahead of the others.
    """
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        before = signal.signal(signal.SIGINT, press)
    except ValueError:  # not in the main thread: somebody else deals with signals
        yield lambda: False
        return
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def train(
    state: State, stepper: Stepper, data: Data, rate: Rate, console: Console, what: str, path: Path | None = None
) -> bool:
    """Go on until the last step. True if it was reached, False after Ctrl-C; `path` keeps the state in either case."""
    saved = time.perf_counter() - SAVE_EVERY  # once at the first block: from then on there is something to resume
    with interruptible() as stopped, _bar(console) as progress:
        task = progress.add_task(what, total=state.settings.steps, completed=state.step, loss="", speed="")
        try:
            while not state.finished and not stopped():
                _block(state, stepper, data, rate)
                recent = state.losses[max(0, state.step - 1000) : state.step]
                speed = f"{state.step / state.seconds:,.0f} steps/s"
                progress.update(task, completed=state.step, loss=f"loss {recent.mean():.3f}", speed=speed)
                if path and time.perf_counter() - saved > SAVE_EVERY:
                    checkpoint.save(state, path)
                    saved = time.perf_counter()
        finally:
            progress.refresh()
    if path:
        checkpoint.save(state, path)
    return state.finished


def _block(state: State, stepper: Stepper, data: Data, rate: Rate) -> None:
    """Up to BLOCK steps; the batches are those that drawing them one by one would give."""
    X, Y = data.training
    settings = state.settings
    first, last = state.step, min(state.step + BLOCK, settings.steps)
    start = time.perf_counter()
    chosen = torch.randint(0, len(X), (last - first, settings.batch), generator=state.rng)
    Xs, Ys = X[chosen], Y[chosen]
    rates = [rate(step, settings.steps) for step in range(first, last)]
    # To measure an update the block is cut: once before the step that is measured, once after it.
    measured = [step - first for step in range(first, last) if step % state.every == 0]
    cuts = sorted({0, last - first, *measured, *(m + 1 for m in measured)})
    for a, b in pairwise(cuts):
        before = [p.clone() for p in state.parameters.values()] if a in measured else []
        state.losses[first + a : first + b] = stepper.steps(Xs[a:b], Ys[a:b], rates[a:b])
        if before:
            state.ratios[(first + a) // state.every] = _ratios(before, list(state.parameters.values()))
    state.step = last
    state.seconds += time.perf_counter() - start


def _ratios(before: list[torch.Tensor], after: list[torch.Tensor]) -> torch.Tensor:
    pairs = zip(before, after, strict=True)
    return torch.stack([((new - old).std() / old.std()).log10() for old, new in pairs])


def _bar(console: Console) -> Progress:
    done = ("{task.completed:,}/{task.total:,}", "{task.fields[loss]}", "{task.fields[speed]}")
    times = TimeElapsedColumn(), TimeRemainingColumn()
    return Progress("{task.description}", BarColumn(), *done, *times, console=console)
