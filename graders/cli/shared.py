"""What the commands share: finding folders, telling mistakes in words. No torch is loaded here: --help is quick."""

import difflib
import sys
from collections.abc import Callable, Iterable
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
        from graders import files
        from graders.exercise.kit import KitError
        from graders.exercise.mistake import ExerciseError

        try:
            return command(*args, **kwargs)
        except (ExerciseError, KitError) as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # whoever reads what is printed has gone, which click knows
            raise click.ClickException(files.told(error)) from None
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("graders."):
                raise
            raise click.ClickException(f"a student's kit has no {error.name}: use the whole project.") from None

    return wrapped


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """How an error about an unknown name ends: with the one most like it, or empty."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f": did you mean {near[0]}?" if near else ""


def readable(text: str) -> str:
    """Lines of 80 columns, with formulas as this terminal can show them."""
    from graders.report.mathematics import plain

    said = plain(text)
    try:
        said.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return text
    return said


def missing_extra(error: ImportError) -> click.ClickException:
    """What to say where a package of the extra [classroom] is missing."""
    from graders.student.commands import command

    install = command("pip", "install", "backprop-ninja[classroom]")
    return click.ClickException(f"{error.name} is missing: {install}")
