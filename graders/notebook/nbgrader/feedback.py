"""What a student reads of a result under nbgrader. Nothing of a hidden case is in it: the reason is."""

import re
from collections.abc import Sequence

from torch import Tensor

from graders.report import heatmaps
from graders.report.scores import without_lines
from graders.report.terminal import indented
from graders.sandbox.selftest import CLASSES
from graders.verdict.result import Result


def report(result: Result) -> str:
    """A line with the outcome, under it what there is to say."""
    lines = [f"{result.item:15s} | {result.outcome.value}"]
    lines += indented(result.message) if result.message else []
    frames = without_lines(result).frames
    lines += [line for frame in frames for line in indented(frame, "      in: ", "          ")]
    lines += [line for remark in result.remarks for line in indented(str(remark))]
    return "\n".join(lines)


def pictures_of(result: Result, expected: Tensor) -> str:
    """Heat maps of an answer to the public case, where it differs from `expected`, as HTML; empty without a picture."""
    maps = heatmaps.recalled(result.difference, expected)
    about = "On the public case, the one that <code>check()</code> shows."
    return f"<div>{maps}<p>{about}</p></div>" if maps else ""


def short(result: Result) -> str:
    said = [result.message] if result.message else list(map(str, result.remarks))
    return ": ".join([f"{result.item} {result.outcome.value}", *said])


def notice(problems: Sequence[str], isolation: str) -> str:
    """What stands above a graded notebook."""
    lines = [f"- {_plain(problem)}" for problem in problems]
    if lines:
        lines = ["**Please note:**", "", *lines, ""]
    if isolation:
        lines.append(f"*{graded_in(isolation)}.*")
    return "\n".join(lines or ["*Not graded.*"])


def graded_in(isolation: str) -> str:
    return f"Graded by backprop-ninja, isolation class {isolation} ({CLASSES.get(isolation, '')})"


def _plain(text: str) -> str:
    """Without what Markdown or HTML would make something of: problems quote a student's own lines."""
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;")
