"""LaTeX in a terminal: the same mathematics, brackets included."""

from __future__ import annotations

import re

import pytest

from graders.exercise.module import load, references
from graders.report.mathematics import WIDTH, formula, plain
from tests.support.stubs import REFERENCE

FORMULAS = [
    (r"\frac{\partial L}{\partial p_{ij}}", "∂L/∂pᵢⱼ"),
    (r"\frac{n}{n-1}", "n/(n-1)"),
    (r"\frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}}", "(xᵢⱼ - μⱼ)/(√(σⱼ² + ε))"),
    (r"-\frac{1}{n} \sum_k \ell_{k y_k}", "-1/n ∑ₖ ℓ_(k yₖ)"),
    (r"e^{u_{ij}}", "e^(uᵢⱼ)"),
    (r"s_i^{-1-1} = -s_i^{-2}", "sᵢ⁻¹⁻¹ = -sᵢ⁻²"),
    (r"(W^T)_{jk}", "(Wᵀ)ⱼₖ"),
    (r"\hat x_{ij} \bar{v}", "x\u0302ᵢⱼ v\u0304"),
    (r"\left(1 - \tanh^2 a\right)", "(1 - tanh² a)"),
    (r"\begin{cases} -\frac{1}{n} & j = y_i \\ 0 & j \ne y_i. \end{cases}", "{ -1/n, j = yᵢ; 0, j ≠ yᵢ."),
    (r"\text{rows of } x_b", "rows of x_b"),
    (r"\tfrac12", "1/2"),
]


@pytest.mark.parametrize(("latex", "shown"), FORMULAS, ids=[row[0] for row in FORMULAS])
def test_a_formula(latex: str, shown: str) -> None:
    assert formula(latex) == shown


def test_code_stays_as_it_is_and_text_is_wrapped() -> None:
    text = "Words " * 30 + "\n\n    d = x * 2   # as typed, " + "long " * 20 + "\n\nSo $$ a = b $$ holds."
    words, code, end = plain(text).split("\n\n")
    assert max(map(len, words.splitlines())) <= WIDTH and code == text.split("\n\n")[1]
    assert end == "So\n    a = b\nholds."


@pytest.mark.parametrize("path", references(REFERENCE), ids=lambda path: path.stem)
def test_no_latex_is_left_of_any_derivation(path) -> None:  # type: ignore[no-untyped-def]
    for item in load(path).items:
        for text in (item.derivation, *item.hints):
            shown = plain(text)
            assert not re.search(r"[\\$]|\^\{|_\{", shown), shown
            assert max(map(len, [*shown.splitlines(), ""])) <= WIDTH
