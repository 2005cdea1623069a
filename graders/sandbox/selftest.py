"""Attacks that run at every start, by the same path as a submission: a class is claimed when it is proved."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from graders.sandbox.outcome import Outcome
from graders.sandbox.wire import Ask, Limits, Reply

CLASSES = {
    "A": "bubblewrap, Landlock and seccomp",
    "B": "Landlock and seccomp",
    "C": "a separate process with limits only; other people's code can read your files",
}
BODIES = {
    "read a file": "open({secret!r}).read(); return x",
    "write a file": "open('/tmp/written_by_a_submission', 'w').write('x'); return x",
    "open a socket": "import socket; socket.socket(); return x",
    "fork": "import os; os.fork() or os._exit(0); return x",
    "run a program": "import os; os.execv('/bin/true', ['true'])",
    "signal its parent": "import os; os.kill(os.getppid(), 0); return x",
    "eat memory": "import torch; return torch.ones(1 << 33)",
    "loop for ever": "while True: pass",
    "answer honestly": "return x + 1",
}
ONLY_LOCKED = set(list(BODIES)[:3]) | {"run a program", "signal its parent"}  # C does not claim these
REFUSALS = ("PermissionError", "FileNotFoundError", "BlockingIOError")  # the kernel's, not a slip of ours
EXPECTED = {
    "eat memory": Outcome.MEMORY,
    "loop for ever": Outcome.TIME_OUT,
    "answer honestly": Outcome.ANSWERED,
}
LIMITS = Limits(seconds=0.5)


Grade = Callable[[bytes, Sequence[Mapping[str, Any]], Sequence[Ask], Limits, bool, bool], list[Reply]]


def prove(grade: Grade, isolation: str) -> str:
    """What this class promises and does not hold; empty if it holds."""
    with tempfile.NamedTemporaryFile() as secret:
        names = {f"d{number}": name for number, name in enumerate(BODIES)}
        bodies = [
            f"def {function}(x):\n    {BODIES[name].format(secret=secret.name)}\n"
            for function, name in names.items()
            if isolation != "C" or name not in ONLY_LOCKED
        ]
        functions = [body.split("(")[0].removeprefix("def ") for body in bodies]
        asks = [Ask(function, 0, {}, {}, (3,), 100) for function in functions]
        source = "".join(bodies).encode()
        replies = grade(source, [{"x": torch.zeros(3)}], asks, LIMITS, False, False)
    for function, reply in zip(functions, replies, strict=True):
        name = names[function]
        expected = EXPECTED.get(name, Outcome.ERROR)
        slipped = expected is Outcome.ERROR and not reply.message.startswith(REFUSALS)
        if reply.outcome is not expected or slipped:
            return f"a submission that tries to {name} gets {reply.outcome.value} ({reply.message[:100]})"
    return ""
