"""Heat maps: one look wherever they stand, and nothing in a tensor that they hide."""

from __future__ import annotations

import base64
import math
import re

import pytest
import torch
from torch import Tensor

from graders.grading.difference import keep
from graders.report import heatmaps
from graders.report.heatmaps import NEGATIVE, NOT_FINITE, POSITIVE, STEPS, compared, recalled
from tests.support.png import chunk, pixels_of

EXPECTED = torch.tensor([[1.0, -2.0, 0.0], [0.5, 4.0, -4.0]], dtype=torch.float64)


def files(html: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]*)"', html)]


def colours(file: bytes) -> list[tuple[int, ...]]:
    """(red, green, blue, opacity) of each pixel."""
    width = int.from_bytes(chunk(file, b"IHDR")[:4], "big")
    palette, opacity = chunk(file, b"PLTE"), chunk(file, b"tRNS")
    indices = [index for at, index in enumerate(pixels_of(file)) if at % (width + 1)]
    return [(*palette[3 * index : 3 * index + 3], opacity[index]) for index in indices]


def captions(html: str) -> list[str]:
    return [re.sub("<[^>]*>", "", text) for text in re.findall(r"<figcaption.*?</figcaption>", html)]


def sizes(html: str) -> list[tuple[int, int]]:
    return [(int(w), int(h)) for w, h in re.findall(r"aspect-ratio:(\d+)/(\d+)", html)]


def test_colours_run_from_negative_over_nothing_to_positive() -> None:
    yours, autograd, difference = map(colours, files(compared(EXPECTED, EXPECTED)))
    assert yours == autograd
    assert autograd[5] == (*NEGATIVE, 255) and autograd[4] == (*POSITIVE, 255)
    assert autograd[1][:3] == NEGATIVE and autograd[1][3] == pytest.approx(255 / 2, abs=2)
    assert autograd[2][3] == 0, "zero is the paper, light or dark"
    assert {alpha for *_, alpha in difference} == {0}


def test_a_kept_difference_looks_as_the_answer_did() -> None:
    """So a page and nbgrader's feedback look as the cell did."""
    answer = EXPECTED + torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.5]], dtype=torch.float64)
    kept, seen = recalled(keep(answer, EXPECTED), EXPECTED), compared(answer, EXPECTED)
    assert captions(kept) == captions(seen) == ["yours (2, 3) ±4", "autograd (2, 3) ±4", "difference (2, 3) ±1"]
    assert [file[:800] for file in files(kept)] == [file[:800] for file in files(seen)], "size and palette"
    for mine, theirs in zip(files(kept), files(seen), strict=True):
        apart = [abs(a - b) for a, b in zip(pixels_of(mine), pixels_of(theirs), strict=True)]
        assert max(apart) <= 1, "the difference is kept in steps"
    assert recalled("", EXPECTED) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_seen(value: float) -> None:
    answer = EXPECTED.clone()
    answer[0, 1] = value
    html = compared(answer, EXPECTED)
    yours, autograd, difference = map(colours, files(html))
    assert yours[1] == difference[1] == (*NOT_FINITE, 255)
    assert NOT_FINITE not in {colour[:3] for colour in autograd}
    assert [caption.endswith("■ 1 not finite") for caption in captions(html)] == [True, False, True]


@pytest.mark.parametrize(
    ("shape", "caption", "rows", "columns"),
    [((), "()", 1, 1), ((5,), "(5,)", 1, 5), ((4, 3, 2), "(4, 3, 2)", 4, 6), ((64, 1), "(64, 1)", 64, 1)],
)
def test_every_shape_is_a_matrix(shape: tuple[int, ...], caption: str, rows: int, columns: int) -> None:
    html = compared(torch.ones(shape), torch.ones(shape))
    assert captions(html)[1] == f"autograd {caption} ±1"
    assert html.count(f'alt="autograd, {rows} by {columns}"') == 1
    assert len(colours(files(html)[1])) == rows * columns


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (1, 1), (30, 20)])
def test_none_is_too_thin_or_too_large(shape: tuple[int, int]) -> None:
    for width, height in sizes(compared(torch.ones(shape), torch.ones(shape))):
        assert min(width, height) >= heatmaps.THINNEST and max(width, height) <= heatmaps.PANEL


@pytest.mark.parametrize("answer", [torch.ones(3, 2), torch.ones(0), torch.ones(0, 3)])
def test_without_a_common_shape_there_is_no_difference(answer: Tensor) -> None:
    html = compared(answer, EXPECTED)
    assert captions(html)[2] == "difference: none, the shapes differ"
    assert len(files(html)) == (2 if answer.numel() else 1)


def test_ones_more_or_less_are_no_other_shape() -> None:
    assert captions(compared(torch.ones(4), torch.ones(1, 4)))[::2] == ["yours (4,) ±1", "difference (1, 4) ±0"]


def test_zeros_have_a_scale_too() -> None:
    html = compared(torch.full((2, 2), 3.0), torch.zeros(2, 2))
    assert captions(html) == ["yours (2, 2) ±3", "autograd (2, 2) ±0", "difference (2, 2) ±3"]
    assert STEPS * 2 + 1 < 256
