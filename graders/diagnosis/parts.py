"""Two mistakes in one answer: what is right is taken out, branch by branch, and the rest is explained.

An answer is the sum of its branches. Here some of them may be changed (a factor lost, an upstream gradient passed on,
summed where it should not be), and each may have a factor. Least squares gives the factors; an answer is explained
only where they give it to rounding at every case.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from graders.diagnosis import factors
from graders.diagnosis.branches import Phrases, factors_of, states, sums_of_branches
from graders.diagnosis.fitting import Change, Hypothesis, tensors
from graders.diagnosis.hypotheses import operands, upstream
from graders.oracle.trial import Diagnosis, Trial

MOST_BRANCHES = 4
Sums = dict[str, Tensor]


@dataclass(frozen=True)
class Slip:
    """A change of what arrives at `consumer`, or of a branch's contribution; `how` it comes out then, in words."""

    cause: str
    how: str
    consumer: str | None
    change: Callable[[Trial, Tensor], Tensor | None]

    def sums(self, trial: Trial) -> Sums | None:
        """The branches of the answer, each with this slip in it; None where it does not apply."""
        if self.consumer is None:
            changed = {name: self.change(trial, branch) for name, branch in sums_of_branches(trial).items()}
            return {n: c for n, c in changed.items() if c is not None} if None not in changed.values() else None
        arriving = self.change(trial, trial.oracle.upstream[self.consumer])
        if arriving is None or arriving.shape != trial.oracle.upstream[self.consumer].shape:
            return None
        return sums_of_branches(trial, {self.consumer: arriving})


def explain_parts(trials: Sequence[Trial]) -> Diagnosis | None:
    """The answer as a sum of branches, some of them with a slip; the fewest mistakes first, at most two."""
    names = list(sums_of_branches(trials[-1]))
    if len(names) > MOST_BRANCHES or any(t.answer is None or t.answer.numel() != t.expected.numel() for t in trials):
        return None
    found = [d for slip in slips(trials[-1]) for where in _places(names, slip) if (d := _fitting(slip, where, trials))]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def slips(trial: Trial) -> Iterator[Slip]:
    """What may go wrong on the way through one consumer, and with a contribution as a whole."""
    consumers = [c for c in trial.oracle.consumers(trial.target) if c != "loss"]
    saved, all_tensors = operands.saved(trial), tensors(trial)
    for c in consumers:
        yield Slip("upstream missing", f"when all of d{c} is 1", c, upstream.ones)
        yield Slip("upstream twice", f"when d{c} is multiplied in twice", c, upstream.squared)
        for factor in all_tensors:
            yield Slip("missing factor", f"without a factor `{factor}`", c, operands.divided_by(factor))
        for factor in all_tensors:
            yield Slip("extra factor", f"with a factor `{factor}` too many", c, operands.multiplied_by(factor))
        for right, other in itertools.product(saved, all_tensors):
            if other != right:
                how = f"with `{other}` in a place of `{right}`"
                yield Slip("wrong operand", how, c, operands.exchanged(right, other))
        if trial.oracle.upstream[c].dim() > 1:
            for dim in range(trial.oracle.upstream[c].dim()):
                yield Slip(
                    "summed too much", f"when d{c} is summed over dim {dim}, and broadcast again", c, _summed(dim)
                )
    for dim in range(trial.expected.dim() if trial.expected.dim() > 1 else 0):
        yield Slip("summed too much", f"when it is summed over dim {dim}, and broadcast again", None, _summed(dim))
    for c in consumers:
        passed = f"when d{c} is passed on {upstream.how_passed(trial, c)}"
        yield Slip("upstream passed through", passed, None, _passed(c))


def _summed(dim: int) -> Change:
    return lambda t, tensor: tensor.sum(dim, keepdim=True).expand(tensor.shape) if tensor.shape[dim] > 1 else None


def _passed(consumer: str) -> Change:
    return lambda t, branch: upstream.reduced(t.oracle.upstream[consumer], t.expected.shape)


def _places(names: Sequence[str], slip: Slip) -> Iterator[tuple[str, ...]]:
    """The branches that may have the slip, few rather than many."""
    for size in range(1, len(names) + 1):
        yield from itertools.combinations(names, size)


def _fitting(slip: Slip, where: tuple[str, ...], trials: Sequence[Trial]) -> tuple[int, Diagnosis] | None:
    """The number of mistakes, and the diagnosis, if the answer is its branches, those of `where` with the slip."""
    phrases = factors_of(_parts(slip, where, trials))
    if phrases is None or any(phrases.get(name, "0") == "0" for name in where):
        return None  # such a branch is not there at all, with a slip or without
    odd = [phrase for phrase in phrases.values() if phrase != "1"]
    if len(odd) > 1 or not all(phrase == "0" or factors.is_plain(phrase) for phrase in odd):
        return None
    cause = "two mistakes" if odd else slip.cause
    return 1 + len(odd), Diagnosis(cause, _sentence(slip, where, phrases, trials[0]), ties=(slip.cause,))


def _parts(slip: Slip, where: tuple[str, ...], trials: Sequence[Trial]) -> Iterator[tuple[Trial, Sums]]:
    """The smallest case first; nothing once the slip does not apply, so that no answer is given by what is left."""
    for trial in reversed(trials):
        changed = slip.sums(trial)
        right = sums_of_branches(trial)
        yield trial, {n: changed[n] if n in where else b for n, b in right.items()} if changed else {}


def _sentence(slip: Slip, where: tuple[str, ...], phrases: Phrases, trial: Trial) -> str:
    """What each branch is. The words say no more than was computed."""
    if len(where) == len(phrases):
        times = set(phrases.values())
        whole = f"what comes out {slip.how}"
        if len(phrases) == 1:
            return Hypothesis(slip.cause, whole, lambda t: None).sentence(times.pop())
        rest = [clause for clause in states(phrases, trial) if not clause.endswith(" is right")]
        return "; ".join([f"it is {whole}", *(f"besides, {clause}" for clause in rest)])
    others = {name: phrase for name, phrase in phrases.items() if name not in where}
    clauses = []
    for name in where:
        as_it = Hypothesis(slip.cause, f"what comes out {slip.how}", lambda t: None).sentence(phrases[name])
        clauses.append(f"the branch {name}{as_it.removeprefix('it')}")
    return "; ".join([*clauses, *states(others, trial)])
