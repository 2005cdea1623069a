"""The library of wrong answers to an exercise: what its author catalogued, and every mutant of a right answer."""

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from graders.authoring.catalogue import Example, examples
from graders.authoring.mutants import Mutant, mutants
from graders.diagnosis.fingerprints import fingerprint, same
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import Fingerprints, Known
from graders.exercise.module import Exercise, Gradient, functions_of
from graders.oracle.gradient import Oracle, Oracles
from graders.oracle.questions import question
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.student.answer import Answer, Function, ask
from graders.words import Code, reason


def try_out(function: Function, exercise: Exercise, gradient: Gradient, oracle: Oracle) -> Trial:
    """A trusted answer to one gradient at one case."""
    group = exercise.by_function[gradient.function]
    return try_together(function, group, oracle)[group.index(gradient)]


def try_together(function: Function, group: Sequence[Gradient], oracle: Oracle) -> list[Trial]:
    """One call of a trusted function at one case, and a trial for each of the gradients that it returns."""
    answers = ask(function, question(group, oracle), trusted)
    return [Trial(oracle, g.target, answer) for g, answer in zip(group, answers, strict=True)]


def trusted(action: Callable[[], Any]) -> Any:
    """Without the guards that a student's code needs."""
    try:
        with warnings.catch_warnings(action="ignore"):  # a wrong answer may well divide by zero
            return action()
    except Exception as error:
        return Answer(Outcome.ERROR, reason=reason(Code.RAISED, text=f"{type(error).__name__}: {error}"))


def lookalikes(exercise: Exercise, gradient: Gradient, oracle: Oracle) -> dict[str, list[str]]:
    """For each name that an answer to `gradient` may ask for, the names that fit in its place."""
    offered = question([gradient], oracle).offered
    tensors = {k: v for k, v in offered.items() if isinstance(v, Tensor) and v.is_floating_point() and v.dim()}

    def fits(other: str, name: str) -> bool:
        return other != name and (other in gradient.parameters or tensors[other].shape == tensors[name].shape)

    return {name: [other for other in tensors if fits(other, name)] for name in tensors}


def mutants_of(exercise: Exercise, gradient: Gradient, oracle: Oracle, right: Iterable[Example]) -> Iterator[Mutant]:
    """Mutants of the reference solution first, then those of the right alternatives."""
    similar = lookalikes(exercise, gradient, oracle)
    tree = next(f for f in functions_of(ast.parse(exercise.text)) if f.name == gradient.function)
    yield from mutants(tree, exercise.namespace, similar)
    for example in right:
        if example.gradient == gradient.name:
            yield from mutants(example.tree, example.namespace, similar)


LIKELY = ("sign", "zeros", "constant factor", "missing factor", "missing term", "missing branch", "transposed")
UNLIKELY = ("wrong operation", "wrong constant", "missing brackets")


def _humanity(mutant: Mutant) -> int:
    """Of mutants with the same numbers, what many people do is said before what few do."""
    return LIKELY.index(mutant.cause) if mutant.cause in LIKELY else len(LIKELY) + (mutant.cause in UNLIKELY)


def library(exercise: Exercise) -> Fingerprints:
    """Fingerprints of all known wrong answers at the public cases; a tie is kept under its first two messages."""
    oracles = Oracles(exercise).all
    wrong, right = examples(exercise, "wrong"), examples(exercise, "right")
    found: dict[str, list[Known]] = {gradient.name: [] for gradient in exercise.gradients}
    for group in exercise.by_function.values():
        for example in wrong:
            if example.gradient == group[0].name and "wrong order" not in example.causes:
                # (of gradients in a wrong order the graph tells which stands where, line by line)
                tried = [try_together(example.function, group, oracle) for oracle in oracles[1:]]
                _add(found, group, tried, Known(example.causes[0], example.message, (), catalogued=True))
        for mutant in sorted(mutants_of(exercise, group[0], oracles[1], right), key=_humanity):
            if "torch.empty" in mutant.source:
                continue  # may read memory that was never written: other numbers every time
            tried = [try_together(mutant.function, group, oracle) for oracle in oracles[1:]]
            _add(found, group, tried, Known(mutant.cause, mutant.message, ()))
    return Fingerprints(PUBLIC_SEED, {name: tuple(known) for name, known in found.items()})


def _add(
    found: dict[str, list[Known]], group: Sequence[Gradient], tried: Sequence[Sequence[Trial]], new: Known
) -> None:
    """Add a wrong function, with its fingerprints, to what is known of the gradients that it spoils."""
    for number, gradient in enumerate(group):
        trials = [each[number] for each in tried]
        if not all(t.passes for t in trials):
            _add_one(found[gradient.name], replace(new, prints=fingerprint([trials[0], *trials])))


def _add_one(found: list[Known], new: Known) -> None:
    """Keep what says something new: at most two messages for the same numbers, an author's before a mutant's."""
    if sum(p is not None for p in new.prints) < 2:
        return
    twins = [k for k in found if same(k.prints, new.prints)]
    named_by_author = any(k.catalogued for k in twins) and not new.catalogued
    if named_by_author or any(k.message == new.message for k in twins) or len(twins) > 1:
        return
    found.append(new)
