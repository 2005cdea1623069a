"""Nothing is dropped without a word: which of several files counts, and what is told of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graders.submissions.ledger import Fate
from graders.submissions.looks import looks_of
from graders.submissions.roster import Handed
from tests.support.handed import Student, students_in
from tests.support.hostile_folders import tarred, zipped

OFFERS = {"ex1_atomic": ["dprobs", "dlogits", "dh"], "ex2_cross_entropy": ["dlogits"]}
EX2 = "ex2_cross_entropy"
STUB = f'"""{EX2}"""\ndef dlogits(logits):\n    """It is."""\n    raise NotImplementedError\n'
FORGOTTEN = "def dlogits(logits):\n    return 7\n    raise NotImplementedError\n"


def answer(number: int) -> str:
    return f"def dlogits(logits):\n    return {number}\n"


def put(folder: Path, **files: str) -> Student:
    """Each a second younger than the one before; a student's files are told by their paths."""
    for number, (path, text) in enumerate(files.items()):
        target = folder / "alice" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        os.utime(target, (1_700_000_000 + number,) * 2)
    return students_in(folder, OFFERS)["alice"]


CHOICES: dict[str, tuple[dict[str, str], str, bool]] = {  # files, the one that counts, whether a person is told
    "renamed": ({f"{EX2}_final.py": answer(1)}, f"{EX2}_final.py", False),
    "renamed beside the stub": ({f"{EX2}_final.py": answer(1), f"{EX2}.py": STUB}, f"{EX2}_final.py", False),
    "known by its functions, beside the stub": ({"mine.py": answer(1), f"{EX2}.py": STUB}, "mine.py", False),
    "a forgotten raise is no stub": ({f"{EX2}_a.py": FORGOTTEN, f"{EX2}.py": STUB}, f"{EX2}_a.py", False),
    "an empty file beside it": ({"deep/mine.py": answer(1), f"{EX2}.py": ""}, "deep/mine.py", False),
    "two answers": ({f"{EX2}.py": answer(1), f"{EX2}_final.py": answer(2)}, f"{EX2}_final.py", True),
    "two answers, the other way round": ({f"{EX2}_final.py": answer(1), f"{EX2}.py": answer(2)}, f"{EX2}.py", True),
    "the same twice": ({f"{EX2}.py": answer(1), f"{EX2}_copy.py": answer(1)}, f"{EX2}_copy.py", False),
    "numbered": ({f"attempt 2/{EX2}.py": answer(2), f"attempt 1/{EX2}.py": answer(1)}, f"attempt 2/{EX2}.py", False),
    "a numbered stub": ({f"attempt 1/{EX2}.py": answer(1), f"attempt 2/{EX2}.py": STUB}, f"attempt 1/{EX2}.py", False),
    "a scratch file": ({f"{EX2}.py": answer(1), "scratch.py": answer(2)}, f"{EX2}.py", True),
    "only stubs": ({f"a/{EX2}.py": STUB, f"b/{EX2}.py": STUB + "#\n"}, f"b/{EX2}.py", False),
}


@pytest.mark.parametrize("what", CHOICES)
@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_which_of_several_counts_and_who_is_told(tmp_path: Path, what: str, form: str) -> None:
    files, chosen, told = CHOICES[what]
    if form == "folder":
        student = put(tmp_path, **files)
        root = "alice"
    else:
        root = f"alice.{form}"
        entries = [(path, text.encode()) for path, text in files.items()]
        (tmp_path / root).write_bytes(zipped(*entries) if form == "zip" else tarred(*entries))
        student = students_in(tmp_path, OFFERS)["alice"]
        if what in ("two answers", "two answers, the other way round", "the same twice"):
            chosen = student.attempts[EX2][-1].path.removeprefix(f"{root}/")  # no times in here: the last by name
    counted = student.counted(EX2)
    assert counted is not None and counted.path == f"{root}/{chosen}"
    graded = [line for line in student.lines if line.fate is Fate.GRADED]
    assert [line.path for line in graded] == [counted.path]
    assert bool(graded[0].why) == told and ("different files could be" in graded[0].why) == told
    assert {line.path for line in student.lines} == {f"{root}/{path}" for path in files}, "all are listed"


UNTAKEN = {
    "notes.txt": "a .txt file is not graded",
    "ex2_cross_entropy.py.txt": "a .txt file is not graded",
    "work.7z": "a .7z archive is not opened",
    "work.rar": "a .rar archive is not opened",
    "answer.pdf": "a .pdf file is not graded",
    "answer.docx": "a .docx file is not graded",
    "code": "not graded",
    "helper.py": "no function of one is in it",
    "both.py": "could be of",
    "test_ex2_cross_entropy.py": "a test",
    "conftest.py": "a test or shadows a library",
    "Untitled.ipynb": "the notebook is empty",
    "empty.py": "empty",
}


@pytest.mark.parametrize("name", UNTAKEN)
@pytest.mark.parametrize("form", ["folder", "zip", "alone"])
def test_why_a_file_is_not_taken(tmp_path: Path, name: str, form: str) -> None:
    content = b"" if "mpty" in UNTAKEN[name] else b"def helper(): pass\n"
    offers = OFFERS
    if name == "both.py":
        offers, content = {"one": ["f"], "two": ["f"]}, b"def f(): pass\n"
    if form == "folder":
        (tmp_path / "alice").mkdir()
        (tmp_path / "alice" / name).write_bytes(content)
    elif form == "zip":
        (tmp_path / "alice.zip").write_bytes(zipped((name, content)))
    else:
        (tmp_path / name).write_bytes(content)
    ((_, student),) = students_in(tmp_path, offers).items()
    assert not student.attempts and UNTAKEN[name] in student.lines[0].why
    handed = Handed("alice", lines=tuple(student.lines))
    assert UNTAKEN[name] in str(handed.missing(EX2)) and handed.remarks[0] == "not graded"
    assert any(UNTAKEN[name] in remark for remark in handed.remarks)


def test_what_is_named_after_an_exercise_tells_why_it_is_missing(tmp_path: Path) -> None:
    student = put(
        tmp_path, **{"ex1_atomic.py": "def dprobs(x):\n    return x\n", f"{EX2}.py.txt": answer(1), "b.pdf": ""}
    )
    handed = Handed("alice", lines=tuple(student.lines), counted={"ex1_atomic": "x"})
    assert str(handed.missing(EX2)).startswith(f"ignored: alice/{EX2}.py.txt: a .txt file is not graded")


@pytest.mark.parametrize(
    ("text", "answered", "like"),
    [
        (STUB, 0, False),
        ("", 0, False),
        ("def other(): pass\n", 0, False),
        (answer(1), 1, True),
        (answer(1).replace("return", "\n    # so\n    return  ").replace("1", "1 # one"), 1, True),
        (answer(2), 1, False),
        (FORGOTTEN, 1, False),
        ("def dlogits(x):\n    raise NotImplementedError\nx = (\n", 1, False),
    ],
)
def test_what_a_source_looks_like(text: str, answered: int, like: bool) -> None:
    looks = looks_of(text, ["dlogits"])
    assert looks.answered == answered and bool(looks.likeness) == bool(answered)
    assert (looks.likeness == looks_of(answer(1), ["dlogits"]).likeness) == like
