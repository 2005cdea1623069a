"""Commands as they can be typed here: with the way to the environment's programs where it is not active."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

MODULES = {"backprop-ninja": "graders.cli.main", "pytest": "pytest", "pip": "pip"}  # what `python -m` calls them


def command(program: str, *arguments: str) -> str:
    """A line for the shell that runs a program of this environment, whichever one is active."""
    words = [*_program(program), *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def about(verb: str, item: str, file: Path) -> str:
    """A command of `backprop-ninja` on an item of `file`; it names the folder that would not be found by itself."""
    exercises = file.absolute().parent.parent
    here = Path.cwd()
    found = next((folder / "exercises" for folder in (here, *here.parents) if (folder / "exercises").is_dir()), None)
    by_itself = found is not None and exercises.exists() and found.samefile(exercises)
    named = [] if by_itself else ["--exercises", shown(exercises)]
    return command("backprop-ninja", verb, item, *named)


def shown(path: Path) -> str:
    """A path from here, if that is shorter."""
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except ValueError:  # on another drive
        return str(path)


def _program(name: str) -> list[str]:
    own = shutil.which(name, path=str(Path(sys.executable).parent))
    if own is None:
        return [shown(Path(sys.executable)), "-m", MODULES[name]]
    found = shutil.which(name)
    return [name] if found and os.path.samefile(found, own) else [str(Path(shown(Path(own))).with_suffix(""))]
