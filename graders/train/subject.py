"""What is trained: a student's module, or the reference, with the given code as it was released."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.exercise.kit import Kit
from graders.exercise.module import Exercise, load, references
from graders.outcome import Outcome
from graders.student.module import InProcess, Student, load_student
from graders.train import TrainingError
from graders.verdict.grader import Cases, check
from graders.verdict.result import Result

NEEDED = ("initialise", "learning_rate", "calibrate", "evaluate", "sample")


@dataclass(frozen=True)
class Subject:
    """A module that can be trained: its given code, and the function that somebody wrote."""

    kit: Kit
    exercise: Exercise
    student: Student

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in the order of their gradients."""
        return tuple(g.target for g in self.exercise.gradients)

    @property
    def gradients(self) -> Callable[..., Sequence[Any]]:
        return self.student.functions[self.exercise.gradients[0].function]

    @property
    def digest(self) -> str:
        """Names the text that the gradients are computed by."""
        return hashlib.sha256(self.student.text.encode()).hexdigest()

    def given(self, name: str) -> Any:
        """A given function or setting of the module."""
        return self.exercise.namespace[name]

    def fast(self) -> Callable[..., Any]:
        """The class Training of the fast variant that stands beside a reference, in fast/.

        Raises TrainingError where there is none.
        """
        path = self.exercise.path.parent / "fast" / self.exercise.path.name
        if not path.exists():
            raise TrainingError(f"no fast variant: {path} does not exist.")
        namespace: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
        training: Callable[..., Any] = namespace["Training"]
        return training


def student_subject(kits: Sequence[Kit]) -> Subject:
    """The first exercise with a run() among a student's. Raises TrainingError if there is none."""
    for kit in kits:
        if kit.exercise.run:
            return _subject(kit, kit.exercise)
    raise TrainingError("none of these exercises can be trained: exercise 4 is missing, take it from the course kit.")


def reference_subject(folder: Path) -> Subject:
    """The first reference with a run(). Raises TrainingError if there is none."""
    for path in references(folder):
        if "\ndef run(" in path.read_text(encoding="utf-8"):
            exercise = load(path)
            return _subject(Kit(path, exercise.text, "", ""), exercise)
    raise TrainingError(f"{folder} holds no exercise with a run().")


def _subject(kit: Kit, exercise: Exercise) -> Subject:
    missing = [name for name in NEEDED if name not in exercise.namespace]
    if missing:
        raise TrainingError(f"{kit.path} has a run() but no {', '.join(missing)}: training needs all of them.")
    return Subject(kit, exercise, load_student(kit.path, release=kit.release))


def wrong_gradients(subject: Subject) -> list[Result]:
    """Compare the gradients with autograd's before a long training; returns those that are wrong.

    Raises TrainingError where training cannot begin: no function, an exception in it, or a wrong shape.
    """
    respondent = InProcess(subject.student)
    results = check(subject.exercise, respondent, Cases.at_home(subject.exercise, subject.kit))
    path, function = subject.kit.path, subject.exercise.gradients[0].function
    first = results[0]
    if first.outcome is Outcome.NOT_ATTEMPTED:
        raise TrainingError(f"{path}:{first.line}: {function} is not written yet: training needs your gradients.")
    stopping = next((r for r in results if not r.right and r.outcome is not Outcome.WRONG), None)
    if stopping:
        lines = [f"{path}:{stopping.line}: {stopping.item}: {stopping.message}", *(f"  {f}" for f in stopping.frames)]
        raise TrainingError("\n".join([*lines, "Mend this first: pytest shows all of it."]))
    names = {gradient.name for gradient in subject.exercise.gradients}
    return [result for result in results if not result.right and result.item in names]
