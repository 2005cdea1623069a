"""A beginner's slips, each with the sentence that is said of it: in this process, and of a sandboxed submission."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from graders.exercise.kit import open_kit
from graders.sandbox.sandbox import Sandbox
from graders.student.module import load_student
from graders.student.question import Question
from graders.student.reading import leftover, remarks
from graders.verdict.chained import self_check
from graders.words import joined
from tests.conftest import Folder
from tests.sandbox.test_attacks import LIMITS
from tests.support.sandboxes import sandbox_of
from tests.support.stubs import EXERCISES, NINJA, fill, solutions

from .test_accidents import asked

D, P = torch.ones(32, 27, dtype=torch.float64), torch.full((64, 27), 0.5, dtype=torch.float64)
OFFERED = {"probs": P, "counts": D, "dprobs": D, "n": 32}
QUESTION = {"x": P}


# (what, text of a module with `dx`, what is said here, what is said in class)
SLIPS = [
    ("not asked for", "def dx(counts):\n    return counts + probs", "`probs` is there in the forward pass, but dx does not ask for it: add `probs` to its parameters", None),
    ("not asked for, inside", "def dx(counts):\n    def g():\n        return counts + probs\n    return g()", "`probs` is there in the forward pass, but dx does not ask for it: add `probs` to its parameters", None),
    ("not handed on", "def g(a):\n    return a * probs\ndef dx(counts):\n    return g(counts)", "`probs` is known only where it is asked for: hand it to g as an argument", "`probs` is known only where it is asked for: hand it on as an argument"),
    ("own function asked for", "def g(a): return a\ndef dx(counts, g):\n    return g(counts)", "asks for `g`, which stands in this file: take it out of the parameters, and use it as it is.", None),
    ("near miss in the body", "def dx(counts):\n    return count", "`count` is not defined: did you mean `counts`?", None),
    ("near miss of what is not asked for", "def dx(counts):\n    return prob", "`prob` is not defined: did you mean `probs`?", "`prob` is not defined: did you mean `probs`?"),
    ("no near name", "def dx(counts):\n    return xyzzy", "`xyzzy` is not defined", None),
    ("near miss in the signature", "def dx(count):\n    return count", "asks for `count`, which the forward pass does not have: did you mean `counts`?", None),
    ("a comparison", "def dx(counts):\n    d == counts\n    return d", "`d` is not defined: `==` compares, and `=` gives a name its value", None),
    ("no value yet", "def dx(counts):\n    d += counts\n    return d", "`d` is used before it has a value", None),
    ("np", "def dx(counts):\n    return np.exp(counts)", "`np` is not imported: write `import numpy as np` at the top of the file", "`np` is not imported: import it at the top of the file"),
    ("^ of tensors", "def dx(counts):\n    return counts^2", "`^` is no power in Python: write `**`", None),
    ("^ of numbers", "def dx(counts):\n    return counts * 2.0^2", "`^` is no power in Python: write `**`", None),
    ("^ in numpy", "def dx(counts):\n    c = counts.numpy()\n    return c^2", "`^` is no power in Python: write `**`", None),
    ("calls a tensor", "def dx(counts, probs):\n    return probs(counts)", "`probs` is no function, and `probs(...)` calls it: is an operator missing, as in `probs * (...)`?", None),
    ("a method misspelt", "def dx(counts):\n    return counts.summ(0)", "AttributeError: 'Tensor' object has no attribute 'summ': did you mean `sum`?", "it raised AttributeError: did you mean `sum`?"),
    ("a keyword misspelt", "def dx(counts):\n    return counts.sum(0, keep_dim=True)", "TypeError: sum() got an unexpected keyword argument 'keep_dim': did you mean `keepdim`?", "it raised TypeError"),
    ("matmul", "def dx(counts, probs):\n    return counts @ probs", "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x27 and 64x27): `counts` is (32, 27), `probs` is (64, 27). `dx` is to be (64, 27)", "it raised RuntimeError"),
    ("matmul of a transpose", "def dx(counts, probs):\n    d = counts.T @ probs\n    return d", "RuntimeError: mat1 and mat2 shapes cannot be multiplied (27x32 and 64x27): `counts.T` is (27, 32), `probs` is (64, 27)", "it raised RuntimeError"),
    ("broadcast", "def dx(counts, probs):\n    return (counts * probs).sum(0)", "RuntimeError: The size of tensor a (32) must match the size of tensor b (64) at non-singleton dimension 0: `counts` is (32, 27), `probs` is (64, 27). `dx` is to be (64, 27)", "it raised RuntimeError"),
    ("numpy", "def dx(counts, probs):\n    a, b = counts.numpy(), probs.numpy()\n    return a * b", "ValueError: operands could not be broadcast together with shapes (32,27) (64,27): `a` is (32, 27), `b` is (64, 27). `dx` is to be (64, 27)", "it raised ValueError"),
    ("einsum", "import torch\ndef dx(counts, probs):\n    return torch.einsum('ij,jk->ik', counts, probs)", "RuntimeError: einsum(): subscript j has size 64 for operand 1 which does not broadcast with previously seen size 27: `counts` is (32, 27), `probs` is (64, 27). `dx` is to be (64, 27)", "it raised RuntimeError"),
    ("view", "def dx(counts):\n    return counts.view(3, 10)", "RuntimeError: shape '[3, 10]' is invalid for input of size 864: `counts` is (32, 27). `dx` is to be (64, 27)", "it raised RuntimeError"),
    ("index", "def dx(probs):\n    d = probs.clone()\n    d[99] = 1\n    return d", "IndexError: index 99 is out of bounds for dimension 0 with size 64: `d` is (64, 27)", "it raised IndexError"),
    ("a shape that is no name's", "def dx(counts, probs):\n    return (counts + 0) @ (probs + 0)", "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x27 and 64x27): `counts` is (32, 27), `probs` is (64, 27). `dx` is to be (64, 27)", "it raised RuntimeError"),
    ("a name bound anew", "def dx(counts):\n    counts = counts.T\n    return counts @ counts", "RuntimeError: mat1 and mat2 shapes cannot be multiplied (27x32 and 27x32): `counts` is (27, 32). `dx` is to be (64, 27)", "it raised RuntimeError"),
    (".grad", "def dx(counts):\n    return counts.grad * counts", "`.grad` is None: autograd does not run here. What arrives is there by name: dprobs", "*"),
    (".grad returned", "def dx(counts):\n    return counts.grad", "`.grad` is None: autograd does not run here. What arrives is there by name: dprobs", "*"),
    ("a comma", "def dx(probs):\n    return probs,", "returned a tuple of 1: is there a comma at the end of the `return`? It makes a tuple.", None),
    ("assigned only", "def dx(probs):\n    d = probs", "returned None: write `return d` at the end", "returned None: write `return d` at the end"),
    ("printed", "def dx(probs):\n    print(probs)", "returned None: `print` only shows a value, `return` gives it back", None),
    ("print returned", "def dx(probs):\n    return print(probs)", "returned None: `print` only shows a value, `return` gives it back", None),
    ("not returned", "def dx(probs):\n    probs * 2", "returned None: is the word `return` missing in the last line?", None),
    ("nothing", "def dx(probs):\n    pass", "returned None: is the `return` missing?", None),
    ("one way without", "def dx(probs):\n    if probs.dim() == 1:\n        return probs", "returned None: is there a value at the end of every way through the function?", None),
    ("decorated", "import torch\n@torch.no_grad()\ndef dx(counts):\n    return counts + probs", "`probs` is there in the forward pass, but dx does not ask for it: add `probs` to its parameters", None),
    ("a function", "def dx(probs):\n    return probs.sum", "returned a function: are the brackets missing that call it?", None),
    ("a list", "def dx(probs):\n    return [probs, probs]", "returned a list of 2: return one tensor (torch.tensor of numbers, torch.stack of tensors)", "returned an object of type list: return one tensor (torch.tensor of numbers, torch.stack of tensors)"),
    ("an exception of one's own that cannot be read", "class E(NameError):\n    name = property(lambda self: 1 / 0)\ndef dx(probs):\n    raise E('no')", "exercise_ex.E: no", "it raised E"),
]  # fmt: skip
IDS = [row[0] for row in SLIPS]


def question() -> Question:
    upstream = {"dprobs": D}
    values = {name: value for name, value in OFFERED.items() if name not in upstream}
    return Question("dx", ("x",), values, upstream, shapes=((64, 27),))


@pytest.mark.parametrize(("what", "text", "here", "in_class"), SLIPS, ids=IDS)
def test_a_slip_is_told(tmp_path: Path, what: str, text: str, here: str, in_class: str | None) -> None:
    answer = asked(tmp_path, text, question=question())
    assert str(answer.reason) == here
    assert answer.error is None, "it would keep the frames alive"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from sandbox_of("C", LIMITS)


@pytest.mark.parametrize(("what", "text", "here", "in_class"), SLIPS, ids=IDS)
def test_a_slip_is_told_in_class(sandbox: Sandbox, what: str, text: str, here: str, in_class: str | None) -> None:
    ((answer,),) = sandbox.answers(text.encode(), [question()])
    assert in_class == "*" or str(answer.reason) == (in_class or here)


AT_IMPORT = [
    ("not indented", "def dx(probs):\n    pass\nd = probs * 2", "`probs` is not defined: this line stands outside of every function. Is it not indented?"),
    ("np", "x = np.ones(3)", "`np` is not imported: write `import numpy as np` at the top of the file"),
    ("near", "import torch\nx = troch.ones(3)", "`troch` is not defined: did you mean `torch`?"),
    ("colon", "def f()\n    pass", "syntax error: expected ':' (a line that opens a block ends with a colon)"),
    ("body", "def f():\npass", "syntax error: expected an indented block after function definition on line 1 (write what belongs to it four spaces further in)"),
    ("indent", "x = 1\n  y = 2", "syntax error: unexpected indent (lines of one block begin in the same column)"),
    ("return", "def f():\n    pass\nreturn 3", "syntax error: 'return' outside function (is the line indented?)"),
    ("= for ==", "if x = 2:\n    pass", "syntax error: invalid syntax. Maybe you meant '==' or ':=' instead of '='?"),
    ("bracket", "x = (1", "syntax error: '(' was never closed"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "told"), AT_IMPORT, ids=[row[0] for row in AT_IMPORT])
def test_a_file_that_does_not_load_says_what_to_do(tmp_path: Path, what: str, text: str, told: str) -> None:
    (tmp_path / "ex.py").write_text(text)
    fault = load_student(tmp_path / "ex.py").fault
    assert fault is not None and str(fault.reason) == told


RELEASED = 'def dx(x):\n    """Story."""\n    raise NotImplementedError\n'
GIVEN = RELEASED.replace("    raise", "    n = len(x)\n    raise")
LEFT = [
    ("untouched", RELEASED, RELEASED, None),
    ("with a comment", RELEASED, RELEASED.replace("    raise", "    # hm\n    raise"), None),
    ("another message", RELEASED, RELEASED.replace("Error", "Error('later')"), None),
    ("given lines, untouched", GIVEN, GIVEN, None),
    ("code above", RELEASED, GIVEN, "line 4 still raises NotImplementedError below your code: `return` the gradient instead"),
    ("code below", RELEASED, RELEASED + "    return x\n", "line 3 still raises NotImplementedError, so what stands below it is never reached: delete it"),
    ("gone", RELEASED, "def dy(x): pass", None),
    ("no Python", RELEASED, "def dx(", None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "released", "now", "told"), LEFT, ids=[row[0] for row in LEFT])
def test_a_leftover_raise(what: str, released: str, now: str, told: str | None) -> None:
    found = leftover(released, now, "dx")
    assert (str(found) if found else None) == told


READ = [
    ("def dx(x):\n    return x\n    x = 2", ["line 3 is never reached: line 2 ends the function before it"]),
    ("def dx(x):\n    if x:\n        return x\n        x = 2\n    return x", ["line 4 is never reached: line 3 ends the function before it"]),
    ("def dx(x):\n    return x\n    raise NotImplementedError", []),
    ("def dx(x):\n    return x\n    'note'", []),
    ("def dx(x):\n    for i in x:\n        return i", ["the `return` in line 3 stands inside the loop, and ends it in its first round"]),
    ("def dx(x):\n    for i in x:\n        if i: continue\n        return i", []),
    ("def dx(x):\n    return x * 3^2", ["in line 2 stands `^`, which is no power in Python: a power is `**`"]),
    ("def dx(x):\n    def g(): return 1^2\n    return x", []),
    ("def dy(x):\n    return x\n    x = 2", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), READ, ids=[row[0].replace("\n", " ") for row in READ])
def test_what_the_text_of_a_wrong_answer_tells(text: str, told: list[str]) -> None:
    assert list(map(str, remarks(text, "dx"))) == told


def test_a_stub_as_released_is_not_attempted_and_a_leftover_raise_is_an_error(student_folder: Folder) -> None:
    path = student_folder(
        "ex1_atomic", {"dprobs": solutions("ex1_atomic")["dprobs"] + "\n    raise NotImplementedError"}
    )
    check = self_check(open_kit(path))
    assert check.result("dprobs").right, "what is never reached does no harm"
    path.write_text(
        fill(
            (EXERCISES / NINJA / "ex1_atomic.py").read_text(),
            {"dprobs": "d = dlogprobs / probs\nraise NotImplementedError"},
        )
    )
    check = self_check(open_kit(path))
    found = check.result("dprobs")
    lines = path.read_text().splitlines()
    line = 2 + lines.index("    d = dlogprobs / probs")
    assert found.outcome.state == "error" and found.line == line and f"line {line} still raises" in found.message
    assert check.result("dlogprobs").outcome.state == "not attempted"


def test_lines_of_given_code_are_no_lines_of_the_students(student_folder: Folder) -> None:
    """run() is given; what raises in it, or in a function that it calls, stands elsewhere in the student's file."""
    counted = "CALLS.append(1)\nassert len(CALLS) < 60, 'too often'\n"
    path = student_folder(
        "ex4_training", {"backward": counted + textwrap.dedent(solutions("ex4_training")["backward"])}
    )
    path.write_text("# one line\n# and one more\nCALLS = []\n" + path.read_text())
    found = self_check(open_kit(path)).result("run")
    assert "too often" in found.message and found.frames, found
    number = 1 + next(n for n, line in enumerate(path.read_text().splitlines()) if "len(CALLS)" in line)
    assert found.frames == (f"line {number}: assert len(CALLS) < 60, 'too often'",), "and none of run()"


def test_no_full_stop_stands_before_a_semicolon() -> None:
    assert joined(["One.", "two.", "three."]) == "One; two; three."
    assert joined([]) == "" and joined(["One."]) == "One."
