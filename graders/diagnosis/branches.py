"""Which branches of the graph are in an answer, and how often: least squares tells."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.oracle import compare
from graders.oracle.compare import SINGLE_PRECISION
from graders.oracle.trial import Diagnosis, Trial


def explain_branches(trials: Sequence[Trial]) -> Diagnosis | None:
    """The answer as a sum of branches, each with a factor: 0 where one is missing, 2 where it is twice there.

    The last trial has the smallest tensors and is asked first: most answers are no such sum, and fail there.
    """
    names = list(dict.fromkeys(_branch_names(trials[-1])))
    if len(names) < 2:
        return None
    found: dict[str, list[tuple[float, factors.Sizes]]] = {name: [] for name in names}
    for trial in reversed(trials):
        weights = _weights(trial)
        if weights is None:
            return None
        for name, weight in weights.items():
            found[name].append((weight, trial.oracle.sizes))
    phrases = {name: factors.explain([w for w, _ in pairs], [s for _, s in pairs]) for name, pairs in found.items()}
    if any(phrase is None for phrase in phrases.values()):
        return None
    return _described({n: p for n, p in phrases.items() if p}, trials[0])


def _branch_names(trial: Trial) -> list[str]:
    """Branches by the tensor they come through; by operation as well where one tensor has several."""
    tensors = {b.through for b in trial.branches}
    several = len({(b.through, b.operation) for b in trial.branches}) > len(tensors)
    return [f"through {b.through}" + (f" ({b.operation})" if several else "") for b in trial.branches]


def _weights(trial: Trial) -> dict[str, float] | None:
    """Least-squares weights of the branches in the answer; None if they do not give it to rounding."""
    answer, expected = trial.answer, trial.expected
    if answer is None or not compare.same_up_to_ones(answer.shape, expected.shape):
        return None
    sums: dict[str, Tensor] = {}
    for name, branch in zip(_branch_names(trial), trial.branches, strict=True):
        sums[name] = sums.get(name, 0) + branch.contribution.reshape(-1)
    largest = max(s.abs().max().item() for s in sums.values())
    sums = {name: s for name, s in sums.items() if s.abs().max().item() > 1e-6 * largest}
    matrix = torch.stack(list(sums.values()), dim=1)
    weights = torch.linalg.lstsq(matrix, answer.reshape(-1, 1)).solution
    off = (matrix @ weights - answer.reshape(-1, 1)).abs().max().item()
    if off > SINGLE_PRECISION * max(largest, answer.abs().max().item()):
        return None
    return dict(zip(sums, weights.reshape(-1).tolist(), strict=True))


def _described(phrases: dict[str, str], trial: Trial) -> Diagnosis | None:
    wrong = {name: phrase for name, phrase in phrases.items() if phrase != "1"}
    if not wrong:
        return None
    missing = [name for name, phrase in wrong.items() if phrase == "0"]
    present = [name for name, phrase in phrases.items() if phrase == "1"]
    used = f"{trial.target} is used {len(phrases)} times, and the contributions add up"
    if missing and len(missing) == len(wrong) and present:
        arrived = f"only the branch {_and(present)} arrived; {_and(missing)} is missing"
        return Diagnosis("missing branch", f"{arrived}: {used}")
    if set(wrong.values()) == {"2"}:
        return Diagnosis("doubled branch", f"the branch {_and(list(wrong))} is counted twice")
    if len(wrong) > 1 and not {"0", "-1", "2"}.issuperset(wrong.values()):
        return None  # true of the numbers, but hardly what happened
    clauses = (factors.describe(phrase, f"the branch {name}", trial.oracle.sizes)[1] for name, phrase in wrong.items())
    parts = "; ".join(clause.removeprefix("it is ") for clause in clauses)
    return Diagnosis("branch factor", f"in the sum over the branches, {parts}; the rest is right")


def _and(names: Sequence[str]) -> str:
    return " and ".join(n if i == 0 else n.removeprefix("through ") for i, n in enumerate(names))
