"""A student's own check, with the lecture's line: float32, each function fed with the results of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise, Gradient
from graders.oracle import compare, lecture_line
from graders.oracle.lecture_line import Line
from graders.oracle.questions import question
from graders.oracle.run import Unanswered, first_departure, losses_by_autograd, losses_by_hand
from graders.outcome import Outcome
from graders.student.accidents import hushed, one_thread
from graders.student.answer import Answer, Function
from graders.student.module import DEFAULT_LIMIT, AtHome
from graders.student.reading import leftover, remarks
from graders.student.respondents import respondent_for
from graders.verdict.grader import Cases, Check
from graders.verdict.result import Result
from graders.words import Code, Reason, reason


class Chained(Check):
    """A check whose results say more of right answers: exact, approximate, or fed a wrong upstream gradient."""

    def __init__(self, exercise: Exercise, respondent: AtHome, cases: Cases, strict: bool = False):
        super().__init__(exercise, respondent, cases, strict)
        self.module = respondent
        self._chained: dict[str, Tensor | None] = {}

    @one_thread()
    def results(self) -> list[Result]:
        return super().results()

    @one_thread()  # a process that has computed in several may not be forked any more
    def result(self, item: str) -> Result:
        return super().result(item)

    @cached_property
    def writers(self) -> dict[str, str]:
        """The gradient that is written for each forward tensor: {'counts': 'dcounts', ...}."""
        return {g.target: g.name for g in self.exercise.gradients}

    def chained(self, item: str) -> Tensor | None:
        """The answer at the lecture's shapes, fed with the student's own upstream results."""
        if item not in self._chained:
            group = self.exercise.by_function[self.exercise.gradient(item).function]
            if all(self.deciding.trials(g.name)[0].problem for g in group):
                answers: Sequence[Answer | None] = [None] * len(group)
            else:
                asked = question(group, self.cases.public.lecture, self._own_upstream(group))
                with hushed():
                    answers = self.respondent.answers([asked])[0]
            self._chained |= {g.name: a.tensor if a else None for g, a in zip(group, answers, strict=True)}
        return self._chained[item]

    def _own_upstream(self, group: Sequence[Gradient]) -> dict[str, Tensor]:
        """What arrives at the consumers of a function's tensors: the student's results, else autograd's."""
        lecture, mine = self.cases.public.lecture, self.writers
        upstream = {"loss": lecture.upstream["loss"], **lecture.true_gradients}
        inside = {gradient.target for gradient in group}
        for target in {c: None for g in group for c in lecture.consumers(g.target)}:
            own = self.chained(mine[target]) if target in mine and target not in inside else None
            if own is not None and compare.same_up_to_ones(own.shape, upstream[target].shape):
                upstream[target] = own.reshape(upstream[target].shape)
        return upstream

    def culprit(self, item: str) -> str | None:
        """The first wrong gradient, in backward order, among those that `item` is computed from."""
        mine = self.writers
        above: set[str] = set()
        waiting = [item]
        while waiting:
            for target in self.cases.public.lecture.consumers(self.exercise.gradient(waiting.pop()).target):
                if mine.get(target, item) not in above | {item}:
                    above.add(mine[target])
                    waiting.append(mine[target])
        return next((g.name for g in self.exercise.gradients if g.name in above and self.wrong(g.name)), None)

    def _gradient_result(self, item: str) -> Result:
        result = self._read(super()._gradient_result(item))
        if result.outcome not in (Outcome.PASSED, Outcome.WRONG, Outcome.WRONG_SHAPE):
            return result
        gradient = self.exercise.gradient(item)
        result = replace(result, lecture=self._line(gradient))
        return self._refined(result, gradient) if result.right else self._in_the_chain(result)

    def _in_the_chain(self, result: Result) -> Result:
        """A wrong answer whose line in the chain is right: to say no more than that it is wrong would puzzle."""
        chained = result.lecture is not None and result.lecture.approximate
        if not chained or self.deciding.trials(result.item)[0].right or result.cause == "upstream ignored":
            return result
        sentence = f"right in the whole chain, but wrong when other numbers arrive: {result.message}"
        return replace(result, reason=reason(Code.DIAGNOSIS, cause=result.cause, sentence=sentence))

    def _read(self, result: Result) -> Result:
        """With what the student's text tells of an answer that is not right, or not there."""
        text, function = self.module.student.text, self.exercise.gradient(result.item).function
        if result.right or not text:
            return result
        if result.outcome is Outcome.NOT_ATTEMPTED:
            left = leftover(self.exercise.text, text, function)
            return replace(result, outcome=Outcome.ERROR, reason=left) if left else result
        said = result.reason is not None and result.reason.code is Code.CARET
        return result if said else replace(result, remarks=tuple(remarks(text, function)))

    def _refined(self, result: Result, gradient: Gradient) -> Result:
        """How a right answer stands in the chain."""
        if result.lecture and result.lecture.exact:
            return replace(result, outcome=Outcome.EXACT)
        culprit = None if result.lecture and result.lecture.approximate else self.culprit(result.item)
        if culprit:
            return replace(result, outcome=Outcome.FED_WRONG, reason=reason(Code.CULPRIT, item=culprit))
        remarks = (*result.remarks, *self._inexact(gradient))
        return replace(result, outcome=Outcome.APPROXIMATE, remarks=remarks)

    def _inexact(self, gradient: Gradient) -> tuple[Reason, ...]:
        """At the first right line that is not bit-exact: why that is nobody's fault."""
        mine, lecture = self.writers, self.cases.public.lecture
        above = [mine[c] for c in lecture.consumers(gradient.target) if c in mine]
        if gradient.index is not None or not all(self.result(name).outcome is Outcome.EXACT for name in above):
            return ()
        kernels = " and ".join(sorted(lecture.operations(gradient.target)))
        return (reason(Code.NOT_BIT_FOR_BIT, kernels=kernels),)

    def _line(self, gradient: Gradient) -> Line | None:
        chained, true = self.chained(gradient.name), self.cases.public.lecture.true_gradients[gradient.target]
        if chained is None or not compare.same_up_to_ones(chained.shape, true.shape):
            return None
        return lecture_line.line(gradient.target, chained, true)

    def _run_result(self) -> Result:
        """A short training run with the student's gradients: the losses must be those that autograd gives."""
        item = self.exercise.run
        assert item is not None
        first = self._read(self._decided(self.exercise.gradients[0].name))
        if not first.right and first.outcome is not Outcome.WRONG:
            return replace(first, item=item.name)
        mine, seed = self._losses(item), self.cases.deciding.seed
        line = self.respondent.line_of(item.function)
        if isinstance(mine, Answer):
            return Result(item.name, mine.outcome, mine.reason, mine.line or line, mine.frames)
        true = losses_by_autograd(self.exercise, seed)
        lecture = lecture_line.line(item.name, torch.tensor(mine), torch.tensor(true))
        step = first_departure(mine, true)
        if step is None:
            outcome = Outcome.EXACT if lecture.exact else Outcome.APPROXIMATE
            return Result(item.name, outcome, line=line, lecture=lecture)
        wrong = next((g.name for g in self.exercise.gradients if self.wrong(g.name)), None)
        why = reason(Code.DEPARTS, step=step, mine=mine[step], true=true[step], item=wrong, cause="departs")
        return Result(item.name, Outcome.WRONG, why, line, lecture=lecture)

    def _losses(self, item: Gradient) -> list[float] | Answer:
        run = Run(replace(self.cases.kit), self.cases.deciding.seed)
        losses: list[float] | Answer = self.module.trained(item.function, run)
        return losses


@dataclass(frozen=True)
class Run:
    """The losses of a kit's run() with a student's function. It can be sent to a fork: the exercise is made there."""

    kit: Kit
    seed: int

    def __call__(self, function: Function) -> list[float] | Answer:
        try:
            return losses_by_hand(self.kit.exercise, function, self.seed)
        except Unanswered as error:
            return error.answer


@one_thread()  # the oracles are made here
def self_check(kit: Kit, limit: float = DEFAULT_LIMIT, strict: bool = False, apart: bool = True) -> Chained:
    """A student's own check of the stub beside its kit; `limit` is in seconds, for one call of one function.

    The student's code runs in a fork where that serves, unless `apart` is false: then a debugger can follow.
    """
    exercise = kit.exercise
    return Chained(exercise, respondent_for(kit.path, limit, apart, kit.release), Cases.at_home(exercise, kit), strict)
