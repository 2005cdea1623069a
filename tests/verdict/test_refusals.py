"""What is refused is refused everywhere, with the line and the same sentence, and costs that function alone."""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graders.exercise.module import load
from graders.notebook.incell import student_of
from graders.oracle.gradient import Oracles
from graders.oracle.questions import question
from graders.outcome import Outcome
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.task import Limits
from graders.student.answer import Answer
from graders.student.module import InProcess, load_student
from graders.student.question import Question
from graders.words import Code
from tests.support.sandboxes import sandbox_of
from tests.support.stubs import NINJA, REFERENCE

from .refusals import REFUSALS, Refusal

HEAD = "import torch\nimport torch.nn.functional as F\n"
HELPER = "def f(z):\n    return z.sum()\n"
OTHER = "def other(logits, Yb):\n    return (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / len(Yb)\n"


def text_of(row: Refusal) -> str:
    body = textwrap.indent(row.body.replace("...", row.line), "    ")
    return f"{HEAD}{row.top}\n{HELPER}def dlogits(logits, Yb):\n{body}\n\n\n{OTHER}"


def questions() -> list[Question]:
    exercise = load(REFERENCE / NINJA / "ex2_cross_entropy.py")
    ask = question(exercise.by_function["dlogits"], Oracles(exercise, 1).all[1])
    return [ask, Question("other", ask.targets, ask.values, shapes=ask.shapes)]


@pytest.fixture(scope="module", params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from sandbox_of(request.param, Limits())


def at_home(text: str, folder: Path) -> list[Answer]:
    path = folder / "ex2_cross_entropy.py"
    path.write_text(text)
    (folder / "my_helpers.py").write_text("def softmax_back(z):\n    return z\nback = softmax_back\n")
    student = load_student(path)
    assert student.fault is None, student.fault
    return [answer for (answer,) in InProcess(student).answers(questions())]


def check_refused(row: Refusal, text: str, refused: Answer, other: Answer) -> None:
    assert refused.outcome is Outcome.FORBIDDEN and refused.reason and refused.reason.code is row.code, refused
    assert text.splitlines()[refused.line - 1].strip() == row.line
    assert refused.frames[-1].removeprefix(f"line {refused.line}: ")[:60] == row.line[:60]
    assert other.outcome is Outcome.ANSWERED, other


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.what)
def test_at_home_and_in_the_sandbox(sandbox: Sandbox, row: Refusal, tmp_path: Path) -> None:
    text = text_of(row)
    home = at_home(text, tmp_path)
    there = [answer for (answer,) in sandbox.answers(text.encode(), questions())]
    check_refused(row, text, *home)
    check_refused(row, text, *there)
    if row.what not in ("torch.nn.grad",):  # which names a kernel that is not in the text
        assert str(home[0].reason) == str(there[0].reason)


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.what)
def test_in_a_notebook(row: Refusal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There a package that is not installed is no matter of ours, and neither is what a cell does by itself."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_helpers.py").write_text("def softmax_back(z):\n    return z\nback = softmax_back\n")
    text, cell = text_of(row), str(tmp_path / "cell.py")
    if "scipy" in text:
        (tmp_path / "scipy").mkdir()
        (tmp_path / "scipy/__init__.py").write_text("")
        (tmp_path / "scipy/special.py").write_text("")
    if "from ." in text or "import torhc" in text:
        pytest.skip("a notebook has no package, and refuses by itself what is not there")
    linecache.cache[cell] = len(text), None, text.splitlines(True), cell
    notebook = ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", notebook)
    namespace: dict[str, Any] = vars(notebook)
    exec(compile(text, cell, "exec"), namespace)
    try:
        answers = []
        for ask in questions():
            student = student_of(namespace[ask.function], ask.function, namespace)
            answers += [answer for (answer,) in InProcess(student).answers([ask])]
    finally:
        for name in ("my_helpers", "scipy", "scipy.special"):
            sys.modules.pop(name, None)
    if "    import my_helpers" in text:  # there the text is only read, and the first that offends counts
        row = row._replace(line="import my_helpers")
    check_refused(row, text, *answers)


def test_nothing_else_is_refused_by_its_name() -> None:
    """The sentences of refusals are those of the table: a new one has a row here."""
    codes = {Code.NOT_BY_HAND, Code.AUTOGRAD, Code.BACKWARD_KERNEL, Code.NOT_NEEDED, Code.NO_IMPORT, Code.ONE_FILE}
    assert {row.code for row in REFUSALS} == codes | {Code.OTHER_FILE}
    assert all(ast.parse(text_of(row)) for row in REFUSALS)
