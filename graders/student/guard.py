"""What by hand means while a student's functions run: the same at home, in a notebook and in the sandbox.

In a graded call autograd's engine and its forward mode refuse, however they were reached and so do torch's kernels
that are backward formulas themselves. They are told by what they are, never by a name: a class may well have a method
`backward`. Outside of a graded call, in a check of one's own, all of them work. What the text tells is in rules.py.
"""

import __future__

import ast
import contextlib
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

import torch
from torch._functorch import eager_transforms
from torch.overrides import TorchFunctionMode

from graders.outcome import Outcome
from graders.student.answer import Answer
from graders.student.rules import REFUSE, STAND_IN, Fault, Forbidden, bound_by, screen
from graders.words import Code, Reason, reason

DOORS = (  # what all of torch's Python comes into autograd by
    (torch.autograd, "_engine_run_backward"),
    (torch.autograd.graph, "_engine_run_backward"),
    (eager_transforms, "grad_increment_nesting"),
    (eager_transforms, "jvp_increment_nesting"),
)
Program = list[tuple[ast.stmt, CodeType]]


class Refused:
    """Stands where something is not to be had; using it in any way refuses."""

    def __init__(self, refuse: Callable[[], NoReturn]):
        object.__setattr__(self, "_refuse", refuse)

    def __call__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        object.__getattribute__(self, "_refuse")()
        raise AssertionError


for _name in (*dir(int), *dir(list), "__next__", "__enter__", "__exit__", "__matmul__", "__rmatmul__", "__call__"):
    if _name not in ("__class__", "__class_getitem__", "__init__", "__init_subclass__", "__new__", "__subclasshook__"):
        setattr(Refused, _name, Refused.__call__)


class Guard(TorchFunctionMode):
    """The rules for one module at `path`. `why` keeps the first refusal of a graded call, were it caught or not."""

    def __init__(self, path: Path, on: bool = True, screened: bool = True):
        super().__init__()
        self.path, self.on, self.screened = path, on, screened
        self.asked = False  # in a graded call
        self.why: Reason | None = None
        self.line = 0
        self.faults: Sequence[Fault] = ()

    def program(self, text: str) -> Program:
        """The text's statements, ready to run. Raises SyntaxError, ValueError or RecursionError."""
        tree = ast.parse(text, str(self.path))
        compile(tree, str(self.path), "exec")  # what is wrong with the whole is said before a part has run
        if self.screened:
            tree, self.faults = screen(tree)
        futures = [
            a.name for s in tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__" for a in s.names
        ]
        flags = sum({getattr(__future__, name).compiler_flag for name in futures})
        return [
            (statement, compile(ast.Module([statement], []), str(self.path), "exec", flags, dont_inherit=True))
            for statement in tree.body
        ]

    def run(self, program: Program, names: dict[str, Any]) -> None:
        """Run a module; a statement that comes upon a refusal is left out, and stand-ins are what it would bind."""
        names |= {REFUSE: self.refused, STAND_IN: self.stand_in}
        for statement, code in program:
            try:
                exec(code, names)
            except Forbidden as error:
                names |= {name: self._stands_for(error.why, error.line) for name in bound_by(statement)}

    def refused(self, number: int) -> None:
        """What stands in the text for a fault of it. Raises Forbidden in a graded call."""
        if self.asked:
            self.refuse(*self.faults[number])

    def stand_in(self, number: int) -> Refused:
        return self._stands_for(*self.faults[number])

    def _stands_for(self, why: Reason, line: int) -> Refused:
        return Refused(lambda: self.refuse(why, line))

    def refuse(self, why: Reason, line: int = 0) -> NoReturn:
        """Raises Forbidden."""
        line = line or self._line()
        if self.asked and self.why is None:
            self.why, self.line = why, line
        raise Forbidden(why, line)

    def _line(self) -> int:
        """Where the module is at present; 0 where that is not known."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != str(self.path):
            frame = frame.f_back  # type: ignore[assignment]
        return frame.f_lineno if frame is not None else 0

    def judged(self, action: Callable[[], Any]) -> Any:
        """Make a graded call: what it gives, or an Answer if it came upon a refusal."""
        self.why = None
        with self._closed():
            found = action()
        if self.why is None:
            return found
        if isinstance(found, Answer) and found.line:
            return Answer(Outcome.FORBIDDEN, None, self.why, found.line, found.frames)
        shown = linecache.getline(str(self.path), self.line).strip()
        return Answer(Outcome.FORBIDDEN, None, self.why, self.line, (f"line {self.line}: {shown}",) if shown else ())

    @contextlib.contextmanager
    def _closed(self) -> Iterator[None]:
        """No way into autograd."""
        if not self.on:
            yield
            return
        kept = [getattr(*door) for door in DOORS]
        for door in DOORS:
            setattr(*door, self._autograd)
        self.asked = True
        try:
            with self:
                yield
        finally:
            self.asked = False
            for door, before in zip(DOORS, kept, strict=True):
                setattr(*door, before)

    def _autograd(self, *_: Any, **__: Any) -> NoReturn:
        self.refuse(Reason(Code.AUTOGRAD))

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(function, "__name__", "")
        if name == "_make_dual":
            self.refuse(Reason(Code.AUTOGRAD))
        if name != "backward" and ("backward" in name or "_jvp" in name):  # of Tensor.backward the engine tells
            self.refuse(reason(Code.BACKWARD_KERNEL, name=name.split(".")[0]))
        return function(*args, **(kwargs or {}))
