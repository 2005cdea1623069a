"""Notebooks among the submissions: whose they are, of which exercise, which counts, what is kept of them."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from graders.submissions.notebook_module import LONGEST, module_of
from tests.support.course import code
from tests.support.handed import Student, students_in
from tests.support.hostile_folders import tarred, zipped

OFFERS = {"ex1_atomic": ["dprobs", "dlogits", "dh"], "ex2_cross_entropy": ["dlogits"]}
RELEASES = {"ex1_atomic": "111111111111", "ex2_cross_entropy": "222222222222"}


def notebook(body: str = "return 1", exercise: str = "ex1_atomic", marked: bool = True, release: str = "") -> bytes:
    """One answer, dlogits; `marked` with its id."""
    cell = code(f"def dlogits(logits):\n    {body}")
    if marked:
        cell["metadata"] = {"nbgrader": {"grade_id": f"{exercise}-answer-dlogits"}}
    metadata = {"backprop_ninja": {"release": release}} if release else {}
    return json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def put(folder: Path, *files: tuple[str, bytes]) -> None:
    """Each a second younger than the one before."""
    for number, (path, content) in enumerate(files):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        os.utime(target, (1_700_000_000 + number,) * 2)


def alice(folder: Path) -> Student:
    ((name, student),) = students_in(folder, OFFERS, RELEASES).items()
    assert name == "alice"
    return student


PLACES = {
    "as nbgrader collects": ("alice/ex1_atomic/ex1_atomic.ipynb", notebook()),
    "single": ("alice_ex1_atomic.ipynb", notebook()),
    "single without an exercise": ("alice.ipynb", notebook()),
    "zip": ("alice.zip", zipped(("work/ex1_atomic.ipynb", notebook()))),
    "tar": ("alice.tar.gz", tarred(("ex1_atomic.ipynb", notebook()))),
    "zip in a folder": ("alice/work.zip", zipped(("ex1_atomic.ipynb", notebook()))),
    "renamed": ("alice/homework.ipynb", notebook()),
    "capitals": ("alice/EX1_ATOMIC.IPYNB", notebook()),
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_a_notebook_lies_its_module_is_what_counts(tmp_path: Path, place: str) -> None:
    put(tmp_path, PLACES[place])
    student = alice(tmp_path)
    counted = student.counted("ex1_atomic")
    assert counted is not None and not student.unread
    assert counted.content == module_of(notebook(), "ex1_atomic").source


COUNTS = {
    "the last": ([("ex1_atomic.ipynb", "return 1"), ("b/ex1_atomic.ipynb", "return 2")], 2),
    "the one named after the exercise": ([("ex1_atomic.ipynb", "return 1"), ("play.ipynb", "return 2")], 1),
    "not what Jupyter keeps": (
        [("ex1_atomic.ipynb", "return 1"), (".ipynb_checkpoints/ex1_atomic-checkpoint.ipynb", "return 2")],
        1,
    ),
    "not what cannot be read": ([("ex1_atomic.ipynb", "return 1"), ("b/ex1_atomic.ipynb", "")], 1),
}


@pytest.mark.parametrize("which", COUNTS)
def test_which_of_several_counts(tmp_path: Path, which: str) -> None:
    files, number = COUNTS[which]
    put(tmp_path, *((f"alice/{name}", notebook(body) if body else b"{") for name, body in files))
    counted = alice(tmp_path).counted("ex1_atomic")
    assert counted is not None and f"return {number}".encode() in counted.content


def test_a_module_and_a_notebook_are_attempts_at_the_same(tmp_path: Path) -> None:
    put(tmp_path, ("alice/ex1_atomic.ipynb", notebook()), ("alice/ex1_atomic.py", b"def dlogits(): pass\n"))
    student = alice(tmp_path)
    counted = student.counted("ex1_atomic")
    assert counted is not None and counted.path.endswith(".py") and len(student.attempts["ex1_atomic"]) == 2


def test_without_ids_the_functions_tell_the_exercise(tmp_path: Path) -> None:
    put(tmp_path, ("alice/Untitled.ipynb", notebook(marked=False)))
    student = alice(tmp_path)
    assert list(student.attempts) == ["ex2_cross_entropy"]
    assert "by their names alone" in student.attempts["ex2_cross_entropy"][0].problems[0]


def test_another_release_is_told(tmp_path: Path) -> None:
    put(tmp_path, ("alice/a/ex1_atomic.ipynb", notebook(release="0" * 12)))
    put(tmp_path, ("alice/b/ex2_cross_entropy.ipynb", notebook(exercise="ex2_cross_entropy", release="2" * 12)))
    student = alice(tmp_path)
    problems = {name: made[-1].problems for name, made in student.attempts.items()}
    assert problems["ex2_cross_entropy"] == ()
    assert len(problems["ex1_atomic"]) == 1 and "of another release" in problems["ex1_atomic"][0]


LARGE = notebook().replace(b"{", b'{"a": "' + b"x" * LONGEST + b'", ', 1)
REFUSED = {
    "not JSON": (("alice/ex1_atomic.ipynb", b"PK"), "ex1_atomic.ipynb: this is not a notebook (not JSON"),
    "without a name either": (("alice/homework.ipynb", b"PK"), "homework.ipynb: this is not a notebook (not JSON"),
    "empty": (("alice_ex1_atomic.ipynb", b""), "the notebook is empty"),
    "large": (("alice/ex1_atomic.ipynb", LARGE), "the notebook has 17 MB, more than 17"),
    "large in a zip": (("alice.zip", zipped(("ex1_atomic.ipynb", bytes(50 << 20)))), "bomb"),
    "large in a tar": (("alice.tar.gz", tarred(("ex1_atomic.ipynb", bytes(50 << 20)))), "the notebook has 52 MB"),
    "many in a zip": (
        ("alice.zip", zipped(*((f"{n}/ex1_atomic.ipynb", os.urandom(1 << 17) + bytes(15 << 20)) for n in range(14)))),
        "more than 200 MB come out of it",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_said_at_its_student(tmp_path: Path, what: str) -> None:
    file, reason = REFUSED[what]
    put(tmp_path, file)
    student = alice(tmp_path)
    assert not student.attempts
    sentence = student.unread[0].sentence
    assert sentence.startswith("unreadable: ") and reason in sentence


@pytest.mark.parametrize("make", [zipped, tarred])
def test_notebooks_are_held_in_memory_one_at_a_time(tmp_path: Path, make) -> None:
    shown = json.dumps("".join(chr(32 + n % 90) for n in range(300))[:-1] * 20_000).encode()
    large = notebook().replace(b'"outputs": []', b'"outputs": [' + shown + b"]")
    put(
        tmp_path,
        (
            "alice.zip" if make is zipped else "alice.tar.gz",
            make(*((f"{n}/ex1_atomic.ipynb", large) for n in range(12))),
        ),
    )
    tracemalloc.start()
    student = alice(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(student.attempts["ex1_atomic"]) == 12
    assert peak < 6 * len(large)
