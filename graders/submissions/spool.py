"""Contents that are wanted again later, kept in an unnamed temporary file: memory holds only where each lies."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Self

Work = tuple[str, bytes]  # an exercise's name, a submission's file
Piece = tuple[str, str]  # an exercise's name, the digest of a submission's file


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Spool:
    """A context manager. Equal contents are kept once; what was put in is found by its digest."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        with contextlib.suppress(OSError):  # of a full disk, which put() has told
            self._file.close()

    def put(self, content: bytes) -> str:
        """Keep contents; their digest. Raises OSError (a full disk)."""
        found_by = digest(content)
        if found_by not in self._places:
            start = self._file.seek(0, os.SEEK_END)
            self._file.write(content)
            self._file.flush()
            self._places[found_by] = start, len(content)
        return found_by

    def works(self, pieces: Iterable[Piece]) -> Iterator[Work]:
        """The contents of some pieces, read as they are asked for."""
        return ((exercise, self.get(file)) for exercise, file in pieces)

    def get(self, found_by: str) -> bytes:
        start, length = self._places[found_by]
        self._file.seek(start)
        return self._file.read(length)
