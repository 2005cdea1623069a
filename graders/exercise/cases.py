"""The cases that every answer must hold for: sizes and seeds of the inputs."""

from dataclasses import dataclass
from typing import Any

from graders.exercise.module import Exercise

PUBLIC_SEED = 2147483647  # the lecture's; the kit's fingerprints belong to its cases
ORDINARY = ("lecture", "primes", "other primes", "equal sizes")  # the labels of all but an author's extremes
PRIMES = ((11, 7, 3, 5, 2, 13, 17, 19), (13, 5, 7, 3, 2, 17, 11, 23))


@dataclass(frozen=True)
class Case:
    """One set of inputs that every answer must hold for: a label, keywords of inputs(), a seed."""

    label: str
    keywords: dict[str, Any]
    seed: int


def cases(exercise: Exercise, seed: int = PUBLIC_SEED) -> list[Case]:
    """The lecture's sizes, two sets of sizes that are all different primes, one of equal sizes, the extremes.

    Different primes leave no room for a transposed or swapped axis; equal sizes are where such a mistake keeps
    its shape; an author's extremes bring small mistakes into the light.
    """
    sizes = list(exercise.sizes)
    first, second = (dict(zip(sizes, primes, strict=False)) for primes in PRIMES)
    labelled = [("lecture", {}), ("primes", first), ("other primes", second)]
    labelled.append(("equal sizes", dict.fromkeys(sizes, 5)))
    labelled += [(label, {**first, **keywords}) for label, keywords in exercise.extremes.items()]
    return [Case(label, keywords, seed + i) for i, (label, keywords) in enumerate(labelled)]
