"""What a student reads of a mark under nbgrader. Nothing of a hidden case is in it: the reason is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import Tensor

from graders.grading import difference as heat
from graders.report import pictures
from graders.report.scores import without_lines
from graders.report.terminal import indented
from graders.sandbox.outcome import Mark
from graders.sandbox.selftest import CLASSES

FOREIGN = "this cell is not one of backprop-ninja's: a person has to grade it"


def report(mark: Mark) -> str:
    """A line with the outcome, under it what there is to say."""
    lines = [f"{mark.gradient:15s} | {mark.outcome.value}"]
    lines += indented(mark.message) if mark.message else []
    frames = without_lines(mark).frames
    lines += [line for frame in frames for line in indented(frame, "      in: ", "          ")]
    lines += [line for remark in mark.remarks for line in indented(remark)]
    return "\n".join(lines)


def pictures_of(mark: Mark, expected: Tensor) -> str:
    """Heat maps of an answer to the public case, where it differs from `expected`, as HTML; empty without a picture."""
    difference = heat.difference_of(mark.picture, expected)
    if difference is None:
        return ""
    told = "On the public case, the one that <code>check()</code> shows: blue is negative, red positive, white zero."
    return f"<div>{pictures.compared(expected + difference, expected)}<p style='color:#656d76'>{told}</p></div>"


def short(mark: Mark) -> str:
    told = [mark.message] if mark.message else list(mark.remarks)
    return ": ".join([f"{mark.gradient} {mark.outcome.value}", *told])


def notice(problems: Sequence[str], isolation: str) -> str:
    """What stands above a graded notebook."""
    lines = [f"- {_plain(problem)}" for problem in problems]
    if lines:
        lines = ["**Please note:**", "", *lines, ""]
    if isolation:
        lines.append(f"*Graded by backprop-ninja, isolation class {isolation} ({CLASSES.get(isolation, '')}).*")
    return "\n".join(lines or ["*Not graded.*"])


def _plain(text: str) -> str:
    """Without what Markdown or HTML would make something of: problems quote a student's own lines."""
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;")
