"""Functions of a notebook that can be asked in another process, since they leave nothing behind in this one.

What they lean on goes along: helper functions, imports, constants. A function that may write where a later cell reads
(a global name, a list, an object) stays; so does one of which it is not known what it leans on.
"""

import dis
import linecache
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from graders.student.module import Student

try:
    import cloudpickle
except ImportError:  # then nothing travels
    cloudpickle = None

WRITES = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR"}
STAY = {
    "breakpoint",
    "display",
    "eval",
    "exec",
    "get_ipython",
    "globals",
    "input",
    "locals",
    "open",
    "set_trace",
    "vars",
}
ROOTS = {"torch", "numpy", "math", "cmath", "functools", "itertools", "collections", "operator", "typing", "graders"}
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), slice, torch.dtype, torch.device, np.generic)


class Stays(Exception):
    """Something is better asked where it is."""


@dataclass(frozen=True)
class Carried:
    """The order to take over functions: pickled by value; `lines` are those of the cell `path`."""

    path: Path
    functions: bytes
    lines: list[str]
    folder: str

    def __call__(self, put_back: Callable[[], object]) -> Student:
        with suppress(OSError):
            os.chdir(self.folder)
        linecache.cache[str(self.path)] = sum(map(len, self.lines)), None, self.lines, str(self.path)
        return Student(self.path, "", pickle.loads(self.functions))


def carried(functions: Mapping[str, Any], path: Path) -> Carried | None:
    """These functions as an order to another process; None if one of them has to stay."""
    if cloudpickle is None:
        return None
    try:
        seen = set[int]()
        for function in functions.values():
            _look(function, seen)
        blob = cloudpickle.dumps(dict(functions))
    except Exception:  # there are many things that cannot be pickled
        return None
    return Carried(path, blob, linecache.getlines(str(path)), os.getcwd())


def _look(value: Any, seen: set[int]) -> None:
    """Raises Stays unless `value`, and what it leans on, is the same there as here."""
    if id(value) in seen or type(value) in (torch.Tensor, np.ndarray) or isinstance(value, PLAIN):
        return
    seen.add(id(value))
    if type(value) in (tuple, frozenset):
        for one in value:
            _look(one, seen)
    elif type(value) is FunctionType and value.__module__ == "__main__":
        for one in _leans_on(value):
            _look(one, seen)
    elif not _is_of_a_library(value):
        raise Stays


def _is_of_a_library(value: Any) -> bool:
    """Whether it is a module, function or class that another process finds by its name."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] in ROOTS
    if isinstance(value, BuiltinFunctionType):  # torch.tanh, but not a list's append
        return isinstance(value.__self__, (ModuleType, type))
    if not isinstance(value, (type, FunctionType)) or value.__module__.partition(".")[0] not in {*ROOTS, "builtins"}:
        return False
    return getattr(sys.modules.get(value.__module__), value.__qualname__, None) is value


def _leans_on(function: FunctionType) -> Iterator[Any]:
    """What it takes from outside of itself. Raises Stays where it may write there."""
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    for code in _codes(function.__code__):
        written = {instruction.opname for instruction in dis.get_instructions(code)}
        if written & WRITES or (code.co_freevars and "STORE_DEREF" in written) or STAY & set(code.co_names):
            raise Stays
        for name in code.co_names:
            if name in function.__globals__:
                yield function.__globals__[name]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
