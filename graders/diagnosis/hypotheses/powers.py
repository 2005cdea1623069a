"""Hypotheses on powers: the upstream gradient times a tensor to some power, another than the right one."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.diagnosis.fitting import Candidate, Hypothesis, expands, tensors
from graders.oracle.trial import Trial

EXPONENTS = (-3, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4)


def of_one_tensor(trial: Trial, consumers: Sequence[str]) -> list[Hypothesis]:
    """d<consumer> * x**k for every tensor x that goes with it, summed to the target's shape where that is smaller."""
    found: dict[str, list[Hypothesis]] = {}
    for c in consumers:
        upstream = trial.oracle.upstream[c]
        for name, tensor in tensors(trial).items():
            if expands(tensor.shape, upstream.shape) or expands(upstream.shape, tensor.shape):
                product = max(tensor.shape, upstream.shape, key=torch.Size.numel)  # one of them expands to the other
                summed = f", summed to the shape of {trial.target}" if _is_summed(trial, product) else ""
                for k in EXPONENTS:
                    power = f"`{name}`" if k == 1 else f"the power {k:g} of `{name}`"
                    found.setdefault(name, []).append(Hypothesis("", f"d{c} times {power}{summed}", _power(c, name, k)))
    right = [name for name, powers in found.items() if any(_is_right(h, trial) for h in powers)]
    causes = {
        name: "wrong exponent" if name in right else "wrong operand" if right else "wrong function" for name in found
    }
    remarks = {name: f"another power of `{name}` belongs there" for name in right}
    return [
        replace(h, cause=causes[name], remark=remarks.get(name, "")) for name, powers in found.items() for h in powers
    ]


def _is_right(power: Hypothesis, trial: Trial) -> bool:
    candidate = power.candidate(trial.answering(trial.expected))
    return candidate is not None and bool(factors.factor(trial.expected, candidate))


def _power(consumer: str, name: str, exponent: float) -> Candidate:
    def candidate(t: Trial) -> Tensor | None:
        base = t.oracle.values[name]
        if exponent != int(exponent) and bool((base < 0).any()):
            return None
        product = t.oracle.upstream[consumer] * base**exponent
        if not torch.isfinite(product).all():
            return None
        return product.sum_to_size(t.expected.shape) if _is_summed(t, product.shape) else product

    return candidate


def _is_summed(trial: Trial, product: torch.Size) -> bool:
    """Whether a product of this shape has to be summed to be compared with the answer."""
    answered = trial.answer is not None and trial.answer.shape == product
    return not answered and product != trial.expected.shape and expands(trial.expected.shape, product)
