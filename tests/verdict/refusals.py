"""What is refused, and only that: (what, the body of dlogits of exercise 2, the line of it, the code, above the file)."""

from __future__ import annotations

from typing import NamedTuple

from graders.words import Code


class Refusal(NamedTuple):
    what: str
    line: str  # the one that comes upon it; "..." in a body stands for it
    code: Code
    body: str = "..."
    top: str = ""


LOSS = "loss = lambda z: F.cross_entropy(z, Yb)"
LEAF = "z = logits.clone().requires_grad_()"
OWN = "from my_helpers import softmax_back"
REFUSALS = [
    Refusal(
        "autograd.grad", "return torch.autograd.grad(F.cross_entropy(z, Yb), z)[0]", Code.NOT_BY_HAND, f"{LEAF}\n..."
    ),
    Refusal(
        "backward of a graph of one's own",
        "F.cross_entropy(z, Yb).backward()",
        Code.AUTOGRAD,
        f"{LEAF}\n...\nreturn z.grad",
    ),
    Refusal(
        "autograd.backward",
        "torch.autograd.backward(F.cross_entropy(z, Yb))",
        Code.NOT_BY_HAND,
        f"{LEAF}\n...\nreturn z.grad",
    ),
    Refusal(
        "grad under a name of one's own",
        "return g(F.cross_entropy(z, Yb), z)[0]",
        Code.AUTOGRAD,
        f"{LEAF}\n...",
        "g = torch.autograd.grad",
    ),
    Refusal(
        "grad by a name made at run time",
        "return getattr(torch, 'auto' + 'grad').grad(F.cross_entropy(z, Yb), z)[0]",
        Code.AUTOGRAD,
        f"{LEAF}\n...",
    ),
    Refusal("grad from a helper", "return torch.autograd.grad(f(z), z)[0]", Code.NOT_BY_HAND, "...", ""),
    Refusal(
        "grad in eval",
        "return eval('torch.autograd.grad(F.cross_entropy(z, Yb), z)[0]', dict(globals(), z=z, Yb=Yb))",
        Code.AUTOGRAD,
        f"{LEAF}\n...",
    ),
    Refusal(
        "swallowed",
        "_ = torch.func.grad(loss)(logits)",
        Code.NOT_BY_HAND,
        f"{LOSS}\ntry:\n    ...\nexcept Exception:\n    pass\nreturn F.softmax(logits, 1)",
    ),
    *(
        Refusal(f"func.{name}", f"return torch.func.{name}(loss)(logits)", Code.NOT_BY_HAND, f"{LOSS}\n...")
        for name in ("grad", "jacrev", "jacfwd", "hessian", "grad_and_value")
    ),
    Refusal("func.vjp", "return torch.func.vjp(loss, logits)[1](torch.ones(()))[0]", Code.NOT_BY_HAND, f"{LOSS}\n..."),
    Refusal("func.jvp", "return torch.func.jvp(loss, (logits,), (logits,))[1]", Code.NOT_BY_HAND, f"{LOSS}\n..."),
    Refusal("func.linearize", "return torch.func.linearize(loss, logits)[1](logits)", Code.NOT_BY_HAND, f"{LOSS}\n..."),
    Refusal(
        "vjp under a name of one's own",
        "return vjp(loss, logits)[1](torch.ones(()))[0]",
        Code.AUTOGRAD,
        f"{LOSS}\n...",
        "vjp = torch.func.vjp",
    ),
    Refusal(
        "autograd.functional",
        "return torch.autograd.functional.jacobian(loss, logits)",
        Code.NOT_BY_HAND,
        f"{LOSS}\n...",
    ),
    Refusal(
        "forward mode",
        "d = fw.make_dual(logits, logits)",
        Code.NOT_BY_HAND,
        "with torch.no_grad():\n    ...\nreturn d",
        "import torch.autograd.forward_ad as fw",
    ),
    Refusal(
        "a backward kernel",
        "return torch.ops.aten._softmax_backward_data(logits, logits, 1, logits.dtype)",
        Code.BACKWARD_KERNEL,
    ),
    Refusal(
        "a backward kernel of torch's own",
        "return torch._softmax_backward_data(logits, logits, 1, logits.dtype)",
        Code.BACKWARD_KERNEL,
    ),
    Refusal(
        "torch.nn.grad",
        "return torch.nn.grad.conv1d_input((1, 1, 5), torch.ones(1, 1, 3), torch.ones(1, 1, 3))",
        Code.BACKWARD_KERNEL,
    ),
    Refusal("jit", "return torch.jit.script(F.softmax)(logits)", Code.NOT_NEEDED),
    Refusal("compile", "return torch.compile(lambda z: z)(logits)", Code.NOT_NEEDED),
    Refusal("a file of one's own", "return softmax_back(logits)", Code.ONE_FILE, "...", OWN),
    Refusal("a star of one's own", "return softmax_back(logits)", Code.ONE_FILE, "...", "from my_helpers import *"),
    Refusal(
        "a relative import", "return softmax_back(logits)", Code.ONE_FILE, "...", "from .my_helpers import softmax_back"
    ),
    Refusal(
        "an import of one's own in the function",
        "return my_helpers.back(logits)",
        Code.ONE_FILE,
        "import my_helpers\n...",
    ),
    Refusal("a misspelt package", "return torhc.softmax(logits, 1)", Code.ONE_FILE, "...", "import torhc"),
    Refusal("another package", "return scipy.special.softmax(logits)", Code.ONE_FILE, "...", "import scipy.special"),
    Refusal("the system", "return os.getcwd()", Code.NO_IMPORT, "...", "import os\nos.environ['A'] = '1'"),
    Refusal("a file", "file = open('expected.txt')", Code.OTHER_FILE, "...\nreturn file"),
    Refusal("a tensor's file", "torch.save(logits, 'logits.pt')", Code.OTHER_FILE, "...\nreturn logits"),
    Refusal("modules that hang on torch", "torch.sys.modules.clear()", Code.NOT_NEEDED, "...\nreturn logits"),
    Refusal("builtins that hang on torch", "return torch.builtins.abs(logits)", Code.NO_IMPORT),
    Refusal("a function's insides", "return dlogits.__globals__", Code.NOT_NEEDED),
    Refusal("torch's insides", "return torch._C._VariableFunctions.exp(logits)", Code.NOT_NEEDED),
]
