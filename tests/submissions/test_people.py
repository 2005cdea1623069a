"""Whose an entry is: the names that learning platforms give, mixed; one student is one row, two are never one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from graders.submissions.naming import attempt_number, exercise_named, student_name
from graders.submissions.people import Person, people_of
from graders.submissions.platforms import of_platform
from graders.submissions.reader import Reader
from tests.support.handed import students_in

OFFERS = {"ex1_atomic": ["dprobs", "dlogits", "dh"], "ex2_cross_entropy": ["dlogits"]}
EX1, EX2 = "ex1_atomic.py", "ex2_cross_entropy.py"


def people(folder: Path, *entries: str) -> dict[str, Person]:
    """Folders end in a slash; `name/.git/` is a clone."""
    for entry in entries:
        path = folder / entry
        path.mkdir(parents=True) if entry.endswith("/") else path.touch()
    with Reader() as reader:
        return dict(people_of(folder, OFFERS, reader.explained).students)


TOLD = {
    "Canvas": (
        ["lovelaceada_101_9001_ex1_atomic.py", "lovelaceada_101_9002_ex2_cross_entropy-1.py"],
        {"lovelaceada": ("Canvas", "101", 2)},
    ),
    "Canvas, late": (
        ["lovelaceada_LATE_101_9001_ex1_atomic.py", "lovelaceada_late_101_9002_notes.pdf"],
        {"lovelaceada": ("Canvas", "101", 2)},
    ),
    "Canvas, late and in time": (
        ["lovelaceada_101_9001_ex1_atomic.py", "lovelaceada_LATE_101_9004_ex1_atomic-1.py"],
        {"lovelaceada": ("Canvas", "101", 2)},
    ),
    "Canvas, one name": (
        ["leewei_7_1_a.zip", "leewei_8_2_a.zip"],
        {"leewei (7)": ("Canvas", "7", 1), "leewei (8)": ("Canvas", "8", 1)},
    ),
    "Canvas, anonymous": (
        ["anon_x7Yz1_9001_ex1_atomic.py", "anon_a1b2C_9002_ex1_atomic.py"],
        {"anon x7Yz1": ("Canvas", "x7Yz1", 1), "anon a1b2C": ("Canvas", "a1b2C", 1)},
    ),
    "Canvas, a text": (["lovelaceada_101_text.html"], {"lovelaceada": ("Canvas", "101", 1)}),
    "Moodle": (
        ["Ada Lovelace_4711_assignsubmission_file/", "Zoë O'Neill_12_assignsubmission_file_/"],
        {"Ada Lovelace": ("Moodle", "4711", 1), "Zoë O'Neill": ("Moodle", "12", 1)},
    ),
    "Moodle, flat": (
        [
            "Ada Lovelace_4711_assignsubmission_file_ex1_atomic.py",
            "Ada Lovelace_4711_assignsubmission_file_ex2_cross_entropy.py",
        ],
        {"Ada Lovelace": ("Moodle", "4711", 2)},
    ),
    "Moodle, text and file": (
        ["Ada Lovelace_4711_assignsubmission_file/", "Ada Lovelace_4711_assignsubmission_onlinetext/"],
        {"Ada Lovelace": ("Moodle", "4711", 2)},
    ),
    "Moodle, blind": (
        ["Participant_31_assignsubmission_file/", "Participant_32_assignsubmission_file/"],
        {"Participant 31": ("Moodle", "31", 1), "Participant 32": ("Moodle", "32", 1)},
    ),
    "Moodle, one name": (
        ["Li Wei_1_assignsubmission_file/", "Li Wei_2_assignsubmission_file/"],
        {"Li Wei (1)": ("Moodle", "1", 1), "Li Wei (2)": ("Moodle", "2", 1)},
    ),
    "Blackboard": (
        [
            "Homework 1_alovelace_attempt_2026-11-22-10-30-00_ex1_atomic.py",
            "Homework 1_alovelace_attempt_2026-11-22-10-30-00.txt",
            "Homework 1_bob_attempt_2026-11-22-10-31-00.txt",
        ],
        {"alovelace": ("Blackboard", "alovelace", 2), "bob": ("Blackboard", "bob", 1)},
    ),
    "Blackboard, underscores": (
        ["HW_1_j_doe_attempt_2026-11-22-10-30-00_a.py", "HW_1_a_doe_attempt_2026-11-22-10-30-00_a.py"],
        {"j_doe": ("Blackboard", "j_doe", 1), "a_doe": ("Blackboard", "a_doe", 1)},
    ),
    "Blackboard, two assignments": (
        ["HW1_ada_attempt_2026-11-22-10-30-00_a.py", "HW2_ada_attempt_2026-11-29-10-30-00_a.py"],
        {"ada": ("Blackboard", "ada", 2)},
    ),
    "GitHub": (
        ["backprop-ninja-octo-cat/.git/", "backprop-ninja-zoe/.git/"],
        {"octo-cat": ("GitHub", "octo-cat", 1), "zoe": ("GitHub", "zoe", 1)},
    ),
    "GitHub, attempts": (["ada_attempt_1/.git/", "ada_attempt_2/.git/"], {"ada": ("GitHub", "ada", 2)}),
    "GitHub, and not": (
        ["ada/.git/", "bob/.git/", "ada.zip"],
        {"ada (GitHub)": ("GitHub", "ada", 1), "bob": ("GitHub", "bob", 1), "ada": ("", "", 1)},
    ),
    "GitHub, never merged": (
        ["mary-jane/.git/", "peter-jane/.git/"],
        {"mary-jane": ("GitHub", "mary-jane", 1), "peter-jane": ("GitHub", "peter-jane", 1)},
    ),
    "Gradescope without a list": (
        ["submission_1/", "submission_2/"],
        {"submission_1": ("", "", 1), "submission_2": ("", "", 1)},
    ),
    "plain": (["ada/", "ada.zip", "ada_attempt_2.zip", "ada_ex1_atomic.py", "ada.pdf"], {"ada": ("", "", 5)}),
    "names with everything": (
        ["j.doe/", "j.smith/", "mary_jane/", "O'Neill, Zoë/", "李 伟.zip", "x-y.ipynb"],
        dict.fromkeys(("j.doe", "j.smith", "mary_jane", "O'Neill, Zoë", "李 伟", "x-y"), ("", "", 1)),
    ),
    "dots without an ending": (["john.smith", "john.smyth"], {"john.smith": ("", "", 1), "john.smyth": ("", "", 1)}),
    "no ids": (
        ["ada_2026_11_22_final.py", "smith_12345_ex2_cross_entropy.py"],
        {"ada_2026_11_22_final": ("", "", 1), "smith_12345": ("", "", 1)},
    ),
    "of two kinds": (
        ["Ada Lovelace_12_assignsubmission_file/", "Ada Lovelace/"],
        {"Ada Lovelace (12)": ("Moodle", "12", 1), "Ada Lovelace": ("", "", 1)},
    ),
    "capitals": (["ada/", "Ada.zip"], {"ada": ("", "", 1), "Ada": ("", "", 1)}),
    "one letter in two ways": (["Zo\u00eb/", "Zoe\u0308.zip"], {"Zo\u00eb": ("", "", 1), "Zoe\u0308": ("", "", 1)}),
}


@pytest.mark.parametrize("what", TOLD)
def test_whose_an_entry_is(tmp_path: Path, what: str) -> None:
    entries, expected = TOLD[what]
    found = people(tmp_path, *entries)
    assert {name: (p.platform, p.id, len(p.entries)) for name, p in found.items()} == expected
    if what in ("Canvas, one name", "Moodle, one name", "of two kinds", "capitals", "one letter in two ways"):
        assert all("kept apart" in p.doubts[0].why for p in found.values())
    elif what != "GitHub, and not":
        assert not any(p.doubts for p in found.values())


def test_all_platforms_in_one_folder(tmp_path: Path) -> None:
    singles = {what: TOLD[what] for what in ("Canvas", "Moodle", "Blackboard", "GitHub", "plain")}
    found = people(tmp_path, *(entry for entries, _ in singles.values() for entry in entries))
    expected = {name: told for _, names in singles.values() for name, told in names.items()}
    assert {name: (p.platform, p.id, len(p.entries)) for name, p in found.items()} == expected


def test_gradescopes_list_tells_who_submitted(tmp_path: Path) -> None:
    export = tmp_path / "assignment_77_export"
    for number in (1, 2, 3):
        (export / f"submission_{number}").mkdir(parents=True)
        (export / f"submission_{number}" / EX2).write_text("def dlogits(x):\n    return x\n")
    submitters = {1: [("Ada", "'11'")], 2: [("Bob", "'12'"), ("Cy", "'13'")]}
    told = "".join(
        f"submission_{n}:\n  :submitters:\n" + "".join(f"  - :name: {name}\n    :sid: {sid}\n" for name, sid in who)
        for n, who in submitters.items()
    )
    (export / "submission_metadata.yml").write_text("---\n" + told)
    found = people(tmp_path)
    assert {n: (p.platform, p.id) for n, p in found.items()} == {
        "Ada": ("Gradescope", "11"),
        "Bob": ("Gradescope", "12"),
        "Cy": ("Gradescope", "13"),
        "submission_3": ("", ""),
    }
    assert found["Bob"].entries == found["Cy"].entries


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "- 1",
        "submission_1: [",
        "submission_1: {':submitters': 3}",
        "!!python/object:os.system {}",
        "submission_1: {':submitters': [{':name': 5}]}",
    ],
)
def test_a_list_that_cannot_be_read_costs_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "submission_metadata.yml").write_text(text)
    assert list(people(tmp_path, "submission_1/")) == ["submission_1"]


def test_what_is_nobodys_is_told(tmp_path: Path) -> None:
    for name in ("grades.csv", ".DS_Store", "roster.xlsx", "._ada.zip", ".hidden"):
        (tmp_path / name).touch()
    with Reader() as reader:
        found = people_of(tmp_path, OFFERS, reader.explained)
    assert not found.students and {line.path for line in found.lines} == {p.name for p in tmp_path.iterdir()}
    assert all(line.why for line in found.lines)


def test_an_upload_number_tells_the_later_of_two(tmp_path: Path) -> None:
    (tmp_path / f"ada_1_9002_{EX2}").write_text("def dlogits(x):\n    return 2\n")
    (tmp_path / "ada_1_9001_ex2_cross_entropy-1.py").write_text("def dlogits(x):\n    return 1\n")
    student = students_in(tmp_path, OFFERS)["ada"]
    counted = student.counted("ex2_cross_entropy")
    assert (
        counted is not None
        and b"return 2" in counted.content
        and not any("could be" in line.why for line in student.lines)
    )


@pytest.mark.parametrize(
    "character", ["_", " ", "-", ".", "a", "9", "(", "attempt", "try_", "ex2_cross_entropy", "2026-11-22-10-30-00"]
)
def test_names_are_read_in_time_in_proportion_to_their_length(character: str) -> None:
    from pathlib import PurePosixPath

    name = character * (200_000 // len(character))
    started = time.process_time()
    exercise_named(name, OFFERS), attempt_number(PurePosixPath(name)), of_platform(name)
    student_name(name[:255], OFFERS)
    assert time.process_time() - started < 1
