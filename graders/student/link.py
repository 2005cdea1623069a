"""How a process and its own fork talk: whole messages over a socket, tensors as their raw bytes.

Both ends are the student's own machine, so nothing is distrusted here: the messages are pickles.
"""

import copyreg
import io
import pickle
import socket
import struct
from typing import Any

import torch
from torch import Tensor

LENGTH = struct.Struct("<Q")
PIECE = 1 << 18


class Link:
    """One end. `send` and `wait` block; `read` takes what is there, and `next` gives a message that is complete."""

    def __init__(self, end: socket.socket):
        self.end, self._rest = end, bytearray()

    def fileno(self) -> int:
        return self.end.fileno()

    def send(self, message: Any) -> None:
        """Raises OSError if the other end is gone, and whatever pickle raises."""
        data = packed(message)
        self.end.sendall(LENGTH.pack(len(data)) + data)

    def read(self) -> bool:
        """Take what has come. False at the end."""
        data = self.end.recv(PIECE)
        self._rest += data
        return bool(data)

    def next(self) -> tuple[Any, ...]:
        """The next message in a tuple, or an empty one if none is complete. Raises whatever pickle raises."""
        if len(self._rest) < LENGTH.size:
            return ()
        end = LENGTH.size + LENGTH.unpack_from(self._rest)[0]
        if len(self._rest) < end:
            return ()
        data = bytes(self._rest[LENGTH.size : end])
        del self._rest[:end]
        return (pickle.loads(data),)

    def wait(self) -> tuple[Any, ...]:
        """The next message in a tuple, or an empty one at the end."""
        while not (message := self.next()):
            if not self.read():
                return ()
        return message


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()


def packed(message: Any) -> bytes:
    """A pickle in which a tensor costs little more than its numbers."""
    written = io.BytesIO()
    _Pickler(written, pickle.HIGHEST_PROTOCOL).dump(message)
    return written.getvalue()


def _taken_apart(tensor: Tensor) -> tuple[Any, ...]:
    """As a clone has it, whose order in memory decides how a sum is rounded."""
    dense = tensor.detach().clone()
    flat = dense.as_strided((dense.numel(),), (1,)).numpy()
    return _put_together, (flat, tuple(dense.shape), dense.stride())


def _put_together(flat: Any, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(flat).as_strided(shape, strides)


_Pickler.dispatch_table[Tensor] = _taken_apart
