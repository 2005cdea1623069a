"""Right, wrong, or no tensor at all; and the lecture's line."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graders.oracle.compare import Match, match, same_up_to_ones
from graders.oracle.lecture_line import line
from graders.student.returned import NotATensor, as_tensor

EXPECTED = torch.tensor([[1.0, -2.0, 4.0]], dtype=torch.float64)

ANSWERS = [
    ("the same", EXPECTED.clone(), Match.RIGHT),
    ("rounding noise", EXPECTED * (1 + 1e-13), Match.RIGHT),
    ("float32 inside", EXPECTED.float().double() * (1 + 3e-8), Match.ROUNDED),
    ("off by a millionth and a half", EXPECTED * (1 + 1.5e-6), Match.WRONG),
    ("one entry off", EXPECTED + torch.tensor([[0, 0, 1e-4]]), Match.WRONG),
    ("one dimension less", EXPECTED[0], Match.RIGHT),
    ("transposed", EXPECTED.T, Match.RIGHT),  # (3, 1) for (1, 3): equal up to ones
    ("would broadcast", torch.tensor([1.0], dtype=torch.float64), Match.SHAPE),
    ("too many", EXPECTED.expand(2, 3), Match.SHAPE),
    ("NaN", EXPECTED * math.nan, Match.NOT_FINITE),
    ("infinite", EXPECTED / 0, Match.NOT_FINITE),
    ("zeros", EXPECTED * 0, Match.WRONG),
]


@pytest.mark.parametrize(("what", "answer", "verdict"), ANSWERS, ids=[a[0] for a in ANSWERS])
def test_match(what: str, answer: Tensor, verdict: Match) -> None:
    assert match(answer, EXPECTED) is verdict


def test_zero_expected_takes_zero_only() -> None:
    zero = torch.zeros(3, dtype=torch.float64)
    assert match(zero.clone(), zero) is Match.RIGHT
    assert match(zero + 1e-30, zero) is Match.WRONG


TAKEN = [
    3,
    2.5,
    True,
    np.float32(1.5),
    np.arange(3),
    np.ones((2, 2), np.float32),
    torch.arange(3),
    torch.ones(2).half(),
]
REFUSED = [None, "no", [1, 2], (EXPECTED, EXPECTED), {}, np.array(["a"]), np.array([1j]), EXPECTED + 1j, EXPECTED.to_sparse(), object()]  # fmt: skip


@pytest.mark.parametrize("answer", TAKEN, ids=repr)
def test_numbers_and_arrays_are_taken(answer: object) -> None:
    assert as_tensor(answer, torch.float64).dtype is torch.float64


@pytest.mark.parametrize("answer", REFUSED, ids=lambda a: type(a).__name__)
def test_anything_else_is_refused_in_words(answer: object) -> None:
    with pytest.raises(NotATensor, match="returned"):
        as_tensor(answer, torch.float64)


def test_views_read_only_arrays_and_grad_are_no_matter() -> None:
    frozen = np.broadcast_to(np.float64(2.0), (2, 3))
    assert as_tensor(frozen, torch.float64).shape == (2, 3)
    assert not as_tensor(torch.ones(3, requires_grad=True) * 2, torch.float64).requires_grad
    assert as_tensor(torch.ones(2, 3).T, torch.float64).shape == (3, 2)


ONES = np.arange(6.0).reshape(2, 3)
ARRAYS = {
    "negative strides": ONES[::-1, ::-1][::-1, ::-1],
    "bytes swapped": ONES.astype(">f8"),
    "bytes swapped, single": ONES.astype(">f4"),
    "by columns": np.asfortranarray(ONES),
    "long double": ONES.astype(np.longdouble),
    "half": ONES.astype(np.float16),
    "integers": ONES.astype("uint16"),
    "bytes swapped integers": ONES.astype(">i8"),
    "objects": ONES.astype(object),
    "nothing masked": np.ma.masked_array(ONES, mask=False),
    "a parameter": torch.nn.Parameter(torch.from_numpy(ONES)),
    "a class of its own": torch.from_numpy(ONES).as_subclass(type("Mine", (torch.Tensor,), {})),
    "integer tensor": torch.from_numpy(ONES).int(),
    "transposed": torch.from_numpy(ONES.T.copy()).T,
}


@pytest.mark.parametrize("what", ARRAYS)
def test_whatever_holds_the_numbers_is_the_same_tensor(what: str) -> None:
    given = ARRAYS[what]
    with warnings.catch_warnings(action="error"):
        tensor = as_tensor(given, torch.float64)
    assert type(tensor) is torch.Tensor and not tensor.requires_grad
    assert torch.equal(tensor, torch.from_numpy(ONES))
    if isinstance(given, np.ndarray):
        tensor += 1
        assert np.array_equal(np.array(given, dtype=float), ONES), "it is a copy"


@pytest.mark.parametrize("value", [np.longdouble(1.5), np.float16(1.5), np.array(1.5), np.array(1.5, object), 1.5, np.array([1.5])[0]], ids=repr)  # fmt: skip
def test_numbers_of_every_precision_are_numbers(value: object) -> None:
    assert as_tensor(value, torch.float64).item() == 1.5


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_what_is_empty_keeps_its_shape(shape: tuple[int, ...]) -> None:
    assert (
        as_tensor(np.zeros(shape), torch.float64).shape == as_tensor(torch.zeros(shape), torch.float64).shape == shape
    )


TOLD = [
    (np.ma.masked_array(ONES, mask=ONES > 4), "returned a masked array, some of whose entries have no value: fill them, `.filled(0)`"),
    (np.array([1.0, "a"], dtype=object), "returned values of type object, which no tensor can hold"),
    (np.array([None]), "returned values of type object, which no tensor can hold"),
    (np.array(["1.5"]), "returned values of type <U3, which no tensor can hold"),
    (np.array(["2020-01-01"], "datetime64[D]"), "returned values of type datetime64[D], which no tensor can hold"),
    (10**400, "returned values of type int, which no tensor can hold"),
    (1j, "returned complex numbers: return a dense tensor of real numbers"),
    (np.complex64(1j), "returned complex numbers: return a dense tensor of real numbers"),
    ([[1.0, 2.0]], "returned a list of 1: return one tensor (torch.tensor of numbers, torch.stack of tensors)"),
    ((torch.ones(2),), "returned a tuple of 1: is there a comma at the end of the `return`? It makes a tuple."),
    ((), "returned a tuple of 0: return one tensor (torch.tensor of numbers, torch.stack of tensors)"),
    (torch.zeros_like, "returned a function: are the brackets missing that call it?"),
    ({}, "returned a dict: return one tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "told"), TOLD, ids=[repr(row[0])[:40] for row in TOLD])
def test_what_is_refused_is_called_by_its_name(value: object, told: str) -> None:
    with pytest.raises(NotATensor) as caught:
        as_tensor(value, torch.float64)
    assert str(caught.value) == told


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(shapes, st.integers(0, 4))
def test_ones_do_not_count_in_shapes(shape: tuple[int, ...], at: int) -> None:
    wider = (*shape[:at], 1, *shape[at:])
    assert same_up_to_ones(torch.Size(wider), torch.Size(shape))


@given(shapes, st.floats(1e-300, 1e300), st.integers(0, 2**30))
def test_the_verdict_does_not_depend_on_scale(shape: tuple[int, ...], scale: float, seed: int) -> None:
    expected = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert match(expected * scale, expected * scale) is Match.RIGHT
    assert match(expected * scale * 1.001, expected * scale) is Match.WRONG


def test_the_lectures_line() -> None:
    answer = torch.tensor([1.0, 2.0])
    assert str(line("logprobs", answer, answer)) == ("logprobs        | exact: True  | approximate: True  | maxdiff: 0")
    assert str(line("b1", answer + 0.5, answer)) == (
        "b1              | exact: False | approximate: False | maxdiff: 0.5"
    )
