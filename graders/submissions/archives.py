"""Files out of archives that nobody has reason to trust: nothing is ever unpacked to a disk.

Every length is capped before it is believed. A link, a name that points outside, an encrypted or damaged member costs
itself only; a damaged or too large archive is unreadable as a whole. Archives within archives are opened, a few deep.
All this runs in reader.py's process, which bounds time and memory.
"""

import bz2
import datetime
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from graders.student.text import LONGEST_SOURCE
from graders.submissions import kinds
from graders.submissions.found import Budget, Found, Keep, Left, Unreadable, hidden_in, longest, within

LARGEST_ARCHIVE = 20 << 20
HIGHEST_RATIO = 200
DEEPEST = 3  # archives within each other
LONGEST_PART = 255  # bytes of a name between two slashes, as of any file system
LONGEST_HEADER = 1 << 16  # bytes of a tar's own remarks: long names and the like
REMARKS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
FAULTS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error)
MORE_FAULTS = (OSError, ValueError, NotImplementedError, RuntimeError, OverflowError, MemoryError)
DISGUISES = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
)


@dataclass
class Archives:
    """Reads archives. `keep` is called as soon as a file is read: what a notebook shows is never held for several."""

    keep: Keep = lambda found: found
    budget: Budget = field(default_factory=Budget)

    def read(self, path: Path) -> list[Found | Left]:
        """What is in an archive. Raises Unreadable."""
        try:
            if path.stat().st_size > LARGEST_ARCHIVE:
                raise Unreadable(f"larger than {LARGEST_ARCHIVE >> 20} MB")
            with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
                return self._opened(file, path.name, 1)
        except OSError as error:
            raise Unreadable(f"{type(error).__name__}: {error.strerror}") from None

    def _opened(self, file: IO[bytes], name: str, depth: int) -> list[Found | Left]:
        start = file.read(8)
        file.seek(0)
        if disguise := next((words for magic, words in DISGUISES if start.startswith(magic)), ""):
            raise Unreadable(f"{disguise}, whatever its name says: hand in a .zip")
        try:
            return list(self._in_zip(file, depth) if kinds.is_zip(name) else self._in_tar(file, depth))
        except FAULTS as error:
            raise Unreadable(f"damaged ({error})"[:200]) from None
        except MORE_FAULTS as error:
            raise Unreadable(f"{type(error).__name__}: {error}"[:200]) from None

    def _in_zip(self, file: IO[bytes], depth: int) -> Iterator[Found | Left]:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                self.budget.enter()
                path, odd = _inside(entry.filename)
                if not odd and stat.S_ISLNK(entry.external_attr >> 16):
                    odd = "a link, not a file"
                if entry.is_dir():
                    continue
                why = odd or ("encrypted" if entry.flag_bits & 1 else "") or ("a zip bomb" if _is_bomb(entry) else "")
                modified, size = _zip_time(entry), entry.file_size
                try:
                    yield from self._member(path, why, modified, size, depth, lambda: archive.open(entry))
                except FAULTS as error:
                    yield Left(path, f"damaged ({error})"[:200], True)
                except MORE_FAULTS as error:
                    yield Left(path, f"{type(error).__name__}: {error}"[:200], True)

    def _in_tar(self, file: IO[bytes], depth: int) -> Iterator[Found | Left]:
        """Read as a stream, once, forwards: what comes out of the compression is counted on the way."""
        stream = _Counted(_decompressed(file), self.budget)
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            for entry in archive:
                self.budget.enter()
                path, odd = _inside(entry.name)
                if entry.isdir():
                    continue
                why = odd or ("" if entry.isfile() else "a link or a device, not a file")
                modified = float(entry.mtime) if 0 <= entry.mtime < 1 << 33 else 0.0
                yield from self._member(path, why, modified, entry.size, depth, lambda: archive.extractfile(entry))

    def _member(
        self, path: PurePosixPath, why: str, modified: float, size: int, depth: int, opened: Callable[[], Any]
    ) -> Iterator[Found | Left]:
        """What becomes of one member. Raises Unreadable where the budget is spent, and what the archive raises."""
        name = path.name
        if hidden := hidden_in(path):
            yield hidden
        elif why or (ignored := kinds.why_ignored(name)):
            yield Left(path, why or ignored, not kinds.why_ignored(name) or kinds.is_closed(name))
        elif kinds.is_archive(name):
            yield from self._nested(path, size, depth, opened)
        else:
            with opened() as content:
                data = content.read(longest(name) + 1)
            self.budget.take(len(data))
            kept = self.keep(Found(path, modified, data, size))
            self.budget.keep(len(kept.content))
            yield kept

    def _nested(self, path: PurePosixPath, size: int, depth: int, opened: Callable[[], Any]) -> list[Found | Left]:
        if depth == DEEPEST:
            return [Left(path, f"an archive within {DEEPEST} others is not opened", True)]
        with opened() as content:
            data = content.read(LARGEST_ARCHIVE + 1)
        self.budget.take(len(data))
        if len(data) > LARGEST_ARCHIVE:
            return [Left(path, f"larger than {LARGEST_ARCHIVE >> 20} MB", True)]
        try:
            inside = self._opened(io.BytesIO(data), path.name, depth + 1)
        except Unreadable as error:
            return [Left(path, str(error), True)]
        return [within(path, one) for one in inside]


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    allowed = HIGHEST_RATIO * max(entry.compress_size, 1) + LONGEST_SOURCE
    return entry.file_size > allowed and not kinds.why_ignored(entry.filename)


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return datetime.datetime(*entry.date_time, tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return 0.0


class _Header(tarfile.TarInfo):
    """Reads no long remark of a tar: 195 MB of a name would be copied twenty times."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in REMARKS and self.size > LONGEST_HEADER:
            raise Unreadable(f"a name or remark of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


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

    def __init__(self, inner: IO[bytes], budget: Budget):
        self.inner, self.budget = inner, budget

    def read(self, size: int = -1) -> bytes:
        data = self.inner.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self.budget.take(len(data))
        return data


def _inside(name: str) -> tuple[PurePosixPath, str]:
    """The path of a member, and what is wrong with it, "" if nothing is."""
    path = PurePosixPath(name[: 1 << 14].replace("\\", "/").replace("\0", " "))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")) or "\0" in name:
        return PurePosixPath(*path.parts[-1:]), "a path that leads outside"
    if len(name) >= 1 << 14 or any(len(os.fsencode(part)) > LONGEST_PART for part in path.parts):
        short = f"{path.name[:40]}…{name[-40:]}".replace("/", "_")
        return PurePosixPath(short), f"a name longer than {LONGEST_PART} bytes"
    return path, ""
