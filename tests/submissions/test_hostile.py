"""Whatever lies beside them, honest students keep their verdicts, nobody is lost, and the run ends in time."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from graders import grade
from graders.exercise.kit import Kit, kits_in
from graders.report.scores import Report
from graders.report.summary import print_summary
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits
from graders.submissions import reader
from tests.support.hostile_folders import HOSTILE
from tests.support.stubs import EXERCISES, fill, solutions

LIMITS = Limits(seconds=2.0, total_seconds=10, memory_bytes=1 << 29, output_bytes=1 << 16)
NAME = "ex2_cross_entropy"


@pytest.fixture(scope="module")
def kit() -> Kit:
    return next(kit for kit in kits_in(EXERCISES) if kit.path.stem == NAME)


def honest(folder: Path, kit: Kit) -> None:
    folder.mkdir()
    right = fill(kit.stub, solutions(NAME, kit.path.parent.name))
    for name, text in {"ada": right, "zoe": kit.stub + "# nothing yet\n"}.items():
        (folder / name).mkdir()
        (folder / name / f"{NAME}.py").write_text(text)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, kit: Kit) -> Iterator[tuple[Path, Report]]:
    """The two honest students without anybody else; results are kept, so that they are graded once."""
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("alone")
    honest(root / "class", kit)
    yield root / "out", grade(root / "class", root / "out", exercises=[kit], limits=LIMITS)


@pytest.mark.parametrize("what", HOSTILE)
def test_nobody_suffers_from_what_lies_beside(
    tmp_path: Path, alone: tuple[Path, Report], kit: Kit, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, before = alone
    seconds: list[float] = []
    read = reader.Reader.entry

    def timed(*given: object) -> object:
        started = time.monotonic()
        found = read(*given)  # type: ignore[arg-type]
        seconds.append(time.monotonic() - started)
        return found

    monkeypatch.setattr(reader.Reader, "entry", timed)
    honest(tmp_path / "class", kit)
    names = HOSTILE[what](tmp_path / "class")
    report = grade(tmp_path / "class", out, exercises=[kit], limits=LIMITS)
    for student in before.students:
        assert report.student(student.name).results == student.results
        assert report.student(student.name).score() == student.score()
    rows = list(csv.DictReader((out / "scores.csv").open(encoding="utf-8", newline="")))
    listed = [row["student"] for row in rows]
    entries = len(list((tmp_path / "class").iterdir()))
    assert names | {"ada", "zoe"} <= set(listed) and len(listed) == len(set(listed)) == entries, listed
    for row in rows:
        assert row["points"] or "not graded" in row["remarks"], row
    assert max(seconds) < 2 * reader.PATIENCE * reader.SECONDS, seconds
    print(f"{max(seconds):.2f} s: {what}")
    written(out, report)


def written(out: Path, report: Report) -> None:
    """Everything is there, and nothing in it steers a terminal or turns a line round."""
    console = Console(file=io.StringIO(), width=200)
    print_summary(report, console)
    texts = [console.file.getvalue()]  # type: ignore[attr-defined]
    folders = [out / "feedback" / student.slug for student in report.students]
    assert len({folder.name.lower() for folder in folders}) == len(folders)
    files = [out / "report.html", out / "scores.csv", out / "submissions.jsonl", out / "marks.jsonl", out / "junit.xml"]
    files += [folder / name for folder in folders for name in ("feedback.html", "feedback.md", "results.json")]
    texts += [path.read_text(encoding="utf-8") for path in files]
    for text in texts:
        assert not [c for c in text if c != "\n" and not c.isprintable()]
