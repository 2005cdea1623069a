"""A notebook as a module: what is taken of its cells, and what is told."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from graders.submissions.notebook_module import MOST_PROBLEMS, module_of
from tests.support.course import code

STUB = "def dlogits(logits, Yb):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
RIGHT = "def dlogits(logits, Yb):\n    return scale * logits"


def answer(source: str, name: str = "dlogits", exercise: str = "ex2") -> dict:
    return {**code(source), "metadata": {"nbgrader": {"grade_id": f"{exercise}-answer-{name}"}}}


def module(*cells: dict) -> tuple[str, str, list[str]]:
    found = module_of(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode())
    return found.exercise, found.source.decode(), found.problems


TAKEN = [
    ("a constant", "scale = 2", "scale = 2"),
    ("of a chain", "a = 1\nscale = a + 1", "a = 1"),
    ("by a method", "scale = [1]\nscale.append(2)", "scale.append(2)"),
    ("an item", "scale = {}\nscale['a'] = 1", "scale['a'] = 1"),
    ("under if", "if True:\n    scale = 3", "    scale = 3"),
    ("with magics", "%timeit 3\n!ls\nscale = 2", "scale = 2"),
    ("of %%time", "%%time\nscale = 2", "scale = 2"),
    ("two on a line", "scale = 2; other = 3", "scale = 2"),
    ("a future", "from __future__ import annotations\nscale: int = 2", "scale: int = 2"),
    ("an import", "from math import pi as scale", "from math import pi as scale"),
]


@pytest.mark.parametrize(("what", "source", "line"), TAKEN, ids=[row[0] for row in TAKEN])
def test_what_an_answer_uses_is_taken(what: str, source: str, line: str) -> None:
    name, text, problems = module(code(source), answer(RIGHT))
    assert name == "ex2" and not problems
    assert line in text.splitlines()
    compile(text, "module", "exec")


LEFT = [
    ("a print", "print(3)"),
    ("autograd to play with", "loss.backward()"),
    ("a loop", "while True:\n    pass"),
    ("a variable of a parameter's name", "logits = forward()['logits']"),
    ("another language", "%%bash\necho 3"),
    ("the random seed", "torch.manual_seed(3)"),
]


@pytest.mark.parametrize(("what", "source"), LEFT, ids=[row[0] for row in LEFT])
def test_what_no_answer_uses_stays_out(what: str, source: str) -> None:
    _, text, problems = module(code("scale = 1"), code(source), answer(RIGHT))
    assert source not in text and not problems


def test_of_copies_the_last_attempted_counts() -> None:
    _, text, problems = module(answer(RIGHT.replace("scale", "1")), answer(RIGHT.replace("scale", "2")), answer(STUB))
    assert "2 * logits" in text and "1 * logits" not in text
    assert problems == ["dlogits has 3 answer cells (copies): the one in cell 2 was graded"]


def test_an_untouched_answer_gives_way_to_one_elsewhere() -> None:
    _, text, problems = module(answer(STUB), code(RIGHT.replace("scale", "2")))
    assert "2 * logits" in text and "NotImplementedError" not in text
    assert problems == ["dlogits was not in its answer cell: the one in cell 2 was graded"]


def test_a_cell_that_does_not_parse_costs_its_own_function() -> None:
    _, text, problems = module(answer("def dlogits(:\n    pass"), answer("def dh():\n    return 1", "dh"))
    namespace: dict = {}
    exec(text, namespace)
    assert namespace["dh"]() == 1
    with pytest.raises(SyntaxError, match="line 1 of the cell"):
        namespace["dlogits"]()
    assert len(problems) == 1


def test_a_bad_statement_of_its_own_does_not_spoil_the_module() -> None:
    _, text, problems = module(code("return 3"), code("def f(a, a): pass"), answer("def dlogits():\n    return 2"))
    compile(text, "module", "exec")
    assert [problem.split(":")[0] for problem in problems] == ["cell 1 is left out", "cell 2 is left out"]


def test_cells_of_another_exercise_are_told() -> None:
    name, _text, problems = module(answer(STUB), answer(STUB, "dx"), answer("def dh(): return 1", "dh", "other"))
    assert name == "ex2"
    assert "cells of another exercise (other) are not graded here" in problems


MISPLACED = [
    ("a return", "scale = 1\nif scale:\n    return 3"),
    ("a break", "def scale():\n    break"),
    ("a continue of an outer loop", "for i in range(3):\n    def scale():\n        continue"),
    ("a yield in a class", "class scale:\n    yield 3"),
    ("an await", "scale = await 3"),
    ("a parameter twice", "def scale(a, a): pass"),
]


@pytest.mark.parametrize(("what", "source"), MISPLACED, ids=[row[0] for row in MISPLACED])
def test_what_does_not_compile_costs_its_own_cell(what: str, source: str) -> None:
    _, text, problems = module(code(source), answer(RIGHT))
    compile(text, "module", "exec")
    assert len(problems) == 1 and problems[0].startswith("cell 1 is left out: ")
    with pytest.raises(SyntaxError):
        compile(source, "cell", "exec")


def test_reading_a_cell_does_not_compile_what_grows_without_bound() -> None:
    """Each `finally` in a `finally` doubles what the compiler writes."""
    nested = "".join(f"{' ' * n}try: x\n{' ' * n}finally:\n" for n in range(15)) + " " * 15 + "y = 1"
    tracemalloc.start()
    _, _, problems = module(code(nested), answer(RIGHT))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not problems
    assert peak < 10e6


TOO_MUCH = {
    "code": ([code("x = 1\n" * 5000) for _ in range(10)], "the notebook has 292 kB of code"),
    "parts": ([{**code(""), "outputs": [[]] * 1_000_000}], "outputs have too many parts"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_more_than_anybody_writes_is_refused(what: str) -> None:
    cells, reason = TOO_MUCH[what]
    _, source, problems = module(*cells)
    assert source == "" and len(problems) == 1 and reason in problems[0]


def test_problems_are_few_short_and_plain() -> None:
    cells = [answer("def f(:\x1b[31m" + "x" * 60, f"d{n}") for n in range(30)]
    _, _, problems = module(*cells, answer(STUB, "d" + "x" * 10_000))
    assert problems[MOST_PROBLEMS:] == ["10 more of that kind"]
    assert all(len(problem) <= 300 and problem.isprintable() for problem in problems)
