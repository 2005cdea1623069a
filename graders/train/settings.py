"""What a training depends on: with the same settings it gives the same numbers, bit for bit, on one machine."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from graders import names
from graders.exercise.cases import PUBLIC_SEED
from graders.train import TrainingError

BLOCK = 50  # steps between two looks at the clock and at Ctrl-C; batches are drawn for a block at once
CONTEXT = 3  # characters that the network sees, the lecture's block_size


@dataclass(frozen=True)
class Settings:
    """The settings of one run; `names` is the path of the user's list, '' for the embedded names."""

    steps: int = 200_000
    seed: int = PUBLIC_SEED
    batch: int = 32
    hidden: int = 200
    names: str = ""
    fast: bool = False

    def changed(self, given: dict[str, Any]) -> Self:
        """With what the user gave (None: not given). Raises TrainingError for sizes that cannot be."""
        new = replace(self, **{k: v for k, v in given.items() if v is not None})
        for name, least in (("steps", 1), ("batch", 2), ("hidden", 1)):
            if getattr(new, name) < least:
                reason = ": batch norm takes the variance of a batch" if name == "batch" else ""
                raise TrainingError(f"--{name} {getattr(new, name)} is too small: at least {least}{reason}.")
        return new

    def differences(self, given: dict[str, Any]) -> list[str]:
        """What the user gave that is not what these settings say, for an error message."""
        mine = asdict(self)
        return [f"--{k} {mine[k]}" for k, v in given.items() if v is not None and v != mine[k]]


@dataclass(frozen=True)
class Data:
    """Examples of the three splits, each X (N, block_size) int64 and Y (N,) int64, and what the indices mean."""

    alphabet: str
    splits: dict[str, tuple[Tensor, Tensor]]
    digest: str

    @property
    def training(self) -> tuple[Tensor, Tensor]:
        return self.splits["train"]


def read_data(settings: Settings) -> Data:
    """Read the words, split them as the lecture does. Raises names.NamesError for a list that cannot be used."""
    words = names.read_names(Path(settings.names) if settings.names else None)
    alphabet = names.vocabulary(words)
    parts = dict(zip(("train", "val", "test"), names.split(words), strict=True))
    splits = {}
    for name, part in parts.items():
        empty = torch.zeros(0, CONTEXT, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
        splits[name] = names.examples(part, CONTEXT, alphabet) if part else empty
    return Data(alphabet, splits, hashlib.sha256("\n".join(words).encode()).hexdigest())
