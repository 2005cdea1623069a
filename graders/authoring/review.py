"""What an author can get wrong in a reference module, told all at once: where it is, what it is, how to mend it.

First the text is read. A text in order is run: inputs(), forward(), every solution, each at every case.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graders.authoring import entries
from graders.diagnosis.diagnose import diagnose
from graders.exercise.cases import PRIMES, PUBLIC_SEED, Case, cases
from graders.exercise.forward import line_of
from graders.exercise.identity import IDENTITY, identity_of
from graders.exercise.mistake import ExerciseError, Mistakes, told_as_mistake
from graders.exercise.module import (
    Exercise,
    Gradient,
    functions_of,
    load,
    parse,
    references,
    targets_of,
    text_of,
    tree_of,
)
from graders.exercise.stub import markers, stub
from graders.oracle.gradient import Oracle
from graders.oracle.questions import question
from graders.oracle.trial import Trial
from graders.student.answer import ask

FREE = "take sizes from the tensors (n = x.shape[0]), not as numbers: every size of inputs() is changed."


def reviewed_all(folder: Path) -> list[Exercise]:
    """The exercises of reference/, in order. Raises ExerciseError with the mistakes of all modules."""
    mistakes, found, first = Mistakes(), list[Exercise](), dict[str, Path]()
    for path in references(folder):
        identity = identity_of(path)
        if not IDENTITY.fullmatch(identity):
            mistakes.add(path, 1, f"{identity} is no name of an exercise", "call unit and module as Python names.")
        other = first.setdefault(identity.lower(), path)
        if other is not path:  # files of a kit that some systems take for one
            mistakes.add(path, 1, f"a second exercise is called {identity} ({other})", "give it a name of its own.")
        with mistakes.collected():
            exercise = reviewed(path)
            check_solutions(exercise)
            found.append(exercise)
    mistakes.refuse()
    return found


def reviewed(path: Path) -> Exercise:
    """A module whose text and forward pass are in order. Raises ExerciseError."""
    text, mistakes = text_of(path), Mistakes()
    functions, lines = functions_of(tree_of(text, path)), text.splitlines()
    with mistakes.collected():
        parse(text, path)
    for function in functions:
        if targets_of(function):
            with mistakes.collected():
                markers(lines, function, path)
            entries.check(function, path, mistakes)
    mistakes.refuse()
    exercise = load(path)
    with mistakes.collected():
        stub(exercise)  # a marker that belongs to no solution
    with mistakes.collected():
        _check_inputs(exercise)
        _check_forward(exercise)
    mistakes.refuse()
    return exercise


def _check_inputs(exercise: Exercise) -> None:
    """inputs() draws all from its generator, and has no more sizes than there are different primes for."""
    path, line, mistakes = exercise.path, line_of(exercise, "inputs"), Mistakes()
    most = len(PRIMES[0])
    if len(exercise.sizes) > most:
        what = f"inputs() has {len(exercise.sizes)} sizes, and {most} are the most"
        mistakes.add(path, line, what, "compute the others inside inputs().")
    with told_as_mistake(path, "inputs()", "inputs(rng) must give the lecture's values.", line):
        first, again, other = (exercise.inputs(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    if isinstance(first, dict):
        if not _same(first, again):
            what = "inputs() gives other values each time, though its generator begins with the same seed"
            mistakes.add(path, line, what, "draw everything from rng: torch.randn(n, m, generator=rng).")
        elif _same(first, other):
            what = "inputs() gives the same values for two seeds: it does not draw from rng"
            mistakes.add(path, line, what, "draw from it: torch.randn(n, m, generator=rng).")
    mistakes.refuse()


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.equal(a, b)
    return type(a) is type(b) and bool(a == b)


def _check_forward(exercise: Exercise) -> None:
    """forward() runs at every case, and gives what can be graded."""
    for number, case in enumerate(cases(exercise)):
        at = "" if number == 0 else f" at {_sizes(exercise, case)}"
        remedy = FREE if number else "forward(**inputs(rng)) must run."
        with told_as_mistake(exercise.path, "inputs()", remedy, line_of(exercise, "inputs")):
            exercise.inputs(torch.Generator().manual_seed(case.seed), **case.keywords)
        with told_as_mistake(exercise.path, f"forward(){at}", remedy, line_of(exercise, "forward")):
            Oracle(exercise, case)


def _sizes(exercise: Exercise, case: Case) -> str:
    """How a case differs from the lecture's: 'n=11, vocab=7'."""
    return ", ".join(f"{name}={value}" for name, value in case.keywords.items()) or "the lecture's sizes"


def check_solutions(exercise: Exercise) -> None:
    """Every solution is what autograd says, at every case. Raises ExerciseError with all that are not."""
    mistakes = Mistakes()
    oracles = [Oracle(exercise, case) for case in cases(exercise, PUBLIC_SEED)]
    for group in exercise.by_function.values():
        with mistakes.collected():
            tried = [_trials(exercise, group, oracle, first=oracle is oracles[0]) for oracle in oracles]
            for number, gradient in enumerate(group):
                with mistakes.collected():
                    _judge(exercise, gradient, [each[number] for each in tried])
    mistakes.refuse()


def _trials(exercise: Exercise, group: Sequence[Gradient], oracle: Oracle, first: bool) -> list[Trial]:
    function = exercise.namespace[group[0].function]
    at = "" if first else f" at {_sizes(exercise, oracle.case)}"
    remedy = "the solution must run." if first else FREE
    with told_as_mistake(exercise.path, f"the solution of {group[0].function}(){at}", remedy, group[0].line):
        answers = ask(function, question(group, oracle))
    return [Trial(oracle, g.target, answer, strict=True) for g, answer in zip(group, answers, strict=True)]


def _judge(exercise: Exercise, gradient: Gradient, trials: Sequence[Trial]) -> None:
    bad = next((trial for trial in trials if not trial.passes), None)
    if bad is None:
        return
    what, remedy = f"the solution's {gradient.name} is not what autograd says", "mend the solution, or forward()."
    if bad.problem:
        what = f"the solution of {gradient.name}: {bad.problem.reason}"
    elif bad.right and bad.answer is not None:
        what = f"the solution's {gradient.name} has shape {tuple(bad.answer.shape)}, not {tuple(bad.expected.shape)}"
        remedy = "give it the very shape, with keepdim=True or a reshape."
    elif trials[0].passes and bad.oracle.sizes != trials[0].oracle.sizes:
        what, remedy = f"{what} at {_sizes(exercise, bad.oracle.case)}, only at the lecture's sizes", FREE
    else:
        why = diagnose(trials)
        what = f"{what}: {why.message}" if why.message else what
    raise ExerciseError(exercise.path, gradient.line, what, remedy)
