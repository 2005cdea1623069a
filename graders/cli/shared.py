"""What the commands share: finding folders, telling mistakes in words. No torch is loaded here: --help is quick."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, file_okay=False)


def find_folder(name: str) -> Path:
    """The folder `name` here or in a parent folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / name).is_dir():
            return folder / name
    raise click.ClickException(f"no folder {name}/ here or above: change to the project, or name it.")


exercises_option = click.option("--exercises", type=FOLDER, help="The folder exercises/ (found by itself).")
reference_option = click.option("--reference", type=FOLDER, help="The folder reference/ (found by itself).")


def in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """An author's or a user's mistake is told in words, never as a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from graders.student import forks  # noqa: F401, I001  (first: it counts threads before anything is computed)
        from graders.exercise.kit import KitError
        from graders.exercise.module import ExerciseError

        try:
            return command(*args, **kwargs)
        except (ExerciseError, KitError) as error:
            raise click.ClickException(str(error)) from None
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("graders."):
                raise
            raise click.ClickException(f"a student's kit has no {error.name}: use the whole project.") from None

    return wrapped


def missing_extra(error: ImportError) -> click.ClickException:
    """What to say where a package of the extra [classroom] is missing."""
    return click.ClickException(f"{error.name} is missing: pip install 'backprop-ninja[classroom]'")
