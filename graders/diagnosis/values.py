"""Why numbers are wrong whose shape is right: a factor, a branch, a hypothesis, a known wrong answer, in this order."""

from collections.abc import Sequence

from graders.diagnosis import factors, hypotheses
from graders.diagnosis.branches import explain_branches
from graders.diagnosis.fingerprints import lookup
from graders.diagnosis.fitting import fits
from graders.exercise.kit import Known
from graders.oracle.trial import Diagnosis, Trial


def explain_values(trials: Sequence[Trial], known: Sequence[Known]) -> Diagnosis | None:
    """What these answers are, in one sentence that begins with "it is" or names a branch."""
    return _scaled(trials) or explain_branches(trials) or _hypothesis(trials) or explain_known(trials, known)


def _scaled(trials: Sequence[Trial]) -> Diagnosis | None:
    """A constant multiple of the gradient; how the factor changes with the sizes tells why."""
    hypothesis = hypotheses.of_scale(trials[0])
    phrase = fits(hypothesis, trials)
    if phrase is None or phrase == "1":
        return None
    return Diagnosis(*factors.describe(phrase, hypothesis.what, trials[0].oracle.sizes))


def _hypothesis(trials: Sequence[Trial]) -> Diagnosis | None:
    """One hypothesis for the whole tensor; several of one group that fit are named together."""
    for group in hypotheses.of_values(trials[-1]):
        fitting = [(h, f) for h in group if (f := fits(h, trials)) is not None and factors.is_plain(f)]
        exact = {h.sentence(): h.cause for h, f in fitting if f == "1"}
        if exact:
            messages, causes = list(exact)[:3], list(exact.values())
            return Diagnosis(causes[0], either(messages), ties=tuple(causes[1:]))
        if fitting:
            best, phrase = fitting[0]
            return Diagnosis(best.cause, best.sentence(phrase), ties=("constant factor",))
    return None


def explain_known(trials: Sequence[Trial], known: Sequence[Known], exactly: bool = False) -> Diagnosis | None:
    """The known wrong answers that these are; failing that, and if not `exactly`, those they are a multiple of."""
    found = lookup(trials, known, exactly)
    if not found:
        return None
    by_cause = {k.cause: k.message for k in reversed(found)} if exactly else {k.message: k.message for k in found}
    return Diagnosis(found[0].cause, either(list(by_cause.values())[:2]), ties=tuple(k.cause for k in found[1:]))


def either(messages: Sequence[str]) -> str:
    """Several descriptions that are as true as each other."""
    return messages[0] if len(messages) == 1 else ", or: ".join(m.rstrip(".") for m in messages)
