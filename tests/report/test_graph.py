"""The compute graph: laid out without overlaps, its states told by colour and by shape."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from graders.grading.grade import kits_in
from graders.report import graph, signs
from graders.report.pages import Forward
from graders.report.tally import GROUPS
from tests.support.stubs import EXERCISES

CONSUMERS = {"a<b": ["b", "loss"], "b": ["loss"]}


def drawn(kind: str, here: str = "") -> str:
    return graph.svg(graph.layout(CONSUMERS), {"b": (kind, "so & so")}, "A graph", here)


def test_the_layout_has_no_overlaps() -> None:
    for kit in kits_in(EXERCISES):
        layout = Forward(kit).layout
        boxes = [(n.x - n.width / 2, n.x + n.width / 2, n.y) for n in layout.nodes]
        for at, (left, right, y) in enumerate(boxes):
            assert left >= 0 and right <= layout.width and 0 < y < layout.height
            assert not [b for b in boxes[at + 1 :] if b[2] == y and b[0] < right and left < b[1]], kit.exercise.identity


def test_depths_are_the_longest_ways() -> None:
    assert graph.depths({"c": ["loss"], "b": ["c"], "a": ["b", "c"]}) == {"loss": 0, "c": 1, "b": 2, "a": 3}


def test_every_arrow_has_its_tip() -> None:
    assert drawn("passed").count(graph.TIP) == 3


@pytest.mark.parametrize("kind", GROUPS)
def test_it_is_xml_and_says_everything_in_words(kind: str) -> None:
    root = ElementTree.fromstring(drawn(kind))
    assert root.get("aria-label") == "A graph"
    titles = ["".join(element.itertext()) for element in root.iter("title")]
    assert titles == ["a<b: given", "b: so & so", "loss: given"]


def test_colour_and_shape_each_tell_the_states_apart() -> None:
    pictures = {kind: drawn(kind) for kind in (*GROUPS, "given")}
    colourless = {re.sub(r"var\([^)]*\)", "", picture) for picture in pictures.values()}
    assert len(colourless) == len(pictures)
    assert len({signs.colour(kind) for kind in GROUPS}) == len(GROUPS)


def test_colours_hold_where_no_style_sheet_is() -> None:
    for kind in GROUPS:
        assert not re.findall(r"var\(--\w+\)", drawn(kind)), "a variable without a colour of its own"
        assert " class=" not in drawn(kind), "a class that a notebook's own style sheet could know"


def test_the_tensor_in_question_stands_out() -> None:
    assert 'font-weight="bold">b<' in drawn("wrong", here="b")
    assert "bold" not in drawn("wrong")
