"""exercises/ is what reference/ gives; the student's kit holds what a student needs and nothing that tells."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

from graders.authoring import release
from graders.exercise import kit
from graders.exercise.module import load, references
from graders.exercise.stub import release_in, release_of
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, ROOT


@cache
def files() -> dict[str, str]:
    return release.build(REFERENCE)


def test_exercises_are_up_to_date() -> None:
    assert release.outdated(files(), EXERCISES) == [], "run `backprop-ninja release`"


def test_writing_and_checking_agree(tmp_path: Path) -> None:
    assert release.outdated(files(), tmp_path) == sorted(files())
    assert release.write(files(), tmp_path) == sorted(files())
    assert release.write(files(), tmp_path) == []
    stub = tmp_path / NINJA / "ex1_atomic.py"
    stub.write_text(stub.read_text() + "\n# edited by hand\n")
    (tmp_path / NINJA / "stray.py").write_text("x = 1\n")
    assert release.outdated(files(), tmp_path) == [f"{NINJA}/ex1_atomic.py", f"{NINJA}/stray.py"]
    release.write(files(), tmp_path, force=True)
    assert release.outdated(files(), tmp_path) == []


SMALL = "ex2_cross_entropy"


def small() -> dict[str, str]:
    return {name: text for name, text in files().items() if SMALL in name}


def test_a_stub_that_holds_answers_is_not_overwritten(tmp_path: Path) -> None:
    release.write(small(), tmp_path)
    stub = tmp_path / NINJA / f"{SMALL}.py"
    answered = stub.read_text().replace("raise NotImplementedError", "return logits")
    newer = {name: text.replace("Exercise 2", "Exercise two") for name, text in small().items()}
    for content in (answered.encode(), b"def dlogits(:", "Ästhetik".encode("latin-1")):
        stub.write_bytes(content)
        before = sorted(p.name for p in stub.parent.rglob("*"))
        with pytest.raises(release.WorkInTheWay, match=rf"{stub.name}\n.*--force: it keeps a copy"):
            release.write(newer, tmp_path)
        assert stub.read_bytes() == content and sorted(p.name for p in stub.parent.rglob("*")) == before


def test_force_keeps_a_copy_that_nothing_overwrites_and_pytest_does_not_collect(tmp_path: Path) -> None:
    release.write(small(), tmp_path)
    stub = tmp_path / NINJA / f"{SMALL}.py"
    for number in (1, 2, 3):
        stub.write_text(f"x = {number}\n")
        release.write(small(), tmp_path, force=True)
    assert release.outdated(small(), tmp_path) == []
    copies = sorted(stub.parent.glob("*.kept-*"))
    assert [copy.read_text() for copy in copies] == ["x = 1\n", "x = 2\n", "x = 3\n"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(tmp_path), "-p", "no:cacheprovider"],
        capture_output=True, text=True, timeout=600, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout.count("dlogits") == 1 and "kept" not in run.stdout, run.stdout + run.stderr


def test_a_stub_that_nobody_touched_gives_way(tmp_path: Path) -> None:
    release.write(small(), tmp_path)
    newer = {name: text.replace("Exercise 2", "Exercise two") for name, text in small().items()}
    assert release.write(newer, tmp_path) == [f"{NINJA}/{SMALL}.py"]
    assert not list(tmp_path.rglob("*.kept*"))


def test_a_file_of_ones_own_in_a_folder_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    release.write(small(), tmp_path)
    for name in ("notes/plot.py", "results.json", "kit/notes.txt"):
        (tmp_path / NINJA / name).parent.mkdir(exist_ok=True)
        (tmp_path / NINJA / name).write_text("mine")
    assert release.outdated(small(), tmp_path) == release.write(small(), tmp_path) == []


def test_the_kit_of_an_earlier_release_is_kept(tmp_path: Path) -> None:
    """Words do not make a release, code does."""
    release.write(small(), tmp_path)
    stub = tmp_path / NINJA / f"{SMALL}.py"
    first = kit.open_kit(stub)
    for old, new, kept in [
        ("Exercise 2", "Exercise two", 0),
        ("def dlogits(logits, Yb)", "def dlogits(Yb, logits)", 1),
    ]:
        text = first.stub.replace(old, new)
        assert text != first.stub
        text = stub_of_text(text)
        packed = kit.pack(load(stub, text), text, kit.Fingerprints())
        release.write({f"{NINJA}/{SMALL}.py": text, f"{NINJA}/kit/{SMALL}.json": packed}, tmp_path)
        (now,) = kit.kits_in(tmp_path)
        assert now.stub == text and len(now.earlier) == kept
    assert now.earlier[0].release == first.release != now.release
    assert now.made_from(first.release) == now.earlier[0] and now.made_from("") == now.made_from(now.release) == now
    assert now.made_from("0" * 12) is None


def stub_of_text(text: str) -> str:
    return re.sub(r"# release: \w+", f"# release: {release_of(text)}", text)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    target = tmp_path_factory.mktemp("kit") / "kit.zip"
    release.pack_kit(ROOT, files(), target)
    with zipfile.ZipFile(target) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_kit_holds_what_a_student_needs(archive: dict[str, bytes]) -> None:
    tops = {name.split("/")[1] for name in archive}
    assert tops == {"exercises", "graders", "README.md", "LICENSE", "Makefile", "constraints.txt", "pyproject.toml"}
    assert f"backprop-ninja/exercises/{NINJA}/ex1_atomic.py" in archive
    assert b"pytest exercises/" in archive["backprop-ninja/README.md"]
    assert not [name for name in archive if "authoring" in name], "what runs over reference/ is the author's"


def test_a_stub_names_its_release() -> None:
    for name, text in files().items():
        if name.endswith(".py"):
            assert release_in(text) == release_of(text) == release_of(text.replace("# release: ", "# ")) != ""
            assert release_of(text.replace("def forward(", "def forward(a, ")) != release_of(text)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("path", references(REFERENCE), ids=lambda p: p.stem)
def test_no_solution_derivation_or_hint_can_be_read_in_the_kit(path: Path, archive: dict[str, bytes]) -> None:
    everything = "\n".join(squeezed(content.decode("utf-8", "replace")) for content in archive.values())
    exercise = load(path)
    for gradient in exercise.gradients:
        for hint in gradient.hints:
            assert squeezed(hint)[:60] not in everything
        assert squeezed(gradient.derivation)[:60] not in everything
    for block in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", path.read_text(), re.DOTALL):
        *steps, last = [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]
        for line in [*steps, last]:
            if len(line) > 25 and not re.fullmatch(r"n = \w+\.shape\[0\]", line):
                assert squeezed(line) not in everything, line
    assert "BEGINSOLUTION" not in squeezed("\n".join(files().values()))


def test_sealed_parts_hold_no_solution_either() -> None:
    """Unsealed, a kit has the stub, hints, and messages with numbers: no derivation, no line of a solution."""
    for name, text in files().items():
        if name.endswith(".json"):
            content = kit.contents(text)
            assert set(content) == {"about", "format", "exercise", "stub", "gradients", "known"}
            assert "Derivation" not in json.dumps(content) and "SOLUTION" not in json.dumps(content)


def test_the_same_content_packs_to_the_same_bytes(tmp_path: Path) -> None:
    release.pack_kit(ROOT, files(), tmp_path / "a.zip")
    release.pack_kit(ROOT, files(), tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


HERE_ALONE = """  # an editable installation would find what the kit lacks
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
from graders.cli.main import main
main()
"""


def test_a_kit_works_where_it_is_unpacked(tmp_path: Path) -> None:
    """The graders of the kit itself check its exercises; there is no reference/ anywhere near."""
    release.pack_kit(ROOT, files(), tmp_path / "kit.zip")
    with zipfile.ZipFile(tmp_path / "kit.zip") as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "backprop-ninja"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "exercises/", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    assert "not attempted in" in run.stdout
    run = subprocess.run(
        [sys.executable, "-m", "graders.cli.main", "solution", "dcounts", "--give-up"],
        cwd=folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 1 and "this kit has no solutions" in run.stderr
    run = subprocess.run(
        [sys.executable, "-c", HERE_ALONE, "selfcheck", "--reference", str(REFERENCE)],
        cwd=folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 1 and run.stderr.startswith("Error: a student's kit has no graders.authoring")


def test_a_damaged_kit_is_told(tmp_path: Path) -> None:
    stub = tmp_path / "ex.py"
    stub.write_text("")
    (tmp_path / "kit").mkdir()
    for damage in ("", "{", "[]", '{"stub": "x", "gradients": "", "known": ""}'):
        (tmp_path / "kit" / "ex.json").write_text(damage)
        with pytest.raises(kit.KitError, match="take it again"):
            kit.open_kit(stub)


def test_kits_of_other_releases(tmp_path: Path) -> None:
    """One without a number is of the first format and is read as ever; one of a later format is refused."""
    stub = tmp_path / NINJA / "ex2_cross_entropy.py"
    release.write({name: text for name, text in files().items() if stub.stem in name}, tmp_path)
    path, now = kit.kit_path(stub), kit.open_kit(stub)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in content.items() if key != "format"}))
    assert kit.open_kit(stub) == now
    path.write_text(json.dumps({**content, "format": kit.FORMAT + 1}))
    with pytest.raises(kit.KitError, match="is of a later release than the graders: update backprop-ninja"):
        kit.open_kit(stub)
