"""The instructor's secret, which the seeds of secret cases are drawn from."""

import os
import secrets
from pathlib import Path

from graders.grading import GradingError

SHORTEST_SECRET = 16


def secret_of(out: Path, given: Path | None) -> bytes:
    """The instructor's secret: from a file, or made once and kept in OUT. Raises GradingError."""
    path = given or out / "secret.key"
    if given is None and not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise GradingError(f"the secret cannot be read: {error}") from None
    if len(secret) < SHORTEST_SECRET:
        raise GradingError(f"{path} is too short for a secret: at least {SHORTEST_SECRET} bytes")
    return secret
