"""The state of a run, and the file that it goes on from: to the identical result, bit for bit."""

import io
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from graders.files import write_whole
from graders.train import TrainingError
from graders.train.settings import Data, Settings
from graders.train.steppers import Parameters
from graders.train.subject import Subject

FORMAT = 2
POINTS = 1000  # at most so many are kept of what is measured along the way
KEPT = ("digest", "parameters", "ratios", "source", "step", "seconds")  # of a state, as they are


@dataclass
class State:
    """Where a run stands after `step` steps. All of it is of a fixed size: memory does not grow with the steps.

    `losses` (steps,) float32 and `ratios` (points, parameters) float32 are filled up to here; `ratios` holds log10 of
    std(update) / std(parameter), one row every `every` steps.
    """

    settings: Settings
    digest: str
    parameters: Parameters
    rng: torch.Generator
    losses: Tensor
    ratios: Tensor
    source: str = ""  # names the text of the module that computed the gradients
    step: int = 0
    seconds: float = 0.0

    @property
    def finished(self) -> bool:
        return self.step >= self.settings.steps

    @property
    def every(self) -> int:
        return ratio_interval(self.settings.steps)


def ratio_interval(steps: int) -> int:
    """Every how many steps the update is measured."""
    return -(-steps // POINTS)


def begin(subject: Subject, settings: Settings, data: Data) -> State:
    """The first state: parameters drawn as the lecture draws them; batches come from the same generator."""
    rng = torch.Generator().manual_seed(settings.seed)
    parameters = subject.given("initialise")(rng, vocab=len(data.alphabet), n_hidden=settings.hidden)
    if tuple(parameters) != subject.names:
        raise TrainingError(f"initialise() gives {', '.join(parameters)}: that is not the order of the gradients.")
    points = -(-settings.steps // ratio_interval(settings.steps))
    ratios = torch.full((points, len(parameters)), torch.nan)
    losses = torch.full((settings.steps,), torch.nan)
    return State(settings, data.digest, parameters, rng, losses, ratios, subject.digest)


def save(state: State, path: Path) -> None:
    """Write the checkpoint; it is complete or not there, even if the machine goes down meanwhile. Raises OSError."""
    content = {name: getattr(state, name) for name in KEPT} | {"format": FORMAT, "settings": asdict(state.settings)}
    content |= {"rng": state.rng.get_state(), "losses": state.losses[: state.step].clone()}
    packed = io.BytesIO()
    torch.save(content, packed)
    write_whole(path, packed.getvalue())


def restore(path: Path) -> State:
    """Read a checkpoint. Raises TrainingError where there is none, or it cannot be used."""
    if not path.exists():
        raise TrainingError(f"{path} does not exist: nothing to resume. Leave --resume away, or name the run by --out.")
    try:
        content = torch.load(path, weights_only=True)
        _check_format(path, content["format"])
        settings = Settings(**content["settings"])
        rng = torch.Generator()
        rng.set_state(content["rng"])
        losses = torch.full((settings.steps,), torch.nan)
        losses[: content["step"]] = content["losses"]
        parameters = {str(name): value for name, value in content["parameters"].items()}
        kept = {name: content[name] for name in KEPT} | {"parameters": parameters}
        return State(settings=settings, rng=rng, losses=losses, **kept)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is damaged ({type(error).__name__}): begin anew, without --resume.") from None


def _check_format(path: Path, number: int) -> None:
    """Raises TrainingError for a checkpoint of another release."""
    if number < FORMAT:
        raise TrainingError(f"{path} is of an earlier release: begin anew, without --resume.")
    if number > FORMAT:
        later = f"{path} is of a later release"
        raise TrainingError(f"{later}: update backprop-ninja, or begin anew, without --resume.")
