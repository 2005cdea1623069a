"""Laws that a gradient keeps whatever it is computed with: a broken one says which term may be missing.

An author names the laws of an item in its docstring, each with what a broken one points to:

    Law: rows sum to zero: the 1 at each row's target

A law is necessary, never a verdict: it is only looked at once an answer is wrong and nothing else explains it.
"""

import re
from collections.abc import Callable, Sequence

from torch import Tensor

from graders.exercise.cases import ORDINARY
from graders.oracle.gradient import Oracle
from graders.oracle.trial import Diagnosis, Trial

KEPT, BROKEN = 1e-4, 1e-2  # of the largest entry of what is summed; between them, an epsilon may be at work
Residue = Callable[[Tensor, Tensor], tuple[Tensor, float]]

LAWS: dict[str, Residue] = {
    "rows sum to zero": lambda g, _: _sum(g, 1),
    "columns sum to zero": lambda g, _: _sum(g, 0),
    "entries sum to zero": lambda g, _: _sum(g.reshape(-1), 0),
    "columns are orthogonal to": lambda g, x: _sum(g * x, 0),
    "rows are orthogonal to": lambda g, x: _sum(g * x, 1),
}
LAW = re.compile(rf"({'|'.join(LAWS)})(?: `?(\w+)`?)?: (.+)", re.DOTALL)


def explain_laws(trials: Sequence[Trial], laws: Sequence[str]) -> Diagnosis | None:
    """Which of the item's laws the answers keep and which they break, at every case of ordinary values."""
    usual = [t for t in trials if t.oracle.case.label in ORDINARY]
    if not usual or any(t.answer is None or t.answer.shape != t.expected.shape for t in usual):
        return None
    broken, kept = [], []
    for law in laws:
        name, other, points_to = parts_of(law)
        if any(_residue(t, t.expected, name, other) > KEPT for t in usual):
            continue  # nothing that can be said of the right gradient
        residues = [_residue(t, t.answer, name, other) for t in usual if t.answer is not None]
        said = name + (f" `{other}`" if other else "")
        if all(r > BROKEN for r in residues):
            broken.append((said, points_to))
        elif all(r < KEPT for r in residues):
            kept.append(said)
    if not broken:
        return None
    so = "; ".join(f"of the right gradient the {said}, of yours not: look at {points_to}" for said, points_to in broken)
    still = f" (the {' and the '.join(kept)}, as they must)" if kept else ""
    return Diagnosis("broken law", f"{so}{still}")


def keeps(oracle: Oracle, target: str, law: str) -> bool:
    """Whether the right gradient keeps a law, where values are ordinary. Raises ValueError, KeyError: no such law."""
    name, other, _ = parts_of(law)
    sums, largest = LAWS[name](oracle.expected(target), oracle.values[other] if other else oracle.expected(target))
    return oracle.case.label not in ORDINARY or not largest or sums.abs().max().item() <= KEPT * largest


def parts_of(law: str) -> tuple[str, str | None, str]:
    """Name, the tensor it speaks of, what it points to. Raises ValueError for a law that is not known."""
    match = LAW.fullmatch(law)
    if match is None:
        raise ValueError(f"`{law}` is no law: write one of {', '.join(LAWS)}, a colon, and what a broken one points to")
    return match[1], match[2], match[3].rstrip(".")


def _residue(trial: Trial, gradient: Tensor, name: str, other: str | None) -> float:
    sums, largest = LAWS[name](gradient, trial.oracle.values[other] if other else gradient)
    return sums.abs().max().item() / largest if largest else 0.0


def _sum(terms: Tensor, dim: int) -> tuple[Tensor, float]:
    return terms.sum(dim), terms.abs().max().item()
