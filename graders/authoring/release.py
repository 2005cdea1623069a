"""exercises/ from reference/: a pure function from source to {path: text}; writing and checking differ by one line."""

import contextlib
import io
import itertools
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graders.authoring import library as known
from graders.authoring.review import reviewed_all
from graders.exercise import kit
from graders.exercise.stub import release_of, stub
from graders.files import write_whole

KIT_FILES = ("pyproject.toml", "constraints.txt", "LICENSE", "Makefile")


class WorkInTheWay(Exception):
    """Files in exercises/ that are not as they were released: somebody's answers may be in them."""

    def __init__(self, paths: Sequence[Path]):
        named = "\n".join(f"  {path}" for path in paths)
        super().__init__(
            f"these files are not as they were released, so somebody's work may be in them:\n{named}\n"
            "Nothing was written. Move them away, or add --force: it keeps a copy beside each."
        )


def build(folder: Path) -> dict[str, str]:
    """Everything that belongs in exercises/, as {relative path: text}.

    Raises ExerciseError for the mistakes of authors in reference modules.
    """
    files = {}
    for exercise in reviewed_all(folder):
        unit, text = exercise.path.parent.name, stub(exercise)
        files[f"{unit}/{exercise.path.name}"] = text
        files[f"{unit}/kit/{exercise.path.stem}.json"] = kit.pack(exercise, text, known.library(exercise))
    return files


def write(files: dict[str, str], folder: Path, force: bool = False) -> list[str]:
    """Write what differs; returns those paths. Files that are no longer made are removed.

    What is not as it was released is kept as a copy beside it. Raises WorkInTheWay, before anything is written, for
    such a file unless `force`; OSError.
    """
    changed = outdated(files, folder)
    in_use = [folder / name for name in changed if _holds_work(folder / name)]
    if in_use and not force:
        raise WorkInTheWay(in_use)
    for path in in_use:
        keep_copy(path)
    for name in sorted(changed, key=lambda name: Path(name).suffix != ".py"):  # a stub without its kit is told at home
        path = folder / name
        if path.suffix == ".json":
            _keep_earlier(path, files.get(name))
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, files[name])
        else:
            path.unlink()
    return changed


def _holds_work(path: Path) -> bool:
    """Whether a Python file is there that is no stub as it was released."""
    if path.suffix != ".py" or not path.exists():
        return False
    try:
        return kit.open_kit(path).stub != path.read_text(encoding="utf-8")
    except (kit.KitError, UnicodeDecodeError):
        return True


def keep_copy(path: Path) -> Path:
    """A copy beside a file, under a name that nothing has and that pytest does not collect."""
    content = path.read_bytes()
    for number in itertools.count(1):
        copy = path.with_name(f"{path.name}.kept-{number}")
        with contextlib.suppress(FileExistsError), copy.open("xb") as file:
            file.write(content)
            return copy
    raise AssertionError


def _keep_earlier(path: Path, new: str | None) -> None:
    """Keep the kit that another release takes the place of: what was made from it can still be graded."""
    try:
        old = kit.open_kit(path.parent.parent / f"{path.stem}.py")
    except kit.KitError:
        return  # none, or one that nothing can be graded by
    if new is None or release_of(kit.contents(new)["stub"]) != old.release:
        kept = kit.earlier_path(old)
        kept.parent.mkdir(exist_ok=True)
        write_whole(kept, path.read_bytes())


def outdated(files: dict[str, str], folder: Path) -> list[str]:
    """Paths whose content is not what `files` says, or that should not be there."""
    units = {Path(name).parts[0] for name in files}
    there = [p for unit in units for pattern in ("*.py", "kit/*.json") for p in (folder / unit).glob(pattern)]
    stray = {p.relative_to(folder).as_posix() for p in there} - files.keys()
    return sorted(stray | {name for name, text in files.items() if not _same(folder / name, text)})


def _same(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    old = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".json":
        return old == text
    try:
        return _equal(kit.contents(old), kit.contents(text))
    except kit.DAMAGED:
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

    The archive is the same byte for byte for the same content. Returns the names in it. Raises OSError.
    """
    content = {f"exercises/{name}": text.encode() for name, text in files.items()}
    content |= {name: (root / name).read_bytes() for name in KIT_FILES}
    content["README.md"] = (root / "graders" / "data" / "student_README.md").read_bytes()
    for path in (root / "graders").rglob("*"):
        if path.is_file() and {"__pycache__", "authoring"}.isdisjoint(path.relative_to(root).parts):
            content[path.relative_to(root).as_posix()] = path.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"backprop-ninja/{name}", date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content[name])
    write_whole(target, packed.getvalue())
    return sorted(content)
