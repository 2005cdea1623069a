"""One check, whoever answers: in this process and in the sandbox the same answers get the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.exercise.kit import Kit, open_kit
from graders.oracle.gradient import Oracles
from graders.sandbox.sandbox import Sandbox, Sandboxed
from graders.sandbox.task import Limits
from graders.student.module import InProcess, Respondent, load_student
from graders.verdict.grader import Cases, check
from graders.verdict.result import Result
from tests.conftest import Folder
from tests.support.sandboxes import sandbox_of
from tests.support.stubs import solutions

LIMITS = Limits(seconds=0.3)
RIGHT = solutions("ex1_atomic")
ANSWERS = {  # one function of exercise 1 each, so that one module holds them all
    "dlogprobs": "return torch.zeros_like(logprobs)",
    "dprobs": "return dlogprobs / (probs - probs)",
    "dcounts_sum_inv": "return (counts * dprobs).sum(1)",
    "dcounts_sum": "while True:\n    pass",
    "dcounts": "return None",
    "dnorm_logits": "dcounts *= counts\nreturn dcounts",
    "dlogit_maxes": "return [1, 2]",
    "dlogits": "return dnorm_logits @ dnorm_logits",
    "dh": "return dlogits @ W2",
    "dW2": "return h.T @ dlogits.float()",
    "db2": "return dlogits.sum(0) if len(dlogits) > 20 else missing",
    "dhpreact": "return (1 - h**2) * dh",
    "dbngain": "return dhpreact * bnraw",
    "dbnbias": "raise NotImplementedError",
    "dbnraw": "return dhpreact.to_sparse()",
    "dbnvar_inv": "raise MemoryError",
    "dbnvar": "return dbnvar",
    "dbndiff2": "return torch.ones(3)",
}
STYLES = {  # what stands above a function, or around it, is nobody's business
    "dlogprobs": "@torch.no_grad()",
    "dprobs": "@torch.inference_mode()",
    "dcounts_sum_inv": "@functools.lru_cache",
    "dcounts_sum": "@staticmethod",
    "dcounts": "@handed_on",
}
HANDED_ON = """
import functools


def handed_on(function):
    @functools.wraps(function)
    def inner(*arguments, **keywords):
        return function(*arguments, **keywords)

    return inner
"""
NAMED_TWICE = {"dbnvar": ("def dbnvar(bnvar, dbnvar_inv)", "def dbnvar(bnvar, dbnvar)")}


@pytest.fixture(scope="module", params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from sandbox_of(request.param, LIMITS)


def results(kit: Kit, respondent: Respondent) -> dict[str, Result]:
    """By name, at cases that are not the public ones, as a class's."""
    cases = Cases(Oracles(kit.exercise, seed=7), Oracles(kit.exercise), kit)
    return {result.item: result for result in check(kit.exercise, respondent, cases)}


@pytest.mark.parametrize("bodies", [{}, RIGHT, {**RIGHT, **ANSWERS}], ids=["untouched", "right", "eighteen ways"])
def test_the_same_answer_gets_the_same_outcome(
    sandbox: Sandbox, student_folder: Folder, bodies: dict[str, str]
) -> None:
    path: Path = student_folder("ex1_atomic", bodies)
    for name, (old, new) in NAMED_TWICE.items():
        if name in bodies and bodies is not RIGHT:
            path.write_text(path.read_text().replace(old, new))
    kit = open_kit(path)
    here = results(kit, InProcess(load_student(path), LIMITS.seconds))
    there = results(kit, Sandboxed(sandbox, path.read_bytes()))
    assert {name: result.outcome for name, result in here.items()} == {n: r.outcome for n, r in there.items()}
    assert {n: r.cause for n, r in here.items()} == {n: r.cause for n, r in there.items()}
    for name, result in there.items():
        if result.reason and here[name].reason:
            assert result.reason.code is here[name].reason.code, name  # type: ignore[union-attr]


def test_decorated_functions_are_right_everywhere(sandbox: Sandbox, student_folder: Folder) -> None:
    path: Path = student_folder("ex1_atomic", RIGHT)
    text = path.read_text()
    for name, above in STYLES.items():
        text = text.replace(f"def {name}(", f"{above}\ndef {name}(")
    path.write_text(text.replace("import torch\n", f"import torch\n{HANDED_ON}", 1))
    kit = open_kit(path)
    for respondent in (InProcess(load_student(path)), Sandboxed(sandbox, path.read_bytes())):
        found = results(kit, respondent)
        assert {name: found[name].message for name in STYLES if not found[name].right} == {}
