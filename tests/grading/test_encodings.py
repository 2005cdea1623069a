"""A file in any encoding gets the same verdict at home and in class."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path

import pytest

from graders import grade
from graders.exercise.kit import kits_in
from graders.outcome import Outcome
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.verdict.chained import self_check
from tests.support.stubs import EXERCISES, fill, solutions

NAME = "ex2_cross_entropy"


def test_the_encoding_decides_nothing(tmp_path: Path) -> None:
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    kit = next(kit for kit in kits_in(EXERCISES) if kit.path.stem == NAME)
    right = fill(kit.stub, solutions(NAME, kit.path.parent.name)) + "# Zoë\nname = 'Zoë'\nassert len(name) == 3\n"
    files = {
        "utf8": right.encode(),
        "mark": codecs.BOM_UTF8 + right.encode(),
        "utf16": codecs.BOM_UTF16_LE + right.encode("utf-16-le"),
        "cookie": b"# -*- coding: latin-1 -*-\n" + right.encode("latin-1"),
        "windows": right.replace("\n", "\r\n").encode("cp1252"),
        "mac": right.replace("\n", "\r").encode(),
        "nul": right.encode() + b"\0",
        "none": right.encode() + b"\x81\x8d",
        "broken": b"def (\n" + right.encode("cp1252"),
    }
    for name, data in files.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / f"{NAME}.py").write_bytes(data)
        (tmp_path / "home" / name).mkdir(parents=True)
        (tmp_path / "home" / name / f"{NAME}.py").write_bytes(data)
    report = grade(tmp_path / "class", tmp_path / "out", exercises=[kit])
    for name in files:
        at_home = self_check(replace(kit, path=tmp_path / "home" / name / f"{NAME}.py")).result("dlogits")
        (in_class,) = report.student(name).results[f"{kit.path.parent.name}/{NAME}"]
        if name in ("nul", "none"):
            assert (in_class.outcome, at_home.outcome) == (Outcome.NOT_GRADED, Outcome.ERROR), name
            assert at_home.message in in_class.message
        else:
            assert in_class.right == at_home.right == (name != "broken"), (name, in_class, at_home)
