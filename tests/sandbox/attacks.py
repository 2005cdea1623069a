"""Hostile submissions: each defines dx(w, dy), whose right answer is dy @ w.T, and does something else.

A row: kind, name, source, what the guarded sandbox may make of it, what the bare sandbox (static check and
watch switched off) may make of it. "right" and "wrong" are answers after comparison.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from graders.sandbox import wire

HEAD = "import torch\nimport torch.nn.functional as F\nimport numpy as np\n"
HONEST = HEAD + "def dx(w, dy):\n    return dy @ w.T\n"
MARKER = "left_by_an_attack"  # in the name of every file that an attack tries to make


@dataclass(frozen=True)
class Attack:
    kind: str
    name: str
    source: str
    guarded: frozenset[str]
    bare: frozenset[str]


ATTACKS: list[Attack] = []


def attack(kind: str, name: str, guarded: str, bare: str, body: str, top: str = "") -> None:
    """`guarded`, `bare`: acceptable outcomes, separated by commas."""
    body = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    source = f"{HEAD}{textwrap.dedent(top).strip()}\ndef dx(w, dy):\n{body}\n"
    allowed = [frozenset(part.strip() for part in text.split(",")) for text in (guarded, bare)]
    ATTACKS.append(Attack(kind, name, source, *allowed))


# Right values, not by hand: the guard's business. The bare sandbox may let them pass; importing functorch takes long.
DISGUISED = "right, wrong, error, time out"
GRAPH = "x = torch.zeros(5, 3, dtype=w.dtype)\nf = lambda x: ((x @ w) * dy).sum()\n"


def disguise(name: str, body: str, top: str = "") -> None:
    attack("autograd", name, "forbidden", DISGUISED, GRAPH + textwrap.dedent(body).strip(), top)


def style(name: str, body: str) -> None:
    attack("style", name, "right, wrong", "right, wrong", GRAPH + textwrap.dedent(body).strip())


disguise("backward", "x.requires_grad_(); f(x).backward(); return x.grad")
disguise(
    "backward out of inference mode",
    """
    with torch.inference_mode(False), torch.enable_grad():
        w, dy, x = w.clone(), dy.clone(), x.clone().requires_grad_()
        ((x @ w) * dy).sum().backward()
        return x.grad
    """,
)
disguise("autograd.grad", "x.requires_grad_(); return torch.autograd.grad(f(x), x)[0]")
disguise(
    "from torch import autograd", "x.requires_grad_(); return g.grad(f(x), x)[0]", "from torch import autograd as g"
)
disguise("import torch.autograd", "x.requires_grad_(); return g.grad(f(x), x)[0]", "import torch.autograd as g")
disguise("func.vjp", "return torch.func.vjp(lambda x: x @ w, x)[1](dy)[0]")
disguise("func.grad", "return torch.func.grad(f)(x)")
disguise("func.jacrev", "return torch.func.jacrev(f)(x)")
disguise("func.jacfwd", "return torch.func.jacfwd(f)(x)")
disguise("functorch", "return functorch.grad(f)(x)", "import functorch")
disguise("func by its private name", "return g(f)(x)", "from torch._functorch.apis import grad as g")
disguise("autograd.functional", "return torch.autograd.functional.jacobian(f, x)")
disguise("jit.trace", "x.requires_grad_(); t = torch.jit.trace(f, x); t(x).backward(); return x.grad")
disguise(
    "the engine in C",
    """
    with torch.enable_grad():
        x.requires_grad_()
        e = torch._C._EngineBase if hasattr(torch._C, "_EngineBase") else None
        return torch.autograd.Variable._execution_engine.run_backward(
            (f(x),), (torch.tensor(1.0).double(),), False, False, (x,), False, False)[0]
    """,
)
disguise(
    "forward-mode duals",
    """
    import torch.autograd.forward_ad as fw
    out = torch.zeros_like(x)
    with torch.inference_mode(False), fw.dual_level():
        w, dy = w.clone(), dy.clone()
        for i in range(5):
            for j in range(3):
                e = torch.zeros(5, 3, dtype=w.dtype); e[i, j] = 1
                out[i, j] = fw.unpack_dual(f(fw.make_dual(torch.zeros(5, 3, dtype=w.dtype), e))).tangent
    return out
    """,
)
QUOTIENT = """
out, e = torch.zeros_like(x), torch.zeros_like(x)
for i in range(5):
    for j in range(3):
        e.zero_(); e[i, j] = 1e-3
        out[i, j] = {0}
return out
"""
# No formula, and no autograd either: right where it is exact enough, with a remark for the instructor.
style("central difference", QUOTIENT.format("(f(e) - f(-e)) / 2e-3"))
style(
    "8-point difference",
    QUOTIENT.format(
        "sum(c * (f(k * e) - f(-k * e)) for k, c in ((1, 4/5), (2, -1/5), (3, 4/105), (4, -1/280))) / 1e-3"
    ),
)
style(
    "complex step",
    QUOTIENT.format("((((e * 1j) @ w.to(torch.complex128)) * dy).sum().imag) / 1e-3"),
)
disguise(
    "a name built at run time", "a = getattr(torch, 'auto' + 'grad'); x.requires_grad_(); return a.grad(f(x), x)[0]"
)
disguise("through __dict__", "a = torch.__dict__['auto' 'grad']; x.requires_grad_(); return a.grad(f(x), x)[0]")
disguise("through vars", "a = vars(torch)['auto' 'grad']; x.requires_grad_(); return a.grad(f(x), x)[0]")
disguise(
    "in eval",
    "return eval(\"torch.func.vjp(lambda x: x @ w, x)[1](dy)[0]\", {'torch': torch, 'w': w, 'x': x, 'dy': dy})",
)
disguise(
    "in exec",
    "d = dict(torch=torch, w=w, x=x, dy=dy); exec('r = torch.func.vjp(lambda x: x @ w, x)[1](dy)[0]', d); return d['r']",
)
disguise(
    "in a thread",
    """
    out = []
    t = threading.Thread(target=lambda: out.append(torch.func.vjp(lambda x: x @ w, x)[1](dy)[0]))
    t.start(); t.join()
    return out[0]
    """,
    "import threading",
)
disguise("jax", "return jax.grad(f)(x)", "import jax")
disguise("autograd, the package", "return autograd.grad(f)(x)", "import autograd")
disguise("from a helper", "return g(f, x)", "def g(f, x):\n    return torch.func.grad(f)(x)")
disguise("swallowed", "try:\n    return torch.func.grad(f)(x)\nexcept BaseException:\n    return dy @ w.T")
disguise("from a class", "return G.g(f, x)", "class G:\n    def g(f, x):\n        return torch.func.grad(f)(x)")
disguise("at import", "return g(f, x)", "g = lambda f, x: torch.autograd.functional.vjp(f, x)[1]")
disguise("an op that is a backward formula", "return torch.ops.aten.tanh_backward(dy @ w.T, x)")

disguise("backward of a module", "x.requires_grad_(); torch.autograd.backward(f(x)); return x.grad")
disguise(
    "the engine behind its door",
    """
    with torch.enable_grad():
        y = f(x.requires_grad_())
        return E.run_backward((y,), (torch.ones_like(y),), False, False, (x,), False, False)[0]
    """,
    "E = getattr(torch.autograd.Variable, '_execution_' 'engine')",
)
disguise(
    "the door kept from before",
    "x.requires_grad_(); torch.autograd._engine_run_backward = E; return torch.autograd.grad(f(x), x)[0]",
    "E = getattr(torch.autograd, '_engine_run_' 'backward')",
)
disguise(
    "the watch through torch.sys",
    "x.requires_grad_(); f(x).backward(); return x.grad",
    "torch.sys.modules['graders.student.guard'].Guard.refuse = lambda *a: None",
)
disguise(
    "the builtins of torch", "return torch.builtins.eval('torch.func.grad(f)(x)', {'torch': torch, 'f': f, 'x': x})"
)
disguise(
    "the watch by a star",
    "modules['graders.sandbox.by_hand'].Watch.guard = None; f(x.requires_grad_()).backward(); return x.grad",
    "from sys import *",
)
disguise("the guard itself", "__refuse__.__self__.on = False; x.requires_grad_(); f(x).backward(); return x.grad")
disguise("in torch.jit", "return torch.jit.script(g)(x)", "def g(x: torch.Tensor):\n    return x * 2")
disguise("compiled", "return g(dy) @ w.T", "g = torch.compile(lambda x: x)")
# Outputs.
OUT = "bad output, wrong, error"
for name, expression in {
    "None": "None",
    "NaN": "dy @ w.T * float('nan')",
    "inf": "dy @ w.T / 0",
    "float16": "(dy @ w.T).half()",
    "a (1,) tensor": "torch.ones(1)",
    "a scalar": "0.0",
    "a transposed answer": "(dy @ w.T).T",
    "a string": "'passed'",
    "a tuple": "(dy @ w.T,)",
    "complex": "(dy @ w.T).to(torch.complex128)",
    "sparse": "(dy @ w.T).to_sparse()",
    "meta": "torch.empty(5, 3, device='meta')",
    "nine dimensions": "torch.ones(1, 1, 1, 1, 1, 1, 1, 5, 3)",
    "far too large": "torch.ones(1000, 1000)",
    "expanded": "torch.ones(1).expand(1 << 40)",
    "a class": "torch.Tensor",
    "an object array": "np.array([None] * 15).reshape(5, 3)",
}.items():
    attack("output", name, OUT + ", forbidden, memory", OUT + ", memory", f"return {expression}")
attack("output", "inputs overwritten and returned", OUT, OUT, "dy.zero_(); return dy")
attack(
    "output",
    "a long message",
    "error, memory, time out",
    "error, memory, time out",
    "raise ValueError('x' * (200 << 20))",
)
attack("output", "control characters", "error", "error", r"raise ValueError('\x1b[2J\x1b[31m passed \r\n <script>')")
attack(
    "output",
    "a message that loops",
    "time out",
    "time out",
    "raise E",
    "class E(Exception):\n    def __str__(self):\n        while True: pass",
)
attack("output", "surrogates", "error", "error", r"raise ValueError('\ud800' * 10)")
attack("output", "an interrupt", "error", "error", "raise KeyboardInterrupt('\\n')")

# Reaching out. {0} is a file with a secret that every user may read; {1} our process.
REFUSED = "forbidden, error"
for name, body in {
    "subprocess": "import subprocess; subprocess.run(['/bin/true'], check=True)",
    "os.system": "import os; assert os.system('true') == 0",
    "exec": "import os; os.execv('/bin/true', ['true'])",
    "posix_spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "a file of the machine": "open('/etc/hostname').read()",
    "a secret file": "open('{secret}').read()",
    "a secret file by descriptor": "import os; os.read(os.open('{secret}', os.O_RDONLY), 10)",
    "the grader's files": "import graders, inspect; open(graders.__path__[0] + '/classroom/sandbox.py').read()",
    "the supervisor's memory": "open('/proc/{supervisor}/mem', 'rb').read(1)",
    "the supervisor's environment": "open('/proc/{supervisor}/environ', 'rb').read()",
    "the zygote's environment": "import os; open(f'/proc/{{os.getppid()}}/environ', 'rb').read()",
    "the supervisor's variables": "import os; os.environ['BNC_SECRET']",
    "the home folder": "import os; os.listdir(os.path.expanduser('~'))",
    "a listing of /": "import os; os.listdir('/')",
    "TCP": "import socket; socket.socket()",
    "UDP": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "import socket; socket.socketpair()",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "packet socket": "import socket; socket.socket(17, socket.SOCK_RAW)",
    "write a file": f"open('/tmp/{MARKER}', 'w').write('x')",
    "write to shared memory": f"open('/dev/shm/{MARKER}', 'w').write('x')",
    "torch.save": f"torch.save(w, '/tmp/{MARKER}')",
    "np.save": f"np.save('/var/tmp/{MARKER}', np.ones(3))",
    "a nameless file": "import os; os.open('/tmp', os.O_TMPFILE | os.O_RDWR)",
    "memfd": "import os; os.memfd_create('x')",
    "a shared memory segment": "from multiprocessing import shared_memory as s; s.SharedMemory(create=True, size=10)",
    "System V shared memory": "import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.shmget(0, 4096, 0o1777) >= 0",
    "ptrace": "import ctypes; assert ctypes.CDLL(None).ptrace(16, __import__('os').getppid(), 0, 0) == 0",
    "process_vm_readv": "import ctypes; assert ctypes.CDLL(None).process_vm_readv(__import__('os').getppid(), 0, 0, 0, 0, 0) == 0",
    "a new namespace": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "io_uring": "import ctypes; assert ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(200)) >= 0",
    "bpf": "import ctypes; assert ctypes.CDLL(None).syscall(321, 0, 0, 0) == 0",
    "the second table of system calls": "import ctypes; assert ctypes.CDLL(None).syscall(0x40000000 + 41, 1, 1, 0) >= 0",
    "undoing no_new_privs": "import ctypes; assert ctypes.CDLL(None).prctl(38, 0, 0, 0, 0) == 0",
    "root": "import os; os.setuid(0)",
    "chmod": "import os; os.chmod('/tmp', 0o777)",
    "unlink": "import os; os.unlink('{secret}')",
    "raise the limits": "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (100, 100))",
    "limits of the parent": "import resource as r, os; r.prlimit(os.getppid(), r.RLIMIT_CPU, (0, 0))",
    "kill the parent": "import os; os.kill(os.getppid(), 9)",
    "kill everybody": "import os; os.kill(-1, 9)",
    "kill the group": "import os; os.killpg(os.getpgid(os.getppid()), 9)",
    "a queued signal": "import ctypes, os; assert ctypes.CDLL(None).sigqueue(os.getppid(), 9, 0) == 0",
    "a signal by descriptor": "import fcntl, os; fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())",
    "pidfd": "import os, signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
    "a dynamic library": "import ctypes; ctypes.CDLL('{secret}')",
}.items():
    crash = ", crash" if name == "the second table of system calls" else ""
    attack("reach", name, REFUSED + crash, "error" + crash, body + "\nreturn dy @ w.T")
attack("reach", "remembered public answers", "wrong", "wrong", "return torch.arange(15.0).view(5, 3)")
attack("reach", "printing hidden inputs", "right", "right", "print('hidden', w.tolist(), flush=True); return dy @ w.T")

# Resources.
STOPPED = "time out"
attack("resource", "Python loop", STOPPED, STOPPED, "while True: pass")
attack(
    "resource",
    "huge matmul",
    STOPPED + ", memory",
    STOPPED + ", memory",
    "a = torch.ones(4000, 4000)\nfor _ in range(10): a = a @ a",
)
attack("resource", "endless import", STOPPED, STOPPED, "return dy @ w.T", "while True: pass")
attack("resource", "sleep", STOPPED + ", forbidden", STOPPED, "import time; time.sleep(1000)")
attack(
    "resource",
    "ignored signals",
    STOPPED + ", forbidden",
    STOPPED,
    "import signal\nfor s in set(signal.Signals) - {9, 19}: signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
)
attack(
    "resource",
    "swallowed exceptions",
    STOPPED,
    STOPPED,
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
)
attack("resource", "a power", STOPPED, STOPPED, "return 9 ** 9 ** 9")
attack("resource", "Python list", "memory, time out", "memory, time out", "a = [0]\nwhile True: a = a * 2")
attack("resource", "40 GB tensor", "memory", "memory", "return torch.ones(40 << 27)")
attack(
    "resource",
    "mmap",
    "memory, forbidden, error",
    "memory, error",
    "import mmap; m = [mmap.mmap(-1, 1 << 28) for _ in range(40)]; return m",
)
attack("resource", "a string of spaces", "memory", "memory", "return ' ' * (40 << 30)")
attack("resource", "fork bomb", REFUSED, "error", "import os\nwhile True: os.fork()")
attack(
    "resource",
    "swallowed forks",
    STOPPED + ", forbidden",
    STOPPED,
    "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
)
attack(
    "resource",
    "vfork by number",
    "crash, error, wrong, forbidden",
    "crash, error, wrong",
    "import ctypes; [ctypes.CDLL(None).syscall(n) for n in (56, 57, 58, 435)]; return torch.zeros(5, 3)",
)
attack(
    "resource",
    "thread bomb",
    REFUSED,
    "error",
    "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
)
attack(
    "resource",
    "more torch threads",
    "forbidden, error, right, wrong, crash",
    "error, right, wrong, crash, time out",
    "torch.set_num_threads(8); (torch.ones(600, 600) @ torch.ones(600, 600)).exp(); return dy @ w.T",
)
attack("resource", "open files", REFUSED, "error", "import os; f = [open(os.__file__) for _ in range(9999)]; return dy")
attack(
    "resource", "full disk", REFUSED, "error", f"f = open('/tmp/{MARKER}', 'wb')\nwhile True: f.write(bytes(1 << 20))"
)
attack("resource", "abort", "crash, error, forbidden", "crash, error", "import os; os.abort()")
attack("resource", "abort in C", "crash, forbidden", "crash", "import ctypes; ctypes.CDLL(None).abort()")
attack("resource", "segfault", "crash, forbidden", "crash", "import ctypes; ctypes.string_at(0)")
attack("resource", "a Python recursion", "error", "error, crash", "return dx(w, dy)")
attack(
    "resource",
    "a recursion in C",
    "crash, error, memory",
    "crash, error, memory",
    "t = ()\nfor _ in range(10 ** 6): t = (t,)\nreturn hash(t) or repr(t)",
)
attack(
    "resource",
    "no recursion limit",
    "crash, error, memory, forbidden, time out",
    "crash, error, memory, time out",
    "import sys; sys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
)
attack("resource", "endless stdout", "output limit", "output limit", "while True: print('x' * 1000)")
attack(
    "resource",
    "endless stderr",
    "output limit, forbidden",
    "output limit",
    "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
)
attack(
    "resource",
    "a comprehension that crashes the parser",
    "crash, error, memory",
    "crash, error, memory",
    "return dy",
    "a = [0 " + "for x in y " * 4500 + "]",
)
attack(
    "resource",
    "deep brackets",
    "error, crash, memory",
    "error, crash, memory",
    "return dy",
    "a = " + "(" * 5000 + ")" * 5000,
)
attack(
    "resource", "deep minus", "error, crash, memory", "error, crash, memory", "return dy", "a = " + "-" * 30000 + "1"
)

# Forging the verdict.
NEVER = "bad output, wrong, error, crash, bad output, forbidden"
CLAIM = f"""
import struct, os
def c(ask, outcome=0, dims=2, sizes=(0, 120), shape=(5, 3), data=bytes(120)):
    numbers = ask, outcome, 0, dims, 0, *sizes, *(shape + (0,) * (8 - len(shape)))
    return struct.pack({wire.HEADER.format!r}, {wire.MARK!r}, *numbers) + data
"""
for name, (body, top) in {
    "patched allclose": ("return dy", "torch.allclose = torch.equal = torch.Tensor.equal = lambda *a, **k: True"),
    "patched in the call": ("torch.allclose = torch.equal = lambda *a, **k: True\nreturn torch.zeros(5, 3)", ""),
    "frame walk": (
        "import sys\nf = sys._getframe()\nwhile f:\n    for v in f.f_locals.values():\n        if isinstance(v, torch.Tensor) and v.shape == (5, 3): return v\n    f = f.f_back",
        "",
    ),
    "scan of gc": (
        "import gc\nreturn [o for o in gc.get_objects() if isinstance(o, torch.Tensor) and o.shape == (5, 3)][-1]",
        "",
    ),
    "os._exit(0)": ("import os; os._exit(0)", ""),
    "_exit in C": ("import ctypes; ctypes.CDLL(None)._exit(0)", ""),
    "os._exit(0) at import": ("return dy", "import os; os._exit(0)"),
    "SystemExit": ("raise SystemExit(0)", ""),
    "SystemExit at import": ("return dy", "raise SystemExit(0)"),
    "pytest.skip": ("import pytest; pytest.skip('fine')", ""),
    "atexit report": ("return dy", "import atexit; atexit.register(print, '1 passed')"),
    "patched graders": ("return dy", "import graders.oracle.compare as c; c.match = c.as_tensor = lambda *a: True"),
    "patched pytest": ("return dy", "import sys; sys.modules['pytest'] = sys.modules['unittest'] = sys"),
    "__reduce__": ("return R()", "class R:\n    def __reduce__(self): return (print, ('passed',))"),
    "equal to everything": (
        "return E()",
        "class E:\n    def __eq__(self, o): return True\n    def __getattr__(self, n): return self\n    def __call__(self, *a): return self",
    ),
    "tensor subclass": (
        "return torch.zeros(5, 3).as_subclass(T)",
        "class T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True",
    ),
    "an argument of a class of one's own": (
        "dy.__class__ = T; return torch.zeros(5, 3)",
        "class T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True",
    ),
    "a subclass below torch": (
        "return torch.Tensor._make_wrapper_subclass(T, (5, 3), dtype=torch.float64)",
        "class T(torch.Tensor):\n    @classmethod\n    def __torch_dispatch__(cls, f, t, a=(), k=None): return True",
    ),
    "many claims": ("os.write(3, b''.join(map(c, range(99)))); return dy", CLAIM),
    "a claim at import": ("return dy", CLAIM + "os.write(3, c(-1, 0, 0, (0, 0), (), b'') + c(0)); os._exit(0)"),
    "a claim of grader error": ("os.write(3, c(0, 9, 0, (0, 0), (), b'')); os.kill(os.getpid(), 9)", CLAIM),
    "a claim of an unknown outcome": ("os.write(3, c(0, 200)); return dy", CLAIM),
    "a claim of a huge tensor": (
        "os.write(3, c(0, sizes=(0, 1 << 62), shape=(1 << 31, 1 << 28))); return dy",
        CLAIM,
    ),
    "a claim of an empty tensor with huge dimensions": (
        "os.write(3, c(0, 0, 3, (0, 0), (1 << 62, 1 << 62, 0), b'')); return dy",
        CLAIM,
    ),
    "a claim of negative sizes": ("os.write(3, c(0, shape=(-5, -3))); return dy", CLAIM),
    "a claim of a long text": ("os.write(3, c(0, 2, 0, (1 << 31, 0), (), b'')); return dy", CLAIM),
    "a claim of 200 dimensions": ("os.write(3, c(0, dims=200)); return dy", CLAIM),
    "noise": ("os.write(3, os.urandom(1 << 16)); return dy", CLAIM),
    "closed pipe": ("import os; os.closerange(0, 100)", ""),
    "pickle on the pipe": ("import os, pickle; os.write(3, pickle.dumps(print)); return dy", ""),
    **{
        f"stdout in the dialect of {dialect}": (f"print({text!r}, flush=True); return dy", "")
        for dialect, text in {
            "pytest": "===== 1 passed in 0.01s =====",
            "unittest": "Ran 1 test in 0.000s\n\nOK",
            "TAP": "1..1\nok 1",
            "Gradescope": '{"score": 100, "tests": []}',
            "nbgrader": "1.0",
            "ours": "dx | exact: True  | approximate: True  | maxdiff: 0",
        }.items()
    },
}.items():
    attack("forge", name, NEVER, NEVER.replace(", forbidden", ""), body, top)
attack("forge", "a claim of its own", "forbidden", "wrong", "os.write(3, c(0)); os._exit(0)", CLAIM)  # which is taken
