"""What by hand means, as far as torch's operations tell: a watch on each of them while a submission runs.

Inference mode must stay on (autograd and functorch leave it), no dual or complex numbers, no operations that are
themselves backward formulas, and no more operations than the budget, which ends difference quotients. Work on Python
numbers or in numpy is not seen: a student who writes their own tape on those passes. It deters and explains; the
sandbox does not rely on it.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graders.student.rules import Fault, Forbidden
from graders.words import Code, Reason, reason


class Refused:
    """Stands where a module that may not be imported would be."""

    def __init__(self, refuse: Callable[[], NoReturn]):
        object.__setattr__(self, "_refuse", refuse)

    def __call__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        object.__getattribute__(self, "_refuse")()
        raise AssertionError

    __getattribute__ = __setattr__ = __getitem__ = __call__


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses operations that are not by hand. `why` keeps the first refusal, were it caught or not."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # nothing is compiled here; True imports 800 modules and wraps every op
        return False

    def __init__(self, on: bool):
        super().__init__()  # type: ignore[no-untyped-call]
        self.on, self.line, self._left = on, 0, 0
        self.why: Reason | None = None
        self.faults: Sequence[Fault] = ()  # of the text, which `refused` knows by their numbers

    def refuse(self, why: Reason, line: int = 0) -> NoReturn:
        """Raises Forbidden."""
        if self.why is None:
            self.why, self.line = why, line
        raise Forbidden(why, line)

    def refused(self, number: int, later: bool) -> Any:
        """What stands in the text for a fault of it; `later`: a stand-in that refuses when it is used."""
        fault = self.faults[number]
        return Refused(lambda: self.refuse(*fault)) if later else self.refuse(*fault)

    @contextlib.contextmanager
    def during(self, operations: int) -> Iterator[None]:
        if not self.on:
            yield
            return
        self._left = operations
        with torch.inference_mode(), self:
            yield

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._left -= 1
        name = func.name()
        if self._left < 0:
            self.refuse(Reason(Code.TOO_MANY_OPERATIONS))
        if torch.is_grad_enabled() or not torch.is_inference_mode_enabled():
            self.refuse(Reason(Code.GRAD_MODE))
        if "backward" in name or "dual" in name or "_fw_" in name:
            self.refuse(reason(Code.BACKWARD_KERNEL, name=name.split("::")[-1].split(".")[0]))
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor) and value.is_complex():
                self.refuse(Reason(Code.COMPLEX_NUMBERS))
        return result
