"""An author's mistakes in an exercise module: where each is, what it is, how to mend it; several are told at once."""

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path


class ExerciseError(Exception):
    """An author's mistake in an exercise module: where it is, what it is, how to mend it."""

    def __init__(self, path: Path, line: int, what: str, remedy: str):
        self.path, self.line, self.what, self.remedy = path, line, what, remedy
        super().__init__(f"{path}:{line}: {what}\n  -> {remedy}")

    @property
    def all(self) -> tuple["ExerciseError", ...]:
        """Each mistake by itself."""
        return (self,)


class ExerciseErrors(ExerciseError):
    """Several mistakes at once, in the order of their lines. Its own line and remedy are those of the first."""

    def __init__(self, errors: Sequence[ExerciseError]):
        first = errors[0]
        super().__init__(first.path, first.line, first.what, first.remedy)
        self.args = ("\n".join(map(str, errors)),)
        self._errors = tuple(errors)

    @property
    def all(self) -> tuple[ExerciseError, ...]:
        return self._errors


class Mistakes:
    """Collects an author's mistakes, so that all that can be found together are told together."""

    def __init__(self) -> None:
        self._found: dict[str, ExerciseError] = {}

    def add(self, path: Path, line: int, what: str, remedy: str) -> None:
        error = ExerciseError(path, line, what, remedy)
        self._found.setdefault(str(error), error)

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """An ExerciseError inside is kept for later."""
        try:
            yield
        except ExerciseError as error:
            self._found |= {str(each): each for each in error.all}

    def refuse(self) -> None:
        """Raises ExerciseError if anything was collected."""
        errors = sorted(self._found.values(), key=lambda error: (str(error.path), error.line))
        if errors:
            raise errors[0] if len(errors) == 1 else ExerciseErrors(errors)


@contextlib.contextmanager
def told_as_mistake(path: Path, what: str, remedy: str, line: int = 1) -> Iterator[None]:
    """An exception of an author's code, whatever it is, as an ExerciseError at the line of `path` that it came from."""
    try:
        yield
    except ExerciseError:
        raise
    except (Exception, SystemExit) as error:
        frames = reversed(list(traceback.walk_tb(error.__traceback__)))
        at = next((number for frame, number in frames if frame.f_code.co_filename == str(path)), line)
        raise ExerciseError(path, at, f"{what} raises {type(error).__name__}: {error}", remedy) from None
