"""Headless Chromium, driven through its own debugging protocol; and a Jupyter server for it to look at."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetched(url: str, seconds: float = 60) -> bytes:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    log = (folder / f"{Path(command[0]).name}.log").open("wb")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


@contextlib.contextmanager
def jupyter(folder: Path, home: Path) -> Iterator[str]:
    """JupyterLab with formgrader, for one course; its address."""
    port = free_port()
    options = [f"--port={port}", "--no-browser", "--allow-root", "--ServerApp.disable_check_xsrf=True"]
    options += [
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "jupyterlab", *options]
    with running(command, folder, PATH=path, HOME=str(home), JUPYTER_CONFIG_DIR=str(home / "jupyter")):
        address = f"http://127.0.0.1:{port}"
        fetched(f"{address}/api")
        yield address


class Page:
    """One tab."""

    def __init__(self, address: str):
        import websocket

        self._socket = websocket.create_connection(address, timeout=60)
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                return answer.get("result", answer)

    def evaluate(self, script: str) -> Any:
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return result.get("result", {}).get("value")

    def open(self, address: str) -> None:
        self.call("Page.enable")
        self.call("Page.navigate", url=address)

    def wait(self, script: str, seconds: float = 90) -> Any:
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
    port = free_port()
    command = [str(program()), *QUIET, f"--remote-debugging-port={port}", f"--user-data-dir={folder / 'profile'}"]
    with running(command, folder):
        pages = json.loads(fetched(f"http://127.0.0.1:{port}/json"))
        yield Page(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
