"""What a function returned, as tensors: what is taken, and what is said of the rest."""

from collections.abc import Sequence
from types import BuiltinFunctionType, FunctionType, MethodType

import numpy as np
import torch
from torch import Tensor

from graders.words import Code, Reason, reason

NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


class NotATensor(Exception):
    """A value that is no tensor of real numbers; `why` says what it is and what to return."""

    def __init__(self, why: Reason):
        self.why = why
        super().__init__(str(why))


def elements(returned: object, count: int) -> Sequence[object]:
    """The gradients that a function returned together. Raises NotATensor if there are not `count`."""
    if returned is None:
        raise NotATensor(Reason(Code.RETURNED_NONE))
    what = f"one {type(returned).__name__}"
    if isinstance(returned, tuple | list):
        if len(returned) == count:
            return returned
        what = f"{len(returned)} value{'' if len(returned) == 1 else 's'}"
    raise NotATensor(reason(Code.RETURNED_COUNT, what=what, count=count))


def as_tensor(returned: object, dtype: torch.dtype) -> Tensor:
    """What was returned as a detached dense tensor of `dtype`: tensors, numpy arrays and numbers are taken.

    Raises NotATensor for anything else, complex numbers and sparse tensors included.
    """
    if type(returned) is Tensor and returned.dtype is dtype and not returned.requires_grad and returned.is_cpu:
        if returned.layout is torch.strided:  # what nearly always comes back, and in training a thousand times a second
            return returned
    if returned is None:
        raise NotATensor(Reason(Code.RETURNED_NONE))
    if isinstance(returned, (*NUMBERS, np.generic, np.ndarray)):
        returned = _of_numbers(returned)
    if not isinstance(returned, Tensor):
        raise NotATensor(Reason(Code.RETURNED_COMPLEX) if isinstance(returned, complex) else _other(returned))
    if type(returned).__torch_dispatch__ is not Tensor.__torch_dispatch__:  # its numbers are whatever its class says
        raise NotATensor(_other(returned))
    if returned.is_complex() or returned.layout is not torch.strided:
        raise NotATensor(Reason(Code.RETURNED_COMPLEX if returned.is_complex() else Code.RETURNED_SPARSE))
    with torch._C.DisableTorchFunctionSubclass():  # so that a class of the student's own is a plain tensor from here on
        plain = returned.detach().to("cpu", dtype)
        if type(plain) is not Tensor and isinstance(plain, Tensor):
            plain = plain.as_subclass(Tensor)
    if type(plain) is not Tensor:
        raise NotATensor(_other(returned))
    return plain


def _of_numbers(returned: object) -> Tensor:
    """A copy in double precision, whatever the order of its bytes and axes. Raises NotATensor."""
    if isinstance(returned, np.ma.MaskedArray) and np.ma.is_masked(returned):
        raise NotATensor(Reason(Code.RETURNED_MASKED))
    array = np.asarray(returned)  # plain, where it is of a class of its own
    if array.dtype.kind == "c":
        raise NotATensor(Reason(Code.RETURNED_COMPLEX))
    try:
        if array.dtype.kind in "biuf" or (
            array.dtype == object and all(isinstance(one, NUMBERS) for one in array.flat)
        ):
            return torch.from_numpy(np.array(array, dtype=np.float64, order="C"))
    except (OverflowError, TypeError, ValueError):  # an int of hundreds of digits, or what only looks like a number
        pass
    kind = str(array.dtype) if isinstance(returned, np.ndarray) else type(returned).__name__
    raise NotATensor(reason(Code.RETURNED_NUMBERS, kind=kind))


def _other(returned: object) -> Reason:
    kind = type(returned).__name__
    if isinstance(returned, tuple) and len(returned) == 1:
        return reason(Code.RETURNED_ONE_TUPLE, kind=kind)
    if isinstance(returned, tuple | list):
        return reason(Code.RETURNED_SEQUENCE, what=f"a {kind} of {len(returned)}", kind=kind)
    if isinstance(returned, FunctionType | BuiltinFunctionType | MethodType):
        return Reason(Code.RETURNED_FUNCTION)
    what = f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"
    return reason(Code.RETURNED_OTHER, what=what, kind=kind)
