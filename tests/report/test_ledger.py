"""What an instructor is told of everything that was handed in: on the terminal, in scores.csv, report.html, submissions.jsonl."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from graders import grade
from graders.exercise.kit import kits_in
from graders.report.ledger import Ledger
from graders.report.scores import Graded, Report
from graders.report.summary import print_summary
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.submissions.roster import Handed
from tests.support.stubs import EXERCISES, fill, solutions

NAME = "ex2_cross_entropy"
FILE = f"{NAME}.py"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    kit = next(kit for kit in kits_in(EXERCISES) if kit.path.stem == NAME)
    right = fill(kit.stub, solutions(NAME, kit.path.parent.name))
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("out")
    files = {
        f"ada_1_11_{FILE}": right,
        f"Bob_2_assignsubmission_file/{FILE}": right,
        "Bob_2_assignsubmission_file/ex2_cross_entropy_old.py": right + "x = 1\n",
        f"cy/{FILE}": right.replace("return", " # so\n\n    return", 1) if "    return" in right else right + "#\n",
        f"dee/{FILE}": kit.stub,
        f"eve/{FILE}": kit.stub,
        "fay.pdf": "%PDF",
        "gus/.git/HEAD": "x",
        f"hal/{FILE}": "",
        f"ida/{FILE}": kit.stub,
        f"ida/{NAME}_final.py": right + "# mine\n",
        "grades.csv": "a,b",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        os.utime(folder / name, (1_700_000_000 - ("_old" in name),) * 2)
    return out, grade(folder, out, exercises=[kit])


def test_everybody_is_in_the_scores_and_the_reason_beside(graded: tuple[Path, Report]) -> None:
    out, _ = graded
    rows = {row["student"]: row for row in csv.DictReader((out / "scores.csv").open(encoding="utf-8", newline=""))}
    points = {name: row["points"] for name, row in rows.items()}
    none = dict.fromkeys(("fay", "gus", "hal"), "")
    assert points == {"ada": "5", "Bob": "5", "cy": "5", "ida": "5", "dee": "0", "eve": "0", **none}
    assert "fay.pdf: a .pdf file is not graded" in rows["fay"]["remarks"]
    assert "nothing is in it" in rows["gus"]["remarks"] and "empty" in rows["hal"]["remarks"]
    assert "2 different files could be" in rows["Bob"]["remarks"]
    page = (out / "feedback" / "bob-").parent
    (bob,) = [path for path in page.iterdir() if path.name.startswith("bob")]
    assert "2 different files could be" in (bob / "feedback.html").read_text(encoding="utf-8")


def test_the_record_has_every_file_and_the_platforms_id(graded: tuple[Path, Report]) -> None:
    out, _ = graded
    records = [json.loads(line) for line in (out / "submissions.jsonl").read_text(encoding="utf-8").splitlines()]
    by_name = {record["student"]: record for record in records}
    assert (by_name["ada"]["platform"], by_name["ada"]["id"]) == ("Canvas", "1")
    assert (by_name["Bob"]["platform"], by_name["Bob"]["id"]) == ("Moodle", "2")
    assert by_name["ada"]["entries"] == [f"ada_1_11_{FILE}"]
    fates = {file["file"]: file["fate"] for record in records for file in record["files"]}
    assert fates[f"ida/{FILE}"] == "another attempt" and fates[f"ida/{NAME}_final.py"] == "graded"
    assert fates["fay.pdf"] == fates["grades.csv"] == "ignored" and fates[f"hal/{FILE}"] == "unreadable"
    assert [file["file"] for file in by_name[None]["files"]] == ["grades.csv"]


def test_the_terminal_counts_and_names(graded: tuple[Path, Report]) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_summary(graded[1], console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "handed in: 13 files: 6 graded, 2 other attempts, 3 ignored, 1 unreadable, 1 of a system" in text
    assert "not graded, which is not 0 points: 3\n" in text and "  fay: fay.pdf: a .pdf file" in text
    assert "to look at: 1\n  Bob: 2 different files" in text and "isolation class" in text
    assert "the same text from several students: 2 times" in text


def test_the_report_lists_who_handed_in_the_same(graded: tuple[Path, Report]) -> None:
    """Stubs in which nothing is filled in are not the same text."""
    out, report = graded
    alike = {(one.every_byte, tuple(s.name for s in one.students)) for one in Ledger.of(report).alike()}
    assert alike == {(True, ("Bob", "ada")), (False, ("Bob", "ada", "cy", "ida"))}
    text = re.sub(r"<[^>]*>", "", (out / "report.html").read_text(encoding="utf-8"))
    for words in (
        "The same text from several students: 2",
        "the same in every byte",
        "For you to decide: 1",
        "isolation class",
    ):
        assert words in text


names = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=80)
near = st.text(st.sampled_from("aAbB_- .0f"), min_size=1, max_size=12)


@given(st.lists(names | near, min_size=2, max_size=20, unique=True))
def test_no_two_students_share_a_folder(found: list[str]) -> None:
    slugs = [Graded(Handed(name), {}, {}).slug for name in found]
    again = [Graded(Handed(slug), {}, {}).slug for slug in slugs if slug not in found]
    assert len({slug.lower() for slug in [*slugs, *again]}) == len(slugs) + len(again)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,90}", slug) for slug in slugs)
