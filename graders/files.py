"""Files that are written whole: a reader sees one as it was or as it is now, whatever ended the writing.

A kill, a full disk and a power failure are meant. What is said where a file cannot be written stands here as well.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

PARTIAL = ".partial"
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "no space is left: make room, then do the same again."),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "its rights do not allow this: change them, or name another place."),
    errno.EROFS: "this can only be read, not written: name another place.",
    errno.ENOENT: "there is no such file or folder: is the name right?",
    errno.EISDIR: "a folder stands where a file should be: move it away, or name another place.",
    errno.ENOTDIR: "a file stands where one of its folders should be: move that away, or name another place.",
    errno.EEXIST: "a file stands where a folder should be: move it away, or name another place.",
}


@contextlib.contextmanager
def whole(path: Path, lasting: bool = True) -> Iterator[TextIO]:
    """A file to write text into (UTF-8), which takes the place of `path` when the context is left without exception.

    Not `lasting`, a power failure (unlike a kill) may leave it empty: for what the next run writes anew in any case.
    Raises OSError, with the file or its folder named in it; `path` is then what it was.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        with partial.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            error.filename = error.filename or str(path.parent)
        raise


def write_whole(path: Path, content: str | bytes, lasting: bool = True) -> None:
    """Write all of a file, or leave it as it was; as `whole`. Raises OSError."""
    with whole(path, lasting) as file:
        if isinstance(content, bytes):
            file.buffer.write(content)
        else:
            file.write(content)


def told(error: OSError) -> str:
    """What went wrong with which file, and what to do, in one sentence."""
    where = str(error.filename2 or error.filename or "a file").removesuffix(PARTIAL)
    return f"{where}: {REMEDIES.get(error.errno or 0, f'{error.strerror or type(error).__name__}.')}"
