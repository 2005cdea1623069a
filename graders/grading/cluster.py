"""Many cores and machines, by dask.distributed: batches go out, results come back as they are done, nothing is lost.

A worker that dies has its batches done again elsewhere. A batch that keeps killing workers is taken apart; what then
still fails is done once more with nothing beside it, so that only the submission that does it remains ungraded. A
scheduler that goes away raises Disconnected; what has come back by then is kept by the caller, who may connect again.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

import torch
from distributed import Client, Future, LocalCluster, Worker, WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker

from graders.exercise.kit import Kit
from graders.grading.assess import Supervisor
from graders.grading.results import to_plain
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.task import Limits
from graders.submissions.spool import Work

BATCH = 25
CONNECT_SECONDS = 20
WORKER_SECONDS = 300
PLUGIN = "backprop-ninja"

Batch = list[Work]
Task = Callable[[Batch], list[Any]]


class Disconnected(Exception):
    """The scheduler is gone."""


class Grading(WorkerPlugin):  # type: ignore[misc]
    """Holds a worker's supervisor and its sandbox, from the worker's start to its end."""

    name = PLUGIN

    def __init__(self, kits: Mapping[str, Kit], secret: bytes, limits: Limits, allow_class_c: bool):
        self.kits = {name: replace(kit) for name, kit in kits.items()}  # without what was loaded from it
        self.secret, self.limits, self.allow_class_c = secret, limits, allow_class_c
        self.supervisor: Supervisor | None = None

    def setup(self, worker: Worker) -> None:
        """Raises SandboxError where there is no isolation that other people's code may be graded in."""
        torch.set_num_threads(1)
        sandbox = Sandbox(limits=self.limits).required(self.allow_class_c)
        self.supervisor = Supervisor(self.kits, self.secret, sandbox)

    def teardown(self, worker: Worker) -> None:
        if self.supervisor:
            self.supervisor.sandbox.close()


def assess(batch: Batch) -> list[Any]:
    """Runs in a worker."""
    supervisor: Supervisor = get_worker().plugins[PLUGIN].supervisor
    return [to_plain(supervisor.assess(exercise, source)) for exercise, source in batch]


def _isolation(dask_worker: Worker) -> str:
    report: str = dask_worker.plugins[PLUGIN].supervisor.sandbox.report
    return report


@contextlib.contextmanager
def connected(jobs: int, scheduler: str | None, plugin: Grading) -> Iterator[Client]:
    """A client of a scheduler that runs already, or of one of our own with `jobs` workers on this machine.

    Raises Disconnected if there is no scheduler, SandboxError if a worker has no isolation.
    """
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            cluster = LocalCluster(
                n_workers=jobs, threads_per_worker=1, memory_limit=0, dashboard_address=None, host="127.0.0.1"
            )
            address = stack.enter_context(cluster)
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS))
        except OSError as error:
            raise Disconnected(f"no scheduler at {scheduler}: {error}") from None
        client.register_plugin(plugin)
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise Disconnected(f"no worker at {scheduler} within {WORKER_SECONDS} s") from None
        yield client


def isolation(client: Client) -> str:
    """What the workers' self-tests proved, in one line."""
    return "; ".join(sorted(set(client.run(_isolation).values())))


def spread(
    client: Client, works: Iterator[Work], task: Task = assess, size: int = BATCH, total: int = 0
) -> Iterator[tuple[Work, Any]]:
    """Every work with its result, or None if it killed its workers or the task failed, in the order they are done.

    `works` is drawn from as workers are ready for more; of few, `total`, batches are smaller. Raises Disconnected.
    """
    size = min(size, max(1, total // (4 * max(1, len(client.nthreads()))))) if total else size
    batches = iter(lambda: list(itertools.islice(works, size)), [])
    running: dict[Future, Batch] = {}
    suspects: Batch = []  # or merely assigned to a worker that another one killed
    done = as_completed()

    def send(batch: Batch) -> None:
        future = client.submit(task, batch, pure=False)
        running[future] = batch
        done.add(future)

    def fill() -> None:
        ahead = 2 * max(1, len(client.nthreads()))
        while len(running) < ahead and (batch := next(batches, None)):
            send(batch)

    try:
        fill()
        while running:
            future = next(done)
            batch, results = running.pop(future), _results(future)
            if results is None and len(batch) > 1:
                for work in batch:
                    send([work])
            elif results is None:
                suspects += batch
            else:
                yield from zip(batch, results, strict=True)
            fill()
        for work in suspects:
            yield work, (_results(client.submit(task, [work], pure=False)) or [None])[0]
    except (CancelledError, OSError, TimeoutError) as error:
        raise Disconnected(f"the scheduler is gone: {type(error).__name__}") from None


def _results(future: Future) -> list[Any] | None:
    """What a batch gave; None if it killed its workers, or failed."""
    try:
        results: list[Any] = future.result()
        return results
    except (CancelledError, OSError, TimeoutError):
        raise
    except (KilledWorker, Exception):
        return None
