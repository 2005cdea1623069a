"""Three ways to take the same training steps: gradients by hand, by autograd, and the fast variant."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from graders.outcome import Outcome
from graders.student.accidents import accident
from graders.student.answer import Answer, ask
from graders.student.question import Question
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
        self.targets = tuple(gradient.target for gradient in subject.exercise.gradients)
        self.dtype = next(iter(parameters.values())).dtype

    def steps(self, X: Tensor, Y: Tensor, rates: Sequence[float]) -> Tensor:
        forward, parameters = self.subject.given("forward"), list(self.parameters.values())
        losses = []
        with torch.no_grad():
            for Xb, Yb, rate in zip(X.unbind(), Y.unbind(), rates, strict=True):
                values = forward(**self.parameters, Xb=Xb, Yb=Yb)
                answers = self._gradients(values)
                for parameter, answer in zip(parameters, answers, strict=True):
                    gradient = answer.tensor
                    if gradient is None:
                        raise TrainingError(self._fault(answer))
                    same = gradient.shape == parameter.shape
                    parameter.sub_(gradient if same else gradient.reshape(parameter.shape), alpha=rate)
                losses.append(values["loss"].item())
                del values, answers, gradient  # their memory serves the next step
        return torch.tensor(losses)

    def _gradients(self, values: dict[str, Any]) -> tuple[Answer, ...]:
        """One for each parameter. The function is given the values themselves: it is asked too often for copies."""
        question = Question("", self.targets, values, several=True, dtype=self.dtype)
        return ask(self.subject.gradients, question, self._attempt, copy=False)

    def _attempt(self, action: Callable[[], Any]) -> Any:
        """Without a clock: whoever trains sees how fast it goes, and has Ctrl-C."""
        try:
            return action()
        except Exception as error:
            return accident(error, self.subject.kit.path)

    def _fault(self, answer: Answer) -> str:
        """Why there is no gradient in the middle of training, with the student's own lines."""
        path, function = self.subject.kit.path, self.subject.exercise.gradients[0].function
        where = f"{path}:{answer.line}" if answer.line else str(path)
        what = f"{function} {answer.reason}" if answer.outcome is Outcome.BAD_OUTPUT else str(answer.reason)
        return "\n".join([f"{where}: {what}", *(f"  {frame}" for frame in answer.frames)])


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
    training: Stepper = subject.fast()(parameters, batch)
    return training
