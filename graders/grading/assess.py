"""The supervisor: one file of a submission, one exercise, one mark a gradient. No student code runs here.

The verdict comes from secret cases: their seed depends on the instructor's secret, the file and the exercise, so a
regrade draws the same ones and nobody has seen them. The student's functions run in the sandbox; what autograd says
is computed here after their answers are in. Where an answer is wrong the public cases are asked for as well: the
known wrong answers are fingerprinted there, and a picture of a public case may be shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise, Gradient
from graders.grading import difference as heat
from graders.grading.keys import Key, Keys, secret_seed
from graders.oracle.compare import Match
from graders.oracle.gradient import Oracle, cases
from graders.oracle.questions import refusals
from graders.oracle.trial import Trial
from graders.sandbox.outcome import Assessment, Mark, Outcome
from graders.sandbox.sandbox import Ask, Reply, Sandbox
from graders.student.module import Problem
from graders.submissions.spool import digest
from graders.verdict.states import State, fault, passes, remarks_on

OURS = re.compile(r"syntax error: |asks for `|changed its argument `|is not a plain function|`def |the file is longer")
KIND = re.compile(r"(?:\w+\.)*([A-Za-z_]\w{0,60})(?::|$)")  # of "torch.cuda.OutOfMemoryError: ..."
STATES = {State.WRONG: Outcome.WRONG, State.WRONG_SHAPE: Outcome.WRONG_SHAPE}
ORDINARY = (Outcome.ANSWERED, Outcome.NOT_ATTEMPTED, Outcome.ERROR, Outcome.BAD_OUTPUT)


def failed(items: Sequence[Gradient], message: str) -> tuple[Mark, ...]:
    """Not the student's doing: no verdict, and no points taken."""
    return tuple(Mark(item.name, Outcome.GRADER_ERROR, message) for item in items)


def budget(oracle: Oracle) -> int:
    """Tensor operations for one call: 16 for each round of a loop over the longest axis or index, at least 200.

    One-line answers take about 10, right loops up to 15 a round; a difference quotient takes several an entry.
    """
    tensors = [value for value in oracle.values.values() if isinstance(value, torch.Tensor)]
    indices = [t.numel() for t in tensors if not t.is_floating_point()]
    longest = max([1, *indices, *(max(t.shape, default=1) for t in tensors)])
    return max(200, 16 * longest)


@dataclass
class Supervisor:
    """Grades files in one sandbox. Keeps nothing of one submission when it turns to the next."""

    kits: dict[str, Kit]
    secret: bytes
    sandbox: Sandbox
    _public: dict[str, list[Oracle]] = field(default_factory=dict)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.kits, self.secret)

    def assess(self, exercise: str, source: bytes) -> Assessment:
        """Mark one file. Whatever fails on our side is a grader error, tried twice; this never raises for a file."""
        key, started = self.keys.of(exercise, digest(source)), time.perf_counter()
        marks = self._tried(exercise, source, key)
        if any(mark.outcome is Outcome.GRADER_ERROR for mark in marks):
            marks = self._tried(exercise, source, key)
        seconds = round(time.perf_counter() - started, 4)
        return Assessment(key, exercise, tuple(marks), seconds, self.sandbox.isolation)

    def _tried(self, exercise: str, source: bytes, key: Key) -> list[Mark]:
        loaded = self.kits[exercise].exercise
        try:
            return self._marks(loaded, source, secret_seed(self.secret, key))
        except Exception as error:
            return list(failed(loaded.items, f"the grader failed: {type(error).__name__}: {error}"[:500]))

    def _marks(self, exercise: Exercise, source: bytes, seed: int) -> list[Mark]:
        oracles = [Oracle(exercise, case) for case in cases(exercise, seed)]
        replies = self._ask(exercise, exercise.gradients, oracles, source)
        trials = {g.name: trials_of(g, oracles, replies[g.name]) for g in exercise.gradients}
        marks = {name: verdict(name, rows, trials[name]) for name, rows in replies.items()}
        wrong = [g for g in exercise.gradients if marks[g.name].outcome is Outcome.WRONG]
        if wrong:
            self._explain(exercise, wrong, source, marks, trials)
        found = list(marks.values())
        return [*found, _of_run(exercise.run, found)] if exercise.run else found

    def _ask(
        self, exercise: Exercise, gradients: Sequence[Gradient], oracles: Sequence[Oracle], source: bytes
    ) -> dict[str, list[Reply]]:
        """The replies to some gradients, one a case, by name."""
        budgets = [budget(oracle) for oracle in oracles]
        asks = [
            ask_for(exercise, gradient, number, oracle, budgets[number])
            for gradient in gradients
            for number, oracle in enumerate(oracles)
        ]
        values = [oracle.values for oracle in oracles]
        replies = [without_its_words(reply) for reply in self.sandbox.grade(source, values, asks)]
        count = len(oracles)
        return {g.name: replies[at * count : (at + 1) * count] for at, g in enumerate(gradients)}

    def _explain(
        self,
        exercise: Exercise,
        wrong: Sequence[Gradient],
        source: bytes,
        marks: dict[str, Mark],
        secret: dict[str, list[Trial]],
    ) -> None:
        """Say why: from the public cases where the answer is wrong there too, else from the secret ones."""
        oracles = self._public_oracles(exercise)
        replies = self._ask(exercise, wrong, oracles, source)
        for gradient in wrong:
            name = gradient.name
            public = trials_of(gradient, oracles, replies[name])
            telling = secret[name] if public[0].problem or all(map(passes, public)) else public
            known = self.kits[exercise.name].fingerprints.of(name, telling[0].oracle.case.seed)
            state, why = fault(telling, known)
            picture = "" if public[0].passes else heat.keep(public[0].answer, public[0].expected)
            explained = replace(marks[name], outcome=STATES[state], message=why.message, cause=why.cause)
            marks[name] = replace(explained, frames=why.frames, picture=picture)

    def _public_oracles(self, exercise: Exercise) -> list[Oracle]:
        if exercise.name not in self._public:
            seed = self.kits[exercise.name].fingerprints.seed
            self._public[exercise.name] = [Oracle(exercise, case) for case in cases(exercise, seed)]
        return self._public[exercise.name]


def ask_for(exercise: Exercise, gradient: Gradient, number: int, oracle: Oracle, operations: int) -> Ask:
    """What to ask of a submission for one gradient at case `number`, with a budget of operations a gradient."""
    consumers = oracle.consumers(gradient.target)
    returned = exercise.returned(gradient)
    return Ask(
        gradient.function,
        number,
        {f"d{name}": oracle.upstream[name] for name in consumers},
        refusals(gradient.name, consumers, tuple(oracle.values)),
        tuple(oracle.values[gradient.target].shape),
        operations * min(returned, 4),
        gradient.index,
        returned,
    )


def verdict(name: str, replies: Sequence[Reply], trials: Sequence[Trial]) -> Mark:
    """Right or not at the secret cases; a wrong answer is not explained yet."""
    seconds = round(sum(reply.seconds for reply in replies), 5)
    stopped = next((r for r in replies if r.outcome not in ORDINARY), None)
    ended = stopped or (replies[0] if replies[0].outcome is not Outcome.ANSWERED else None)
    if ended:
        message = "" if ended.outcome is Outcome.NOT_ATTEMPTED else ended.message
        return Mark(name, ended.outcome, message, "", ended.line, ended.frames, (), seconds)
    if all(map(passes, trials)):
        return Mark(name, Outcome.PASSED, remarks=remarks_on(trials), seconds=seconds)
    if trials[0].match is Match.NOT_FINITE:
        why = fault(trials, ())[1]
        return Mark(name, Outcome.BAD_OUTPUT, why.message, why.cause, seconds=seconds)
    return Mark(name, Outcome.WRONG, seconds=seconds)


def without_its_words(reply: Reply) -> Reply:
    """A reply that tells only the type of what a submission raised: its text could hold what the function was given."""
    if reply.outcome not in (Outcome.ERROR, Outcome.MEMORY) or not reply.message or OURS.match(reply.message):
        return reply
    kind = KIND.match(reply.message)
    return replace(reply, message=f"it raised {kind[1]}" if kind else "it raised an exception")


def trials_of(gradient: Gradient, oracles: Sequence[Oracle], replies: Sequence[Reply]) -> list[Trial]:
    """Claims beside the oracles that judge them; a claim without a tensor is a problem at that case."""
    trials = []
    for oracle, reply in zip(oracles, replies, strict=True):
        problem = None
        if reply.answer is None:
            problem = Problem(reply.message or reply.outcome.value, reply.line, reply.frames)
        trials.append(Trial(oracle, gradient.target, reply.answer, problem))
    return trials


def _of_run(run: Gradient, marks: Sequence[Mark]) -> Mark:
    """A short training run follows from its gradients: right at every case, they are right at every step."""
    first = next((mark for mark in marks if mark.outcome is not Outcome.PASSED), None)
    if first is None:
        return Mark(run.name, Outcome.PASSED)
    if all(mark.outcome is first.outcome for mark in marks) and first.outcome is not Outcome.WRONG:
        return Mark(run.name, first.outcome, first.message, line=first.line)
    blamed = next((mark for mark in marks if not mark.outcome.graded), first)
    outcome = blamed.outcome if not blamed.outcome.graded else Outcome.WRONG
    return Mark(run.name, outcome, f"{blamed.gradient} is not right, so the run departs", "departs")
