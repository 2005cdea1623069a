"""What goes to a child: one sealed file with an index (JSON that the supervisor wrote) and raw tensor bytes."""

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from graders.student.question import Question
from graders.words import Code

KINDS = {str(t).removeprefix("torch."): t for t in (torch.float64, torch.float32, torch.int64, torch.bool)}


@dataclass(frozen=True)
class Limits:
    """What one submission may use, and how it is watched. `memory_bytes` comes on top of what the idle zygote maps.

    Behind the first two stand wall clocks, see clock.py.
    """

    seconds: float = 10.0  # of processor time, for loading the module and for every call
    total_seconds: float = 40.0  # of processor time, for the whole submission
    cpu_seconds: int = 60  # of one child, held by the kernel
    memory_bytes: int = 1 << 30
    output_bytes: int = 1 << 20  # printed, over the whole submission
    static_check: bool = True  # student/rules.py
    watch: bool = True  # student/guard.py and by_hand.py


def most_elements(shape: Sequence[int]) -> int:
    """How many numbers may come back for a tensor of `shape`: enough to say of a wrong shape what is wrong."""
    return 64 * math.prod(shape) + 4096


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


class _Shared:
    """Gives each object a number, the same whenever it comes again."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self.objects: list[Any] = []  # kept alive, so ids stay unique

    def number(self, thing: Any) -> int:
        if id(thing) not in self._numbers:
            self._numbers[id(thing)] = len(self.objects)
            self.objects.append(thing)
        return self._numbers[id(thing)]


def pack(source: bytes, questions: Sequence[Question], limits: Limits) -> bytes:
    """The task for one child. Raises TypeError for values that no student could be given."""
    index, cases, refused = _Index(), _Shared(), _Shared()
    asked = [
        {
            "function": question.function,
            "targets": question.targets,
            "several": question.several,
            "case": cases.number(question.values),
            "refused": refused.number(question.refused),
            "upstream": index.all(question.upstream),
            "shapes": question.shapes,
            "operations": question.operations,
        }
        for question in questions
    ]
    task = {
        "source": len(source),
        "cases": [index.all(values) for values in cases.objects],
        "questions": asked,
        "refused": [{name: code.name for name, code in codes.items()} for codes in refused.objects],
        "limits": asdict(limits),
    }
    head = json.dumps(task).encode()
    head += b" " * (-(4 + len(head) + len(source)) % 16)
    return b"".join((struct.pack("<I", len(head)), head, source, index.block))


@dataclass(frozen=True)
class Task:
    """The child's view of what `pack` wrote."""

    source: bytes
    limits: Limits
    task: Mapping[str, Any]
    block: memoryview

    def questions(self) -> Iterator[Question]:
        """The questions in order, each case's tensors read once."""
        cases = [self._values(case) for case in self.task["cases"]]
        refused = [{name: Code[code] for name, code in codes.items()} for codes in self.task["refused"]]
        for asked in self.task["questions"]:
            yield Question(
                function=asked["function"],
                targets=tuple(asked["targets"]),
                values=cases[asked["case"]],
                upstream=self._values(asked["upstream"]),
                refused=refused[asked["refused"]],
                shapes=tuple(map(tuple, asked["shapes"])),
                several=asked["several"],
                operations=asked["operations"],
            )

    def _values(self, places: Mapping[str, Any]) -> dict[str, Any]:
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
    return Task(bytes(data[4 + length : start]), Limits(**task["limits"]), task, memoryview(data)[start:])
