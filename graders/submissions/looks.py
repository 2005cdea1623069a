"""What a source looks like, without running it: how much of it is filled in, and what is the same in other layout."""

import ast
import hashlib
import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from graders.submissions.statements import untouched

DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)
OPEN = re.compile(r"^[ \t]+raise NotImplementedError\b", re.MULTILINE)
COMMENT = re.compile(r"#[^\n]*")


class Looks(NamedTuple):
    """How many of the functions that are asked for are filled in; the likeness, "" where nothing is.

    Two files have the same likeness if they are the same but for white space and what follows a #.
    """

    answered: int
    likeness: str


def looks_of(text: str, asked: Sequence[str], parse: bool = True) -> Looks:
    """Without `parse` what looks untouched counts as filled in."""
    answered = len(set(DEFINED.findall(text)) & set(asked)) - len(OPEN.findall(text))
    if answered <= 0:  # untouched, it seems: a line that was forgotten behind an answer must not decide that
        answered = _filled_in(text, asked) if parse else 1
    if not answered:
        return Looks(0, "")
    bare = "".join(COMMENT.sub("", text).split())
    return Looks(answered, hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest())


def _filled_in(text: str, asked: Sequence[str]) -> int:
    """What is no Python counts as filled in: somebody has changed it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 1
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return sum(not untouched(defined[name]) for name in set(asked) & defined.keys())
