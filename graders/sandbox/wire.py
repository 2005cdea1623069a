"""What comes back from a child: a stream of claims, and how the supervisor reads it.

A claim is a fixed header, one short capped text of names, and raw float64 bytes. No sentence comes back: a claim holds
an outcome, a code of words.py, a line number and names, which outcome.py takes only if it finds them in a text that it
has. The supervisor reads no length that it has not capped beforehand.
"""

import itertools
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graders.outcome import Outcome
from graders.student.answer import Answer
from graders.words import Code

CLAIMABLE = (  # what a child may say, by its place here; everything else is the supervisor's to say
    Outcome.ANSWERED,
    Outcome.NOT_ATTEMPTED,
    Outcome.ERROR,
    Outcome.BAD_OUTPUT,
    Outcome.FORBIDDEN,
    Outcome.MEMORY,
)
CODES = (None, *Code)
NAMES = ("name", "kind", "close", "words")  # the facts that may cross, in this order; the last of CPython


LONGEST_NAMES = 400  # bytes, of all names of a claim
MOST_DIMENSIONS = 8
MARK = b"BNC2"
HEADER = struct.Struct("<4siBBBiIQ8q")  # mark, number, outcome, code, dimensions, line, bytes of names, of data, shape
ARMED, LOADED = -2, -1  # claims about no answer: all guards are up; the module's text has run
READY, ENDED, COMPUTED = b"R", b"E", b"C"  # of the zygote: it serves; a child ended; what a child has computed
WORD = struct.Struct("<ciq")  # of the kernel: which of these, the wait status, the processor time in ns, or -1


@dataclass(frozen=True)
class Claim:
    """One message of a child. ARMED and LOADED stand in the place of an answer's number."""

    number: int
    outcome: Outcome
    code: Code | None = None
    line: int = 0
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    data: bytes = b""

    def tensor(self) -> Tensor:
        flat = torch.frombuffer(bytearray(self.data), dtype=torch.float64) if self.data else torch.empty(0)
        return flat.to(torch.float64).reshape(self.shape)


def claim_of(number: int, answer: Answer) -> Claim:
    """What a child says of an answer: of its reason only the code and names."""
    if answer.tensor is None:
        facts = dict(answer.reason.facts) if answer.reason else {}
        names = tuple(str(facts.get(name, "")) for name in NAMES)
        return Claim(number, answer.outcome, answer.reason.code if answer.reason else None, answer.line, names)
    shape = tuple(int(size) for size in answer.tensor.shape)
    remark = answer.reason.code if answer.reason else None
    return Claim(number, answer.outcome, remark, shape=shape, data=answer.tensor.contiguous().numpy().tobytes())


def encode(claim: Claim) -> bytes:
    names = "\n".join(name.replace("\n", " ") for name in claim.names).encode("utf-8", "replace")[:LONGEST_NAMES]
    shape = claim.shape + (0,) * (MOST_DIMENSIONS - len(claim.shape))
    codes = CLAIMABLE.index(claim.outcome), CODES.index(claim.code)
    sizes = len(names), len(claim.data)
    head = HEADER.pack(MARK, claim.number, *codes, len(claim.shape), claim.line & 0x7FFFFFFF, *sizes, *shape)
    return b"".join((head, names, claim.data))


class Garbled(Exception):
    """Bytes that are no claim, or one that may not be made."""


@dataclass
class Reader:
    """Takes a child's bytes as they come; `most` holds the number of elements allowed for each answer."""

    most: Sequence[int]
    _rest: bytearray = field(default_factory=bytearray)
    _next: int = ARMED

    def feed(self, data: bytes) -> Iterator[Claim]:
        """Every claim that is complete by now. Raises Garbled."""
        self._rest += data
        while len(self._rest) >= HEADER.size:
            mark, number, outcome, code, dimensions, line, names, size, *shape = HEADER.unpack_from(self._rest)
            if mark != MARK or number != self._next or dimensions > MOST_DIMENSIONS or names > LONGEST_NAMES:
                raise Garbled
            if outcome >= len(CLAIMABLE) or code >= len(CODES):
                raise Garbled
            self._check_tensor(number, CLAIMABLE[outcome], shape[:dimensions], size)
            if len(self._rest) < HEADER.size + names + size:
                return
            ends = list(itertools.accumulate((names, size), initial=HEADER.size))
            parts = [bytes(self._rest[start:end]) for start, end in itertools.pairwise(ends)]
            del self._rest[: ends[-1]]
            self._next += 1
            own = tuple(parts[0].decode("utf-8", "replace").split("\n"))
            yield Claim(number, CLAIMABLE[outcome], CODES[code], max(line, 0), own, tuple(shape[:dimensions]), parts[1])

    def _check_tensor(self, number: int, outcome: Outcome, shape: Sequence[int], size: int) -> None:
        most = self.most[number] if 0 <= number < len(self.most) else 0
        answered = number >= 0 and outcome is Outcome.ANSWERED
        wanted = math.prod(shape) if answered else 0
        if number >= len(self.most) or any(s < 0 for s in shape) or size != 8 * wanted:
            raise Garbled
        if answered and extent(shape) > most:
            raise Garbled


def extent(shape: Sequence[int]) -> int:
    """The number of elements, where an empty dimension counts as one: beside it, others could be of any size."""
    return math.prod(max(size, 1) for size in shape)
