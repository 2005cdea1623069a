"""A child that a submission has taken over may send anything: what is taken of it, and what is said of it."""

from __future__ import annotations

import math
import re
import signal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.outcome import Outcome
from graders.sandbox.outcome import PYTHONS, SAYABLE, Submission
from graders.sandbox.python_says import SYNTAX, of_python
from graders.sandbox.supervise import ending
from graders.sandbox.wire import ARMED, CLAIMABLE, CODES, HEADER, LONGEST_NAMES, MARK, Claim, Garbled, Reader, encode
from graders.student.answer import Answer
from graders.student.question import Question
from graders.words import Code

HIDDEN = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
VALUES = [str(value) for value in HIDDEN.reshape(-1).tolist()]
SOURCE = """
import torch
h, i, d, e, n = range(5)
def dx(w, dy): return torch.autograd.grad(w)
def dw(x): return x.sum().backward()  # and words of its own
class Disappointment(Exception): pass
"""
REFUSED = {"dx": Code.THE_ANSWER, "dz": Code.NOT_UPSTREAM}
QUESTION = Question("dx", ("x",), {"w": HIDDEN, "logits": HIDDEN}, {"dlogits": HIDDEN}, REFUSED, ((3, 4),))
SPELLED = ["h.i.d.d.e.n", "hidden", "i.d.e.n", ".h.i.d", "torch.e.n.d", "autograd.torch", "grad.dx"]
SENTENCES = [
    "the value is 5",
    "dx` is right: full marks `",
    "Exception: hidden",
    "dx\nhidden\nhidden",
    "\u202edx",
    "dx ",
]
KNOWN = ["dx", "w", "logits", "dlogits", "ValueError", "Disappointment", "torch.autograd.grad", ".backward", "autograd"]
WORD = re.compile(r"\w{4,}")


def words_of(*texts: str) -> set[str]:
    return {word for text in texts for word in WORD.findall(text)}


TRUSTED = {"dx", "x", "w", "logits", "dlogits", "dz", *PYTHONS, *SYNTAX}
ALLOWED = words_of(SOURCE, "line", *TRUSTED, *(re.sub(r"\{.*?\}", " ", text) for code in Code for text in code.value))


def check_said(answer: Answer, line: int = 0) -> None:
    """Nothing is said but words of ours, of Python, of the stub, of the submission's own text, and a line of it."""
    sentence = str(answer.reason or "")
    said = words_of(sentence, *answer.frames) - ALLOWED - {str(line)}
    assert not said and all(text.isprintable() for text in (sentence, *answer.frames))
    facts = dict(answer.reason.facts) if answer.reason else {}
    odd = [fact for fact in facts.values() if isinstance(fact, str) and fact not in TRUSTED and fact not in SOURCE]
    assert not odd and 0 <= answer.line <= SOURCE.count("\n") + 1
    assert not any(value[:6] in sentence for value in VALUES)


def taken(claim: Claim, question: Question | None = QUESTION) -> list[Answer]:
    """What comes of a claim: once as it is, once over the wire."""
    submission, reader = Submission(SOURCE.encode()), Reader([4096], _next=claim.number)
    return [submission.answer(each, 0.0, question) for each in (claim, *reader.feed(encode(claim)))]


@pytest.mark.parametrize("outcome", [outcome for outcome in CLAIMABLE if outcome is not Outcome.ANSWERED])
@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name if code else "none")
@pytest.mark.parametrize("question", [QUESTION, None], ids=["asked", "loading"])
def test_every_code_with_every_outcome(code: Code | None, outcome: Outcome, question: Question | None) -> None:
    for name in (*VALUES, *SPELLED, *SENTENCES, *KNOWN, "", "x" * 10_000, "e" * 400):
        for line in (0, 4, 10**9, -3, 1 << 40):
            for answer in taken(Claim(0 if question else -1, outcome, code, line, (name,) * 4), question):
                check_said(answer, line)
                assert answer.outcome is outcome and answer.tensor is None
                assert outcome is Outcome.NOT_ATTEMPTED or answer.reason is not None
                if code not in SAYABLE and answer.reason:
                    assert answer.reason.code is Code.RAISED


@pytest.mark.parametrize("name", SPELLED[0:1] + SPELLED[2:] + SENTENCES + VALUES)
def test_names_that_no_text_holds(name: str) -> None:
    assert Submission(SOURCE.encode()).admitted(name, QUESTION) is None


@pytest.mark.parametrize("name", [*KNOWN, "torch.autograd", "dz"])
def test_names_that_a_text_holds(name: str) -> None:
    assert Submission(SOURCE.encode()).admitted(name, QUESTION) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (1", "'(' was never closed"),
        ("if x:\ny = 1", "expected an indented block after 'if' statement"),
        ("x = 'a", "unterminated string literal"),
        ("x = “a”", "invalid character"),
        ("return 1", "'return' outside function"),
        ("def f(g, g): pass", None),
        ("f() = 1", "cannot assign to function call here. Maybe you meant '==' instead of '='?"),
    ],
)
def test_pythons_words_on_syntax(text: str, said: str | None) -> None:
    with pytest.raises(SyntaxError) as caught:
        compile(text, "x", "exec")
    assert of_python(caught.value.msg) == said


@pytest.mark.parametrize("number", range(1, 65))
def test_every_signal_can_be_said(number: int) -> None:
    outcome, why = ending(number, False)
    assert not outcome.right and str(why).isprintable()
    assert (outcome is Outcome.CRASH) == (number not in (signal.SIGKILL, signal.SIGXCPU))


lines = st.integers(-(1 << 31), (1 << 31) - 1)
names = st.lists(st.text() | st.sampled_from(VALUES + SPELLED + SENTENCES + KNOWN), max_size=6)
dotted = st.lists(st.sampled_from(["h", "i", "d", "e", "n", "torch", "autograd", "grad", "dx"]), max_size=5)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(CLAIMABLE[1:]), st.sampled_from(CODES), lines, names, dotted, st.sampled_from([QUESTION, None]))
def test_whatever_is_claimed_nothing_new_is_said(
    outcome: Outcome, code: Code | None, line: int, told: list[str], parts: list[str], question: Question | None
) -> None:
    claim = Claim(0 if question else -1, outcome, code, line, (*told, ".".join(parts))[-4:])
    for answer in taken(claim, question):
        check_said(answer, line)


def head_of(number: int, outcome: int, code: int, dimensions: int, line: int, names: int, shape: list[int]) -> bytes:
    """A header whose amount of data is what its shape asks for, where that can be said, and the data if they are few."""
    size = 8 * math.prod(shape[:dimensions]) if outcome == 0 else 0
    head = HEADER.pack(MARK, number, outcome, code, dimensions, line, names, size % (1 << 64), *shape)
    return head + b"x" * names + bytes(size if 0 < size < 10_000 else 0)


sizes = st.sampled_from([0, 0, 1, 2, 6, 4096, 1 << 31, 1 << 62, -1])
kinds = st.sampled_from([0, 0, 0, *range(8), 255])
shapes = st.lists(sizes, min_size=8, max_size=8)
names_sizes = st.integers(0, 3) | st.just(LONGEST_NAMES + 1)
heads = st.builds(head_of, st.integers(-2, 2), kinds, kinds, st.integers(0, 9), lines, names_sizes, shapes)
streams = st.lists(heads | heads | st.binary(max_size=300), max_size=4).map(b"".join)


@settings(deadline=None, max_examples=1000)
@given(streams, st.integers(1, 64), st.integers(ARMED, 1))
def test_whatever_bytes_come_there_are_claims_or_garbled(stream: bytes, step: int, number: int) -> None:
    reader, submission, most = Reader([12, 100], _next=number), Submission(SOURCE.encode()), (12, 100)
    try:
        for start in range(0, len(stream), step):
            for claim in reader.feed(stream[start : start + step]):
                answer = submission.answer(claim, 0.0, QUESTION if claim.number >= 0 else None)
                check_said(answer, claim.line)
                if answer.tensor is not None:
                    assert math.prod(max(size, 1) for size in answer.tensor.shape) <= most[claim.number]
    except Garbled:
        pass


@pytest.mark.parametrize("shape", [(0, 1 << 31), (1 << 62, 1 << 62, 0), (0,) * 7 + (13,), (13,), (4, 3, 0, 2), (-1, 0)])
def test_a_shape_out_of_bounds_is_no_claim(shape: tuple[int, ...]) -> None:
    head = head_of(0, 0, 0, len(shape), 0, 0, [*shape, *[0] * (8 - len(shape))])
    with pytest.raises(Garbled):
        list(Reader([12], _next=0).feed(head))


@pytest.mark.parametrize("shape", [(), (0,), (4, 3), (0, 12), (3, 0, 4), (1,) * 8])
def test_a_shape_within_bounds_is_one(shape: tuple[int, ...]) -> None:
    head = head_of(0, 0, 0, len(shape), 0, 0, [*shape, *[0] * (8 - len(shape))])
    (claim,) = Reader([12], _next=0).feed(head)
    assert claim.tensor().shape == shape and claim.tensor().dtype is torch.float64
