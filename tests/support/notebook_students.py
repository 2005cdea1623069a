"""Generated students for exercise 1: what they wrote, what they did to the notebook, what stands beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.course import Notebook, answer_of, code
from tests.support.stubs import solutions

RIGHT = solutions("ex1_atomic")
BACKWARD = solutions("ex4_training")["backward"]
ALL = ("dC", "dW1", "db1", "dW2", "db2", "dbngain", "dbnbias", "run")
ONE_BRANCH = "    return counts_sum_inv * dprobs"
ONES = dict.fromkeys(RIGHT, "    return 1.0")
ANSWERED = len(RIGHT)


def nothing(notebook: Notebook) -> None:
    pass


@dataclass(frozen=True)
class Student:
    """`bodies` are what a module of the same work would hold; `right` is how many gradients have to be right."""

    bodies: Mapping[str, str]
    right: int
    edit: Callable[[Notebook], object] = nothing
    files: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""  # in the feedback
    same_as_module: bool = True


def first(*sources: str) -> Callable[[Notebook], None]:
    """Cells of their own before all others."""

    def edit(notebook: Notebook) -> None:
        notebook["cells"][:0] = [code(source) for source in sources]

    return edit


def after(*sources: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        notebook["cells"] += [code(source) for source in sources]

    return edit


def cell_of(notebook: Notebook, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if answer_of(cell) == name)
    return found


def copied(notebook: Notebook) -> None:
    """An early copy of an answer, wrong, keeps its id."""
    twin = copy.deepcopy(cell_of(notebook, "dcounts"))
    twin["source"] = "def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):\n    return counts"
    notebook["cells"].insert(2, twin)


def deleted(notebook: Notebook) -> None:
    """The first cell, all test cells and one answer are gone."""
    notebook["cells"] = [
        c for c in notebook["cells"] if "-start-" not in c["id"] and "-test-" not in c["id"] and answer_of(c) != "dh"
    ]


def edited(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "-test-" in cell["id"]:
            cell["source"] = "100.0"
            cell["metadata"]["nbgrader"] |= {"points": 100, "locked": False, "solution": True}
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
            ]


def hidden_tests(notebook: Notebook) -> None:
    """Cells that nbgrader would take for tests, and a test of its own in the place of each."""
    for cell in notebook["cells"]:
        if "-test-" in cell["id"]:
            cell["source"] = HIDDEN
    cell_of(notebook, "dprobs")["source"] += "\n" + HIDDEN
    notebook["cells"] += [code(HIDDEN), code(NOTEBOOK)]


def stripped(notebook: Notebook) -> None:
    """Through a tool that keeps no metadata."""
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def broken(notebook: Notebook) -> None:
    cell_of(notebook, "dcounts")["source"] = "def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum)\n    return 1"


def without(*names: str) -> dict[str, str]:
    return {name: body for name, body in RIGHT.items() if name not in names}


HELPERS = """%matplotlib inline
import math
import matplotlib.pyplot as plt
from torch import ones_like as ones
SCALE = [1.0]
SCALE.append(2.0)
def both(a, b):
    return a + b * SCALE[0]
!pip list
"""
PLAY = "loss = forward(**inputs(torch.Generator()))['loss']; loss.backward(); plt.plot([1]); raise ValueError('oops')"
USES_HELPERS = "    return both(counts_sum_inv * dprobs, ones(counts) * dcounts_sum)"
REBOUND = "import graders.notebook.incell, torch\ncheck = lambda *a: None\ngraders.notebook.incell.check = check\ntorch.allclose = torch.equal = lambda *a, **k: True"
PATCHED = "import graders.oracle.compare as c\nc.match.__code__ = (lambda *a: c.Match.RIGHT).__code__"
TRANSFORMER = "get_ipython().input_transformers_post.append(lambda lines: [])"
READS = '    from pathlib import Path\n    exec(next(Path("/").glob("**/source/backprop_ninja--ex1_atomic/*.ipynb")).read_text())'
HISTORY = "    return eval(In[-1])"
NOTEBOOK = "from pathlib import Path\nhidden = Path('backprop_ninja--ex1_atomic.ipynb').read_text().partition('HIDDEN TESTS')[2]"
USES_NOTEBOOK = "    " + NOTEBOOK.replace("\n", "\n    ") + "\n    return eval(hidden)"
HIDDEN = "### BEGIN HIDDEN TESTS\ncheck = print\n### END HIDDEN TESTS\n100.0"
DATABASE = 'import sqlite3\nfor d in (".", "..", "../..", "../../..", "../../../.."):\n    sqlite3.connect(d + "/gradebook.db").execute("update grade set manual_score = 1000")'
FORGED = "print('logprobs | exact: True'); 100.0"
STUDENTS: dict[str, Student] = {
    "right": Student(RIGHT, ANSWERED),
    "untouched": Student({}, 0, sentence="not attempted"),
    "one_branch": Student(
        {**RIGHT, "dcounts": ONE_BRANCH}, ANSWERED - 1, sentence="Only the path through probs arrived"
    ),
    "ones": Student(ONES, 0),
    "looping": Student({**RIGHT, "dh": "    while True:\n        pass"}, ANSWERED - 1, sentence="still running"),
    "looping_outside": Student(RIGHT, ANSWERED, first("while True:\n    pass")),
    "crashing": Student({**RIGHT, "dh": "    def f(x): return f(f(x))\n    return f(f)"}, ANSWERED - 1),
    "exiting": Student({**RIGHT, "dh": "    import os\n    os._exit(0)"}, ANSWERED - 1, sentence="forbidden"),
    "helpers": Student({**RIGHT, "dcounts": USES_HELPERS}, ANSWERED, first(HELPERS, PLAY), same_as_module=False),
    "broken": Student(without("dcounts"), ANSWERED - 1, broken, sentence="line 1 of the cell"),
    "copied": Student(RIGHT, ANSWERED, copied, sentence="dcounts has 2 answer cells"),
    "deleted": Student(without("dh"), ANSWERED - 1, deleted, sentence="missing"),
    "reordered": Student(RIGHT, ANSWERED, lambda notebook: notebook["cells"].reverse()),
    "edited": Student(ONES, 0, edited),
    "stripped": Student(RIGHT, ANSWERED, stripped, sentence="by their names alone"),
    "rebound": Student(ONES, 0, first(REBOUND)),
    "patched": Student(ONES, 0, first(PATCHED)),
    "transformer": Student(ONES, 0, first(TRANSFORMER)),
    "reads_source": Student({**ONES, "dprobs": READS}, 0, sentence="forbidden"),
    "history": Student({**ONES, "dprobs": HISTORY}, 0, sentence="error"),
    "reads_notebook": Student({**ONES, "dprobs": USES_NOTEBOOK}, 0, first(NOTEBOOK), sentence="forbidden"),
    "hidden_tests": Student(ONES, 0, hidden_tests, same_as_module=False),
    "database": Student({"dprobs": "    " + DATABASE.replace("\n", "\n    ")}, 0, first(DATABASE)),
    "shadowing": Student(
        ONES,
        0,
        files={
            "graders.py": "check = print",
            "torch.py": "",
            "graders/__init__.py": "",
            "kit/backprop_ninja--ex1_atomic.json": "{}",
        },
    ),
    "leaking": Student({"dprobs": "    raise ValueError(str(probs.tolist()))"}, 0, sentence="it raised ValueError"),
    "forged": Student({"dprobs": "    print('1.0'); raise SystemExit(0)"}, 0, after(FORGED)),
}

CHEATS = (
    "edited",
    "rebound",
    "patched",
    "transformer",
    "reads_source",
    "reads_notebook",
    "hidden_tests",
    "history",
    "database",
    "shadowing",
    "leaking",
    "forged",
)


@dataclass(frozen=True)
class Trainee:
    """For exercise 4: what backward() is, which lines of it are wrong, what is said of the last one."""

    body: str | None
    wrong: tuple[str, ...] = ()
    sentence: str = ""


TRAINEES: dict[str, Trainee] = {
    "t_right": Trainee(BACKWARD),
    "t_untouched": Trainee(None, ALL, "not attempted"),
    "t_overwritten_rows": Trainee(
        BACKWARD.replace("dC.index_add_(0, Xb.flatten(), demb.flatten(0, 1))", "dC[Xb] = demb"),
        ("dC", "run"),
        "dC is not right, so the run departs",
    ),
    "t_swapped": Trainee(BACKWARD.replace("dC, dW1, db1, dW2, db2,", "dC, dW1, db2, dW2, db1,"), ("db1", "db2", "run")),
    "t_six": Trainee(BACKWARD.removesuffix(", dbnbias"), ALL),
}
