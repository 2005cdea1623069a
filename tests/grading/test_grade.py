"""A generated class, graded: every student gets exactly what is expected, whatever happens to the machines."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import dask
import distributed
import pytest
from click.testing import CliRunner

from graders import grade
from graders.authoring.catalogue import examples
from graders.authoring.library import try_together
from graders.cli.instructor import is_open
from graders.cli.main import main
from graders.exercise.cases import cases
from graders.exercise.kit import kits_in
from graders.exercise.module import load
from graders.grading import local as threads
from graders.grading.cluster import spread
from graders.oracle.gradient import Oracle
from graders.outcome import Outcome
from graders.report.scores import Report
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits
from tests.support.class_of import Made, class_of
from tests.support.processes import children_of, command_of, start
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, fill, identity

LIMITS = Limits(seconds=2.0, total_seconds=20, memory_bytes=1 << 29, output_bytes=1 << 16)


@pytest.fixture(scope="module", autouse=True)
def isolated() -> None:
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))


def unexpected(report: Report, students: list[Made]) -> list[str]:
    """Whatever differs from what a student must get."""
    found = []
    for made in students:
        marks = report.student(made.name).results
        for exercise in report.exercises:
            for mark in marks[exercise]:
                where = f"{made.name} ({made.kind}): {exercise}::{mark.item}: {mark.outcome.value} {mark.message}"
                stem = exercise.rpartition("/")[2]
                if stem not in made.files:
                    if mark.outcome is not Outcome.NOT_GRADED:
                        found.append(where)
                    continue
                expected = made.expected[stem].get(mark.item)
                outcomes = expected.outcomes if expected else {"passed"}
                if mark.outcome.value not in outcomes:
                    found.append(f"{where}, not {set(outcomes)}")
                elif expected and expected.causes and mark.cause not in expected.causes:
                    found.append(f"{where}: named {mark.cause!r}, not {expected.causes}")
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Made], Path, Path, Report]]:
    """A class of 24, graded in this process."""
    folder, out = tmp_path_factory.mktemp("submissions"), tmp_path_factory.mktemp("results")
    students = class_of(24, folder, seed=1)
    yield students, folder, out, grade(folder, out, exercises=EXERCISES, limits=LIMITS)


Small = tuple[list[Made], Path, Path, Report]


def test_everybody_gets_what_is_expected(small: Small) -> None:
    students, _, _, report = small
    assert unexpected(report, students) == []
    assert report.isolation.startswith("isolation class ")


def test_the_reference_gets_all_points_in_every_exercise(tmp_path: Path) -> None:
    kits = kits_in(EXERCISES)
    (tmp_path / "class" / "reference").mkdir(parents=True)
    for kit in kits:
        unit = kit.path.parent.name
        shutil.copy(REFERENCE / unit / kit.path.name, tmp_path / "class" / "reference")
    student = grade(tmp_path / "class", tmp_path / "out", exercises=kits, limits=LIMITS).student("reference")
    assert [mark for marks in student.results.values() for mark in marks if not mark.right] == []
    assert student.score() == student.possible() > 0


def test_the_same_again_grades_nothing_and_writes_the_same(small: Small) -> None:
    _, folder, out, _ = small
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = grade(folder, out, exercises=EXERCISES, limits=LIMITS)
    assert again.graded == 0
    changed = [path for path, content in before.items() if path.read_bytes() != content]
    assert [path.name for path in changed] in ([], ["report.html"])  # which says when it was made
    assert again.isolation.startswith("isolation class ")


def test_the_same_secret_gives_the_same_marks(small: Small, tmp_path: Path) -> None:
    _, folder, out, report = small
    chosen = next(made.name for made in small[0] if made.kind == "wrong")
    again = grade(folder, tmp_path, only_student=chosen, secret=out / "secret.key", exercises=EXERCISES, limits=LIMITS)
    assert again.student(chosen).results == report.student(chosen).results
    others = [student for student in again.students if student.name != chosen]
    assert all(student.score() is None for student in others)


def test_only_what_changed_is_graded_again(small: Small, tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    stubs = {
        name: (EXERCISES / "backprop_ninja" / f"{name}.py").read_bytes() for name in ("ex1_atomic", "ex2_cross_entropy")
    }
    for student in ("alice", "bob"):
        (folder / student).mkdir(parents=True)
        for name, text in stubs.items():
            (folder / student / f"{name}.py").write_bytes(text + f"# {student}\n".encode())
    kits = kits_in(EXERCISES)
    again = lambda **options: grade(folder, out, limits=LIMITS, **{"exercises": kits, **options})  # noqa: E731
    assert again(only_exercise="ex2_cross_entropy").graded == 2
    assert again(only_student="alice").graded == 1
    assert again().graded == 1
    assert again().graded == 0
    changed = folder / "bob" / "ex1_atomic.py"
    changed.write_bytes(changed.read_bytes() + b"# late\n")
    assert again().graded == 1
    newer = [
        replace(kit, stub=kit.stub + "# errata\n") if kit.exercise.identity == identity("ex2_cross_entropy") else kit
        for kit in kits
    ]
    assert again(exercises=newer).graded == 2
    secret = tmp_path / "another"
    secret.write_text("x" * 40)
    assert again(exercises=newer, secret=secret).graded == 4


def test_what_an_earlier_release_graded_is_graded_again_and_told_once(tmp_path: Path) -> None:
    for name in ("alice", "bob", "carol"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "ex2_cross_entropy.py").write_text(f"# {name}\n")
    order = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--exercises", str(EXERCISES)]
    assert "earlier release" not in CliRunner().invoke(main, order).output
    results = tmp_path / "out" / "results.jsonl"
    first, second, third = results.read_text().splitlines(keepends=True)
    results.write_text("".join(line.replace('"format"', '"number"', 1) for line in (first, second)) + third)
    sentence = "2 results of an earlier release are not used: those files are graded again\n"
    again = CliRunner().invoke(main, order).output
    assert sentence in again and "2 files graded" in again
    assert "earlier release" not in CliRunner().invoke(main, order).output
    assert lines_in(results) == 5


def children() -> list[int]:
    """The processes of dask's workers that this process has."""
    return [pid for pid in children_of(os.getpid()) if b"spawn_main" in command_of(pid)]


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(condition: Callable[[], object], seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_class_of_300_with_a_worker_killed_in_mid_run(tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    students = class_of(300, folder)
    killed: list[int] = []

    def kill_one() -> None:
        wait_for(lambda: lines_in(out / "results.jsonl") > 60)
        killed.append(max(children()))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    report = grade(folder, out, jobs=2, exercises=EXERCISES, limits=LIMITS)
    killer.join()
    assert killed and len(report.students) == 300
    assert unexpected(report, students) == []
    outcomes = {mark.outcome for student in report.students for row in student.results.values() for mark in row}
    assert Outcome.GRADER_ERROR not in outcomes and len(outcomes) >= 9
    assert grade(folder, out, exercises=EXERCISES, limits=LIMITS).graded == 0


def test_a_killed_run_goes_on_where_it_stopped(small: Small, tmp_path: Path) -> None:
    students, folder, _, report = small
    command = [sys.executable, "-m", "graders.cli.main", "grade", str(folder), "--out", str(tmp_path / "out")]
    command += ["--exercises", str(EXERCISES)]
    process = start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: lines_in(tmp_path / "out" / "results.jsonl") >= 5)
    process.kill()
    process.wait()
    kept = lines_in(tmp_path / "out" / "results.jsonl")
    rest = grade(folder, tmp_path / "out", exercises=EXERCISES, limits=LIMITS)
    assert rest.graded == report.graded - kept and unexpected(rest, students) == []


@pytest.mark.parametrize("kind", ["wrong", "right"])
def test_a_function_of_several_gradients_is_marked_gradient_by_gradient(tmp_path: Path, kind: str) -> None:
    """Exercise 4's catalogue: each gets what a run without any sandbox says of each gradient, and run follows."""
    exercise = load(REFERENCE / NINJA / "ex4_training.py")
    text = (REFERENCE / NINJA / kind / "ex4_training.py").read_text()
    functions = {e.slug: e.function for e in examples(exercise, kind)}
    oracles = [Oracle(exercise, case) for case in cases(exercise)]
    expected: dict[str, set[str]] = {}
    for slug, function in functions.items():
        trials = [t for oracle in oracles for t in try_together(function, exercise.gradients, oracle)]
        expected[slug] = {f"d{trial.target}" for trial in trials if not trial.passes}
        (tmp_path / "class" / slug).mkdir(parents=True)
        stub = (EXERCISES / NINJA / "ex4_training.py").read_text()
        (tmp_path / "class" / slug / "ex4_training.py").write_text(f"{stub}\n{text}\nbackward = {function.__name__}\n")
    report = grade(tmp_path / "class", tmp_path / "out", exercises=EXERCISES, limits=LIMITS)
    assert len(functions) > 5
    for slug, wrong in expected.items():
        marks = {mark.item: mark for mark in report.student(slug).results[identity("ex4_training")]}
        assert {name for name, mark in marks.items() if not mark.right} == wrong | ({"run"} if wrong else set()), slug
        assert bool(wrong) == (kind == "wrong"), slug
        assert all(mark.cause for mark in marks.values() if mark.outcome is Outcome.WRONG), slug


def test_sandboxes_that_were_started_side_by_side_stay_alive() -> None:
    with threads.sandboxes(2, LIMITS, False) as found:
        time.sleep(0.5)  # the kernel's time to kill what came from a thread that is gone
        zygotes = [sandbox._start() for sandbox in found]
        assert [zygote.process.poll() for zygote in zygotes] == [None, None]
    assert all(zygote.process.poll() is not None for zygote in zygotes)


def test_ctrl_c_ends_at_once_and_keeps_what_was_graded(tmp_path: Path) -> None:
    stub = (EXERCISES / NINJA / "ex2_cross_entropy.py").read_text()
    for number in range(60):
        loop = "while True: pass" if number == 30 else "raise NotImplementedError"
        (tmp_path / "class" / f"{number:02d}").mkdir(parents=True)
        text = stub.replace("raise NotImplementedError", f"{loop}  # {number}")
        (tmp_path / "class" / f"{number:02d}" / "ex2_cross_entropy.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "graders.cli.main",
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(tmp_path / "out"),
    ]
    process = start([*command, "--exercises", str(EXERCISES)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for(lambda: lines_in(tmp_path / "out" / "results.jsonl") >= 20)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode != 0 and "Traceback" not in output
    kept = lines_in(tmp_path / "out" / "results.jsonl")
    report = grade(tmp_path / "class", tmp_path / "out", exercises=EXERCISES, limits=LIMITS)
    assert 20 <= kept < 60 and report.graded == 60 - kept
    assert not any(
        mark.outcome is Outcome.GRADER_ERROR for s in report.students for row in s.results.values() for mark in row
    )


def test_nothing_that_is_written_holds_the_text_of_an_exception(tmp_path: Path) -> None:
    """It could hold the secret inputs: the type is told, and the student's own line."""
    stub = (EXERCISES / NINJA / "ex1_atomic.py").read_text()
    raising = {
        "dprobs": "raise ValueError('se' + 'cret')",
        "dcounts_sum_inv": "error = KeyError(); error.add_note('se' + 'cret'); raise error",
        "dcounts_sum": "class secret(Exception): pass\nraise secret",  # a type's name is the student's own text
        "dlogprobs": "if len(Yb) == 11: raise RuntimeError('se' + 'cret')\nreturn logprobs",
    }
    (tmp_path / "class" / "a").mkdir(parents=True)
    (tmp_path / "class" / "a" / "ex1_atomic.py").write_text(fill(stub, raising))
    grade(tmp_path / "class", tmp_path / "out", exercises=EXERCISES, limits=LIMITS)
    texts = {
        path.name: path.read_text()
        for path in (tmp_path / "out").rglob("*")
        if path.suffix != ".key" and path.is_file()
    }
    assert {"results.jsonl", "feedback.html", "feedback.md", "results.json", "junit.xml", "marks.jsonl"} <= texts.keys()
    for name, text in texts.items():
        for own in ("secret inputs", "raise secret", "it raised secret", '"kind": "secret"'):  # their own text
            text = text.replace(own, "")
        assert "secret" not in text, name
    assert "it raised ValueError" in texts["feedback.md"].replace("\\", "")


def deadly(batch: list[tuple[str, bytes]]) -> list[str]:
    """In a worker: fine, but for the one that kills it."""
    if any(source == b"poison" for _, source in batch):
        os._exit(1)
    return [source.decode() for _, source in batch]


@pytest.mark.parametrize("deaths", [0, 1])  # with 0, whatever waits beside it at a worker fails as well
def test_a_submission_that_kills_workers_is_lost_alone(deaths: int) -> None:
    works = [("ex", f"{n}".encode()) for n in range(60)]
    works[37] = ("ex", b"poison")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": deaths}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as pool,
        distributed.Client(pool) as client,
    ):
        results = dict(spread(client, iter(works), deadly, 10))
    assert results == {work: None if work[1] == b"poison" else work[1].decode() for work in works}


def test_scores_csv(small: Small) -> None:
    students, _, out, report = small
    rows = list(csv.DictReader((out / "scores.csv").open(encoding="utf-8", newline="")))
    assert [row["student"] for row in rows] == [student.name for student in report.students]
    for row, student in zip(rows, report.students, strict=True):
        points = [int(row[column]) for column in row if "::" in column and row[column]]
        assert row["points"] == ("" if student.score() is None else str(sum(points)))
        for name, marks in student.results.items():
            for mark in marks:
                assert (row[f"{name}::{mark.item}"] == "") == (not mark.outcome.graded)
    nothing = [row for row in rows if "unreadable" in row["remarks"]]
    assert len(nothing) == sum(made.unreadable for made in students) and all(not row["points"] for row in nothing)


def test_gradescope_results(small: Small) -> None:
    _, _, out, report = small
    for student in report.students:
        result = json.loads((out / "feedback" / student.slug / "results.json").read_text(encoding="utf-8"))
        scores = [test["score"] for test in result["tests"] if "score" in test]
        assert result.get("score") == student.score() and (student.score() is None or sum(scores) == result["score"])
        for test in result["tests"]:
            assert test["max_score"] > 0 and test["name"] and test["output"] and test["visibility"] == "visible"
            assert test.get("status", "passed") in ("passed", "failed") and isinstance(test["tags"], list)


def test_junit_and_json_lines(small: Small) -> None:
    _, _, out, report = small
    suites = ElementTree.parse(out / "junit.xml").getroot()
    assert [suite.get("name") for suite in suites] == [student.name for student in report.students]
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite)
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    marks = [json.loads(line) for line in (out / "marks.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(marks) == sum(len(row) for student in report.students for row in student.results.values())
    assert {mark["points"] for mark in marks if mark["outcome"] == "not graded"} == {None}


def test_the_secret_is_kept_to_its_owner(small: Small) -> None:
    secret = small[2] / "secret.key"
    assert secret.stat().st_mode & 0o777 == 0o600 and len(secret.read_bytes()) == 65
    written = "".join(p.read_text(encoding="utf-8") for p in small[2].rglob("*") if p.is_file() and p != secret)
    assert secret.read_text().strip() not in written


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--student", "nobody"], "no student 'nobody'"),
        (["--exercise", "ex9"], "no exercise 'ex9'. There are: backprop_ninja/ex1_atomic"),
        (["--exercises", "{empty}"], "holds no exercises"),
        (["--secret", "{short}"], "too short"),
        (["--out", "{folder}/out"], "would be taken for a student"),
        (["--scheduler", "tcp://127.0.0.1:9"], "no scheduler at"),
    ],
)
def test_what_an_instructor_must_mend_is_told(
    tmp_path: Path, arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.grading.grade.RECONNECTIONS", 0)
    monkeypatch.setattr("graders.grading.cluster.CONNECT_SECONDS", 1)
    (tmp_path / "class" / "alice").mkdir(parents=True)
    (tmp_path / "class" / "alice" / "ex2_cross_entropy.py").write_text("# nothing\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "short").write_text("abc")
    filled = [
        a.format(folder=tmp_path / "class", empty=tmp_path / "empty", short=tmp_path / "short") for a in arguments
    ]
    command = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--exercises", str(EXERCISES)]
    result = CliRunner().invoke(main, [*command, *filled])
    assert result.exit_code == 1 and sentence in result.output and "Traceback" not in result.output


def test_class_c_is_refused_unless_the_instructor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Sandbox.__init__
    monkeypatch.setattr(Sandbox, "__init__", lambda self, isolation=None, **o: original(self, "C", **o))
    (tmp_path / "class" / "alice").mkdir(parents=True)
    (tmp_path / "class" / "alice" / "ex2_cross_entropy.py").write_text("def dlogits(): return 1\n")
    command = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--exercises", str(EXERCISES)]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1 and "isolation class C" in refused.output
    allowed = CliRunner().invoke(main, [*command, "--allow-class-c"])
    assert allowed.exit_code == 0 and "isolation class C" in allowed.output, allowed.output


def test_a_failing_grader_blames_nobody(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a bug of ours")

    _, folder, _, report = small
    chosen = next(made.name for made in small[0] if made.kind == "right")
    with monkeypatch.context() as patched:
        patched.setattr("graders.grading.assess.Check", broken)
        failed = grade(folder, tmp_path, only_student=chosen, exercises=EXERCISES, limits=LIMITS).student(chosen)
    assert failed.score() is None
    assert {m.outcome for m in failed.results[identity("ex1_atomic")]} == {Outcome.GRADER_ERROR}
    mended = grade(folder, tmp_path, only_student=chosen, exercises=EXERCISES, limits=LIMITS)
    assert mended.student(chosen).score() == report.student(chosen).score()


def dask_process(what: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]
    return start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("address", "exposed"),
    [
        (None, False),
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("tls://grader.example.org:8786", False),
        ("tcp://grader.example.org:8786", True),
        ("ucx://10.0.0.7:8786", True),
    ],
)
def test_a_scheduler_that_anybody_can_reach_is_pointed_out(address: str | None, exposed: bool) -> None:
    assert is_open(address) == exposed


def test_a_scheduler_that_is_restarted_loses_nothing(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.grading.cluster.CONNECT_SECONDS", 4)
    students, folder, _, report = small
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", address.split(":")[1])
    worker = ("worker", f"tcp://{address}", "--nthreads", "1", "--no-nanny")
    running = [dask_process(*scheduler), dask_process(*worker)]

    def restart() -> None:
        wait_for(lambda: lines_in(tmp_path / "results.jsonl") >= 1)
        running[0].kill()
        running[1].terminate()
        for process in running:
            process.wait()
        running[:] = [dask_process(*scheduler), dask_process(*worker)]

    restarter = threading.Thread(target=restart)
    restarter.start()
    try:
        again = grade(folder, tmp_path, scheduler=f"tcp://{address}", exercises=EXERCISES, limits=LIMITS)
        restarter.join()
    finally:
        for process in running:
            process.terminate()
            process.wait()
    assert unexpected(again, students) == [] and again.graded == report.graded
