"""The library of wrong answers to an exercise: what its author catalogued, and every mutant of a right answer."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from graders.authoring.catalogue import Example, by_function, examples
from graders.authoring.mutants import Mutant, mutants
from graders.diagnosis.fingerprints import Fingerprints, Known, fingerprint, same
from graders.exercise.module import Exercise, Gradient, functions_of
from graders.oracle import compare
from graders.oracle.gradient import Oracle, cases
from graders.oracle.questions import offer
from graders.oracle.trial import Trial
from graders.student import module as student
from graders.student.module import Problem

PUBLIC_SEED = 2147483647


def try_out(function: Callable[..., Any], exercise: Exercise, gradient: Gradient, oracle: Oracle) -> Trial:
    """Run a trusted answer at one case, without the guards that a student's needs."""
    return try_together(function, exercise, [gradient], oracle)[0]


def try_together(
    function: Callable[..., Any], exercise: Exercise, gradients: Sequence[Gradient], oracle: Oracle
) -> list[Trial]:
    """One call of a function, and a trial for each of the gradients that it returns."""
    given = student.arguments(function, *offer(gradients[0], oracle, oracle.upstream))
    if isinstance(given, Problem):
        return [Trial(oracle, g.target, None, given) for g in gradients]
    before = {k: v.clone() for k, v in given.items() if isinstance(v, Tensor)}
    try:
        with warnings.catch_warnings(action="ignore"):  # a wrong answer may well divide by zero
            answers = student.call(function, given)
        changed = next((name for name, value in before.items() if not torch.equal(given[name], value)), None)
        if changed:
            raise ValueError(f"changed its argument `{changed}` in place")
    except Exception as error:
        problem = Problem(f"{type(error).__name__}: {error}")
        return [Trial(oracle, g.target, None, problem) for g in gradients]
    return [_trial(answers, exercise, g, oracle) for g in gradients]


def _trial(answers: object, exercise: Exercise, gradient: Gradient, oracle: Oracle) -> Trial:
    try:
        chosen = compare.element(answers, gradient.index, exercise.returned(gradient))
        return Trial(oracle, gradient.target, compare.as_tensor(chosen, torch.float64))
    except compare.NotATensor as error:
        return Trial(oracle, gradient.target, None, Problem(str(error)))


def lookalikes(exercise: Exercise, gradient: Gradient, oracle: Oracle) -> dict[str, list[str]]:
    """For each name that an answer to `gradient` may ask for, the names that fit in its place."""
    offered = offer(gradient, oracle, oracle.upstream)[0]
    tensors = {k: v for k, v in offered.items() if isinstance(v, Tensor) and v.is_floating_point() and v.dim()}
    return {
        name: [
            other
            for other, rival in tensors.items()
            if other != name and (other in gradient.parameters or rival.shape == value.shape)
        ]
        for name, value in tensors.items()
    }


def mutants_of(exercise: Exercise, gradient: Gradient, oracle: Oracle, right: Iterable[Example]) -> Iterator[Mutant]:
    """Mutants of the reference solution first, then those of the right alternatives."""
    similar = lookalikes(exercise, gradient, oracle)
    tree = next(f for f in functions_of(ast.parse(exercise.text)) if f.name == gradient.function)
    yield from mutants(tree, exercise.namespace, similar)
    for example in right:
        if example.gradient == gradient.name:
            yield from mutants(example.tree, example.namespace, similar)


def library(exercise: Exercise) -> Fingerprints:
    """Fingerprints of all known wrong answers at the public cases; a tie is kept under its first two messages."""
    oracles = [Oracle(exercise, case) for case in cases(exercise, PUBLIC_SEED)]
    wrong, right = examples(exercise, "wrong"), examples(exercise, "right")
    found: dict[str, list[Known]] = {gradient.name: [] for gradient in exercise.gradients}
    for group in by_function(exercise):
        for example in wrong:
            if example.gradient == group[0].name and "wrong order" not in example.causes:
                # (of gradients in a wrong order the graph tells which stands where, line by line)
                tried = [try_together(example.function, exercise, group, oracle) for oracle in oracles[1:]]
                _add(found, group, tried, example.causes[0], example.message, catalogued=True)
        for mutant in mutants_of(exercise, group[0], oracles[1], right):
            if "torch.empty" in mutant.source:
                continue  # may read memory that was never written: other numbers every time
            tried = [try_together(mutant.function, exercise, group, oracle) for oracle in oracles[1:]]
            _add(found, group, tried, mutant.cause, mutant.message)
    return Fingerprints(PUBLIC_SEED, {name: tuple(known) for name, known in found.items()})


def _add(
    found: dict[str, list[Known]],
    group: Sequence[Gradient],
    tried: Sequence[Sequence[Trial]],
    cause: str,
    message: str,
    catalogued: bool = False,
) -> None:
    """Add a wrong function's fingerprints to those of the gradients that it spoils."""
    for number, gradient in enumerate(group):
        trials = [each[number] for each in tried]
        if not all(t.passes for t in trials):
            known = Known(cause, message, fingerprint([trials[0], *trials]), catalogued)
            _add_one(found[gradient.name], known)


def _add_one(found: list[Known], new: Known) -> None:
    """Keep what says something new: at most two messages for the same numbers, an author's before a mutant's."""
    if sum(p is not None for p in new.prints) < 2:
        return
    twins = [k for k in found if same(k.prints, new.prints)]
    told_by_author = any(k.catalogued for k in twins) and not new.catalogued
    if told_by_author or any(k.message == new.message for k in twins) or len(twins) > 1:
        return
    found.append(new)
