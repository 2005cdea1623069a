"""A short training run, by the student's gradients and by autograd's: step by step the same losses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graders.exercise.module import Exercise
from graders.oracle import compare
from graders.student import module as student
from graders.student.accidents import in_double
from graders.student.module import Problem, Student

SAME = 1e-6  # relative; rounding grows from step to step, and after some hundred is still below 1e-9


def losses_by_student(exercise: Exercise, by: Student, seed: int, limit: float) -> tuple[list[float], Problem | None]:
    """The losses of run() with the student's function, in float64; or the problem that ended it."""
    assert exercise.run is not None
    function = by.functions[exercise.run.function]
    count = len(exercise.gradients)

    def gradients(values: Mapping[str, Any]) -> list[Tensor]:
        given = student.arguments(function, values, {})
        if isinstance(given, Problem):
            raise compare.NotATensor(given.message)
        answer = function(**given)
        each = [compare.element(answer, index, count) for index in range(count)]
        return [
            compare.as_tensor(gradient, torch.float64).reshape(values[g.target].shape)
            for gradient, g in zip(each, exercise.gradients, strict=True)
        ]

    losses, problem = student.run(lambda: _run(exercise, gradients, seed), by.path, limit)
    return losses or [], problem


def losses_by_autograd(exercise: Exercise, seed: int) -> list[float]:
    """The losses of run() with autograd's gradients of the forward pass, in float64."""
    names = [g.target for g in exercise.gradients]
    wanted = list(inspect.signature(exercise.forward).parameters)

    def gradients(values: Mapping[str, Any]) -> tuple[Tensor, ...]:
        with torch.enable_grad():
            leaves = {name: values[name].detach().requires_grad_() for name in names}
            loss = exercise.forward(**{name: leaves.get(name, values[name]) for name in wanted})["loss"]
            return torch.autograd.grad(loss, list(leaves.values()))

    return _run(exercise, gradients, seed)


def _run(exercise: Exercise, gradients: Callable[..., Sequence[Tensor]], seed: int) -> list[float]:
    with in_double(), torch.no_grad():
        rng = torch.Generator().manual_seed(seed)
        losses: list[float] = exercise.namespace["run"](gradients, rng)
    return losses


def first_departure(mine: Sequence[float], true: Sequence[float]) -> int | None:
    """The first step whose losses differ by more than rounding; None if there is none."""
    for step, (a, b) in enumerate(zip(mine, true, strict=True)):
        if not math.isfinite(a) or abs(a - b) > SAME * max(1.0, abs(b)):
            return step
    return None
