"""What a student sees: golden outputs, one a situation. `pytest tests/ --update-golden` rewrites them; then read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import graders.student.forked  # both stay imported: pytester forgets what is imported inside a run
import graders.verdict.chained  # noqa: F401
from tests.conftest import Folder
from tests.support.stubs import REFERENCE, solutions

GOLDEN = Path(__file__).parent / "golden"
EX1, EX2 = "ex1_atomic", "ex2_cross_entropy"


@dataclass(frozen=True)
class Situation:
    """A student's file: the bodies filled in, then an edit of its text; the options; the exit code."""

    name: str
    bodies: dict[str, str] = field(default_factory=dict)
    edit: Callable[[str], str] = str
    options: tuple[str, ...] = ("-k", "cross")
    exit_code: int = 1
    exercise: str = EX1
    beside: dict[str, str] = field(default_factory=dict)


PARTLY = {k: v for k, v in solutions(EX1).items() if k in ("dlogprobs", "dprobs", "dcounts_sum_inv")}
WRONG = {
    **PARTLY,
    "dlogprobs": "return torch.zeros_like(logprobs)",
    "dcounts_sum": "return counts_sum**-2 * dcounts_sum_inv",
    "dcounts": "return counts_sum_inv * dprobs",
    "dnorm_logits": "return dcounts * counts",
    "dlogit_maxes": "return -dnorm_logits",
    "dlogits": "n = 32\nd = dnorm_logits.clone()\nd[torch.arange(n), logits.max(1).indices] += dlogit_maxes[:, 0]\nreturn d",
}
ONE = ("-k", "dlogprobs or dprobs")
SITUATIONS = [
    Situation("untouched", options=()),
    Situation("all_right", solutions(EX1), options=(), exit_code=0),
    Situation("partly_solved", PARTLY),
    Situation("wrong_in_six_ways", WRONG),
    Situation("returns_none", {"dprobs": "dprobs = dlogprobs / probs"}, options=ONE),
    Situation("syntax_error", edit=lambda text: text.replace("def dprobs(probs, dlogprobs):", "def dprobs(probs, dlogprobs)"), options=ONE),
    Situation("import_error", edit=lambda text: text.replace("import torch\n", "import torch\nimport torch.nn.funktional\n"), options=ONE),
    Situation("exception", {"dprobs": "scale = 1 / probs\nreturn scale @ dlogprobs"}, options=ONE),
    Situation("wrong_type", {"dprobs": "return [1, 2]", "dlogprobs": "return 'no'"}, options=ONE),
    Situation("wrong_shape", {"dbnbias": "return dhpreact", "dbngain": "return (dhpreact * bnraw).sum(1)"}, options=("-k", "bnbias or bngain")),
    Situation("keepdim", {"dbnbias": "return dhpreact.sum(0)"}, options=("-k", "bnbias"), exit_code=0),
    Situation("keepdim_strict", {"dbnbias": "return dhpreact.sum(0)"}, options=("-k", "bnbias", "--strict-shapes")),
    Situation("keepdim_too_many", {"db2": "return dlogits.sum(0, keepdim=True)"}, options=("-k", "db2"), exit_code=0),
    Situation("keepdim_too_many_strict", {"db2": "return dlogits.sum(0, keepdim=True)"}, options=("-k", "db2", "--strict-shapes")),
    Situation("not_finite", {"dprobs": "return dlogprobs / (probs - probs)"}, options=ONE),
    Situation("changed_in_place", {"dprobs": "dlogprobs /= probs\nreturn dlogprobs"}, options=ONE),
    Situation("prints", {"dprobs": "print('probs', tuple(probs.shape))\nreturn dlogprobs / probs"}, options=ONE),
    Situation("endless_loop", {"dprobs": "while True: pass"}, options=(*ONE, "--time-limit", "0.3")),
    Situation("float32_inside", {"dlogprobs": solutions(EX1)["dlogprobs"].replace("-1.0 / n", "-torch.tensor(1 / n)"), "dprobs": "return dlogprobs.numpy().astype('float32') / probs.numpy().astype('float32')"}, options=ONE, exit_code=0),
    Situation("asks_for_the_answer", {"dprobs": "return dprobs"}, lambda text: text.replace("def dprobs(probs, dlogprobs)", "def dprobs(dprobs)"), ONE),
    Situation("asks_for_a_typo", edit=lambda text: text.replace("def dprobs(probs, dlogprobs)", "def dprobs(prob, dlogprobs)"), options=ONE),
    Situation("asks_for_another_upstream", edit=lambda text: text.replace("def dnorm_logits(counts, dcounts)", "def dnorm_logits(counts, dprobs)"), options=("-k", "dnorm_logits")),
    Situation("function_removed", edit=lambda text: text.replace("def dprobs(", "def dprob("), options=ONE),
    Situation("given_code_changed", PARTLY, lambda text: text.replace("counts = norm_logits.exp()", "counts = logits.exp()"), ONE, 0),
    Situation("stub_of_another_release", PARTLY, lambda text: text.replace("counts = norm_logits.exp()", "counts = logits.exp()").replace("# release: ", "# release: 0123456789ab "), ONE),
    Situation("exits_at_import", edit=lambda text: text + "\nimport sys\nsys.exit(0)\n", options=ONE),
    Situation(
        "not_by_hand",
        {"dlogprobs": "logprobs.requires_grad_()\nreturn torch.autograd.grad(-logprobs[range(len(Yb)), Yb].mean(), logprobs)[0]", "dprobs": "return divided(dlogprobs, probs)"},
        lambda text: text.replace("import torch\n", "import torch\nfrom my_helpers import divided\n", 1),
        ONE,
        beside={"my_helpers.py": "def divided(x, y):\n    return x / y\n"},
    ),
    Situation("one_selected_and_fed_wrong", {**PARTLY, "dlogprobs": "return -logprobs"}, options=("-k", "dprobs and not log"), exit_code=0),
    Situation("stopped_at_the_first", {**WRONG, "dlogprobs": PARTLY["dlogprobs"]}, options=("-x",)),
    Situation("shapes_do_not_fit", {"dW2": "return h @ dlogits", "dh": "return torch.einsum('ij,jk->ik', dlogits, W2)"}, options=("-k", "W2 or dh")),
    Situation("not_asked_for", {"dcounts": "return counts_sum_inv * dprobs + probs"}, options=("-k", "dcounts")),
    Situation("leftover_raise", {"dprobs": "d = dlogprobs / probs\nraise NotImplementedError", "dcounts": "d = counts_sum_inv * dprobs\nreturn d\nreturn d + dcounts_sum"}, options=("-k", "dprobs or dcounts")),
    Situation("no_exercise_beside", PARTLY, options=ONE, exit_code=0, beside={"notes.py": "x = 1 / 0\n", "test_mine.py": "def test_mine():\n    assert True\n"}),
]  # fmt: skip


def run(pytester: pytest.Pytester, student_folder: Folder, situation: Situation) -> pytest.RunResult:
    path = student_folder(situation.exercise, situation.bodies)
    path.write_text(situation.edit(path.read_text()))
    for name, text in situation.beside.items():
        (path.parent / name).write_text(text)
    root = path.parent.parent.parent
    (root / "pytest.ini").write_text(
        "[pytest]\naddopts = --no-header -p no:cacheprovider -W ignore::pytest.PytestAssertRewriteWarning\n"
    )
    os.chdir(root)
    return pytester.runpytest_inprocess("exercises/", *situation.options)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.name)
def test_golden(
    situation: Situation,
    pytester: pytest.Pytester,
    student_folder: Folder,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # as in an active environment
    monkeypatch.setattr("graders.student.time_limit.PATIENCE", 100)  # a loop's processor time is up first
    result = run(pytester, student_folder, situation)
    seen = normalised(result.outlines)
    path = GOLDEN / f"{situation.name}.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(seen)
    assert seen == path.read_text()
    assert result.ret == situation.exit_code
    assert "\x1b" not in seen, "no colours where there is no terminal"
    assert "graders/" not in seen and "Traceback" not in seen, "no frames of the kit's own"


def normalised(lines: list[str]) -> str:
    """Times and rounding noise differ from machine to machine: figures below 1e-7 read 'tiny'."""
    text = "\n".join(lines)
    text = re.sub(r"in \d+\.\d+s", "in TIME", text)
    text = re.sub(r"=+( .* in TIME )=+", r"==\1==", text)
    text = re.sub(r"\d\.?\d*e-(0[89]|[1-9]\d)\b", "tiny", text)
    return text + "\n"


COMMAND = re.compile(r"^(?:hint|the rest|to read): (.+?)(?: [(]with .*)?$", re.MULTILINE)


def test_commands_run_as_printed(student_folder: Folder, tmp_path: Path) -> None:
    """Whether the environment is active or not, here or elsewhere; all that the golden outputs show are of these kinds."""
    student_folder(EX1, PARTLY)
    (tmp_path / "reference").symlink_to(REFERENCE)
    here, elsewhere = tmp_path, tmp_path / "else where"
    elsewhere.mkdir()
    bare = {**os.environ, "PATH": "/usr/bin:/bin"}
    active = {**bare, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    printed: dict[str, str] = {}
    for folder, environment in ((here, bare), (here, active), (elsewhere, bare)):
        for options in (("-k", "dprobs"), ("-k", "dcounts")):
            files = os.path.relpath(here / "exercises", folder)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", files, *options]
            told = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout
            for line in COMMAND.findall(told):
                done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
                assert done.returncode in (0, 1) and done.stdout and not done.stderr, (line, done)
                printed[line.split()[1]] = line
    assert {"hint", "solution"} <= printed.keys() and len(printed) >= 3
    kinds = {line.split()[1] for path in GOLDEN.glob("*.txt") for line in COMMAND.findall(path.read_text())}
    assert {kind for kind in kinds if "/" not in kind} <= printed.keys()


def test_a_students_own_tests_keep_their_threads(pytester: pytest.Pytester, student_folder: Folder) -> None:
    own = "import torch\ndef test_mine():\n    assert torch.get_num_threads() == 2\n"
    loud = {"dprobs": "print('threads:', torch.get_num_threads())\nreturn dlogprobs / probs"}
    options = ("-k", "dprobs or mine", "-rA")
    situation = Situation("threads", {**PARTLY, **loud}, options=options, beside={"test_mine.py": own})
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        result = run(pytester, student_folder, situation)
    finally:
        torch.set_num_threads(before)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*threads: 1*"])


def test_junit_xml_carries_state_and_diagnosis(
    pytester: pytest.Pytester, student_folder: Folder, tmp_path: Path
) -> None:
    situation = Situation("junit", WRONG, options=("-k", "cross", "--junitxml", str(tmp_path / "junit.xml")))
    run(pytester, student_folder, situation)
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    properties = {p.get("name"): p.get("value") for p in cases["dcounts"].iter("property")}
    assert properties["state"] == "wrong"
    assert properties["cause"] == "missing branch"
    assert cases["dcounts"].find("failure") is not None
    assert "probs" in str(cases["dcounts"].find("failure").text)  # type: ignore[union-attr]
    assert {p.get("value") for p in cases["dprobs"].iter("property")} & {
        "exact",
        "right, fed a wrong upstream gradient",
    }


def test_items_have_their_own_ids_and_lines(pytester: pytest.Pytester, student_folder: Folder) -> None:
    path = student_folder(EX1)
    items, _ = pytester.inline_genitems(str(path))
    by_name = {item.name: item for item in items}
    assert len(by_name) == 26
    line = path.read_text().splitlines().index("def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):")
    assert by_name["dcounts"].reportinfo()[:2] == (path, line)
    assert by_name["dcounts"].nodeid.endswith("ex1_atomic.py::dcounts")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("-k", "tanh"), ["dhpreact"]),
        (("-k", "linear"), ["dh", "dW2", "db2", "dembcat", "dW1", "db1"]),
        (("-k", "embedding"), ["demb", "dC"]),
    ],
)
def test_sections_can_be_selected(
    pytester: pytest.Pytester, student_folder: Folder, options: tuple[str, ...], names: list[str]
) -> None:
    path = student_folder(EX1)
    result = pytester.runpytest_inprocess(str(path), *options)
    ran = [line.split()[0] for line in result.outlines if line.endswith("| not attempted")]
    assert [f"d{name}" for name in ran] == names


def test_first_failure_stops_with_x_and_last_failed_runs_again(
    pytester: pytest.Pytester, student_folder: Folder
) -> None:
    path = student_folder(EX1, WRONG)
    stopped = pytester.runpytest_inprocess(str(path), "-x")
    assert sum("wrong:" in line for line in stopped.outlines) == 1
    pytester.runpytest_inprocess(str(path))
    again = pytester.runpytest_inprocess(str(path), "--lf")
    assert any("run-last-failure" in line or "deselected" in line for line in again.outlines)


def test_colours_on_a_terminal(pytester: pytest.Pytester, student_folder: Folder) -> None:
    path = student_folder(EX1, PARTLY)
    result = pytester.runpytest_inprocess(str(path), "--color=yes", "-k", "cross")
    assert any("\x1b[32mlogprobs" in line for line in result.outlines)
