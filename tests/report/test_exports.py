"""A spreadsheet takes no cell for a formula, and what was escaped can be read back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.report.exports import FORMULA, NUMBER, cell

SIGNS = "=+-@\t\r\n＝＋－＠"
TEXTS = st.text(st.sampled_from("'=+-@\t\r\n＝＋－＠1.aä"), max_size=8) | st.text()


def read_back(shown: str) -> str:
    return shown[1:] if shown.startswith("'") and FORMULA.match(shown) else shown


@given(TEXTS)
def test_no_cell_begins_like_a_formula_and_every_text_comes_back(text: str) -> None:
    shown = cell(text)
    assert shown[:1] not in tuple(SIGNS) or NUMBER.fullmatch(shown)
    assert read_back(shown) == text


@given(
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6).map(lambda x: round(x, 3))
)
def test_numbers_stay_numbers(number: float) -> None:
    text = f"{number:.3f}" if isinstance(number, float) else str(number)
    assert cell(text) == text


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_is_harmless_after_csv_too(sign: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerow([cell(f"{sign}cmd|' /C calc'!A0")])
    ((shown,),) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert shown == f"'{sign}cmd|' /C calc'!A0"
