"""docs/architecture.md names files and functions, and shows a picture of the imports: both must be true."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from scripts.draw_architecture import TARGET, box, draw, floors, imported
from tests.support.rooms import ROOMS, House
from tests.support.stubs import ROOT

PAGE = ROOT / "docs" / "architecture.md"
NAMED = re.compile(r"`([\w/]+\.py): ([\w.]+)`")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def names_in(body: list[ast.stmt], before: str = "") -> set[str]:
    """Functions, classes, their methods and the variables of a module: {'Store', 'Store.put', 'FORMAT'}."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(before + node.name)
        if isinstance(node, ast.ClassDef):
            found |= names_in(node.body, f"{before}{node.name}.")
        elif isinstance(node, ast.Assign):
            found |= {before + n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return found


def missing(text: str, graders: Path) -> list[str]:
    """What a page names, and graders/ does not have."""
    found = []
    for path, name in NAMED.findall(text):
        file = graders / path
        if not file.is_file():
            found.append(f"{path}: there is no such file")
        elif name not in names_in(ast.parse(file.read_text(encoding="utf-8")).body):
            found.append(f"{path}: {name}")
    return found


def test_all_that_the_page_names_is_there(page: str) -> None:
    assert len(NAMED.findall(page)) > 60
    assert page.count(".py: ") == len(NAMED.findall(page)), "written in another way than `path.py: name`"
    assert missing(page, ROOT / "graders") == []


def test_a_name_that_is_gone_is_found() -> None:
    text = "`names.py: read_names` `names.py: gone` `gone.py: check` `verdict/grader.py: Check.gone`"
    expected = ["names.py: gone", "gone.py: there is no such file", "verdict/grader.py: Check.gone"]
    assert missing(text, ROOT / "graders") == expected


def test_the_page_lists_the_rooms_in_order(page: str) -> None:
    table = page.partition("| room |")[2].partition("\n\n")[0]
    assert tuple(row.split("|")[1].strip().replace("\\", "") for row in table.splitlines()[2:]) == ROOMS


def test_the_page_is_short(page: str) -> None:
    assert len(page.splitlines()) <= 120


def test_the_picture_is_what_the_imports_give() -> None:
    assert TARGET.read_text(encoding="utf-8") == draw(ROOT), "run: python -m scripts.draw_architecture"


def test_the_picture_has_a_title_and_every_room_as_text() -> None:
    root = ElementTree.fromstring(draw(ROOT))
    assert root.findtext(f"{SVG}title")
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert all({room + "/", room + ".py"} & texts for room in ROOMS)


def test_texts_fit_into_their_boxes() -> None:
    house = House(ROOT)
    lines = {room: box(house, room, (0, 0)).count("<text") for room in ROOMS}
    assert max(lines.values()) <= 3, f"a name and two lines, no more: {lines}"


def test_an_arrow_that_a_longer_way_implies_is_left_out(tmp_path: Path) -> None:
    graders = tmp_path / "graders"
    graders.mkdir()
    (graders / "names.py").write_text("")
    (graders / "words.py").write_text("from graders import names")
    (graders / "cli.py").write_text("from graders import names, words")
    arrows = imported(House(tmp_path))
    assert (arrows["cli"], arrows["words"], arrows["names"]) == (["words"], ["names"], [])
    floor = floors(arrows)
    assert (floor["cli"], floor["words"], floor["names"]) == (0, 1, 2)
