"""Who answers at home: a fork where forks serve, else the module in this process."""

import ast
from pathlib import Path

from graders.student import forks
from graders.student.module import AtHome, InProcess, load_student, parsed

DEBUGGERS = ("breakpoint", "set_trace", "post_mortem")


def respondent_for(path: Path, limit: float, apart: bool = True, release: str = "") -> AtHome:
    """Who answers for a student's file.

    This process does where somebody wants to follow the code, where forks do not serve, or where `apart` is false.
    A stub that says another `release` is not run.
    """
    if not apart or not forks.can_fork() or forks.is_debugged() or _calls_a_debugger(path):
        return InProcess(load_student(path, limit, release=release), limit)
    from graders.student import forked, spare  # not everywhere can they be imported

    serves = forks.is_quiet() or spare.serves()
    return forked.Forked(path, limit, release=release) if serves else respondent_for(path, limit, False, release)


def _calls_a_debugger(path: Path) -> bool:
    """Whether the text has a call of breakpoint(), pdb.set_trace() or the like."""
    calls = [node.func for node in ast.walk(parsed(path)[1]) if isinstance(node, ast.Call)]
    return any(getattr(call, "id", getattr(call, "attr", "")) in DEBUGGERS for call in calls)
