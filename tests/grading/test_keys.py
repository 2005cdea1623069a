"""What a stored result depends on: the exercise as released, what is known of wrong answers, the verdicts' FORMAT."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from graders.exercise.kit import kits_in
from graders.grading import keys
from tests.support.golden_verdicts import GOLDEN, verdicts, write
from tests.support.stubs import EXERCISES


def test_verdicts_are_those_of_the_format() -> None:
    """If they differ for a good reason, raise FORMAT and run `python -m tests.support.golden_verdicts`."""
    assert json.loads(GOLDEN.read_text()) == {"format": keys.FORMAT, "verdicts": verdicts()}


def test_other_verdicts_need_another_format(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    write(path, {"an answer": "passed"}, 2)
    write(path, {"an answer": "passed"}, 2)
    before = path.read_text()
    with pytest.raises(SystemExit, match="FORMAT is still 2: raise it"):
        write(path, {"an answer": "wrong: sign"}, 2)
    assert path.read_text() == before
    write(path, {"an answer": "wrong: sign"}, 3)
    assert json.loads(path.read_text()) == {"format": 3, "verdicts": {"an answer": "wrong: sign"}}


def test_a_version_changes_with_what_a_verdict_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = kits_in(EXERCISES)[0]
    others = (replace(kit, stub=kit.stub + "\n"), replace(kit, sealed_known=""), replace(kit, sealed_about=""))
    versions = [keys.version_of(each) for each in (kit, *others)]
    assert versions[0] == versions[3] and len(set(versions)) == 3
    monkeypatch.setattr(keys, "FORMAT", keys.FORMAT + 1)
    assert keys.version_of(kit) not in versions
