"""What autograd says: the true gradients, the answer to random upstream gradients, and each branch of it.

One forward pass answers everything. A vector-Jacobian product is taken between a watched tensor and its
consumers, the nearest watched tensors above it; hooks on the watched tensors replace whatever gradient
arrives there by the upstream gradient that was asked about, so nothing further away leaks in.
"""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graders.exercise.cases import PUBLIC_SEED, Case, cases
from graders.exercise.forward import run_forward
from graders.exercise.mistake import ExerciseError
from graders.exercise.module import Exercise
from graders.oracle.edges import edges_by_target, operation_name

SAVED = ("_saved_self", "_saved_other", "_saved_mat1", "_saved_mat2", "_saved_result")
FROM_RESULT = ("exp", "pow", "sqrt", "rsqrt", "tanh", "sigmoid")  # derivatives that can be told by the result

ELEMENTWISE = {*FROM_RESULT, "log", "relu", "gelu", "silu"}


@dataclass(frozen=True)
class Branch:
    """What one edge of the autograd graph contributes to a gradient: through which tensor, by which operation."""

    through: str
    operation: str
    contribution: Tensor


class Oracle:
    """The forward pass of one case, and autograd's answers to every question about it.

    `values` are the detached tensors and numbers of the forward pass, `upstream` a random gradient for every watched
    tensor (1 for the loss). Raises ExerciseError where the forward pass is not one that can be graded.
    """

    def __init__(self, exercise: Exercise, case: Case, dtype: torch.dtype = torch.float64):
        self.case = case
        rng = torch.Generator().manual_seed(case.seed)
        self._tensors = run_forward(exercise, case, rng, dtype)
        self.watched = exercise.watched
        self._loss: Tensor = self._tensors["loss"]
        self.sizes = {**exercise.sizes, **{k: v for k, v in case.keywords.items() if k in exercise.sizes}}
        self.values = {k: v.detach() if isinstance(v, Tensor) else v for k, v in self._tensors.items()}
        self._edges = edges_by_target(exercise, self._tensors, self.watched)
        self._consumers = {
            name: tuple(dict.fromkeys(through for _, _, names in edges for through in names))
            for name, edges in self._edges.items()
        }
        self._check_asked_gradients(exercise)
        self.upstream = {
            name: torch.randn(self.values[name].shape, generator=rng, dtype=torch.float64).to(dtype)
            for name in self.watched
        } | {"loss": torch.ones((), dtype=dtype)}
        self._arriving: Mapping[str, Tensor] | None = None
        self._arrived: dict[str, Tensor] = {}
        self._target = ""
        self._branches: dict[str, list[Branch]] = {}
        me = weakref.ref(self)  # hooks that held it would keep it for ever: torch's side of the circle is not collected
        for name in self.watched:
            self._tensors[name].register_hook(lambda gradient, name=name: me()._replace(name, gradient))  # type: ignore[union-attr]

    def _check_asked_gradients(self, exercise: Exercise) -> None:
        for gradient in exercise.gradients:
            direct = self.consumers(gradient.target)
            for asked in set(gradient.asks_for_gradients()) - set(direct):
                what = f"{gradient.name} asks for `d{asked}`, which does not arrive at `{gradient.target}`"
                remedy = f"ask for {', '.join(f'd{name}' for name in direct)}."
                raise ExerciseError(exercise.path, gradient.line, what, remedy)

    def _replace(self, name: str, gradient: Tensor) -> Tensor:
        if self._arriving is None:
            return gradient
        self._arrived[name] = gradient
        return gradient if name == self._target else self._arriving.get(name, gradient)

    def consumers(self, target: str) -> tuple[str, ...]:
        """The watched tensors (or 'loss') that `target` reaches first: whose gradients it is computed from."""
        return self._consumers[target]

    @cached_property
    def true_gradients(self) -> dict[str, Tensor]:
        """dL/d<name> for every watched name, end to end."""
        tensors = [self._tensors[name] for name in self.watched]
        gradients = torch.autograd.grad(self._loss, tensors, retain_graph=True)
        return dict(zip(self.watched, gradients, strict=True))

    def vjp(self, target: str, upstream: Mapping[str, Tensor] | None = None) -> Tensor:
        """The gradient of `target`, were `upstream` (random by default) to arrive at its consumers.

        Linear in the upstream gradients; the shape and dtype are those of `target`.
        """
        consumers = self.consumers(target)
        # What arrives at a consumer is replaced, so any scalar above it will do to begin with (and giving autograd.grad
        # a tensor to begin with makes it import half a second's worth of modules).
        with torch.enable_grad():
            heads = [self._loss if name == "loss" else self._tensors[name].sum() for name in consumers]
        return self._cut_pass({**self.upstream, **(upstream or {})}, heads, [target], target)[target]

    @cached_property
    def unwatched(self) -> tuple[str, ...]:
        """Tensors of the forward pass between others, whose gradients nobody asks for, the last ones first."""
        inner = (name for name, tensor in self._tensors.items() if isinstance(tensor, Tensor) and tensor.grad_fn)
        return tuple(name for name in reversed(list(inner)) if name not in self.watched and name != "loss")

    def changed_on_the_way(self, target: str, changes: Mapping[str, Callable[[Tensor], Tensor | None]]) -> Tensor:
        """The gradient of `target`, were these changes made to the gradients of other tensors on the way back to it."""
        hooks = [self._tensors[name].register_hook(change) for name, change in changes.items()]
        try:
            return self.vjp(target)
        finally:
            for hook in hooks:
                hook.remove()

    def elementwise(self, target: str) -> list[tuple[str, str]]:
        """Pairs of names: a tensor between others, or the target, and what an elementwise function makes of it."""
        grad_fns = {t.grad_fn: n for n, t in self._tensors.items() if isinstance(t, Tensor) and t.grad_fn}
        found = []
        for node, result in grad_fns.items():
            argument = node.next_functions[0][0] if operation_name(node) in ELEMENTWISE else None
            below = grad_fns.get(argument) if argument else None
            if below and (below in self.unwatched or below == target):
                found.append((below, result))
        return found

    def saved_above(self, name: str) -> list[str]:
        """Names of the tensors that the local derivatives right above a tensor are made of."""
        return self._saved_above.get(name, [])

    @cached_property
    def _saved_above(self) -> dict[str, list[str]]:
        named = {n: t for n, t in self.values.items() if isinstance(t, Tensor) and t.is_floating_point()}
        grad_fns = {t.grad_fn: n for n, t in self._tensors.items() if isinstance(t, Tensor) and t.grad_fn}
        found: dict[str, list[str]] = {}
        for node in grad_fns:
            saved = [t for t in (getattr(node, a, None) for a in SAVED) if isinstance(t, Tensor)]
            names = [n for n, v in named.items() for t in saved if v.shape == t.shape and torch.equal(v, t)]
            for below, _ in node.next_functions:
                if below in grad_fns:
                    found.setdefault(grad_fns[below], []).extend(names)
        return found

    def _cut_pass(
        self, arriving: Mapping[str, Tensor], heads: list[Tensor], wanted: Sequence[str], target: str = ""
    ) -> dict[str, Tensor]:
        """A backward pass cut at every watched tensor: what arrives there is noted, `arriving` goes on instead."""
        self._arriving, self._arrived, self._target = arriving, {}, target
        try:
            torch.autograd.grad(heads, [self._tensors[name] for name in wanted], retain_graph=True)
            return self._arrived
        finally:
            self._arriving, self._arrived, self._target = None, {}, ""

    @cached_property
    def _all_expected(self) -> dict[str, Tensor]:
        """One pass gives every answer: what arrives at a tensor has come from its consumers and no further."""
        return self._cut_pass(self.upstream, [self._loss], self.watched)

    def expected(self, target: str) -> Tensor:
        """`vjp(target)` for the random upstream gradients: what the right answer is."""
        return self._all_expected[target]

    def scale(self, target: str) -> float:
        """What differences are relative to: the largest expected entry.

        A gradient that is zero but for rounding, as that of a bias in front of batch norm, has no scale of its own and
        takes that of the others: b1's entries of 1e-17 beside gradients of 0.1.
        """
        own = self._largest[target]
        if self.consumers(target) != ("loss",):
            return own
        others = max(self._largest[name] for name in self.watched if self.consumers(name) == ("loss",))
        return others if own < 64 * torch.finfo(self._loss.dtype).eps * others else own

    @cached_property
    def _largest(self) -> dict[str, float]:
        return {name: _largest(self.expected(name)) for name in self.watched}

    def branches(self, target: str, upstream: Mapping[str, Tensor] | None = None) -> list[Branch]:
        """The contributions that add up to `vjp(target, upstream)`, one an edge of the graph that ends in `target`."""
        if upstream:
            return self._branches_of(target, upstream)
        if target not in self._branches:
            self._branches[target] = self._branches_of(target, {})
        return self._branches[target]

    def _branches_of(self, target: str, upstream: Mapping[str, Tensor]) -> list[Branch]:
        caught: dict[int, Tensor] = {}
        hooks = []
        for number, (node, slot, _) in enumerate(self._edges[target]):

            def catch(arrived: Iterable[Tensor], _: object, number: int = number, slot: int = slot) -> None:
                caught[number] = tuple(arrived)[slot].clone()

            hooks.append(node.register_hook(catch))
        self.vjp(target, upstream)
        for hook in hooks:
            hook.remove()
        return [
            Branch(" and ".join(names), operation_name(node), caught[number])
            for number, (node, _, names) in enumerate(self._edges[target])
            if number in caught
        ]

    def operations(self, target: str) -> set[str]:
        """The operations that use `target`: 'mul', 'index', 'sum', ..."""
        return {operation_name(node) for node, _, _ in self._edges[target]}

    def operands(self, target: str) -> list[Tensor]:
        """What the local derivatives right above `target` are made of: tensors that autograd saved, and results."""
        found = []
        for node, _, names in self._edges[target]:
            saved = [getattr(node, attribute, None) for attribute in SAVED]
            found += [t.detach() for t in saved if isinstance(t, Tensor) and t.is_floating_point()]
            if operation_name(node) in FROM_RESULT:
                found += [self.values[name] for name in names]
        return found


def _largest(tensor: Tensor) -> float:
    return tensor.abs().max().item() if tensor.numel() else 0.0


class Oracles:
    """The oracles of an exercise's cases, made when they are first asked for.

    Those of PUBLIC_SEED are the public cases, which `pytest exercises/` shows; secret ones have another seed.
    """

    def __init__(self, exercise: Exercise, seed: int = PUBLIC_SEED):
        self.exercise, self.seed, self._cases = exercise, seed, cases(exercise, seed)

    @cached_property
    def all(self) -> list[Oracle]:
        """One a case, in float64; the lecture's sizes first."""
        return [Oracle(self.exercise, case) for case in self._cases]

    @cached_property
    def lecture(self) -> Oracle:
        """The lecture's case in the lecture's float32."""
        return Oracle(self.exercise, self._cases[0], torch.float32)
