"""The gradient of a single number, which has no dimensions: wrong answers are explained like those of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from graders.diagnosis.diagnose import diagnose
from graders.exercise.module import load
from graders.oracle.gradient import Oracle, cases
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.student.answer import Answer

EXERCISE = '''"""A number times a matrix."""

import torch


def inputs(rng, n=3, m=4):
    """Given."""
    return dict(x=torch.randn(n, m, generator=rng), a=torch.randn((), generator=rng))


def forward(x, a):
    """Given."""
    y = a * x
    loss = (y**2).sum()
    return locals()


def da(x, dy):
    """dL/da, ()."""
    return (x * dy).sum()
'''

WRONG: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "not summed": lambda x, dy: x * dy,
    "sign": lambda x, dy: -(x * dy).sum(),
    "upstream missing": lambda x, dy: x.sum(),
    "unknown": lambda x, dy: (x.exp() * dy).sum(),
}


@pytest.mark.parametrize(("cause", "answer"), WRONG.items(), ids=WRONG)
def test_a_gradient_without_dimensions(cause: str, answer: Callable[[Tensor, Tensor], Tensor], tmp_path: Path) -> None:
    (tmp_path / "scalar.py").write_text(EXERCISE)
    exercise = load(tmp_path / "scalar.py")
    oracles = [Oracle(exercise, case) for case in cases(exercise)]
    trials = [Trial(o, "a", Answer(Outcome.ANSWERED, answer(o.values["x"], o.upstream["y"]))) for o in oracles]
    assert diagnose(trials).cause == cause
