"""The text in the bytes of a source file: one way to read it, at home, in class and in a notebook.

A byte-order mark tells the encoding, else a coding comment (PEP 263) does, else it is UTF-8, else CP1252. The first of
these that fits the bytes is taken. No torch is imported here.
"""

import codecs
import re
from typing import NamedTuple

from graders.words import Code, Reason, reason

LONGEST_SOURCE = 64 * 1024  # bytes of a Python file
MARKS = (  # UTF-32 first: its mark begins as that of UTF-16 does
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte-order mark"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
COMMENT = re.compile(rb"[ \t\f]*#[^\n\r]*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
BLANK = re.compile(rb"[ \t\f]*(?:#[^\n\r]*)?")
FOR_SOURCES = re.compile(r"utf-8|ascii|iso8859-\d+|cp\d+|mac-\w+|koi8-\w+|shift_jis\w*|euc_\w+|gb\w+|big5\w*")


class Undecodable(ValueError):
    """Bytes that are no text; `why` says what is wrong."""

    def __init__(self, why: Reason):
        self.why = why
        super().__init__(str(why))


class Text(NamedTuple):
    """What was read, its lines ended by \\n, and in which encoding if that is worth a remark ("" for plain UTF-8)."""

    text: str
    encoding: str

    @property
    def remark(self) -> Reason | None:
        return reason(Code.READ_AS, encoding=self.encoding) if self.encoding else None


def text_of(data: bytes) -> Text:
    """Raises Undecodable."""
    text, encoding = _decoded(data)
    if "\0" in text:
        raise Undecodable(Reason(Code.NUL_BYTES))
    return Text(text.replace("\r\n", "\n").replace("\r", "\n"), encoding)


def plain(data: bytes) -> tuple[bytes, Reason | None]:
    """The same text in UTF-8, and the remark on it. What is plain already stays as it is. Raises Undecodable."""
    found = text_of(data)
    return (found.text.encode(), found.remark) if found.encoding else (data, None)


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding, name in MARKS:
        if data.startswith(mark):
            return _or_refuse(data[len(mark) :], encoding), name
    said = _said(data)
    if said not in ("", "utf-8", "ascii"):
        try:
            text = data.decode(said)
            return text, "" if data.isascii() else said
        except UnicodeDecodeError:
            pass  # it is not what it says
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return _or_refuse(data, "cp1252"), "CP1252"


def _or_refuse(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode()  # a lone surrogate of UTF-16 can be written nowhere
        return text
    except UnicodeError:
        raise Undecodable(Reason(Code.NO_TEXT)) from None


def _said(data: bytes) -> str:
    """The encoding that a comment in the first two lines names, if it is one for sources; else "" ."""
    for line in re.split(rb"\r\n?|\n", data[:LONGEST_SOURCE], maxsplit=2)[:2]:
        if match := COMMENT.match(line):
            try:
                encoding = codecs.lookup(match[1].decode()).name
                fits = FOR_SOURCES.fullmatch(encoding) and match[0].decode(encoding).encode("ascii") == match[0]
            except (LookupError, UnicodeError):
                return ""
            return encoding if fits else ""
        if not BLANK.fullmatch(line):
            return ""
    return ""


def printable(text: str) -> str:
    """Without control characters: a message must not steer a terminal or a report."""
    return "".join(c if c.isprintable() else " " for c in text)


def escaped(text: str) -> str:
    """Control characters, bidi marks and lone surrogates are spelled out, as \\x1b, \\u202e or \\udcff."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
