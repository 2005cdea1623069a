"""What a wrong gradient may be, by the autograd graph and the forward values alone.

A group of hypotheses with one that fits is believed, so the order decides what a student reads: a slip that many make
comes before one that few make, and a narrow hypothesis before one that can imitate it. All those of a group that fit
are named, for they are as likely as each other.
A file holds one kind of mistake. It may import diagnosis/fitting, oracle/ and what stands before it.
Begin with `of_shape`, `of_scale` and `of_values`, which `diagnose` asks; `diagnosis/fitting.py` decides what fits.
"""

from __future__ import annotations

from collections.abc import Iterator

from graders.diagnosis.fitting import Hypothesis
from graders.diagnosis.hypotheses import lookups, operands, order, others, powers, sums, upstream
from graders.oracle.trial import Trial


def of_shape(trial: Trial) -> Iterator[list[Hypothesis]]:
    """Right values in a wrong shape.

    One candidate after the other: another tensor's gradient, which nothing else imitates, then the right one, from
    the least change of its shape to the largest. The sum over a dimension of size 1 is only a reshape.
    """
    yield others.wrong_target(trial)
    yield [sums.not_broadcast(trial)]
    yield order.transposed(trial)
    yield [order.not_reshaped(trial)]
    yield sums.summed_too_much(trial)


def of_other_shapes(trial: Trial) -> Iterator[list[Hypothesis]]:
    """Wrong numbers in a wrong shape: a sum over another dimension, an operand of another shape."""
    consumers = [c for c in trial.oracle.consumers(trial.target) if c != "loss"]
    yield sums.over_other_dims(trial, consumers)
    yield powers.of_one_tensor(trial, consumers)


def of_scale(trial: Trial) -> Hypothesis:
    """The right gradient, but for a constant."""
    return Hypothesis("constant factor", f"the gradient of {trial.target}", lambda t: t.expected)


def of_values(trial: Trial) -> Iterator[list[Hypothesis]]:
    """Wrong numbers, the most human mistake first.

    The chain rule's own slips come first: the upstream gradient or a factor is lost. Then come whole tensors: one is
    passed on, or another's gradient is given. A wrong operand and an extra factor come last: they try every tensor of
    the forward pass, and so fit by coincidence most easily.
    """
    consumers = [c for c in trial.oracle.consumers(trial.target) if c != "loss"]
    saved = operands.saved(trial)
    yield upstream.ignored(trial, consumers)
    yield from upstream.used_wrongly(consumers)
    yield operands.missing_factor(saved, consumers)
    yield from upstream.passed_through(trial, consumers)
    yield from ([h] for h in lookups.repeated_rows(trial))
    yield others.another_tensor(trial)
    yield order.reordered(trial)
    yield operands.wrong_operand(trial, saved, consumers) + operands.extra_factor(trial, consumers)
    yield powers.of_one_tensor(trial, consumers)
