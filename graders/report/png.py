"""A PNG file from its chunks; what is in them is the picture's own business."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable


def png_file(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The file of these chunks, (kind, data) each, IHDR first; the end is added. PNG specification, section 5."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in (*chunks, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
