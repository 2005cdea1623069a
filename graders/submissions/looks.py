"""What a source looks like, without running it: how much of it is filled in, and what is the same in other layout."""

import ast
import hashlib
import types
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graders.submissions.statements import untouched


class Looks(NamedTuple):
    """How many of the functions that are asked for are filled in; the likeness, "" where nothing is.

    Two files have the same likeness if they are the same but for comments, docstrings and layout.
    """

    answered: int
    likeness: str


def looks_of(text: str, asked: Sequence[str]) -> Looks:
    """What is no Python counts as filled in: somebody has changed it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
            defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
            answered = sum(not untouched(defined[name]) for name in set(asked) & defined.keys())
            code = compile(tree, "", "exec", optimize=2) if answered else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Looks(1, "")
    if code is None:
        return Looks(0, "")
    digest = hashlib.sha256()
    for part in _parts(code):
        digest.update(part)
    return Looks(answered, digest.hexdigest())


def _parts(code: types.CodeType) -> Iterator[bytes]:
    """All that a code does; not its lines."""
    named = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)
    yield repr(named).encode("utf-8", "replace")
    yield code.co_code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant)
        else:
            ordered = sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant  # chance orders sets
            yield f"{type(constant).__name__} {ordered!r}".encode("utf-8", "replace")
