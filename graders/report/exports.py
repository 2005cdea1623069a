"""Files for other programs: a spreadsheet, Gradescope, whatever reads JUnit XML or JSON lines.

Nothing graded is an empty cell, a test without a score, a skipped test, a null: never 0.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from xml.sax.saxutils import escape, quoteattr

from graders.files import whole
from graders.outcome import Outcome
from graders.report.scores import Graded, Report
from graders.submissions.ledger import Line
from graders.verdict.result import Result
from graders.words import joined

FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # some spreadsheets read full-width signs as signs
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FAULTY = (Outcome.ERROR, Outcome.CRASH, Outcome.TIME_OUT, Outcome.MEMORY, Outcome.OUTPUT_LIMIT, Outcome.GRADER_ERROR)


def sentence(result: Result) -> str:
    """The outcome and the reason, in one line: 'wrong: The sign is wrong.'"""
    reason = result.message or joined(result.remarks)
    at = f" (line {result.line})" if result.line else ""
    return f"{result.outcome.value}{': ' if reason else ''}{reason}{at}"


class Exports:
    """Writes one student at a time into scores.csv, junit.xml and the rest, each whole or not. A context manager."""

    def __init__(self, out: Path, report: Report):
        self.out, self.report = out, report
        self._files = ExitStack()

    def __enter__(self) -> Self:
        names = ("scores.csv", "marks.jsonl", "junit.xml", "submissions.jsonl")
        opened = [self._files.enter_context(whole(self.out / name)) for name in names]
        scores, self._lines, self._xml, self._record = opened
        self.report.files |= {"scores": self.out / names[0], "marks": self.out / names[1]}
        self.report.files |= {"JUnit": self.out / names[2], "submissions": self.out / names[3]}
        self._csv = csv.writer(scores, quoting=csv.QUOTE_ALL, lineterminator="\n")
        self._csv.writerow(map(cell, header(self.report)))
        self._xml.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
        return self

    def __exit__(self, *raised: Any) -> None:
        if raised[0] is None:
            self._xml.write("</testsuites>\n")
        self._files.__exit__(*raised)

    def add(self, student: Graded) -> None:
        self._csv.writerow(row(student))
        self._xml.write(suite(student))
        self._lines.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines(student))
        handed = student.handed
        problems = {name: found for name, found in handed.problems.items() if found}
        who = {"student": student.name, "platform": handed.platform, "id": handed.id, "entries": handed.entries}
        record = {"attempts": handed.attempts, "unreadable": handed.unreadable, "problems": problems}
        self._write_record({**who, **record}, handed.lines)

    def add_nobodys(self, lines: Iterable[Line]) -> None:
        """What lies in the folder of submissions and is no student's."""
        self._write_record({"student": None}, lines)

    def _write_record(self, record: Mapping[str, Any], lines: Iterable[Line]) -> None:
        files = [file_record(line) for line in lines]
        self._record.write(json.dumps({**record, "files": files}) + "\n")


def file_record(line: Line) -> dict[str, Any]:
    """A line of the ledger."""
    found = {"file": line.path, "fate": line.fate.value, "exercise": line.exercise, "why": line.why}
    return {**found, "count": line.count} if line.count > 1 else found


def header(report: Report) -> list[str]:
    """A column a gradient, with what it can give."""
    columns = ["student", "points", "possible"]
    for name, exercise in report.exercises.items():
        columns += [name, *(f"{name}::{item.name}" for item in exercise.items)]
    return [*columns, "remarks"]


def row(student: Graded) -> list[str]:
    """Points; an empty cell where nothing is graded."""
    cells = [cell(student.name), _number(student.score()), str(student.possible())]
    for name, results in student.results.items():
        cells.append(_number(student.score(name)))
        for result in results:
            given = student.points[name][result.item] if result.right else 0
            cells.append(str(given) if result.outcome.graded else "")
    return [*cells, cell(joined(student.handed.remarks))]


def _number(points: int | None) -> str:
    return "" if points is None else str(points)


def cell(text: str) -> str:
    """Text that a spreadsheet shows, and does not take for a formula; a number stays one.

    To read it back, take one ' away from a cell that `FORMULA` matches and that begins with one.
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def lines(student: Graded) -> Iterator[dict[str, Any]]:
    """A line a gradient, with everything that is known of it."""
    for name, results in student.results.items():
        file = student.handed.counted.get(name)
        for result in results:
            points = student.points[name][result.item]
            yield {
                "student": student.name,
                "exercise": name,
                "gradient": result.item,
                "outcome": result.outcome.value,
                "points": (points if result.right else 0) if result.outcome.graded else None,
                "possible": points,
                "cause": result.cause,
                "message": result.message,
                "line": result.line,
                "seconds": result.seconds,
                "sha256": file,
            }


def gradescope(student: Graded) -> dict[str, Any]:
    """A student's results.json; without any score where nothing is graded, so that Gradescope does not show 0."""
    tests = [_test(student, name, result) for name, results in student.results.items() for result in results]
    result: dict[str, Any] = {"tests": tests, "visibility": "visible", "stdout_visibility": "hidden"}
    score = student.score()
    notes = [*student.handed.remarks, *([] if student.complete else ["Some of it is not graded, which is not 0."])]
    if score is not None:
        result = {"score": score, "execution_time": round(student.seconds), **result}
    return {**result, "output": "\n".join(notes)} if notes else result


def _test(student: Graded, exercise: str, result: Result) -> dict[str, Any]:
    points = student.points[exercise][result.item]
    test: dict[str, Any] = {
        "name": f"{exercise}: {result.item}",
        "max_score": points,
        "output": sentence(result),
        "output_format": "text",
        "visibility": "visible",
        "tags": [tag for tag in (exercise, result.cause) if tag],
    }
    if not result.outcome.graded:
        return test
    return {"score": points if result.right else 0, "status": "passed" if result.right else "failed", **test}


def suite(student: Graded) -> str:
    """A <testsuite> of JUnit XML."""
    results = [(name, result) for name, found in student.results.items() for result in found]
    of = Counter(_kind(result) for _, result in results)
    numbers = f'tests="{len(results)}" failures="{of["failure"]}" errors="{of["error"]}" skipped="{of["skipped"]}"'
    cases = "".join(_case(name, result) for name, result in results)
    return f"<testsuite name={_attribute(student.name)} {numbers}>\n{cases}</testsuite>\n"


def _kind(result: Result) -> str:
    if result.right:
        return ""
    if result.outcome is Outcome.NOT_GRADED:
        return "skipped"
    return "error" if result.outcome in FAULTY else "failure"


def _case(exercise: str, result: Result) -> str:
    head = f'  <testcase classname={_attribute(exercise)} name={_attribute(result.item)} time="{result.seconds:.4f}"'
    kind = _kind(result)
    if not kind:
        return f"{head}/>\n"
    text = escape(NOT_XML.sub("?", "\n".join(result.frames)))
    return f"{head}><{kind} message={_attribute(sentence(result))}>{text}</{kind}></testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(NOT_XML.sub("?", text))
