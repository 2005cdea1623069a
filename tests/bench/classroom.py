"""`make bench`, the classroom's part: what trust costs, as ratios taken in one run, and whether it stays flat."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from graders import grade
from graders.exercise.kit import Kit, kits_in
from graders.grading.assess import Supervisor
from graders.grading.local import assessments, count_for, sandboxes
from graders.sandbox.task import Limits
from graders.student.module import InProcess, load_student
from graders.verdict.grader import Cases, check
from tests.support.class_of import Catalogue, Made, mistaken
from tests.support.stubs import EXERCISES, fill, solutions

console = Console(highlight=False, width=200)
SUBMISSIONS = 100
COLD = 3
SIZES = [100, 1000] + ([10_000] if os.environ.get("BENCH_LARGE") else [])
BARE = "import sys; from tests.bench.classroom import bare; bare(sys.argv[1:])"


def hand_in(folder: Path, kits: list[Kit]) -> None:
    """100 submissions to all exercises, no two alike: 70 all right, 30 with four gradients of exercise 1 wrong."""
    catalogue = Catalogue()
    wrong = {e.gradient: e for e in catalogue.wrong["ex1_atomic"]}
    right = {kit.path: fill(kit.stub, solutions(kit.path.stem, kit.path.parent.name)) for kit in kits}
    for number in range(SUBMISSIONS):
        student = folder / f"student {number}"
        student.mkdir(parents=True)
        for path, text in right.items():
            (student / path.name).write_text(f"{text}# {number}\n")
        if number % 10 < 3:
            made = Made(f"{number}", "wrong")
            mistaken(catalogue, made, "ex1_atomic", [wrong[g] for g in ("dcounts", "dW1", "dhprebn", "dC")])
            (student / "ex1_atomic.py").write_bytes(made.files["ex1_atomic"])


def bare(students: list[str]) -> None:
    """The same checks and explanations with no isolation at all, in this process."""
    for kit in kits_in(EXERCISES):
        for student in students:
            respondent = InProcess(load_student(Path(student) / kit.path.name))
            check(kit.exercise, respondent, Cases.at_home(kit.exercise, kit))


def timed(action: Callable[..., object], *arguments: object, **keywords: object) -> float:
    start = time.perf_counter()
    action(*arguments, **keywords)
    return time.perf_counter() - start


def memory() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def in_cold_processes(command: list[str], students: list[Path]) -> float:
    """Seconds for one submission in a process of its own."""
    total = 0.0
    for student in students[:COLD]:
        filled = [part.format(student=student, out=tempfile.mkdtemp()) for part in command]
        total += timed(subprocess.run, filled, check=True, capture_output=True)
    return total / COLD


def in_sandboxes(count: int, kits: list[Kit], students: list[Path]) -> float:
    """Seconds for all files of all students, from the first to the last, with `count` sandboxes that are up already."""
    with sandboxes(count, Limits(), False) as found:
        supervisors = [
            Supervisor({kit.exercise.identity: kit for kit in kits}, b"x" * 32, sandbox) for sandbox in found
        ]
        works = [
            (kit.exercise.identity, (student / kit.path.name).read_bytes()) for student in students for kit in kits
        ]
        for supervisor in supervisors:
            supervisor.assess(*works[0])
        return timed(lambda: list(assessments(iter(works), supervisors)))


def bench_classroom() -> None:
    """100 submissions to all exercises, all guards on."""
    kits = kits_in(EXERCISES)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        hand_in(root / "class", kits)
        students = sorted((root / "class").iterdir())
        one, cores = in_sandboxes(1, kits, students), in_sandboxes(count_for(400), kits, students)
        bare([str(students[0])])
        without = timed(bare, [str(student) for student in students])
        start = time.perf_counter()
        report = grade(root / "class", root / "out")
        whole = time.perf_counter() - start
        two = timed(grade, root / "class", root / "out2", jobs=2)
        (root / "one").mkdir()
        alone = [root / "one" / student.name.replace(" ", "") for student in students[:COLD]]
        for target, student in zip(alone, students, strict=False):
            target.mkdir()
            shutil.copytree(student, target / "student")
        cli = [sys.executable, "-m", "graders.cli.main", "grade", "{student}", "--out", "{out}"]
        cold = in_cold_processes([*cli, "--exercises", str(EXERCISES)], alone)
        cold_bare = in_cold_processes([sys.executable, "-c", BARE, "{student}/student"], alone)
    console.print(f"{SUBMISSIONS} submissions x {len(kits)} exercises, {report.isolation}")
    for sandboxed, what in ((one, "one sandbox"), (cores, f"{count_for(400)} sandboxes")):
        each = sandboxed / SUBMISSIONS
        console.print(
            f"  {what}: {sandboxed:.1f} s = {sandboxed / without:.2f} x the bare checks in one process ({without:.1f} s); "
            f"a cold process each, same guards, takes {cold / each:.0f} x as long ({cold:.2f} s), bare {cold_bare / each:.0f} x"
        )
    console.print(f"  with start, store, exports, pages {whole:.1f} s; by dask with 2 workers {two:.1f} s")
    bench_sizes(next(kit for kit in kits if kit.exercise.identity == "backprop_ninja/ex2_cross_entropy"))


def bench_sizes(kit: Kit) -> None:
    """Does the cost a submission, or the supervisor's memory, grow with the class? With exercise 2."""
    text = fill(kit.stub, solutions(kit.path.stem, kit.path.parent.name))
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for number in range(size):
                (root / "class" / f"{number}").mkdir(parents=True)
                (root / "class" / f"{number}" / kit.path.name).write_text(f"{text}# {number}\n")
            before = memory()
            report = grade(root / "class", root / "out", exercises=[kit])
            grown = memory() - before
        console.print(
            f"  {size:6d} submissions: {1000 * report.seconds / size:.1f} ms each; memory {grown:+.0f} MB to {memory():.0f} MB"
        )


if __name__ == "__main__":
    bench_classroom()
