"""Why a gradient is wrong: the first hypothesis that equals the answer at all cases is named.

An answer is explained only where a candidate equals it to rounding at every case, with its different sizes
and random upstream gradients; so a diagnosis is a fact about the numbers, not a guess.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from graders.diagnosis.laws import explain_laws
from graders.diagnosis.parts import explain_parts
from graders.diagnosis.shapes import both_shapes, explain_shape
from graders.diagnosis.values import explain_known, explain_values
from graders.diagnosis.ways import explain_ways
from graders.exercise.cases import ORDINARY
from graders.exercise.kit import Known
from graders.oracle import compare
from graders.oracle.compare import SINGLE_PRECISION, Match, remedy_for_ones
from graders.oracle.trial import Diagnosis, Trial

NEARLY = 1e-3  # a wrong epsilon of 1e-3 shows by that where variances are about 1


def diagnose(
    trials: Sequence[Trial],
    known: Sequence[Known] = (),
    beside: Sequence[Sequence[Trial]] = (),
    laws: Sequence[str] = (),
) -> Diagnosis:
    """Explain why these answers to one gradient are not all right.

    `trials[0]` is the lecture's case; `known` are the fingerprints of wrong answers to this gradient. `beside` are the
    answers to the other gradients that the same function returns: two may be exchanged. `laws` are what an
    author says of the right gradient.
    """
    answered = [t for t in trials if t.answer is not None]
    everywhere = known if len(answered) == len(trials) else ()
    return (
        _exchanged(trials, beside)
        or _not_everywhere(trials)
        or _not_finite(answered)
        or _catalogued(trials, [k for k in known if k.catalogued])
        or explain_shape(answered, everywhere)
        or _nearly(answered)
        or explain_values(answered, everywhere)
        or explain_known(trials, known)
        or _partly(answered)
        or explain_parts(answered)
        or explain_ways(answered)
        or _unexplained(trials, laws)
    )


def _exchanged(trials: Sequence[Trial], beside: Sequence[Sequence[Trial]]) -> Diagnosis | None:
    """Each of two answers is right in the other's place."""
    for others in beside:
        pairs = list(zip(trials, others, strict=True))
        if all(_answers(t, other) and _answers(other, t) and not t.passes for t, other in pairs):
            one, other = trials[0].target, others[0].target
            return Diagnosis(
                "wrong target",
                f"the gradients of `{one}` and `{other}` are exchanged: each is right in the other's place",
            )
    return None


def _answers(trial: Trial, other: Trial) -> bool:
    """Whether the answer to one question is the right one to another."""
    return trial.answer is not None and replace(other, given=trial.given).right


def _not_everywhere(trials: Sequence[Trial]) -> Diagnosis | None:
    """Right at the lecture's sizes and wrong, or raising, at others."""
    if not trials[0].right:
        return None
    bad = next((t for t in trials if not t.right), None)
    if bad is None:  # only a strict reading of the shape refuses it
        expected, got = trials[0].expected.shape, trials[0].answer.shape  # type: ignore[union-attr]
        shapes = f"the shape is {tuple(got)} for {tuple(expected)}"
        return Diagnosis("keepdim", f"the values are right, {shapes}: {remedy_for_ones(got, expected)}")
    sizes = ", ".join(f"{name}={value}" for name, value in bad.oracle.sizes.items())
    if bad.oracle.case.label in ORDINARY:
        message = f"right at the lecture's sizes, wrong at {sizes}: is a size written out as a number?"
        cause = "hard-coded size"
    else:
        what = "not finite" if bad.match is Match.NOT_FINITE else "wrong"
        message = f"right for ordinary values, but {what} in the extreme case '{bad.oracle.case.label}'"
        cause = "not finite" if bad.match is Match.NOT_FINITE else "extreme values"
    frames = (*bad.problem.frames, str(bad.problem.reason)) if bad.problem else ()
    return Diagnosis(cause, message, frames)


def _not_finite(trials: Sequence[Trial]) -> Diagnosis | None:
    bad = next((t.answer for t in trials if t.match is Match.NOT_FINITE), None)
    if bad is None:
        return None
    nan, inf = int(bad.isnan().sum()), int(bad.isinf().sum())
    counts = " and ".join(f"{n} {what}" for n, what in ((nan, "NaN"), (inf, "infinite")) if n)
    return Diagnosis("not finite", f"{counts} of {bad.numel()} entries: a 0/0, a log of 0, or an overflow?")


def _catalogued(trials: Sequence[Trial], known: Sequence[Known]) -> Diagnosis | None:
    """The author's own words, which a fingerprint binds to these numbers."""
    found = explain_known(trials, known, exactly=True)
    if found and trials[0].match is Match.SHAPE:
        return replace(found, message=f"{both_shapes(trials)}. {found.message}")
    return found


def _nearly(trials: Sequence[Trial]) -> Diagnosis | None:
    """Right to some digits at ordinary values, and far off in an extreme case: something small is not right."""
    off = {t.oracle.case.label: _off(t) for t in trials}
    ordinary = max((o for label, o in off.items() if label in ORDINARY), default=1.0)
    worst = max(off, key=lambda label: off[label])
    if ordinary > NEARLY or worst in ORDINARY or off[worst] < 10 * ordinary:
        return None
    here = f"at ordinary values it is off by {ordinary:.1g} of the largest entry at most"
    there = f"in the extreme case '{worst}' by {off[worst]:.1g}"
    return Diagnosis(
        "extreme values", f"{here}, {there}: is a small constant, an epsilon, not that of the forward pass?"
    )


def _off(trial: Trial) -> float:
    if trial.answer is None or not compare.same_up_to_ones(trial.answer.shape, trial.expected.shape):
        return 1.0
    return compare.difference(trial.answer, trial.expected, trial.oracle.scale(trial.target))


def _partly(trials: Sequence[Trial]) -> Diagnosis | None:
    """Right where the gradient is not zero but not zero elsewhere, or zero in places where it should not be."""
    pairs = [(t.answer, t.expected) for t in trials if t.answer is not None and t.answer.shape == t.expected.shape]
    if len(pairs) < len(trials) or not pairs:
        return None
    name = trials[0].target
    right = [torch.isclose(a, e, rtol=1e-6, atol=1e-9 * e.abs().max().item()) for a, e in pairs]
    if all(bool(r[e != 0].all()) and bool((e == 0).any()) for r, (_, e) in zip(right, pairs, strict=True)):
        entries = "the entries that count are right, but others are not zero"
        return Diagnosis("whole columns", f"{entries}: the loss does not depend on them in {name}")
    if all(bool((r | (a == 0)).all()) and bool((r & (e != 0)).any()) for r, (a, e) in zip(right, pairs, strict=True)):
        return Diagnosis("some rows only", f"what is not zero is right; zeros stand wrongly {_where(right[0])}")
    return None


def _where(right: Tensor) -> str:
    """In words: which rows and columns of a matrix of verdicts are wrong."""
    wrong = ~right.reshape(right.shape[0], -1) if right.dim() else ~right.reshape(1, 1)
    rows, columns = wrong.any(1), wrong.any(0)
    parts = []
    for what, which in (("rows", rows), ("columns", columns)):
        hit = which.nonzero().reshape(-1).tolist()
        if len(hit) < len(which):
            parts.append(f"{what} {', '.join(map(str, hit[:6]))}{', ...' if len(hit) > 6 else ''}")
    return f"in {' and '.join(parts)}" if parts else "in every row and column"


def _unexplained(trials: Sequence[Trial], laws: Sequence[str]) -> Diagnosis:
    """Nothing matches: say which law is broken, where the error lives and how large it is."""
    trial = trials[0]
    answer, expected = trial.answer, trial.expected
    broken = explain_laws(trials, laws)
    if answer is None or trial.match is Match.SHAPE:
        return Diagnosis("unknown", "no known mistake gives this")
    off = (answer.reshape(expected.shape) - expected).abs()
    scale = expected.abs().max().item()
    right = off <= SINGLE_PRECISION * scale
    share = 100 * (~right).sum().item() / right.numel()
    largest = f"the largest difference is {off.max().item() / scale:.2g} of the largest entry"
    entries = f"{share:.0f} % of the entries are off, {_where(right)}"
    if broken:
        return Diagnosis(broken.cause, f"no known mistake gives this, but {broken.message}. {entries}; {largest}")
    return Diagnosis("unknown", f"no known mistake gives this. {entries}; {largest}")
