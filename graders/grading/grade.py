"""Grade a class: `grade(folder, out)` marks what is not marked yet.

Results are appended to OUT/results.jsonl as they come. Whatever ends a run, the next one goes on where it stopped.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from graders.exercise.identity import typed
from graders.exercise.kit import Kit, kits_in
from graders.grading import GradingError
from graders.grading import local as threads
from graders.grading.assess import Supervisor, failed
from graders.grading.keys import Keys
from graders.grading.results import Assessment, from_plain
from graders.grading.secret import secret_of
from graders.grading.store import Store
from graders.sandbox.task import Limits
from graders.submissions.reader import ReaderError
from graders.submissions.roster import Chosen, Handed, Roster
from graders.submissions.spool import Piece, Spool, digest
from graders.words import Code, Reason

RECONNECTIONS = 5
Progress = Callable[[int, int], None]  # how many are done, of how many
Keep = Callable[[Assessment], None]


@dataclass(frozen=True)
class Run:
    """A class that is graded: who handed in what, and the store with the results, which is open while this is used.

    `isolation` is what was reached, empty where nothing was to be graded; `again` is how many of what was graded an
    earlier release had graded.
    """

    roster: Roster
    store: Store
    keys: Keys
    isolation: str
    graded: int
    seconds: float
    again: int

    def result(self, handed: Handed, exercise: str) -> Assessment | None:
        """What is known of a student's file for an exercise."""
        file = handed.counted.get(exercise)
        return self.store.known(self.keys.of(exercise, file)) if file else None


@contextlib.contextmanager
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
    progress: Progress = lambda done, total: None,
) -> Iterator[Run]:
    """Grade the submissions in `folder` into `out`; nobody else can, until the context is left.

    Raises GradingError or KitError for what the instructor has to mend, SandboxError if there is no isolation good
    enough, StoreError if another run writes to `out` or a later release has. What a submission does raises nothing.
    """
    torch.set_num_threads(1)
    kits = {kit.exercise.identity: kit for kit in (kits_in(exercises) if isinstance(exercises, Path) else exercises)}
    only_exercise = _chosen(only_exercise, kits)
    roster = _roster(folder, out, kits, only_student)
    out.mkdir(parents=True, exist_ok=True)
    started, key = time.monotonic(), secret_of(out, secret)
    with Store(out / "results.jsonl") as store:
        ways = _Ways(kits, key, Keys(kits, key), limits, allow_class_c, store)

        def wanted(student: str, exercise: str, file: str) -> bool:
            chosen = only_student in (None, student) and only_exercise in (None, exercise)
            return chosen and not ways.settled((exercise, file))

        with Spool() as spool:
            waiting = _read(roster, wanted, spool)
            isolation = ways.work_off(waiting, spool, jobs, scheduler, progress) if waiting else ""
        again = len(store.earlier.intersection(waiting))
        yield Run(roster, store, ways.keys, isolation, len(waiting), time.monotonic() - started, again)


def _roster(folder: Path, out: Path, kits: Mapping[str, Kit], student: str | None) -> Roster:
    if out.resolve().is_relative_to(folder.resolve()):
        raise GradingError(f"{out} lies in {folder} and would be taken for a student: name a folder beside it")
    try:
        roster = Roster(folder, kits)
    except OSError as error:
        raise GradingError(f"{folder} cannot be read: {error.strerror}") from None
    except ReaderError as error:
        raise GradingError(str(error)) from None
    if student is not None and student not in roster.entries:
        raise GradingError(f"no student {student!r} in {folder}")
    return roster


def _chosen(typed_name: str | None, kits: Mapping[str, Kit]) -> str | None:
    """The exercise that somebody typed. Raises GradingError."""
    if typed_name is None:
        return None
    found = typed(typed_name, kits)
    if len(found) == 1:
        return found[0]
    what = f"{typed_name!r} is one of several exercises: say" if found else f"no exercise {typed_name!r}. There are:"
    raise GradingError(f"{what} {', '.join(found or kits)}")


def _read(roster: Roster, chosen: Chosen, spool: Spool) -> list[Piece]:
    try:
        return roster.read(chosen, spool)
    except ReaderError as error:
        raise GradingError(str(error)) from None
    except OSError as error:
        raise GradingError(f"{tempfile.gettempdir()} cannot be written to: {error.strerror}") from None


@dataclass(frozen=True)
class _Ways:
    """In threads of this process or through dask; either way results go to the store as they come."""

    kits: Mapping[str, Kit]
    secret: bytes
    keys: Keys
    limits: Limits
    allow_class_c: bool
    store: Store

    def settled(self, piece: Piece) -> bool:
        return self.store.settled(self.keys.of(*piece))

    def work_off(
        self, waiting: Sequence[Piece], spool: Spool, jobs: int, scheduler: str | None, progress: Progress
    ) -> str:
        """Grade all that is waiting; the isolation that was reached."""
        done, total = 0, len(waiting)
        progress(0, total)

        def keep(result: Assessment) -> None:
            nonlocal done
            self.store.put(result)
            done += 1
            progress(min(done, total), total)

        if jobs > 1 or scheduler is not None:
            return self._through_dask(waiting, spool, jobs, scheduler, keep)
        with threads.sandboxes(threads.count_for(total), self.limits, self.allow_class_c) as sandboxes:
            supervisors = [Supervisor(dict(self.kits), self.secret, sandbox) for sandbox in sandboxes]
            for assessment in threads.assessments(spool.works(waiting), supervisors):
                keep(assessment)
            return sandboxes[0].report

    def _through_dask(
        self, waiting: Sequence[Piece], spool: Spool, jobs: int, scheduler: str | None, keep: Keep
    ) -> str:
        from graders.grading import cluster  # a cluster is an extra that a single machine does without

        plugin = cluster.Grading(self.kits, self.secret, self.limits, self.allow_class_c)
        for again in range(RECONNECTIONS + 1):
            try:
                with cluster.connected(jobs, scheduler, plugin) as client:
                    isolation = cluster.isolation(client)
                    left = [piece for piece in waiting if not self.settled(piece)]
                    done = cluster.spread(client, spool.works(left), total=len(left))
                    for (exercise, source), plain in done:
                        keep(from_plain(plain) if plain else self._lost(exercise, source))
                    return isolation
            except cluster.Disconnected as error:
                if again == RECONNECTIONS:
                    raise GradingError(f"{error}; what was graded is kept, run the command again") from None
                time.sleep(2**again)
        raise AssertionError

    def _lost(self, exercise: str, source: bytes) -> Assessment:
        results = failed(self.kits[exercise].exercise.items, Reason(Code.WORKER_DIED))
        return Assessment(self.keys.of(exercise, digest(source)), exercise, results)
