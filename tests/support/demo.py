"""`make demo`: a class of 40 is made up, graded and reported on; prints where everything is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from graders.cli.main import main as command
from tests.support.class_of import class_of
from tests.support.stubs import EXERCISES

FOLDER = Path("build/demo")


def main(count: int = 40) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    submissions = FOLDER / "submissions"
    submissions.mkdir(parents=True)
    students = class_of(count, submissions, seed=7, hostile_share=0.1, variety=14)
    kinds = sorted({made.kind for made in students})
    counts = ", ".join(f"{sum(made.kind == kind for made in students)} {kind}" for kind in kinds)
    print(f"{submissions}: {count} students, {counts}")
    order = ["grade", str(submissions), "--out", str(FOLDER / "results"), "--exercises", str(EXERCISES)]
    command(order, standalone_mode=False)
    print(f"\nopen {(FOLDER / 'results' / 'report.html').resolve()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
