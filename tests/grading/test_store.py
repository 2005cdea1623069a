"""The store: whatever byte a kill falls on, all complete results are there, and the next run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graders.grading.keys import FORMAT
from graders.grading.results import Assessment, Key
from graders.grading.store import Store, StoreError, line_of, result_in
from graders.outcome import Outcome
from graders.verdict.result import Result
from graders.words import Code, Reason, reason


def result(number: int, outcome: Outcome = Outcome.WRONG) -> Assessment:
    why = reason(Code.DIAGNOSIS, cause="sign", sentence="The sign\nis „wrong“ \U0001f600 \ud800")
    results = (
        Result("dprobs", Outcome.PASSED, remarks=(Reason(Code.SINGLE_PRECISION),), seconds=0.25),
        Result("dlogits", outcome, why, 7, ("line 7: return x",), difference="[1, 2]"),
    )
    return Assessment(Key(f"{number:064x}", "version", "seed"), "ex1_atomic", results, 0.5, "A")


def test_a_result_survives_as_it_is(tmp_path: Path) -> None:
    with Store(tmp_path / "results.jsonl") as store:
        store.put(result(1))
        assert store.known(result(1).key) == result(1)
    with Store(tmp_path / "results.jsonl") as store:
        assert store.known(result(1).key) == result(1) and store.settled(result(1).key)
        assert store.known(result(2).key) is None and not store.settled(result(2).key)
    assert result_in(line_of(result(3))) == result(3)


def test_killed_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Store(path) as store:
        for number in range(3):
            store.put(result(number))
    whole = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        complete = sum(end <= size for end in ends)
        with Store(path) as store:
            assert len(store) == complete and store.damaged == 0
            assert path.stat().st_size == (ends[complete - 1] if complete else 0)
            for number in range(complete, 3):
                store.put(result(number))
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"null", b"\xff\xfe", b'{"key": 1}', b"", b'{"key": ["a"], "results": []}']
)
def test_a_damaged_line_costs_that_result_only(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "results.jsonl"
    with Store(path) as store:
        store.put(result(1))
    path.write_bytes(line + b"\n" + path.read_bytes())
    with Store(path) as store:
        assert len(store) == 1 and store.damaged == 1 and store.known(result(1).key) == result(1)


def with_format(line: bytes, number: int | None) -> bytes:
    plain = {**json.loads(line), "format": number}
    return (
        json.dumps(plain if number is not None else {k: v for k, v in plain.items() if k != "format"}).encode() + b"\n"
    )


@pytest.mark.parametrize("number", [None, FORMAT - 1])
def test_results_of_an_earlier_release_are_set_aside(tmp_path: Path, number: int | None) -> None:
    path = tmp_path / "results.jsonl"
    before = with_format(line_of(result(1)), number)
    path.write_bytes(before)
    with Store(path) as store:
        assert len(store) == 0 and store.damaged == 0 and store.known(result(1).key) is None
        assert store.earlier == {("ex1_atomic", result(1).key.submission)}
        store.put(result(1))
    with Store(path) as store:
        assert store.known(result(1).key) == result(1)
    assert path.read_bytes() == before + line_of(result(1))


def test_results_of_a_later_release_stop_the_run(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(line_of(result(1)) + with_format(line_of(result(2)), FORMAT + 1))
    before = path.read_bytes()
    for _ in range(2):  # it leaves no lock behind
        with (
            pytest.raises(StoreError, match=r"^the results are of a later release: update backprop-ninja"),
            Store(path),
        ):
            pass
    assert path.read_bytes() == before


def test_a_grader_error_is_kept_but_tried_again(tmp_path: Path) -> None:
    with Store(tmp_path / "results.jsonl") as store:
        store.put(result(1, Outcome.GRADER_ERROR))
        assert not store.settled(result(1).key) and store.known(result(1).key) is not None
        store.put(result(1))
        assert store.settled(result(1).key)
    with Store(tmp_path / "results.jsonl") as store:
        assert store.settled(result(1).key) and len(store) == 1


def test_two_runs_cannot_write_to_one_store(tmp_path: Path) -> None:
    with (
        Store(tmp_path / "results.jsonl"),
        pytest.raises(StoreError, match="in use"),
        Store(tmp_path / "results.jsonl"),
    ):
        pass


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, path = os.write, tmp_path / "results.jsonl"

    def half(descriptor: int, data: memoryview) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:50])

    with Store(path) as store:
        store.put(result(1))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", half)
            with pytest.raises(OSError, match="No space"):
                store.put(result(2))
        store.put(result(3))
    with Store(path) as store:
        assert len(store) == 2 and store.damaged == 0


def test_killed_while_writing(tmp_path: Path) -> None:
    """A real process, killed as it writes as fast as it can."""
    path = tmp_path / "results.jsonl"
    code = (
        "import itertools, sys; from pathlib import Path; from tests.grading.test_store import result, Store\n"
        f"store = Store(Path({str(path)!r})).__enter__()\n"
        "for n in itertools.count():\n    store.put(result(n)); print(n, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    last = -1
    while last < 200:
        last = int(process.stdout.readline())
    process.kill()
    last = max([last, *(int(line) for line in process.stdout.read().split(b"\n")[:-1] if line)])
    process.wait()
    with Store(path) as store:
        assert len(store) >= last + 1 and store.damaged == 0
