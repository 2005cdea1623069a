"""A module is read whole, and its stub has the story and nothing else."""

from __future__ import annotations

from pathlib import Path

from graders.exercise.cases import cases
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
