"""What a student's function may ask for by name, and what it may not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from torch import Tensor

from graders.exercise.module import Gradient
from graders.oracle.gradient import Oracle


def offer(gradient: Gradient, oracle: Oracle, upstream: dict[str, Tensor]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """What a function may ask for by name, and the names it may not, each with the reason."""
    consumers = oracle.consumers(gradient.target)
    offered = {**oracle.values, **{f"d{c}": upstream[c] for c in consumers}}
    return offered, refusals(gradient.name, consumers, tuple(oracle.values))


@lru_cache(maxsize=1024)
def refusals(gradient: str, consumers: tuple[str, ...], values: tuple[str, ...]) -> Mapping[str, str]:
    """Why d<name> cannot be had, for each of `values` that `gradient` does not directly depend on."""
    direct = ", ".join(f"d{c}" for c in consumers)
    refused = {
        f"d{name}": f"asks for `d{name}`, which is no upstream gradient of {gradient[1:]}: "
        f"what arrives at it comes through {direct}"
        for name in values
        if name not in consumers and f"d{name}" not in values
    }
    refused[gradient] = f"asks for `{gradient}`, the answer itself: compute it from {direct}"
    return refused
