"""What becomes of a table of answers. `python -m tests.support.golden_verdicts` writes it anew; then read the difference.

The table is all of wrong/ and right/ of exercises 2 and 3, and every third answer to exercise 1. A store takes a result
for as good as a new one while FORMAT is the same; so it refuses to write other verdicts under the same FORMAT.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from graders.authoring.catalogue import Example, examples
from graders.authoring.library import try_out
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import Kit, kits_in
from graders.exercise.module import Exercise, load
from graders.grading.keys import FORMAT
from graders.oracle.gradient import Oracle, Oracles
from graders.verdict.states import fault
from tests.support.stubs import EXERCISES, NINJA, REFERENCE, ROOT, identity

GOLDEN = ROOT / "tests" / "grading" / "golden_verdicts.json"
EVERY = {"ex1_atomic": 3, "ex2_cross_entropy": 1, "ex3_batchnorm": 1}


def verdicts() -> dict[str, str]:
    """The outcome and the cause of every answer in the table."""
    kits = {kit.exercise.identity: kit for kit in kits_in(EXERCISES)}
    found = {}
    for name, step in EVERY.items():
        exercise = load(REFERENCE / NINJA / f"{name}.py")
        oracles = Oracles(exercise).all
        for kind in ("wrong", "right"):
            for example in examples(exercise, kind)[::step]:
                where = f"{name} {kind} {example.gradient}__{example.slug}"
                found[where] = verdict(example, exercise, kits[identity(name)], oracles)
    return found


def verdict(example: Example, exercise: Exercise, kit: Kit, oracles: list[Oracle]) -> str:
    gradient = exercise.gradient(example.gradient)
    trials = [try_out(example.function, exercise, gradient, oracle) for oracle in oracles]
    if all(trial.passes for trial in trials):
        return "passed"
    if trials[0].problem:
        return "error"
    outcome, why, _ = fault(trials, kit.fingerprints.of(gradient.name, PUBLIC_SEED))
    return f"{outcome.value}: {why.cause}"


def write(path: Path, new: dict[str, str], number: int) -> None:
    """Raises SystemExit, with a sentence, for other verdicts under the same number."""
    old = json.loads(path.read_text()) if path.exists() else {"format": 0, "verdicts": {}}
    if old["verdicts"] != new and old["format"] == number:
        sys.exit(f"verdicts differ and FORMAT is still {number}: raise it in graders/grading/keys.py, then write again")
    path.write_text(json.dumps({"format": number, "verdicts": new}, indent=1) + "\n")


if __name__ == "__main__":
    write(GOLDEN, verdicts(), FORMAT)
