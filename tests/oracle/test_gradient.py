"""The oracle against finite differences and against itself: linear, complete in its branches, deaf to other paths."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.exercise.cases import Case, cases
from graders.exercise.module import Exercise, load
from graders.oracle.gradient import Oracle
from tests.support.stubs import NINJA, REFERENCE

EXERCISES = ["ex1_atomic", "ex2_cross_entropy", "ex3_batchnorm"]


@cache
def exercise_of(name: str) -> Exercise:
    return load(REFERENCE / NINJA / f"{name}.py")


@cache
def oracle_of(name: str, case: int = 1) -> Oracle:
    exercise = exercise_of(name)
    return Oracle(exercise, cases(exercise)[case])


ALL = [(name, g.target) for name in EXERCISES for g in exercise_of(name).gradients]


@pytest.mark.parametrize(("name", "target"), ALL)
def test_branches_add_up(name: str, target: str) -> None:
    oracle = oracle_of(name)
    total = sum(b.contribution for b in oracle.branches(target))
    assert torch.allclose(torch.as_tensor(total), oracle.vjp(target), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "target"), ALL)
def test_true_gradients_are_what_chained_vjps_give(name: str, target: str) -> None:
    """Fed with the true gradients of its consumers, a vector-Jacobian product is the true gradient."""
    oracle = oracle_of(name)
    true = oracle.true_gradients
    assert torch.allclose(oracle.vjp(target, true), true[target], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("name", "target"), ALL)
def test_a_gradient_sees_its_direct_upstream_only(name: str, target: str) -> None:
    oracle = oracle_of(name)
    far = set(oracle.watched) - set(oracle.consumers(target)) - {target}
    elsewhere = {other: torch.randn_like(oracle.upstream[other]) for other in far}
    assert torch.equal(oracle.vjp(target, elsewhere), oracle.vjp(target))


@settings(max_examples=30)
@given(st.sampled_from(ALL), st.floats(-3, 3), st.integers(0, 10**6))
def test_linear_in_the_upstream_gradient(where: tuple[str, str], factor: float, seed: int) -> None:
    oracle = oracle_of(where[0])
    consumers = [c for c in oracle.consumers(where[1]) if c != "loss"]
    rng = torch.Generator().manual_seed(seed)
    other = {c: torch.randn(oracle.upstream[c].shape, generator=rng, dtype=torch.float64) for c in consumers}
    mixed = {c: oracle.upstream[c] + factor * other[c] for c in consumers}
    if consumers:
        sum_of_two = oracle.vjp(where[1]) + factor * oracle.vjp(where[1], other)
        assert torch.allclose(oracle.vjp(where[1], mixed), sum_of_two, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", EXERCISES)
def test_true_gradients_agree_with_finite_differences(name: str) -> None:
    exercise = exercise_of(name)
    case = Case("small", dict.fromkeys(exercise.sizes, 3), 5)
    oracle = Oracle(exercise, case)
    inputs = exercise.inputs(torch.Generator().manual_seed(case.seed), **case.keywords)
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    for target in (k for k, v in inputs.items() if v.is_floating_point() and k in oracle.watched):
        step = torch.zeros_like(inputs[target])
        step.view(-1)[1] = 1e-5
        up, down = ({**inputs, target: inputs[target] + sign * step} for sign in (1, -1))
        slope = (exercise.forward(**up)["loss"] - exercise.forward(**down)["loss"]) / 2e-5
        assert slope.item() == pytest.approx(oracle.true_gradients[target].view(-1)[1].item(), rel=1e-4, abs=1e-8)


def test_who_consumes_whom() -> None:
    oracle = oracle_of("ex1_atomic")
    assert {t: set(oracle.consumers(t)) for t in ("counts", "logits", "hprebn", "logprobs", "C")} == {
        "counts": {"probs", "counts_sum"},
        "logits": {"norm_logits", "logit_maxes"},
        "hprebn": {"bndiff", "bnmeani"},
        "logprobs": {"loss"},
        "C": {"emb"},
    }


@pytest.mark.parametrize("name", EXERCISES)
def test_cases_leave_no_room(name: str) -> None:
    exercise = exercise_of(name)
    labels = {case.label: case for case in cases(exercise)}
    for label in ("primes", "other primes"):
        sizes = list(labels[label].keywords.values())
        assert len(set(sizes)) == len(sizes) and min(sizes) >= 2 and sizes[0] >= 3
    assert len(set(labels["equal sizes"].keywords.values())) == 1
    assert set(exercise.extremes) <= labels.keys()
    for case in cases(exercise):
        values = Oracle(exercise, case).values
        for index in (v for k, v in values.items() if k in ("Xb", "Yb")):
            assert len(index.unique()) < index.numel(), "an index must occur twice"
