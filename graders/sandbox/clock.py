"""The time of a submission: processor time, which a busy machine does not use up, and behind it a wall clock."""

import ctypes
import time
from dataclasses import dataclass, field

from graders.student.time_limit import PATIENCE, TICK
from graders.words import Code, Reason, reason


def processor_time(pid: int) -> int:
    """What a child of this process has used, in ns, by the kernel's word; -1 where it does not say (macOS)."""
    clock = ctypes.c_int()
    try:
        failed = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
        return -1 if failed else time.clock_gettime_ns(clock.value)
    except (AttributeError, OSError):
        return -1


@dataclass
class Clock:
    """Runs from `since` for one call, or for a whole submission.

    The child may have used processor time before; `before` is the most that this can be. A submission has several
    children, one after the other; what the earlier ones used counts for it, and makes `before` negative.
    """

    limit: float
    since: float
    before: float = 0.0
    whole: bool = False  # of a submission
    used: float = 0.0
    due: float = field(init=False)  # no limit can be reached sooner

    def __post_init__(self) -> None:
        self.due = self.since + self.limit

    @property
    def end(self) -> float:
        return self.since + PATIENCE * self.limit

    def look(self, asked: float, spent: float | None) -> None:
        """The child had spent this much at some moment after `asked`. None: the wall clock alone counts."""
        now = time.monotonic()
        if spent is None:
            self.used = now - self.since
        else:
            self.before = min(self.before, spent + max(0.0, self.since - asked))
            self.used = spent - self.before
        self.due = now + max(self.limit - self.used, TICK)

    def child_ended(self, spent: float) -> None:
        """What it spent in all counts for the submission, beside what the next child will spend."""
        self.before -= spent
        self.used = max(self.used, -self.before)

    def over(self) -> Reason | None:
        """Which limit was reached; None if none was."""
        if self.used >= self.limit:
            return reason(Code.FILE_TOO_SLOW if self.whole else Code.STILL_RUNNING, seconds=self.limit)
        if time.monotonic() >= self.end:
            return reason(Code.STILL_WAITING, seconds=PATIENCE * self.limit)
        return None
