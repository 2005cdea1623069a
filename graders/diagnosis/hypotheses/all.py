"""Candidates for a wrong gradient, from the autograd graph and the forward values alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis
from graders.diagnosis.hypotheses.lookups import repeated_rows
from graders.oracle.trial import Trial


def of_shape(trial: Trial) -> Iterator[list[Hypothesis]]:
    """Right values in a wrong shape: permuted, reshaped, summed once too often."""
    name, dims = trial.target, range(trial.expected.dim())
    others = [other for other in trial.oracle.watched if other != name]
    wrong_target = "it is the gradient of `{}`, not of `{}`"
    yield [Hypothesis("wrong target", wrong_target.format(other, name), _true_gradient(other)) for other in others]
    broadcast = f"it must be broadcast: every entry of {name} has a gradient, though many are alike"
    yield [Hypothesis("not broadcast", broadcast, _not_broadcast)]
    transposed = f"it is the gradient transposed: {name} is indexed the other way round"
    orders = [order for order in itertools.permutations(dims) if order != tuple(dims)]
    yield [Hypothesis("transposed", transposed, _permuted(order)) for order in orders]
    reshaped = f"the numbers are right, the shape is not: reshape them to the shape of {name}"
    yield [Hypothesis("not reshaped", reshaped, _not_reshaped)]
    summed = f"it is summed over dim {{}}, and should not be: every entry of {name} has a gradient of its own"
    yield [
        Hypothesis("summed too much", summed.format(", ".join(map(str, chosen))), _summed(chosen, keep))
        for size in dims
        for chosen in itertools.combinations(dims, size + 1)
        for keep in (False, True)
    ]


def _not_broadcast(t: Trial) -> Tensor | None:
    answer = t.answer
    fits = answer is not None and torch.allclose(answer.expand(t.expected.shape), t.expected, rtol=1e-6)
    return answer if fits else None


def _not_reshaped(t: Trial) -> Tensor | None:
    if t.answer is None or t.answer.numel() != t.expected.numel():
        return None
    return t.expected.reshape(t.answer.shape)


def _permuted(order: tuple[int, ...], reshaped: bool = False) -> Candidate:
    return lambda t: t.expected.permute(order).reshape(t.expected.shape) if reshaped else t.expected.permute(order)


def _summed(dims: tuple[int, ...], keepdim: bool) -> Candidate:
    return lambda t: t.expected.sum(dims, keepdim=keepdim)


def of_values(trial: Trial) -> Iterator[list[Hypothesis]]:
    """Groups of hypotheses, the most human first; those of one group that fit are named together."""
    consumers = [c for c in trial.oracle.consumers(trial.target) if c != "loss"]
    operands = _named_operands(trial)
    yield from _upstream_used_wrongly(trial, consumers)
    yield _missing_factor(operands, consumers)
    yield from _passed_through(trial, consumers)
    yield from ([h] for h in repeated_rows(trial))
    yield _another_tensor(trial)
    yield _reordered(trial)
    yield _wrong_operand(trial, operands, consumers) + _extra_factor(trial, consumers)


def of_scale(trial: Trial) -> Hypothesis:
    """The right gradient, but for a constant."""
    return Hypothesis("constant factor", "", lambda t: t.expected, f"the gradient of {trial.target}")


def _vjp(changed: str, change: Callable[[Trial, Tensor], Tensor | None]) -> Candidate:
    """The gradient, were `change(upstream)` to arrive at the consumer `changed`."""

    def candidate(trial: Trial) -> Tensor | None:
        upstream = change(trial, trial.oracle.upstream[changed])
        if upstream is None or upstream.shape != trial.oracle.upstream[changed].shape:
            return None
        return trial.oracle.vjp(trial.target, {changed: upstream})

    return candidate


def _reduced(tensor: Tensor, shape: torch.Size) -> Tensor | None:
    """`tensor` summed, or broadcast, to `shape`; None where neither fits."""
    try:
        return tensor.sum_to_size(*shape) if tensor.dim() >= len(shape) else tensor.expand(shape)
    except RuntimeError:
        try:
            return tensor.expand(shape)
        except RuntimeError:
            return None


def _upstream_used_wrongly(trial: Trial, consumers: list[str]) -> Iterator[list[Hypothesis]]:
    """The upstream gradient forgotten, used twice, or exchanged for another."""
    for c in consumers:
        missing = f"the upstream gradient d{c} does not enter: the chain rule multiplies the local derivative by it"
        ones = _vjp(c, lambda _, upstream: torch.ones_like(upstream))
        yield [Hypothesis("upstream missing", missing, ones)]
        squared = _vjp(c, lambda _, upstream: upstream * upstream)
        yield [Hypothesis("upstream twice", f"d{c} is multiplied in twice", squared)]
    for a, b in itertools.combinations(consumers, 2):

        def swapped(t: Trial, a: str = a, b: str = b) -> Tensor | None:
            given = t.oracle.upstream
            same = given[a].shape == given[b].shape
            return t.oracle.vjp(t.target, {a: given[b], b: given[a]}) if same else None

        yield [Hypothesis("wrong operand", f"d{a} and d{b} have changed places", swapped)]


def _passed_through(trial: Trial, consumers: list[str]) -> Iterator[list[Hypothesis]]:
    """The upstream gradient passed on unchanged, in all of the answer or in one branch of it."""
    name = trial.target
    for c in consumers:
        lost = f"the local derivative of {c} with respect to {name} is missing"
        unchanged = lambda t, c=c: _reduced(t.oracle.upstream[c], t.expected.shape)  # noqa: E731
        branch = lambda t, c=c: _swap_branch(t, c, _reduced(t.oracle.upstream[c], t.expected.shape))  # noqa: E731
        yield [Hypothesis("upstream passed through", f"it is d{c} passed on unchanged: {lost}", unchanged)]
        in_branch = f"in the branch through {c}, d{c} is passed on unchanged: {lost} there"
        yield [Hypothesis("upstream passed through", in_branch, branch)]


def _swap_branch(trial: Trial, consumer: str, instead: Tensor | None) -> Tensor | None:
    if instead is None or len(trial.oracle.consumers(trial.target)) < 2:
        return None
    silent = {consumer: torch.zeros_like(trial.oracle.upstream[consumer])}
    return trial.oracle.vjp(trial.target, silent) + instead


def _another_tensor(trial: Trial) -> list[Hypothesis]:
    """The gradient of something else, one step too far along, or a forward value returned as it is."""
    name, found = trial.target, []
    for other in trial.oracle.watched:
        if other == name:
            continue
        message = f"it is the gradient of `{other}`, not of `{name}`"
        found.append(Hypothesis("wrong target", message, _true_gradient(other)))
        if name in trial.oracle.consumers(other):
            further = f"it goes one step too far, through `{other}` as well"
            found.append(Hypothesis("wrong target", further, _one_step_further(other)))
    for value in _tensors(trial):
        message = f"it is `{value}` from the forward pass, a value and no gradient"
        found.append(Hypothesis("upstream missing", message, _forward_value(value)))
    return found


def _true_gradient(name: str) -> Candidate:
    return lambda t: t.oracle.true_gradients()[name]


def _one_step_further(name: str) -> Candidate:
    return lambda t: t.oracle.vjp(name, {t.target: t.expected})


def _forward_value(name: str) -> Candidate:
    return lambda t: t.oracle.values[name]


def _reordered(trial: Trial) -> list[Hypothesis]:
    """The right numbers in another order: reshaped where a transpose belongs, or the other way round."""
    dims = range(trial.expected.dim())
    message = "the numbers are right, but in another order: reshape and transpose are not the same"
    orders = [order for order in itertools.permutations(dims) if order != tuple(dims)]
    return [Hypothesis("transposed", message, _permuted(order, reshaped=True)) for order in orders] + [
        Hypothesis("transposed", message, _reread(order)) for order in orders
    ]


def _reread(order: tuple[int, ...]) -> Candidate:
    """The entries read into the permuted shape, then permuted back."""

    def candidate(t: Trial) -> Tensor | None:
        shape = [t.expected.shape[d] for d in order]
        back = [order.index(d) for d in range(len(order))]
        return t.expected.reshape(shape).permute(back)

    return candidate


def _named_operands(trial: Trial) -> list[str]:
    """Forward names of the tensors that the local derivative is made of."""
    tensors = _tensors(trial)
    saved = [
        name
        for operand in trial.oracle.operands(trial.target)
        for name, tensor in tensors.items()
        if tensor.shape == operand.shape and torch.equal(tensor, operand)
    ]
    return list(dict.fromkeys(saved))


def _wrong_operand(trial: Trial, operands: list[str], consumers: list[str]) -> list[Hypothesis]:
    """Another tensor of the forward pass in the place of a factor."""
    found = []
    for right, other in itertools.product(operands, _tensors(trial)):
        if other == right:
            continue
        message = f"`{other}` stands where `{right}` belongs"
        for c in consumers:
            ratio = lambda t, u, o=other, r=right: _times(u, t.oracle.values[o] / t.oracle.values[r])  # noqa: E731
            product = lambda t, o=other, r=right, c=c: _matrix_product(t, c, r, o)  # noqa: E731
            found.append(Hypothesis("wrong operand", message, _vjp(c, ratio)))
            found.append(Hypothesis("wrong operand", message, product))
    return found


def _matrix_product(trial: Trial, consumer: str, right: str, other: str) -> Tensor | None:
    """The gradient of a matrix product's operand, with `other` in the place of the operand `right`."""
    values, upstream, shape = trial.oracle.values, trial.oracle.upstream[consumer], trial.expected.shape
    if upstream.dim() != 2 or values[right].dim() != 2 or len(shape) != 2:
        return None
    products: list[Callable[[Tensor], Tensor]] = [lambda m: m.T @ upstream, lambda m: upstream @ m.T]
    for product in products:
        try:
            if torch.allclose(product(values[right]), trial.expected, rtol=1e-9):
                return product(values[other])
        except RuntimeError:
            continue
    return None


def _missing_factor(operands: list[str], consumers: list[str]) -> list[Hypothesis]:
    """One of the factors of the local derivative is not there (or divides once too often)."""
    found = []
    for factor, c in itertools.product(operands, consumers):
        where = f" in the branch through {c}" if len(consumers) > 1 else ""
        message = f"a factor `{factor}` is missing{where}, or it divides once too often"
        over = lambda t, u, f=factor: _times(u, 1 / t.oracle.values[f])  # noqa: E731
        found.append(Hypothesis("missing factor", message, _vjp(c, over)))
    return found


def _extra_factor(trial: Trial, consumers: list[str]) -> list[Hypothesis]:
    """A tensor multiplied in that does not belong, inside the sums or outside."""
    found = []
    for factor in _tensors(trial):
        for c in consumers:
            where = f" in the branch through {c}" if len(consumers) > 1 else ""
            times = lambda t, u, f=factor: _times(u, t.oracle.values[f])  # noqa: E731
            found.append(Hypothesis("extra factor", f"a factor `{factor}` is too many{where}", _vjp(c, times)))
        outside = lambda t, f=factor: _times(t.expected, t.oracle.values[f])  # noqa: E731
        found.append(Hypothesis("extra factor", f"a factor `{factor}` is too many", outside))
    return found


def _times(tensor: Tensor, factor: Tensor) -> Tensor | None:
    try:
        product = tensor * factor
    except RuntimeError:
        return None
    return product if product.shape == tensor.shape and torch.isfinite(product).all() else None


def _tensors(trial: Trial) -> dict[str, Tensor]:
    """Float tensors of the forward pass, each value once (an alias would be a tie with itself)."""
    found: dict[str, Tensor] = {}
    for name, value in trial.oracle.values.items():
        if isinstance(value, Tensor) and value.is_floating_point() and value.dim():
            if not any(value.shape == v.shape and torch.equal(value, v) for v in found.values()):
                found[name] = value
    return found
