"""What a student reads of a mark under nbgrader. Nothing of a hidden case is in it: the reason is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import Tensor

from graders.report import heatmaps
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
    maps = heatmaps.recalled(mark.picture, expected)
    told = "On the public case, the one that <code>check()</code> shows."
    return f"<div>{maps}<p>{told}</p></div>" if maps else ""


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
