"""Headless Chromium, driven through its own debugging protocol; and a Jupyter server for it to look at."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.support.processes import start

T = TypeVar("T")
PATIENCE = 240.0  # seconds: a busy machine is no failure
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-allow-origins=*",
    "--window-size=1400,1600",
]


def program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def awaited(look: Callable[[], T | None], process: subprocess.Popen[bytes], log: Path) -> T:
    """What `look` finds in the end, while the process lives."""
    until = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        assert time.monotonic() < until, log.read_text(errors="replace")[-4000:]
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A program in a session of its own, and its log; at the end nothing of the session is left."""
    path = folder / f"{Path(command[0]).name}.log"
    with path.open("wb") as log:
        process = start(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
        )
    try:
        yield process, path
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def jupyter(folder: Path, home: Path) -> Iterator[str]:
    """JupyterLab with formgrader, for one course; its address."""
    options = ["--no-browser", "--allow-root", "--ServerApp.disable_check_xsrf=True"]
    options += [
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "jupyterlab", *options]
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "RUNTIME", "DATA")}
    with running(command, folder, PATH=path, HOME=str(home), **places) as (process, log):
        entry = home / "RUNTIME" / f"jpserver-{process.pid}.json"
        yield awaited(lambda: _address(entry), process, log)


def _address(entry: Path) -> str | None:
    """Where a Jupyter server listens, once it says so: it takes the next free port."""
    with contextlib.suppress(OSError, ValueError):
        return f"http://127.0.0.1:{json.loads(entry.read_text())['port']}"
    return None


class Page:
    """One tab."""

    def __init__(self, address: str):
        import websocket

        self._socket = websocket.create_connection(address, timeout=PATIENCE)
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                result: dict[str, Any] = answer.get("result", answer)
                return result

    def evaluate(self, script: str) -> Any:
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return result.get("result", {}).get("value")

    def open(self, address: str) -> None:
        self.call("Page.enable")
        self.call("Page.navigate", url=address)

    def wait(self, script: str, seconds: float = PATIENCE) -> Any:
        """Until the script's value is true."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = self.evaluate(script)
            if value:
                return value
            time.sleep(0.3)
        raise AssertionError(f"never true: {script}; the page says: {self.evaluate('document.body.innerText')[:1500]}")

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    profile = folder / "profile"
    command = [str(program()), *QUIET, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    with running(command, folder) as (process, log):
        port = awaited(lambda: _port(profile / "DevToolsActivePort"), process, log)
        pages = json.loads(fetched(f"http://127.0.0.1:{port}/json"))
        yield Page(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))


def _port(file: Path) -> int | None:
    """The port that Chromium chose, once it has written it down."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(file.read_text().splitlines()[0])
    return None
