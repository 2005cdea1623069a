"""An exercise's forward pass: run once, with leaves to differentiate by and a loss to begin from."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from graders.exercise.cases import Case
from graders.exercise.module import Exercise, ExerciseError


@torch.enable_grad()  # a notebook may have turned it off
def run_forward(exercise: Exercise, case: Case, rng: torch.Generator, dtype: torch.dtype) -> dict[str, Any]:
    """Every value that forward() names, with the graph to `loss`. Float inputs are leaves of `dtype`.

    Raises ExerciseError where the forward pass is not one that can be graded.
    """
    inputs = {name: _leaf(value, dtype) for name, value in exercise.inputs(rng, **case.keywords).items()}
    values = dict(exercise.forward(**inputs))
    _check(exercise, values)
    return values


def _leaf(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().to(dtype).clone().requires_grad_()
    return value


def _check(exercise: Exercise, values: dict[str, Any]) -> None:
    loss = values.get("loss")
    if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.grad_fn is None:
        line = exercise.forward.__code__.co_firstlineno
        what = "forward() gives no `loss` that depends on the inputs"
        raise ExerciseError(exercise.path, line, what, "compute a single number named loss and `return locals()`.")
    for gradient in exercise.gradients:
        tensor = values.get(gradient.target)
        if not isinstance(tensor, Tensor) or not tensor.requires_grad:
            what = f"{gradient.name}: the forward pass has no differentiable tensor `{gradient.target}`"
            remedy = "name the function d<name> after a tensor of forward(), or name that tensor there."
            raise ExerciseError(exercise.path, gradient.line, what, remedy)
    for gradient in exercise.gradients:
        for name in gradient.parameters:
            if name not in values and not (name[1:] in values and name.startswith("d")):
                what = f"{gradient.name} asks for `{name}`, which the forward pass does not have"
                remedy = "ask for names of forward(), or for d<name> of one of them."
                raise ExerciseError(exercise.path, gradient.line, what, remedy)


class _Double(TorchFunctionMode):
    """Every request for float32 is served in float64."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in (kwargs or {}).items()}
        return function(*args, **kwargs)


@contextlib.contextmanager
def in_double() -> Iterator[None]:
    """Run code that was written for float32 in float64: torch.zeros, torch.tensor, .float() and their like.

    The formula is what is checked, so `F.one_hot(x).float() @ y` must not fail because y is float64 here.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _Double():
            yield
    finally:
        torch.set_default_dtype(before)
