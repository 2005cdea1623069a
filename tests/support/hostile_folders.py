"""Folders and archives that lie in wait for whoever reads them: a table of what to write, and whose it is.

    HOSTILE["a zip bomb"](folder)

writes one into a folder of submissions and returns the names of the students that must be listed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

STUB = b"def dlogits(logprobs, Yb, n):\n    raise NotImplementedError\n"
ANSWER = b"def dlogits(logits, Yb, n):\n    return logits\n"
FILE = "ex2_cross_entropy.py"
BIDI = "\u202egnp.exe"

Hostile = Callable[[Path], set[str]]
HOSTILE: dict[str, Hostile] = {}


def hostile(what: str) -> Callable[[Hostile], Hostile]:
    def keep(make: Hostile) -> Hostile:
        HOSTILE[what] = make
        return make

    return keep


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*entries: tuple[tarfile.TarInfo | str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in entries:
            entry = tarfile.TarInfo(name) if isinstance(name, str) else name
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def member(kind: bytes, name: str = FILE, target: str = "/etc/passwd") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def raw_header(name: bytes, kind: bytes, size: int) -> bytes:
    """A tar's header as no library writes it."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[:100] = name[:100].ljust(100, b"\0")
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def renamed(entry: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return entry.replace(old, new)


FILES: dict[str, tuple[str, bytes]] = {
    "an empty archive": ("mallory.zip", zipped()),
    "an archive of zero bytes": ("mallory.zip", b""),
    "half an archive": ("mallory.zip", zipped((FILE, ANSWER * 100))[:-30]),
    "a path that climbs": ("mallory.zip", zipped(("../../" + FILE, ANSWER))),
    "an absolute path": ("mallory.tar.gz", tarred(("/etc/" + FILE, ANSWER))),
    "a link in a tar": ("mallory.tar.gz", tarred((member(tarfile.SYMTYPE), b""))),
    "a hard link in a tar": ("mallory.tar.gz", tarred((member(tarfile.LNKTYPE), b""))),
    "a device in a tar": ("mallory.tar", tarred((member(tarfile.CHRTYPE), b""), mode="w:")),
    "a pipe in a tar": ("mallory.tar", tarred((member(tarfile.FIFOTYPE), b""), mode="w:")),
    "a link whose name is no text": (
        "mallory.tar",
        raw_header(b"\xff.py", tarfile.SYMTYPE, 0) + raw_header(b"\xfe" + FILE.encode(), b"0", 0) + bytes(1024),
    ),
    "a name of 300,000 characters": (
        "mallory.tar",
        raw_header(b"././@LongLink", tarfile.GNUTYPE_LONGNAME, 300_001)
        + b"_" * 299_998
        + b".py\0".ljust(4 + (-300_002) % 512, b"\0")
        + raw_header(b"x.py", b"0", 0)
        + bytes(1024),
    ),
    "a name of 60,000 underscores": ("mallory.tar.gz", tarred(("_" * 60_000 + ".py", ANSWER))),
    "a name of 60,000 underscores in a zip": ("mallory.zip", zipped(("_" * 60_000 + ".py", ANSWER))),
    "a name of 195 MB": (
        "mallory.tar.gz",
        gzip.compress(raw_header(b"././@LongLink", tarfile.GNUTYPE_LONGNAME, 195 << 20) + bytes(195 << 20), 1),
    ),
    "a remark of 100 MB": (
        "mallory.tar.gz",
        gzip.compress(raw_header(b"pax", tarfile.XHDTYPE, 100 << 20) + b"9" * (100 << 20), 1),
    ),
    "a zip bomb": ("mallory.zip", zipped((FILE, bytes(100 << 20)))),
    "a tar bomb": ("mallory.tar.bz2", bz2.compress(tarred(("big.bin", bytes(250 << 20)), mode="w:"))),
    "a bomb in xz": ("mallory.tar.xz", lzma.compress(bytes(300 << 20), preset=0)),
    "6,000 members": ("mallory.zip", zipped(*((f"{n}.py", b"x") for n in range(6000)))),
    "an archive in an archive": ("mallory.zip", zipped(("work.zip", zipped((FILE, ANSWER))))),
    "archives many deep": ("mallory.zip", b""),  # written below
    "the same member twice": ("mallory.tar", tarred((FILE, STUB), (FILE, ANSWER), mode="w:")),
    "names that differ in capitals": ("mallory.zip", zipped((FILE, ANSWER), (FILE.upper(), ANSWER + b"# 2\n"))),
    "a RAR that is called zip": ("mallory.zip", b"Rar!\x1a\x07\x01\0" + os.urandom(100)),
    "a 7z that is called tar.gz": ("mallory.tar.gz", b"7z\xbc\xaf\x27\x1c" + os.urandom(100)),
    "zstandard": ("mallory.tar.zst", b"\x28\xb5\x2f\xfd" + os.urandom(100)),
    "one file in gzip": ("mallory.gz", gzip.compress(ANSWER)),
    "a rar": ("mallory.rar", b"Rar!\x1a\x07\x01\0"),
    "a document": ("mallory.docx", zipped(("word/document.xml", b"<x/>"))),
    "a pdf": ("mallory.pdf", b"%PDF-1.7"),
    "a text": ("mallory.txt", b"I was ill."),
    "a file of zero bytes": (f"mallory_{FILE}", b""),
    "zeros": (f"mallory_{FILE}", bytes(1000)),
    "NUL in a zip's name": ("mallory.zip", renamed(zipped(("exA.py", ANSWER)), b"exA.py", b"ex\0.py")),
    "control characters in names": (
        "mallory.zip",
        zipped((f"\x1b]0;owned\x07{BIDI}/\x9b31m.txt", b""), (FILE, ANSWER)),
    ),
    "a comprehension that fells the parser": (
        f"mallory_{FILE}",
        ANSWER + b"x = [0 " + b"for a in b " * 5800 + b"]\n",
    ),
    "brackets": (f"mallory_{FILE}", ANSWER + b"x = " + b"(" * 60_000 + b"\n"),
    "nested finally": (
        f"mallory_{FILE}",
        ANSWER
        + "".join(f"{' ' * n}try:\n{' ' * (n + 1)}pass\n{' ' * n}finally:\n" for n in range(24)).encode()
        + b" " * 24
        + b"pass\n",
    ),
    "a notebook of brackets": ("mallory_ex2_cross_entropy.ipynb", b"[" * 900_000),
    "a notebook of numbers": (
        "mallory_ex2_cross_entropy.ipynb",
        json.dumps({"cells": [{"cell_type": "code", "source": ["x"] * 900_000}]}).encode(),
    ),
}
deep = zipped((FILE, ANSWER))
for _ in range(40):
    deep = zipped(("inner.zip", deep))
FILES["archives many deep"] = ("mallory.zip", deep)


def _writer(name: str, content: bytes) -> Hostile:
    def write(folder: Path) -> set[str]:
        (folder / name).write_bytes(content)
        return {"mallory"}

    return write


for what, (name, content) in FILES.items():
    HOSTILE[what] = _writer(name, content)


@hostile("an encrypted zip")
def encrypted(folder: Path) -> set[str]:
    data = bytearray(zipped((FILE, ANSWER)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (folder / "mallory.zip").write_bytes(data)
    return {"mallory"}


@hostile("a link in a zip")
def link_in_zip(folder: Path) -> set[str]:
    entry = zipfile.ZipInfo(FILE)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    (folder / "mallory.zip").write_bytes(zipped((entry, b"/etc/passwd")))
    return {"mallory"}


def mallory(folder: Path) -> Path:
    (folder / "mallory").mkdir()
    return folder / "mallory"


@hostile("an empty folder")
def empty_folder(folder: Path) -> set[str]:
    mallory(folder)
    return {"mallory"}


@hostile("a folder that is called like an exercise")
def like_an_exercise(folder: Path) -> set[str]:
    (mallory(folder) / FILE).mkdir()
    (folder / "ex2_cross_entropy").mkdir()
    return {"mallory", "ex2_cross_entropy"}


@hostile("a notebook that is a folder")
def notebook_folder(folder: Path) -> set[str]:
    (mallory(folder) / "ex2_cross_entropy.ipynb").mkdir()
    return {"mallory"}


@hostile("pipes and loops of links")
def pipes(folder: Path) -> set[str]:
    own = mallory(folder)
    os.mkfifo(own / FILE)
    os.mkfifo(folder / "pipe.zip")
    (own / "loop").symlink_to(own)
    (own / "a.py").symlink_to("a.py")
    (folder / "all").symlink_to(folder)
    return {"mallory", "pipe", "all"}


@hostile("what nobody may open")
def closed(folder: Path) -> set[str]:
    own = mallory(folder)
    (own / FILE).write_bytes(ANSWER)
    (own / FILE).chmod(0)
    (own / "inner").mkdir(mode=0)
    return {"mallory"}


@hostile("20,000 tiny files")
def tiny(folder: Path) -> set[str]:
    own = mallory(folder)
    for number in range(20_000):
        (own / f"{number}.txt").touch()
    return {"mallory"}


@hostile("a sparse file of a terabyte")
def sparse(folder: Path) -> set[str]:
    own = mallory(folder)
    for name in (FILE, "ex2_cross_entropy.ipynb", "work.zip"):
        with (own / name).open("wb") as file:
            file.truncate(1 << 40)
    return {"mallory"}


@hostile("names that end in spaces and dots")
def spaces(folder: Path) -> set[str]:
    (mallory(folder) / f"{FILE} . ").write_bytes(ANSWER)
    return {"mallory"}


@hostile("names that are no text")
def no_text(folder: Path) -> set[str]:
    for raw in (b"\xff", b"a\x01", b"\xe2\x80\xaeb", b"c\n"):
        os.mkdir(os.path.join(os.fsencode(folder), raw))
    return set()


@hostile("names that share a folder of feedback")
def alike(folder: Path) -> set[str]:
    names = {"bo b", "bo_b-bbfd128a", "Bo b", "bo_b", "BO_B", "con", "a" * 100, "a" * 100 + "b"}
    for name in names:
        (folder / name).mkdir()
    return names


@hostile("a deep folder")
def deep_folder(folder: Path) -> set[str]:
    path = mallory(folder)
    for _ in range(150):
        path = path / "d"
    path.mkdir(parents=True)
    (path / FILE).write_bytes(ANSWER)
    return {"mallory"}


@hostile("metadata that lies")
def metadata(folder: Path) -> set[str]:
    own = folder / "assignment_1_export"
    (own / "submission_1").mkdir(parents=True)
    (own / "submission_1" / FILE).write_bytes(ANSWER)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
    )
    (own / "submission_metadata.yml").write_text(bomb)
    return {"submission_1"}
