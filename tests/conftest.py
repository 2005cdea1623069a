"""Shared by the kit's own tests: one torch thread, no clock for examples, and folders made from the released stubs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import hypothesis
import pytest
import torch

from tests.support.stubs import EXERCISES, NINJA, fill

pytest_plugins = ["pytester"]

torch.set_num_threads(1)
hypothesis.settings.register_profile(  # by default an example has 0.2 s of the wall clock
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/report/golden/ from what is seen now")


Folder = Callable[..., Path]


@pytest.fixture
def student_folder(tmp_path: Path) -> Folder:
    """Make a student's exercises/ with only `exercise` in it, some of its functions filled in."""

    def make(exercise: str, bodies: Mapping[str, str] | None = None, unit: str = NINJA) -> Path:
        folder = tmp_path / "exercises" / unit
        (folder / "kit").mkdir(parents=True, exist_ok=True)
        shutil.copy(EXERCISES / unit / "kit" / f"{exercise}.json", folder / "kit")
        stub = (EXERCISES / unit / f"{exercise}.py").read_text()
        path = folder / f"{exercise}.py"
        path.write_text(fill(stub, bodies or {}))
        return path

    return make
