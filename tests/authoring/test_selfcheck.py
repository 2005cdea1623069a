"""The kit's check of itself holds, and would tell if it did not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from graders.authoring import selfcheck
from graders.authoring.figures import Tally
from graders.exercise.module import references
from tests.support.stubs import NINJA, REFERENCE


@cache
def tallies() -> dict[str, Tally]:
    return {path.stem: selfcheck.check(path, seeds=2) for path in references(REFERENCE)}


@pytest.mark.parametrize("name", [path.stem for path in references(REFERENCE)])
def test_nothing_is_amiss(name: str) -> None:
    tally = tallies()[name]
    assert tally.faults == []
    assert tally.survivors == tally.rejections == tally.misnamed == 0
    assert tally.named == tally.wrong > 0 and tally.mutants > 0 and tally.right > 1


def test_most_wrong_answers_are_named_by_the_graph_alone() -> None:
    assert sum(t.named_by_graph for t in tallies().values()) >= 0.6 * sum(t.wrong for t in tallies().values())


BROKEN = [
    ("reference", "ex2_cross_entropy.py", ("dlogits /= n", "dlogits /= n + 1"), "the reference's dlogits is wrong"),
    ("wrong", "wrong/ex2_cross_entropy.py", None, "is accepted"),
    ("right", "right/ex2_cross_entropy.py", None, "rejected at"),
    ("equivalent", "equivalent/ex2_cross_entropy.toml", None, "a mutant survives"),
]


@pytest.mark.parametrize(("what", "name", "edit", "sentence"), BROKEN, ids=[b[0] for b in BROKEN])
def test_it_tells_what_is_amiss(
    what: str, name: str, edit: tuple[str, str] | None, sentence: str, tmp_path: Path
) -> None:
    unit = tmp_path / NINJA
    for part in ("", "wrong", "right", "equivalent"):
        (unit / part).mkdir(parents=True, exist_ok=True)
        for file in (REFERENCE / NINJA / part).glob("ex2_cross_entropy.*"):
            (unit / part / file.name).write_text(file.read_text())
    path = unit / name
    text = path.read_text()
    answer = "\n\ndef dlogits__extra(logits, Yb):\n    '''{}'''\n    p = torch.softmax(logits, 1)\n    p[range(len(Yb)), Yb] -= {}\n    return p / len(Yb)\n"
    if edit:
        assert edit[0] in text, text
        path.write_text(text.replace(*edit))
    elif what == "wrong":
        path.write_text(text + answer.format("sign: never.", 1))
    elif what == "right":
        path.write_text(text + answer.format("Not right.", 2))
    else:
        path.unlink()
    tally = selfcheck.check(unit / "ex2_cross_entropy.py", seeds=1)
    assert any(sentence in fault for fault in tally.faults), tally.faults
