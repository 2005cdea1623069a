"""Results that were graded beforehand are taken; what is not there, or not final, is graded."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from graders.grading.keys import FORMAT
from graders.grading.results import Assessment
from graders.grading.store import Store, StoreError, line_of
from graders.notebook.nbgrader.session import Session, session
from graders.outcome import Outcome
from graders.submissions.spool import digest
from graders.verdict.result import Result
from tests.support.stubs import EXERCISES, NINJA, assignment, identity

STEM = "ex2_cross_entropy"
EXERCISE, ASSIGNMENT = identity(STEM), assignment(STEM)
SOURCE = b"def dlogits(logits, Yb):\n    raise NotImplementedError\n"


@pytest.fixture
def opened(tmp_path: Path) -> Session:
    kit = tmp_path / "source" / ASSIGNMENT / "kit"
    kit.mkdir(parents=True)
    shutil.copy(EXERCISES / NINJA / "kit" / f"{STEM}.json", kit / f"{ASSIGNMENT}.json")
    return session(tmp_path / "source", tmp_path / "results", None, 2.0, False)


def stored(opened: Session, outcome: Outcome) -> Assessment:
    key = opened.keys.of(EXERCISE, digest(SOURCE))
    return Assessment(key, EXERCISE, (Result("dlogits", outcome),), isolation="A")


def test_a_stored_result_is_taken_without_a_sandbox(opened: Session) -> None:
    result = stored(opened, Outcome.PASSED)
    with Store(opened.results / "results.jsonl") as store:
        store.put(result)
    assert opened.assess(EXERCISE, SOURCE) == result
    assert "supervisor" not in vars(opened)


def test_what_is_appended_later_is_seen(opened: Session) -> None:
    with Store(opened.results / "results.jsonl") as store:
        store.put(stored(opened, Outcome.PASSED))
        assert opened.assess(EXERCISE, SOURCE).results[0].outcome is Outcome.PASSED
        store.put(replace(stored(opened, Outcome.PASSED), results=(Result("dlogits", Outcome.WRONG),)))
        assert opened.assess(EXERCISE, SOURCE).results[0].outcome is Outcome.WRONG


def test_results_of_other_releases(opened: Session) -> None:
    """Of an earlier one nothing is taken; a later one is refused, for each notebook anew."""
    path, line = opened.results / "results.jsonl", line_of(stored(opened, Outcome.PASSED))
    key = opened.keys.of(EXERCISE, digest(SOURCE))
    path.write_bytes(line.replace(b'"format"', b'"number"', 1))
    assert opened._known(key) is None
    path.write_bytes(line.replace(f'"format": {FORMAT}'.encode(), b'"format": 9999', 1))
    for _ in range(2):
        with pytest.raises(StoreError, match="of a later release"):
            opened.assess(EXERCISE, SOURCE)


def test_a_torn_line_and_a_grader_error_are_graded_again(opened: Session) -> None:
    path = opened.results / "results.jsonl"
    with Store(path) as store:
        store.put(stored(opened, Outcome.GRADER_ERROR))
    path.write_bytes(path.read_bytes() + b'{"key": [')
    results = opened.assess(EXERCISE, SOURCE).results
    opened.supervisor.sandbox.close()
    assert [result.outcome for result in results] == [Outcome.NOT_ATTEMPTED]
