"""The pytest face: every gradient of an exercise is a test item with its own id, line, state and diagnosis."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graders.outcome import Outcome
from graders.report import terminal
from graders.student.text import Undecodable, text_of

if TYPE_CHECKING:  # torch is imported only once an exercise is collected
    from graders.exercise.kit import Kit
    from graders.verdict.chained import Chained
    from graders.verdict.result import Result


def is_exercise(path: Path) -> bool:
    """A module that was released with a kit: kit/NAME.json beside NAME.py."""
    return path.suffix == ".py" and (path.parent / "kit" / f"{path.stem}.json").exists()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("backprop-ninja")
    limit = "of processor time, for one call of one function"
    group.addoption("--time-limit", type=float, default=10.0, metavar="SECONDS", help=limit)
    group.addoption("--strict-shapes", action="store_true", help="refuse (64,) for (1, 64), which passes with a remark")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Reporter(config), "backprop-ninja-reporter")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
    collectors = yield
    if not parent.config.getoption("doctestmodules", False) and is_exercise(file_path):
        from graders.student import forks  # noqa: F401  (first: it counts threads before anything is computed)

        return [ExerciseFile.from_parent(parent, path=file_path)]
    return collectors


class ExerciseFile(pytest.File):
    """A stub: collected from what was released, so a broken file still shows all its gradients."""

    @cached_property
    def kit(self) -> Kit:
        from graders.exercise.kit import open_kit

        return open_kit(self.path)

    @cached_property
    def check(self) -> Chained:
        from graders.verdict.chained import self_check

        option = self.config.getoption
        apart = not (option("usepdb", False) or option("trace", False))
        return self_check(self.kit, option("--time-limit"), option("--strict-shapes"), apart)

    def collect(self) -> Iterable[pytest.Item]:
        from graders.exercise.kit import KitError
        from graders.exercise.mistake import ExerciseError
        from graders.student.accidents import one_thread

        try:
            with one_thread():
                exercise = self.kit.exercise
        except (ExerciseError, KitError) as error:
            raise self.CollectError(str(error)) from None
        lines = definition_lines(self.path)
        for gradient in exercise.items:
            yield GradientItem.from_parent(
                self, name=gradient.name, section=gradient.section, line=lines.get(gradient.function, 1)
            )


def definition_lines(path: Path) -> dict[str, int]:
    """Line of each top-level function, read from the text, so that it works for a file that does not parse."""
    pattern = re.compile(r"^def (\w+)\(")
    try:
        lines = text_of(path.read_bytes()).text.splitlines()
    except Undecodable:
        lines = []
    return {found[1]: number for number, line in enumerate(lines, 1) if (found := pattern.match(line))}


class GradientError(Exception):
    """A gradient that is not right; carries its result to repr_failure."""

    def __init__(self, result: Result):
        self.result = result
        super().__init__(f"{result.outcome.state}: {result.message}")


class GradientItem(pytest.Item):
    """One gradient of one stub."""

    def __init__(self, *, section: str, line: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.section, self.line = section, line
        self.extra_keyword_matches.update({section, section.replace(" ", "_")})

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name

    def runtest(self) -> None:
        file = self.parent
        assert isinstance(file, ExerciseFile)
        result = file.check.result(self.name)
        self.user_properties += terminal.properties(result, file.check)
        if result.outcome is Outcome.NOT_ATTEMPTED:
            pytest.skip("not attempted")
        if not result.right:
            raise GradientError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, GradientError):
            return terminal.failure_text(dict(self.user_properties))
        return super().repr_failure(excinfo, style)


class Reporter:
    """Prints one line a gradient as it comes in, and at the end where things stand."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.seen: list[dict[str, Any]] = []
        self.heading = ("", "")
        self.path: Path | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        state = dict(getattr(report, "user_properties", ())).get("state")
        if state is None or (report.when != "call"):
            return None
        return terminal.category(str(state)), "", ""  # our own line says it; pytest only counts

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        writer = self.config.pluginmanager.get_plugin("terminalreporter")
        path = self.config.rootpath / nodeid.split("::")[0]
        if writer is not None and path == self.path:  # pytest must not name the file again before every line
            writer.currentfspath = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if "state" not in properties or report.when != "call":
            return
        properties["nodeid"], properties["printed"] = report.nodeid, report.capstdout
        self.seen.append(properties)
        path = self.config.rootpath / report.nodeid.split("::")[0]
        writer = self.config.pluginmanager.get_plugin("terminalreporter")
        if writer is not None and writer.verbosity > -2:
            if self.path == path:
                writer.currentfspath = None
            self._write(writer, properties)
            self.path = path

    def _write(self, writer: pytest.TerminalReporter, properties: dict[str, Any]) -> None:
        writer.ensure_newline()
        heading = (properties["file"], properties["section"])
        if heading != self.heading:
            if heading[0] != self.heading[0] and properties["note"]:
                for line in properties["note"].split("\n"):
                    for piece in terminal.indented(line):
                        writer.write_line(piece, yellow=True)
            writer.write_line(f"  {properties['section']}", bold=True)
        self.heading = heading
        markup = terminal.MARKUP[properties["state"]]
        for number, line in enumerate(terminal.lines(properties)):
            writer.write_line(line, **(markup if number == 0 else {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.seen:
            terminalreporter.currentfspath = None
            terminalreporter.write_line("")
            for line, markup in terminal.summary(self.seen):
                terminalreporter.write_line(line, **markup)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK and any(not p["right"] for p in self.seen):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
