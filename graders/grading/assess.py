"""One file of a submission, one exercise: a result an item. No student code runs here.

The verdict comes from secret cases: their seed depends on the instructor's secret, the file and the exercise, so a
regrade draws the same ones and nobody has seen them. The student's functions run in the sandbox; what autograd says
is computed here after their answers are in. Where an answer is wrong the public cases are asked for as well: the
known wrong answers are fingerprinted there, and a picture of a public case may be shown.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from graders.exercise.kit import Kit
from graders.exercise.module import Gradient
from graders.exercise.stub import release_in
from graders.grading import difference
from graders.grading.keys import Keys
from graders.grading.results import Assessment, Key
from graders.grading.secret import secret_seed
from graders.oracle.gradient import Oracles
from graders.outcome import Outcome
from graders.sandbox.sandbox import Sandbox, Sandboxed
from graders.submissions.spool import digest
from graders.verdict.grader import Cases, Check
from graders.verdict.result import Result
from graders.words import Code, Reason, reason

LONGEST_TEXT = 500  # of an exception of ours


def failed(items: Sequence[Gradient], why: Reason) -> tuple[Result, ...]:
    """Not the student's doing: no verdict, and no points taken."""
    return tuple(Result(item.name, Outcome.GRADER_ERROR, why) for item in items)


def of_earlier_release(present: Kit, release: str, results: Sequence[Result]) -> list[Result]:
    """The results of an earlier release for the items of the present one; no picture, which would be of the present."""
    found = {result.item: replace(result, difference="") for result in results}
    none = {
        item.name: Result(item.name, Outcome.NOT_GRADED, reason(Code.NOT_IN_RELEASE, release=release, item=item.name))
        for item in present.exercise.items
    }
    return [found.get(name, missing) for name, missing in none.items()]


@dataclass
class Supervisor:
    """Grades files in one sandbox. Keeps nothing of one submission when it turns to the next."""

    kits: dict[str, Kit]
    secret: bytes
    sandbox: Sandbox
    _public: dict[tuple[str, str], Oracles] = field(default_factory=dict)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.kits, self.secret)

    def assess(self, exercise: str, source: bytes) -> Assessment:
        """Grade one file. Whatever fails on our side is a grader error, tried twice; this never raises for a file."""
        key, started = self.keys.of(exercise, digest(source)), time.perf_counter()
        results = self._tried(exercise, source, key)
        if any(result.outcome is Outcome.GRADER_ERROR for result in results):
            results = self._tried(exercise, source, key)
        seconds = round(time.perf_counter() - started, 4)
        return Assessment(key, exercise, tuple(results), seconds, self.sandbox.isolation)

    def _tried(self, exercise: str, source: bytes, key: Key) -> Sequence[Result]:
        try:
            present, release = self.kits[exercise], release_in(source.decode("utf-8", "replace"))
            kit = present.made_from(release)
            if kit is None:
                why = reason(Code.OTHER_RELEASE, release=release)
                return [Result(item.name, Outcome.NOT_GRADED, why) for item in present.exercise.items]
            results = self._results(kit, source, secret_seed(self.secret, key))
            return results if kit is present else of_earlier_release(present, release, results)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
            return failed(self.kits[exercise].exercise.items, reason(Code.GRADER_FAILED, text=text))

    def _results(self, kit: Kit, source: bytes, seed: int) -> list[Result]:
        exercise = kit.exercise
        cases = Cases(Oracles(exercise, seed), self._public_oracles(kit), kit)
        check = Check(exercise, Sandboxed(self.sandbox, source), cases)
        return [self._with_difference(result, check) for result in check.results()]

    def _with_difference(self, result: Result, check: Check) -> Result:
        """A wrong answer with how it differs at the public case, where it is wrong there too."""
        if result.item not in check.explained:
            return result
        trial = check.public.trials(result.item)[0]
        return result if trial.passes else replace(result, difference=difference.keep(trial.answer, trial.expected))

    def _public_oracles(self, kit: Kit) -> Oracles:
        which = kit.exercise.identity, kit.release
        if which not in self._public:
            self._public[which] = Oracles(kit.exercise, kit.fingerprints.seed)
        return self._public[which]
