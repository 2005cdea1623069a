"""Results that outlive whatever happens to the process: one JSON line each, only ever appended.

A line counts once its end is written. A torn last line, as a kill at any byte leaves it, is cut off; the last
result of a key wins. Two runs cannot write to one store at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType

from graders.grading.results import Assessment, Key, from_plain, to_plain

SYNC_SECONDS = 0.5  # what a power failure, unlike a kill, may cost


class StoreError(Exception):
    """A store that cannot be used; the message says why."""


def result_in(line: bytes) -> Assessment | None:
    """The result in a line of a store; None for a line that is damaged."""
    try:
        return from_plain(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Store:
    """A context manager: look up with get(), add with put(). In memory it holds only where each result lies."""

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[Key, tuple[int, int, bool]] = {}
        self.damaged = 0
        self._synced = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> Store:
        """Raises StoreError if another run is writing to it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StoreError(f"{self.path} is in use: another run is grading into this folder.") from None
        self._load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def _load(self) -> None:
        complete = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                result = result_in(line)
                if result:
                    self._keep(result, complete, len(line))
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
        return from_plain(json.loads(os.pread(self._file, length, start)))

    def settled(self, key: Key) -> bool:
        """False where there is no result yet, or only one in which the grader failed."""
        return key in self._places and self._places[key][2]

    def put(self, result: Assessment) -> None:
        """Append a result. Raises OSError (a full disk), after which what was written before is still whole."""
        line = json.dumps(to_plain(result)).encode() + b"\n"
        data, start = memoryview(line), os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            os.ftruncate(self._file, start)
            raise
        if time.monotonic() - self._synced > SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()
        self._keep(result, start, len(line))
