"""What crosses the boundary, and its encoding. Nothing here runs, imports or unpickles what it reads.

Towards the child goes one sealed file: the length of an index, the index (JSON that the supervisor
wrote), then raw tensor bytes. Back comes a stream of claims, each a fixed header, two short capped
texts and raw float64 bytes. The supervisor reads no length that it has not capped beforehand.
"""

from __future__ import annotations

import itertools
import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from graders.sandbox.outcome import Outcome

CLAIMABLE = (  # what a child may say, by its place here; everything else is the supervisor's to say
    Outcome.ANSWERED,
    Outcome.NOT_ATTEMPTED,
    Outcome.ERROR,
    Outcome.BAD_OUTPUT,
    Outcome.FORBIDDEN,
    Outcome.MEMORY,
)


@dataclass(frozen=True)
class Limits:
    """What one submission may use. `memory_bytes` comes on top of what the idle zygote maps.

    Behind the first two stand wall clocks, see clock.py.
    """

    seconds: float = 10.0  # of processor time, for loading the module and for every call
    total_seconds: float = 120.0  # of processor time, for the whole submission
    cpu_seconds: int = 60  # of one child, held by the kernel
    memory_bytes: int = 1 << 30
    output_bytes: int = 1 << 20  # printed, over the whole submission
    import_operations: int = 20_000


@dataclass(frozen=True)
class Ask:
    """One call of one of the student's functions, as `student.ask` offers and refuses names.

    `index` picks one of the `returned` gradients of a function that returns several.
    """

    function: str
    case: int
    upstream: Mapping[str, Tensor]
    refused: Mapping[str, str]
    shape: tuple[int, ...]
    budget: int
    index: int | None = None
    returned: int = 1

    @property
    def most_elements(self) -> int:
        return 64 * math.prod(self.shape) + 4096


@dataclass(frozen=True)
class Reply:
    """What came back, as far as it can be known. An answer is a claim until it is compared."""

    outcome: Outcome
    answer: Tensor | None = None
    message: str = ""
    line: int = 0
    frames: tuple[str, ...] = ()
    seconds: float = 0.0


LONGEST_SOURCE = 64 * 1024
LONGEST_TEXT = 4000  # bytes of a message, or of all frames
MOST_DIMENSIONS = 8
MARK = b"BNC1"
HEADER = struct.Struct("<4siBBiIIQ8q")  # mark, ask, outcome, dimensions, line, 2 texts, bytes, shape
ARMED, LOADED = -2, -1  # claims about no ask: all guards are up; the module's text has run
KINDS = {str(t).removeprefix("torch."): t for t in (torch.float64, torch.float32, torch.int64, torch.bool)}


class _Index:
    """Collects tensors into one block of bytes; each is stored once and named by its place."""

    def __init__(self) -> None:
        self.block = bytearray()
        self._kept: dict[int, tuple[Tensor, list[Any]]] = {}  # keeps them alive, so ids stay unique

    def of(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            if value is None or isinstance(value, (bool, int, float, str)):
                return value
            raise TypeError(f"a {type(value).__name__} cannot be handed to a submission")
        if id(value) not in self._kept:
            kind = str(value.dtype).removeprefix("torch.")
            if kind not in KINDS:
                raise TypeError(f"a tensor of {kind} cannot be handed to a submission")
            self._kept[id(value)] = value, [kind, list(value.shape), len(self.block)]
            self.block += value.detach().contiguous().numpy().tobytes()
            self.block += bytes(-len(self.block) % 16)
        return self._kept[id(value)][1]

    def all(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.of(value) for name, value in values.items()}


def pack(
    source: bytes,
    cases: Sequence[Mapping[str, Any]],
    asks: Sequence[Ask],
    limits: Limits,
    static_check: bool,
    watch: bool,
) -> bytes:
    """The task for one child. Raises TypeError for values that no student could be given."""
    index = _Index()
    sentences: dict[int, tuple[int, Mapping[str, str]]] = {}  # by identity: the asks share them, and keep them alive
    task = {
        "source": len(source),
        "cases": [index.all(case) for case in cases],
        "asks": [
            {
                "function": ask.function,
                "case": ask.case,
                "upstream": index.all(ask.upstream),
                "refused": sentences.setdefault(id(ask.refused), (len(sentences), ask.refused))[0],
                "most_elements": ask.most_elements,
                "budget": ask.budget,
                "index": ask.index,
                "returned": ask.returned,
            }
            for ask in asks
        ],
        "refused": [dict(refused) for _, refused in sentences.values()],
        "limits": asdict(limits),
        "static_check": static_check,
        "watch": watch,
    }
    head = json.dumps(task).encode()
    head += b" " * (-(4 + len(head) + len(source)) % 16)
    return b"".join((struct.pack("<I", len(head)), head, source, index.block))


@dataclass(frozen=True)
class Task:
    """The child's view of what `pack` wrote."""

    task: dict[str, Any]
    source: bytes
    block: memoryview

    def values(self, places: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(place) for name, place in places.items()}

    def _value(self, place: Any) -> Any:
        if not isinstance(place, list):
            return place
        kind, shape, start = place
        count = math.prod(shape)
        if not count:
            return torch.empty(shape, dtype=KINDS[kind])
        return torch.frombuffer(self.block, dtype=KINDS[kind], count=count, offset=start).view(shape)


def unpack(data: bytearray) -> Task:
    (length,) = struct.unpack_from("<I", data)
    task = json.loads(bytes(data[4 : 4 + length]))
    start = 4 + length + task["source"]
    return Task(task, bytes(data[4 + length : start]), memoryview(data)[start:])


@dataclass(frozen=True)
class Claim:
    """One message of a child. ARMED and LOADED stand in the place of an ask's number."""

    ask: int
    outcome: Outcome
    message: str = ""
    line: int = 0
    frames: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    data: bytes = b""

    def tensor(self) -> Tensor:
        flat = torch.frombuffer(bytearray(self.data), dtype=torch.float64) if self.data else torch.empty(0)
        return flat.to(torch.float64).reshape(self.shape)


def encode(claim: Claim) -> bytes:
    message = claim.message.encode("utf-8", "replace")[:LONGEST_TEXT]
    frames = "\n".join(claim.frames).encode("utf-8", "replace")[:LONGEST_TEXT]
    shape = claim.shape + (0,) * (MOST_DIMENSIONS - len(claim.shape))
    sizes = len(message), len(frames), len(claim.data)
    code, line = CLAIMABLE.index(claim.outcome), claim.line & 0x7FFFFFFF
    head = HEADER.pack(MARK, claim.ask, code, len(claim.shape), line, *sizes, *shape)
    return b"".join((head, message, frames, claim.data))


class Garbled(Exception):
    """Bytes that are no claim, or one that may not be made."""


@dataclass
class Reader:
    """Takes a child's bytes as they come; `most` holds the number of elements allowed for each ask."""

    most: Sequence[int]
    _rest: bytearray = field(default_factory=bytearray)
    _next: int = ARMED

    def feed(self, data: bytes) -> Iterator[Claim]:
        """Every claim that is complete by now. Raises Garbled."""
        self._rest += data
        while len(self._rest) >= HEADER.size:
            mark, ask, code, dimensions, line, *sizes_and_shape = HEADER.unpack_from(self._rest)
            sizes, shape = sizes_and_shape[:3], tuple(sizes_and_shape[3:][:dimensions])
            if mark != MARK or ask != self._next or dimensions > MOST_DIMENSIONS:
                raise Garbled
            if code >= len(CLAIMABLE) or max(sizes[:2]) > LONGEST_TEXT:
                raise Garbled
            self._check_tensor(ask, CLAIMABLE[code], shape, sizes[2])
            if len(self._rest) < HEADER.size + sum(sizes):
                return
            ends = list(itertools.accumulate(sizes, initial=HEADER.size))
            parts = [bytes(self._rest[start:end]) for start, end in itertools.pairwise(ends)]
            del self._rest[: ends[-1]]
            message, frames = (part.decode("utf-8", "replace") for part in parts[:2])
            shown = tuple(printable(frame)[:200] for frame in frames.split("\n")[:8] if frame)
            self._next += 1
            yield Claim(ask, CLAIMABLE[code], printable(message), max(line, 0), shown, shape, parts[2])

    def _check_tensor(self, ask: int, outcome: Outcome, shape: tuple[int, ...], size: int) -> None:
        most = self.most[ask] if 0 <= ask < len(self.most) else 0
        wanted = math.prod(shape) if ask >= 0 and outcome is Outcome.ANSWERED else 0
        if ask >= len(self.most) or any(s < 0 for s in shape) or wanted > most or size != 8 * wanted:
            raise Garbled


def printable(text: str) -> str:
    """Without control characters: a message must not steer a terminal or a report."""
    return "".join(c if c.isprintable() else " " for c in text)
