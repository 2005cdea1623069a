"""A stub of an earlier release: graded against what it was made from if that kit is there, else not graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders import grade
from graders.authoring import release
from graders.exercise.kit import kits_in
from graders.outcome import Outcome
from graders.report.scores import Report
from graders.sandbox.sandbox import Sandbox, SandboxError
from graders.sandbox.task import Limits
from graders.words import Code
from tests.exercise.test_module import GOOD, written

NEWER = (
    GOOD.replace("y = x**2", "squares = x**2")
    .replace("y.sum()", "squares.sum()")
    .replace("dx(x, dy)", "dx(x, dsquares)")
)
NEWER = (
    NEWER.replace("2 * x * dy", "2 * x * dsquares")
    + '''

def dsquares(squares):
    """dL/dsquares, (n, m): all the same.

    Points: 1
    """
    ### BEGIN SOLUTION
    return torch.ones_like(squares)
    ### END SOLUTION
'''
)
OLD_ANSWER, NEW_ANSWER = "return 2 * x * dy", "return 2 * x * dsquares"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """exercises/ with the newer release, and a class that has worked with either."""
    try:
        Sandbox().required().close()
    except SandboxError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("releases")
    reference = written(root, GOOD)
    stubs = []
    for text in (GOOD, NEWER):
        reference.write_text(text)
        release.write(release.build(reference.parents[1]), root / "exercises")
        stubs.append((root / "exercises" / "unit" / "ex.py").read_text().replace("raise NotImplementedError", "{}", 1))
    old, new = stubs
    assert old.count("# release: ") == 1
    of_nobody = old.replace("# release: ", "# release: 000000000000 ")
    line = next(line for line in old.splitlines() if "# release: " in line)
    handed_in = {
        "old": old.replace("{}", OLD_ANSWER),
        "old_wrong": old.replace("{}", "return x * dy"),
        "new": new.replace("{}", NEW_ANSWER),
        "unknown": of_nobody.replace("{}", OLD_ANSWER),
        "without": old.replace(line, '"""').replace("{}", OLD_ANSWER),
    }
    for name, text in handed_in.items():
        (root / "class" / name).mkdir(parents=True)
        (root / "class" / name / "ex.py").write_text(text)
    return root


def outcomes(report: Report, student: str) -> dict[str, tuple[Outcome, Code | None]]:
    results = report.student(student).results["unit/ex"]
    return {r.item: (r.outcome, r.reason.code if r.reason else None) for r in results}


def test_a_file_is_graded_against_the_release_that_it_was_made_from(made: Path) -> None:
    report = grade(made / "class", made / "out", exercises=made / "exercises", limits=Limits(seconds=2))
    lacking = (Outcome.NOT_GRADED, Code.NOT_IN_RELEASE)
    assert outcomes(report, "old") == {"dx": (Outcome.PASSED, None), "dsquares": lacking}
    assert outcomes(report, "old_wrong") == {"dx": (Outcome.WRONG, Code.DIAGNOSIS), "dsquares": lacking}
    assert outcomes(report, "new") == {"dx": (Outcome.PASSED, None), "dsquares": (Outcome.NOT_ATTEMPTED, None)}
    assert outcomes(report, "unknown") == dict.fromkeys(("dx", "dsquares"), (Outcome.NOT_GRADED, Code.OTHER_RELEASE))
    assert report.student("unknown").score() is None and report.student("old").score() == 2
    sentence = "release 000000000000 of this exercise is needed: the file was made from it, and its kit is not here"
    assert sentence in (made / "out" / "feedback" / "unknown" / "feedback.md").read_text().replace("\\", "")
    assert outcomes(report, "without")["dx"][1] is Code.UNKNOWN_NAME, "graded against the present one, as ever"


def test_a_kit_that_comes_later_is_found(made: Path) -> None:
    """What was not graded for want of it is graded then."""
    (kept,) = (made / "exercises" / "unit" / "kit" / "earlier").iterdir()
    (kit,) = kits_in(made / "exercises")
    assert kept.name == f"ex-{kit.earlier[0].release}.json"
    aside = made / kept.name
    kept.rename(aside)
    run = lambda: grade(made / "class", made / "out2", exercises=made / "exercises", limits=Limits(seconds=2))  # noqa: E731
    without = outcomes(run(), "old")
    aside.rename(kept)
    assert without["dx"] == (Outcome.NOT_GRADED, Code.OTHER_RELEASE)
    assert outcomes(run(), "old")["dx"] == (Outcome.PASSED, None)
