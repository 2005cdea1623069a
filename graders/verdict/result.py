"""The one record of what came of an item, for the terminal, the notebook, the store and the gradebook."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from graders import words
from graders.oracle.lecture_line import Line
from graders.outcome import Outcome
from graders.words import Reason


@dataclass(frozen=True)
class Result:
    """One item's outcome and why.

    `line` is the student's own line (0: none), `frames` the way to it. `lecture` is the line that the lecture prints;
    only a module in this process has one. `difference` is how a wrong answer differs, see grading/difference.py.
    """

    item: str
    outcome: Outcome
    reason: Reason | None = None
    line: int = 0
    frames: tuple[str, ...] = ()
    remarks: tuple[Reason, ...] = ()
    lecture: Line | None = None
    seconds: float = 0.0
    difference: str = ""

    @property
    def right(self) -> bool:
        return self.outcome.right

    @property
    def cause(self) -> str:
        return self.reason.cause if self.reason else ""

    @property
    def message(self) -> str:
        """The reason as a sentence, for people."""
        return str(self.reason or "")


def to_plain(result: Result) -> dict[str, Any]:
    """As JSON values; what has its default is left out, and so is the lecture's line."""
    values = {field.name: getattr(result, field.name) for field in fields(Result)}
    kept: dict[str, Any] = {name: value for name, value in values.items() if value and name != "lecture"}
    kept["outcome"] = result.outcome.name
    if result.reason:
        kept["reason"] = words.to_plain(result.reason)
    if result.remarks:
        kept["remarks"] = [words.to_plain(remark) for remark in result.remarks]
    return kept


def from_plain(plain: Mapping[str, Any]) -> Result:
    """What `to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Result(
        item=str(plain["item"]),
        outcome=Outcome[plain["outcome"]],
        reason=words.from_plain(plain["reason"]) if "reason" in plain else None,
        line=int(plain.get("line", 0)),
        frames=tuple(map(str, plain.get("frames", ()))),
        remarks=tuple(map(words.from_plain, plain.get("remarks", ()))),
        seconds=float(plain.get("seconds", 0.0)),
        difference=str(plain.get("difference", "")),
    )
