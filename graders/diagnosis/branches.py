"""Which branches of the graph are in an answer, and how often: least squares tells."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.oracle import compare
from graders.oracle.compare import SINGLE_PRECISION
from graders.oracle.trial import Diagnosis, Trial

Phrases = Mapping[str, str]  # the factor of each branch, named: '1' where it is right


def explain_branches(trials: Sequence[Trial]) -> Diagnosis | None:
    """The answer as a sum of branches, each with a factor: 0 where one is missing, 2 where it is twice there.

    The last trial has the smallest tensors and is asked first: most answers are no such sum, and fail there.
    """
    if len(set(branch_names(trials[-1]))) < 2:
        return None
    phrases = factors_of((t, sums_of_branches(t)) for t in reversed(trials))
    return _described(phrases, trials[0]) if phrases else None


def branch_names(trial: Trial) -> list[str]:
    """Branches by the tensor they come through; by operation as well where one tensor has several."""
    tensors = {b.through for b in trial.branches}
    several = len({(b.through, b.operation) for b in trial.branches}) > len(tensors)
    return [f"through {b.through}" + (f" ({b.operation})" if several else "") for b in trial.branches]


def sums_of_branches(trial: Trial, arriving: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """What comes through each branch, by its name; `arriving` stands in the place of some upstream gradients."""
    branches = trial.branches if arriving is None else trial.oracle.branches(trial.target, arriving)
    sums: dict[str, Tensor] = {}
    for name, branch in zip(branch_names(trial), branches, strict=True):
        sums[name] = sums[name] + branch.contribution if name in sums else branch.contribution
    return sums


def factors_of(parts: Iterable[tuple[Trial, Mapping[str, Tensor]]]) -> Phrases | None:
    """The factor of each part in the answers, named over all cases; None if the parts do not give all answers."""
    found: dict[str, list[tuple[float, factors.Sizes]]] = {}
    for trial, sums in parts:
        weights = _weights(trial, sums)
        if weights is None:
            return None
        for name, weight in weights.items():
            found.setdefault(name, []).append((weight, trial.oracle.sizes))
    phrases = {name: factors.explain([w for w, _ in pairs], [s for _, s in pairs]) for name, pairs in found.items()}
    return {n: p for n, p in phrases.items() if p} if None not in phrases.values() else None


def _weights(trial: Trial, parts: Mapping[str, Tensor]) -> dict[str, float] | None:
    """Least-squares weights of the parts in the answer; None if they do not give it to rounding, or are not unique."""
    answer = trial.answer
    if answer is None or not compare.same_up_to_ones(answer.shape, trial.expected.shape):
        return None
    lengths = {name: part.norm().item() for name, part in parts.items()}
    named = [name for name, length in lengths.items() if length > 1e-6 * max(lengths.values())]
    if not named or any(part.numel() != answer.numel() for part in parts.values()):
        return None
    matrix = torch.stack([parts[name].reshape(-1) / lengths[name] for name in named], dim=1)
    if not torch.isfinite(matrix).all():
        return None
    if len(named) > 1 and (matrix.shape[0] < len(named) or torch.linalg.svdvals(matrix)[-1].item() < 1e-6):
        return None
    weights = torch.linalg.lstsq(matrix, answer.reshape(-1, 1)).solution
    off = (matrix @ weights - answer.reshape(-1, 1)).abs().max().item()
    largest = max(parts[name].abs().max().item() for name in named)
    if off > SINGLE_PRECISION * max(largest, answer.abs().max().item()):
        return None
    return {name: weight / lengths[name] for name, weight in zip(named, weights.reshape(-1).tolist(), strict=True)}


def _described(phrases: Phrases, trial: Trial) -> Diagnosis | None:
    wrong = {name: phrase for name, phrase in phrases.items() if phrase != "1"}
    if not wrong:
        return None
    missing = [name for name, phrase in wrong.items() if phrase == "0"]
    present = [name for name, phrase in phrases.items() if phrase == "1"]
    if missing and len(missing) == len(wrong) and present:
        used = f"{trial.target} is used {len(phrases)} times, and the contributions add up"
        return Diagnosis(
            "missing branch", f"only the branch {and_(present)} arrived; {and_(missing)} is missing: {used}"
        )
    if set(wrong.values()) == {"2"}:
        return Diagnosis("doubled branch", f"the branch {and_(list(wrong))} is counted twice")
    if len(wrong) > 2 or not all(phrase == "0" or factors.is_plain(phrase) for phrase in wrong.values()):
        return None  # true of the numbers, but hardly what happened
    cause = "missing branch" if missing else "branch factor"
    return Diagnosis(cause, "; ".join(states(phrases, trial)))


def states(phrases: Phrases, trial: Trial) -> list[str]:
    """A clause on each branch that is not right, and one on those that are."""
    right = [name for name, phrase in phrases.items() if phrase == "1"]
    clauses = [f"the branch {name} {_state(phrase, trial)}" for name, phrase in phrases.items() if phrase != "1"]
    return [*clauses, *([f"the branch {and_(right)} is right"] if right else [])]


def _state(phrase: str, trial: Trial) -> str:
    if phrase == "0":
        return "is missing"
    return factors.describe(phrase, "what it should be", trial.oracle.sizes)[1].removeprefix("it ")


def and_(names: Sequence[str]) -> str:
    return " and ".join(n if i == 0 else n.removeprefix("through ") for i, n in enumerate(names))
