"""Two functions' work in one: a slip at a tensor on the way back from what arrives to the gradient that is asked for.

A formula "in one go" passes tensors of the forward pass that nobody asks a gradient of. Here the gradient of one of
them is changed on its way: scaled, passed on unchanged, without a factor, with one too many.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.diagnosis.branches import factors_of
from graders.diagnosis.fitting import Candidate, Change, Hypothesis, expands, fits, tensors
from graders.diagnosis.hypotheses.operands import exchanged
from graders.oracle.trial import Diagnosis, Trial


def explain_ways(trials: Sequence[Trial]) -> Diagnosis | None:
    """A slip at one tensor on the way; the tensors nearest to the target come last."""
    if any(t.answer is None or t.answer.shape != t.expected.shape for t in trials):
        return None
    between = _between(trials[-1])
    return _through_one(between, trials) or _changed(between, trials)


def _between(trial: Trial) -> list[str]:
    """Names of the forward pass through which something reaches the target, and for which nothing is handed in."""
    found = []
    for name in trial.oracle.unwatched:
        without = trial.oracle.changed_on_the_way(trial.target, {name: torch.zeros_like})
        if not torch.equal(without, trial.expected):
            found.append(name)
    return found


def _through_one(between: Sequence[str], trials: Sequence[Trial]) -> Diagnosis | None:
    """What comes through one tensor has a factor, the rest is right."""
    for name in between:
        phrases = factors_of(_with_and_without(name, trials))
        if not phrases or set(phrases) != {"through", "rest"} or phrases["rest"] != "1" or phrases["through"] == "1":
            continue
        if phrases["through"] == "0":
            return Diagnosis("missing branch", f"what should come through {name} is missing; the rest is right")
        if factors.is_plain(phrases["through"]):
            _, said = factors.describe(phrases["through"], "what it should be", trials[0].oracle.sizes)
            return Diagnosis(
                "branch factor", f"what comes through {name} {said.removeprefix('it ')}; the rest is right"
            )
    return None


def _with_and_without(name: str, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Mapping[str, Tensor]]]:
    for t in reversed(trials):
        rest = t.oracle.changed_on_the_way(t.target, {name: torch.zeros_like})
        yield t, {"through": t.expected - rest, "rest": rest}


def _changed(between: Sequence[str], trials: Sequence[Trial]) -> Diagnosis | None:
    for hypothesis in _hypotheses(between, trials[-1]):
        phrase = fits(hypothesis, trials)
        if phrase is not None and factors.is_plain(phrase):
            return Diagnosis(hypothesis.cause, hypothesis.sentence(phrase))
    return None


def _hypotheses(between: Sequence[str], trial: Trial) -> Iterator[Hypothesis]:
    values = trial.oracle.values
    arriving = [name for name in (*trial.oracle.consumers(trial.target), *between) if name != "loss"]
    for name in (*between, trial.target):
        for above in arriving:
            if above != name and values[above].shape == values[name].shape:
                what = f"what comes out when d{above} arrives at {name} unchanged"
                passed = _from(above, lambda t, gradient: gradient) if name == trial.target else _passed_on(above, name)
                yield Hypothesis("upstream passed through", what, passed)
    for name in between:
        yield from _last_step(name, trial)
    for one, other in itertools.combinations(between, 2):
        what = f"what comes out when nothing comes back through {one} and {other}"
        yield Hypothesis("missing branch", what, _without(one, other))
    for name, result in trial.oracle.elementwise(trial.target):
        what = f"what comes out when the local derivative of {result} with respect to {name} enters twice"
        yield Hypothesis("extra factor", what, _slope_twice(result, name))
    for name in arriving:
        shape = values[name].shape
        yield Hypothesis(
            "upstream missing", f"what comes out when all of d{name} is 1", _at(name, lambda t, g: torch.ones_like(g))
        )
        for dim in range(len(shape) if len(shape) > 1 else 0):
            what = f"what comes out when d{name} is summed over dim {dim}, and broadcast again"
            yield Hypothesis("summed too much", what, _at(name, _summed(dim)))
        for factor, tensor in tensors(trial).items():
            if not expands(tensor.shape, shape):
                continue
            less = f"what comes out when d{name} is without a factor `{factor}`, or divided by it once too often"
            yield Hypothesis("missing factor", less, _at(name, _divided(factor)))
            more = f"what comes out when d{name} has a factor `{factor}` too many"
            yield Hypothesis("extra factor", more, _at(name, _times(factor)))
            for right in trial.oracle.saved_above(name):
                if right != factor and expands(values[right].shape, shape):
                    what = f"what comes out when d{name} has `{factor}` in a place of `{right}`"
                    yield Hypothesis("wrong operand", what, _at(name, exchanged(right, factor)))


def _last_step(name: str, trial: Trial) -> Iterator[Hypothesis]:
    """What arrives at a tensor above the target, times a tensor that need not be the right one."""
    arriving, expected = trial.oracle.values[name], trial.expected
    for other, tensor in tensors(trial).items():
        if expands(tensor.shape, arriving.shape) and expands(expected.shape, arriving.shape):
            what = f"d{name} times `{other}`, summed to the shape of {trial.target}"
            yield Hypothesis("wrong operand", what, _from(name, _product_summed(other)))
        if arriving.dim() == tensor.dim() == 2 and (tensor.shape[1], arriving.shape[1]) == expected.shape:
            yield Hypothesis("wrong operand", f"`{other}`.T @ d{name}", _from(name, _matrix_product(other)))


def _product_summed(other: str) -> Change:
    return lambda t, g: (g * t.oracle.values[other]).sum_to_size(t.expected.shape)


def _matrix_product(other: str) -> Change:
    return lambda t, g: t.oracle.values[other].T @ g


def _from(name: str, change: Change) -> Candidate:
    def candidate(t: Trial) -> Tensor | None:
        arrived: dict[str, Tensor] = {}
        t.oracle.changed_on_the_way(t.target, {name: _noted(arrived, name)})
        return change(t, arrived[name]) if name in arrived else None

    return candidate


def _without(one: str, other: str) -> Candidate:
    def candidate(t: Trial) -> Tensor:
        zero = {one: torch.zeros_like, other: torch.zeros_like}
        return t.oracle.changed_on_the_way(t.target, zero)

    return candidate


def _slope_twice(result: str, name: str) -> Candidate:
    def candidate(t: Trial) -> Tensor | None:
        arrived: dict[str, Tensor] = {}

        def again(gradient: Tensor) -> Tensor:
            return torch.where(gradient == 0, gradient, gradient * gradient / arrived[result])

        if name == t.target:
            came = t.oracle.changed_on_the_way(t.target, {result: _noted(arrived, result)})
            came = again(came)
        else:
            came = t.oracle.changed_on_the_way(t.target, {result: _noted(arrived, result), name: again})
        return came if torch.isfinite(came).all() else None

    return candidate


def _passed_on(above: str, name: str) -> Candidate:
    """What arrives at `above` arrives at `name`, which has the same shape."""

    def candidate(t: Trial) -> Tensor:
        arrived: dict[str, Tensor] = {}
        passed = {above: _noted(arrived, above), name: lambda gradient: arrived.get(above, gradient)}
        return t.oracle.changed_on_the_way(t.target, passed)

    return candidate


def _noted(arrived: dict[str, Tensor], name: str) -> Callable[[Tensor], None]:
    return lambda gradient: arrived.update({name: gradient})


def _at(name: str, change: Change) -> Candidate:
    def candidate(t: Trial) -> Tensor | None:
        came = t.oracle.changed_on_the_way(t.target, {name: lambda gradient: change(t, gradient)})
        return came if torch.isfinite(came).all() else None

    return candidate


def _summed(dim: int) -> Change:
    return lambda t, gradient: gradient.sum(dim, keepdim=True).expand(gradient.shape)


def _divided(factor: str) -> Change:
    return lambda t, gradient: gradient / t.oracle.values[factor]


def _times(factor: str) -> Change:
    return lambda t, gradient: gradient * t.oracle.values[factor]
