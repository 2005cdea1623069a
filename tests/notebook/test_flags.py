"""What nbgrader shows a person: a flag at what was not by hand, the isolation in the log, a set-up fault as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.course import Course, filled, make
from tests.support.stubs import solutions

SMALL = "ex2_cross_entropy"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = make(tmp_path_factory.mktemp("flags"), ["ex1_atomic", SMALL])
    bodies = {**solutions("ex1_atomic"), "dprobs": "    return torch.autograd.grad(probs.sum(), probs)[0]"}
    made.submit("cheat", "ex1_atomic", filled(made.released("ex1_atomic"), bodies))
    made.submit("right", SMALL, filled(made.released(SMALL), solutions(SMALL)))
    made.log = made.nbgrader_in_turn(["autograde", "ex1_atomic"])
    return made


def test_a_forbidden_item_is_flagged_and_costs_only_itself(course: Course) -> None:
    rows = course.query(
        "select b.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g "
        "join base_cell b on g.cell_id = b.id where g.auto_score is not null"
    )
    scores = {name.split("-")[-1]: (auto, manual, flag) for name, auto, manual, flag in rows}
    assert len(scores) == 26 and scores.pop("dprobs") == (0, None, 1)
    assert all(auto > 0 and manual is None and not flag for auto, manual, flag in scores.values())
    assert "ex1_atomic-test-dprobs is forbidden: " in course.log
    comments = [c for (c,) in course.query("select auto_comment from comment where auto_comment is not null")]
    assert any(comment.startswith("dprobs forbidden: ") for comment in comments)


def test_the_isolation_stands_in_the_log(course: Course) -> None:
    assert "cheat: Graded by backprop-ninja, isolation class " in course.log


def secret_gone(results: Path) -> None:
    (results / "results.jsonl").write_text("{}\n")


def a_folder(results: Path) -> None:
    (results / "results.jsonl").mkdir()


def later(results: Path) -> None:
    (results / "secret.key").write_text("x" * 64)
    (results / "results.jsonl").write_text('{"format": 9999}\n')


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (secret_gone, "secret.key is gone"),
    (a_folder, "results.jsonl: a folder stands where a file should be"),
    (later, "the results are of a later release"),
]


@pytest.mark.parametrize(("spoil", "sentence"), FAULTS, ids=[spoil.__name__ for spoil, _ in FAULTS])
def test_a_fault_of_the_set_up_is_one_sentence(course: Course, spoil: Callable[[Path], object], sentence: str) -> None:
    config = course.folder / "nbgrader_config.py"
    kept, results = config.read_text(), course.folder / spoil.__name__
    results.mkdir()
    spoil(results)
    config.write_text(f"{kept}\nc.NinjaGrade.results = {results.name!r}\n")
    try:
        with pytest.raises(AssertionError) as refused:  # it ends with another exit code than 0
            course.nbgrader("autograde", SMALL)
    finally:
        config.write_text(kept)
    log = str(refused.value)
    assert "Nothing was graded: " in log and sentence in log and "Traceback" not in log.partition("assert ")[0], log
    assert not (course.folder / "autograded" / "right").exists()
