"""The student's module in a fork: what ends the fork costs one item, and the check goes on.

One fork a module, and a new one after a death or where a function changed its process.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from graders.outcome import Outcome
from graders.student import spare
from graders.student.answer import Answer, Function
from graders.student.forks import Fork, fork_here, is_quiet
from graders.student.inside import Asked, Done, Load, Trained, Values, serve
from graders.student.module import DEFAULT_LIMIT, Student, lines_in, parsed
from graders.student.question import Question
from graders.student.talk import Ended, Talk
from graders.words import Reason

Cases = dict[int, Mapping[str, Any]]  # the values of each case, by a number


def start(cases: Cases) -> Fork:
    """A fork of this process where that is safe, else of a spare one."""
    return fork_here(serve, cases) if is_quiet() else spare.fork()


@dataclass(eq=False)
class Forked:
    """A student's module as a respondent, asked in a fork.

    `load` makes the student's module there, `start` forks. A function that ended its fork is not asked again: the
    same answer stands for the rest.
    """

    path: Path
    limit: float = DEFAULT_LIMIT
    release: str = ""  # that a stub should be of
    load: Callable[[Callable[[], object]], Student] | None = None
    start: Callable[[Cases], Fork] = start
    stopped: dict[str, Answer] = field(default_factory=dict)  # functions that ended their fork, and how
    _talk: Talk | None = None
    _clean: bool = True  # no function has run in this fork yet
    _loads: int = 0
    _fault: Answer | None = None
    _read_as: Reason | None = None
    _cases: Cases = field(default_factory=dict)  # by id; kept, so that ids are unique

    def __post_init__(self) -> None:
        self._text, tree = parsed(self.path)
        self._lines = lines_in(tree.body)

    @property
    def student(self) -> Student:
        """The module as far as it is known here: without its functions."""
        if not self._loads:
            self._begin()
        return Student(self.path, self._text, {}, self._lines, self._fault, self._read_as)

    def line_of(self, function: str) -> int:
        return self._lines.get(function, 0)

    def answers(self, questions: Sequence[Question]) -> list[tuple[Answer, ...]]:
        self._cases |= {id(question.values): question.values for question in questions}
        found: list[tuple[Answer, ...]] = []
        for function, group in groupby(questions, key=lambda question: question.function):
            asked = list(group)
            got, ended = self._replies(function, Asked(asked, [id(question.values) for question in asked]))
            found += got
            if ended:
                found += [(ended,) * len(question.targets) for question in asked[len(got) :]]
        return found

    def trained(self, function: str, program: Callable[[Function], Any]) -> Any:
        """What a program returns that is run with one function, or the answer that tells what became of it.

        It is sent there, so it is made of what can be pickled.
        """
        got, ended = self._replies(function, Trained(function, program))
        return ended or got[0]

    def close(self) -> list[str]:
        if self._talk:
            self._talk.end()
        self._talk = None
        return [name for name, answer in self.stopped.items() if answer.outcome is Outcome.TIME_OUT]

    def _replies(self, function: str, order: Asked | Trained) -> tuple[list[Any], Answer | None]:
        """The replies, and what ended the fork before they were all said. Prints what was printed there.

        A fork in which other functions ran may have died of what one of them left behind: then a new one is asked.
        """
        fault = self.student.fault or self.stopped.get(function)
        if fault:
            return [], fault
        was_clean, got = self._clean or not self._talk, list[Any]()
        try:
            for reply in self._order(order):
                got.append(reply)
        except Ended as ended:
            talk, self._talk = self._talk, None
            if not was_clean and ended.answer.outcome in (Outcome.CRASH, Outcome.MEMORY):
                return self._replies(function, order)
            if talk:
                talk.show()
            self.stopped[function] = ended.answer
            return got, ended.answer
        except BaseException:
            self.close()
            raise
        return got, None

    def _order(self, order: Asked | Trained) -> Iterator[Any]:
        talk = self._talk or self._begin()
        if not talk:
            raise Ended(self._fault or Answer(Outcome.CRASH))
        self._clean = False
        if isinstance(order, Asked):
            for number in dict.fromkeys(order.cases):
                if number not in talk.fork.values:
                    talk.fork.values[number] = self._cases[number]
                    talk.send(Values(number, self._cases[number]))
            order = Asked([dataclasses.replace(q, values={}) for q in order.questions], order.cases)
        for reply in talk.order(order):
            if not isinstance(reply, Done):
                yield reply
            elif reply.changed:
                self._talk = None
        talk.show()
        if not self._talk:
            talk.end()

    def _begin(self) -> Talk | None:
        """Fork, and load the module. None if it does not load; then `_fault` says why."""
        talk = Talk(self.start(self._cases), self.path, self.limit)
        self._clean, self._fault = True, None
        try:
            (loaded, _) = talk.order(self.load or Load(self.path, self.release))
            self._fault, self._read_as = loaded.fault, loaded.read_as
        except Ended as ended:
            self._fault = ended.answer
        except BaseException:
            talk.end()
            raise
        if not self._loads:  # it prints the same each time
            talk.show()
        self._loads += 1
        if self._fault:
            talk.end()
            return None
        self._talk = talk
        return talk
