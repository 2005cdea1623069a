"""One machine without a cluster: a few threads of this process, each with a sandbox, so that all cores are used.

A submission runs in its sandbox's processes; what is left here, the oracle and the verdict, is about a third of the
work and shares Python's lock, so more than a few threads gain nothing: that is what `--jobs` is for.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue

from graders.grading.assess import Supervisor
from graders.grading.results import Assessment
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.task import Limits
from graders.submissions.spool import Work

MOST = 4
TURN = 0.001  # seconds
WORTH_A_SANDBOX = 20  # files: starting one takes as long as grading these


def count_for(total: int) -> int:
    """How many sandboxes to start for `total` files."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MOST, total // WORTH_A_SANDBOX))


def assessments(works: Iterator[Work], supervisors: list[Supervisor]) -> Iterator[Assessment]:
    """Every work's assessment, in the order they are done; `works` is drawn from as threads are ready for more."""
    free: SimpleQueue[Supervisor] = SimpleQueue()
    for supervisor in supervisors:
        free.put(supervisor)

    def assess(work: Work) -> Assessment:
        supervisor = free.get()
        try:
            return supervisor.assess(*work)
        finally:
            free.put(supervisor)

    running: set[Future[Assessment]] = set()
    with _quick_turns(), ThreadPoolExecutor(len(supervisors)) as pool, _ended_on_failure(supervisors, pool):
        for work in works:
            if len(running) == 2 * len(supervisors):
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
            running.add(pool.submit(assess, work))
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


@contextlib.contextmanager
def _quick_turns() -> Iterator[None]:
    """A thread that waits 5 ms (Python's default) for its turn to hear a child leaves that child's core idle."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextlib.contextmanager
def _ended_on_failure(supervisors: list[Supervisor], pool: ThreadPoolExecutor) -> Iterator[None]:
    """Whatever ends the loop early (Ctrl-C, a full disk) ends the threads at once, not after a submission's time."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for supervisor in supervisors:
            supervisor.sandbox.end()
        raise


@contextlib.contextmanager
def sandboxes(count: int, limits: Limits, allow_class_c: bool) -> Iterator[list[Sandbox]]:
    """Started side by side, ended together. Raises SandboxError where there is none good enough.

    The threads that start them wait until the end: the kernel kills a sandbox with the thread that it came from.
    """
    with ThreadPoolExecutor(count) as pool, contextlib.ExitStack() as stack:
        started = [pool.submit(Sandbox, limits=limits) for _ in range(count)]
        found = [stack.enter_context(future.result()) for future in started]
        yield [sandbox.required(allow_class_c) for sandbox in found]
