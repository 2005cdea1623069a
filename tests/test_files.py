"""Files are written whole, whatever ends the writing, and what cannot be written is told in a sentence."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graders.files import told, whole, write_whole
from tests.support.stubs import ROOT

WRITER = """
import itertools, sys
from pathlib import Path
from graders.files import whole
print("ready", flush=True)
for number in itertools.count(2):
    with whole(Path(sys.argv[1])) as file:
        for line in range(2000):
            file.write(f"{number} of {line}\\n")
"""


def test_killed_at_any_moment_the_file_is_whole(tmp_path: Path) -> None:
    path, rng = tmp_path / "scores.csv", random.Random(0)
    path.write_text("".join(f"1 of {line}\n" for line in range(2000)))
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.01, 0.2))
        process.kill()
        process.wait()
        rows = [line.split(" of ") for line in path.read_text().splitlines()]
        assert len({number for number, _ in rows}) == 1 and [int(line) for _, line in rows] == list(range(2000))


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_exception_leaves_the_file_as_it_was(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "before")
    with pytest.raises(type(error)) as raised, whole(path) as file:
        file.write("after")
        raise error
    assert path.read_text() == "before" and os.listdir(tmp_path) == ["a.txt"]
    if isinstance(raised.value, OSError):
        assert raised.value.filename == str(tmp_path)


def test_bytes_and_characters_that_are_none(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"\0\xff")
    write_whole(tmp_path / "b", "ä\ud800\r\n")
    assert (tmp_path / "a").read_bytes() == b"\0\xff" and (tmp_path / "b").read_bytes() == "ä?\r\n".encode()


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    cases = [
        ("folder", "a folder stands where"),
        ("none/a", "there is no such file or folder"),
        ("file/a", "a file stands where"),
    ]
    for name, sentence in cases:
        with pytest.raises(OSError) as raised:
            write_whole(tmp_path / name, "x")
        assert told(raised.value).startswith(f"{tmp_path / name}: {sentence}")
    assert (
        told(OSError(28, "No space left on device", "a.csv.partial"))
        == "a.csv: no space is left: make room, then do the same again."
    )
    assert told(OSError(5, "Input/output error")) == "a file: Input/output error."
    assert os.listdir(tmp_path / "folder") == []
