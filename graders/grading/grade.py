"""Grade a class: `grade(folder, out)` marks what is not marked yet, then writes what people read.

Results are appended to OUT/results.jsonl as they come. Whatever ends a run, the next one goes on where it stopped.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from graders.exercise.kit import Kit, kits_in
from graders.grading import local as threads
from graders.grading.assess import Supervisor, failed
from graders.grading.store import Store
from graders.report import publish
from graders.report.scores import Report
from graders.sandbox.outcome import Assessment, from_plain
from graders.sandbox.sandbox import Limits
from graders.submissions.roster import Chosen, Roster, Waiting

SHORTEST_SECRET = 16
RECONNECTIONS = 5
Told = Callable[[int, int], None]  # how many are done, of how many


class GradingError(Exception):
    """Grading cannot begin or go on; the message says what to do."""


def grade(
    folder: Path,
    out: Path,
    jobs: int = 1,
    scheduler: str | None = None,
    only_student: str | None = None,
    only_exercise: str | None = None,
    exercises: Path | Sequence[Kit] = Path("exercises"),
    secret: Path | None = None,
    allow_class_c: bool = False,
    limits: Limits = Limits(),  # noqa: B008  frozen
    told: Told = lambda done, total: None,
) -> Report:
    """Grade the submissions in `folder` into `out` and say how it went.

    Raises GradingError or KitError for what the instructor has to mend, SandboxError if there is no isolation good
    enough, StoreError if another run writes to `out`. What a submission does raises nothing.
    """
    torch.set_num_threads(1)
    kits = {kit.exercise.name: kit for kit in (kits_in(exercises) if isinstance(exercises, Path) else exercises)}
    if out.resolve().is_relative_to(folder.resolve()):
        raise GradingError(f"{out} lies in {folder} and would be taken for a student: name a folder beside it")
    out.mkdir(parents=True, exist_ok=True)
    started, key = time.monotonic(), secret_of(out, secret)
    try:
        roster = Roster(folder, kits, key)
    except OSError as error:
        raise GradingError(f"{folder} cannot be read: {error.strerror}") from None
    chosen = _chosen(roster, only_student, only_exercise)
    with Store(out / "results.jsonl") as store:
        ways = _Ways(kits, key, limits, allow_class_c)
        waiting = roster.waiting(store.settled, chosen)
        isolation = ways.work_off(roster, store, waiting, jobs, scheduler, told) if waiting else ""
        seconds = time.monotonic() - started
        return publish.publish(roster, store, out, isolation, len(waiting), seconds)


def secret_of(out: Path, given: Path | None) -> bytes:
    """The instructor's secret: from a file, or made once and kept in OUT. Raises GradingError."""
    path = given or out / "secret.key"
    if given is None and not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise GradingError(f"the secret cannot be read: {error}") from None
    if len(secret) < SHORTEST_SECRET:
        raise GradingError(f"{path} is too short for a secret: at least {SHORTEST_SECRET} bytes")
    return secret


def _chosen(roster: Roster, student: str | None, exercise: str | None) -> Chosen:
    if student is not None and student not in {handed.name for handed in roster.students}:
        raise GradingError(f"no student {student!r} in {roster.folder}")
    if exercise is not None and exercise not in roster.kits:
        raise GradingError(f"no exercise {exercise!r}. There are: {', '.join(roster.kits)}")
    return lambda name, of: student in (None, name) and exercise in (None, of)


class _Ways:
    """In threads of this process or through dask; either way results go to the store as they come."""

    def __init__(self, kits: Mapping[str, Kit], secret: bytes, limits: Limits, allow_class_c: bool):
        self.kits, self.secret, self.limits, self.allow_class_c = kits, secret, limits, allow_class_c

    def work_off(
        self, roster: Roster, store: Store, waiting: Waiting, jobs: int, scheduler: str | None, told: Told
    ) -> str:
        """Grade all that is waiting; the isolation that was reached."""
        done, total = 0, len(waiting)
        told(0, total)

        def keep(result: Assessment) -> None:
            nonlocal done
            store.put(result)
            done += 1
            told(min(done, total), total)

        if jobs > 1 or scheduler is not None:
            return self._through_dask(roster, store, waiting, jobs, scheduler, keep)
        with threads.sandboxes(threads.count_for(total), self.limits, self.allow_class_c) as sandboxes:
            supervisors = [Supervisor(dict(self.kits), self.secret, sandbox) for sandbox in sandboxes]
            for assessment in threads.assessments(roster.works(waiting), supervisors):
                keep(assessment)
            return sandboxes[0].report

    def _through_dask(
        self,
        roster: Roster,
        store: Store,
        waiting: Waiting,
        jobs: int,
        scheduler: str | None,
        keep: Callable[[Assessment], None],
    ) -> str:
        from graders.grading import cluster  # a cluster is an extra that a single machine does without

        plugin = cluster.Grading(self.kits, self.secret, self.limits, self.allow_class_c)
        for again in range(RECONNECTIONS + 1):
            try:
                with cluster.connected(jobs, scheduler, plugin) as client:
                    isolation = cluster.isolation(client)
                    left = {key: whose for key, whose in waiting.items() if not store.settled(key)}
                    done = cluster.spread(client, roster.works(left), total=len(left))
                    for (exercise, source), plain in done:
                        keep(from_plain(plain) if plain else self._lost(roster, exercise, source))
                    return isolation
            except cluster.Disconnected as error:
                if again == RECONNECTIONS:
                    raise GradingError(f"{error}; what was graded is kept, run the command again") from None
                time.sleep(2**again)
        raise AssertionError

    def _lost(self, roster: Roster, exercise: str, source: bytes) -> Assessment:
        items = self.kits[exercise].exercise.items
        marks = failed(items, "the worker died each time that this was graded")
        return Assessment(roster.keys.of(exercise, source), exercise, marks)
