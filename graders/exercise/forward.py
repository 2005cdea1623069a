"""An exercise's forward pass: run once, with leaves to differentiate by and a loss to begin from."""

import ast
import contextlib
import difflib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from graders.exercise.cases import Case
from graders.exercise.mistake import ExerciseError, Mistakes
from graders.exercise.module import Exercise, functions_of
from graders.words import Code, Reason, reason


@torch.enable_grad()  # a notebook may have turned it off
def run_forward(exercise: Exercise, case: Case, rng: torch.Generator, dtype: torch.dtype) -> dict[str, Any]:
    """Every value that forward() names, with the graph to `loss`. Float inputs are leaves of `dtype`.

    Raises ExerciseError where the forward pass is not one that can be graded, with all that is amiss.
    """
    given = exercise.inputs(rng, **case.keywords)
    if not isinstance(given, dict):
        what = f"inputs() returns {_kind(given)}, not values by name"
        raise ExerciseError(exercise.path, line_of(exercise, "inputs"), what, "end it with `return dict(x=x, ...)`.")
    values = exercise.forward(**{name: _leaf(value, dtype) for name, value in given.items()})
    if not isinstance(values, dict):
        what = f"forward() returns {_kind(values)}, not its tensors by name"
        raise ExerciseError(exercise.path, line_of(exercise, "forward"), what, "end it with `return locals()`.")
    values = dict(values)
    _check(exercise, values)
    return values


def _leaf(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().to(dtype).clone().requires_grad_()
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def line_of(exercise: Exercise, function: str, name: str = "") -> int:
    """Where a function of the module stands, or where it first gives `name` a value; 1 where neither is known."""
    found = next((f for f in functions_of(ast.parse(exercise.text)) if f.name == function), None)
    if found is None:
        return 1
    stored = [n.lineno for n in ast.walk(found) if isinstance(n, ast.Name) and n.id == name]
    return min(stored, default=found.lineno)


def _check(exercise: Exercise, values: dict[str, Any]) -> None:
    mistakes = Mistakes()
    add = functools.partial(mistakes.add, exercise.path)
    _check_loss(exercise, values, mistakes)
    for name, value in values.items():
        if value is not None and not isinstance(value, Tensor | bool | int | float | str):
            what = f"forward() names a {type(value).__name__}: `{name}` is no tensor, number or text"
            remedy = f"make one tensor of it (torch.stack), or `del {name}` before `return locals()`."
            add(line_of(exercise, "forward", name), what, remedy)
    tensors = [name for name, value in values.items() if isinstance(value, Tensor) and value.requires_grad]
    for gradient in exercise.gradients:
        if gradient.target not in tensors:
            close = difflib.get_close_matches(gradient.target, tensors, 1)
            what = f"{gradient.name}: the forward pass has no differentiable tensor `{gradient.target}`"
            remedy = "name the function d<name> after a tensor of forward(), or name that tensor there."
            add(gradient.line, f"{what}: did you mean `{close[0]}`?" if close else what, remedy)
        for name in gradient.parameters:
            if name not in values and not (name[1:] in values and name.startswith("d")):
                remedy = "ask for names of forward(), or for d<name> of one of them."
                add(gradient.line, f"{gradient.name} {unknown_name(name, values)}", remedy)
    mistakes.refuse()


def _check_loss(exercise: Exercise, values: dict[str, Any], mistakes: Mistakes) -> None:
    loss = values.get("loss")
    if not isinstance(loss, Tensor):
        what = "forward() gives no `loss`" if loss is None else f"the `loss` of forward() is a {type(loss).__name__}"
    elif loss.numel() != 1:
        what = f"the `loss` of forward() has shape {tuple(loss.shape)}: it is no single number"
    elif loss.grad_fn is None:
        what = "the `loss` of forward() does not depend on the inputs: it has no gradient"
    else:
        return
    remedy = "compute a single number named loss from the inputs, and `return locals()`."
    mistakes.add(exercise.path, line_of(exercise, "forward", "loss"), what, remedy)


def unknown_name(name: str, offered: Iterable[str]) -> Reason:
    """What is said of a name that is asked for and that there is not, to a student and to an author."""
    close = difflib.get_close_matches(name, offered, 1)
    return reason(Code.UNKNOWN_NAME, name=name, close=close[0] if close else None)


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
