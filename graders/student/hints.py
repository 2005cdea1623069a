"""Which hints a student has asked for: one small JSON file beside the exercises."""

import json
from pathlib import Path

from graders.files import write_whole


def progress_path(exercises: Path) -> Path:
    return exercises / ".progress.json"


def hints_taken(exercises: Path) -> dict[str, int]:
    """How many hints were taken, by `exercise::gradient`; a file that cannot be read counts as none."""
    try:
        content = json.loads(progress_path(exercises).read_text(encoding="utf-8"))
        return {str(k): int(v) for k, v in content["hints"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def take_hint(exercises: Path, name: str, available: int) -> int:
    """Count one more hint for `name`, at most `available`; returns how many are taken now."""
    taken = hints_taken(exercises)
    taken[name] = min(taken.get(name, 0) + 1, available)
    write_whole(progress_path(exercises), json.dumps({"hints": taken}, indent=1) + "\n")
    return taken[name]
