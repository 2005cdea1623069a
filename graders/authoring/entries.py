"""The entries of a docstring (points, hints, derivation): what is missing, misspelt or numbered wrongly."""

import ast
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from graders.exercise.mistake import Mistakes
from graders.exercise.module import ENTRY

KNOWN = ("Points", "Difficulty", "Minutes", "Hint", "Law", "Derivation")
LIKE_AN_ENTRY = re.compile(r"([A-Za-z]+)[ \t]*(\d*)[ \t]*[:：]")
LARGEST = {"Points": 1000, "Difficulty": 5, "Minutes": 10_000}
ADVICE = "an entry begins a line: Points, Difficulty, Minutes, Hint 1, Hint 2, ..., Law, Derivation."


def check(function: ast.FunctionDef, path: Path, mistakes: Mistakes) -> None:
    """Collect the mistakes in the entries of a function's docstring."""
    docstring = ast.get_docstring(function, clean=False)
    if docstring is None:
        return  # which is a mistake of its own
    seen: list[str] = []
    for line, indented, text in _lines(function, docstring):
        found = ENTRY.match(text)
        if found and not indented:
            if found[1] in seen and not found[1].startswith("Law"):  # of which an item may keep several
                mistakes.add(path, line, f"{function.name} has `{found[1]}:` twice", "keep one of the two.")
            seen.append(found[1])
            _check_number(function.name, found[1], text[found.end() :], path, line, mistakes)
        elif wrong := _misspelt(text, indented, seen):
            mistakes.add(path, line, f"{function.name}: {wrong}", ADVICE)
    if "Points" not in seen:
        what, remedy = f"{function.name} has no `Points:`", "say for instance `Points: 1` in its docstring."
        mistakes.add(path, function.lineno, what, remedy)
    hints = [name for name in seen if name.startswith("Hint")]
    if hints != [f"Hint {number}" for number in range(1, len(hints) + 1)] and len(set(hints)) == len(hints):
        what = f"{function.name} has the hints {', '.join(hints)}"
        mistakes.add(path, function.lineno, what, "number them 1, 2, 3, in this order.")


def _lines(function: ast.FunctionDef, docstring: str) -> Iterator[tuple[int, bool, str]]:
    """Of each line of a docstring its number, whether it stands further in than the docstring, and its text."""
    first, *rest = docstring.expandtabs().splitlines() or [""]
    margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    yield function.body[0].lineno, False, first.lstrip()
    for number, line in enumerate(rest, function.body[0].lineno + 1):
        yield number, len(line) - len(line.lstrip()) > margin, line.lstrip()


def _misspelt(text: str, indented: bool, seen: list[str]) -> str:
    """What is amiss with a line that is no entry and looks like one; empty for plain text."""
    found = LIKE_AN_ENTRY.match(text)
    if not found or ("Derivation" in seen and not _is_number(text)):
        return ""
    name, number = found[1], found[2]
    if indented:
        whole = ENTRY.match(text) and (number or _is_number(text))
        return f"`{text.strip()[:40]}` stands further in than the docstring" if whole else ""
    close = difflib.get_close_matches(name.capitalize(), KNOWN, 1, cutoff=0.8)
    if close:
        meant = f"Hint {number or 1}" if close == ["Hint"] else close[0]
        return f"`{found[0].strip()}` is no entry: did you mean `{meant}:`?"
    return f"`{found[0].strip()}` is no entry that is known" if seen and name[0].isupper() else ""


def _is_number(text: str) -> bool:
    return re.split("[:：]", text, maxsplit=1)[-1].strip().isdecimal()


def _check_number(function: str, name: str, value: str, path: Path, line: int, mistakes: Mistakes) -> None:
    if name in LARGEST and value.strip().lstrip("+-").isdecimal() and not 1 <= int(value) <= LARGEST[name]:
        mistakes.add(path, line, f"{function}: {name} is {value.strip()}", f"write 1 to {LARGEST[name]}.")
