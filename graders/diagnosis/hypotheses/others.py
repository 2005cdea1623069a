"""Hypotheses that it is something else altogether: the gradient of another tensor, or no gradient but a value."""

from graders.diagnosis.fitting import Candidate, Hypothesis, tensors
from graders.oracle.trial import Trial


def wrong_target(trial: Trial) -> list[Hypothesis]:
    """The gradient of another tensor."""
    return [_gradient_of(other, trial.target) for other in _others(trial)]


def another_tensor(trial: Trial) -> list[Hypothesis]:
    """The gradient of something else, one step too far along, or a forward value returned as it is."""
    found = []
    for other in _others(trial):
        found.append(_gradient_of(other, trial.target))
        if trial.target in trial.oracle.consumers(other):
            further = f"what comes out one step further back, at `{other}`"
            found.append(Hypothesis("wrong target", further, _one_step_further(other)))
    for value in tensors(trial):
        what = f"`{value}` from the forward pass, a value and no gradient"
        found.append(Hypothesis("upstream missing", what, _forward_value(value)))
    return found


def _others(trial: Trial) -> list[str]:
    return [name for name in trial.oracle.watched if name != trial.target]


def _gradient_of(other: str, name: str) -> Hypothesis:
    what = f"the gradient of `{other}`, not of `{name}`"
    return Hypothesis("wrong target", what, lambda t: t.oracle.true_gradients[other])


def _one_step_further(name: str) -> Candidate:
    return lambda t: t.oracle.vjp(name, {t.target: t.expected})


def _forward_value(name: str) -> Candidate:
    return lambda t: t.oracle.values[name]
