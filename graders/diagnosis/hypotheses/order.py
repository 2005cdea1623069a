"""Hypotheses on the order of the entries: transposed, not reshaped, reshaped where a transpose belongs."""

import itertools
from collections.abc import Iterator

from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis
from graders.oracle.trial import Trial

Order = tuple[int, ...]


def transposed(trial: Trial) -> list[Hypothesis]:
    """The right numbers, their dimensions in another order."""
    message = f"it is the gradient transposed: {trial.target} is indexed the other way round"
    return [Hypothesis("transposed", message, _permuted(order)) for order in _orders(trial)]


def not_reshaped(trial: Trial) -> Hypothesis:
    """The right numbers one after the other, in a shape of another tensor."""
    message = f"the numbers are right, the shape is not: reshape them to the shape of {trial.target}"
    return Hypothesis("not reshaped", message, _as_answered)


def reordered(trial: Trial) -> list[Hypothesis]:
    """The right numbers in another order: reshaped where a transpose belongs, or the other way round."""
    message = "the numbers are right, but in another order: reshape and transpose are not the same"
    orders = list(_orders(trial))
    candidates = [*map(_permuted_and_reshaped, orders), *map(_reread, orders)]
    return [Hypothesis("transposed", message, candidate) for candidate in candidates]


def _orders(trial: Trial) -> Iterator[Order]:
    """Every order of the dimensions but their own."""
    dims = tuple(range(trial.expected.dim()))
    return (order for order in itertools.permutations(dims) if order != dims)


def _permuted(order: Order) -> Candidate:
    return lambda t: t.expected.permute(order)


def _permuted_and_reshaped(order: Order) -> Candidate:
    return lambda t: t.expected.permute(order).reshape(t.expected.shape)


def _reread(order: Order) -> Candidate:
    """The entries read into the permuted shape, then permuted back."""

    def candidate(t: Trial) -> Tensor | None:
        shape = [t.expected.shape[d] for d in order]
        back = [order.index(d) for d in range(len(order))]
        return t.expected.reshape(shape).permute(back)

    return candidate


def _as_answered(t: Trial) -> Tensor | None:
    if t.answer is None or t.answer.numel() != t.expected.numel():
        return None
    return t.expected.reshape(t.answer.shape)
