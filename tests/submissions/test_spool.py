"""A class is read once, and what is to be graded waits on the disk."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from graders import grade
from graders.exercise.kit import kits_in
from graders.grading import GradingError
from graders.submissions import roster as rosters
from graders.submissions.roster import Roster
from graders.submissions.spool import Spool, digest
from tests.support.stubs import EXERCISES

SIZE = 60_000


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    """80 students with exercise 1, of which every second has the file of the one before; all of them with exercise 2."""
    for number in range(80):
        folder = tmp_path / f"student {number:02d}"
        folder.mkdir()
        (folder / "ex1_atomic.py").write_text(f"# {number // 2}\n" + "#" * SIZE)
        (folder / "ex2_cross_entropy.py").write_text("# the same\n")
    return Roster(tmp_path, {kit.exercise.identity: kit for kit in kits_in(EXERCISES)})


def test_equal_contents_are_kept_once() -> None:
    with Spool() as spool:
        places = [spool.put(content) for content in (b"a" * 9, b"", b"b" * 9, b"a" * 9, b"")]
        assert [spool.get(place) for place in places] == [b"a" * 9, b"", b"b" * 9, b"a" * 9, b""]
        assert os.fstat(spool._file.fileno()).st_size == 18


def test_every_student_is_read_once(roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    read, original = [], rosters.read_person
    monkeypatch.setattr(rosters, "read_person", lambda *given: read.append(given[1].name) or original(*given))
    with Spool() as spool:
        waiting = roster.read(lambda student, exercise, file: student != "student 00", spool)
        works = list(spool.works(waiting))
    assert read == list(roster.entries) and len(roster.students) == 80
    assert len(waiting) == 40 + 1 and works[0][1].startswith(b"# 0\n")
    assert [(exercise, digest(content)) for exercise, content in works] == waiting


def test_contents_are_not_held_in_memory(roster: Roster) -> None:
    with Spool() as spool:
        tracemalloc.start()
        waiting = roster.read(lambda *_: True, spool)
        works = spool.works(waiting)
        sizes = [len(content) for _, content in works]
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert sum(sizes) > 40 * SIZE and held < 10 * SIZE


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: open("/dev/full", "r+b", buffering=SIZE))  # noqa: SIM115
    (tmp_path / "class" / "alice").mkdir(parents=True)
    (tmp_path / "class" / "alice" / "ex2_cross_entropy.py").write_text("# nothing\n")
    with pytest.raises(GradingError, match="cannot be written to: No space left on device"):
        grade(tmp_path / "class", tmp_path / "out", exercises=EXERCISES)
