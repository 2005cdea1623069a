"""What a student's function is asked: pure data, with nothing in it of what the answer should be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graders.words import Code, Reason, reason


@dataclass(slots=True, eq=False)
class Question:
    """One function at one case.

    `values` are the tensors and numbers of the forward pass, shared by all questions of a case; `upstream` the
    gradients d<name> that have arrived. Both are offered by name. `refused` holds names that exist but are not to be
    had, each with the code of the reason. `shapes` are those of the tensors whose gradients come back; `several` says
    that they come back as a tuple. `parameters` are those of the released stub. More than
    `operations` tensor operations in one call are worth a remark.
    """

    function: str
    targets: tuple[str, ...]
    values: Mapping[str, Any]
    upstream: Mapping[str, Tensor] = field(default_factory=dict)
    refused: Mapping[str, Code] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ()
    several: bool = False
    parameters: tuple[str, ...] = ()
    dtype: torch.dtype = torch.float64
    operations: int = 200

    @property
    def offered(self) -> Mapping[str, Any]:
        return {**self.values, **self.upstream} if self.upstream else self.values

    def refusal(self, name: str) -> Reason | None:
        """Why a name that exists is not to be had."""
        if name not in self.refused:
            return None
        return reason(self.refused[name], name=name, target=" and ".join(self.targets), direct=", ".join(self.upstream))
