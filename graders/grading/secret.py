"""The instructor's secret, and the seeds of secret cases that are drawn from it."""

import hmac
import os
import secrets
from pathlib import Path

from graders.grading import GradingError
from graders.grading.results import Key

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


def seed_id(secret: bytes) -> str:
    """Names the secret without telling it."""
    return hmac.digest(secret, b"which secret", "sha256").hex()[:16]


def secret_seed(secret: bytes, key: Key) -> int:
    """The seed of the secret cases of one submission to one exercise."""
    return int.from_bytes(hmac.digest(secret, f"{key.submission} {key.version}".encode(), "sha256")[:6], "big")
