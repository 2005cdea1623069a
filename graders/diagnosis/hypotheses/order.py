"""Hypotheses on the order of the entries: transposed, not reshaped, reshaped where a transpose belongs."""

import itertools
from collections.abc import Iterator

from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis
from graders.oracle.trial import Trial

Order = tuple[int, ...]


def transposed(trial: Trial) -> list[Hypothesis]:
    """The right numbers, their dimensions in another order."""
    remark = f"{trial.target} is indexed the other way round"
    return [Hypothesis("transposed", "the gradient transposed", _permuted(order), remark) for order in orders(trial)]


def not_reshaped(trial: Trial) -> Hypothesis:
    """The right numbers one after the other, in a shape of another tensor."""
    remark = f"reshape it to the shape of {trial.target}"
    return Hypothesis("not reshaped", "the gradient in another shape", _as_answered, remark)


def reordered(trial: Trial) -> list[Hypothesis]:
    """The right numbers in another order: reshaped where a transpose belongs, or the other way round."""
    what, remark = "the gradient with its entries in another order", "reshape and transpose are not the same"
    others = list(orders(trial))
    candidates = [*map(_permuted_and_reshaped, others), *map(_reread, others)]
    return [Hypothesis("transposed", what, candidate, remark) for candidate in candidates]


def orders(trial: Trial) -> Iterator[Order]:
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
