"""Nothing in a student's code ends the check: each accident costs its own item, and is told truly, with its line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from graders.outcome import Outcome
from graders.student import guard, talk, time_limit
from graders.student.answer import Answer
from graders.student.forked import Forked
from graders.student.forks import can_fork, fork_here
from graders.student.inside import serve
from graders.student.question import Question

pytestmark = pytest.mark.skipif(not can_fork(), reason="forks do not serve here")

X = torch.arange(3, dtype=torch.float64)
IMPORTS = """\
import atexit, builtins, ctypes, faulthandler, functools, gc, itertools, locale, os, re, resource, signal, sys
import threading, time, types, warnings
import numpy as np, torch, torch.nn.functional as F
"""
BETWEEN = """
def g(x):
    return torch.tanh(x) + torch.zeros(3)
"""
G = torch.tanh(X)
DONE, ERROR, CRASH, MEMORY = Outcome.ANSWERED, Outcome.ERROR, Outcome.CRASH, Outcome.MEMORY
LATE, FLOOD, BAD = Outcome.TIME_OUT, Outcome.OUTPUT_LIMIT, Outcome.BAD_OUTPUT
HERE, NOWHERE = "# here", ""


@dataclass(frozen=True)
class Accident:
    """What a function does; what comes of it, what is said. The line marked `# here` is told.

    `outcome` ANSWERED: it is harmless to the item itself. `at_import` is what comes of it where the whole module does it; by default the same.
    """

    name: str
    body: str
    outcome: Outcome
    said: str = ""
    at_import: Outcome | None = None


SEGFAULT = "ctypes.string_at(0)  # here"
ACCIDENTS = [
    Accident("segmentation fault", SEGFAULT, CRASH, "died of SIGSEGV"),
    Accident("segmentation fault in a helper", "def helper():\n    ctypes.string_at(0)  # here\nhelper()", CRASH, "died of SIGSEGV"),
    Accident("segmentation fault in a thread", "t = threading.Thread(target=lambda: ctypes.string_at(0))  # here\nt.start()\nt.join()", CRASH, "died of SIGSEGV"),
    Accident("abort", "os.abort()  # here", ERROR, "SystemExit"),
    Accident("abort in C", "ctypes.CDLL(None).abort()  # here", CRASH, "died of SIGABRT"),
    Accident("os._exit(0)", "os._exit(0)  # here", ERROR, "SystemExit: 0"),
    Accident("os._exit(1)", "os._exit(1)  # here", ERROR, "SystemExit: 1"),
    Accident("exit in C", "ctypes.CDLL(None)._exit(0)", CRASH, "ended the process (exit code 0)"),
    Accident("sys.exit", "sys.exit(3)  # here", ERROR, "SystemExit: 3"),
    Accident("kills itself", "os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(1)", CRASH, "died of SIGKILL"),
    Accident("terminates itself", "os.kill(os.getpid(), signal.SIGTERM)  # here\ntime.sleep(1)", CRASH, "died of SIGTERM"),
    Accident("kills its group", "os.killpg(0, signal.SIGKILL)\ntime.sleep(1)", CRASH, "died of SIGKILL"),
    Accident("interrupts itself", "os.kill(os.getpid(), signal.SIGINT)  # here\ntime.sleep(1)", ERROR, "KeyboardInterrupt"),
    Accident("loops", "while True:  # here\n    pass  # here", LATE, "still running after 0.3 s"),
    Accident("loops in C", "sum(itertools.count())  # here", LATE, "still running after 0.3 s"),
    Accident("backtracks", "re.match('(a+)+$', 'a' * 60 + 'b')  # here", LATE, "still running after 0.3 s"),
    Accident("loops and swallows all", "while True:\n    try:\n        while True: pass  # here\n    except BaseException: pass", LATE, "still running"),
    Accident("sleeps", "time.sleep(60)  # here", LATE, "still not back after 1.2 s"),
    Accident("sleeps deaf", "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(60)", LATE, "still not back after 1.2 s"),
    Accident("waits for a lock of its own", "lock = threading.Lock()\nlock.acquire()\nlock.acquire()  # here", LATE, "still not back"),
    Accident("recurses", "def r(): r()  # here\nr()", ERROR, "RecursionError"),
    Accident("recurses in C", "sys.setrecursionlimit(10**9)\nclass R:\n    def __repr__(self): return repr(self)  # here\nrepr(R())", CRASH, "died of SIGSEGV"),
    Accident("much memory of torch", "torch.ones(10**12)  # here", MEMORY, "can't allocate memory"),
    Accident("much memory of numpy", "np.ones(10**12)  # here", MEMORY, "Unable to allocate"),
    Accident("much memory of a list", "[0] * 10**12  # here", MEMORY, "MemoryError"),
    Accident("prints without end", "while True: print('x' * 1000)  # here", FLOOD, "printed more than 1048576 bytes"),
    Accident("writes without end", "while True: os.write(1, b'x' * 1000)  # here", FLOOD, "printed more than 1048576 bytes"),
    Accident("writes errors without end", "while True: os.write(2, b'x' * 1000)  # here", FLOOD, "printed more than 1048576 bytes"),
    Accident("closes its output", "os.close(1)\nos.close(2)", DONE),
    Accident("closes its input", "os.close(0)", DONE),
    Accident("closes sys.stdout", "sys.stdout.close()\nsys.stderr.close()", DONE),
    Accident("closes every file", "os.closerange(0, 4096)", CRASH, "its answer did not come back"),
    Accident("leaves a thread", "threading.Thread(target=time.sleep, args=(60,)).start()", DONE),
    Accident("leaves a daemon", "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", DONE),
    Accident("leaves a thread that kills", "threading.Thread(target=lambda: (time.sleep(0.05), ctypes.string_at(0))).start()", DONE),
    Accident("forks", "os.fork()", DONE),
    Accident("forks and raises", "if os.fork() == 0: raise ValueError", DONE),
    Accident("leaves a fork", "if os.fork() == 0: time.sleep(60)", DONE),
    Accident("patches torch.tanh", "torch.tanh = lambda x: x", DONE),
    Accident("patches Tensor.sum", "torch.Tensor.sum = torch.Tensor.__add__ = torch.Tensor.clone = None", DONE),
    Accident("hides an inherited method", "torch.Tensor.__len__, torch.Tensor.new_method = None, 1", DONE),
    Accident("deletes from torch", "del torch.Tensor.__len__, torch.zeros\ntorch.zeros(3)  # here", ERROR, "no attribute 'zeros'"),
    Accident("patches numpy", "np.asarray = np.ndarray = None", DONE),
    Accident("changes the default dtype", "torch.set_default_dtype(torch.float16)", DONE),
    Accident("changes the default device", "torch.set_default_device('meta')", DONE),
    Accident("turns gradients off", "torch.set_grad_enabled(False)", DONE),
    Accident("turns inference on", "torch.inference_mode().__enter__()", DONE),
    Accident("sets threads", "torch.set_num_threads(2)", DONE),
    Accident("computes in threads", "torch.set_num_threads(2)\n(torch.ones(600, 600) @ torch.ones(600, 600)).tanh()", DONE),
    Accident("seeds", "torch.manual_seed(3)\nnp.random.seed(3)", DONE),
    Accident("numpy raises", "np.seterr(all='raise')\nnp.log(np.zeros(1))  # here", ERROR, "FloatingPointError"),
    Accident("warnings are errors", "warnings.simplefilter('error')\nwarnings.warn('careful')  # here", ERROR, "UserWarning: careful"),
    Accident("warns", "warnings.warn('careful')", DONE),
    Accident("sets the locale", "locale.setlocale(locale.LC_ALL, 'C')", DONE),
    Accident("changes the folder", "os.chdir('/')", DONE),
    Accident("clears the environment", "os.environ.clear()", DONE),
    Accident("handles signals", "signal.signal(signal.SIGTERM, lambda *a: None)\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)", DONE),
    Accident("rings an alarm", "signal.alarm(1)", DONE),
    Accident("sets a timer", "signal.setitimer(signal.ITIMER_REAL, 0.01)\ntime.sleep(1)  # here", CRASH, "died of SIGALRM"),
    Accident("sets a timer for others", "signal.setitimer(signal.ITIMER_REAL, 0.05)", DONE),
    Accident("limits recursion", "sys.setrecursionlimit(300)", DONE),
    Accident("stops collecting", "gc.disable()", DONE),
    Accident("traces", "sys.settrace(lambda *a: 1 / 0)  # here?", ERROR, "ZeroDivisionError"),
    Accident("profiles", "sys.setprofile(lambda *a: None)", DONE),
    Accident("replaces builtins", "builtins.len = builtins.isinstance = builtins.print = builtins.map = builtins.list = lambda *a: 0", DONE),
    Accident("deletes builtins", "del builtins.len, builtins.print, builtins.map, builtins.list, builtins.open", DONE),
    Accident("clears builtins", "vars(builtins).clear()\nlen(())  # here?", ERROR, "NameError"),
    Accident("replaces sys.stdout", "sys.stdout = sys.stderr = None", DONE),
    Accident("clears sys.modules", "sys.modules.clear()\nimport nothing.at_all  # here?", ERROR),
    Accident("forgets a module", "del sys.modules['numpy'], sys.modules['graders.words']", DONE),
    Accident("clears sys.path", "sys.path.clear()", DONE),
    Accident("reads its input", "input('number?')  # here", ERROR, "EOFError"),
    Accident("raises KeyboardInterrupt", "raise KeyboardInterrupt  # here", ERROR, "KeyboardInterrupt"),
    Accident("raises SystemExit", "raise SystemExit  # here", ERROR, "SystemExit"),
    Accident("raises GeneratorExit", "raise GeneratorExit  # here", ERROR, "GeneratorExit"),
    Accident("raises a BaseException", "class E(BaseException): pass\nraise E('no')  # here", ERROR, "E: no"),
    Accident("raises what says nothing", "class E(Exception):\n    def __str__(self): raise ValueError\nraise E  # here", ERROR, "exception str() failed"),
    Accident("raises what kills to be said", "class E(Exception):\n    def __str__(self): ctypes.string_at(0)  # here\nraise E", CRASH, "died of SIGSEGV"),
    Accident("raises at length", "raise ValueError('x' * 10**7)  # here", ERROR, "ValueError: xxx"),
    Accident("raises a group", "raise ExceptionGroup('two', [ValueError(), TypeError()])  # here", ERROR, "two"),
    Accident("lies of its class", "class L:\n    __class__ = property(lambda self: ctypes.string_at(0))  # here\nreturn L()", CRASH, "died of SIGSEGV", at_import=DONE),
    Accident("kills when it goes", "class K:\n    def __del__(self): ctypes.string_at(0)  # here\nK()", CRASH, "died of SIGSEGV"),
    Accident("kills when collected", "class K:\n    def __del__(self): ctypes.string_at(0)\nk = K()\nk.k = k", DONE),
    Accident("ends by atexit", "atexit.register(ctypes.string_at, 0)", DONE),
    Accident("no files left to open", "resource.setrlimit(resource.RLIMIT_NOFILE, (1, 1))", DONE),
    Accident("a faulthandler of its own", "faulthandler.disable()\nctypes.string_at(0)", CRASH, "died of SIGSEGV"),
    Accident("returns a tensor's subclass", "class T(torch.Tensor): pass\nreturn x.as_subclass(T)", DONE, at_import=DONE),
    Accident("returns a generator", "return (i for i in x)", BAD, "returned a generator", at_import=DONE),
]  # fmt: skip


ONLY_WITHIN = ("changes the default device", "leaves a thread that kills")  # of a file, these fall upon any item


def forked_here(cases: dict) -> object:  # type: ignore[type-arg]
    """This process has computed in one thread only: see conftest.py."""
    return fork_here(serve, cases)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, accident: Accident) -> None:
    """A loop is to reach its processor time first, and a fork to say where it is, however busy this machine is."""
    monkeypatch.setattr(talk, "DYING", 3.0)
    monkeypatch.setattr(time_limit, "PATIENCE", 4 if accident.said.startswith("still not") else 100)


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a text may not say is refused before it can end anything: here it is run all the same."""
    monkeypatch.setattr(guard, "screen", lambda tree: (tree, []))


Ask = Callable[..., tuple[Forked, dict[str, Answer]]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    made: list[Forked] = []

    def asked(
        text: str, names: str, start: Callable[..., object] = forked_here, limit: float = 0.3
    ) -> tuple[Forked, dict[str, Answer]]:
        path = tmp_path / "ex.py"
        path.write_text(text)
        made.append(Forked(path, limit, start=start))  # type: ignore[arg-type]
        questions = [Question(name, ("x",), {"x": X}) for name in names for _ in range(2)]
        answers = [answer for (answer,) in made[-1].answers(questions)]
        return made[-1], dict(zip(names, answers[::2], strict=True))

    yield asked
    for forked in made:
        forked.close()


def line_of(text: str) -> list[int]:
    """Where the accident is: `# here` is told, `# here?` may be (our own code was the first to meet it)."""
    lines = list(enumerate(text.splitlines(), 1))
    maybe = [0, *(number for number, line in lines if line.endswith("# here?"))]
    return [number for number, line in lines if line.endswith("# here")] or maybe


def within(accident: Accident) -> str:
    body = textwrap.indent(accident.body, "    ")
    others = BETWEEN + BETWEEN.replace("g(", "h(") + BETWEEN.replace("g(", "i(")
    return f"{IMPORTS}{others}\ndef f(x):\n{body}\n    return torch.tanh(x)\n"


@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda a: a.name)
def test_an_accident_in_a_function_costs_its_own_item(accident: Accident, ask: Ask) -> None:
    text = within(accident)
    forked, found = ask(text, "gfhi")
    for name in "ghi":
        assert found[name].tensor is not None, (name, found[name])
        assert torch.equal(found[name].tensor, G)
    told = found["f"]
    assert told.outcome is accident.outcome, (told.outcome, told.reason)
    assert accident.said in str(told.reason or "")
    assert told.line in line_of(text) or told.outcome is DONE, (told.line, told.frames)
    assert forked.student.fault is None and forked.line_of("f") > 0


@pytest.mark.parametrize(
    "accident", [a for a in ACCIDENTS if "return" not in a.body and a.name not in ONLY_WITHIN], ids=lambda a: a.name
)
def test_an_accident_of_the_whole_file_is_told_and_the_check_goes_on(accident: Accident, ask: Ask) -> None:
    text = f"{IMPORTS}x = torch.ones(2)\n{accident.body}\n{BETWEEN}"
    expected = accident.at_import or accident.outcome
    forked, found = ask(text, "g")
    told = forked.student.fault or found["g"]
    assert told.outcome is expected, (told.outcome, told.reason)
    if expected is DONE:
        assert told.tensor is not None and torch.equal(told.tensor, G)
    else:
        assert accident.said in str(told.reason)
        assert told.line in line_of(text), (told.line, told.frames)
    assert forked.student.text == text
