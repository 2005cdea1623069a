"""A generated class: right from reference/, wrong from the catalogue, untouched, hostile, unreadable; what each must get.

    students = class_of(300, folder)

writes the submissions in every form there is. An expectation is a set of outcomes and, for a wrong answer from the
catalogue, the causes that its author expects.
"""

from __future__ import annotations

import ast
import io
import os
import random
import tarfile
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from graders.authoring.catalogue import Example, examples
from graders.authoring.library import try_out
from graders.exercise.cases import PUBLIC_SEED, cases
from graders.exercise.module import Exercise, functions_of, load
from graders.oracle.compare import Match
from graders.oracle.gradient import Oracle
from tests.sandbox.attacks import ATTACKS, Attack
from tests.support.stubs import EXERCISES, NINJA, REFERENCE

NAMES = ("ex1_atomic", "ex2_cross_entropy", "ex3_batchnorm")
FAULTY = frozenset({"wrong", "wrong shape", "bad output"})
FIRST = [
    "Ada",
    "Grace",
    "Emmy",
    "Sofia",
    "Hypatia",
    "Maryam",
    "Katherine",
    "Mary",
    "Alan",
    "Carl",
    "Leonhard",
    "Srinivasa",
    "Évariste",
    "Niels",
    "Kurt",
    "Jürgen",
    "Ōe",
    "Łukasz",
    "Zoë",
    "José",
    "Nguyễn",
    "伟",
    "Αθηνά",
    "Øyvind",
]
LAST = [
    "Lovelace",
    "Hopper",
    "Noether",
    "Kovalevskaya",
    "Mirzakhani",
    "Johnson",
    "Turing",
    "Gauß",
    "Euler",
    "Ramanujan",
    "Galois",
    "Abel",
    "Gödel",
    "O'Neill",
    "Müller",
    "Žižek",
    "Núñez",
    "Văn",
    "李",
    "Παππά",
    "Ångström",
]


@dataclass(frozen=True)
class Expected:
    outcomes: frozenset[str]
    causes: tuple[str, ...] = ()


@dataclass
class Made:
    """One student: the text of each file, and what every gradient must get; a gradient not named must pass."""

    name: str
    kind: str
    files: dict[str, bytes] = field(default_factory=dict)
    expected: dict[str, dict[str, Expected]] = field(default_factory=dict)
    unreadable: bool = False


def passed() -> Expected:
    return Expected(frozenset({"passed"}))


UNTOUCHED = Expected(frozenset({"not attempted"}))


class Catalogue:
    """The exercises with their stubs, and every hand-written answer as text that fits into a stub."""

    def __init__(self) -> None:
        self.exercises = {name: load(REFERENCE / NINJA / f"{name}.py") for name in NAMES}
        self.functions = {
            name: functions_of(ast.parse((EXERCISES / NINJA / f"{name}.py").read_text())) for name in NAMES
        }
        self.stubs = {name: (EXERCISES / NINJA / f"{name}.py").read_text() for name in NAMES}
        self.right = {name: examples(e, "right") for name, e in self.exercises.items()}
        self.wrong = {name: examples(e, "wrong") for name, e in self.exercises.items()}
        self.text_of, self.helpers = cache(self._text_of), cache(self._helpers)
        self.solution, self.expectation = cache(self._solution), cache(self._expectation)
        self._oracles = {name: Oracle(e, cases(e, PUBLIC_SEED)[0]) for name, e in self.exercises.items()}

    def _text_of(self, exercise: str, kind: str, slug: str) -> str:
        example = next(e for e in getattr(self, kind)[exercise] if f"{e.gradient}__{e.slug}" == slug)
        text = (REFERENCE / NINJA / kind / f"{exercise}.py").read_text()
        return _renamed(text, example.tree, example.gradient)

    def _helpers(self, exercise: str, kind: str) -> str:
        """Imports and helpers that the hand-written answers use."""
        text = (REFERENCE / NINJA / kind / f"{exercise}.py").read_text()
        kept = [
            node for node in ast.parse(text).body[1:] if not (isinstance(node, ast.FunctionDef) and "__" in node.name)
        ]
        return "\n".join(ast.get_source_segment(text, node) or "" for node in kept)

    def _solution(self, exercise: str, gradient: str) -> str:
        text = self.exercises[exercise].text
        tree = next(f for f in functions_of(ast.parse(text)) if f.name == gradient)
        return _renamed(text, tree, gradient)

    def _expectation(self, exercise: str, slug: str) -> Expected:
        """From the author's word, and from a trusted run at the lecture's sizes: does it raise there?"""
        example = next(e for e in self.wrong[exercise] if f"{e.gradient}__{e.slug}" == slug)
        loaded = self.exercises[exercise]
        trial = try_out(example.function, loaded, loaded.gradient(example.gradient), self._oracles[exercise])
        if trial.problem:
            return Expected(frozenset({"error", "bad output"}))
        if trial.match is Match.NOT_FINITE:
            return Expected(frozenset({"wrong"}), example.causes)
        return Expected(frozenset({"wrong", "wrong shape"}), example.causes)

    def file(self, exercise: str, functions: dict[str, str], top: str = "", note: str = "") -> bytes:
        """The stub with some functions replaced, and something above them."""
        lines = self.stubs[exercise].splitlines()
        found = self.functions[exercise]
        for function in reversed(found):
            if function.name in functions:
                lines[function.lineno - 1 : function.end_lineno] = functions[function.name].splitlines()
        at = next(f.lineno for f in found if f.name == "inputs") - 1
        lines[at:at] = top.splitlines()
        return ("\n".join([*lines, f"# {note}"]) + "\n").encode()


def _renamed(text: str, tree: ast.FunctionDef, name: str) -> str:
    lines = text.splitlines()[tree.lineno - 1 : tree.end_lineno]
    docstring = tree.body[0]
    if ast.get_docstring(tree) is not None:  # which may say what is wrong
        first, last = docstring.lineno - tree.lineno, (docstring.end_lineno or 0) - tree.lineno
        del lines[first : last + 1]
    lines[0] = lines[0].replace(f"def {tree.name}(", f"def {name}(", 1)
    return "\n".join(lines)


def _gradients(exercise: Exercise) -> list[str]:
    return [g.name for g in exercise.gradients]


def solved(catalogue: Catalogue, rng: random.Random, made: Made, exercise: str, alternatives: int = 3) -> None:
    """All right, some of it by the alternatives of right/."""
    functions = {g: catalogue.solution(exercise, g) for g in _gradients(catalogue.exercises[exercise])}
    chosen = rng.sample(catalogue.right[exercise], min(alternatives, len(catalogue.right[exercise])))
    functions |= {e.gradient: catalogue.text_of(exercise, "right", f"{e.gradient}__{e.slug}") for e in chosen}
    top = catalogue.helpers(exercise, "right") if chosen else ""
    made.files[exercise] = catalogue.file(exercise, functions, top, made.name)
    made.expected[exercise] = {}


def mistaken(catalogue: Catalogue, made: Made, exercise: str, wrong: list[Example], share: float = 1.0) -> None:
    """Some gradients wrong as in the catalogue, of the others the first share solved and the rest untouched."""
    by_gradient = {e.gradient: e for e in wrong}
    functions, expected = {}, {}
    names = _gradients(catalogue.exercises[exercise])
    for number, name in enumerate(names):
        if name in by_gradient:
            functions[name] = catalogue.text_of(exercise, "wrong", f"{name}__{by_gradient[name].slug}")
            expected[name] = catalogue.expectation(exercise, f"{name}__{by_gradient[name].slug}")
        elif number < share * len(names):
            functions[name] = catalogue.solution(exercise, name)
        else:
            expected[name] = UNTOUCHED
    made.files[exercise] = catalogue.file(exercise, functions, catalogue.helpers(exercise, "wrong"), made.name)
    made.expected[exercise] = expected


def untouched(catalogue: Catalogue, made: Made, exercise: str) -> None:
    made.files[exercise] = catalogue.stubs[exercise].encode()
    made.expected[exercise] = dict.fromkeys(_gradients(catalogue.exercises[exercise]), UNTOUCHED)


def hostile(made: Made, attack: Attack) -> None:
    """An attack in the place of exercise 2's only gradient."""
    source = attack.source.replace("def dx(w, dy):", "def dlogits(logits, Yb):\n    w = dy = logits")
    if attack.kind == "reach":
        source = source.replace("{secret}", "/etc/hostname").replace("{supervisor}", str(os.getpid()))
        source = source.replace("{{", "{").replace("}}", "}")
    outcomes = attack.guarded | (FAULTY | {"error"} if "wrong" in attack.guarded else set())
    made.files["ex2_cross_entropy"] = f"# {made.name}\n{source}".encode("utf-8", "surrogatepass")
    made.expected["ex2_cross_entropy"] = {"dlogits": Expected(frozenset(outcomes))}


BAD_FUNCTIONS = {
    "while True: pass": "time out",
    "import os; os._exit(0)": "forbidden",
    "return torch.ones(1 << 36)": "memory",
    "while True: print('x' * 1000)": "output limit",
    "return None": "bad output",
    "return dhprebn @ W1.T * float('nan')": "wrong",
    "return dhprebn.undefined": "error",
    "return torch.autograd.grad(W1.sum(), W1)": "forbidden",
    "return dhprebn @ W1": "error",
    "return (dhprebn @ W1.T).T": "wrong shape",
}


def one_bad(catalogue: Catalogue, made: Made, body: str, outcome: str) -> None:
    """Exercise 1 solved, but for dembcat, which does something else: it alone must suffer."""
    functions = {g: catalogue.solution("ex1_atomic", g) for g in _gradients(catalogue.exercises["ex1_atomic"])}
    functions["dembcat"] = f"def dembcat(dhprebn, W1):\n    {body}"
    made.files["ex1_atomic"] = catalogue.file("ex1_atomic", functions, note=made.name)
    made.expected["ex1_atomic"] = {"dembcat": Expected(frozenset({outcome}))}


def determinate(attack: Attack) -> bool:
    """Attacks whose outcome does not depend on the tensors that it gets."""
    shaped = attack.kind == "autograd" and "forbidden" in attack.guarded and "aten" in attack.source
    return "right" not in attack.guarded and attack.kind in ("resource", "reach", "forge", "output") and not shaped


def class_of(
    count: int, folder: Path, seed: int = 0, hostile_share: float = 0.15, variety: int | None = None
) -> list[Made]:
    """Write the submissions of a class into `folder` and say what every student must get.

    `variety`: of how many wrong answers to an exercise there are; by default of all, each about once.
    """
    rng, catalogue = random.Random(seed), Catalogue()
    kept = {name: rng.sample(found, len(found))[:variety] for name, found in catalogue.wrong.items()}
    wrong = {name: list(found) for name, found in kept.items()}
    attacks = [attack for attack in ATTACKS if determinate(attack)]
    rng.shuffle(attacks)
    bad = list(BAD_FUNCTIONS.items())
    students = []
    for number in range(count):
        made = Made(f"{rng.choice(FIRST)} {rng.choice(LAST)} {number}", "")
        turn = number / count
        if turn < 0.3:
            made.kind = "right"
            for exercise in NAMES[: rng.choice((1, 3))]:
                solved(catalogue, rng, made, exercise)
        elif turn < 0.7:
            made.kind = "wrong"
            for exercise in NAMES[: rng.choice((1, 3))]:
                some: list[Example] = []
                taken: set[str] = set()
                while wrong[exercise] and len(some) < (4 if exercise == NAMES[0] else 1):
                    example = wrong[exercise].pop()
                    if example.gradient not in taken:
                        taken.add(example.gradient)
                        some.append(example)
                mistaken(catalogue, made, exercise, some, rng.choice((1.0, 0.6, 0.3)))
                wrong[exercise] = wrong[exercise] or rng.sample(kept[exercise], len(kept[exercise]))
        elif turn < 0.95 - hostile_share:
            made.kind = "untouched"
            for exercise in NAMES:
                untouched(catalogue, made, exercise)
        elif turn < 0.95:
            made.kind = "hostile"
            if rng.random() < 0.3:
                one_bad(catalogue, made, *bad[number % len(bad)])
            else:
                solved(catalogue, rng, made, "ex1_atomic", 0)
                hostile(made, attacks.pop())
        elif turn < 0.98:
            made.kind = "broken"
            made.files["ex1_atomic"] = f"# {made.name}\ndef dprobs(:\n".encode()
            names = _gradients(catalogue.exercises["ex1_atomic"])
            made.expected["ex1_atomic"] = dict.fromkeys(names, Expected(frozenset({"error"})))
        else:
            made.kind, made.unreadable = "unreadable", True
        hand_in(made, folder, rng)
        students.append(made)
    return students


def hand_in(made: Made, folder: Path, rng: random.Random) -> None:
    """Write a student's files in one of the forms that instructors get."""
    form = rng.choice(("folder", "deep folder", "zip", "tar.gz", "single"))
    if made.unreadable:
        (folder / f"{made.name}.zip").write_bytes(b"PK\x03\x04 cut off")
    elif form == "single" and len(made.files) == 1:
        ((name, content),) = made.files.items()
        (folder / f"{made.name}_{name}.py").write_bytes(content)
    elif form in ("zip", "tar.gz"):
        (folder / f"{made.name}.{form}").write_bytes(archive(form, made.files))
    else:
        where = folder / made.name / ("exercises/backprop_ninja" if form == "deep folder" else ".")
        where.mkdir(parents=True)
        for name, content in made.files.items():
            (where / f"{name}.py").write_bytes(content)


def archive(form: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files.items():
                packed.writestr(f"work/{name}.py", content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"work/{name}.py")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
