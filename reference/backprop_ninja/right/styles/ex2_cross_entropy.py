"""Right answers to exercise 2 in many styles of writing: by hand each, and never to be refused."""

import functools
import itertools
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

VERBOSE = False
AXIS = 1


def dlogits__jacobian_of_a_softmax(logits, Yb):
    """A Jacobian for each example."""
    probs = torch.softmax(logits, 1)
    rows = []
    for p, y in zip(probs, Yb):
        jacobian = torch.diag(p) - torch.outer(p, p)
        upstream = torch.zeros_like(p)
        upstream[y] = -1 / p[y] / len(Yb)
        rows.append(jacobian @ upstream)
    return torch.stack(rows)


def dlogits__jacobian_by_columns(logits, Yb):
    """A Jacobian of the log-softmax for each example, column by column."""
    probs = torch.softmax(logits, 1)
    n, vocab = logits.shape
    dlogits = torch.zeros_like(logits)
    for i in range(n):
        jacobian = torch.zeros(vocab, vocab, dtype=logits.dtype)
        for j in range(vocab):
            jacobian[:, j] = -probs[i, j]
            jacobian[j, j] += 1
        dlogits[i] = -jacobian[Yb[i]] / n
    return dlogits


def dlogits__double_loop(logits, Yb):
    """A loop over all entries."""
    probs = F.softmax(logits, 1)
    dlogits = torch.zeros_like(logits)
    for i in range(logits.shape[0]):
        for j in range(logits.shape[1]):
            dlogits[i, j] = (probs[i, j] - (1.0 if j == Yb[i] else 0.0)) / len(Yb)
    return dlogits


def dlogits__python_numbers(logits, Yb):
    """Python numbers alone, returned as an array."""
    rows = []
    for row, y in zip(logits.tolist(), Yb.tolist()):
        top = max(row)
        counts = [math.exp(z - top) for z in row]
        total = math.fsum(counts)
        rows.append([(c / total - (j == y)) / len(Yb) for j, c in enumerate(counts)])
    return np.array(rows)


def dlogits__vmap(logits, Yb):
    """torch.vmap over the examples."""
    hot = F.one_hot(Yb, logits.shape[1]).to(logits.dtype)
    return torch.vmap(lambda z, y: (torch.softmax(z, 0) - y) / len(Yb))(logits, hot)


def dlogits__func_vmap(logits, Yb):
    """torch.func.vmap over the columns."""
    columns = torch.func.vmap(lambda z, total: (z - total).exp(), in_dims=(1, None), out_dims=1)
    probs = columns(logits, logits.logsumexp(1))
    return (probs - F.one_hot(Yb, logits.shape[1])) / len(Yb)


def dlogits__out(logits, Yb):
    """out=."""
    result = torch.empty_like(logits)
    torch.softmax(logits, 1, out=result)
    result[range(len(Yb)), Yb] -= 1
    return torch.div(result, len(Yb), out=result)


def dlogits__float32(logits, Yb):
    """float32 inside."""
    probs = F.softmax(logits, 1)
    return (probs - F.one_hot(Yb, logits.shape[1]).float()) / torch.tensor(float(len(Yb)))


def dlogits__recursion(logits, Yb):
    """Recursion over the examples."""

    def rows(i):
        if i == len(Yb):
            return []
        row = F.softmax(logits[i], 0)
        row[Yb[i]] -= 1
        return [row / len(Yb), *rows(i + 1)]

    return torch.stack(rows(0))


def dlogits__class_with_call(logits, Yb):
    """An object that is called."""

    class CrossEntropy:
        __slots__ = ("probs", "targets")

        def __init__(self, z, y):
            self.probs, self.targets = F.softmax(z, 1), y

        def __call__(self):
            self.probs[range(len(self.targets)), self.targets] -= 1
            return self.probs / len(self.targets)

        def __repr__(self):
            return f"{type(self).__name__}({len(self.targets)})"

    return CrossEntropy(logits, Yb)()


class Given:
    """A callable object in the place of a function."""

    def __call__(self, logits, Yb):
        return (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / len(Yb)


dlogits__callable_object = Given()


def _with(logits, Yb, share):
    return (F.softmax(logits, AXIS) - F.one_hot(Yb, logits.shape[1])) * (share or 1 / len(Yb))


dlogits__partial = functools.partial(_with, share=None)


@functools.lru_cache
def dlogits__lru_cache(logits, Yb):
    """functools.lru_cache."""
    return _with(logits, Yb, None)


def handed_on(function):
    @functools.wraps(function)
    def inner(*arguments, **keywords):
        return function(*arguments, **keywords)

    return inner


@handed_on
def dlogits__wraps(logits, Yb):
    """functools.wraps."""
    return _with(logits, Yb, None)


@staticmethod
def dlogits__staticmethod(logits, Yb):
    """@staticmethod."""
    return _with(logits, Yb, None)


def dlogits__einsum(logits, Yb):
    """einsum with a one-hot matrix."""
    hot = torch.eye(logits.shape[1], dtype=logits.dtype)[Yb]
    probs = F.softmax(logits, 1)
    return torch.einsum("nv->nv", probs - torch.einsum("nv,v->nv", hot, torch.ones_like(hot[0]))) / len(Yb)


def dlogits__while(logits, Yb):
    """A while loop with an else."""
    i, dlogits = 0, F.softmax(logits, 1).clone()
    while i < len(Yb):
        dlogits[i, Yb[i]] -= 1
        i += 1
    else:
        dlogits /= len(Yb)
    return dlogits


def dlogits__map_and_zip(logits, Yb):
    """map, zip and a comprehension."""
    subtract = lambda row, y: torch.cat([row[:y], row[y : y + 1] - 1, row[y + 1 :]])  # noqa: E731
    return torch.stack(list(map(subtract, F.softmax(logits, 1), Yb.tolist()))) / len(Yb)


def dlogits__where(logits, Yb):
    """torch.where and broadcasting by expand."""
    targets = Yb[:, None].expand(logits.shape) == torch.arange(logits.shape[1])
    probs = F.softmax(logits, 1)
    return torch.where(targets, probs - 1, probs) / len(Yb)


def dlogits__scatter_add(logits, Yb):
    """scatter_add on a clone."""
    minus = -torch.ones(len(Yb), 1, dtype=logits.dtype)
    return F.softmax(logits, 1).clone().scatter_add(1, Yb.view(-1, 1), minus).div_(len(Yb))


def dlogits__f_string(logits, Yb):
    """Prints, f-strings and sys.stderr."""
    if VERBOSE:
        print(f"{logits.shape=} {torch.get_default_dtype()!s:>10}", file=sys.stderr)
    return _with(logits, Yb, 1 / len(Yb))


def dlogits__unicode(logits, Yb):
    """Names with Greek letters and umlauts."""
    π, größe = F.softmax(logits, 1), len(Yb)
    δ = F.one_hot(Yb, π.shape[1])
    return (π - δ) / größe


def dlogits__getattr(logits, Yb):
    """getattr, setattr, vars and globals with names made at run time."""

    class Box: ...

    box = Box()
    setattr(box, "pro" + "bs", getattr(torch, "soft" + "max")(logits, 1))
    assert vars(box) and globals()["VERBOSE"] is False
    return (box.probs - F.one_hot(Yb, logits.shape[1])) / len(Yb)


def dlogits__complex(logits, Yb):
    """Complex numbers on the way, for no good reason."""
    return torch.complex(_with(logits, Yb, None), torch.zeros_like(logits)).real


def dlogits__product(logits, Yb):
    """itertools.product over a table of Python numbers."""
    table = F.softmax(logits, 1).numpy().copy()
    for i, j in itertools.product(*map(range, table.shape)):
        table[i, j] = (table[i, j] - (Yb[i].item() == j)) / len(Yb)
    return torch.from_numpy(table)


def dlogits__nonlocal(logits, Yb):
    """A closure that counts."""
    count = 0

    def row(z):
        nonlocal count
        result = F.softmax(z, 0)
        result[Yb[count]] -= 1
        count += 1
        return result

    return torch.vstack([row(z) for z in logits]) / count


def dlogits__requires_grad(logits, Yb):
    """A leftover requires_grad_, and a graph that nobody walks back."""
    z = logits.clone().requires_grad_()
    result = (F.softmax(z, 1) - F.one_hot(Yb, z.shape[1])) / len(Yb)
    return result.detach() if result.requires_grad else result


def dlogits__graph_left(logits, Yb):
    """A result that still hangs on a graph."""
    return (F.softmax(logits.clone().requires_grad_(), 1) - F.one_hot(Yb, logits.shape[1])) / len(Yb)


def dlogits__set_grad_enabled(logits, Yb):
    """torch.set_grad_enabled in the function."""
    torch.set_grad_enabled(False)
    result = _with(logits, Yb, None)
    torch.set_grad_enabled(True)
    return result


def dlogits__subclass(logits, Yb):
    """A subclass of Tensor is returned."""

    class Named(torch.Tensor):
        pass

    return _with(logits, Yb, None).as_subclass(Named)


def dlogits__parameter(logits, Yb):
    """A Parameter is returned."""
    return torch.nn.Parameter(_with(logits, Yb, None))


def dlogits__variable(logits, Yb):
    """torch.autograd.Variable and no_grad of torch.autograd."""
    with torch.autograd.set_grad_enabled(False):
        return torch.autograd.Variable(_with(logits, Yb, None))


def dlogits__forward_called(logits, Yb):
    """The forward pass is called for its probabilities."""
    probs = torch.softmax(logits, 1)
    loss = -probs[range(len(Yb)), Yb].log().mean()
    assert torch.allclose(loss, F.cross_entropy(logits, Yb))
    return (probs - F.one_hot(Yb, logits.shape[1])) / len(Yb)
