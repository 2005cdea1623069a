"""Sentences that were false once: what each of these answers is told, and what it must not be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from graders.authoring.library import try_out, try_together
from graders.diagnosis.diagnose import diagnose
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import open_kit
from graders.oracle.gradient import Oracle, Oracles
from graders.oracle.trial import Diagnosis
from graders.verdict.chained import self_check
from tests.support.stubs import EXERCISES, NINJA, fill, solutions

ORACLES: dict[str, list[Oracle]] = {}


def told(exercise_name: str, item: str, function: Callable[..., Tensor], with_kit: bool = True) -> Diagnosis:
    """What a student reads of this answer."""
    kit = open_kit(EXERCISES / NINJA / f"{exercise_name}.py")
    oracles = ORACLES.setdefault(exercise_name, Oracles(kit.exercise).all)
    gradient = replace(kit.exercise.gradient(item), index=None)
    trials = [try_out(function, alone(kit.exercise, gradient), gradient, oracle) for oracle in oracles]
    known = kit.fingerprints.of(item, PUBLIC_SEED) if with_kit else ()
    return diagnose(trials, known, laws=gradient.laws)


def alone(exercise: Any, gradient: Any) -> Any:
    """The exercise as if this gradient had a function of its own."""
    gradients = tuple(gradient if g.name == gradient.name else g for g in exercise.gradients)
    return replace(exercise, gradients=tuple(replace(g, function=g.name) for g in gradients))


def counts_for_counts_sum(counts: Tensor, dcounts_sum_inv: Tensor) -> Tensor:
    return -(counts**-2) * dcounts_sum_inv


def kept_dim(dlogits: Tensor) -> Tensor:
    return dlogits.sum(0, keepdim=True)


def epsilon_outside(bnvar: Tensor, dbnvar_inv: Tensor) -> Tensor:
    return -0.5 * (bnvar**-1.5 + 1e-5) * dbnvar_inv


def tiny_epsilon(bnvar: Tensor, dbnvar_inv: Tensor) -> Tensor:
    return -0.5 * (bnvar + 1e-8) ** -1.5 * dbnvar_inv


def fused_without_epsilon(dhpreact: Tensor, bngain: Tensor, bnraw: Tensor, hprebn: Tensor) -> Tensor:
    n = len(bnraw)
    bracket = dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain / hprebn.std(0, keepdim=True) * bracket


def no_variance(dhpreact: Tensor, bngain: Tensor, bnvar_inv: Tensor) -> Tensor:
    return bngain * bnvar_inv * (dhpreact - dhpreact.mean(0))


def one_power_less(counts_sum: Tensor, dcounts_sum_inv: Tensor) -> Tensor:
    return counts_sum**-1 * dcounts_sum_inv


def multiplied(bndiff2: Tensor, dbnvar: Tensor) -> Tensor:
    return torch.ones_like(bndiff2) * dbnvar * (len(bndiff2) - 1)


def whole_chain(logits: Tensor, Yb: Tensor) -> Tensor:
    return (torch.softmax(logits, 1) - torch.nn.functional.one_hot(Yb, logits.shape[1])) / len(logits)


def zeros(bngain: Tensor) -> Tensor:
    return torch.zeros_like(bngain)


def probabilities_negated(logits: Tensor) -> Tensor:
    return -torch.softmax(logits, 1) / len(logits)


TOLD: list[tuple[str, str, Callable[..., Tensor], str, Sequence[str]]] = [
    ("ex1_atomic", "dcounts_sum", counts_for_counts_sum, "`counts`", ["was broadcast", "not summed"]),
    ("ex1_atomic", "dbnvar", epsilon_outside, "added outside of it", ["epsilon is missing:"]),
    ("ex1_atomic", "dbnvar", tiny_epsilon, "an epsilon", ["is missing"]),
    ("ex3_batchnorm", "dhprebn", fused_without_epsilon, "an epsilon", ["no known"]),
    ("ex3_batchnorm", "dhprebn", no_variance, "through the variance is missing", ["brackets"]),
    ("ex1_atomic", "dcounts_sum", one_power_less, "minus what comes out without a factor `counts_sum_inv`", []),
    ("ex1_atomic", "dbndiff2", multiplied, "as if multiplied by n - 1", ["no known"]),
    ("ex1_atomic", "dlogits", whole_chain, "in the whole chain, whatever arrives", ["100 %"]),
    ("ex1_atomic", "dbngain", zeros, "It is zero", ["Nothing but rounding is left"]),
    ("ex2_cross_entropy", "dlogits", probabilities_negated, "", ["`logits` is missing as a term"]),
]


@pytest.mark.parametrize(
    ("exercise", "item", "function", "said", "unsaid"), TOLD, ids=[row[2].__name__ for row in TOLD]
)
def test_what_an_answer_is_told(
    exercise: str, item: str, function: Callable[..., Tensor], said: str, unsaid: Sequence[str]
) -> None:
    message = told(exercise, item, function).message
    assert said in message and not [claim for claim in unsaid if claim in message], message
    assert ".;" not in message and ".," not in message


def backward(changed: Callable[..., Any]) -> dict[str, Diagnosis]:
    """The diagnoses of a backward pass that is right but for a change of its seven results."""
    kit = open_kit(EXERCISES / NINJA / "ex4_training.py")
    oracles = ORACLES.setdefault("ex4_training", Oracles(kit.exercise).all)
    group = kit.exercise.gradients
    namespace: dict[str, Any] = {}
    exec(fill(kit.stub, solutions("ex4_training")), namespace)
    right = namespace["backward"]

    def function(**asked: Tensor) -> Any:
        return changed(*right(**asked))

    trials = {g.name: [] for g in group}  # type: dict[str, list[Any]]
    for oracle in oracles:
        asked = {name: oracle.values[name] for name in group[0].parameters}
        for gradient, tensor in zip(group, function(**asked), strict=True):
            right_one = try_together(lambda C: [C] * len(group), group, oracle)[0]
            trials[gradient.name].append(replace(right_one, target=gradient.target).answering(tensor))
    failing = {name: found for name, found in trials.items() if not all(t.passes for t in found)}
    return {
        name: diagnose(found, kit.fingerprints.of(name, PUBLIC_SEED), [o for n, o in trials.items() if n != name])
        for name, found in failing.items()
    }


def test_one_wrong_sign_says_nothing_of_the_other_six() -> None:
    found = backward(lambda dC, dW1, db1, dW2, db2, dg, db: (dC, dW1, db1, -dW2, db2, dg, db))
    assert list(found) == ["dW2"]
    assert "every gradient" not in found["dW2"].message and "sign" in found["dW2"].message


def test_two_exchanged_gradients_are_named_together() -> None:
    found = backward(lambda dC, dW1, db1, dW2, db2, dg, db: (dC, dW1, db1, dW2, db2, db, dg))
    assert list(found) == ["dbngain", "dbnbias"]
    assert all("exchanged" in d.message and "`bngain`" in d.message and "`bnbias`" in d.message for d in found.values())


def test_right_in_the_chain_only(tmp_path: Any) -> None:
    """Beside `exact: True` no sentence may read as if the numbers above were wrong."""
    kit = open_kit(EXERCISES / NINJA / "ex1_atomic.py")
    bodies = solutions("ex1_atomic") | {"db1": "return torch.zeros_like(b1)"}
    text = fill(kit.stub, bodies).replace("def db1(dhprebn)", "def db1(dhprebn, b1)")
    path = tmp_path / "ex1_atomic.py"
    path.write_text(text)
    result = self_check(replace(kit, path=path)).result("db1")
    assert result.lecture is not None and result.lecture.approximate
    assert result.message.startswith("right in the whole chain, but wrong when other numbers arrive: ")
