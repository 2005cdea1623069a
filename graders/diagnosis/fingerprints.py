"""Known wrong answers, recognised without the solution: each wrong tensor leaves a few numbers and a message.

A fingerprint is the projection of a wrong result on a fixed random vector, one number a case. The student's kit
carries these numbers for the public cases; a wrong answer is projected the same way and looked up. Nothing of a
solution can be read from them.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from graders.diagnosis import factors
from graders.exercise.kit import Known, Print
from graders.oracle.trial import Trial

OF_SCALE = ("sign", "constant factor", "zeros")  # what they say of a factor is not true of a multiple


@cache
def _direction(size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(size), dtype=torch.float64)


def project(trial: Trial) -> Print:
    """Shape and projection of an answer, in units of the largest expected entry, to 6 digits."""
    answer = trial.answer
    scale = trial.oracle.scale(trial.target)
    if answer is None or not scale or not torch.isfinite(answer).all():
        return None
    shape = "x".join(str(size) for size in answer.shape if size != 1)
    value = (answer.reshape(-1) @ _direction(answer.numel())).item() / scale
    return shape, float(f"{value:.6g}") if abs(value) > 1e-6 else 0.0


def fingerprint(trials: Sequence[Trial]) -> tuple[Print, ...]:
    """One print a case; the lecture's is left out, its large tensors tell nothing more."""
    return tuple(project(trial) for trial in trials[1:])


def same(a: tuple[Print, ...], b: tuple[Print, ...]) -> bool:
    """Equal to the digits kept, at every case; at least two cases must have a value."""
    if len(a) != len(b):
        return False
    for one, other in zip(a, b, strict=True):
        if one is None or other is None:
            if one is not other:
                return False
        elif one[0] != other[0] or abs(one[1] - other[1]) > 2e-5 * abs(one[1]) + 3e-6:
            return False
    return sum(p is not None for p in a) >= 2


def multiple(a: tuple[Print, ...], b: tuple[Print, ...], sizes: Sequence[factors.Sizes]) -> str | None:
    """The factor, named, by which `b` is a multiple of `a` at every case; None if there is none, or only noise."""
    if len(a) != len(b) or any((p is None) != (q is None) for p, q in zip(a, b, strict=True)):
        return None
    pairs = [(p, q, s) for p, q, s in zip(a, b, sizes, strict=True) if p is not None and q is not None]
    if len(pairs) < 3 or any(p[0] != q[0] or abs(p[1]) < 1e-3 for p, q, _ in pairs):
        return None
    phrase = factors.explain([q[1] / p[1] for p, q, _ in pairs], [s for *_, s in pairs])
    return phrase if phrase and phrase != "1" and factors.is_plain(phrase) else None


def lookup(trials: Sequence[Trial], known: Sequence[Known], exactly: bool) -> list[Known]:
    """The known wrong answers that these trials repeat; failing that, those they are a plain multiple of.

    Their messages are sentences.
    """
    prints = fingerprint(trials)
    matches = [replace(k, message=_sentence(k)) for k in known if same(k.prints, prints)]
    if matches or exactly:
        return matches
    sizes = [t.oracle.sizes for t in trials[1:]]
    scaled = [(p, k) for k in known if k.cause not in OF_SCALE and (p := multiple(k.prints, prints, sizes))]
    plainest = min(scaled, key=lambda pair: len(pair[0]), default=None)
    return [replace(plainest[1], message=_sentence(plainest[1], plainest[0]))] if plainest else []


def _sentence(known: Known, times: str = "1") -> str:
    """An author's text as it is; a mutant's clause says when such numbers come out: other code may give them."""
    if known.catalogued and times == "1":
        return known.message
    numbers = (
        f"what this mistake gives: {known.message}" if known.catalogued else f"what comes out when {known.message}"
    )
    return f"it is {'minus ' if times == '-1' else '' if times == '1' else f'{times} times '}{numbers}"
