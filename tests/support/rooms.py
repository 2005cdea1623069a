"""The rooms of graders/ and the imports between its files, read from the text: nothing is imported for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOMS = (  # lower first: a room imports only rooms that stand before it
    "names",
    "outcome",
    "words",
    "files",
    "exercise",
    "student",
    "oracle",
    "diagnosis",
    "verdict",
    "authoring",
    "train",
    "sandbox",
    "submissions",
    "grading",
    "report",
    "notebook",
    "nb",
    "pytest_plugin",
    "cli",
    "__init__",  # the public face, which names what it needs inside functions
)


@dataclass(frozen=True)
class Import:
    """One name that a file imports, wherever it does: `target` is the module, as far as it is one of graders/."""

    file: str  # from the project's root
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: imports {self.target}"


@dataclass(frozen=True)
class House:
    """The files below `root`/graders, each with its text read once."""

    root: Path

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        paths = sorted((self.root / "graders").rglob("*.py"))
        return {p.relative_to(self.root).as_posix(): ast.parse(p.read_text(encoding="utf-8")) for p in paths}

    @cached_property
    def files(self) -> dict[str, str]:
        """Every module's file, by the module's dotted name."""
        return {module_of(file): file for file in self.trees}

    @cached_property
    def imports(self) -> list[Import]:
        """All of them: at the top, in functions and under TYPE_CHECKING."""
        return [found for file, tree in self.trees.items() for found in self._imports_of(file, tree)]

    @cached_property
    def arrows(self) -> list[Import]:
        """The imports of one file of graders/ by another."""
        return [found for found in self.imports if self.files.get(found.target, found.file) != found.file]

    def target_room(self, found: Import) -> str:
        return room_of(self.files[found.target])

    def _imports_of(self, file: str, tree: ast.Module) -> Iterator[Import]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (Import(file, node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(node, file)
                for alias in node.names:
                    inside = f"{base}.{alias.name}"
                    yield Import(file, node.lineno, inside if inside in self.files else base)


def module_of(file: str) -> str:
    """graders/verdict/__init__.py is graders.verdict."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(file: str) -> str:
    """The folder right below graders/ that a file is in, or the file's own name."""
    return file.split("/")[1].removesuffix(".py")


def _absolute(node: ast.ImportFrom, file: str) -> str:
    """The module that names are imported from, dots at its beginning resolved."""
    if not node.level:
        return node.module or ""
    package = file.split("/")[: -node.level]
    return ".".join([*package, *filter(None, [node.module])])
