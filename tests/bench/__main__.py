"""`make bench`: ratios, each taken in one run. Nothing here is an assertion: machines are shared and noisy."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console

from graders.authoring.catalogue import examples
from graders.authoring.library import library, try_out
from graders.diagnosis.diagnose import diagnose
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import Kit
from graders.exercise.module import load, references
from graders.oracle.gradient import Oracles
from graders.student.module import InProcess, load_student
from graders.verdict.chained import Chained
from graders.verdict.grader import Cases
from tests.bench.classroom import bench_classroom
from tests.bench.nbgrader import bench_nbgrader
from tests.bench.training import bench_training
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, fill, solutions

console = Console(highlight=False)


def seconds(action: Callable[[], object], times: int = 5) -> float:
    """Median wall time of `action`, after one run to warm up."""
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def pytest_on(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=folder, capture_output=True, check=False)


def bench_self_check() -> None:
    """`pytest exercises/`, all solved, against pytest on one trivial torch test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(EXERCISES, folder / "exercises")
        for path in references(REFERENCE):
            stub = folder / "exercises" / path.parent.name / path.name
            stub.write_text(fill(stub.read_text(), solutions(path.stem, path.parent.name)))
        trivial = "import torch\n\n\ndef test_trivial():\n    assert torch.ones(3).sum() == 3\n"
        (folder / "test_trivial.py").write_text(trivial)
        solved = seconds(lambda: pytest_on(folder, "exercises/"))
        one = seconds(lambda: pytest_on(folder, "test_trivial.py"))
    console.print(f"pytest exercises/, all solved: {solved:.2f} s = {solved / one:.2f} x one trivial torch test")


def bench_diagnosis() -> None:
    """CPU time of the diagnosis of catalogued wrong answers, as in a student's kit: the slowest, and one an item."""
    for path in references(REFERENCE):
        exercise = load(path)
        known, oracles = library(exercise), Oracles(exercise).all
        slowest: dict[str, float] = {}
        for example in examples(exercise, "wrong"):
            gradient = exercise.gradient(example.gradient)
            trials = [try_out(example.function, exercise, gradient, oracle) for oracle in oracles]
            if trials[0].problem or all(trial.passes for trial in trials):
                continue
            for fingerprints in ((), known.of(gradient.name, PUBLIC_SEED)):
                start = time.process_time()
                diagnose(trials, fingerprints, laws=gradient.laws)
                slowest[gradient.name] = max(slowest.get(gradient.name, 0), time.process_time() - start)
        each, all_wrong = max(slowest.values()), sum(slowest.values())
        console.print(
            f"diagnosis, {path.stem}: at most {each:.2f} s of CPU an item, {all_wrong:.2f} s for all at their worst"
        )


def bench_checks() -> None:
    """The checks of exercise 1 in process: all right, and all wrong with diagnosis."""
    path = REFERENCE / NINJA / "ex1_atomic.py"
    exercise = load(path)
    kit = Kit(path, exercise.text, "", "")
    right = seconds(lambda: Chained(exercise, InProcess(load_student(path)), Cases.at_home(exercise, kit)).results())
    known = library(exercise)
    oracles = Oracles(exercise).all
    first = {e.gradient: e for e in reversed(examples(exercise, "wrong"))}
    trials = {
        name: [try_out(e.function, exercise, exercise.gradient(name), oracle) for oracle in oracles]
        for name, e in first.items()
    }
    trials = {name: t for name, t in trials.items() if t[0].answer is not None}
    wrong = seconds(lambda: [diagnose(t, known.of(name, PUBLIC_SEED)) for name, t in trials.items()])
    console.print(
        f"checks of exercise 1 in process: {right:.3f} s; diagnosis of {len(trials)} wrong: {wrong:.3f} s more"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    bench_self_check()
    bench_checks()
    bench_diagnosis()
    bench_training()
    bench_classroom()
    bench_nbgrader()
