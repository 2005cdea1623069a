"""Python files and notebooks out of archives that nobody has reason to trust: nothing is ever unpacked to a disk.

Every length is capped before it is believed, links and names that point outside make the archive unreadable.
"""

import bz2
import datetime
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from graders.sandbox.task import LONGEST_SOURCE
from graders.submissions import notebook_module as extract

ZIP = (".zip",)
NOTEBOOK = ".ipynb"
SOURCES = (".py", NOTEBOOK)
TAR = (".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz")
LARGEST_ARCHIVE = 20 << 20
LARGEST_CONTENT = 200 << 20  # bytes that come out, whether they are kept or not
HIGHEST_RATIO = 200
MOST_SOURCE = 10 << 20  # of what is kept: Python files, the modules in notebooks
MOST_ENTRIES = 5000
IGNORED = {"__MACOSX", "__pycache__", "site-packages", "node_modules"}


class Unreadable(Exception):
    """An archive that is damaged or dangerous; the message says how."""


@dataclass(frozen=True)
class Found:
    """A file: where it lay, when it was changed last (0 if unknown), its bytes, at most one too many of `size`.

    Of a notebook is kept the module in it, the exercise that it is of, and what there is to tell the student.
    """

    path: PurePosixPath
    modified: float
    content: bytes
    size: int
    exercise: str = ""
    problems: tuple[str, ...] = ()


Keep = Callable[[Found], Found]


def is_archive(name: str) -> bool:
    return name.lower().endswith(ZIP + TAR)


def stem(name: str) -> str:
    """The name without the endings of an archive, a Python file or a notebook."""
    for ending in (*ZIP, *TAR, *SOURCES):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def longest(name: str) -> int:
    """How many bytes of a file are read, and one more."""
    return extract.LONGEST if is_notebook(name) else LONGEST_SOURCE


def read(path: Path, keep: Keep = lambda found: found) -> list[Found]:
    """The Python files and notebooks in an archive, each as `keep` gives it back. Raises Unreadable.

    `keep` is called as soon as a file is read, so that what a notebook shows is never held for several.
    """
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise Unreadable(f"larger than {LARGEST_ARCHIVE >> 20} MB")
        with path.open("rb") as file:
            return list(_within(keep, _in_zip(file) if path.name.lower().endswith(ZIP) else _in_tar(file)))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error) as error:
        raise Unreadable(f"damaged ({error})") from None
    except (OSError, ValueError, NotImplementedError, RuntimeError, OverflowError, MemoryError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}"[:200]) from None


def _within(keep: Keep, found: Iterator[Found]) -> Iterator[Found]:
    left, left_to_read = MOST_SOURCE, LARGEST_CONTENT
    for one in found:
        left_to_read -= len(one.content)
        if left_to_read < 0:
            raise Unreadable(f"more than {LARGEST_CONTENT >> 20} MB come out of it")
        kept = keep(one)
        left -= len(kept.content)
        if left < 0:
            raise Unreadable(f"more than {MOST_SOURCE >> 20} MB of Python files")
        yield kept


def _in_zip(file: IO[bytes]) -> Iterator[Found]:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise Unreadable(f"more than {MOST_ENTRIES} entries")
        for entry in entries:
            path = _inside(entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise Unreadable(f"a link, {path}")
            if entry.is_dir() or not is_source(path):
                continue
            if entry.flag_bits & 1:
                raise Unreadable("encrypted")
            if entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1) + LONGEST_SOURCE:
                raise Unreadable("a zip bomb")
            with archive.open(entry) as content:
                yield Found(path, _zip_time(entry), content.read(longest(path.name) + 1), entry.file_size)


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return datetime.datetime(*entry.date_time, tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return 0.0


def _in_tar(file: IO[bytes]) -> Iterator[Found]:
    """Read as a stream, once, forwards: what comes out of the compression is counted on the way."""
    with tarfile.open(fileobj=_Counted(_decompressed(file)), mode="r|") as archive:
        for number, entry in enumerate(archive):
            if number >= MOST_ENTRIES:
                raise Unreadable(f"more than {MOST_ENTRIES} entries")
            path = _inside(entry.name)
            if entry.issym() or entry.islnk():
                raise Unreadable(f"a link, {path}")
            if entry.isfile() and is_source(path):
                content = archive.extractfile(entry)
                data = content.read(longest(path.name) + 1) if content else b""
                yield Found(path, float(entry.mtime), data, entry.size)


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if start.startswith(b"\xfd7zXZ") else file


class _Counted(io.RawIOBase):
    """Hands on what it reads, up to a limit."""

    def __init__(self, inner: IO[bytes]):
        self.inner, self.left = inner, LARGEST_CONTENT

    def read(self, size: int = -1) -> bytes:
        data = self.inner.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self.left -= len(data)
        if self.left < 0:
            raise Unreadable(f"more than {LARGEST_CONTENT >> 20} MB come out of it")
        return data


def _inside(name: str) -> PurePosixPath:
    """The path of an entry. Raises Unreadable for one that leads out of the archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")) or "\0" in name:
        raise Unreadable("a path that leads outside")
    return path


def is_source(path: PurePosixPath) -> bool:
    """A file that somebody wrote: not a backup of macOS, Jupyter or an editor, not part of an environment."""
    hidden = any(part.startswith(".") or part in IGNORED for part in path.parts)
    return is_source_name(path.name) and not hidden


def is_source_name(name: str) -> bool:
    return name.lower().endswith(SOURCES)


def is_notebook(name: str) -> bool:
    return name.lower().endswith(NOTEBOOK)
