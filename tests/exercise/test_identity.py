"""An exercise is `unit/exercise` everywhere: two units with one name are never taken for each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.authoring import release
from graders.cli.main import main
from graders.exercise.identity import file_safe, identity_of, is_of, meant, short, typed
from graders.exercise.kit import kits_in
from graders.grading.grade import grade
from graders.notebook import source
from graders.notebook.incell import find_kit
from graders.report.publish import publish
from graders.report.scores import Report
from graders.submissions.cell_ids import grade_id, split_id
from tests.support.stubs import NINJA, REFERENCE, fill, solutions

CALLED = "ex2_cross_entropy"
TWINS = {f"{NINJA}/{CALLED}": CALLED, f"other/{CALLED}": "ex3_batchnorm"}  # and what each really is
KNOWN = [*TWINS, f"{NINJA}/ex1_atomic"]


@pytest.mark.parametrize(
    ("spelled", "found"),
    [
        (f"{NINJA}/{CALLED}", [f"{NINJA}/{CALLED}"]),
        (f"other--{CALLED}", [f"other/{CALLED}"]),
        (f"Other--{CALLED.upper()}", [f"other/{CALLED}"]),
        (CALLED, list(TWINS)),
        ("ex1_atomic", [f"{NINJA}/ex1_atomic"]),
        ("ex1", []),
        ("nothing", []),
    ],
)
def test_what_a_name_means(spelled: str, found: list[str]) -> None:
    assert meant(spelled, KNOWN) == found


@pytest.mark.parametrize(
    ("spelled", "found"),
    [
        ("ex1", [f"{NINJA}/ex1_atomic"]),
        (f"exercises/other/{CALLED}.py", [f"other/{CALLED}"]),
        ("elsewhere/ex1_atomic.py", [f"{NINJA}/ex1_atomic"]),
        ("ex9", []),
    ],
)
def test_what_somebody_types(spelled: str, found: list[str]) -> None:
    assert typed(spelled, KNOWN) == found


def test_forms() -> None:
    assert identity_of(Path("exercises", "unit", "ex.py")) == "unit/ex" and file_safe("unit/ex") == "unit--ex"
    assert is_of("ex", "unit/ex") and is_of("unit/ex", "unit/ex") and not is_of("other/ex", "unit/ex")
    assert split_id(grade_id("unit/ex", "answer", "dx")) == ("unit/ex", "answer", "dx")
    assert split_id("ex-answer-dx") == ("ex", "answer", "dx")  # of an earlier release


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "reference"
    for identity, stem in TWINS.items():
        path = folder / f"{identity}.py"
        path.parent.mkdir(parents=True)
        shutil.copy(REFERENCE / NINJA / f"{stem}.py", path)
    return folder


@pytest.fixture(scope="module")
def exercises(reference: Path) -> Path:
    folder = reference.parent / "exercises"
    release.write(release.build(reference), folder)
    return folder


def solved(exercises: Path, identity: str) -> str:
    return fill((exercises / f"{identity}.py").read_text(), solutions(TWINS[identity]))


@pytest.fixture(scope="module")
def report(exercises: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """Both units right, in folders, in files that bear the unit, and told by their functions alone."""
    folder = tmp_path_factory.mktemp("class")
    for identity in TWINS:
        text = solved(exercises, identity)
        for place in (f"alice/{identity}.py", f"bob/{file_safe(identity)}.py", f"carol_{file_safe(identity)}.py"):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text)
    (folder / f"dora_{CALLED}.py").write_text(solved(exercises, f"other/{CALLED}"))
    out = tmp_path_factory.mktemp("out")
    with grade(folder, out, exercises=exercises) as run:
        yield publish(run, out)


@pytest.mark.parametrize("student", ["alice", "bob", "carol"])
def test_both_units_are_graded(report: Report, student: str) -> None:
    found = report.student(student)
    assert [found.score(identity) for identity in TWINS] == [found.possible(identity) for identity in TWINS]


def test_the_functions_tell_the_unit(report: Report) -> None:
    dora = report.student("dora")
    assert dora.score(f"other/{CALLED}") == dora.possible(f"other/{CALLED}")
    assert dora.score(f"{NINJA}/{CALLED}") is None


def test_exports_bear_both_names(report: Report) -> None:
    header = report.files["scores"].read_text().splitlines()[0]
    assert f'"{NINJA}/{CALLED}::dlogits"' in header and f'"other/{CALLED}::dhprebn"' in header


def test_a_student_types_the_unit_only_where_it_is_needed(exercises: Path) -> None:
    def hint(name: str) -> str:
        return CliRunner().invoke(main, ["hint", name, "--exercises", str(exercises)]).output

    assert "hint 1 of" in hint(f"other/{CALLED}::dhprebn") and "hint 2 of" in hint("dhprebn")
    assert "no gradient" in hint(f"{NINJA}/{CALLED}::dhprebn")
    assert short(exercises / "other" / f"{CALLED}.py") == f"other/{CALLED}"
    assert {kit.exercise.identity for kit in kits_in(exercises)} == set(TWINS)


def test_notebooks_of_both_units_stand_apart(
    reference: Path, exercises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write(reference, tmp_path)
    monkeypatch.chdir(tmp_path / "source" / f"other--{CALLED}")
    assert find_kit({"EXERCISE": f"other/{CALLED}"}).exercise.identity == f"other/{CALLED}"
    assert {kit.exercise.identity for kit in kits_in(tmp_path / "source")} == set(TWINS)
    monkeypatch.chdir(exercises.parent)
    assert find_kit({"EXERCISE": f"{NINJA}/{CALLED}"}).exercise.by_function.keys() == {"dlogits"}
