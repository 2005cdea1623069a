"""Whatever an author gets wrong is refused with file, line and remedy, all of it at once, and never by a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.authoring.review import reviewed, reviewed_all
from graders.authoring.selfcheck import check
from graders.cli.main import main
from graders.exercise.mistake import ExerciseError
from tests.exercise.test_module import GOOD, written

Edit = tuple[str, str]
FREE, SHOWN = "take sizes from the tensors", "an entry begins a line"
# what, what is replaced by what in GOOD, the line, what is said, the remedy
TEXT: list[tuple[str, Edit, int, str, str]] = [
    ("syntax error", ("y = x**2", "y = x**"), 16, "syntax error: invalid syntax", "mend the line"),
    ("a null byte", ("y = x**2", "y = x**2\0"), 1, "null bytes", "mend the"),
    ("no forward", ("def forward(", "def forwards("), 1, "no function forward()", "an exercise gives inputs(rng"),
    ("no inputs", ("def inputs(", "def input("), 1, "no function inputs()", "an exercise gives inputs(rng"),
    ("two functions of one name", ("# --- squares", "def dx(x):\n    '''A.\n\n    Points: 1'''\n\n# --- squares"), 29, "dx is defined twice (first at line 21)", "keep one"),
    ("two forwards", ("# --- squares", "def forward(x):\n    return locals()\n\n# --- squares"), 21, "forward is defined twice", "keep one"),
    ("no docstring", ('    """dL/dx, (n, m): a square.', '    """'), 24, "dx has no docstring", "say what and which shape it is"),
    ("points missing", ("    Points: 2\n", ""), 24, "dx has no `Points:`", "say for instance `Points: 1`"),
    ("points misspelt", ("Points: 2", "Point: 4"), 27, "`Point:` is no entry: did you mean `Points:`?", SHOWN),
    ("points in small letters", ("Points: 2", "points: 4"), 27, "`points:` is no entry: did you mean `Points:`?", SHOWN),
    ("points with a space", ("Points: 2", "Points : 4"), 27, "`Points :` is no entry: did you mean `Points:`?", SHOWN),
    ("points further in", ("    Points: 2", "        Points: 2"), 27, "`Points: 2` stands further in", SHOWN),
    ("points not a number", ("Points: 2", "Points: two"), 24, "take whole numbers", "write for instance `Points: 1`"),
    ("no points at all", ("Points: 2", "Points: 0"), 27, "dx: Points is 0", "write 1 to 1000"),
    ("a difficulty that there is not", ("Points: 2", "Points: 2\n    Difficulty: 7"), 28, "Difficulty is 7", "write 1 to 5"),
    ("points twice", ("Points: 2", "Points: 2\n    Points: 3"), 28, "`Points:` twice", "keep one of the two"),
    ("a hint without a number", ("Hint 1: Think", "Hint: Think"), 28, "`Hint:` is no entry: did you mean `Hint 1:`?", SHOWN),
    ("a hint that begins at 2", ("Hint 1: Think", "Hint 2: Think"), 24, "dx has the hints Hint 2", "number them 1, 2, 3"),
    ("an unknown entry", ("Points: 2", "Points: 2\n    Author: me"), 28, "`Author:` is no entry that is known", SHOWN),
    ("a misspelt derivation", ("Derivation:", "Derivaton:"), 30, "did you mean `Derivation:`?", SHOWN),
    ("no solution marker", ("    ### BEGIN SOLUTION\n    return 2 * x * dy\n    ### END SOLUTION\n", "    return 2 * x * dy\n"), 24, "dx needs one ### BEGIN SOLUTION and one", "put the two markers around"),
    ("no end", ("    ### END SOLUTION\n", ""), 24, "dx needs one ### BEGIN SOLUTION and one", "put the two markers around"),
    ("two ends", ("    ### END SOLUTION\n", "    ### END SOLUTION\n    ### END SOLUTION\n"), 36, "outside a gradient", "remove it"),
    ("end before begin", ("BEGIN SOLUTION\n    return 2 * x * dy\n    ### END", "END SOLUTION\n    return 2 * x * dy\n    ### BEGIN"), 24, "dx needs one", "put the two"),
    ("one gradient of two functions", ("# --- squares", 'def gradients(*names):\n    return lambda f: f\n\n\n@gradients("x", "y")\ndef backward(x, dloss):\n    """Both.\n\n    Points: 1\n    """\n    ### BEGIN SOLUTION\n    return x, x\n    ### END SOLUTION\n\n\n# --- squares'), 39, "dx is returned by backward and by dx", "keep one of the two"),
]  # fmt: skip
RUN: list[tuple[str, Edit, int, str, str]] = [
    ("an exception at import", ("import torch\n", "import torch\n1 / 0\n"), 7, "ZeroDivisionError", "the module must import cleanly"),
    ("an import that fails", ("import torch\n", "import torch\nimport torhc\n"), 7, "No module named 'torhc'", "the module must import cleanly"),
    ("an exit at import", ("import torch\n", "import torch\nraise SystemExit(0)\n"), 7, "SystemExit", "the module must import cleanly"),
    ("a marker elsewhere", ("    y = x**2", "    ### BEGIN SOLUTION\n    y = x**2"), 16, "outside a gradient", "remove it"),
    ("inputs that raise", ('    """Given."""\n    return dict', '    """Given."""\n    m / 0\n    return dict'), 11, "inputs() raises ZeroDivisionError", "inputs(rng) must give"),
    ("inputs without rng", ("def inputs(rng, n=3, m=4)", "def inputs(*, n=3, m=4)"), 9, "inputs() raises TypeError", "inputs(rng) must give"),
    ("inputs that ignore rng", (", generator=rng)", ", generator=torch.Generator().manual_seed(3))"), 9, "the same values for two seeds", "draw from it"),
    ("inputs by another generator", (", generator=rng)", ")"), 9, "other values each time", "draw everything from rng"),
    ("inputs that return nothing", ("return dict(x=", "dict(x="), 9, "inputs() returns nothing", "return dict(x=x, ...)"),
    ("inputs at one size only", ("    return dict(x=", "    assert n == 3\n    return dict(x="), 11, "inputs() raises AssertionError", FREE),
    ("too many sizes", ("n=3, m=4", "n=3, m=4, a=1, b=2, c=3, d=4, e=5, f=6, g=7"), 9, "9 sizes, and 8 are the most", "compute the others"),
    ("an extreme that there is not", ("import torch\n", "import torch\nextremes = {'big': {'scale': 3}}\n"), 10, "unexpected keyword argument 'scale'", FREE),
    ("forward without return", ("    return locals()", "    pass"), 14, "forward() returns nothing", "return locals()"),
    ("forward that returns the loss", ("    return locals()", "    return loss"), 14, "forward() returns a Tensor", "return locals()"),
    ("forward that raises", ("y = x**2", "y = x @ x"), 16, "forward() raises RuntimeError", "forward(**inputs(rng)) must run"),
    ("a size as a number in forward", ("y = x**2", "y = x.view(3, 4) ** 2"), 16, "forward() at n=11, m=7 raises RuntimeError", FREE),
    ("no loss", ("loss = y.sum()", "cost = y.sum()"), 14, "no `loss`", "compute a single number named loss"),
    ("a loss that is no scalar", ("loss = y.sum()", "loss = y.sum(0)"), 17, "shape (4,): it is no single number", "compute a single number"),
    ("a loss that is a float", ("loss = y.sum()", "loss = y.sum().item()"), 17, "the `loss` of forward() is a float", "compute a single number"),
    ("a loss with no gradient", ("loss = y.sum()", "loss = y.sum().detach()"), 17, "does not depend on the inputs", "compute a single number"),
    ("a list in forward", ("y = x**2", "states = [x, x]\n    y = x**2"), 16, "`states` is no tensor, number or text", "(torch.stack), or `del states`"),
    ("a gradient of nothing", ("def dx(", "def dz("), 24, "no differentiable tensor `z`", "name the function d<name> after"),
    ("not on the way to the loss", ("loss = y.sum()", "loss = x.sum()"), 1, "does not depend on `y`", "use it on the way"),
    ("an unknown name", ("dx(x, dy)", "dx(z, dy)"), 24, "dx asks for `z`, which the forward pass does not have", "ask for names of forward()"),
    ("a misspelt name", ("dx(x, dy)", "dx(loos, dy)"), 24, "did you mean `loss`?", "ask for names of forward()"),
    ("an upstream gradient that does not arrive", ("dx(x, dy)", "dx(x, dy, dloss)"), 24, "does not arrive at `x`", "ask for dy"),
]  # fmt: skip
SOLUTION: list[tuple[str, Edit, int, str, str]] = [
    ("a wrong solution", ("return 2 * x * dy", "return -2 * x * dy"), 24, "the solution's dx is not what autograd says: ", "mend the solution"),
    ("a solution that raises", ("return 2 * x * dy", "return x @ dy"), 34, "the solution of dx() raises RuntimeError", "the solution must run"),
    ("a solution that gives nothing", ("return 2 * x * dy", "2 * x * dy"), 24, "returned None", "mend the solution"),
    ("a solution that changes x", ("return 2 * x * dy", "return x.mul_(2) * dy"), 24, "changed its argument `x`", "mend the solution"),
    ("a size as a number", ("return 2 * x * dy", "return 24 * x * dy / 12 * (x.numel() / 12)"), 24, "autograd says at n=11, m=7, only at the lecture's sizes", FREE),
    ("a size as a shape", ("return 2 * x * dy", "return 2 * x * dy.view(3, 4)"), 34, "the solution of dx() at n=11, m=7 raises", FREE),
    ("a shape of its own", ("return 2 * x * dy", "return (2 * x * dy)[None]"), 24, "has shape (1, 3, 4), not (3, 4)", "give it the very shape"),
]  # fmt: skip


def refused(path: Path, by: str) -> ExerciseError:
    with pytest.raises(ExerciseError) as told:
        reviewed_all(path.parents[1]) if by == "release" else check(path, 1)
    return told.value


@pytest.mark.parametrize(
    ("edit", "line", "what", "remedy"), [row[1:] for row in TEXT + RUN], ids=[row[0] for row in TEXT + RUN]
)
@pytest.mark.parametrize("by", ["release", "selfcheck"])
def test_a_mistake_is_refused(tmp_path: Path, edit: Edit, line: int, what: str, remedy: str, by: str) -> None:
    assert edit[0] in GOOD
    path = written(tmp_path, GOOD.replace(*edit, 1))
    errors = refused(path, by).all
    assert any(e.line == line and what in e.what and remedy in e.remedy for e in errors), [*map(str, errors)]
    assert all(e.path == path for e in errors)


@pytest.mark.parametrize(
    ("edit", "line", "what", "remedy"), [row[1:] for row in SOLUTION], ids=[row[0] for row in SOLUTION]
)
def test_a_wrong_solution_is_refused(tmp_path: Path, edit: Edit, line: int, what: str, remedy: str) -> None:
    path = written(tmp_path, GOOD.replace(*edit))
    (error,) = refused(path, "release").all
    assert (error.path, error.line) == (path, line) and what in error.what and remedy in error.remedy, str(error)


@pytest.mark.parametrize(
    ("edit", "line", "what", "remedy"),
    [row[1:] for row in TEXT + RUN + SOLUTION],
    ids=[row[0] for row in TEXT + RUN + SOLUTION],
)
def test_the_command_tells_it_in_words(tmp_path: Path, edit: Edit, line: int, what: str, remedy: str) -> None:
    path = written(tmp_path, GOOD.replace(*edit, 1))
    done = CliRunner().invoke(main, ["release", "--reference", str(path.parents[1])], catch_exceptions=False)
    assert done.exit_code == 1 and f"{path}:{line}: " in done.output and what in done.output and remedy in done.output
    assert not (tmp_path / "exercises").exists()


def test_a_misspelt_gradient_is_guessed(tmp_path: Path) -> None:
    text = GOOD.replace("y = x**2", "squares = x**2\n    y = squares * 1").replace("def dx(x, dy)", "def dsqares(dy)")
    assert "did you mean `squares`?" in refused(written(tmp_path, text), "release").what


def test_a_good_module_is_not_refused(tmp_path: Path) -> None:
    story = "dL/dx, (n, m): a square.\n\n    Note: both. In short: think.\n"
    text = GOOD.replace("dL/dx, (n, m): a square.\n", story).replace("        again.", "        Points: 3 of them.")
    text = text.replace("$2x$", "Hence:\n    $2x$\n    Point: by point.")
    assert [e.path.stem for e in reviewed_all(written(tmp_path, text).parents[1])] == ["ex"]


def test_all_mistakes_of_all_modules_are_told_at_once(tmp_path: Path) -> None:
    first = written(
        tmp_path, GOOD.replace("Points: 2", "Point: 2").replace("Hint 1", "Hint").replace("    ### END SOLUTION\n", "")
    )
    second = first.with_name("ex2.py")
    second.write_text(GOOD.replace("y = x**2", "states = [x]\n    y = x**2").replace("dx(x, dy)", "dx(q, dy)"))
    third = first.with_name("ex3.py")
    third.write_bytes(GOOD.replace("A story", "Ästhetik").encode("latin-1"))
    errors = refused(first, "release").all
    found = {(e.path, e.line) for e in errors}
    assert {(first, 24), (first, 27), (first, 28), (second, 16), (second, 25), (third, 3)} <= found
    assert str(refused(first, "release")).count("\n  -> ") == len(errors) >= 7


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ("unit2/ex.py", ""),  # another unit, so another exercise
        ("unit/EX.py", "a second exercise is called"),  # some systems take the files of both for one
        ("no-name/ex.py", "no name of an exercise"),
        ("unit/2nd.py", "no name of an exercise"),
    ],
)
def test_what_modules_may_be_called(tmp_path: Path, other: str, what: str) -> None:
    first = written(tmp_path, GOOD)
    second = first.parents[1] / other
    second.parent.mkdir(exist_ok=True)
    second.write_text(GOOD)
    if not what:
        assert len(reviewed_all(first.parents[1])) == 2
        return
    (error,) = refused(first, "release").all
    assert {error.path, Path(error.what.partition("(")[2].rstrip(")"))} & {second} and what in error.what


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("wrong/ex.py", "def dx__a(x, dy):\n    '''sign: no.'''\n    return (", 3, "syntax error"),
        ("wrong/ex.py", "import nothing_of_that_name", 1, "ModuleNotFoundError"),
        ("right/ex.py", "def dx__a(x, dy):\n    return x\n\n1 / 0", 4, "ZeroDivisionError"),
        ("wrong/ex.py", "def dx__a(x, dy):\n    return x", 1, "cause: message"),
        ("wrong/ex.py", "def dz__a(x, dy):\n    '''sign: no.'''\n    return x", 1, "has no function dz"),
    ],
)  # fmt: skip
def test_mistakes_beside_a_module_are_told(tmp_path: Path, name: str, text: str, line: int, what: str) -> None:
    path = written(tmp_path, GOOD)
    (path.parent / name).parent.mkdir()
    (path.parent / name).write_text(text)
    done = CliRunner().invoke(main, ["release", "--reference", str(path.parents[1])], catch_exceptions=False)
    assert done.exit_code == 1 and f"{path.parent / name}:{line}: " in done.output and what in done.output


@pytest.mark.parametrize("text", ["[[equivalent]", "[[equivalent]]\nmutants = 3", "equivalent = 3"])
def test_a_list_of_mutants_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, GOOD)
    (path.parent / "equivalent").mkdir()
    (path.parent / "equivalent" / "ex.toml").write_text(text)
    with pytest.raises(ExerciseError, match="list of mutants cannot be read"):
        check(path, 1)


def test_the_review_gives_the_exercise(tmp_path: Path) -> None:
    assert reviewed(written(tmp_path, GOOD)).gradients[0].points == 2
