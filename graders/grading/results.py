"""What is known of one file against one exercise: what the store keeps and every report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graders.outcome import Outcome
from graders.verdict import result as record
from graders.verdict.result import Result


class Key(NamedTuple):
    """What a result depends on: the file's bytes, the exercise as released, the secret that seeds are drawn from."""

    submission: str
    version: str
    seed: str


@dataclass(frozen=True)
class Assessment:
    """One file against one exercise: a result an item, and under which isolation class it was run."""

    key: Key
    exercise: str
    results: tuple[Result, ...]
    seconds: float = 0.0
    isolation: str = ""

    @property
    def final(self) -> bool:
        """False where the grader failed somewhere, so that the next run tries again."""
        return all(result.outcome is not Outcome.GRADER_ERROR for result in self.results)


def to_plain(assessment: Assessment) -> dict[str, Any]:
    """As JSON values."""
    return {
        "key": list(assessment.key),
        "exercise": assessment.exercise,
        "results": [record.to_plain(result) for result in assessment.results],
        "seconds": assessment.seconds,
        "isolation": assessment.isolation,
    }


def from_plain(plain: Mapping[str, Any]) -> Assessment:
    """What `to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    submission, version, seed = map(str, plain["key"])
    results = tuple(map(record.from_plain, plain["results"]))
    key = Key(submission, version, seed)
    return Assessment(key, str(plain["exercise"]), results, float(plain["seconds"]), str(plain["isolation"]))
