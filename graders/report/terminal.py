"""What a person reads in the terminal: lines for one gradient, and the summary. Plain data in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.exercise.identity import short
from graders.student.changed import changed_given_code
from graders.student.commands import about, command, shown
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
        ("items", len(check.exercise.items)),
        ("hints", len(item.hints)),
        ("derived", reference_of(student.path).exists()),
        ("note", note(check)),
        ("file_problem", _file_problem(student.fault)),
    ]


def reference_of(stub: Path) -> Path:
    """Where the solution of a stub stands, in a project that has it."""
    return stub.absolute().parent.parent.parent / "reference" / stub.parent.name / stub.name


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
    """Progress per exercise, the first thing to do next, the command for a hint.

    Of an exercise all items count, those that were not selected or not come to as well.
    """
    by_file: dict[str, list[dict[str, Any]]] = {}
    for p in seen:
        by_file.setdefault(p["file"], []).append(p)
    for rows in by_file.values():
        yield _progress(rows)
    unchecked = sum(rows[0]["items"] - len(rows) for rows in by_file.values())
    todo = next((p for p in seen if p["state"] in WRONG), None)
    todo = todo or next((p for p in seen if not p["right"]), None)
    if todo:
        yield from _next(todo)
    elif unchecked:
        everything = command("pytest", *map(shown, map(Path, by_file)))
        fed = next((p for p in seen if p["state"].startswith("right, fed")), None)
        yield f"Right: {len(seen)} of {len(seen)} selected.", {"green": True, "bold": True}
        if fed:
            yield f"next: {fed['diagnosis']}", {"bold": True}
        yield f"the rest: {everything}", {}
    else:
        yield "All right. You are a backprop ninja.", {"green": True, "bold": True}
    read = next((p for p in reversed(seen) if p["right"] and p["derived"]), None)
    if read:
        yield f"to read: {_about('solution', read)} (with the derivation)", {}


def _progress(rows: Sequence[dict[str, Any]]) -> tuple[str, dict[str, bool]]:
    """A bar over all items of an exercise, and the figures of what was checked."""
    right, every = sum(p["right"] for p in rows), rows[0]["items"]
    bar = "#" * max(right > 0, 20 * right // every)  # full only where all are
    counts = f"{right:2d} of {len(rows):2d} right, {every - len(rows)} not checked"
    if len(rows) == every:
        points, total = sum(p["points"] for p in rows if p["right"]), sum(p["points"] for p in rows)
        counts = f"{right:2d} of {every:2d} right, {points:2d} of {total:2d} points"
    return f"{rows[0]['exercise']:20s} [{bar:20s}] {counts}", {"green": right == every}


def _next(todo: dict[str, Any]) -> Iterator[tuple[str, dict[str, bool]]]:
    at = f"{shown(Path(todo['file']))}:{todo['at'] or 1}"
    if todo["file_problem"]:
        other_release = todo["file_problem"] == OTHER_RELEASE
        remedy = "take the stub of the kit's release" if other_release else "make the file load again"
        yield f"next: {at} {remedy}", {"bold": True}
        return
    yield f"next: {at} {todo['gradient']} ({todo['state']})", {"bold": True}
    if todo["hints"]:
        yield f"hint: {_about('hint', todo)}", {}


def _about(verb: str, p: dict[str, Any]) -> str:
    return about(verb, f"{p['exercise']}::{p['gradient']}", Path(p["file"]))
