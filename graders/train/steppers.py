"""Three ways to take the same training steps: gradients by hand, by autograd, and the fast variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor

from graders.oracle.compare import NotATensor, as_tensor
from graders.student import module as student
from graders.student.module import Problem
from graders.train import TrainingError
from graders.train.subject import Subject

Parameters = dict[str, Tensor]


class Stepper(Protocol):
    """Takes one step a batch, X (steps, n, block_size) and Y (steps, n), in place; returns the losses (steps,)."""

    def steps(self, X: Tensor, Y: Tensor, rates: Sequence[float]) -> Tensor: ...


class ByHand:
    """The given forward pass, and the gradients of somebody's function."""

    def __init__(self, subject: Subject, parameters: Parameters):
        self.subject, self.parameters = subject, parameters
        code = subject.gradients.__code__  # a plain function: it was checked
        self.asked = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    def steps(self, X: Tensor, Y: Tensor, rates: Sequence[float]) -> Tensor:
        forward, function, asked = self.subject.given("forward"), self.subject.gradients, self.asked
        parameters = list(self.parameters.values())
        losses = []
        with torch.no_grad():
            for Xb, Yb, rate in zip(X.unbind(), Y.unbind(), rates, strict=True):
                values = forward(**self.parameters, Xb=Xb, Yb=Yb)
                try:
                    gradients = function(**{name: values[name] for name in asked if name in values})
                    for parameter, gradient in zip(parameters, gradients, strict=True):
                        if type(gradient) is not Tensor or gradient.shape != parameter.shape:
                            gradient = as_tensor(gradient, parameter.dtype).reshape(parameter.shape)
                        parameter.sub_(gradient, alpha=rate)
                except Exception as error:
                    _tell(error, self.subject)
                losses.append(values["loss"].item())
                del values, gradients  # their memory serves the next step
        return torch.tensor(losses)


def _tell(error: Exception, subject: Subject) -> NoReturn:
    """An exception in the middle of training, with the student's own lines."""

    def again() -> None:
        raise error

    path = subject.kit.path
    problem = student.run(again, path, limit=60)[1] or Problem(str(error))
    if isinstance(error, NotATensor):
        problem = Problem(f"{subject.exercise.gradients[0].function} {error}")
    where = f"{path}:{problem.line}" if problem.line else str(path)
    lines = [f"{where}: {problem.message}", *(f"  {frame}" for frame in problem.frames)]
    raise TrainingError("\n".join(lines)) from error


class ByAutograd:
    """The same forward pass and update, with loss.backward() in between."""

    def __init__(self, subject: Subject, parameters: Parameters):
        self.subject, self.parameters = subject, parameters

    def steps(self, X: Tensor, Y: Tensor, rates: Sequence[float]) -> Tensor:
        forward = self.subject.given("forward")
        leaves = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        losses = []
        for Xb, Yb, rate in zip(X.unbind(), Y.unbind(), rates, strict=True):
            loss = forward(**leaves, Xb=Xb, Yb=Yb)["loss"]
            for leaf in leaves.values():
                leaf.grad = None
            loss.backward()
            with torch.no_grad():
                for leaf in leaves.values():
                    assert leaf.grad is not None
                    leaf.sub_(leaf.grad, alpha=rate)  # shares its memory with the parameter
            losses.append(loss.item())
        return torch.tensor(losses)


def stepper(subject: Subject, parameters: Parameters, batch: int, fast: bool) -> Stepper:
    """By hand, or with the reference's fast variant."""
    if not fast:
        return ByHand(subject, parameters)
    training: Any = subject.fast()(parameters, batch)
    result: Stepper = training
    return result
