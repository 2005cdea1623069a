"""What is told at the end of a training: calibrated losses and made-up names."""

import torch
from rich.console import Console

from graders.train.checkpoint import State
from graders.train.settings import Data
from graders.train.subject import Subject

SAMPLES = 20


def losses(subject: Subject, state: State, data: Data) -> dict[str, float]:
    """The loss of each split, batch norm calibrated once over the training set; empty splits are left out."""
    with torch.no_grad():
        statistics = subject.given("calibrate")(state.parameters, data.training[0])
        evaluate = subject.given("evaluate")
        return {name: evaluate(state.parameters, statistics, X, Y) for name, (X, Y) in data.splits.items() if len(X)}


def samples(subject: Subject, state: State, data: Data) -> list[str]:
    """Made-up names, from a generator of their own: the lecture's seed plus 10."""
    rng = torch.Generator().manual_seed(state.settings.seed + 10)
    with torch.no_grad():
        statistics = subject.given("calibrate")(state.parameters, data.training[0])
        names: list[str] = subject.given("sample")(state.parameters, statistics, rng, data.alphabet, SAMPLES)
    return names


def print_results(subject: Subject, state: State, data: Data, console: Console) -> None:
    """Print time, losses and names. A training that went astray has no names, and is told so."""
    each = f"{1e3 * state.seconds / max(1, state.step):.3f} ms a step"
    console.print(f"{state.step:,} steps in {state.seconds:.1f} s, {each}")
    if not all(bool(p.isfinite().all()) for p in state.parameters.values()):
        console.print("The parameters are no longer finite numbers: the training went astray. Are all gradients right?")
        return
    for name, loss in losses(subject, state, data).items():
        console.print(f"{name:5s} loss {loss:.4f}")
    console.print("names that it makes up:")
    for name in samples(subject, state, data):
        console.print(f"  {name}")
