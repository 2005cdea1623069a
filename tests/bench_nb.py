"""`nbgrader autograde` with our preprocessor, with results graded beforehand, and with nbgrader's own Execute."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from graders.grading.store import Store
from graders.nb.extract import module_of
from graders.nb.session import session
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


def grade_beforehand(course: Course) -> None:
    """What `backprop-ninja grade submitted --out ninja_results --exercises source` leaves."""
    found = session(course.folder / "source", course.folder / "ninja_results", None, 10.0, False)
    with Store(found.results / "results.jsonl") as store:
        for path in sorted(course.folder.glob(f"submitted/*/{EX}/{EX}.ipynb")):
            module = module_of(path.read_bytes(), EX)
            store.put(found.supervisor.assess(EX, module.source))
    found.supervisor.sandbox.close()


def a_student(folder: Path, counts: Sequence[int], way: str) -> float:
    """Seconds a student at the margin between two class sizes."""
    taken = []
    for count in counts:
        course = make(folder / f"{way}{count}", [EX], trusted=way != "Execute")
        hand_in(course, count)
        if way == "beforehand":
            grade_beforehand(course)
        taken.append(autograde(course))
    return (taken[1] - taken[0]) / (counts[1] - counts[0])


def bench_nbgrader(sizes: Sequence[int] = (2, 12), plain_sizes: Sequence[int] = (1, 4)) -> None:
    """Seconds a student at the margin; the starting of nbgrader, torch and the sandbox is in none of them."""
    console = Console(highlight=False, width=200)
    with tempfile.TemporaryDirectory() as name:
        ours = a_student(Path(name), sizes, "sandbox")
        picked = a_student(Path(name), sizes, "beforehand")
        plain = a_student(Path(name), plain_sizes, "Execute")
    console.print(
        f"nbgrader autograde, a student at the margin: {ours:.3f} s graded in the sandbox, {picked:.3f} s with results "
        f"taken from `grade`; with nbgrader's own Execute {plain:.2f} s = {plain / ours:.0f} x and {plain / picked:.0f} x"
    )


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]] or [2, 12]
    bench_nbgrader(sizes[:2], sizes[2:] or (1, 4))
