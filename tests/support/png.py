"""What is in a PNG file."""

from __future__ import annotations

import struct
import zlib


def chunk(file: bytes, kind: bytes) -> bytes:
    """The data of all chunks of this kind, one after the other."""
    at, data = 8, b""
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        data += file[at + 8 : at + 8 + length] if file[at + 4 : at + 8] == kind else b""
        at += 12 + length
    return data


def pixels_of(file: bytes) -> bytes:
    """Row after row, each behind the byte that names its filter."""
    return zlib.decompress(chunk(file, b"IDAT"))
