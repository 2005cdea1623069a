"""The time of a submission: processor time, which a busy machine does not use up, and behind it a wall clock."""

import ctypes
import time
from dataclasses import dataclass, field

from graders.student.time_limit import PATIENCE, TICK
from graders.words import Code, Reason, reason

QUIET = 1.5  # times a call's limit on the wall clock, in which it computes nothing
LEAST_QUIET = 3.0  # seconds
SHARE = 0.003  # of the time: a call that gets less than this on a busy machine is one that waits
QUIET_WHOLE = 1.5  # times a submission's limit on the wall clock, once a call of it was found to wait


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
    patience: float = 0.0  # times the limit on the wall clock; PATIENCE where it is 0
    quiet: bool = False  # it waits: for long it computed nothing
    mark: tuple[float, float] | None = None  # when it was last seen to have computed, and what it had used
    due: float = field(init=False)  # no limit can be reached sooner

    def __post_init__(self) -> None:
        self.due = self.since + self.first_look

    @property
    def first_look(self) -> float:
        return self.limit / 2

    @property
    def end(self) -> float:
        return self.since + (self.patience or PATIENCE) * self.limit

    @property
    def longest_quiet(self) -> float:
        """Seconds, from one look on, in which a call may compute nothing."""
        return max(QUIET * self.limit, LEAST_QUIET)

    def look(self, asked: float, spent: float | None) -> None:
        """The child had spent this much at some moment after `asked`. None: the wall clock alone counts."""
        now = time.monotonic()
        if spent is None:
            self.used = now - self.since
        else:
            self.before = min(self.before, spent + max(0.0, self.since - asked))
            self.used = spent - self.before
        self._listen(now)
        self.due = now + max(min(self.limit - self.used, self.longest_quiet / 4), TICK)

    def _listen(self, now: float) -> None:
        """Note whether it computes: a busy machine gives everybody a little, and what sleeps takes nothing."""
        if self.mark is None or self.used - self.mark[1] >= SHARE * (now - self.mark[0]):
            self.mark = now, self.used
        self.quiet = not self.whole and now - self.mark[0] >= self.longest_quiet

    def child_ended(self, spent: float) -> None:
        """What it spent in all counts for the submission, beside what the next child will spend."""
        self.before -= spent
        self.used = max(self.used, -self.before)

    def over(self) -> Reason | None:
        """Which limit was reached; None if none was."""
        if self.used >= self.limit:
            return reason(Code.FILE_TOO_SLOW if self.whole else Code.STILL_RUNNING, seconds=self.limit)
        if self.quiet:
            return reason(Code.STILL_WAITING, seconds=self.first_look + self.longest_quiet)
        if time.monotonic() >= self.end:
            code = Code.FILE_WAITS if self.patience else Code.STILL_WAITING
            return reason(code, seconds=(self.patience or PATIENCE) * self.limit)
        return None
