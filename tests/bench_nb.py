"""`nbgrader autograde` with our preprocessor, with results graded beforehand, and with nbgrader's own Execute."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.nb.course import Course, filled, make
from tests.nb.students import ONE_BRANCH, RIGHT

EX = "ex1_atomic"


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


def a_student(folder: Path, counts: Sequence[int], trusted: bool) -> tuple[float, float]:
    """Seconds a student at the margin between two class sizes, and for the larger class."""
    taken = []
    for count in counts:
        course = make(folder / f"{trusted}{count}", [EX], trusted)
        hand_in(course, count)
        taken.append(autograde(course))
    return (taken[1] - taken[0]) / (counts[1] - counts[0]), taken[1]


def bench_nbgrader(sizes: Sequence[int] = (2, 12), plain_sizes: Sequence[int] = (1, 4)) -> None:
    """Seconds a student at the margin; the starting of nbgrader, torch and the sandbox is in neither."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as name:
        ours, whole = a_student(Path(name), sizes, True)
        plain, _ = a_student(Path(name), plain_sizes, False)
    console.print(
        f"nbgrader autograde, a student at the margin: {ours:.3f} s (all {sizes[1]}: {whole:.1f} s); with nbgrader's "
        f"own Execute {plain:.2f} s = {plain / ours:.0f} x ours"
    )


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]] or [2, 12]
    bench_nbgrader(sizes[:2], sizes[2:] or (1, 4))
