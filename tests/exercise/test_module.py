"""An author's mistakes are refused with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.authoring import release
from graders.authoring.selfcheck import check
from graders.exercise.cases import cases
from graders.exercise.mistake import ExerciseError
from graders.exercise.module import load, split_docstring
from graders.exercise.stub import stub as stub_of
from graders.oracle.gradient import Oracle

GOOD = '''"""A title.

A story.
"""

import torch


def inputs(rng, n=3, m=4):
    """Given."""
    return dict(x=torch.randn(n, m, generator=rng))


def forward(x):
    """Given."""
    y = x**2
    loss = y.sum()
    return locals()


# --- squares ----------


def dx(x, dy):
    """dL/dx, (n, m): a square.

    Points: 2
    Hint 1: Think
        again.
    Derivation:
    $2x$
    """
    ### BEGIN SOLUTION
    return 2 * x * dy
    ### END SOLUTION
'''

MISTAKES = {
    "unknown name": (("dx(x, dy)", "dx(z, dy)"), "asks for `z`", 24),
    "gradient of nothing": (("def dx(", "def dz("), "no differentiable tensor `z`", 24),
    "two functions for one gradient": (("# --- squares", "def dx(x):\n    pass\n\n# --- squares"), "defined twice", 27),
    "no loss": (("loss = y.sum()", "cost = y.sum()"), "no `loss`", 14),
    "loss with no gradient": (("loss = y.sum()", "loss = y.sum().detach()"), "no `loss`", 14),
    "not on the way to the loss": (("loss = y.sum()", "loss = x.sum()"), "does not depend on `y`", 1),
    "no forward": (("def forward(", "def forwards("), "no function forward()", 1),
    "syntax error": (("y = x**2", "y = x**"), "syntax error", 16),
    "raises at import": (("import torch\n", "import torch\n1 / 0\n"), "ZeroDivisionError", 7),
    "no docstring": (('    """dL/dx, (n, m): a square.', '    """'), "no docstring", 24),
    "points not a number": (("Points: 2", "Points: two"), "whole numbers", 24),
    "no solution marker": (("    ### END SOLUTION\n", ""), "needs one ### BEGIN SOLUTION", 24),
    "marker elsewhere": (("    y = x**2", "    ### BEGIN SOLUTION\n    y = x**2"), "outside a gradient", 16),
    "an upstream gradient that does not arrive": (("dx(x, dy)", "dx(x, dy, dloss)"), "does not arrive at `x`", 24),
}  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reference" / "unit" / "ex.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_a_good_module_is_read_whole(tmp_path: Path) -> None:
    exercise = load(written(tmp_path, GOOD))
    (gradient,) = exercise.gradients
    assert (exercise.title, exercise.story) == ("A title", "A story.")
    assert (gradient.name, gradient.target, gradient.section) == ("dx", "x", "squares")
    assert (gradient.points, gradient.hints, gradient.derivation) == (2, ("Think again.",), "$2x$")
    assert gradient.story == "dL/dx, (n, m): a square."
    assert exercise.watched == ("x", "y")


@pytest.mark.parametrize(("edit", "what", "line"), MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("by", ["release", "selfcheck"])
def test_an_authors_mistake_is_refused(tmp_path: Path, edit: tuple[str, str], what: str, line: int, by: str) -> None:
    assert edit[0] in GOOD
    path = written(tmp_path, GOOD.replace(*edit))
    with pytest.raises(ExerciseError) as refused:
        release.build(tmp_path / "reference") if by == "release" else check(path, 1)
    assert what in refused.value.what
    assert refused.value.line == line
    assert refused.value.path == path and refused.value.remedy


def test_the_stub_has_the_story_and_nothing_else(tmp_path: Path) -> None:
    stub = stub_of(load(written(tmp_path, GOOD)))
    function = stub[stub.index("def dx") :]
    assert function == (
        'def dx(x, dy):\n    """dL/dx, (n, m): a square.\n\n'
        '    2 points, difficulty 1 of 5, about 5 minutes.\n    """\n    raise NotImplementedError\n'
    )


def test_docstring_entries() -> None:
    story, entries = split_docstring(
        "A.\n\nB.\n\nPoints: 3\n\nHint 1: one\n    two\nHint 2: x\n\nDerivation:\n$$a$$\nb"
    )
    assert story == "A.\n\nB."
    assert entries == {"Points": "3", "Hint 1": "one two", "Hint 2": "x", "Derivation": "$$a$$\nb"}


def test_an_exercise_of_an_author_is_graded_without_a_word_of_test_code(tmp_path: Path) -> None:
    exercise = load(written(tmp_path, GOOD))
    oracle = Oracle(exercise, cases(exercise)[1])
    given = {"x": oracle.values["x"], "dy": oracle.upstream["y"]}
    assert (exercise.namespace["dx"](**given) - oracle.vjp("x")).abs().max() < 1e-12
