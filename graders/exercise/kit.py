"""What stands beside a stub: the stub as it was released, its hints, and fingerprints of known wrong answers.

One JSON file an exercise, kit/EXERCISE.json; those of earlier releases are kept as kit/earlier/EXERCISE-RELEASE.json.
Hints and fingerprints are sealed (compressed, base64): out of sight until they are asked for, not secret. No solution
and no derivation is in it.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from graders.exercise.module import Exercise, load
from graders.exercise.stub import release_in, release_of

FORMAT = 1  # which a kit without a number has, too; raise it when this code could not read it as it was
ABOUT = "Made by `backprop-ninja release`: the stub as released, hints and known wrong answers, out of sight."
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError, zlib.error)
Print = tuple[str, float] | None  # shape and projection, or None where the wrong answer raises or is not finite


@dataclass(frozen=True)
class Known:
    """A wrong answer that is known: what to say of it, and its projection at every case but the lecture's."""

    cause: str
    message: str
    prints: tuple[Print, ...]
    catalogued: bool = False


@dataclass(frozen=True)
class Fingerprints:
    """The known wrong answers of one exercise by gradient, taken with the cases of `seed`."""

    seed: int = 0
    known: Mapping[str, Sequence[Known]] = field(default_factory=dict)

    def of(self, gradient: str, seed: int) -> Sequence[Known]:
        return self.known.get(gradient, ()) if seed == self.seed else ()


class KitError(Exception):
    """A kit file that cannot be used; says which and what to do."""


@dataclass(frozen=True)
class Kit:
    """An exercise as a student has it: the path of the stub, and what was released with it.

    `earlier` are the kits of earlier releases that are kept beside it.
    """

    path: Path
    stub: str
    sealed_about: str
    sealed_known: str
    identity: str = ""  # unit/exercise; told by the path where it is not given
    earlier: tuple["Kit", ...] = ()

    @cached_property
    def release(self) -> str:
        """What its stub names; kits that were made before stubs named one have it too."""
        return release_in(self.stub) or release_of(self.stub)

    def made_from(self, release: str) -> "Kit | None":
        """The kit of a release, None if it is not here; a file that names no release is of the present one."""
        return next((kit for kit in (self, *self.earlier) if release in ("", kit.release)), None)

    @cached_property
    def exercise(self) -> Exercise:
        """The exercise as it was released: given code cannot be changed by mistake."""
        exercise = load(self.path, self.stub, self.identity)
        if not self.sealed_about:
            return exercise
        about = _open(self.sealed_about)
        for row in about.values():
            row["hints"] = tuple(row["hints"])
        for name, laws in self.laws.items():
            about[name]["laws"] = tuple(laws)
        run = exercise.run and replace(exercise.run, **about["run"])
        return replace(exercise, gradients=tuple(replace(g, **about[g.name]) for g in exercise.gradients), run=run)

    @cached_property
    def laws(self) -> Mapping[str, Sequence[str]]:
        """What the author says of right gradients, by name. A kit of an earlier release has none."""
        return dict(_open(self.sealed_known).get("laws", {})) if self.sealed_known else {}

    @cached_property
    def fingerprints(self) -> Fingerprints:
        if not self.sealed_known:
            return Fingerprints()
        stored = _open(self.sealed_known)
        known = {
            name: tuple(
                Known(cause, message, tuple(p and (p[0], p[1]) for p in prints), bool(catalogued))
                for cause, message, prints, catalogued in rows
            )
            for name, rows in stored["known"].items()
        }
        return Fingerprints(stored["seed"], known)


def kit_path(stub: Path) -> Path:
    return stub.parent / "kit" / f"{stub.stem}.json"


def earlier_path(kit: Kit) -> Path:
    """Where a kit is kept once another release has taken its place."""
    return kit.path.parent / "kit" / "earlier" / f"{kit.path.stem}-{kit.release}.json"


def open_kit(stub: Path) -> Kit:
    """The kit of a stub. Raises KitError if it is missing, damaged or of a later release."""
    return _read(kit_path(stub), stub)


def _read(path: Path, stub: Path) -> Kit:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "format" in content and content["format"] > FORMAT:
            raise KitError(f"{path} is of a later release than the graders: update backprop-ninja.")
        identity = str(content["exercise"]) if "exercise" in content else ""  # earlier kits are told by their place
        kit = Kit(stub, _open(content["stub"]), content["gradients"], content["known"], identity)
        for sealed in (kit.sealed_about, kit.sealed_known):
            _open(sealed)
        kit.release  # noqa: B018  a stub that is no Python is told here
        return kit
    except DAMAGED as error:
        message = f"{path} is damaged ({type(error).__name__}): take it again from the course kit."
        raise KitError(message) from None


def kits_in(exercises: Path) -> list[Kit]:
    """The kits of a folder exercises/, by path. Raises KitError if there are none, or one is damaged."""
    found = sorted(exercises.glob("*/kit/*.json"))
    if not found:
        raise KitError(f"{exercises} holds no exercises (no */kit/*.json): is it the right folder?")
    return [_with_earlier(open_kit(path.parent.parent / f"{path.stem}.py")) for path in found]


def _with_earlier(kit: Kit) -> Kit:
    kept = sorted(earlier_path(kit).parent.glob(f"{kit.path.stem}-*.json"))
    return replace(kit, earlier=tuple(_read(path, kit.path) for path in kept))


def pack(exercise: Exercise, stub: str, fingerprints: Fingerprints) -> str:
    """The text of a kit file."""
    kept = ("points", "difficulty", "minutes", "hints")
    about = {g.name: {key: getattr(g, key) for key in kept} for g in exercise.items}
    known = {name: [list(asdict(k).values()) for k in rows] for name, rows in fingerprints.known.items()}
    laws = {g.name: list(g.laws) for g in exercise.gradients if g.laws}
    sealed = {"stub": stub, "gradients": about, "known": {"seed": fingerprints.seed, "known": known, "laws": laws}}
    content = {"about": ABOUT, "format": FORMAT, "exercise": exercise.identity}
    return json.dumps(content | {name: _seal(value) for name, value in sealed.items()}, indent=1) + "\n"


def contents(text: str) -> dict[str, Any]:
    """The unsealed contents of a kit file's text."""
    content = json.loads(text)
    return {key: value if key in ("about", "format", "exercise") else _open(value) for key, value in content.items()}


def _seal(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), 9)).decode()


def _open(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))
