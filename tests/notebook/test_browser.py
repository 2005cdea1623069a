"""In a real browser: a student's check in JupyterLab, the instructor's formgrader, the feedback page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.conftest import EX, SMALL
from tests.support import browser
from tests.support.browser import Page
from tests.support.course import Course, filled
from tests.support.notebook_students import ONE_BRANCH
from tests.support.stubs import solutions

if browser.program() is None:
    pytest.skip("there is no Chromium on this machine", allow_module_level=True)

PICTURES = os.environ.get("NINJA_PICTURES")  # a folder to keep them in, to be looked at


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser.chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def server(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    desk = course.folder / "desk"
    for name, bodies in ((SMALL, solutions(SMALL)), (EX, {"dcounts": ONE_BRANCH})):
        shutil.copytree(course.folder / "release" / name, desk / name)
        notebook = filled(course.released(name), bodies)
        (desk / name / f"{name}.ipynb").write_text(browser.json.dumps(notebook))
    with browser.jupyter(course.folder, tmp_path_factory.mktemp("home")) as address:
        yield address


def keep(page: Page, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(exist_ok=True, parents=True)
        page.picture(Path(PICTURES) / f"{name}.png")


def run(page: Page, address: str, *cells: str) -> str:
    """Open a notebook, run the cells whose ids end so, one after the other; a script for the last one's element."""
    page.open(address)
    page.wait("!!(window.jupyterapp && document.querySelector('.jp-Notebook .jp-Cell'))")
    page.wait("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status == 'idle'")
    for cell in cells:
        page.evaluate(
            "(async () => { const notebook = window.jupyterapp.shell.currentWidget.content;"
            f"notebook.activeCellIndex = notebook.widgets.findIndex(w => w.model.id.endsWith('{cell}'));"
            "await window.jupyterapp.commands.execute('notebook:run-cell');"
            "await notebook.scrollToItem(notebook.activeCellIndex, 'start'); })()"
        )
    return "document.querySelector('.jp-Cell.jp-mod-active')"


def test_a_student_runs_check(page: Page, server: str) -> None:
    cell = run(page, f"{server}/lab/tree/desk/{SMALL}/{SMALL}.ipynb?reset", "start", "answer-dlogits", "test-dlogits")
    page.wait(f"{cell}.querySelectorAll('details svg').length > 0")
    assert "approximate: True" in page.evaluate(f"{cell}.innerText")
    keep(page, "check_right")


def test_a_wrong_gradient_is_explained_with_pictures(page: Page, server: str) -> None:
    cell = run(page, f"{server}/lab/tree/desk/{EX}/{EX}.ipynb?reset", "start-start", "answer-dcounts", "test-dcounts")
    text = page.wait(f"{cell}.innerText.includes('Only the path through probs') && {cell}.innerText")
    assert page.evaluate(f"{cell}.querySelectorAll('figure img').length") == 3
    assert page.evaluate(f"{cell}.querySelectorAll('details:not([open]) svg rect').length") > 20
    assert "NotRight: dcounts is not right yet (wrong)" in text
    assert "graders/" not in text
    keep(page, "check_wrong")


def test_formgrader_shows_the_scores(page: Page, server: str) -> None:
    page.open(f"{server}/formgrader/gradebook/{EX}/{EX}")
    page.wait("document.body.innerText.includes('Submission #')")
    page.open(f"{server}/formgrader/manage_students/right")
    text = page.wait("document.body.innerText.includes('33 / 33') && document.body.innerText")
    assert EX in text
    keep(page, "formgrader")


def test_the_feedback_page_shows_the_reason(page: Page, course: Course) -> None:
    page.open(f"file://{course.folder}/feedback/one_branch/{EX}/{EX}.html")
    text = page.wait("document.body.innerText.includes('Only the path through probs') && document.body.innerText")
    assert "isolation class" in text
    assert page.evaluate("document.querySelectorAll('figure img').length") == 3
    page.evaluate(
        "[...document.querySelectorAll('pre')].find(e => e.innerText.includes('Only the path')).scrollIntoView()"
    )
    keep(page, "feedback")
