"""`backprop-ninja train`: the same numbers however often it is stopped, clear errors, pictures worth a look."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from rich.console import Console
from torch import Tensor

from graders import names
from graders.cli.main import main
from graders.exercise import kit
from graders.exercise.kit import Fingerprints
from graders.exercise.module import load
from graders.exercise.stub import stub as stub_of
from graders.train import TrainingError, checkpoint, drawing, loop
from graders.train import results as report
from graders.train import run as command
from graders.train.settings import BLOCK, Settings, read_data
from graders.train.steppers import ByAutograd, ByHand, stepper
from graders.train.subject import Subject, reference_subject
from tests.support.processes import start
from tests.support.stubs import NINJA, REFERENCE, fill

TINY: dict[str, Any] = {"steps": 430, "seed": 5, "batch": 4, "hidden": 8, "names": None, "fast": None}
MODULE = "ex4_training"


@pytest.fixture(scope="module")
def subject() -> Subject:
    return reference_subject(REFERENCE)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(names.read_names()[:400]))
    return path


@pytest.fixture
def student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], Path]:
    """Make a student's folder with exercise 4, `backward` written as given, and go there."""

    def make(body: str | None) -> Path:
        exercise = load(REFERENCE / NINJA / f"{MODULE}.py")
        stub = stub_of(exercise)
        folder = tmp_path / "exercises" / NINJA
        (folder / "kit").mkdir(parents=True)
        (folder / "kit" / f"{MODULE}.json").write_text(kit.pack(exercise, stub, Fingerprints()))
        path = folder / f"{MODULE}.py"
        path.write_text(fill(stub, {} if body is None else {"backward": body}))
        monkeypatch.chdir(tmp_path)
        return path

    return make


def solution() -> str:
    text = (REFERENCE / NINJA / f"{MODULE}.py").read_text()
    return text.split("### BEGIN SOLUTION\n")[1].split("    ### END SOLUTION")[0].rstrip("\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", *arguments], catch_exceptions=False)


def request(out: Path, words: Path, **changes: Any) -> command.Request:
    given = {**TINY, "names": str(words)}
    given |= {k: changes.pop(k) for k in list(changes) if k in given}
    return command.Request(given, out, console=Console(file=io.StringIO(), width=200), **changes)


def final(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(out / command.CHECKPOINT, weights_only=True)
    return content


def stopping_at(step: int, rate: Callable[[int, int], float]) -> Callable[[int, int], float]:
    """A learning rate that presses Ctrl-C when it is asked for that step."""

    def pressed(now: int, steps: int) -> float:
        if now == step:
            signal.raise_signal(signal.SIGINT)
        return rate(now, steps)

    return pressed


@pytest.fixture(scope="module")
def whole(subject: Subject, words: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], dict[str, Any]]:
    """The checkpoint of a run that was never stopped."""
    done: dict[bool, dict[str, Any]] = {}

    def train(fast: bool) -> dict[str, Any]:
        if fast not in done:
            out = tmp_path_factory.mktemp("whole")
            command.main(subject, request(out, words, fast=fast))
            done[fast] = final(out)
        return done[fast]

    return train


@pytest.mark.parametrize("fast", [False, True], ids=["by hand", "fast"])
@pytest.mark.parametrize("stops", [(0,), (49, 50), (123,), (300, 380), (429,)], ids=str)
def test_resuming_gives_the_identical_result(
    subject: Subject, words: Path, tmp_path: Path, whole: Callable[..., Any], fast: bool, stops: tuple[int, ...]
) -> None:
    state = checkpoint.begin(
        subject, Settings(**{**TINY, "names": str(words), "fast": fast}), read_data(Settings(names=str(words)))
    )
    data, path = read_data(state.settings), tmp_path / command.CHECKPOINT
    for step in stops:
        by = stepper(subject, state.parameters, state.settings.batch, fast)
        rate = stopping_at(step, subject.given("learning_rate"))
        finished = loop.train(state, by, data, rate, Console(file=io.StringIO()), "training", path)
        assert finished == (step >= 400) and state.step == min(430, step // BLOCK * BLOCK + BLOCK)
        state = checkpoint.restore(path)
    assert command.main(subject, request(tmp_path, words, fast=fast, resume=True)) == 0
    expected, resumed = whole(fast), final(tmp_path)
    for name, value in expected["parameters"].items():
        assert torch.equal(value, resumed["parameters"][name]), name
    for name in ("losses", "rng", "ratios"):
        assert torch.equal(expected[name], resumed[name]), name


def test_batches_are_those_of_the_lecture(subject: Subject, words: Path) -> None:
    """Drawn block by block, and still what one torch.randint a step would give."""
    settings = Settings(steps=120, seed=7, batch=6, hidden=5, names=str(words))
    data = read_data(settings)
    state = checkpoint.begin(subject, settings, data)
    loop.train(state, ByHand(subject, state.parameters), data, lambda *_: 0.1, Console(file=io.StringIO()), "training")
    rng = torch.Generator().manual_seed(7)
    parameters = subject.given("initialise")(rng, n_hidden=5, vocab=len(data.alphabet))
    X, Y = data.training
    for step in range(120):
        chosen = torch.randint(0, len(X), (6,), generator=rng)
        one = ByHand(subject, parameters).steps(X[chosen][None], Y[chosen][None], [0.1])
        assert one[0] == state.losses[step]
    assert not any(p.requires_grad or p.grad is not None for p in state.parameters.values())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no words"),
        (b"emma\n", "single word"),
        (b"emma\n\xff\xfe\n", "is not UTF-8 at line 2"),
        (b"a.b\nemma\n", "contains '.'"),
        (None, "does not exist"),
        ("folder", "is a directory"),
    ],
    ids=["empty", "one word", "not UTF-8", "full stop", "missing", "directory"],
)
def test_bad_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | str | None, sentence: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference").symlink_to(REFERENCE)
    path = tmp_path / "words"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    result = run("--reference", "--names", str(path))
    assert result.exit_code == 1 and sentence in result.output and "Traceback" not in result.output
    assert not (tmp_path / "runs").exists()


def test_letters_beyond_ascii_build_their_own_vocabulary(subject: Subject, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("zoë\n日本\nann-lee\no'neil\n" * 3, encoding="utf-8")
    asked = request(tmp_path, path, steps=60)
    assert command.main(subject, asked) == 0
    state = checkpoint.restore(tmp_path / command.CHECKPOINT)
    assert len(state.parameters["C"]) == len(set("zoë日本ann-leeo'neil")) + 1


def test_a_list_of_two_words_has_no_dev_split(subject: Subject, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("anna\notto\n")
    asked = request(tmp_path, path, steps=60)
    assert command.main(subject, asked) == 0
    output = asked.console.file.getvalue()  # type: ignore[attr-defined]
    assert "train loss" in output and "val" not in output


def test_resuming_with_a_changed_function_says_so(subject: Subject, words: Path, tmp_path: Path) -> None:
    settings = Settings(**{**TINY, "names": str(words)})
    state, path = checkpoint.begin(subject, settings, read_data(settings)), tmp_path / command.CHECKPOINT
    by = stepper(subject, state.parameters, settings.batch, False)
    rate = stopping_at(49, subject.given("learning_rate"))
    assert not loop.train(state, by, read_data(settings), rate, Console(file=io.StringIO()), "training", path)
    for changed in (
        subject,
        replace(subject, student=replace(subject.student, text=subject.student.text + "# mended")),
    ):
        shutil.copy(path, tmp_path / "kept")
        asked = request(tmp_path, words, resume=True)
        assert command.main(changed, asked) == 0
        output = " ".join(asked.console.file.getvalue().split())  # type: ignore[attr-defined]
        assert (f"from step {state.step} on it is the new one" in output) == (changed is not subject)
        shutil.copy(tmp_path / "kept", path)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_control_c_keeps_what_was_reached(words: Path, tmp_path: Path) -> None:
    (tmp_path / "reference").symlink_to(REFERENCE)
    order = [
        sys.executable,
        "-c",
        "from graders.cli.main import main; main()",
        "train",
        "--reference",
        "--names",
        str(words),
    ]
    order += ["--hidden", "8", "--batch", "4", "--steps", "5000000"]
    with start(order, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        path = tmp_path / "runs" / command.CHECKPOINT
        for _ in range(2400):
            if path.exists():
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 130, output
    assert "stopped after" in output and "--resume" in output and "Traceback" not in output
    state = checkpoint.restore(path)
    assert 0 < state.step < 5_000_000 and state.losses[: state.step].isfinite().all()


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("fast", [False, True], ids=["by hand", "fast"])
def test_memory_does_not_grow(subject: Subject, words: Path, fast: bool) -> None:
    def train(steps: int) -> int:
        settings = Settings(steps=steps, batch=4, hidden=4, names=str(words))
        data = read_data(settings)
        state = checkpoint.begin(subject, settings, data)
        by = stepper(subject, state.parameters, 4, fast)
        loop.train(state, by, data, lambda *_: 0.1, Console(file=io.StringIO()), "training")
        return resident()

    train(500)
    after_few = train(2_000)
    assert train(20_000 if fast else 8_000) - after_few < 3e6


def test_pictures(subject: Subject, words: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    assert command.main(subject, request(tmp_path, words, compare=True, diagnostics=True)) == 0
    for name in ("loss", "histograms", "saturation", "updates", "dlogits"):
        pixels = image.imread(tmp_path / f"{name}.png")
        assert pixels.shape[0] > 400 and pixels.shape[1] > 800, name
        assert 0.01 < (pixels[..., :3].mean(2) < 0.9).mean() < 0.9, f"{name} is blank"


def test_smoothing_is_the_lectures() -> None:
    losses = torch.rand(20_500)
    steps, means, window = drawing.smoothed(losses)
    assert window == 1000 and len(steps) == len(means) == 20
    assert torch.equal(means, losses[:20_000].view(-1, 1000).mean(1))
    assert drawing.smoothed(losses[:3])[2] == 1


def test_samples_are_the_same_every_time(subject: Subject, words: Path, tmp_path: Path) -> None:
    asked = request(tmp_path, words)
    command.main(subject, asked)
    state, data = checkpoint.restore(tmp_path / command.CHECKPOINT), read_data(Settings(names=str(words)))
    first = report.samples(subject, state, data)
    assert len(first) == 20 and first == report.samples(subject, state, data)
    assert all(set(name) <= set(data.alphabet[1:]) for name in first)
    assert all(name in asked.console.file.getvalue() for name in first)  # type: ignore[attr-defined]


def test_given_code_of_the_lecture(subject: Subject, words: Path) -> None:
    """The rate drops after 100,000 of 200,000 steps; batch norm is calibrated on the whole training set."""
    rate, data = subject.given("learning_rate"), read_data(Settings(names=str(words)))
    assert [rate(step, 200_000) for step in (0, 99_999, 100_000, 199_999)] == [0.1, 0.1, 0.01, 0.01]
    parameters = subject.given("initialise")(torch.Generator().manual_seed(2147483647))
    assert sum(p.numel() for p in parameters.values()) == 12_297
    X, Y = data.training
    statistics = subject.given("calibrate")(parameters, X)
    whole = subject.given("forward")(**parameters, Xb=X, Yb=Y)
    torch.testing.assert_close(statistics, {"bnmean": whole["bnmean"], "bnvar": whole["bnvar"]})
    evaluated = subject.given("evaluate")(parameters, statistics, X, Y)
    assert evaluated == pytest.approx(whole["loss"].item(), rel=1e-6)


def losses_of(
    subject: Subject, kind: str, batch: int, hidden: int, steps: int = 200
) -> tuple[Tensor, dict[str, Tensor]]:
    rng = torch.Generator().manual_seed(1)
    parameters = subject.given("initialise")(rng, n_hidden=hidden)
    X = torch.randint(0, 27, (steps, batch, 3), generator=rng)
    Y = torch.randint(0, 27, (steps, batch), generator=rng)
    by = ByAutograd(subject, parameters) if kind == "autograd" else stepper(subject, parameters, batch, kind == "fast")
    rates = [0.1 if step < steps // 2 else 0.01 for step in range(steps)]
    return by.steps(X, Y, rates).double(), parameters


@pytest.mark.parametrize(("batch", "hidden"), [(32, 200), (2, 7), (33, 64)])
def test_fast_readable_and_autograd_agree(subject: Subject, batch: int, hidden: int) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        readable, parameters = losses_of(subject, "by hand", batch, hidden)
        for kind in ("fast", "autograd"):
            losses, others = losses_of(subject, kind, batch, hidden)
            torch.testing.assert_close(losses, readable, rtol=1e-9, atol=1e-9)
            for name, value in parameters.items():
                torch.testing.assert_close(others[name], value, rtol=1e-6, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (None, 1, "backward is not written yet"),
        (("dlogits @ W2.T", "dlogits @ W2"), 1, "dh = dlogits @ W2 "),
        (("return dC, dW1", "return dW1, dC"), 1, "dC: the gradients of `C` and `W1` are exchanged"),
        (("return dC, dW1, ", "return dC, "), 1, "returned 6 values"),
        (("(1.0 - h**2) * dh", "(1.0 - h) * dh"), 0, "dW1 is wrong: "),
        (("dlogits /= n", "pass"), 0, "a factor 1/n is missing"),
    ],
    ids=["not attempted", "raises", "shapes", "six", "tanh", "no mean"],
)
def test_a_students_backward(
    student: Callable[[str | None], Path], change: tuple[str, str] | None, code: int, sentence: str
) -> None:
    path = student(None if change is None else solution().replace(*change))
    result = run("--steps", "100", "--hidden", "8")
    assert result.exit_code == code, result.output
    assert sentence in result.output + " " and f"{path}:" in result.output and "Traceback" not in result.output


def test_a_right_backward_trains_in_silence(student: Callable[[str | None], Path]) -> None:
    student(solution())
    result = run("--steps", "100", "--hidden", "8")
    assert result.exit_code == 0 and "wrong" not in result.output and "train loss" in result.output


def test_an_exception_in_the_middle_shows_the_students_line(student: Callable[[str | None], Path]) -> None:
    body = solution().replace("    n = Xb.shape[0]", "    n = Xb.shape[0]\n    assert n != 6, 'six is too much'")
    path = student(body)
    result = run("--steps", "100", "--batch", "6")
    assert result.exit_code == 1 and "AssertionError: six is too much" in result.output
    assert f"{path}:" in result.output and "assert n != 6" in result.output and "Traceback" not in result.output


def test_what_resume_refuses(subject: Subject, words: Path, tmp_path: Path) -> None:
    def refusal(**changes: Any) -> str:
        with pytest.raises(TrainingError) as error:
            command.main(subject, request(tmp_path, words, resume=True, **changes))
        return str(error.value)

    assert "nothing to resume" in refusal()
    own = tmp_path / "own.txt"
    own.write_text(words.read_text())
    command.main(subject, request(tmp_path, own, steps=60))
    assert "begun with --steps 60" in refusal(steps=430, names=str(own))
    own.write_text(own.read_text() + "\nlater\n")
    assert "has changed since" in refusal(steps=60, names=str(own))
    path = tmp_path / command.CHECKPOINT
    content = final(tmp_path)
    torch.save({**content, "format": checkpoint.FORMAT - 1}, path)
    assert refusal() == f"{path} is of an earlier release: begin anew, without --resume."
    torch.save({**content, "format": checkpoint.FORMAT + 1}, path)
    assert refusal() == f"{path} is of a later release: update backprop-ninja, or begin anew, without --resume."
    path.write_bytes(b"\x80\x02garbage")
    assert "is damaged" in refusal()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--batch", "1"], "--batch 1 is too small"),
        (["--steps", "0"], "--steps 0 is too small"),
        (["--hidden", "-3"], "--hidden -3 is too small"),
    ],
)
def test_sizes_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference").symlink_to(REFERENCE)
    assert sentence in run("--reference", *arguments).output


def test_fast_goes_with_reference_only(student: Callable[[str | None], Path]) -> None:
    student(solution())
    assert "--fast goes with --reference" in run("--fast").output
