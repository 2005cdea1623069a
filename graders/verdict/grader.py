"""The one way to a verdict: an exercise, somebody who answers, the cases; a result an item.

    check(exercise, respondent, cases)

`pytest exercises/`, the notebook's check(), `backprop-ninja grade` and nbgrader all come through here. Who answers
(a module in this process, a submission in the sandbox) and which cases decide are their only difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise
from graders.oracle.gradient import Oracle, Oracles
from graders.oracle.questions import question
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.student.module import Respondent
from graders.verdict.result import Result
from graders.verdict.states import decided, fault, inferred


@dataclass(frozen=True)
class Cases:
    """The cases that decide, the public ones where a wrong answer is explained, the kit with known wrong answers."""

    deciding: Oracles
    public: Oracles
    kit: Kit

    @classmethod
    def at_home(cls, exercise: Exercise, kit: Kit) -> Self:
        """On a student's own machine the public cases decide."""
        public = Oracles(exercise)
        return cls(public, public, kit)


def check(exercise: Exercise, respondent: Respondent, cases: Cases) -> list[Result]:
    """A result for every item."""
    return Check(exercise, respondent, cases).results()


@dataclass
class Sheet:
    """The trials of an exercise's items at one set of cases. A function is asked when one of its items is wanted."""

    exercise: Exercise
    respondent: Respondent
    oracles: list[Oracle]
    strict: bool
    _trials: dict[str, list[Trial]] = field(default_factory=dict)

    def ask(self, items: Iterable[str]) -> None:
        """Ask all functions that these items come from, together, each once."""
        functions = {self.exercise.gradient(name).function: None for name in items if name not in self._trials}
        groups = [self.exercise.by_function[function] for function in functions]
        asked = [(group, oracle) for group in groups for oracle in self.oracles]
        answers = self.respondent.answers([question(*pair) for pair in asked]) if asked else []
        for (group, oracle), given in zip(asked, answers, strict=True):
            for gradient, answer in zip(group, given, strict=True):
                trial = Trial(oracle, gradient.target, answer, self.strict)
                self._trials.setdefault(gradient.name, []).append(trial)

    def trials(self, item: str) -> list[Trial]:
        """One a case, the lecture's first."""
        self.ask([item])
        return self._trials[item]


class Check:
    """One respondent's work on one exercise. Results are computed when they are asked for, and only once.

    `strict` refuses shapes that are right only up to dimensions of size 1.
    """

    def __init__(self, exercise: Exercise, respondent: Respondent, cases: Cases, strict: bool = False):
        self.exercise, self.respondent, self.cases = exercise, respondent, cases
        self.deciding = Sheet(exercise, respondent, cases.deciding.all, strict)
        same = cases.public is cases.deciding
        self.public = self.deciding if same else Sheet(exercise, respondent, cases.public.all, strict)
        self.explained: set[str] = set()  # items that were wrong, and so asked for at the public cases as well
        self._results: dict[str, Result] = {}

    def results(self) -> list[Result]:
        """A result for every item; what can be asked together is."""
        names = [gradient.name for gradient in self.exercise.gradients]
        self.deciding.ask(names)
        self.public.ask([name for name in names if self._decided(name).outcome is Outcome.WRONG])
        return [self.result(item.name) for item in self.exercise.items]

    def result(self, item: str) -> Result:
        if item not in self._results:
            is_run = self.exercise.run is not None and item == self.exercise.run.name
            self._results[item] = self._run_result() if is_run else self._gradient_result(item)
        return self._results[item]

    def wrong(self, item: str) -> bool:
        """Answered, and not right by itself, whatever the upstream gradients."""
        return self._decided(item).outcome is Outcome.WRONG

    def _decided(self, item: str) -> Result:
        line = self.respondent.line_of(self.exercise.gradient(item).function)
        return decided(item, self.deciding.trials(item), line)

    def _gradient_result(self, item: str) -> Result:
        result = self._decided(item)
        return self._explained(result) if result.outcome is Outcome.WRONG else result

    def _explained(self, result: Result) -> Result:
        """Say why: from the public cases where the answer is wrong there too, else from those that decided."""
        public, deciding = self.public.trials(result.item), self.deciding.trials(result.item)
        shown = deciding if public[0].problem or all(trial.passes for trial in public) else public
        self.explained.add(result.item)
        known = self.cases.kit.fingerprints.of(result.item, shown[0].oracle.case.seed)
        sheet = self.public if shown is public else self.deciding
        gradient = self.exercise.gradient(result.item)
        others = [g.name for g in self.exercise.by_function[gradient.function] if g is not gradient]
        outcome, why, frames = fault(shown, known, [sheet.trials(name) for name in others], gradient.laws)
        return replace(result, outcome=outcome, reason=why, frames=frames)

    def _run_result(self) -> Result:
        assert self.exercise.run is not None
        return inferred(self.exercise.run.name, [self.result(gradient.name) for gradient in self.exercise.gradients])
