"""Check a student's module against an exercise: ask for every gradient at every case, compare, say why."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import torch
from torch import Tensor

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise, Gradient
from graders.oracle import compare
from graders.oracle import run as shortrun
from graders.oracle.compare import Line
from graders.oracle.gradient import Case, Oracle, cases
from graders.oracle.questions import offer
from graders.oracle.trial import Trial
from graders.student import module as student
from graders.student.accidents import hushed, one_thread
from graders.student.module import DEFAULT_LIMIT, Problem, Student
from graders.verdict.states import State, fault, passes, remarks_on


@dataclass(frozen=True)
class Result:
    """What is known of one gradient: its state, the lecture's line, and why."""

    gradient: Gradient
    state: State
    line: Line | None = None
    cause: str = ""
    message: str = ""
    remarks: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    at: int = 0


@dataclass
class Grader:
    """One student's module against one exercise. Results are computed when asked for, and only once.

    `strict_shapes` refuses answers whose shape is right only up to dimensions of size 1.
    """

    exercise: Exercise
    student: Student
    kit: Kit
    seed: int = 2147483647
    limit: float = DEFAULT_LIMIT
    strict_shapes: bool = False

    def __post_init__(self) -> None:
        self._cases: list[Case] = cases(self.exercise, self.seed)
        self._together: dict[tuple[object, ...], tuple[object, tuple[Any, Problem | None]]] = {}
        self.result = cache(self._result)
        self.local = cache(self._local)
        self.chained = cache(self._chained)

    @cached_property
    def oracles(self) -> list[Oracle]:
        """One a case, in float64."""
        return [Oracle(self.exercise, case) for case in self._cases]

    @cached_property
    def lecture(self) -> Oracle:
        """The lecture's case in the lecture's float32."""
        return Oracle(self.exercise, self._cases[0], torch.float32)

    @cached_property
    def truth(self) -> dict[str, Tensor]:
        return self.lecture.true_gradients()

    @cached_property
    def writers(self) -> dict[str, str]:
        """The gradient that is written for each forward tensor: {'counts': 'dcounts', ...}."""
        return {g.target: g.name for g in self.exercise.gradients}

    @cached_property
    def note(self) -> str:
        """What to say of the whole file: it does not load, or given code is not what was released."""
        problem = self.student.problem
        if problem:
            return "\n".join([f"{self.student.path.name}: {problem.message}", *problem.frames])
        return student.changed_given_code(self.exercise.text, self.student.text)

    def results(self) -> list[Result]:
        return [self.result(item.name) for item in self.exercise.items]

    def ask(
        self, gradient: Gradient, oracle: Oracle, upstream: dict[str, Tensor]
    ) -> tuple[Tensor | None, Problem | None]:
        """The student's answer, given the forward values of `oracle` and these upstream gradients."""
        if self.student.problem:
            return None, self.student.problem
        function = self.student.functions.get(gradient.function)
        if function is None:
            wanted = f"def {gradient.function}({', '.join(gradient.parameters)})"
            return None, Problem(f"`{wanted}` is missing from {self.student.path.name}: put it back")
        answer, problem = self._called(gradient, function, oracle, upstream)
        if problem:
            return None, problem
        try:
            chosen = compare.element(answer, gradient.index, self.exercise.returned(gradient))
            return compare.as_tensor(chosen, oracle.upstream["loss"].dtype), None
        except compare.NotATensor as error:
            return None, Problem(str(error), self.student.lines.get(gradient.function, 0))

    def _called(
        self, gradient: Gradient, function: Callable[..., Any], oracle: Oracle, upstream: dict[str, Tensor]
    ) -> tuple[Any, Problem | None]:
        """What a function returns; one that returns several gradients is called once for all of them."""
        arriving = [upstream[name] for name in oracle.consumers(gradient.target)]
        key = (gradient.function, id(oracle), *map(id, arriving))
        if key in self._together:
            return self._together[key][1]
        called = student.ask(function, *offer(gradient, oracle, upstream), self.student.path, self.limit)
        if gradient.index is not None:
            self._together[key] = arriving, called  # keeps what has these ids
        return called

    def _local(self, name: str) -> list[Trial] | Problem:
        """The answers to random upstream gradients at all cases; a problem if the lecture's has none."""
        gradient = self.exercise.gradient(name)
        trials: list[Trial] = []
        for oracle in self.oracles:
            with hushed() if trials else contextlib.nullcontext():
                answer, problem = self.ask(gradient, oracle, oracle.upstream)
            if problem and not trials:
                return problem
            trials.append(Trial(oracle, gradient.target, answer, problem))
        return trials

    def passes(self, trial: Trial) -> bool:
        return passes(trial, self.strict_shapes)

    def wrong(self, name: str) -> bool:
        """Attempted, and wrong by itself, whatever the upstream gradients."""
        trials = self.local(name)
        return isinstance(trials, list) and not all(map(self.passes, trials))

    def _chained(self, name: str) -> Tensor | None:
        """The answer in float32 at the lecture's shapes, fed with the student's own upstream results."""
        gradient = self.exercise.gradient(name)
        if isinstance(self.local(name), Problem):
            return None
        mine = self.writers
        upstream = {"loss": self.lecture.upstream["loss"], **self.truth}
        for target in self.lecture.consumers(gradient.target):
            own = self.chained(mine[target]) if target in mine else None
            if own is not None and compare.same_up_to_ones(own.shape, upstream[target].shape):
                upstream[target] = own.reshape(upstream[target].shape)
        with hushed():
            return self.ask(gradient, self.lecture, upstream)[0]

    def culprit(self, name: str) -> str | None:
        """The first wrong gradient, in backward order, among those that `name` is computed from."""
        mine = self.writers
        above: set[str] = set()
        waiting = [name]
        while waiting:
            for target in self.lecture.consumers(self.exercise.gradient(waiting.pop()).target):
                if mine.get(target, name) not in above | {name}:
                    above.add(mine[target])
                    waiting.append(mine[target])
        return next((g.name for g in self.exercise.gradients if g.name in above and self.wrong(g.name)), None)

    @one_thread()  # both sides, or sums of large tensors would differ in their last bits
    def _result(self, name: str) -> Result:
        gradient = self.exercise.gradient(name)
        if gradient is self.exercise.run:
            return self._run_result(gradient)
        at = self.student.lines.get(gradient.function, 0)
        trials = self.local(name)
        if isinstance(trials, Problem):
            state = State.NOT_ATTEMPTED if trials.not_attempted else State.ERROR
            return Result(gradient, state, None, "", trials.message, (), trials.frames, trials.line or at)
        line = self._line(gradient)
        if not all(map(self.passes, trials)):
            state, why = fault(trials, self.kit.fingerprints.of(name, self.seed))
            return Result(gradient, state, line, why.cause, why.message, (), why.frames, at)
        remarks = remarks_on(trials)
        if line and line.exact:
            return Result(gradient, State.EXACT, line, remarks=remarks, at=at)
        culprit = None if line and line.approximate else self.culprit(name)
        if culprit:
            message = f"the first culprit is {culprit}"
            return Result(gradient, State.FED_WRONG, line, "", message, remarks, at=at)
        return Result(gradient, State.APPROXIMATE, line, remarks=(*remarks, *self._inexact(gradient)), at=at)

    def _run_result(self, item: Gradient) -> Result:
        """A short training run with the student's gradients: the losses must be those that autograd gives."""
        first = self.local(self.exercise.gradients[0].name)
        if isinstance(first, Problem):
            state = State.NOT_ATTEMPTED if first.not_attempted else State.ERROR
            return Result(item, state, message=first.message, frames=first.frames, at=first.line)
        at = self.student.lines.get(item.function, 0)
        with hushed():
            mine, problem = shortrun.losses_by_student(self.exercise, self.student, self.seed, self.limit)
        if problem:
            return Result(item, State.ERROR, message=problem.message, frames=problem.frames, at=problem.line or at)
        true = shortrun.losses_by_autograd(self.exercise, self.seed)
        line = compare.line("run", torch.tensor(mine), torch.tensor(true))
        step = shortrun.first_departure(mine, true)
        if step is None:
            return Result(item, State.EXACT if line.exact else State.APPROXIMATE, line, at=at)
        wrong = next((g.name for g in self.exercise.gradients if self.wrong(g.name)), None)
        blame = f": {wrong} is wrong" if wrong else ""
        message = f"step {step} is the first that departs: loss {mine[step]:.6f}, autograd's {true[step]:.6f}{blame}"
        return Result(item, State.WRONG, line, "departs", message, at=at)

    def _inexact(self, gradient: Gradient) -> tuple[str, ...]:
        """At the first right line that is not bit-exact: why that is nobody's fault."""
        mine = self.writers
        above = [mine[c] for c in self.lecture.consumers(gradient.target) if c in mine]
        if gradient.index is not None or not all(self.result(name).state is State.EXACT for name in above):
            return ()
        kernels = " and ".join(sorted(self.lecture.operations(gradient.target)))
        return (f"not bit for bit: autograd's {kernels} kernel rounds in another order. Not graded",)

    def _line(self, gradient: Gradient) -> Line | None:
        chained, true = self.chained(gradient.name), self.truth[gradient.target]
        if chained is None or not compare.same_up_to_ones(chained.shape, true.shape):
            return None
        return compare.line(gradient.target, chained, true)
