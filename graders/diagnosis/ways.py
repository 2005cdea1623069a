"""Two functions' work in one: a slip at a tensor on the way back from what arrives to the gradient that is asked for.

A formula "in one go" passes tensors of the forward pass that nobody asks a gradient of. Here the gradient of one of
them is changed on its way: scaled, passed on unchanged, without a factor, with one too many.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.diagnosis.branches import factors_of
from graders.diagnosis.fitting import Hypothesis, expands, fits, tensors
from graders.oracle.trial import Diagnosis, Trial

Change = Callable[[Trial, Tensor], Tensor | None]


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
        without = trial.oracle.changed_on_the_way(trial.target, name, torch.zeros_like)
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
            cause, said = factors.describe(phrases["through"], "what it should be", trials[0].oracle.sizes)
            return Diagnosis("branch factor", f"what comes through {name} {said.removeprefix('it ')}; the rest is right")
    return None


def _with_and_without(name: str, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Mapping[str, Tensor]]]:
    for t in reversed(trials):
        rest = t.oracle.changed_on_the_way(t.target, name, torch.zeros_like)
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
                what = f"what comes out when {name} gets d{above} unchanged"
                yield Hypothesis("upstream passed through", what, _passed_on(above, name))
    for name in arriving:
        shape = values[name].shape
        yield Hypothesis("upstream missing", f"what comes out when all of d{name} is 1", _at(name, lambda t, g: torch.ones_like(g)))
        for dim in range(len(shape) if len(shape) > 1 else 0):
            what = f"what comes out when d{name} is summed over dim {dim}, and broadcast again"
            yield Hypothesis("summed too much", what, _at(name, _summed(dim)))
        for factor, tensor in tensors(trial).items():
            if expands(tensor.shape, shape):
                less = f"what comes out when d{name} is without a factor `{factor}`, or divided by it once too often"
                yield Hypothesis("missing factor", less, _at(name, _divided(factor)))
                more = f"what comes out when d{name} has a factor `{factor}` too many"
                yield Hypothesis("extra factor", more, _at(name, _times(factor)))


def _at(name: str, change: Change) -> Callable[[Trial], Tensor | None]:
    def candidate(t: Trial) -> Tensor | None:
        came = t.oracle.changed_on_the_way(t.target, name, lambda gradient: change(t, gradient))
        return came if torch.isfinite(came).all() else None

    return candidate


def _passed_on(above: str, name: str) -> Callable[[Trial], Tensor | None]:
    return lambda t: t.oracle.passed_on(t.target, above, name)


def _summed(dim: int) -> Change:
    return lambda t, gradient: gradient.sum(dim, keepdim=True).expand(gradient.shape)


def _divided(factor: str) -> Change:
    return lambda t, gradient: gradient / t.oracle.values[factor]


def _times(factor: str) -> Change:
    return lambda t, gradient: gradient * t.oracle.values[factor]
