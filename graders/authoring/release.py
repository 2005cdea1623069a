"""exercises/ from reference/: a pure function from source to {path: text}; writing and checking differ by one line."""

import math
import zipfile
from pathlib import Path
from typing import Any

from graders.authoring import library as known
from graders.exercise import kit
from graders.exercise.module import load, references
from graders.exercise.stub import stub

KIT_FILES = ("pyproject.toml", "constraints.txt", "LICENSE", "Makefile")


def build(folder: Path) -> dict[str, str]:
    """Everything that belongs in exercises/, as {relative path: text}.

    Raises ExerciseError for an author's mistake in a reference module.
    """
    files = {}
    for path in references(folder):
        exercise = load(path)
        unit, text = path.parent.name, stub(exercise)
        files[f"{unit}/{path.name}"] = text
        files[f"{unit}/kit/{path.stem}.json"] = kit.pack(exercise, text, known.library(exercise))
    return files


def write(files: dict[str, str], folder: Path) -> list[str]:
    """Write what differs; returns those paths. Files that are no longer made are removed."""
    changed = outdated(files, folder)
    for name in changed:
        path = folder / name
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def outdated(files: dict[str, str], folder: Path) -> list[str]:
    """Paths whose content is not what `files` says, or that should not be there."""
    units = {Path(name).parts[0] for name in files}
    there = [p for unit in units for p in (folder / unit).rglob("*") if p.suffix in (".py", ".json")]
    stray = {p.relative_to(folder).as_posix() for p in there} - files.keys()
    return sorted(stray | {name for name, text in files.items() if not _same(folder / name, text)})


def _same(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    old = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return old == text
    try:
        return _equal(kit.contents(old), kit.contents(text))
    except (ValueError, KeyError, TypeError):
        return False


def _equal(a: Any, b: Any) -> bool:
    """Equality of JSON values; numbers up to rounding, which differs a little from machine to machine."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b)


def pack_kit(root: Path, files: dict[str, str], target: Path) -> list[str]:
    """Zip what a student needs and nothing else: exercises/, the installable graders, a README of their own.

    The archive is the same byte for byte for the same content. Returns the names in it.
    """
    content = {f"exercises/{name}": text.encode() for name, text in files.items()}
    content |= {name: (root / name).read_bytes() for name in KIT_FILES}
    content["README.md"] = (root / "graders" / "data" / "student_README.md").read_bytes()
    for path in (root / "graders").rglob("*"):
        if path.is_file() and {"__pycache__", "authoring"}.isdisjoint(path.relative_to(root).parts):
            content[path.relative_to(root).as_posix()] = path.read_bytes()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"backprop-ninja/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content[name])
    return sorted(content)
