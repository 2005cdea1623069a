"""The pages: self-contained, harmless whatever students write, and seen in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from graders import grade
from graders.grading import difference as heat
from graders.outcome import Outcome
from graders.report import signs
from graders.report.pages import markdown
from graders.report.scores import Report
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits
from tests.support.class_of import Catalogue
from tests.support.png import pixels_of
from tests.support.stubs import EXERCISES, identity

NASTY = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'<"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """Four students: one right, one wrong in all ways that have a picture, one with a nasty name and text, one with nothing."""
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    folder, out, catalogue = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("out"), Catalogue()
    right = {
        g: catalogue.solution("ex1_atomic", g) for g in (x.name for x in catalogue.exercises["ex1_atomic"].gradients)
    }
    wrong = right | {
        "dcounts": "def dcounts(counts_sum_inv, dprobs):\n    return counts_sum_inv * dprobs",
        "dW1": "def dW1(embcat, dhprebn):\n    return dhprebn.T @ embcat",
        "dlogit_maxes": "def dlogit_maxes(dnorm_logits):\n    return dnorm_logits.sum(1, keepdim=True)",
        "db2": "def db2(dlogits):\n    return dlogits.undefined",
        "dC": "def dC(demb, C, Xb):\n    raise NotImplementedError",
        "dh": "def dh(dlogits, W2):\n    return torch.autograd.grad(W2.sum(), W2)",
    }
    nasty = {"dprobs": f"def dprobs(probs):\n    raise ValueError({NASTY!r} + '| `x` [a](b) {{{{ 7 * 7 }}}}')"}
    for name, functions in {"Ada Lovelace": right, "Emmy Noether": wrong, NASTY: nasty}.items():
        (folder / name).mkdir()
        (folder / name / "ex1_atomic.py").write_bytes(catalogue.file("ex1_atomic", functions, note=name))
    (folder / "Nobody").mkdir()
    return out, grade(folder, out, exercises=EXERCISES, limits=Limits(seconds=5))


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def pages_of(out: Path) -> list[Path]:
    return [out / "report.html", *sorted(out.glob("feedback/*/feedback.html"))]


def test_pages_are_self_contained_and_harmless(made: tuple[Path, Report]) -> None:
    out, _ = made
    assert len(pages_of(out)) == 5
    for path in pages_of(out):
        text = path.read_text(encoding="utf-8")
        parser = Elements()
        parser.feed(text)
        assert not {"script", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in parser.found}
        for tag, attributes in parser.found:
            assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
            source = attributes.get("src") or attributes.get("xlink:href") or "data:"
            assert source.startswith("data:image/png;base64,") or source == "data:"
            assert not (attributes.get("href") or "#").startswith(("http", "javascript", "//"))
        assert "http://" not in text and "https://" not in text and "{{" not in text.replace("{{ 7 * 7 }}", "")


def test_what_a_student_reads(made: tuple[Path, Report]) -> None:
    out, report = made
    student = report.student("Emmy Noether")
    marks = {mark.item: mark for mark in student.results[identity("ex1_atomic")]}
    assert marks["dcounts"].cause == "missing branch" and marks["dW1"].cause == "transposed"
    assert marks["dh"].outcome is Outcome.FORBIDDEN and marks["dC"].outcome is Outcome.NOT_ATTEMPTED
    html = (out / "feedback" / student.slug / "feedback.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<(style|title).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL))
    for words in (
        "Emmy Noether",
        "25 of 33",
        "dcounts wrong",
        "Only the path through probs arrived",
        "dW1 wrong shape",
        "db2 error",
        "line 1",
        "dh forbidden",
        "dC not attempted",
        "yours (32, 27) ± ",
        "autograd (32, 27) ± ",
        "difference (32, 27) ± ",
        "isolation class",
    ):
        assert words in text.replace("±", "± "), words
    assert html.count("<img ") == 6, "three maps for each of the two wrong gradients of the right shape"
    (svg,) = re.findall(r'<svg [^>]*aria-label="The compute graph.*?</svg>', html, flags=re.DOTALL)
    assert svg.count("<text ") == 27 and signs.shape("wrong") in svg
    assert "counts: wrong" in svg and "loss: given" in svg
    for kind, colour in signs.COLOURS.items():
        assert html.count(f"--{kind}: {colour};") == 2, "on the screen and on paper as in a notebook"


def test_the_class_report(made: tuple[Path, Report]) -> None:
    out, report = made
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "missing branch" in text and "Ada Lovelace" in text and "not graded" in text
    assert report.student("Nobody").score() is None and report.student("Ada Lovelace").score() == 33
    assert report.isolation in text
    for student in report.students:
        assert f'href="feedback/{student.slug}/feedback.html' in text
        assert re.fullmatch(r"[A-Za-z0-9_-]+", student.slug)


def test_markdown_is_what_it_says(made: tuple[Path, Report]) -> None:
    out, report = made
    nasty = next(student for student in report.students if "onerror" in student.name)
    text = (out / "feedback" / nasty.slug / "feedback.md").read_text(encoding="utf-8")
    assert "<img" not in text.replace("\\<img", "") and "<script" not in text.replace("\\<script", "")
    assert markdown("a|b\n`c` <d>") == "a\\|b \\`c\\` \\<d\\>"
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == 26 and all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("width", [1100, 500])
def test_in_a_browser(made: tuple[Path, Report], tmp_path: Path, width: int) -> None:
    """Renders, runs nothing of a student's, asks the network for nothing."""
    out, report = made
    nasty = next(student for student in report.students if "onerror" in student.name)
    page = out / "report.html" if width > 600 else out / "feedback" / nasty.slug / "feedback.html"
    shot, log = tmp_path / "page.png", tmp_path / "net.json"
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1200"]
    command += [f"--screenshot={shot}", f"--log-net-log={log}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    assert len(set(pixels_of(shot.read_bytes()))) > 50, "an empty page"
    urls = set(re.findall(r'"url":"(\w+:[^"]*)"', log.read_text(encoding="utf-8", errors="replace")))
    own = re.compile(r"https?://[\w.-]+\.(google|googleapis)\.com/")  # the browser's clock and updates
    assert not [url for url in urls if url.startswith("http") and not own.match(url)], urls
    dom = subprocess.run([*command[:-3], "--dump-dom", page.as_uri()], check=True, capture_output=True, timeout=240)
    assert b"<title>taken" not in dom.stdout and b"</main>" in dom.stdout


def test_the_picture_keeps_the_difference() -> None:
    rng = torch.Generator().manual_seed(1)
    expected = torch.randn(6, 5, dtype=torch.float64, generator=rng)
    answer = expected + 1e-4 * torch.randn(6, 5, dtype=torch.float64, generator=rng)
    kept = heat.difference_of(heat.keep(answer, expected), expected)
    half_a_step = (answer - expected).abs().max() / 127 / 2
    assert kept is not None and (kept - (answer - expected)).abs().max() < 1.001 * half_a_step
    assert (
        heat.keep(answer.T, expected) == ""
        and heat.keep(answer / 0, expected) == ""
        and heat.keep(None, expected) == ""
    )
    assert heat.keep(torch.zeros(100, 100), torch.zeros(100, 100)) == ""
    assert heat.difference_of(json.dumps([1.0, "eJwDAAAAAAE="]), expected) is None
