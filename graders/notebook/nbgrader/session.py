"""What grading needs, kept for as long as the process lives: nbgrader makes a new preprocessor for every notebook."""

import atexit
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import torch

from graders.exercise.identity import meant
from graders.exercise.kit import Kit, KitError, kits_in
from graders.grading.assess import Supervisor
from graders.grading.keys import Keys
from graders.grading.results import Assessment, Key
from graders.grading.secret import secret_of
from graders.grading.store import result_in
from graders.report.pages import Forward
from graders.sandbox.sandbox import Sandbox
from graders.sandbox.task import Limits
from graders.submissions.spool import digest


@dataclass
class Session:
    """Grades through the sandbox, which is started when it is first needed; results of an earlier run come first."""

    kits: dict[str, Kit]
    results: Path
    secret: bytes
    limits: Limits
    allow_class_c: bool
    _graded: dict[Key, Assessment] = field(default_factory=dict)
    _read: tuple[int, int] = (0, 0)
    _public: dict[str, Forward] = field(default_factory=dict)

    def identity(self, told: str) -> str:
        """The exercise of a notebook, whose ids may lack the unit as in earlier releases. Raises KitError."""
        found = meant(told, self.kits)
        if len(found) != 1:
            raise KitError(f"there is {'no' if not found else 'more than one'} kit of {told} in the course's exercises")
        return found[0]

    def release(self, exercise: str) -> str:
        return self.kits[exercise].release

    def expected(self, exercise: str, gradient: str) -> torch.Tensor:
        """What autograd says of a gradient at the exercise's public case, for pictures."""
        public = self._public.setdefault(exercise, Forward(self.kits[exercise]))
        return public.oracle.expected(self.kits[exercise].exercise.gradient(gradient).target)

    def assess(self, exercise: str, source: bytes) -> Assessment:
        """The marks of one module. Raises SandboxError where there is no isolation good enough, StoreError."""
        known = self._known(self.keys.of(exercise, digest(source)))
        return known or self.supervisor.assess(exercise, source)

    def begin(self) -> None:
        """Read the results of an earlier run; where there are none, start the sandbox. Raises as `assess` does."""
        self._known(Key("", "", ""))
        if not self._graded:
            self.supervisor.sandbox.required(self.allow_class_c)

    @cached_property
    def supervisor(self) -> Supervisor:
        torch.set_num_threads(1)
        sandbox = Sandbox(limits=self.limits).required(self.allow_class_c)
        atexit.register(sandbox.close)
        return Supervisor(self.kits, self.secret, sandbox)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.kits, self.secret)

    def _known(self, key: Key) -> Assessment | None:
        """What `backprop-ninja grade` left in the results; read again when it has written more. Raises StoreError."""
        path = self.results / "results.jsonl"
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        if (status.st_size, status.st_mtime_ns) != self._read:
            with path.open("rb") as file:  # which may be written to at this moment: a torn line is none
                found = [result for result in map(result_in, file) if isinstance(result, Assessment)]
            self._graded = {result.key: result for result in found if result.final}
            self._read = status.st_size, status.st_mtime_ns
        return self._graded.get(key)


@cache
def session(kits: Path, results: Path, secret: Path | None, seconds: float, allow_class_c: bool) -> Session:
    """One a process and configuration. Raises GradingError, KitError."""
    results.mkdir(parents=True, exist_ok=True)
    found = {kit.exercise.identity: kit for kit in kits_in(kits)}
    return Session(found, results, secret_of(results, secret), Limits(seconds), allow_class_c)
