"""The commands, as a student and an author type them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from graders.cli.main import main
from tests.conftest import Folder
from tests.support.stubs import NINJA, REFERENCE, solutions


@pytest.fixture
def run(student_folder: Folder, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    path = student_folder("ex1_atomic", {k: v for k, v in solutions("ex1_atomic").items() if k in ("dprobs", "dh")})
    student_folder("ex2_cross_entropy")
    monkeypatch.chdir(path.parent)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    return command


def test_status(run) -> None:  # type: ignore[no-untyped-def]
    result = run("status")
    assert result.exit_code == 1
    assert "ex1_atomic" in result.output and "2/26" in result.output and "0/1" in result.output
    assert "next: ex1_atomic.py:" in result.output and "dlogprobs (not attempted)" in result.output


def test_hints_come_one_after_the_other(run) -> None:  # type: ignore[no-untyped-def]
    first, second, third, fourth = (run("hint", "dcounts").output for _ in range(4))
    assert "hint 1 of 3" in first and "hint 2 of 3" not in first
    assert "hint 2 of 3" in second and "hint 3 of 3" in third
    assert third == fourth and "That was the last hint." in third and "last" not in second
    assert all(len(line) <= 80 for line in third.splitlines())
    assert "hint 1 of 3" in run("hint", "ex1::dprobs").output


def test_a_name_in_two_exercises_asks_back(run) -> None:  # type: ignore[no-untyped-def]
    result = run("hint", "dlogits")
    assert result.exit_code == 1
    assert "say ex1_atomic::dlogits or ex2_cross_entropy::dlogits" in result.output


def test_an_unknown_name_lists_the_known(run) -> None:  # type: ignore[no-untyped-def]
    assert "no gradient dnothing. There are: dlogprobs, dprobs" in run("hint", "dnothing").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hint", "dcount"), "no gradient dcount: did you mean dcounts?"),
        (("hint", "count"), "no gradient count: did you mean dcounts?"),
        (("hint", "ex1_atomc::dcounts"), "no exercise ex1_atomc: did you mean ex1_atomic?"),
        (("hint", "zz::dcounts"), "no exercise zz. There are: ex1_atomic, ex2_cross_entropy"),
        (("statsu",), "Did you mean 'status'?"),
        (("hint", "dcounts", "--exercise", "x"), "Did you mean '--exercises'?"),
    ],
)
def test_what_is_misspelt_is_answered_by_what_is_near(run, arguments: tuple[str, ...], told: str) -> None:  # type: ignore[no-untyped-def]
    result = run(*arguments)
    assert result.exit_code and told in result.output


def test_a_derivation_is_readable_in_a_terminal(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "reference").symlink_to(REFERENCE)
    assert "∂L/∂pᵢⱼ = ∂L/∂ℓᵢⱼ ∂ℓᵢⱼ/∂pᵢⱼ" in run("solution", "dprobs").output


def test_solution_only_once_right(run, student_folder: Folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert "no solutions" in run("solution", "dprobs").output
    (tmp_path / "reference").symlink_to(REFERENCE)
    right = run("solution", "dprobs").output
    assert "return dlogprobs / probs" in right and "chain rule" in right
    assert "not right yet" in run("solution", "dcounts").output
    assert "counts_sum_inv * dprobs" in run("solution", "dcounts", "--give-up").output


def test_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["status"], ["hint", "dh"], ["release"], ["selfcheck"]):
        result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert result.exit_code == 1 and "no folder" in result.output


@pytest.mark.parametrize("command", ["", "status", "release", "grade", "train"])
def test_help_is_quick(command: str) -> None:
    """Nothing heavy is loaded for it, whatever else was asked for."""
    code = "import sys; from graders.cli.main import main; main(sys.argv[1:], standalone_mode=False)"
    code += "; sys.exit({'torch', 'rich', 'nbgrader', 'distributed', 'jinja2'} & sys.modules.keys() or 0)"
    done = subprocess.run([sys.executable, "-c", code, *command.split(), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--help" in done.stdout, done.stderr


def test_release_checks_and_refuses(tmp_path: Path) -> None:
    unit = tmp_path / "reference" / NINJA
    unit.mkdir(parents=True)
    module = unit / "ex2_cross_entropy.py"
    module.write_text((REFERENCE / NINJA / "ex2_cross_entropy.py").read_text())
    arguments = ["release", "--reference", str(tmp_path / "reference")]
    assert CliRunner().invoke(main, [*arguments, "--check"]).exit_code == 1
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert CliRunner().invoke(main, [*arguments, "--check"]).exit_code == 0
    module.write_text(module.read_text().replace("def dlogits(logits, Yb)", "def dlogits(logit, Yb)"))
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1 and f"{module}:" in refused.output and "asks for `logit`" in refused.output
