"""What is found in an entry of the folder of submissions, and how much of it is taken."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from graders.student.text import LONGEST_SOURCE
from graders.submissions import kinds
from graders.submissions import notebook_module as extract

LARGEST_CONTENT = 200 << 20  # bytes that come out, whether they are kept or not
MOST_SOURCE = 10 << 20  # of what is kept: Python files, the modules in notebooks
MOST_ENTRIES = 5000
SYSTEMS = "hidden, or of a system or an environment"


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


@dataclass(frozen=True)
class Left:
    """A file or folder that is not kept, and why; `unread` says that an answer could have been in it."""

    path: PurePosixPath
    why: str
    unread: bool = False
    system: bool = False  # nobody wrote it: git's, macOS's, an environment's


Keep = Callable[[Found], Found]


def longest(name: str) -> int:
    """How many bytes of a file are read, and one more."""
    return extract.LONGEST if kinds.is_notebook(name) else LONGEST_SOURCE


@dataclass
class Budget:
    """What may still come out of one entry of the folder of submissions."""

    entries: int = MOST_ENTRIES
    content: int = LARGEST_CONTENT
    source: int = MOST_SOURCE

    def enter(self) -> None:
        """Raises Unreadable."""
        self.entries -= 1
        if self.entries < 0:
            raise Unreadable(f"more than {MOST_ENTRIES} entries")

    def take(self, count: int) -> None:
        self.content -= count
        if self.content < 0:
            raise Unreadable(f"more than {LARGEST_CONTENT >> 20} MB come out of it")

    def keep(self, count: int) -> None:
        self.source -= count
        if self.source < 0:
            raise Unreadable(f"more than {MOST_SOURCE >> 20} MB of Python files")


def hidden_in(path: PurePosixPath) -> Left | None:
    """What is told of a path that belongs to a system or an environment, once for all that lies in it."""
    part = kinds.hidden(path)
    if not part:
        return None
    return Left(PurePosixPath(*path.parts[: path.parts.index(part) + 1]), SYSTEMS, system=True)


def within(folder: PurePosixPath, one: Found | Left) -> Found | Left:
    """The same, as seen from outside."""
    return replace(one, path=folder / one.path)
