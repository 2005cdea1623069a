"""A student sees warnings of the student's own code, none of ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
import torch

from graders.authoring.catalogue import examples
from graders.authoring.library import try_out
from graders.diagnosis.diagnose import diagnose
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import open_kit
from graders.exercise.module import load
from graders.oracle.gradient import Oracles
from tests.support.stubs import EXERCISES, NINJA, REFERENCE


@pytest.fixture
def warnings_are_errors() -> Iterator[None]:
    torch.set_warn_always(True)  # else torch warns once a process, perhaps in an earlier test
    with warnings.catch_warnings(action="error"):
        yield
    torch.set_warn_always(False)


@pytest.mark.usefixtures("warnings_are_errors")
@pytest.mark.parametrize("name", ["ex1_atomic", "ex2_cross_entropy", "ex3_batchnorm", "ex4_training"])
def test_no_diagnosis_of_a_wrong_answer_warns(name: str) -> None:
    exercise = load(REFERENCE / NINJA / f"{name}.py")
    known = open_kit(EXERCISES / NINJA / f"{name}.py").fingerprints
    oracles = Oracles(exercise).all
    for example in examples(exercise, "wrong"):
        gradient = exercise.gradient(example.gradient)
        trials = [try_out(example.function, exercise, gradient, oracle) for oracle in oracles]
        if trials[0].problem is None:
            assert diagnose(trials).cause
            assert diagnose(trials, known.of(gradient.name, PUBLIC_SEED)).cause
