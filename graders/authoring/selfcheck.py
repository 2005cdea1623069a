"""The kit checks itself: references, stubs, known wrong answers, mutants and right alternatives, over all exercises."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from graders.authoring import figures
from graders.authoring import library as known
from graders.authoring.catalogue import Equivalent, Example, equivalents, examples
from graders.authoring.figures import Tally
from graders.authoring.review import reviewed
from graders.diagnosis import laws
from graders.diagnosis.diagnose import diagnose
from graders.exercise.cases import PUBLIC_SEED
from graders.exercise.kit import Fingerprints, Kit
from graders.exercise.module import Exercise, Gradient, references
from graders.exercise.stub import stub
from graders.oracle import compare
from graders.oracle.gradient import Oracle, Oracles
from graders.oracle.trial import Trial
from graders.outcome import Outcome
from graders.student.answer import Function
from graders.student.module import InProcess, load_student
from graders.verdict.chained import Chained
from graders.verdict.grader import Cases
from graders.verdict.result import Result

SINGLE = 1e-3  # a reference in float32 against autograd in float32, relative to the largest entry


def main(reference: Path, seeds: int) -> int:
    """Check every exercise below `reference`; prints a table and a line of figures. 0 if nothing is amiss."""
    console = Console(emoji=False)
    paths = references(reference)
    tallies = [check(path, seeds) for path in track(paths, "selfcheck", console=console, transient=True)]
    console.print(figures.table(tallies))
    for fault in (f for t in tallies for f in t.faults):
        console.print(fault, soft_wrap=True, markup=False, highlight=False)
    console.print(figures.claims(tallies, seeds), soft_wrap=True, highlight=False)
    return 1 if any(t.faults for t in tallies) or not tallies else 0


def check(path: Path, seeds: int) -> Tally:
    """All checks of one exercise, over `seeds` seeds for the right answers. Raises ExerciseError."""
    exercise = reviewed(path)
    tally = Tally(exercise.identity, len(exercise.gradients))
    library = known.library(exercise)
    wrong, right = examples(exercise, "wrong"), examples(exercise, "right")
    _check_stub(exercise, tally)
    _check_wrong(exercise, wrong, library, tally)
    _check_mutants(exercise, tally)
    _check_laws(exercise, tally)
    for seed in range(PUBLIC_SEED, PUBLIC_SEED + seeds):
        _check_right(exercise, right, seed, tally)
    tally.right = len(right) + len(exercise.gradients)
    return tally


def _check_stub(exercise: Exercise, tally: Tally) -> None:
    """Every function of the released stub is 'not attempted', every reference is exact or approximate."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / exercise.path.name
        path.write_text(stub(exercise), encoding="utf-8")
        for result in _checked(exercise, path):
            if result.outcome is not Outcome.NOT_ATTEMPTED:
                tally.faults.append(f"{path.name}: the stub's {result.item} is {result.outcome.value}")
    for result in _checked(exercise, exercise.path):
        if result.outcome not in (Outcome.EXACT, Outcome.APPROXIMATE):
            at = f"{exercise.path}:{exercise.gradient(result.item).line}"
            fault = f"{at}: the reference's {result.item} is {result.outcome.value}: {result.message}"
            tally.faults.append("\n  ".join([fault, *result.frames]))


def _checked(exercise: Exercise, path: Path) -> list[Result]:
    """A module as a student's check sees it, without known wrong answers and with strict shapes."""
    kit = Kit(path, exercise.text, "", "")
    return Chained(exercise, InProcess(load_student(path)), Cases.at_home(exercise, kit), strict=True).results()


def _check_wrong(exercise: Exercise, wrong: Sequence[Example], library: Fingerprints, tally: Tally) -> None:
    """Every catalogued wrong answer fails, named as its author expects: from the graph, and with fingerprints."""
    oracles = Oracles(exercise).all
    together: dict[int, list[Example]] = {}
    for example in wrong:
        together.setdefault(example.line, []).append(example)
    for several in together.values():
        _check_one_wrong(exercise, several, oracles, library, tally)


def _check_one_wrong(
    exercise: Exercise, several: Sequence[Example], oracles: Sequence[Oracle], library: Fingerprints, tally: Tally
) -> None:
    """One wrong function: of the gradients that it returns, some must fail, and one is named as expected."""
    example, causes = several[0], set(several[0].causes)
    where = f"{exercise.path.parent / 'wrong' / exercise.path.name}:{example.line}: {example.slug}"
    tally.wrong += 1
    failing = _failing(exercise, several, oracles)
    if not failing:
        tally.faults.append(f"{where} is accepted")
        return
    if next(iter(failing.values()))[0].problem:  # it raises at the lecture's sizes: the student reads the exception
        tally.named += "error" in causes
        tally.named_by_graph += "error" in causes
        return
    by_graph = [diagnose(trials) for trials in failing.values()]
    agrees = any({d.cause, *d.ties} & causes for d in by_graph)
    tally.named_by_graph += agrees
    misnamed = [d for d in by_graph if d.cause not in ("unknown", "wrong shape", "broken law")]
    if not agrees and misnamed:
        tally.misnamed += 1
        expected = " | ".join(example.causes)
        tally.faults.append(f"{where}: named '{misnamed[0].cause}' for '{expected}': {misnamed[0].message}")
    by_prints = [diagnose(trials, library.of(name, PUBLIC_SEED)) for name, trials in failing.items()]
    if any({d.cause, *d.ties} & causes for d in by_prints):
        tally.named += 1
    else:
        named = by_prints[0]
        tally.faults.append(f"{where}: not named with fingerprints, but '{named.cause}': {named.message}")


def _failing(exercise: Exercise, several: Sequence[Example], oracles: Sequence[Oracle]) -> dict[str, list[Trial]]:
    """The trials of those gradients that a wrong function does not pass, by name."""
    group = [exercise.gradient(example.gradient) for example in several]
    tried = [known.try_together(several[0].function, group, oracle) for oracle in oracles]
    trials = {gradient.name: [each[at] for each in tried] for at, gradient in enumerate(group)}
    return {name: found for name, found in trials.items() if not all(t.passes for t in found)}


def _check_mutants(exercise: Exercise, tally: Tally) -> None:
    """Every mutant of the reference is caught, or listed with a proof that it is right as well."""
    oracles = Oracles(exercise).all
    proofs = equivalents(exercise)
    used: set[Equivalent] = set()
    for group in exercise.by_function.values():
        gradient = group[0]
        for mutant in known.mutants_of(exercise, gradient, oracles[1], ()):
            tally.mutants += 1
            if not _survives(mutant.function, group, oracles):
                continue
            proof = next((p for p in proofs if p.covers(gradient.function, mutant)), None)
            if proof:
                used.add(proof)
                tally.equivalent += 1
            else:
                tally.survivors += 1
                survivor = f"{mutant.message}\n{mutant.source}"
                tally.faults.append(f"{exercise.path}:{gradient.line}: a mutant survives: {survivor}")
    for proof in set(proofs) - used:
        fault = f"equivalent mutant of {proof.gradient} is listed but not made: {proof.mutant}"
        tally.faults.append(f"{exercise.identity}: {fault}")


def _check_laws(exercise: Exercise, tally: Tally) -> None:
    """Every law that an author names is one, and the right gradient keeps it."""
    for gradient in exercise.gradients:
        for law in gradient.laws:
            try:
                kept = all(laws.keeps(oracle, gradient.target, law) for oracle in Oracles(exercise).all)
            except (ValueError, KeyError) as error:
                tally.faults.append(f"{exercise.path}:{gradient.line}: {gradient.name}: {error}")
                continue
            if not kept:
                tally.faults.append(f"{exercise.path}:{gradient.line}: {gradient.name} does not keep its law: {law}")


def _survives(function: Function, group: Sequence[Gradient], oracles: Sequence[Oracle]) -> bool:
    """Right in every case, shape included (a shape that differs by ones gets a remark, so it is noticed)."""
    for oracle in [*oracles[1:], oracles[0]]:
        for trial in known.try_together(function, group, oracle):
            if not trial.passes or trial.answer is None or trial.answer.shape != trial.expected.shape:
                return False
    return True


def _check_right(exercise: Exercise, right: Sequence[Example], seed: int, tally: Tally) -> None:
    """References and right alternatives pass, in float64 at every case and in float32 at the lecture's."""
    seeded = Oracles(exercise, seed)
    answers = [(g, g.name, exercise.namespace[g.function]) for g in exercise.gradients]
    single = seeded.lecture
    for gradient, name, function in answers:
        trial = known.try_out(function, exercise, gradient, single)
        scale = single.scale(gradient.target)
        if trial.answer is None or compare.difference(trial.answer, trial.expected.double(), scale) > SINGLE:
            tally.rejections += 1
            tally.faults.append(f"{exercise.path}:{gradient.line}: {name} fails in float32, seed {seed}")
    answers += [(exercise.gradient(e.gradient), f"{e.gradient}__{e.slug}", e.function) for e in right]
    for gradient, name, function in answers:
        for trial in (known.try_out(function, exercise, gradient, oracle) for oracle in seeded.all):
            if trial.passes:
                continue
            tally.rejections += 1
            why = trial.problem.reason if trial.problem else trial.match
            at = f"'{trial.oracle.case.label}', seed {seed}"
            tally.faults.append(f"{exercise.identity}: {name} rejected at {at}: {why}")
