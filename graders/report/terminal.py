"""What a person reads in the terminal: lines for one gradient, and the summary. Plain data in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from graders.exercise.identity import short
from graders.student.changed import changed_given_code
from graders.words import Code

if TYPE_CHECKING:
    from graders.student.answer import Answer
    from graders.verdict.chained import Chained
    from graders.verdict.result import Result

WIDTH = 80
MARKUP: dict[str, dict[str, bool]] = {
    "not attempted": {"light": True},
    "error": {"red": True},
    "wrong shape": {"red": True},
    "wrong": {"red": True},
    "right, fed a wrong upstream gradient": {"yellow": True},
    "approximate": {"green": True},
    "exact": {"green": True},
}
OTHER_RELEASE = "it is of another release"
WRONG = ("error", "wrong shape", "wrong")


def category(state: str) -> str:
    """The word under which pytest counts a state in its last line."""
    if state in WRONG:
        return "with an error" if state == "error" else "wrong"
    return "not attempted" if state == "not attempted" else "passed"


def properties(result: Result, check: Chained) -> list[tuple[str, Any]]:
    """A result as plain values: for the terminal, for JUnit XML, and for processes to hand to each other."""
    item, student = check.exercise.gradient(result.item), check.module.student
    return [
        ("state", result.outcome.state),
        ("right", result.right),
        ("gradient", item.name),
        ("target", item.target),
        ("section", item.section),
        ("points", item.points),
        ("line", str(result.lecture) if result.lecture else ""),
        ("cause", result.cause),
        ("diagnosis", result.message or result.outcome.state),
        ("remarks", "\n".join(map(str, result.remarks))),
        ("frames", "\n".join(result.frames)),
        ("file", str(student.path)),
        ("at", result.line),
        ("exercise", short(check.exercise.path)),
        ("hints", len(item.hints)),
        ("note", note(check)),
        ("file_problem", _file_problem(student.fault)),
    ]


def note(check: Chained) -> str:
    """What to say of the whole file: it does not load, or given code is not what was released."""
    student = check.module.student
    if student.fault:
        return "\n".join([f"{student.path.name}: {student.fault.reason}", *student.fault.frames])
    return "\n".join(map(str, filter(None, (student.read_as, changed_given_code(check.exercise.text, student.text)))))


def _file_problem(fault: Answer | None) -> str:
    """What is the matter with the whole file; empty if nothing is."""
    if fault is None:
        return ""
    other_release = fault.reason is not None and fault.reason.code is Code.OTHER_RELEASE
    return OTHER_RELEASE if other_release else "the file does not load"


def indented(text: str, first: str = "    ", rest: str = "    ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False)


def lines(p: dict[str, Any]) -> Iterator[str]:
    """The lecture's line, and under it what has to be said."""
    state = p["state"]
    if p["file_problem"]:
        yield f"{p['target']:15s} | not checked: {p['file_problem']}"
        return
    yield p["line"] or f"{p['target']:15s} | {state}"
    if state in WRONG or state.startswith("right, fed"):
        yield from indented(f"{state}: {p['diagnosis']}" if p["line"] else p["diagnosis"])
    for frame in filter(None, p["frames"].split("\n")):
        yield from indented(frame, "      ", "        ")
    for remark in filter(None, p["remarks"].split("\n")):
        yield from indented(remark)
    printed = (p.get("printed") or "").rstrip().splitlines()
    for text in printed[:10]:
        yield f"    > {text}"
    if len(printed) > 10:
        yield f"    > ... {len(printed) - 10} more lines (all with -s)"


def failure_text(p: dict[str, Any]) -> str:
    """What stands in an editor's test view, and in JUnit XML."""
    return "\n".join([p["diagnosis"], p["frames"]] if p["file_problem"] else lines(p))


def summary(seen: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, bool]]]:
    """Progress per exercise, the first thing to do next, the command for a hint."""
    by_exercise: dict[str, list[dict[str, Any]]] = {}
    for p in seen:
        by_exercise.setdefault(p["exercise"], []).append(p)
    for name, rows in by_exercise.items():
        right = sum(p["right"] for p in rows)
        points = sum(p["points"] for p in rows if p["right"])
        bar = "#" * round(20 * right / len(rows))
        total = sum(p["points"] for p in rows)
        counts = f"{right:2d} of {len(rows):2d} right, {points:2d} of {total:2d} points"
        yield f"{name:20s} [{bar:20s}] {counts}", {"green": right == len(rows)}
    todo = next((p for p in seen if p["state"] in WRONG), None)
    todo = todo or next((p for p in seen if not p["right"]), None)
    if todo is None:
        yield "All right. You are a backprop ninja.", {"green": True, "bold": True}
        return
    path = todo["nodeid"].split("::")[0]
    if todo["file_problem"]:
        other_release = todo["file_problem"] == OTHER_RELEASE
        remedy = "take the stub of the kit's release" if other_release else "make the file load again"
        yield f"next: {path}:{todo['at'] or 1} {remedy}", {"bold": True}
        return
    yield f"next: {path}:{todo['at'] or 1} {todo['gradient']} ({todo['state']})", {"bold": True}
    if todo["hints"]:
        yield f"hint: backprop-ninja hint {todo['exercise']}::{todo['gradient']}", {}
