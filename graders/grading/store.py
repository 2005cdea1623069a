"""Results that outlive whatever happens to the process: one JSON line each, only ever appended.

A line counts once its end is written. A torn last line, as a kill at any byte leaves it, is cut off; the last
result of a key wins. What an earlier release wrote stays and is not used. Two runs cannot write to one store at a time.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Self

from graders.grading.keys import FORMAT
from graders.grading.results import Assessment, Key, from_plain, to_plain
from graders.submissions.spool import Piece

SYNC_SECONDS = 0.5  # what a power failure, unlike a kill, may cost


class StoreError(Exception):
    """A store that cannot be used; the message says why."""


def line_of(result: Assessment) -> bytes:
    return json.dumps({"format": FORMAT, **to_plain(result)}).encode() + b"\n"


def result_in(line: bytes) -> Assessment | Piece | None:
    """The result in a line of a store; of one of an earlier format only what it was of. None for a damaged line.

    Raises StoreError for one of a later format.
    """
    try:
        plain = json.loads(line)
        number = plain.pop("format", 0)
        if number > FORMAT:
            raise StoreError("the results are of a later release: update backprop-ninja, or name another folder.")
        return from_plain(plain) if number == FORMAT else (str(plain["exercise"]), str(plain["key"][0]))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError):
        return None


class Store:
    """A context manager: look up with known(), add with put(). In memory it holds only where each result lies.

    Raises OSError, with the file named in it, where it cannot be read or written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[Key, tuple[int, int, bool]] = {}
        self.earlier: set[Piece] = set()  # of which there are results of an earlier format
        self.damaged = 0
        self._synced = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> Self:
        """Raises StoreError if another run is writing to it, or a later release has written to it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StoreError(f"{self.path} is in use: another run is grading into this folder.") from None
        try:
            self._load()
        except (StoreError, OSError):
            os.close(self._file)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            self._sync()
        finally:
            os.close(self._file)

    def _load(self) -> None:
        complete = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                result = result_in(line)
                if isinstance(result, Assessment):
                    self._keep(result, complete, len(line))
                elif result:
                    self.earlier.add(result)
                else:
                    self.damaged += 1
                complete += len(line)
        os.ftruncate(self._file, complete)

    def _keep(self, result: Assessment, start: int, length: int) -> None:
        self._places[result.key] = start, length, result.final

    def __len__(self) -> int:
        return len(self._places)

    def known(self, key: Key) -> Assessment | None:
        """The last result of a key, also one in which the grader failed."""
        if key not in self._places:
            return None
        start, length, _ = self._places[key]
        found = result_in(os.pread(self._file, length, start))
        return found if isinstance(found, Assessment) else None

    def settled(self, key: Key) -> bool:
        """False where there is no result yet, or only one in which the grader failed."""
        return key in self._places and self._places[key][2]

    def put(self, result: Assessment) -> None:
        """Append a result. Raises OSError (a full disk), after which what was written before is still whole."""
        line = line_of(result)
        data, start = memoryview(line), os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            os.ftruncate(self._file, start)
            error.filename = str(self.path)
            raise
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()
        self._keep(result, start, len(line))

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:
            error.filename = str(self.path)
            raise
        self._synced = time.monotonic()
