"""The order of the rooms in graders/, held by reading every import. Each rule is shown to fail on a made-up tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.rooms import ROOMS, House, Import, module_of, room_of
from tests.support.stubs import ROOT

TRUSTED = {"__init__", "sandbox", "task", "wire", "outcome", "python_says", "supervise", "launch", "clock", "selftest"}
UNTRUSTED = {"zygote", "child", "confine", "by_hand"}
SECRET = ("oracle", "diagnosis", "verdict", "grading")  # what is right, and what decides it
MOST_PACKAGES = 14
SHORTEST_DOCSTRING, LONGEST_FILE = 3, 280  # lines

Rule = Callable[[House], Iterator[str]]


def every_room_has_its_place(house: House) -> Iterator[str]:
    for file in house.trees:
        if room_of(file) not in ROOMS:
            yield f"{file}:1: {room_of(file)} has no place in the order of rooms: give it one in ROOMS"


def no_arrow_runs_up(house: House) -> Iterator[str]:
    for arrow in house.arrows:
        own, other = room_of(arrow.file), house.target_room(arrow)
        if own in ROOMS and other in ROOMS and ROOMS.index(own) < ROOMS.index(other):
            yield f"{arrow}: {own} stands before {other}, and a room imports only rooms before it"


def no_circle_of_rooms(house: House) -> Iterator[str]:
    between = {(room_of(a.file), house.target_room(a)): a for a in house.arrows}
    yield from _circles({ends: a for ends, a in between.items() if ends[0] != ends[1]}, "rooms")


def no_circle_of_files_in_a_room(house: House) -> Iterator[str]:
    inside = {(module_of(a.file), a.target): a for a in house.arrows if room_of(a.file) == house.target_room(a)}
    yield from _circles(inside, "files")


def _circles(arrows: dict[tuple[str, str], Import], what: str) -> Iterator[str]:
    """The first circle of arrows: what imports nothing that is left falls away, until only circles are left."""
    left = dict(arrows)
    while left:
        starts = {start for start, _ in left}
        ended = [ends for ends in left if ends[1] not in starts]
        if not ended:
            break
        for ends in ended:
            del left[ends]
    if left:
        way = [next(iter(left))[0]]
        while way[-1] not in way[:-1]:
            way.append(next(end for start, end in left if start == way[-1]))
        way = way[way.index(way[-1]) :]
        first = left[way[0], way[1]]
        yield f"{first}: it closes the circle {' -> '.join(way)}, and {what} import each other one way only"


def the_trusted_side_stays_apart(house: House) -> Iterator[str]:
    for file in house.trees:
        if room_of(file) == "sandbox" and Path(file).stem not in TRUSTED | UNTRUSTED:
            yield f"{file}:1: say in TRUSTED or UNTRUSTED which side of the sandbox it is on"
    for arrow in house.arrows:
        if room_of(arrow.file) == "sandbox" and Path(arrow.file).stem in TRUSTED:
            if arrow.target in {f"graders.sandbox.{name}" for name in UNTRUSTED}:
                yield f"{arrow}: a trusted file of the sandbox never imports one that runs beside a submission"


def nothing_secret_is_within_reach_of_a_submission(house: House) -> Iterator[str]:
    for name in sorted(UNTRUSTED):
        start = f"graders/sandbox/{name}.py"
        for way in _ways(house, start):
            if house.target_room(way[-1]) in SECRET:
                told = "; ".join(map(str, way))
                yield f"{told}: a submission's process never loads {', '.join(SECRET)}"


def _ways(house: House, start: str) -> Iterator[list[Import]]:
    """The shortest way to each file that `start` brings along. A module brings the faces of its packages, too."""
    seen, waiting = {start}, [(start, list[Import]())]
    for file, way in waiting:
        for arrow in [a for a in house.arrows if a.file == file]:
            for brought in _brought(arrow.target, house):
                if brought not in seen:
                    seen.add(brought)
                    waiting.append((brought, [*way, arrow]))
                    yield [*way, Import(arrow.file, arrow.line, module_of(brought))]


def _brought(module: str, house: House) -> Iterable[str]:
    """The files that run when a module is imported. The public face runs too, and imports nothing by itself."""
    parts = module.split(".")
    names = [".".join(parts[:end]) for end in range(2, len(parts) + 1)]
    return [house.files[name] for name in names if name in house.files]


def nothing_imports_the_command(house: House) -> Iterator[str]:
    for arrow in house.arrows:
        if house.target_room(arrow) == "cli" != room_of(arrow.file):
            yield f"{arrow}: only cli/ imports cli/"


def graders_knows_no_exercise(house: House) -> Iterator[str]:
    for found in house.imports:
        if found.target.split(".")[0] in ("reference", "exercises", "tests"):
            yield f"{found}: graders/ is given paths, and imports no exercise, reference or test"


def few_packages_at_the_top(house: House) -> Iterator[str]:
    found = sorted(file for file in house.trees if file.count("/") == 2 and file.endswith("/__init__.py"))
    for file in found[MOST_PACKAGES:]:
        yield f"{file}:1: {len(found)} packages in graders/, and {MOST_PACKAGES} are the most: put it into one of them"


def every_package_says_what_it_is_for(house: House) -> Iterator[str]:
    for folder in sorted({file.rpartition("/")[0] for file in house.trees}):
        face = f"{folder}/__init__.py"
        said = ast.get_docstring(house.trees.get(face, ast.Module([], []))) or ""
        if len(said.splitlines()) < SHORTEST_DOCSTRING:
            yield f"{face}:1: a package says in {SHORTEST_DOCSTRING} lines what it is for, what it may import, where to begin"


def no_file_is_long(house: House) -> Iterator[str]:
    for file in house.trees:
        count = len((house.root / file).read_text(encoding="utf-8").splitlines())
        if count > LONGEST_FILE:
            yield f"{file}:{LONGEST_FILE + 1}: {count} lines, and {LONGEST_FILE} are the most: two things may be in it"


RULES: list[Rule] = [
    every_room_has_its_place,
    no_arrow_runs_up,
    no_circle_of_rooms,
    no_circle_of_files_in_a_room,
    the_trusted_side_stays_apart,
    nothing_secret_is_within_reach_of_a_submission,
    nothing_imports_the_command,
    graders_knows_no_exercise,
    few_packages_at_the_top,
    every_package_says_what_it_is_for,
    no_file_is_long,
]


@pytest.fixture(scope="module")
def house() -> House:
    return House(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule, house: House) -> None:
    broken = list(rule(house))
    assert not broken, "\n" + "\n".join(broken)


def test_every_room_is_there(house: House) -> None:
    assert {room_of(file) for file in house.trees} == set(ROOMS)


def built(root: Path, files: dict[str, str]) -> House:
    """A made-up graders/; every package that has no face of its own gets one that says enough."""
    for name, text in files.items():
        path = root / "graders" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in {path.parent for path in (root / "graders").rglob("*.py")} | {root / "graders"}:
        face = folder / "__init__.py"
        if not face.exists():
            face.write_text('"""What it is for.\n\nWhat it may import.\nWhere to begin.\n"""\n')
    return House(root)


BROKEN: list[tuple[Rule, dict[str, str], list[str]]] = [
    (every_room_has_its_place, {"attic/a.py": ""}, ["graders/attic/__init__.py:1: attic", "graders/attic/a.py:1: attic"]),
    (
        no_arrow_runs_up,
        {"oracle/a.py": "import torch\nfrom graders.verdict import b\n", "verdict/b.py": ""},
        ["graders/oracle/a.py:2: imports graders.verdict.b: oracle stands before verdict"],
    ),
    (
        no_arrow_runs_up,
        {"words.py": "import graders\n"},
        ["graders/words.py:1: imports graders: words stands before __init__"],
    ),
    (
        no_circle_of_rooms,
        {"oracle/a.py": "import graders.verdict.b", "verdict/b.py": "", "verdict/c.py": "from graders.oracle import a"},
        ["graders/oracle/a.py:1: imports graders.verdict.b: it closes the circle oracle -> verdict -> oracle"],
    ),
    (
        no_circle_of_files_in_a_room,
        {"oracle/a.py": "from . import b", "oracle/b.py": "from .c import x", "oracle/c.py": "\nfrom graders.oracle import a"},
        ["graders/oracle/a.py:1: imports graders.oracle.b: it closes the circle graders.oracle.a -> graders.oracle.b -> "],
    ),
    (
        the_trusted_side_stays_apart,
        {"sandbox/supervise.py": "def f():\n    from graders.sandbox.child import x\n", "sandbox/child.py": "", "sandbox/new.py": ""},
        ["graders/sandbox/new.py:1: say in", "graders/sandbox/supervise.py:2: imports graders.sandbox.child: a trusted file"],
    ),
    (
        nothing_secret_is_within_reach_of_a_submission,
        {"sandbox/by_hand.py": "\nimport graders.grading.keys", "grading/keys.py": "", "grading/__init__.py": ""},
        [
            "graders/sandbox/by_hand.py:2: imports graders.grading: a submission's",
            "graders/sandbox/by_hand.py:2: imports graders.grading.keys: a submission's",
        ],
    ),
    (
        nothing_secret_is_within_reach_of_a_submission,
        {"sandbox/child.py": "from graders.student.a import x", "student/__init__.py": "import graders.oracle", "student/a.py": "", "oracle/__init__.py": ""},
        ["graders/sandbox/child.py:1: imports graders.student.a; graders/student/__init__.py:1: imports graders.oracle: a sub"],
    ),
    (
        nothing_imports_the_command,
        {"pytest_plugin.py": "from graders.cli import main", "cli/main.py": "import graders.cli.shared", "cli/shared.py": ""},
        ["graders/pytest_plugin.py:1: imports graders.cli.main: only cli/"],
    ),
    (
        graders_knows_no_exercise,
        {"words.py": "import tests.support\nfrom reference.backprop_ninja import ex1_atomic\n"},
        ["graders/words.py:1: imports tests.support: graders/", "graders/words.py:2: imports reference.backprop_ninja: gra"],
    ),
    (
        few_packages_at_the_top,
        {f"p{number:02d}/__init__.py": "" for number in range(15)},
        ["graders/p14/__init__.py:1: 15 packages in graders/, and 14 are the most"],
    ),
    (
        every_package_says_what_it_is_for,
        {"oracle/__init__.py": '"""Says\ntoo little."""', "verdict/a.py": "", "verdict/__init__.py": "import torch"},
        ["graders/oracle/__init__.py:1: a package says", "graders/verdict/__init__.py:1: a package says"],
    ),
    (no_file_is_long, {"words.py": "x = 1\n" * 281, "outcome.py": "x = 1\n" * 280}, ["graders/words.py:281: 281 lines"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "expected"), BROKEN, ids=[rule.__name__ for rule, _, _ in BROKEN])
def test_rule_can_fail(rule: Rule, files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    broken = list(rule(built(tmp_path, files)))
    assert [fault[: len(start)] for fault, start in zip(broken, expected, strict=True)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "import graders.cli.main",
        "import graders.cli.main as other",
        "from graders.cli import main",
        "from graders.cli.main import run",
        "from graders.cli import (\n    shared,\n    main,\n)",
        "from ..cli import main",
        "from ..cli.main import run",
        "def f():\n    from graders.cli import main",
        "class A:\n    def f(self):\n        import graders.cli.main",
        "if TYPE_CHECKING:\n    from graders.cli.main import run",
        "try:\n    import graders.cli.main\nexcept ImportError:\n    pass",
    ],
)
def test_every_way_to_import_is_read(text: str, tmp_path: Path) -> None:
    house = built(tmp_path, {"verdict/a.py": text, "cli/main.py": "", "cli/shared.py": ""})
    assert "graders.cli.main" in [found.target for found in house.arrows if found.file == "graders/verdict/a.py"]


def test_a_house_in_order_breaks_no_rule(tmp_path: Path) -> None:
    files = {
        "__init__.py": '"""A\nB\nC"""\ndef __getattr__(name):\n    from graders.report import scores',
        "report/scores.py": "from graders.verdict import grader\nfrom graders import words",
        "verdict/grader.py": "from graders.verdict.result import x\nfrom graders.oracle.trial import y",
        "verdict/result.py": "import torch",
        "oracle/trial.py": "from graders import words",
        "sandbox/sandbox.py": "from graders.sandbox import wire",
        "sandbox/child.py": "from graders.sandbox import wire, watch",
        "sandbox/wire.py": "from graders import words",
        "sandbox/by_hand.py": "",
        "words.py": "import reference_books",
    }
    house = built(tmp_path, files)
    assert not [fault for rule in RULES for fault in rule(house)]
