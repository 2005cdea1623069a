"""A sandbox for a module's tests, which are skipped where the machine has none of that class."""

from collections.abc import Iterator

import pytest

from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits


def sandbox_of(isolation: str, limits: Limits) -> Iterator[Sandbox]:
    """For a fixture to yield from."""
    try:
        with Sandbox(isolation, limits) as made:
            yield made
    except SandboxError as error:
        pytest.skip(str(error))
