"""A short training run, by the student's gradients and by autograd's: step by step the same losses."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graders.exercise.forward import in_double
from graders.exercise.module import Exercise
from graders.student.answer import Answer, Function, ask
from graders.student.question import Question

SAME = 1e-6  # relative; rounding grows from step to step, and after some hundred is still below 1e-9


class Unanswered(Exception):
    """A step without gradients; `answer` says why."""

    def __init__(self, answer: Answer):
        self.answer = answer
        super().__init__(str(answer.reason))


def losses_by_hand(exercise: Exercise, function: Function, seed: int) -> list[float]:
    """The losses of run() with somebody's function, in float64. Raises Unanswered and whatever the function raises."""
    targets = tuple(gradient.target for gradient in exercise.gradients)

    def gradients(values: Mapping[str, Any]) -> list[Tensor]:
        answers = ask(function, Question("", targets, values, several=True), copy=False)
        bad = next((answer for answer in answers if answer.tensor is None), None)
        if bad:
            raise Unanswered(bad)
        pairs = zip(answers, targets, strict=True)
        return [answer.tensor.reshape(values[name].shape) for answer, name in pairs if answer.tensor is not None]

    return _run(exercise, gradients, seed)


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
