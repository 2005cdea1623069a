"""The commands that an instructor begins with: `course DIR` and `release --notebooks DIR`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from graders.cli.main import main
from graders.notebook import solutions
from tests.support.course import Notebook
from tests.support.stubs import NINJA, REFERENCE

EXERCISE = "backprop_ninja--ex2_cross_entropy"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one exercise: every solution is run in a kernel."""
    folder = tmp_path_factory.mktemp("project") / "reference"
    for kind in ("", "wrong", "right", "equivalent"):
        (folder / NINJA / kind).mkdir(parents=True, exist_ok=True)
        for path in (REFERENCE / NINJA / kind).glob("ex2_cross_entropy.*"):
            shutil.copy(path, folder / NINJA / kind)
    return folder


def run(*arguments: object) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def written(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("wrote")]


@pytest.fixture(scope="module")
def made(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A course's folder, and what the command said."""
    folder = tmp_path_factory.mktemp("made") / "my course"
    return folder, run("course", folder, "--reference", reference)


@pytest.fixture
def solution(made: tuple[Path, str]) -> Notebook:
    return json.loads((made[0] / "solutions" / f"{EXERCISE}.ipynb").read_text())


def test_a_course_is_set_up_and_says_what_comes_next(made: tuple[Path, str]) -> None:
    folder, output = made
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "nbgrader_config.py",
        f"solutions/{EXERCISE}.ipynb",
        f"source/{EXERCISE}/{EXERCISE}.ipynb",
        f"source/{EXERCISE}/kit/{EXERCISE}.json",
    ]
    assert output.count("wrote ") == 4 and "nbgrader generate_assignment" in output
    assert 'course_id = "my_course"' in (folder / "nbgrader_config.py").read_text()


def test_the_solution_is_run_and_derived(solution: Notebook) -> None:
    cells = {cell["id"]: cell for cell in solution["cells"]}
    (shown,) = cells[f"{EXERCISE}-test-dlogits"]["outputs"]
    assert "approximate: True" in "".join(shown["data"]["text/plain"])
    assert "<svg" in "".join(shown["data"]["text/html"])
    assert "".join(cells[f"{EXERCISE}-why-dlogits"]["source"]).startswith("**Derivation.**")
    assert "SOLUTION" not in json.dumps(solution)


def test_the_same_again_writes_nothing(made: tuple[Path, str], reference: Path) -> None:
    folder, _ = made
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert written(run("release", "--notebooks", folder, "--reference", reference)) == []
    output = run("course", folder, "--reference", reference)
    assert "add: from graders.nb.course import configure; configure(c)" in output
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_was_changed_by_hand_is_made_anew_and_told(made: tuple[Path, str], reference: Path) -> None:
    path = made[0] / "source" / EXERCISE / f"{EXERCISE}.ipynb"
    good = path.read_text()
    path.write_text(good.replace("check(dlogits)", "pass"))
    assert written(run("release", "--notebooks", made[0], "--reference", reference)) == [f"wrote {path}"]
    assert path.read_text() == good


def test_a_solution_that_fails_is_told_with_its_exercise() -> None:
    notebook = new_notebook(cells=[new_code_cell("raise ValueError('no')")])
    with pytest.raises(solutions.Unsolved, match="ex9: ValueError: no"):
        solutions.run(notebook, "ex9", "{}")
