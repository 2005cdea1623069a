"""Source to export with real nbgrader and its real gradebook: generated students, cheats among them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest

from graders.exercise.cases import cases
from graders.exercise.kit import open_kit
from graders.grading.assess import Supervisor
from graders.grading.grade import secret_of
from graders.oracle.gradient import Oracle
from graders.sandbox.sandbox import Limits, Sandbox
from tests.notebook.conftest import EX, OTHER, SMALL, TRAINING, contents
from tests.support.bad_notebooks import BAD
from tests.support.course import Course
from tests.support.notebook_students import ALL, CHEATS, STUDENTS, TRAINEES
from tests.support.stubs import EXERCISES, NINJA, fill, identity

STUB, IDENTITY = EXERCISES / NINJA / "ex1_atomic.py", identity("ex1_atomic")
KIT = open_kit(STUB)
POINTS = {item.name: item.points for item in KIT.exercise.items}


@pytest.fixture(scope="module")
def supervisor(course: Course) -> Iterator[Supervisor]:
    with Sandbox(limits=Limits(2.0)) as sandbox:
        yield Supervisor({IDENTITY: open_kit(STUB)}, secret_of(course.folder / "ninja_results", None), sandbox)


@pytest.mark.parametrize("name", STUDENTS)
def test_points_are_those_of_what_is_right(course: Course, name: str) -> None:
    scores = course.scores(EX)[name]
    right = [cell for cell, score in scores.items() if score]
    assert len(scores) == len(POINTS)
    assert len(right) == STUDENTS[name].right
    assert all(scores[cell] == POINTS[cell] for cell in right)


@pytest.mark.parametrize("name", [name for name, student in STUDENTS.items() if student.same_as_module])
def test_points_equal_those_of_the_module(course: Course, supervisor: Supervisor, name: str) -> None:
    module = fill(STUB.read_text(), STUDENTS[name].bodies)
    results = supervisor.assess(IDENTITY, module.encode()).results
    expected = {r.item: float(POINTS[r.item]) if r.right else 0.0 for r in results}
    assert course.scores(EX)[name] == expected


@pytest.mark.parametrize("name", [name for name, student in STUDENTS.items() if student.sentence])
def test_feedback_says_why(course: Course, name: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", course.feedback(name, EX)).split())
    assert STUDENTS[name].sentence in text


def test_an_assignment_that_is_not_ours_is_executed_as_ever(course: Course) -> None:
    assert course.scores(OTHER) == {"right": {"right": 4.0, "partly": 1.5}}


def test_export_has_every_student(course: Course) -> None:
    with (course.folder / "grades.csv").open() as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file) if row["assignment"] == EX}
    scores = {name: sum(score or 0 for score in cells.values()) for name, cells in course.scores(EX).items()}
    assert {name: rows[name] for name in scores} == scores
    assert rows["right"] == sum(POINTS.values())


def test_reasons_are_in_the_gradebook(course: Course) -> None:
    comments = [text for (text,) in course.query("select auto_comment from comment where auto_comment is not null")]
    assert any("Only the path through probs arrived" in text for text in comments)
    assert "No response." in comments


def test_a_wrong_gradient_is_shown_on_the_public_case(course: Course) -> None:
    cells = {cell["id"]: cell for cell in course.autograded("one_branch", EX)["cells"]}
    kinds = {name: [o["output_type"] for o in cell["outputs"]] for name, cell in cells.items() if "-test-" in name}
    assert kinds.pop(f"{EX}-test-dcounts") == ["stream", "display_data"]
    assert all(kind == ["stream"] for kind in kinds.values())
    shown = "".join(cells[f"{EX}-test-dcounts"]["outputs"][1]["data"]["text/html"])
    expected = Oracle(KIT.exercise, cases(KIT.exercise, KIT.fingerprints.seed)[0]).expected("counts")
    assert f"±{expected.abs().max():.3g}" in shown and shown.count("<img ") == 3


def test_no_manual_score_was_written(course: Course) -> None:
    assert course.query("select count(*) from grade where manual_score is not null") == [(0,)]


def test_nothing_of_the_solution_is_released(course: Course) -> None:
    released = (course.folder / "release" / EX / f"{EX}.ipynb").read_text()
    source = (course.folder / "source" / EX / f"{EX}.ipynb").read_text()
    for trace in ("SOLUTION", "-1.0 / n", "frac{", "torch.zeros_like(logprobs)"):
        assert trace in source
        assert trace not in released


def test_feedback_shows_nothing_of_a_hidden_case(course: Course) -> None:
    assert not re.search(r"\[\[?0\.\d{4}", course.feedback("leaking", EX))


@pytest.mark.parametrize("name", BAD)
def test_bad_notebooks_are_told_and_never_a_silent_zero(course: Course, name: str) -> None:
    bad, scores = BAD[name], course.scores(SMALL)[name]
    text = " ".join(re.sub(r"<[^>]+>", " ", course.feedback(name, SMALL)).split())
    assert bad.sentence in text.replace("\\", "")
    assert bad.sentence in course.log
    if bad.right is None:
        assert set(scores.values()) == {None}
        waiting = course.query(
            "select count(*) from grade g join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s "
            "on n.assignment_id = s.id where s.student_id = ? and g.needs_manual_grade = 1",
            name,
        )
        assert waiting == [(1,)]
    else:
        assert scores == {"dlogits": 5.0 * bad.right}


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_gains_a_point(course: Course, name: str) -> None:
    assert set(course.scores(EX)[name].values()) == {0.0}


def test_nothing_was_done_to_the_course_or_to_what_others_handed_in(course: Course) -> None:
    assert contents(course.folder) == course.handed_in


@pytest.mark.parametrize("name", TRAINEES)
def test_a_function_of_several_gradients_has_points_for_each(course: Course, name: str) -> None:
    trainee, scores = TRAINEES[name], course.scores(TRAINING)[name]
    assert scores == {line: 0.0 if line in trainee.wrong else 2.0 for line in ALL}
    text = " ".join(re.sub(r"<[^>]+>", " ", course.feedback(name, TRAINING)).split())
    assert trainee.sentence in text
    comments = course.query(
        "select c.auto_comment from comment c join base_cell b on c.cell_id = b.id join submitted_notebook n on "
        "c.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id where s.student_id = ? and "
        "b.name = 'backprop_ninja--ex4_training-answer-backward'",
        name,
    )
    assert trainee.sentence in comments[0][0] or comments == [("No response.",)]
