"""`nbgrader autograde` with our preprocessor, with results graded beforehand, and with nbgrader's own Execute."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.support.course import Course, filled, make
from tests.support.notebook_students import ONE_BRANCH, RIGHT

EX = "backprop_ninja--ex1_atomic"
LARGE = 1000
WAYS = {
    "sandbox": "graded in the sandbox",
    "beforehand": "results of `grade` taken",
    "Execute": "nbgrader's own Execute",
}
console = Console(highlight=False, width=200)


def autograde(course: Course) -> float:
    """Wall time of grading everybody anew."""
    shutil.rmtree(course.folder / "autograded", ignore_errors=True)
    start = time.perf_counter()
    course.nbgrader("autograde", EX)
    return time.perf_counter() - start


def hand_in(course: Course, count: int) -> None:
    """All files differ, so that nothing is graded once for several; every third student has a mistake."""
    for number in range(count):
        dcounts = ONE_BRANCH if number % 3 == 0 else RIGHT["dcounts"]
        bodies = {**RIGHT, "dcounts": f"    # student {number}\n{dcounts}"}
        course.submit(f"student{number:03d}", EX, filled(course.released(EX), bodies))


def grade_beforehand(course: Course) -> float:
    """Wall time of `backprop-ninja grade` on two processes, pages and exports included."""
    command = [sys.executable, "-m", "graders.cli.main", "grade", "submitted", "--out", "ninja_results"]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--exercises", "source", "--jobs", "2"], cwd=course.folder, check=True, capture_output=True
    )
    return time.perf_counter() - start


def of_class(folder: Path, count: int, way: str) -> float:
    """Seconds that `nbgrader autograde` takes for a class of `count`."""
    course = make(folder / f"{way}{count}", [EX], trusted=way != "Execute")
    hand_in(course, count)
    before = grade_beforehand(course) if way == "beforehand" else 0.0
    taken = autograde(course)
    note = f", after {before:.1f} s of `grade --jobs 2`" if before else ""
    console.print(f"  {count:5d} students, {WAYS[way]}: {taken:.1f} s{note}")
    return taken


def margin(folder: Path, counts: Sequence[int], way: str) -> float:
    """Seconds a student at the margin between two class sizes; not a number where noise was larger than that."""
    few, many = (of_class(folder, count, way) for count in counts)
    return (many - few) / (counts[1] - counts[0]) if many > few else math.nan


def bench_nbgrader(sizes: Sequence[int] = (5, 40), plain_sizes: Sequence[int] = (1, 4)) -> None:
    """Seconds a student at the margin; the starting of nbgrader, torch and the sandbox is in none of them.

    With BENCH_LARGE a class of 1,000 as well, graded beforehand.
    """
    console.print(f"nbgrader autograde, {EX}")
    with tempfile.TemporaryDirectory() as name:
        ours, picked = (margin(Path(name), sizes, way) for way in ("sandbox", "beforehand"))
        plain = margin(Path(name), plain_sizes, "Execute")
        if os.environ.get("BENCH_LARGE"):
            of_class(Path(name), LARGE, "beforehand")
    console.print(
        f"  a student at the margin: {1000 * ours:.0f} ms graded in the sandbox, {1000 * picked:.0f} ms with results "
        f"taken; by Execute {1000 * plain:.0f} ms = {plain / ours:.0f} x and {plain / picked:.0f} x"
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]] or [10, 50]
    bench_nbgrader(given[:2], given[2:] or (1, 4))
