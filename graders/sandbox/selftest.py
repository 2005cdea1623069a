"""Attacks that run at every start, by the same path as a submission: a class is claimed when it is proved."""

import tempfile
from collections.abc import Callable, Sequence

import torch

from graders.outcome import Outcome
from graders.sandbox.task import Limits
from graders.student.answer import Answer
from graders.student.question import Question

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
LIMITS = Limits(seconds=0.5, static_check=False, watch=False)


Respond = Callable[[bytes, Sequence[Question], Limits], list[tuple[Answer, ...]]]


def prove(respond: Respond, isolation: str) -> str:
    """What this class promises and does not hold; empty if it holds."""
    with tempfile.NamedTemporaryFile() as secret:
        names = {f"d{number}": name for number, name in enumerate(BODIES)}
        bodies = [
            f"def {function}(x):\n    {BODIES[name].format(secret=secret.name)}\n"
            for function, name in names.items()
            if isolation != "C" or name not in ONLY_LOCKED
        ]
        functions = [body.split("(")[0].removeprefix("def ") for body in bodies]
        x = {"x": torch.zeros(3)}
        questions = [Question(function, ("x",), x, shapes=((3,),)) for function in functions]
        answers = respond("".join(bodies).encode(), questions, LIMITS)
    for function, (answer,) in zip(functions, answers, strict=True):
        name = names[function]
        expected = EXPECTED.get(name, Outcome.ERROR)
        kind = dict(answer.reason.facts).get("kind") if answer.reason else None
        if answer.outcome is not expected or (expected is Outcome.ERROR and kind not in REFUSALS):
            return f"a submission that tries to {name} gets {answer.outcome.value} ({answer.reason})"
    return ""
