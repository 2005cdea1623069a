"""Why a gradient is wrong: the first hypothesis that equals the answer at all cases is named.

An answer is explained only where a candidate equals it to rounding at every case, with its different sizes
and random upstream gradients; so a diagnosis is a fact about the numbers, not a guess.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from graders.diagnosis import factors, hypotheses
from graders.diagnosis.branches import explain_branches
from graders.diagnosis.fingerprints import lookup
from graders.diagnosis.fitting import fits
from graders.diagnosis.shapes import both_shapes, explain_shape
from graders.exercise.kit import Known
from graders.oracle.compare import SINGLE_PRECISION, Match, remedy_for_ones
from graders.oracle.trial import Diagnosis, Trial
from graders.words import joined


def diagnose(trials: Sequence[Trial], known: Sequence[Known] = ()) -> Diagnosis:
    """Explain why these answers to one gradient are not all right.

    `trials[0]` is the lecture's case; `known` are the fingerprints of wrong answers to this gradient.
    """
    answered = [t for t in trials if t.answer is not None]
    return (
        _not_everywhere(trials)
        or _not_finite(answered)
        or _known(trials, [k for k in known if k.catalogued], exactly=True)
        or explain_shape(answered)
        or _scaled(answered)
        or explain_branches(answered)
        or _values(answered)
        or _known(trials, known)
        or _partly(answered)
        or _unexplained(trials[0])
    )


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
    if bad.oracle.case.label in ("primes", "other primes", "equal sizes"):
        message = f"right at the lecture's sizes only, a size is hard-coded: wrong at {sizes}"
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


def _known(trials: Sequence[Trial], known: Sequence[Known], exactly: bool = False) -> Diagnosis | None:
    matches = lookup(trials, known, exactly)
    if not matches:
        return None
    by_cause = {k.cause: k.message for k in reversed(matches)} if exactly else {k.message: k.message for k in matches}
    message = either(list(by_cause.values())[:2])
    if trials[0].match is Match.SHAPE:
        message = f"{both_shapes(trials)}. {message}"
    return Diagnosis(matches[0].cause, message, ties=tuple(k.cause for k in matches[1:]))


def either(messages: Sequence[str]) -> str:
    """Several descriptions that are as true as each other."""
    return messages[0] if len(messages) == 1 else ", or: ".join(m.rstrip(".") for m in messages)


def _scaled(trials: Sequence[Trial]) -> Diagnosis | None:
    """A constant multiple of the gradient; how the factor changes with the sizes tells why."""
    hypothesis = hypotheses.of_scale(trials[0])
    phrase = fits(hypothesis, trials)
    if phrase is None or phrase == "1":
        return None
    return Diagnosis(*factors.describe(phrase, hypothesis.what, trials[0].oracle.sizes))


def _values(trials: Sequence[Trial]) -> Diagnosis | None:
    """One hypothesis for the whole tensor; several of one group that fit are named together."""
    for group in hypotheses.of_values(trials[-1]):
        fitting = [(h, f) for h in group if (f := fits(h, trials)) is not None and factors.is_plain(f)]
        exact = {h.message: h.cause for h, f in fitting if f == "1"}
        if exact:
            messages, causes = list(exact)[:3], list(exact.values())
            return Diagnosis(causes[0], either(messages), ties=tuple(causes[1:]))
        if fitting:
            best, phrase = fitting[0]
            return Diagnosis(
                best.cause, joined([best.message, f"besides, a factor {phrase}"]), ties=("constant factor",)
            )
    return None


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
        return Diagnosis("some rows only", f"part of it is right, and zero stands {_where(right[0])}")
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
    return f"in {' and '.join(parts)}" if parts else "everywhere"


def _unexplained(trial: Trial) -> Diagnosis:
    """Nothing matches: say where the error lives and how large it is."""
    answer, expected = trial.answer, trial.expected
    if answer is None or trial.match is Match.SHAPE:
        return Diagnosis("unknown", "no known mistake gives this")
    off = (answer.reshape(expected.shape) - expected).abs()
    scale = expected.abs().max().item()
    right = off <= SINGLE_PRECISION * scale
    share = 100 * (~right).sum().item() / right.numel()
    largest = f"the largest difference is {off.max().item() / scale:.2g} of the largest entry"
    entries = f"{share:.0f} % of the entries are off, {_where(right)}"
    return Diagnosis("unknown", f"no known mistake gives this. {entries}; {largest}")
