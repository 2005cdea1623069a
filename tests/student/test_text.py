"""One way to read a source: the same at home, in class and in a notebook."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.outcome import Outcome
from graders.student.module import load_student
from graders.student.text import LONGEST_SOURCE, Undecodable, escaped, plain, text_of
from graders.submissions.notebook_module import module_of
from tests.support.handed import students_in

SAID = 'def dlogits(logits):\n    """Für Zoë."""\n    return logits\n'
PLAIN = SAID.encode()
OFFERS = {"ex2_cross_entropy": ["dlogits"]}
READ = {
    "UTF-8": (PLAIN, ""),
    "UTF-8 that says so": (b"# -*- coding: utf-8 -*-\n" + PLAIN, ""),
    "Windows lines": (PLAIN.replace(b"\n", b"\r\n"), ""),
    "a mark": (codecs.BOM_UTF8 + PLAIN, "UTF-8 with a byte-order mark"),
    "a mark against what is said": (codecs.BOM_UTF8 + b"# coding: latin-1\n" + PLAIN, "UTF-8 with a byte-order mark"),
    "PowerShell": (codecs.BOM_UTF16_LE + SAID.encode("utf-16-le"), "UTF-16"),
    "UTF-16, the other way round": (codecs.BOM_UTF16_BE + SAID.encode("utf-16-be"), "UTF-16"),
    "UTF-32": (codecs.BOM_UTF32_LE + SAID.encode("utf-32-le"), "UTF-32"),
    "it says what it is": (b"# coding: latin-1\n" + SAID.encode("latin-1"), "iso8859-1"),
    "it says so in line 2": (
        b"#!/usr/bin/python\n# vim: set fileencoding=mac-roman :\n" + SAID.encode("mac-roman"),
        "mac-roman",
    ),
    "it says UTF-8, and is not": (b"# coding: utf-8\n" + SAID.encode("cp1252"), "CP1252"),
    "it says ASCII, and is not": (b"# coding: ascii\n" + PLAIN, ""),
    "it says nothing that exists": (b"# coding: klingon\n" + PLAIN, ""),
    "it says what is none for sources": (b"# coding: utf-7\n" + PLAIN, ""),
    "line 3 says nothing": (b"\n\n# coding: mac-roman\n" + PLAIN, ""),
    "after code it says nothing": (b"x = 1\n# coding: mac-roman\n" + PLAIN, ""),
    "Windows": (SAID.encode("cp1252"), "CP1252"),
}
REFUSED = {
    "NUL": (PLAIN + b"\0", "NUL"),
    "UTF-16 without a mark": (SAID.encode("utf-16-le"), "NUL"),
    "no text": (b"\x81\x8d\xff", "no text"),
    "half of UTF-16": (codecs.BOM_UTF16_LE + b"a", "no text"),
    "a lone surrogate": (codecs.BOM_UTF16_LE + b"\x00\xd8", "no text"),
}


@pytest.mark.parametrize("what", READ)
def test_a_source_is_read_the_same_everywhere(tmp_path: Path, what: str) -> None:
    data, encoding = READ[what]
    text = text_of(data)
    assert text.text.endswith(SAID) and text.encoding == encoding
    (tmp_path / "home").mkdir()
    (tmp_path / "class" / "zoe").mkdir(parents=True)
    for folder in (tmp_path / "home", tmp_path / "class" / "zoe"):
        (folder / "ex2_cross_entropy.py").write_bytes(data)
    at_home = load_student(tmp_path / "home" / "ex2_cross_entropy.py")
    assert at_home.fault is None and at_home.functions["dlogits"].__doc__ == "Für Zoë."
    assert str(at_home.read_as or "") == str(text.remark or "")
    counted = students_in(tmp_path / "class", OFFERS)["zoe"].counted("ex2_cross_entropy")
    assert counted is not None and counted.content.decode().replace("\r\n", "\n") == text.text
    assert counted.problems == ((str(text.remark),) if encoding else ())
    assert (counted.content == data) == (not encoding), "what is plain keeps its hash"


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_text_is_refused_with_the_same_words(tmp_path: Path, what: str) -> None:
    data, words = REFUSED[what]
    with pytest.raises(Undecodable, match=words) as refused:
        text_of(data)
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe" / "ex2_cross_entropy.py").write_bytes(data)
    fault = load_student(tmp_path / "zoe" / "ex2_cross_entropy.py").fault
    assert fault is not None and fault.outcome is Outcome.ERROR and fault.reason == refused.value.why
    student = students_in(tmp_path, OFFERS)["zoe"]
    assert not student.attempts and student.unread[0].why == str(refused.value.why)


def test_a_file_is_too_long_at_home_and_in_class(tmp_path: Path) -> None:
    path = tmp_path / "ex2_cross_entropy.py"
    path.write_bytes(PLAIN + b"#" * LONGEST_SOURCE)
    fault = load_student(path).fault
    assert fault is not None and "longer than 64 kB" in str(fault.reason)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_notebook_is_read_like_a_source(encoding: str) -> None:
    cell = {
        "cell_type": "code",
        "source": SAID,
        "metadata": {"nbgrader": {"grade_id": "ex2_cross_entropy-answer-dlogits"}},
    }
    notebook = json.dumps({"cells": [cell]}, ensure_ascii=False).encode(encoding)
    assert "Für Zoë." in module_of(notebook).source.decode()


@given(st.binary(max_size=300))
def test_whatever_the_bytes_the_text_can_be_written_and_read_again(data: bytes) -> None:
    try:
        source, _ = plain(data)
    except Undecodable:
        return
    assert source.decode().replace("\r\n", "\n").replace("\r", "\n") == text_of(data).text


@given(st.text(st.characters()))
def test_what_is_escaped_can_be_printed_anywhere(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable() and shown.encode().decode() == shown
    assert shown == text if text.isprintable() else True
