"""What a submission was given, or has made up at run time, is in nothing that is said of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from graders import grade as grade_class
from graders.exercise.module import load
from graders.outcome import Outcome
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.student.answer import Answer
from tests.support.sandboxes import sandbox_of
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, fill, identity

from .attacks import HONEST
from .tellers import FILES, GIVEN, LARGE, OTHER, RAISED, TELLERS, TEXT, TOP
from .test_attacks import DY, LIMITS, grade, verdict

NUMBER = str(float(DY.sum()))


@pytest.fixture(scope="module", params=["A", "B", "C"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from sandbox_of(request.param, LIMITS)


def squeezed(text: str) -> str:
    """Without whatever may stand between the letters."""
    return "".join(c for c in text if c.isalnum())


def check_said(answer: Answer) -> None:
    said = (str(answer.reason or ""), *answer.frames, repr(answer.reason))
    assert all(text.isprintable() and len(text) <= 500 for text in said), said
    shape = () if answer.tensor is None else tuple(answer.tensor.shape)  # which a message may name
    whole = squeezed(f"{said} {answer.line} {shape}")
    assert TEXT not in whole and squeezed(NUMBER)[:6] not in whole, said


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "bare"])
@pytest.mark.parametrize(("what", "told", "body"), TELLERS, ids=[row[0] for row in TELLERS])
def test_a_function_that_tells(sandbox: Sandbox, what: str, told: str, body: str, guarded: bool) -> None:
    source = f"{TOP}def dx(w, dy):\n{textwrap.indent(GIVEN + body.strip(), '    ')}\n"
    answer = grade(sandbox, source, guarded, guarded)
    check_said(answer)
    assert guarded or str(answer.reason or "") == told
    assert verdict(grade(sandbox, HONEST)) == "right"


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "bare"])
@pytest.mark.parametrize(("what", "told", "text"), FILES, ids=[row[0] for row in FILES])
def test_a_file_that_tells(sandbox: Sandbox, what: str, told: str, text: str, guarded: bool) -> None:
    answer = grade(sandbox, TOP + text, guarded, guarded)
    check_said(answer)
    assert guarded or str(answer.reason or "") == told
    assert verdict(grade(sandbox, HONEST)) == "right"


STUB = EXERCISES / NINJA / "ex1_atomic.py"


def class_of_tellers(folder: Path) -> None:
    """Every teller in a function of exercise 1, as many a file as there are; every file that tells; one honest."""
    stub, functions = STUB.read_text(), [g[0] for g in load(STUB).by_function.values()]
    files = {"honest": (REFERENCE / NINJA / STUB.name).read_text()}
    for start in range(0, len(TELLERS), len(functions)):
        rows = zip(functions, TELLERS[start : start + len(functions)], strict=False)
        bodies = {
            f.function: f"import torch, numpy as np\ndy = {f.parameters[0]}{GIVEN}{row[2].strip()}" for f, row in rows
        }
        files[f"functions {start}"] = fill(stub, bodies) + TOP
    for what, _, text in FILES:
        files[what] = stub + TOP + text.replace("dx(w, dy)", "dlogprobs(logprobs, Yb)").replace("dx", "dlogprobs")
    for name, text in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / STUB.name).write_text(text)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "bare"])
def test_nothing_that_is_written_of_a_class_tells(tmp_path: Path, guarded: bool) -> None:
    class_of_tellers(tmp_path / "class")
    limits = replace(LIMITS, seconds=2.0, total_seconds=30, static_check=guarded, watch=guarded)
    try:
        report = grade_class(tmp_path / "class", tmp_path / "out", exercises=EXERCISES, limits=limits)
    except SandboxError as error:
        pytest.skip(str(error))
    marks = {student.name: student.results[identity(STUB.stem)] for student in report.students}
    assert all(mark.right for mark in marks["honest"]) and len(marks) == len(FILES) + 1 + -(-len(TELLERS) // 26)
    assert not any(mark.outcome is Outcome.GRADER_ERROR for row in marks.values() for mark in row)
    said = {mark.message for row in marks.values() for mark in row}
    told = {message for _, message, _ in (*TELLERS, *FILES) if message != LARGE}
    assert said >= ({RAISED, OTHER} if guarded else told)  # so they came to what they try
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "secret.key"]
    assert len({path.suffix for path in written}) >= 5
    assert [path.name for path in written if TEXT in squeezed(path.read_text(encoding="utf-8"))] == []
