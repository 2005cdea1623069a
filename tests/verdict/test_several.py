"""A function that returns several gradients, and the short training run that goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.exercise.cases import cases
from graders.exercise.kit import Kit
from graders.exercise.mistake import ExerciseError
from graders.exercise.module import load
from graders.exercise.stub import stub as stub_of
from graders.oracle.gradient import Oracle
from graders.student.module import InProcess, load_student
from graders.verdict.chained import Chained
from graders.verdict.grader import Cases
from graders.verdict.result import Result

MODULE = '''"""A line through points."""

import torch

from graders import gradients


def inputs(rng, n=4, m=3):
    return dict(w=torch.randn(m, generator=rng), b=torch.randn(1, generator=rng), x=torch.randn(n, m, generator=rng))


def forward(w, b, x):
    y = x @ w + b
    centred = y - y.mean()
    loss = (centred**2).mean() + (w**2).sum()
    return locals()


# --- the line ---


@gradients("w", "b")
def backward(w, x, centred):
    """The gradients of w and b.

    Points: 2
    Hint 1: Think.
    """
    ### BEGIN SOLUTION
    dw = 2 / len(x) * x.T @ (centred - centred.mean()) + 2 * w
    return dw, torch.zeros_like(w[:1])
    ### END SOLUTION


def run(gradients, rng, steps=20):
    """Descend.

    Points: 3
    """
    p = inputs(rng)
    losses = []
    for _ in range(steps):
        values = forward(**p)
        losses.append(values["loss"].item())
        dw, db = gradients(values)
        p["w"], p["b"] = p["w"] - 0.1 * dw, p["b"] - 0.1 * db
    return losses
'''


def results(tmp_path: Path, edit: tuple[str, str] = ("", "")) -> dict[str, Result]:
    path, mine = tmp_path / "line.py", tmp_path / "mine.py"
    path.write_text(MODULE)
    assert edit[0] in MODULE
    mine.write_text(MODULE.replace(*edit))
    exercise = load(path)
    cases = Cases.at_home(exercise, Kit(path, MODULE, "", ""))
    check = Chained(exercise, InProcess(load_student(mine)), cases)
    return {result.item: result for result in check.results()}


def test_each_gradient_has_its_own_line_and_the_run_one_more(tmp_path: Path) -> None:
    right = results(tmp_path)
    assert list(right) == ["dw", "db", "run"]
    assert all(result.right for result in right.values())
    exercise = load(tmp_path / "line.py")
    assert [exercise.gradient(name).points for name in right] == [2, 2, 3]


EDITS = [
    ("one gradient wrong", ("+ 2 * w\n", "\n"), {"dw": "wrong", "db": "exact", "run": "wrong"}),
    ("not zero up to rounding", ("torch.zeros_like(w[:1])", "torch.full_like(w[:1], 1e-4)"), {"db": "wrong"}),
    ("one value for two", ("return dw, torch.zeros_like(w[:1])", "return dw"), {"dw": "error", "run": "error"}),
    ("three values", ("return dw, torch", "return dw, dw, torch"), {"dw": "error", "db": "error", "run": "error"}),
    ("swapped", ("return dw, torch.zeros_like(w[:1])", "return torch.zeros_like(w[:1]), dw"), {"dw": "wrong shape", "db": "wrong shape"}),
    ("a leftover raise", ("    dw = 2 / len(x)", "    raise NotImplementedError\n    dw = 2 / len(x)"), {"dw": "error", "db": "error", "run": "error"}),
    ("gone", ("def backward(", "def backwards("), {"dw": "error", "run": "error"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "edit", "states"), EDITS, ids=[e[0] for e in EDITS])
def test_states(tmp_path: Path, what: str, edit: tuple[str, str], states: dict[str, str]) -> None:
    found = results(tmp_path, edit)
    assert {name: found[name].outcome.state for name in states} == states


def test_the_first_step_that_departs_is_named(tmp_path: Path) -> None:
    message = results(tmp_path, ("+ 2 * w\n", "\n"))["run"].message
    assert message.startswith("step 1 is the first that departs: loss ") and message.endswith(": dw is wrong")


def test_how_many_are_wanted_is_said(tmp_path: Path) -> None:
    edit = ("return dw, torch.zeros_like(w[:1])", "return dw")
    assert "return 2 gradients, in the order of @gradients" in results(tmp_path, edit)["db"].message


def test_a_gradient_that_is_zero_but_for_rounding_is_measured_by_the_others(tmp_path: Path) -> None:
    path = tmp_path / "line.py"
    path.write_text(MODULE)
    exercise = load(path)
    oracle = Oracle(exercise, cases(exercise)[1])
    assert oracle.expected("b").abs().max() < 1e-14
    assert oracle.scale("b") == oracle.scale("w") > 0.1


def test_the_stub(tmp_path: Path) -> None:
    path = tmp_path / "line.py"
    path.write_text(MODULE)
    stub = stub_of(load(path))
    assert "2 points for each gradient" in stub and "3 points, difficulty" in stub
    assert "Hint" not in stub and "centred.mean()) + 2" not in stub and "raise NotImplementedError" in stub


def test_a_gradient_promised_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.py"
    path.write_text(MODULE + "\n\ndef dw(x):\n    '''Again.'''\n")
    with pytest.raises(ExerciseError, match="dw is returned by backward and by dw"):
        load(path)
