"""Whatever lies in the folder of submissions: read safely, sorted to students and exercises, nothing aborts."""

from __future__ import annotations

import bz2
import gzip
import os
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from graders.student.text import LONGEST_SOURCE
from graders.submissions.kinds import stem
from graders.submissions.ledger import Fate, Line
from graders.submissions.naming import student_name
from graders.submissions.roster import Handed
from tests.support.handed import Student, students_in
from tests.support.hostile_folders import tarred, zipped

OFFERS = {"ex1_atomic": ["dprobs", "dlogits", "dh"], "ex2_cross_entropy": ["dlogits"]}
SOURCE = b"def dprobs(): pass\n"


def read(folder: Path) -> dict[str, Student]:
    return students_in(folder, OFFERS)


def of_kind(kind: bytes, name: str = "ex1_atomic.py", target: str = "/etc/passwd") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def link_in_zip() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("ex1_atomic.py")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted() -> bytes:
    data = bytearray(zipped(("ex1_atomic.py", SOURCE)))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def strange_compression() -> bytes:
    data = bytearray(zipped(("ex1_atomic.py", SOURCE)))
    at = data.index(b"PK\x01\x02")
    data[8:10] = data[at + 10 : at + 12] = b"\x61\x00"
    return bytes(data)


def damaged_content() -> bytes:
    data = bytearray(zipped(("ex1_atomic.py", SOURCE)))
    data[45:50] = b"\xff" * 5
    return bytes(data)


BAD = {
    "not a zip.zip": (b"hello", "damaged"),
    "empty.zip": (b"", "damaged"),
    "cut off.zip": (zipped(("ex1_atomic.py", SOURCE * 100))[:-30], "damaged"),
    "climbing.zip": (zipped(("../../ex1_atomic.py", SOURCE)), "outside"),
    "absolute.zip": (zipped(("/tmp/ex1_atomic.py", SOURCE)), "outside"),
    "of windows.zip": (zipped(("C:\\ex1_atomic.py", SOURCE)), "outside"),
    "backslashes.zip": (zipped(("..\\..\\ex1_atomic.py", SOURCE)), "outside"),
    "link.zip": (zipped((link_in_zip(), b"/etc/passwd")), "link"),
    "encrypted.zip": (encrypted(), "encrypted"),
    "strange compression.zip": (strange_compression(), "NotImplementedError"),
    "bomb.zip": (zipped(("ex1_atomic.py", bytes(100 << 20))), "bomb"),
    "many entries.zip": (zipped(*((f"{n}.txt", b"") for n in range(5001))), "5000 entries"),
    "damaged content.zip": (damaged_content(), "damaged"),
    "not a tar.tar.gz": (b"hello", "damaged"),
    "not compressed.tar.gz": (gzip.compress(b"hello" * 200), "damaged"),
    "cut off.tar.gz": (tarred(("ex1_atomic.py", os.urandom(20000)))[:-9000], "damaged"),
    "climbing.tar.gz": (tarred(("a/../../ex1_atomic.py", SOURCE)), "outside"),
    "absolute.tgz": (tarred(("/ex1_atomic.py", SOURCE)), "outside"),
    "symbolic link.tar.gz": (tarred((of_kind(tarfile.SYMTYPE), b"")), "link"),
    "hard link.tar.gz": (tarred((of_kind(tarfile.LNKTYPE), b"")), "link"),
    "bomb.tar.gz": (tarred(("big.bin", bytes(250 << 20))), "200 MB"),
    "many entries.tar": (tarred(*((f"{n}.txt", b"") for n in range(5001)), mode="w:"), "5000 entries"),
    "bomb.tar.bz2": (bz2.compress(tarred(("big.bin", bytes(250 << 20)), mode="w:")), "200 MB"),
    "much source.zip": (zipped(*((f"ex1_atomic{n}.py", os.urandom(1 << 16)) for n in range(170))), "10 MB"),
    "negative.tar": (tarred(("ex1_atomic.py", SOURCE), mode="w:").replace(b"00000000023", b"-0000000023"), ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_an_outcome_of_its_student(tmp_path: Path, name: str) -> None:
    content, why = BAD[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "honest.zip").write_bytes(zipped(("ex1_atomic.py", SOURCE)))
    students = read(tmp_path)
    bad = students[stem(name)]
    if why:
        assert len(bad.unread) == 1 and why in bad.unread[0].sentence, bad.unread
        assert bad.unread[0].sentence.startswith("unreadable: ")
    assert bad.counted("ex1_atomic") is None
    honest = students["honest"].counted("ex1_atomic")
    assert honest is not None and honest.content == SOURCE


def test_devices_and_links_in_an_archive_or_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "fifo.tar").write_bytes(tarred((of_kind(tarfile.FIFOTYPE), b""), mode="w:"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ex1_atomic.py").symlink_to("/etc/passwd")
    os.mkfifo(folder / "ex2_cross_entropy.py")
    (tmp_path / "a link").symlink_to(folder)
    students = read(tmp_path)
    assert all(not student.attempts for student in students.values())
    assert "link" in students["a link"].unread[0].sentence


NAMES = [
    "Zoë O'Neill",
    "李 伟",
    "<script>alert(1)</script>",
    "=1+1",
    'a, "b"; c',
    "semi;colon\ttab",
    ".. dots",
    "x" * 200,
    "%s{0}$HOME`id`",
]


@pytest.mark.parametrize("name", [n for n in NAMES if "/" not in n])
@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz", "py"])
def test_names_with_any_characters(tmp_path: Path, name: str, form: str) -> None:
    if form == "folder":
        (tmp_path / name / "deep" / "down").mkdir(parents=True)
        (tmp_path / name / "deep" / "down" / "ex1_atomic.py").write_bytes(SOURCE)
    elif form == "py":
        (tmp_path / f"{name}_ex1_atomic.py").write_bytes(SOURCE)
    else:
        make = zipped if form == "zip" else tarred
        (tmp_path / f"{name}.{form}").write_bytes(make(("work/ex1_atomic.py", SOURCE)))
    ((shown, student),) = read(tmp_path).items()
    assert student.counted("ex1_atomic") is not None
    assert shown.isprintable() and shown.startswith(name.split("\t")[0][:20].strip())


def test_names_that_are_not_unicode_stay_apart(tmp_path: Path) -> None:
    for raw in (b"\xff", b"\xfe", b"a\x01", b"a\x02"):
        folder = os.path.join(os.fsencode(tmp_path), raw)
        os.mkdir(folder)
    assert len(read(tmp_path)) == 4


@pytest.mark.parametrize(
    "entry, name",
    [
        ("alice", "alice"),
        ("alice_attempt_2", "alice"),
        ("alice - Attempt 12", "alice"),
        ("alice_2026-11-22-10-30-00", "alice"),
        ("alice_20261122T103000", "alice"),
        ("alice_ex1_atomic", "alice"),
        ("alice_attempt_2_ex1_atomic", "alice"),
        ("marv2", "marv2"),
        ("alice (2)", "alice (2)"),
        ("attempt", "attempt"),
        ("version 3", "version 3"),
        ("smith_12345_ex2_cross_entropy", "smith_12345"),
    ],
)
def test_who_an_entry_belongs_to(entry: str, name: str) -> None:
    assert student_name(entry, OFFERS) == name


def put(folder: Path, path: str, content: bytes, modified: float) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    os.utime(target, (modified, modified))


@pytest.mark.parametrize(
    "paths, counts",
    [
        (["alice/ex1_atomic.py"], 0),
        (["alice_attempt_1/ex1_atomic.py", "alice_attempt_2/ex1_atomic.py", "alice_attempt_10/ex1_atomic.py"], 2),
        (["alice_attempt_10/ex1_atomic.py", "alice_attempt_9/ex1_atomic.py"], 0),
        (["alice/attempt 2/ex1_atomic.py", "alice/attempt 1/ex1_atomic.py"], 0),
        (["alice_2026-11-22-10-30-00/ex1_atomic.py", "alice_2026-11-21-23-59-59/ex1_atomic.py"], 0),
        (["alice_attempt_2/ex1_atomic.py", "alice/ex1_atomic.py"], 1),  # not all have a number: the time decides
        (["alice/ex1_atomic.py", "alice/old/ex1_atomic.py", "alice/new/ex1_atomic.py"], 2),
        (["alice/ex1_atomic (1).py", "alice/ex1_atomic.py", "alice/my_ex1_atomic.py"], 2),
    ],
)
def test_the_last_attempt_counts_and_all_are_kept(tmp_path: Path, paths: list[str], counts: int) -> None:
    for number, path in enumerate(paths):
        put(tmp_path, path, f"# {number}".encode(), 1_700_000_000 + number)
    ((name, student),) = read(tmp_path).items()
    assert name == "alice" and len(student.attempts["ex1_atomic"]) == len(paths)
    counted = student.counted("ex1_atomic")
    assert counted is not None and counted.content == f"# {counts}".encode()


def test_files_that_belong_to_no_exercise_are_ignored(tmp_path: Path) -> None:
    for path in (
        "torch.py",
        "conftest.py",
        "notes.txt",
        ".hidden/ex1_atomic.py",
        "__pycache__/ex1_atomic.py",
        "ex1_atomic.pyc",
    ):
        put(tmp_path, f"alice/{path}", SOURCE, 0)
    (tmp_path / "grades.csv").write_text("a,b")
    (tmp_path / ".DS_Store").write_text("")
    students = read(tmp_path)
    assert list(students) == ["alice"] and not students["alice"].attempts


def test_a_single_file_with_another_name_is_known_by_its_functions(tmp_path: Path) -> None:
    (tmp_path / "dave.py").write_bytes(b"def dlogits(x): pass\n")
    (tmp_path / "erin.py").write_bytes(b"def dprobs(x): pass\ndef dh(x): pass\ndef dlogits(x): pass\n")
    (tmp_path / "frank.py").write_bytes(b"print('hello')\n")
    found = {name: list(student.attempts) for name, student in read(tmp_path).items()}
    assert found == {"dave": ["ex2_cross_entropy"], "erin": ["ex1_atomic"], "frank": []}


def test_an_archive_in_a_folder_is_opened_and_spoils_nothing(tmp_path: Path) -> None:
    put(tmp_path, "alice/work.zip", zipped(("ex1_atomic.py", SOURCE)), 0)
    put(tmp_path, "alice/bad.zip", b"PK", 0)
    student = read(tmp_path)["alice"]
    assert student.counted("ex1_atomic") is not None and "bad.zip" in student.unread[0].sentence


def test_a_bomb_spoils_no_archive_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "alice/a.tar.gz", BAD["bomb.tar.gz"][0], 0)
    put(tmp_path, "alice/b.zip", BAD["much source.zip"][0], 0)
    put(tmp_path, "alice/c.zip", zipped(("ex1_atomic.py", SOURCE)), 0)
    put(tmp_path, "alice/d/ex2_cross_entropy.py", SOURCE, 0)
    student = read(tmp_path)["alice"]
    assert len(student.unread) == 2 and set(student.attempts) == {"ex1_atomic", "ex2_cross_entropy"}


def test_why_nothing_was_graded_is_told_by_paths() -> None:
    """What a reason says of an exercise decides nothing; without a path that names it, the first reason is given."""
    link = Line("work.zip", Fate.UNREADABLE, "a link, ex2_cross_entropy.py")
    bad = Line("alice/EX2_cross_entropy (1).ipynb", Fate.UNREADABLE, "this is not a notebook", "ex2_cross_entropy")
    handed = Handed("alice", lines=(link, bad))
    why = str(handed.missing("ex2_cross_entropy"))
    assert why == "unreadable: alice/EX2_cross_entropy (1).ipynb: this is not a notebook"
    assert str(handed.missing("ex1_atomic")) == "unreadable: work.zip: a link, ex2_cross_entropy.py"
    assert str(Handed("bob").missing("ex1_atomic")) == "nothing was handed in for ex1_atomic"


def test_a_long_file_is_read_no_further_than_needed(tmp_path: Path) -> None:
    put(tmp_path, "alice/ex1_atomic.py", b"#" * (1 << 20), 0)
    (tmp_path / "bob.zip").write_bytes(zipped(("ex1_atomic.py", os.urandom(1 << 20))))
    for student in read(tmp_path).values():
        counted = student.counted("ex1_atomic")
        assert counted is not None and len(counted.content) == LONGEST_SOURCE + 1


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
def test_no_damage_to_an_archive_gets_past_the_reader(tmp_path: Path, name: str) -> None:
    whole = zipped(("ex1_atomic.py", SOURCE * 20), ("b/ex2_cross_entropy.py", SOURCE))
    if "tar" in name:
        whole = tarred(("ex1_atomic.py", SOURCE * 20), ("b", SOURCE), mode="w:gz" if "gz" in name else "w:")
    rng = random.Random(0)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / name).write_bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
        (student,) = read(tmp_path).values()
        assert all(unread.sentence.isprintable() for unread in student.unread)
