"""check() in a student's notebook: the checks of `pytest exercises/`, shown where one works.

Right, it returns nothing; wrong, it raises NotRight, whose traceback is one line. Nothing goes to stderr, since
nbgrader gives no points to a cell that wrote there.
"""

import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from graders.exercise.identity import file_safe
from graders.exercise.kit import Kit, KitError, open_kit
from graders.exercise.module import Gradient
from graders.notebook import display
from graders.outcome import Outcome
from graders.student.answer import Answer, Function
from graders.student.carried import carried
from graders.student.forks import can_fork, is_debugged
from graders.student.live import refusal
from graders.student.module import DEFAULT_LIMIT, AtHome, InProcess, Student
from graders.verdict.chained import Chained
from graders.verdict.grader import Cases
from graders.verdict.result import Result
from graders.words import Code, reason


class NotRight(Exception):
    """A gradient that is not right (yet), or a call of check() that cannot be answered."""

    def _render_traceback_(self) -> list[str]:
        return [f"NotRight: {self}"]


_checks: dict[Path, Chained] = {}  # the last one an exercise: it has computed what autograd says
_waited_for: dict[int, Function] = {}  # by id, what ran out of time
_seen: dict[Path, dict[str, tuple[object, str]]] = {}  # what was checked, with the function's code, by target


def check(function: Callable[..., Any], gradient: str = "") -> None:
    """Compare a gradient with autograd's and say why it is wrong, if it is.

    `gradient` names one of several that the function returns: check(backward, "dC").
    """
    namespace = sys._getframe(1).f_globals
    with contextlib.redirect_stderr(sys.stdout):
        problem = _checked(function, gradient, namespace)
    if problem:
        raise NotRight(problem) from None


def _checked(function: Callable[..., Any], name: str, caller: dict[str, Any]) -> str:
    """Show the result; what is to be raised, empty if it is right."""
    if not callable(function) or isinstance(function, type):
        return "check() takes a function of this notebook: check(dcounts)"
    plain = inspect.unwrap(function)
    namespace = plain.__globals__ if isinstance(plain, FunctionType) else caller
    own = name_of(function, namespace)
    try:
        kit = find_kit(namespace)
        item = _item(kit, own, name)
    except KitError as error:
        return str(error)
    student = student_of(function, own, namespace)
    functions = student.functions
    respondent = _respondent(kit, own, student)
    check = _check(kit, respondent)
    result = check.result(item.name)
    seen = _seen.setdefault(kit.path, {})
    seen[item.target] = _code(function), result.outcome.state
    display.show(result, check, {target: state for target, (_, state) in _current(seen, check, functions).items()})
    for stopped in respondent.close():
        _waited_for[id(functions[stopped])] = functions[stopped]
    return "" if result.right else _refusal(result)


def name_of(function: Callable[..., Any], namespace: Mapping[str, Any]) -> str:
    """What the notebook calls a function: a lambda and a partial know no name of their own."""
    own = str(getattr(function, "__name__", ""))
    known = [
        name for name, value in list(namespace.items()) if value is function and name.startswith(("d", "backward"))
    ]
    return own if own in known or not known else known[0]


def _code(function: object) -> object:
    """What stands for a function as it is now."""
    return getattr(inspect.unwrap(function), "__code__", function)  # type: ignore[arg-type]


def _refusal(result: Result) -> str:
    if result.outcome is Outcome.NOT_ATTEMPTED:
        return f"{result.item} is not attempted yet"
    return f"{result.item} is not right yet ({result.outcome.state})"


def find_kit(namespace: dict[str, Any]) -> Kit:
    """The kit of the notebook's exercise: in kit/ beside the notebook, else in a folder exercises/ above it."""
    name = namespace.get("EXERCISE")
    if not isinstance(name, str):
        raise KitError("EXERCISE is not set: run the first code cell of the notebook.")
    here, (unit, _, stem) = Path.cwd(), name.rpartition("/")
    for folder in (here, *here.parents):
        beside = folder / "kit" / f"{file_safe(name)}.json"
        for kit in (beside, *folder.glob(f"exercises/{unit or '*'}/kit/{stem}.json")):
            if kit.is_file():
                return open_kit(kit.parent.parent / f"{kit.stem}.py")
    raise KitError(f"kit/{file_safe(name)}.json is not beside the notebook: download the assignment's whole folder.")


def _item(kit: Kit, function: str, name: str) -> Gradient:
    items = [g for g in kit.exercise.items if g.function == function and name in ("", g.name, g.target)]
    if len(items) == 1:
        return items[0]
    if items:
        names = ", ".join(f'"{g.name}"' for g in items)
        raise KitError(f"{function} returns several gradients: check({function}, NAME), where NAME is one of {names}.")
    known = ", ".join(dict.fromkeys(g.function for g in kit.exercise.items))
    what = f'"{name}" of {function}' if name else function
    raise KitError(f"there is no {what} in {kit.exercise.identity}. There are: {known}.")


def student_of(function: Function, name: str, namespace: Mapping[str, Any]) -> Student:
    """The notebook's functions, with what the rules say of the one that is checked."""
    plain = inspect.unwrap(function)
    path = plain.__code__.co_filename if isinstance(plain, FunctionType) else ""
    functions = {known: value for known, value in list(namespace.items()) if callable(value)}
    refused = refusal(function, namespace)
    return Student(Path(path), "", functions | {name: function}, refused={name: refused} if refused else {})


def _respondent(kit: Kit, name: str, student: Student) -> AtHome:
    """Who answers: a fork of the spare process, which can die, or this one where functions had better stay.

    A function that ran out of time is waited for again only where it is the one that is checked.
    """
    path, functions = student.path, student.functions
    wanted = {item.function for item in kit.exercise.items} & functions.keys()
    order = None if student.refused or not _apart() else carried({known: functions[known] for known in wanted}, path)
    if not order or not _spare_serves():
        return InProcess(student, waited_for=_waited_for, patient_with=name)
    from graders.student import spare
    from graders.student.forked import Forked

    late = Answer(Outcome.TIME_OUT, reason=reason(Code.STILL_RUNNING, seconds=DEFAULT_LIMIT))
    stopped = {known: late for known in wanted - {name} if id(functions[known]) in _waited_for}
    return Forked(path, load=order, start=lambda cases: spare.fork(), stopped=stopped)


def _apart() -> bool:
    """Only in Jupyter, where the spare process has been started ahead of need. Cells may have computed in threads."""
    return display.in_jupyter() and can_fork() and not is_debugged()


def _check(kit: Kit, respondent: AtHome) -> Chained:
    """A check of the functions as they are now; what autograd says is kept from the one before."""
    last = _checks.get(kit.path)
    if last is None or last.cases.kit.stub != kit.stub:
        check = Chained(kit.exercise, respondent, Cases.at_home(kit.exercise, kit))
    else:
        check = Chained(last.exercise, respondent, last.cases)
    _checks[kit.path] = check
    return check


def _current(
    seen: dict[str, tuple[object, str]], check: Chained, functions: Mapping[str, Function]
) -> dict[str, tuple[object, str]]:
    """What was seen of functions that have not been written anew since."""
    known = {g.target: functions[g.function] for g in check.exercise.items if g.function in functions}
    return {target: entry for target, entry in seen.items() if target in known and _code(known[target]) is entry[0]}


def _spare_serves(ahead: bool = False) -> bool:
    """Whether there is a spare process; `ahead` of need it is started, and not waited for."""
    from graders.student import spare  # not everywhere can it be imported

    return bool(spare.started()) if ahead else spare.serves()


if _apart():
    _spare_serves(ahead=True)
