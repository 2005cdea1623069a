"""The instructor's secret, and the seeds of secret cases that are drawn from it."""

import contextlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from graders.files import told
from graders.grading import GradingError
from graders.grading.results import Key

SHORTEST_SECRET = 16


def secret_of(out: Path, given: Path | None) -> bytes:
    """The instructor's secret: from a file, or made once and kept in OUT. Raises GradingError, OSError."""
    path = given or out / "secret.key"
    if given is None and not path.exists():
        if _has_results(out / "results.jsonl"):
            lost = f"{path} is gone, and the results beside it were made with it or with another secret"
            raise GradingError(f"{lost}: put it back, give yours with --secret, or name another folder")
        _make(path)
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise GradingError(f"the secret cannot be read: {told(error)}") from None
    if len(secret) < SHORTEST_SECRET:
        short = f"{path} is too short for a secret ({len(secret)} bytes, at least {SHORTEST_SECRET})"
        raise GradingError(f"{short}: put the right one there, or remove it")
    return secret


def _has_results(store: Path) -> bool:
    """Whether a store holds a line that was written to its end."""
    try:
        with store.open("rb") as file:
            return any(line.endswith(b"\n") for line in file)
    except FileNotFoundError:
        return False


def _make(path: Path) -> None:
    """A new secret: all of it under this name, or nothing. Of several runs that make one at a time, one's counts."""
    descriptor, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # readable for its owner only
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(partial, path)
        except FileExistsError:
            pass  # another run was faster
        except OSError:  # a file system without links
            os.replace(partial, path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def seed_id(secret: bytes) -> str:
    """Names the secret without telling it."""
    return hmac.digest(secret, b"which secret", "sha256").hex()[:16]


def secret_seed(secret: bytes, key: Key) -> int:
    """The seed of the secret cases of one submission to one exercise."""
    return int.from_bytes(hmac.digest(secret, f"{key.submission} {key.version}".encode(), "sha256")[:6], "big")
