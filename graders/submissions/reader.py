"""A process of its own in which entries are read: whatever is in one costs a few seconds, and that entry alone.

    with Reader() as reader:
        contents = reader.entry(folder, entry, wanted)

The process is a plain Python without torch. It serves many entries and is replaced after a death. Its memory is bounded
by the kernel, its time by this side. What comes back is JSON and bytes.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Self

from graders.submissions.entries import Contents, Entry, Wanted, shown
from graders.submissions.ledger import Attempt, Fate, Line
from graders.submissions.platforms import Who
from graders.submissions.reading import HEAD, READY

SECONDS = 2.5  # of processor time for one entry, and as much again without parsing what looks untouched
PATIENCE = 3  # behind it stands a wall clock, this many times as long
STEP = 0.25  # seconds between two looks at the clock
START = 120.0  # seconds for a Python to start on a slow disk
LARGEST = 64 << 20  # bytes of one answer
CODE = "import sys; sys.path.append({root!r}); from graders.submissions.reading import serve; serve()"


class ReaderError(Exception):
    """The process that reads submissions does not start."""


class _Ended(Exception):
    """The process died, or had to be stopped; the message says which."""


class Reader:
    """A context manager. The process is started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()

    def entry(self, folder: Path, entry: Entry, wanted: Wanted) -> Contents:
        """What an entry holds. Never raises for what is in it. Raises ReaderError."""
        why = ""
        for careful in (True, False):
            asked = {"folder": str(folder), "entry": vars(entry), "wanted": {**vars(wanted), "careful": careful}}
            try:
                return _contents(*self._ask(asked))
            except _Ended as ended:
                why = str(ended)
        return Contents(lines=[Line(shown(PurePosixPath(entry.name)), Fate.UNREADABLE, why)])

    def explained(self, path: Path) -> Mapping[str, Sequence[Who]]:
        """Whose the folders beside Gradescope's metadata are; none where the file cannot be read."""
        try:
            answer, _ = self._ask({"metadata": str(path)})
        except _Ended:
            return {}
        return {name: [Who(*who) for who in found] for name, found in answer.items()}

    def _ask(self, question: Mapping[str, Any]) -> tuple[Any, bytes]:
        process = self._process or self._start()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            clock = _Clock(process.pid)
            head, content = HEAD.unpack(_read(process.stdout, HEAD.size, clock))
            if head + content > LARGEST:
                raise _Ended("far too much comes out of it")
            answer = json.loads(_read(process.stdout, head, clock))
            data = _read(process.stdout, content, clock)
        except (OSError, _Ended) as error:
            self._end()
            raise _Ended(str(error) if isinstance(error, _Ended) else DIED) from None
        if answer["last"]:
            self._end()
        return answer["answer"], data

    def _start(self) -> subprocess.Popen[bytes]:
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-I", "-c", CODE.format(root=str(root))]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise ReaderError(f"the process that reads submissions does not start: {error.strerror}") from None
        self._process = process
        assert process.stdout
        if not select.select([process.stdout], [], [], START)[0] or os.read(process.stdout.fileno(), 1) != READY:
            self._end()
            raise ReaderError(f"the process that reads submissions does not start: {' '.join(command)}")
        return process

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


DIED = "reading it ended the process that reads: it takes too much memory, or is made to do so"


class _Clock:
    """How long one question may take: processor time, which a busy machine does not use up, and a wall clock."""

    def __init__(self, pid: int):
        self.pid, self.started, self.before = pid, time.monotonic(), _computed(pid)

    def check(self) -> None:
        """Raises _Ended."""
        waited, computed = time.monotonic() - self.started, _computed(self.pid) - self.before
        if computed > SECONDS or waited > PATIENCE * SECONDS:
            raise _Ended(f"reading it takes more than {2 * SECONDS:g} s")


def _computed(pid: int) -> float:
    """Seconds of processor time; 0 where the system does not say (then the wall clock counts)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _read(stream: Any, count: int, clock: _Clock) -> bytes:
    """Exactly so many bytes. Raises _Ended."""
    data = bytearray()
    while len(data) < count:
        if not select.select([stream], [], [], STEP)[0]:
            clock.check()
            continue
        piece = os.read(stream.fileno(), min(count - len(data), 1 << 20))
        if not piece:
            raise _Ended(DIED)
        data += piece
    return bytes(data)


def _contents(answer: Mapping[str, Any], data: bytes) -> Contents:
    attempts, at = [], 0
    for row in answer["attempts"]:
        size = row.pop("size")
        number = row.pop("number")
        row |= {"problems": tuple(row["problems"]), "number": number and tuple(number)}
        attempts.append(Attempt(**row, content=data[at : at + size]))
        at += size
    lines = [Line(path, Fate[fate], why, exercise, count) for path, fate, why, exercise, count in answer["lines"]]
    return Contents(attempts, lines)
