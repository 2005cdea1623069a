"""The student's module: loaded from its text, and asked in this process."""

from __future__ import annotations

import ast
import contextlib
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from graders.exercise.stub import release_in
from graders.outcome import Outcome
from graders.student.accidents import at_import, attempted, functions_kept, hushed
from graders.student.answer import Answer, Function, ask
from graders.student.guard import Guard
from graders.student.question import Question
from graders.student.reading import remedy
from graders.student.text import LONGEST_SOURCE, Undecodable, text_of
from graders.words import Code, Reason, reason

DEFAULT_LIMIT = 10.0  # seconds of processor time for one call; the slowest loop of the lecture takes 0.01


class Respondent(Protocol):
    """Somebody who answers: a module in this process, a submission in the sandbox."""

    def answers(self, questions: Sequence[Question]) -> list[tuple[Answer, ...]]:
        """For each question an answer a gradient. Questions to one function stand together."""
        ...

    def line_of(self, function: str) -> int:
        """Where the function is defined; 0 where that is not known."""
        ...


class AtHome(Respondent, Protocol):
    """A student's own module, on the student's own machine: nothing of it has to be hidden."""

    @property
    def student(self) -> Student: ...

    def trained(self, function: str, program: Callable[[Function], Any]) -> Any:
        """What a program returns that is run with one function, or the answer that tells what became of it."""
        ...

    def close(self) -> list[str]:
        """Let go of what was needed to answer; the functions that ran out of time elsewhere than in this process."""
        ...


@dataclass(frozen=True)
class Student:
    """A student's module: its functions, or the answer that it gives to everything since it does not load."""

    path: Path
    text: str
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    fault: Answer | None = None
    read_as: Reason | None = None  # the remark on an encoding that is not plain UTF-8
    rules: Guard | None = None  # those of the file; a notebook's functions come without
    refused: Mapping[str, Answer] = field(default_factory=dict)  # functions that may not be asked, see live.py


def load_student(
    path: Path,
    limit: float | None = DEFAULT_LIMIT,
    put_back: Callable[[], object] = lambda: None,
    release: str = "",
) -> Student:
    """Read and run a student's module. Nothing it does at import raises here: see Student.fault.

    `put_back` runs right after it, before any other code of ours. A stub that says another `release` is not run.
    """
    rules = Guard(path)
    try:
        text, read_as = source_of(path)
        program = rules.program(text)
    except OSError as error:
        return Student(path, "", fault=Answer(Outcome.ERROR, reason=reason(Code.CANNOT_READ, text=str(error))))
    except Undecodable as error:
        return Student(path, "", fault=Answer(Outcome.ERROR, reason=error.why))
    except (SyntaxError, ValueError, RecursionError) as error:
        return Student(path, "", fault=unreadable(error))
    own = release_in(text)
    if release and own not in ("", release):
        why = reason(Code.OTHER_RELEASE, release=own, present=release)
        return Student(path, text, fault=Answer(Outcome.ERROR, reason=why))
    lines = lines_in(statement for statement, _ in program)
    module = types.ModuleType(f"exercise_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up by name

    def run() -> None:
        try:
            rules.run(program, vars(module))
        finally:
            put_back()

    with functions_kept():
        ended = attempted(run, path, limit)
    functions = {name: value for name, value in vars(module).items() if callable(value)}
    fault = at_import(ended, path) if isinstance(ended, Answer) else None
    return Student(path, text, functions, lines, fault, read_as, rules)


def source_of(path: Path) -> tuple[str, Reason | None]:
    """The text of a student's file and the remark on its encoding. Raises OSError, Undecodable."""
    data = path.read_bytes()
    if len(data) > LONGEST_SOURCE:
        raise Undecodable(reason(Code.TOO_LONG, kilobytes=LONGEST_SOURCE // 1024))
    text = text_of(data)
    return text.text, text.remark


def parsed(path: Path) -> tuple[str, ast.Module]:
    """The text of a module and its tree; both empty where it cannot be read."""
    try:
        text, _ = source_of(path)
        return text, ast.parse(text, str(path))
    except (OSError, Undecodable, ValueError, SyntaxError, RecursionError):
        return "", ast.Module([], [])


def lines_in(statements: Iterable[ast.stmt]) -> dict[str, int]:
    """The line of each function among a module's statements."""
    return {node.name: node.lineno for node in statements if isinstance(node, ast.FunctionDef)}


def unreadable(error: SyntaxError | ValueError | RecursionError) -> Answer:
    """The answer of a text that is no Python."""
    number = getattr(error, "lineno", None) or 0
    shown = (f"line {number}: {(getattr(error, 'text', None) or '').strip()}",) if number else ()
    if isinstance(error, SyntaxError):
        why = reason(Code.SYNTAX, words=error.msg, remedy=remedy(error.msg))
        return Answer(Outcome.ERROR, reason=why, line=number, frames=shown)
    text, kind = f"{type(error).__name__}: {error}", type(error).__name__
    return Answer(Outcome.ERROR, reason=reason(Code.RAISED, text=text, kind=kind), line=number, frames=shown)


@dataclass
class InProcess:
    """A student's module as a respondent, asked in this process, so that a debugger can follow.

    A function is heard at its first question only: prints of further ones would repeat it. Once none of its answers
    holds a tensor, or it was stopped, it is not asked again: the same answer stands for the rest.
    """

    student: Student
    limit: float | None = DEFAULT_LIMIT
    waited_for: dict[int, Function] = field(default_factory=dict)  # by id, what ran out of time, over several checks
    patient_with: str = ""  # the function that is asked although it ran out of time before

    def answers(self, questions: Sequence[Question]) -> list[tuple[Answer, ...]]:
        return list(self.each(questions))

    def each(self, questions: Sequence[Question]) -> Iterator[tuple[Answer, ...]]:
        """The answers, each as it comes."""
        for _, group in groupby(questions, key=lambda question: question.function):
            last: tuple[Answer, ...] = ()
            for question in group:
                if not last or (any(a.tensor is not None for a in last) and not any(a.outcome.stopped for a in last)):
                    with hushed() if last else contextlib.nullcontext():
                        last = self._answer(question)
                yield last

    def _answer(self, question: Question) -> tuple[Answer, ...]:
        count = len(question.targets)
        if self.student.fault:
            return (self.student.fault,) * count
        function = self.student.functions.get(question.function)
        if function is None:
            return (self._missing(question),) * count
        if question.function in self.student.refused:
            return (self.student.refused[question.function],) * count
        if id(function) in self.waited_for and question.function != self.patient_with:
            return (Answer(Outcome.TIME_OUT, reason=reason(Code.STILL_RUNNING, seconds=self.limit)),) * count
        answers = ask(function, question, self.attempt)
        if answers[0].outcome is Outcome.TIME_OUT:
            self.waited_for[id(function)] = function
        return answers

    def _missing(self, question: Question) -> Answer:
        file = self.student.path.name
        why = reason(Code.MISSING, function=question.function, parameters=", ".join(question.parameters), file=file)
        return Answer(Outcome.ERROR, reason=why)

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Run something of the student's: what it returns, or the answer that tells what became of it."""
        rules = self.student.rules or Guard(self.student.path)
        return rules.judged(lambda: attempted(action, self.student.path, self.limit))

    def trained(self, function: str, program: Callable[[Function], Any]) -> Any:
        """What a program returns that is run with one function, or the answer that tells what became of it."""
        with hushed():
            return self.attempt(lambda: program(self.student.functions[function]))

    def line_of(self, function: str) -> int:
        return self.student.lines.get(function, 0)

    def close(self) -> list[str]:
        return []
