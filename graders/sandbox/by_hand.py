"""What a class alone can see of by hand: a watch on each of torch's operations while a submission runs.

It refuses what guard.py refuses, where Python does not show it: an operation that autograd's engine runs, one of the
forward mode, a backward formula called in C. And it remarks what an instructor may want to look at, and what costs no
points: very many operations, complex numbers, the forward pass called inside. Work on Python numbers or in numpy is not
seen: who writes their own tape on those passes. It deters and explains; the sandbox does not rely on it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graders.student.guard import Guard
from graders.words import Code, Reason, reason


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Has `guard` refuse operations that are not by hand; `remark` is what there is to say of one let be."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # nothing is compiled here; True imports 800 modules and wraps every op
        return False

    def __init__(self, guard: Guard):
        super().__init__()  # type: ignore[no-untyped-call]
        self.guard = guard
        self.remark: Code | None = None
        self._left = 0

    @contextlib.contextmanager
    def during(self, operations: int) -> Iterator[None]:
        """Watch one call; more than `operations` are worth a remark."""
        self._left, self.remark = operations, None
        with self if self.guard.on else contextlib.nullcontext():
            yield

    def noticing(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The forward pass, with a remark on whoever calls it."""

        @functools.wraps(forward)
        def noticed(*arguments: Any, **keywords: Any) -> Any:
            self.remark = self.remark or Code.FORWARD_CALLED
            return forward(*arguments, **keywords)

        return noticed

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = func.name()
        if torch._C._current_graph_task_id() != -1 or "_make_dual" in name or "_fw_" in name:
            self.guard.refuse(Reason(Code.AUTOGRAD))
        if "backward" in name or "_jvp" in name:
            self.guard.refuse(reason(Code.BACKWARD_KERNEL, name=name.split("::")[-1].split(".")[0]))
        self._left -= 1
        if self._left < 0:
            self.remark = self.remark or Code.MANY_OPERATIONS
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor) and value.is_complex():
                self.remark = self.remark or Code.COMPLEX_NUMBERS
        return result
