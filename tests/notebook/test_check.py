"""check() in a cell: what it shows, what it raises, what nbgrader's own Execute makes of it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from graders.notebook import display, incell
from graders.notebook.incell import NotRight, check
from graders.outcome import Outcome
from graders.report import signs
from tests.support.course import Course, filled, make
from tests.support.stubs import EXERCISES, NINJA, assignment, identity, solutions

STEM = "ex2_cross_entropy"
EXERCISE, ASSIGNMENT = identity(STEM), assignment(STEM)
RIGHT = solutions(STEM)["dlogits"]


@pytest.fixture(autouse=True)
def beside_the_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit").mkdir()
    shutil.copy(EXERCISES / NINJA / "kit" / f"{STEM}.json", tmp_path / "kit" / f"{ASSIGNMENT}.json")
    monkeypatch.chdir(tmp_path)
    incell._seen.clear()
    incell._checks.clear()


def dlogits(logits, Yb):
    dlogits = F.softmax(logits, 1)
    dlogits[torch.arange(len(Yb)), Yb] -= 1
    return dlogits / len(Yb)


def test_right_returns_nothing_and_prints_the_classic_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(dlogits) is None
    captured = capsys.readouterr()
    assert captured.out.startswith("logits ")
    assert "approximate: True" in captured.out
    assert captured.err == ""


def test_a_notebook_that_turned_autograd_off_is_checked_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    with torch.no_grad():
        check(dlogits)
    assert "approximate: True" in capsys.readouterr().out


@pytest.mark.parametrize("made", [lambda: functools.partial(dlogits), lambda: functools.cache(dlogits)])
def test_something_else_than_a_plain_function(
    made: Callable[[], Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = made()
    monkeypatch.setitem(globals(), "EXERCISE", EXERCISE)
    monkeypatch.setitem(globals(), "dlogits", function)
    assert check(function) is None


def test_not_by_hand_is_said_at_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    def cheated(logits, Yb):
        z = logits.clone().requires_grad_()
        return torch.autograd.grad(F.cross_entropy(z, Yb), z)[0]

    cheated.__name__ = "dlogits"
    with pytest.raises(NotRight):
        check(cheated)
    said = capsys.readouterr().out
    assert "`torch.autograd.grad` is not by hand" in said and "return torch.autograd.grad(F.cross_entropy" in said


def test_wrong_says_why_and_raises_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(logits, Yb):
        print("loud", file=sys.stderr)
        return -dlogits(logits, Yb)

    wrong.__name__ = "dlogits"
    with pytest.raises(NotRight, match=r"dlogits is not right yet \(wrong\)") as raised:
        check(wrong)
    captured = capsys.readouterr()
    assert "sign" in captured.out
    assert captured.err == ""
    assert raised.value._render_traceback_() == ["NotRight: dlogits is not right yet (wrong)"]


def test_a_rich_cell_shows_the_maps_and_folds_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(display, "show", lambda *of: shown.append(display.html(*of)))
    check(dlogits)
    assert signs.sign("passed", 14) in shown[0] and "logits: approximate" in shown[0]
    assert shown[0].count("<img ") == 3 and "<details open>" not in shown[0]
    wrong = types.FunctionType((lambda logits, Yb: logits).__code__, dlogits.__globals__, "dlogits")
    with pytest.raises(NotRight):
        check(wrong)
    assert signs.sign("wrong", 14) in shown[1] and "logits: wrong" in shown[1]
    assert "<details open><summary>yours" in shown[1] and "<details><summary>compute graph" in shown[1]


def test_every_state_has_the_sign_of_its_kind() -> None:
    kinds = {state: display.kind(state.state) for state in Outcome if state.graded and state is not Outcome.ANSWERED}
    assert {state for state, kind in kinds.items() if kind == "passed"} == {state for state in Outcome if state.right}
    assert kinds[Outcome.ERROR] == "failed" and kinds[Outcome.WRONG_SHAPE] == kinds[Outcome.WRONG] == "wrong"
    assert kinds[Outcome.NOT_ATTEMPTED] == "untouched" and display.kind("") == "none"


def test_untouched_is_not_attempted(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = {"EXERCISE": EXERCISE}
    exec(compile("def dlogits(logits, Yb):\n    raise NotImplementedError()", "cell", "exec"), namespace)
    import linecache

    linecache.cache["cell"] = (1, None, ["def dlogits(logits, Yb):\n", "    raise NotImplementedError()\n"], "cell")
    with pytest.raises(NotRight, match="dlogits is not attempted yet"):
        check(namespace["dlogits"])


def test_what_is_no_function_of_the_exercise_is_told() -> None:
    with pytest.raises(NotRight, match="there is no test_what"):
        check(test_what_is_no_function_of_the_exercise_is_told)
    with pytest.raises(NotRight, match="takes a function"):
        check(3)


def test_without_its_kit_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shutil.rmtree(tmp_path / "kit")
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(NotRight, match="download the assignment's whole folder"):
        check(dlogits)


def test_in_a_script_there_is_text_and_a_short_error(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f'import torch\nimport torch.nn.functional as F\nfrom graders.nb import check\nEXERCISE = "{EXERCISE}"\n'
        f"def dlogits(logits, Yb):\n{RIGHT}\ncheck(dlogits)\ndef dlogits(logits, Yb):\n    return logits\ncheck(dlogits)\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "approximate: True" in done.stdout
    assert "NotRight: dlogits is not right yet (wrong)" in done.stderr
    assert done.stderr.count("File ") == 2


NOISY = f"    import sys, warnings\n    warnings.warn('careful')\n    print('debug', file=sys.stderr)\n{RIGHT}"


def test_nbgraders_own_execute_gives_the_right_points(tmp_path_factory: pytest.TempPathFactory) -> None:
    course: Course = make(tmp_path_factory.mktemp("plain"), [ASSIGNMENT], trusted=False)
    released = course.released(ASSIGNMENT)
    bodies = {"noisy": NOISY, "wrong": "    return logits * 0.0"}
    for name, body in bodies.items():
        course.submit(name, ASSIGNMENT, filled(released, {"dlogits": body}))
    course.submit("untouched", ASSIGNMENT, released)
    course.nbgrader("autograde", ASSIGNMENT)
    points = {name: scores["dlogits"] for name, scores in course.scores(ASSIGNMENT).items()}
    assert points == {"noisy": 5.0, "wrong": 0.0, "untouched": 0.0}
