"""Hypotheses on the gradient of a look-up: contributions lost, overwritten, or sent to the wrong rows."""

from collections.abc import Callable

import torch
from torch import Tensor

from graders.diagnosis.fitting import Candidate, Hypothesis
from graders.oracle.trial import Trial

Test = Callable[[Tensor, Tensor, Tensor, Tensor], bool]


def repeated_rows(trial: Trial) -> list[Hypothesis]:
    """A look-up's gradient where contributions to one row are lost, or go to another row."""
    found: list[Hypothesis] = []
    if trial.oracle.operations(trial.target).isdisjoint({"index", "embedding", "indexselect"}):
        return found
    for name, value in trial.oracle.values.items():
        if isinstance(value, Tensor) and not value.is_floating_point() and value.dim():
            for c in trial.oracle.consumers(trial.target):
                rows = f"right but for rows that occur more than once in {name}"
                lost = "each holds a single one of its contributions, where all of them add up"
                some = "every contribution to such a row must be added"
                scattered = (
                    f"right in the sum over its rows, but not row by row: do {name} and d{c} go in the same order?"
                )
                found.append(Hypothesis("overwritten rows", rows, _look_up(_one_contribution, name, c), lost))
                found.append(Hypothesis("repeated rows", rows, _look_up(_repeats_wrong, name, c), some))
                found.append(Hypothesis("wrong rows", scattered, _look_up(_misplaced, name, c)))
    return found


def _look_up(test: Test, index: str, consumer: str) -> Candidate:
    """The answer itself, where it passes a test on (answer, expected, index, upstream gradient as rows)."""

    def candidate(t: Trial) -> Tensor | None:
        at, upstream = t.oracle.values[index], t.oracle.upstream[consumer]
        fitting = upstream.shape == (*at.shape, *t.expected.shape[1:])
        if t.answer is None or t.answer.shape != t.expected.shape or not fitting:
            return None
        rows = upstream.reshape(at.numel(), -1)
        return t.answer if test(t.answer, t.expected, at.reshape(-1), rows) else None

    return candidate


def _one_contribution(answer: Tensor, expected: Tensor, index: Tensor, rows: Tensor) -> bool:
    times = torch.bincount(index, minlength=len(answer))
    return not bool(answer[times == 0].any()) and all(
        bool(torch.isclose(rows[index == row], answer[row].reshape(1, -1), rtol=1e-9, atol=0).all(1).any())
        for row in set(index.tolist())
    )


def _repeats_wrong(answer: Tensor, expected: Tensor, index: Tensor, rows: Tensor) -> bool:
    times = torch.bincount(index, minlength=len(expected))
    right = torch.isclose(answer, expected, rtol=1e-6, atol=1e-9).reshape(len(expected), -1).all(1)
    return bool(right[times < 2].all()) and not bool(right.all())


def _misplaced(answer: Tensor, expected: Tensor, index: Tensor, rows: Tensor) -> bool:
    return torch.allclose(answer.sum(0), expected.sum(0), rtol=1e-6)
