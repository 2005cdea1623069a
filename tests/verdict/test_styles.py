"""No honest answer refused: each style of writing is right at home, in a notebook and in the sandbox."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graders.exercise.module import Exercise, load
from graders.notebook.incell import name_of, student_of
from graders.oracle.gradient import Oracle, Oracles
from graders.oracle.questions import question
from graders.oracle.trial import Trial
from graders.sandbox.sandbox import Sandbox, Sandboxed
from graders.sandbox.task import Limits
from graders.student.accidents import settings_kept
from graders.student.module import InProcess, Respondent, load_student
from graders.student.question import Question
from tests.support.sandboxes import sandbox_of
from tests.support.stubs import NINJA, REFERENCE

STYLES = sorted((REFERENCE / NINJA / "right/styles").glob("*.py"))
STYLE = re.compile(r"^(?:def )?((?:d\w+?|backward)__\w+)(?:\(| = )", re.MULTILINE)
LAYOUTS: dict[str, Callable[[str], str]] = {  # of a whole file
    "as it is": lambda text: text,
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "tabs": lambda text: re.sub("^(?:    )+", lambda spaces: "\t" * (len(spaces[0]) // 4), text, flags=re.MULTILINE),
    "a byte-order mark": lambda text: "\ufeff" + text,
}


def names_in(path: Path) -> list[str]:
    return STYLE.findall(path.read_text())


@cache
def exercise_of(path: Path) -> tuple[Exercise, list[Oracle]]:
    exercise = load(REFERENCE / NINJA / path.name)
    return exercise, Oracles(exercise, 1).all[:2]


def asked(path: Path) -> list[tuple[str, int, Question]]:
    """A style, the number of the case, the question."""
    exercise, oracles = exercise_of(path)
    groups = {name: exercise.by_function[name.split("__")[0]] for name in names_in(path)}
    cases = list(enumerate(oracles))
    return [(name, at, replace(question(g, o), function=name)) for name, g in groups.items() for at, o in cases]


def refused(path: Path, respondent: Respondent, names: Collection[str] = ()) -> dict[str, str]:
    """Styles (those of `names`, or all) that are not right, with what is said of them."""
    rows, (_, oracles) = [row for row in asked(path) if not names or row[0] in names], exercise_of(path)
    found: dict[str, str] = {}
    for (name, at, ask), given in zip(rows, respondent.answers([ask for _, _, ask in rows]), strict=True):
        for target, answer in zip(ask.targets, given, strict=True):
            if not Trial(oracles[at], target, answer).passes:
                found[name] = str(answer.reason or "wrong")
    return found


def test_there_are_enough() -> None:
    names = [f"{path.stem}.{name}" for path in STYLES for name in names_in(path)]
    assert len(STYLES) == 4 and len(names) == len(set(names)) >= 60


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_at_home(path: Path, layout: str, tmp_path: Path) -> None:
    text = LAYOUTS[layout](path.read_text())
    own = tmp_path / path.name
    own.write_text(text, newline="")
    student = load_student(own)
    assert student.fault is None
    assert refused(path, InProcess(student)) == {}


@pytest.fixture(scope="module", params=["A", "B"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield from sandbox_of(request.param, Limits())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_in_the_sandbox(sandbox: Sandbox, path: Path, layout: str) -> None:
    source = LAYOUTS[layout](path.read_text()).encode()
    assert refused(path, Sandboxed(sandbox, source)) == {}


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_in_a_notebook(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, text = str(tmp_path / "cell"), path.read_text()
    linecache.cache[cell] = len(text), None, text.splitlines(True), cell
    notebook = ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", notebook)  # dataclasses look their module up by name
    namespace: dict[str, Any] = vars(notebook)
    found = {}
    with settings_kept():  # the notebook's own stay what they are while it is checked
        exec(compile(text, cell, "exec"), namespace)
        for name in names_in(path):
            function = namespace[name]
            student = student_of(function, name_of(function, namespace), namespace)
            found |= refused(path, InProcess(student), [name])
    assert found == {}
