"""A training from the settings to the pictures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from graders.train import TrainingError, checkpoint, drawing
from graders.train import health as diagnostics
from graders.train import results as report
from graders.train.checkpoint import State
from graders.train.loop import train
from graders.train.settings import Data, Settings, read_data
from graders.train.steppers import ByAutograd, Parameters, stepper
from graders.train.subject import Subject, wrong_gradients

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Request:
    """What the user asked for. `given` are settings, None where nothing was said."""

    given: dict[str, Any]
    out: Path = Path("runs")
    resume: bool = False
    compare: bool = False
    diagnostics: bool = False
    threads: int = 1
    console: Console = field(default_factory=lambda: plain_console())


def plain_console() -> Console:
    """A console that prints what it is given: paths whole, and no picture of a hundred for line `:100:`."""
    return Console(emoji=False, markup=False, highlight=False, soft_wrap=True)


def main(subject: Subject, request: Request) -> int:
    """Train, tell, draw. 0 if the last step was reached, 130 after Ctrl-C.

    Raises TrainingError or NamesError, each with what to do.
    """
    if request.diagnostics and not drawing.available():
        raise TrainingError(f"{drawing.MISSING}, or leave --diagnostics away.")
    torch.set_num_threads(request.threads)
    console = request.console
    state, data = _begin(subject, request)
    _warn(subject, console)
    path = request.out / CHECKPOINT
    rate = subject.given("learning_rate")
    by = stepper(subject, state.parameters, state.settings.batch, state.settings.fast)
    if state.finished:
        console.print(f"all {state.step:,} steps were taken before; {path} is complete.")
    elif not train(state, by, data, rate, console, _title(state.settings), path):
        console.print(f"stopped after {state.step:,} of {state.settings.steps:,} steps; kept in {path}.")
        console.print("The same command with --resume goes on to the identical result.")
        return 130
    report.print_results(subject, state, data, console)
    runs = {_title(state.settings): (state.losses[: state.step], state.seconds)}
    if request.compare:
        runs["autograd"] = _by_autograd(subject, state.settings, data, console)
    for picture in _draw(subject, state, data, runs, request):
        console.print(f"wrote {picture}")
    return 0


def _begin(subject: Subject, request: Request) -> tuple[State, Data]:
    """The state to start or go on from, with its data; makes the folder."""
    path = request.out / CHECKPOINT
    if not request.resume:
        settings = Settings().changed(request.given)
        data = read_data(settings)
        state = checkpoint.begin(subject, settings, data)
        _make_folder(request.out)
        return state, data
    state = checkpoint.restore(path)
    differences = state.settings.differences(request.given)
    if differences:
        raise TrainingError(f"{path} was begun with {', '.join(differences)}: say the same, or nothing.")
    if tuple(state.parameters) != subject.names:
        raise TrainingError(f"{path} belongs to another network: name the run by --out.")
    data = read_data(state.settings)
    if data.digest != state.digest:
        source = state.settings.names or "the embedded list"
        raise TrainingError(f"{source} has changed since {path} was begun: begin anew, without --resume.")
    if state.source != subject.digest and not state.finished:
        changed = f"{subject.kit.path} has changed since {path} was written: from step {state.step:,} on it is"
        request.console.print(f"{changed} the new one. Without --resume, all of it would be.")
        state.source = subject.digest
    return state, data


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder} cannot be made ({error.strerror}): name another folder by --out.") from None


def _warn(subject: Subject, console: Console) -> None:
    wrong = wrong_gradients(subject)
    for result in wrong:
        console.print(f"{subject.kit.path}:{result.line}: {result.item} is wrong: {result.message}")
    if wrong:
        console.print("Training goes on with these gradients, but will not learn as it should. Ctrl-C stops it.")


def _title(settings: Settings) -> str:
    return "by hand, fast" if settings.fast else "by hand"


def _by_autograd(subject: Subject, settings: Settings, data: Data, console: Console) -> tuple[torch.Tensor, float]:
    """Losses and seconds of the same training with autograd: as far as it came before Ctrl-C."""
    state = checkpoint.begin(subject, settings, data)
    by = ByAutograd(subject, state.parameters)
    train(state, by, data, subject.given("learning_rate"), console, "autograd")
    console.print(f"autograd: {1e3 * state.seconds / max(1, state.step):.3f} ms a step")
    return state.losses[: state.step], state.seconds


def _draw(
    subject: Subject, state: State, data: Data, runs: dict[str, tuple[torch.Tensor, float]], request: Request
) -> list[Path]:
    if not drawing.available():
        request.console.print(f"no picture was drawn: {drawing.MISSING}")
        return []
    runs = {name: run for name, run in runs.items() if len(run[0])}
    rates = [subject.given("learning_rate")(step, state.settings.steps) for step in range(state.step)]
    switch = next((step for step in range(1, state.step) if rates[step] != rates[step - 1]), None)
    pictures = [drawing.loss_curve(runs, switch, request.out / "loss.png")]
    if request.diagnostics:
        first: Parameters = checkpoint.begin(subject, state.settings, data).parameters
        states = {"before training": first, f"after {state.step:,} steps": state.parameters}
        X, Y = data.training
        rng = torch.Generator().manual_seed(state.settings.seed + 1)
        chosen = torch.randint(0, len(X), (state.settings.batch,), generator=rng)
        batch = X[chosen], Y[chosen]
        ratios = state.ratios, state.every
        pictures += diagnostics.draw(subject, states, batch, data.alphabet, ratios, switch, request.out)
    return pictures
