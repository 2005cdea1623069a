"""What the trials of one item amount to: right, or wrong and why."""

from collections.abc import Sequence

from graders.diagnosis.diagnose import diagnose
from graders.exercise.kit import Known
from graders.oracle.compare import Match, remedy_for_ones
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.student.answer import Answer
from graders.verdict.result import Result
from graders.words import Code, Reason, reason


def decided(item: str, trials: Sequence[Trial], line: int) -> Result:
    """The verdict at the cases that decide; wrong is not explained yet. `line` is where the function stands."""
    seconds = round(sum(trial.given.seconds for trial in trials), 5)
    ended = _ended(trials)
    if ended:
        return Result(item, ended.outcome, ended.reason, ended.line or line, ended.frames, seconds=seconds)
    outcome = Outcome.PASSED if all(trial.passes for trial in trials) else Outcome.WRONG
    remarks = remarks_on(trials) if outcome.right else ()
    return Result(item, outcome, line=line, remarks=remarks, seconds=seconds)


def _ended(trials: Sequence[Trial]) -> Answer | None:
    """The answer that settles an item: one that was stopped at any case, or none at the first case."""
    problems = [trial.problem for trial in trials if trial.problem]
    return next((problem for problem in problems if problem.outcome.stopped), trials[0].problem)


def fault(
    trials: Sequence[Trial],
    known: Sequence[Known],
    beside: Sequence[Sequence[Trial]] = (),
    laws: Sequence[str] = (),
) -> tuple[Outcome, Reason, tuple[str, ...]]:
    """Why answers are wrong that do not all pass, and the student's lines if one raised.

    `known` are the wrong answers that are known, `beside` the answers that the same function gave besides,
    `laws` what an author says of the right gradient.
    """
    why = diagnose(trials, known, beside, laws)
    shape = trials[0].match is Match.SHAPE or why.cause == "keepdim"
    said = reason(Code.DIAGNOSIS, cause=why.cause, sentence=why.message)
    return (Outcome.WRONG_SHAPE if shape else Outcome.WRONG), said, why.frames


def remarks_on(trials: Sequence[Trial]) -> tuple[Reason, ...]:
    """What to say of answers that are right."""
    remarks = []
    answer, expected = trials[0].answer, trials[0].expected
    if answer is not None and answer.shape != expected.shape:
        shapes = {"got": str(tuple(answer.shape)), "expected": str(tuple(expected.shape))}
        remedy = str(remedy_for_ones(answer.shape, expected.shape))
        remarks.append(reason(Code.SHAPED, target=trials[0].target, remedy=remedy, **shapes))
    if any(trial.match is Match.ROUNDED for trial in trials):
        remarks.append(Reason(Code.SINGLE_PRECISION))
    remarks += dict.fromkeys(trial.given.reason for trial in trials if trial.given.reason)
    return tuple(remarks)


def inferred(run: str, results: Sequence[Result]) -> Result:
    """A short training run follows from its gradients: right at every case, they are right at every step."""
    first = next((result for result in results if not result.right), None)
    if first is None:
        return Result(run, Outcome.PASSED)
    wrong = (Outcome.WRONG, Outcome.WRONG_SHAPE)
    if first.outcome not in wrong and all(result.outcome is first.outcome for result in results):
        return Result(run, first.outcome, first.reason, first.line)
    blamed = next((result for result in results if not result.outcome.graded), first)
    outcome = Outcome.WRONG if blamed.outcome.graded else blamed.outcome
    return Result(run, outcome, reason(Code.DEPARTS, item=blamed.item, cause="departs"))
