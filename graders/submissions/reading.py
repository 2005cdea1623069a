"""The process in which entries are read: it answers questions until its input ends. Its other end is reader.py."""

import contextlib
import json
import os
import resource
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from graders.submissions.entries import Entry, Wanted, read_entry

MEMORY = 1 << 30  # bytes of address space
HEAVY = 400 << 20  # bytes that it keeps: such a process is replaced
LARGEST_LIST = 8 << 20  # bytes of Gradescope's metadata
HEAD = struct.Struct("<QQ")  # the lengths of the JSON and of the contents behind it
READY = b"R"


def serve() -> None:
    """Answer questions from standard input until it ends."""
    _bound()
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    answers.write(READY)
    answers.flush()
    for line in questions:
        asked = json.loads(line)
        answer, contents = _metadata(Path(asked["metadata"])) if "metadata" in asked else _entry(asked)
        last = _mapped() > HEAVY
        head = json.dumps({"answer": answer, "last": last}).encode()
        _write(answers, HEAD.pack(len(head), sum(map(len, contents))), head, *contents)
        if last:
            return


def _bound() -> None:
    for which, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS has no limit on memory
            resource.setrlimit(which, (value, value))


def _mapped() -> int:
    """Bytes of address space; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, MemoryError):
        return 0


def _write(stream: BinaryIO, *parts: bytes) -> None:
    for part in parts:
        stream.write(part)
    stream.flush()


def _entry(asked: Mapping[str, Any]) -> tuple[Any, list[bytes]]:
    entry = asked["entry"]
    number = entry["number"] and tuple(entry["number"])
    found = read_entry(Path(asked["folder"]), Entry(**{**entry, "number": number}), Wanted(**asked["wanted"]))
    rows = []
    for attempt in found.attempts:
        row = {name: value for name, value in vars(attempt).items() if name != "content"}
        rows.append({**row, "size": len(attempt.content)})
    lines = [(line.path, line.fate.name, line.why, line.exercise, line.count) for line in found.lines]
    return {"attempts": rows, "lines": lines}, [attempt.content for attempt in found.attempts]


def _metadata(path: Path) -> tuple[Any, list[bytes]]:
    """Of each folder the name, platform and id of whoever submitted it."""
    import yaml  # it comes with the extra [classroom]

    try:
        if path.stat().st_size > LARGEST_LIST:
            return {}, []
        content = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, RecursionError, MemoryError, yaml.YAMLError):
        return {}, []
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, about in (content if isinstance(content, dict) else {}).items():
        submitters = about.get(":submitters") if isinstance(about, dict) else None
        for one in submitters if isinstance(submitters, list) else []:
            if isinstance(one, dict) and isinstance(one.get(":name"), str):
                who = one[":name"], "Gradescope", str(one.get(":sid") or one.get(":email") or one[":name"])
                found.setdefault(str(name), []).append(who)
    return found, []
