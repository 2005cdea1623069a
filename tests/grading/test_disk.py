"""Full disks, files in the wrong place, damaged stores, kills: a sentence each, and no file is torn."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders import grade
from graders.cli.main import main
from graders.grading import GradingError
from graders.grading.secret import secret_of
from graders.sandbox.sandbox import Sandbox, SandboxError
from tests.support.stubs import EXERCISES, NINJA, ROOT

EXERCISE = "ex2_cross_entropy"


@pytest.fixture(scope="module")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """exercises/ with one small exercise in it."""
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    unit = tmp_path_factory.mktemp("kits") / "exercises" / NINJA
    (unit / "kit").mkdir(parents=True)
    shutil.copy(EXERCISES / NINJA / "kit" / f"{EXERCISE}.json", unit / "kit")
    shutil.copy(EXERCISES / NINJA / f"{EXERCISE}.py", unit)
    return unit.parent


@pytest.fixture(scope="module")
def graded(kits: Path) -> tuple[Path, Path]:
    """A class of two, graded."""
    for name in ("alice", "bob"):
        (kits.parent / "class" / name).mkdir(parents=True)
        (kits.parent / "class" / name / f"{EXERCISE}.py").write_text(
            f"# {name}\ndef dlogits(logits, Yb):\n    return 1\n"
        )
    grade(kits.parent / "class", kits.parent / "out", exercises=kits)
    return kits.parent / "class", kits.parent / "out"


def order(folder: Path, out: Path, kits: Path) -> list[str]:
    return ["grade", str(folder), "--out", str(out), "--exercises", str(kits)]


def told(arguments: list[str]) -> str:
    """What a command says that cannot do its work: one sentence, no traceback."""
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    said = done.output.strip()  # a progress bar leaves an empty line
    assert done.exit_code == 1 and said.startswith("Error: ") and "\n" not in said, done.output
    return said


@pytest.mark.parametrize(
    "name", ["results.jsonl", "secret.key", "scores.csv", "report.html", "marks.jsonl", "scores.csv.partial"]
)
def test_a_folder_where_a_file_should_be(graded: tuple[Path, Path], kits: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded[1], out)
    (out / name).unlink(missing_ok=True)
    (out / name).mkdir()
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    sentence = told(order(graded[0], out, kits))
    assert name.removesuffix(".partial") in sentence and "a folder stands where a file should be" in sentence
    kept = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert kept.keys() == before.keys() and kept["results.jsonl" if name != "results.jsonl" else "secret.key"]


def test_a_file_where_a_folder_should_be(graded: tuple[Path, Path], kits: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out", tmp_path / "file" / "out" / "deep"):
        assert "a file stands where one of its folders should be" in told(order(graded[0], out, kits))
    shutil.copytree(graded[1], tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "feedback")
    (tmp_path / "out" / "feedback").write_text("")
    assert "feedback: a file stands" in told(order(graded[0], tmp_path / "out", kits)).replace(
        "feedback/alice", "feedback"
    )


HOSTILE = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"key": ["a", "b", "c"], "format": ' + b"[" * 100_000,
    b"\xff\xfe\xfa" * 1000,
    b'{"key": 1e999}',
    b'{"key": ["a", "b", "c"], "exercise": "x", "results": [], "seconds": 1' + b"0" * 4000 + b', "isolation": ""}',
    b"\0" * 5000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_line_of_the_store_costs_that_line(
    graded: tuple[Path, Path], kits: Path, tmp_path: Path, line: bytes
) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded[1], out)
    store = out / "results.jsonl"
    store.write_bytes(line + b"\n" + store.read_bytes())
    done = CliRunner().invoke(main, order(graded[0], out, kits), catch_exceptions=False)
    assert done.exit_code == 0 and "2 students, 0 files graded" in done.output, done.output


def test_a_secret_that_is_gone_is_not_replaced(graded: tuple[Path, Path], kits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded[1], out)
    (out / "secret.key").unlink()
    sentence = told(order(graded[0], out, kits))
    assert (
        f"{out / 'secret.key'} is gone" in sentence
        and "put it back, give yours with --secret, or name another" in sentence
    )
    assert not (out / "secret.key").exists()
    again = CliRunner().invoke(main, [*order(graded[0], out, kits), "--secret", str(graded[1] / "secret.key")])
    assert again.exit_code == 0 and "0 files graded" in again.output
    (out / "results.jsonl").write_bytes(b'{"torn": ')
    assert CliRunner().invoke(main, order(graded[0], out, kits)).exit_code == 0, "nothing was made with it"


def test_an_empty_secret_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"")
    with pytest.raises(
        GradingError, match=r"secret.key is too short for a secret \(0 bytes, at least 16\): .* remove it"
    ):
        secret_of(tmp_path, None)


def test_a_secret_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    found = {secret_of(tmp_path, None) for _ in range(3)}
    assert len(found) == 1 and [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


UNSHARE = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "--map-current-user", "--keep-caps", "-m"]
FULL = """
set -e
mount -t tmpfs -o size=1m none "$OUT"
head -c $((1048576 - $LEFT * 1024)) /dev/zero > "$OUT/filler"
set +e
"$PYTHON" -m graders.cli.main $COMMAND; echo "first: $?"
ls -s "$OUT" | grep -v filler
rm "$OUT/filler"
"$PYTHON" -m graders.cli.main $COMMAND; echo "second: $?"
ls "$OUT" "$OUT/feedback"
"""


def full_disk(left: int, out: Path, command: str, read_only: bool = False) -> str:
    """Run a command twice on a small disk: with `left` kB left, then with room. Its output, and what is there."""
    out.mkdir(exist_ok=True)
    script = (
        FULL
        if not read_only
        else 'mount -t tmpfs -o ro none "$OUT" && "$PYTHON" -m graders.cli.main $COMMAND; echo "first: $?"'
    )
    environment = {
        "OUT": str(out),
        "LEFT": str(left),
        "PYTHON": sys.executable,
        "COMMAND": command,
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    }
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script], env=environment, capture_output=True, text=True, cwd=out.parent
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no small disk can be had here: {done.stderr.strip()[:100]}")
    return done.stdout + done.stderr


@pytest.mark.parametrize("left", [0, 12, 48])
def test_a_full_disk_is_told_and_the_next_run_goes_on(
    graded: tuple[Path, Path], kits: Path, tmp_path: Path, left: int
) -> None:
    out = tmp_path / "out"
    said = full_disk(left, out, " ".join(order(graded[0], out, kits)))
    assert "Traceback" not in said and "second: 0" in said, said
    assert "first: 1" in said and said.count("no space is left: make room, then do the same again.") == 1, said
    assert ".partial" not in said and "scores.csv" in said and "alice" in said


def test_a_disk_that_can_only_be_read_is_told(graded: tuple[Path, Path], kits: Path, tmp_path: Path) -> None:
    said = full_disk(0, tmp_path / "out", " ".join(order(graded[0], tmp_path / "out", kits)), read_only=True)
    assert (
        "first: 1" in said
        and "this can only be read, not written: name another place." in said
        and "Traceback" not in said
    )


PUBLISH = """
import os, random, signal, sys, time
from pathlib import Path
from graders.exercise.kit import kits_in
from graders.grading.grade import grade
from graders.report.publish import publish
folder, out, kits = map(Path, sys.argv[1:])
rng = random.Random(0)
with grade(folder, out, exercises=kits_in(kits)) as run:
    publish(run, out)
    run.roster.students.extend([run.roster.students[0]] * 60)
    for _ in range(6):
        child = os.fork()
        if not child:
            while True:
                publish(run, out)
                if len(run.roster.students) > 2:
                    run.roster.students.pop()
        time.sleep(rng.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print((out / "scores.csv").read_bytes().hex(), (out / "junit.xml").read_bytes()[-15:].hex(), flush=True)
"""


def test_killed_while_publishing_every_file_is_whole(graded: tuple[Path, Path], kits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded[1], out)
    command = [sys.executable, "-c", PUBLISH, str(graded[0]), str(out), str(kits)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    found = [[bytes.fromhex(part) for part in line.split()] for line in done.stdout.splitlines()]
    assert len(found) == 6, done.stderr
    for scores, junit in found:
        rows = list(csv.reader(scores.decode().splitlines()))
        assert len(rows) >= 3 and {len(row) for row in rows} == {len(rows[0])} and scores.endswith(b"\n")
        assert junit.endswith(b"</testsuites>\n")
