"""Right answers to exercise 1 in many styles of writing: by hand each, and never to be refused.

No mutants are made of these, unlike of the answers in right/: some of them loop until they are done.
"""

from __future__ import annotations

import abc
import copy
import functools
import itertools
import math
import operator
import statistics
import time
import warnings
from collections import Counter, defaultdict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from fractions import Fraction
from typing import Any, NamedTuple, Optional

import numpy as np
import torch
import torch.nn.functional as F
from numpy import linalg
from torch import Tensor, nn

__author__ = "somebody"
__version__ = "1.0"
EPS: float = 1e-5
POWER = -3 / 2
warnings.filterwarnings("ignore")
torch.set_grad_enabled(False)
torch.manual_seed(1)


# a check of one's own, which no gradient calls
def compare(function: Callable[..., Tensor], *leaves: Tensor) -> float:
    with torch.enable_grad():
        leaves = tuple(leaf.clone().requires_grad_() for leaf in leaves)
        true = torch.autograd.grad(function(*leaves).sum(), leaves)
    return max(float(gradient.abs().max()) for gradient in true)


compare(torch.tanh, torch.ones(3))
probe = torch.ones(3, requires_grad=True)
with torch.enable_grad():
    (probe * probe).sum().backward()
assert probe.grad is not None


def dlogprobs__nested_helper(logprobs, Yb, n):
    """A helper inside."""

    def share(i: int, j: int) -> float:
        return -1 / n if j == Yb[i] else 0.0

    return torch.tensor([[share(i, j) for j in range(logprobs.shape[1])] for i in range(n)], dtype=logprobs.dtype)


def dprobs__double_loop(probs, dlogprobs):
    """A loop over all entries."""
    dprobs = torch.zeros_like(probs)
    for i in range(probs.shape[0]):
        for j in range(probs.shape[1]):
            dprobs[i, j] = 1 / probs[i, j] * dlogprobs[i, j]
    return dprobs


def dcounts_sum_inv__numpy_einsum(counts, dprobs):
    """numpy.einsum."""
    return np.einsum("nv,nv->n", counts.numpy(), dprobs.numpy())[:, None]


class Layer:
    """With a method and a field named as torch's."""

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.grad = torch.zeros_like(x)

    def backward(self, upstream: Tensor) -> Layer:
        self.grad += -(self.x**-2) * upstream
        return self


def dcounts_sum__own_layer(counts_sum, dcounts_sum_inv):
    """An own layer class with backward and grad."""
    return Layer(counts_sum).backward(dcounts_sum_inv).grad


def dcounts__dunder_dict(counts, counts_sum_inv, dprobs, dcounts_sum):
    """self.__dict__.update and self.__class__."""

    class Kept:
        def __init__(self, **values: Tensor) -> None:
            self.__dict__.update(values)
            self.name = self.__class__.__name__

    kept = Kept(a=counts_sum_inv, b=dprobs)
    return kept.a * kept.b + torch.ones_like(counts) * dcounts_sum


def dnorm_logits__assertions(counts, dcounts):
    """Assertions and leftovers that look at autograd's state."""
    assert not counts.requires_grad and counts.grad_fn is None
    assert isinstance(torch.is_grad_enabled(), bool)
    print(counts.grad_fn, counts.is_leaf, counts.requires_grad)
    return counts * dcounts


def dlogit_maxes__named_reduce(dnorm_logits):
    """functools.reduce and operator over the columns."""
    return -functools.reduce(operator.add, dnorm_logits.unbind(1))[:, None]


def dlogits__no_grad_block(logits, dnorm_logits, dlogit_maxes):
    """with torch.no_grad()."""
    with torch.no_grad():
        one_hot = F.one_hot(logits.argmax(1), logits.shape[1]).to(logits.dtype)
        return dnorm_logits + one_hot * dlogit_maxes


@torch.no_grad()
def dh__no_grad(W2, dlogits):
    """@torch.no_grad()."""
    return dlogits @ W2.T


@torch.inference_mode()
def dW2__inference_mode(h, dlogits):
    """@torch.inference_mode()."""
    return h.T @ dlogits


@torch.enable_grad()
def db2__enable_grad(dlogits):
    """@torch.enable_grad()."""
    return dlogits.sum(0)


def dhpreact__dataclass(h, dh):
    """A dataclass with a default factory."""

    @dataclass
    class Tanh:
        out: Tensor
        log: list[str] = field(default_factory=list)

        def __call__(self, upstream: Tensor) -> Tensor:
            self.log.append("tanh")
            return (1 - self.out**2) * upstream

    return Tanh(h)(dh)


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


def dbngain__named_tuple(bnraw, dhpreact):
    """A NamedTuple and a namedtuple."""
    plain = namedtuple("plain", "value")(Pair(bnraw, dhpreact))
    return (plain.value.left * plain.value.right).sum(0, keepdim=True)


class Axis(Enum):
    BATCH = 0
    HIDDEN = auto()


def dbnbias__enum(dhpreact):
    """An Enum."""
    return dhpreact.sum(Axis.BATCH.value, keepdim=True)


def dbnraw__generator(bngain, dhpreact):
    """A generator of rows."""

    def rows():
        for row in dhpreact:
            yield row * bngain[0]

    return torch.stack(list(rows()))


dbnvar_inv__lambda = lambda bndiff, dbnraw: (bndiff * dbnraw).sum(0, keepdim=True)  # noqa: E731


def dbnvar__default_argument(bnvar, dbnvar_inv, eps=EPS, *, power: float = POWER):
    """A default and a keyword-only argument, constants of the file."""
    return -0.5 * (bnvar + eps) ** power * dbnvar_inv


def dbndiff2__fraction(bndiff2, dbnvar):
    """A fraction."""
    return float(Fraction(1, len(bndiff2) - 1)) * dbnvar.expand(bndiff2.shape)


def dbndiff__match(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """A match statement."""
    total = torch.zeros_like(bndiff)
    for way in ("raw", "square"):
        match way:
            case "raw":
                total = total + bnvar_inv * dbnraw
            case _:
                total = total + 2 * bndiff * dbndiff2
    return total


def dbnmeani__try(dbndiff):
    """try, except and finally."""
    try:
        result = -dbndiff.sum(0, keepdim=True)
    except RuntimeError as error:
        raise ValueError(f"{error!r}") from error
    finally:
        elapsed = time.perf_counter()
    assert elapsed > 0
    return result


def dhprebn__context_manager(hprebn, dbndiff, dbnmeani):
    """A context manager of one's own."""
    import contextlib

    @contextlib.contextmanager
    def scaled():
        yield 1 / len(hprebn)

    with scaled() as share:
        return dbndiff + share * dbnmeani


def dembcat__type_hints(W1: Tensor, dhprebn: Optional[Tensor] = None) -> Tensor | None:
    """Type hints of all kinds."""
    result: Tensor = dhprebn @ W1.T
    extra: dict[str, list[Any]] = {}
    return result if not extra else None


def dW1__outer_products(embcat, dhprebn):
    """A sum of outer products, by itertools."""
    return sum(itertools.starmap(torch.outer, zip(embcat, dhprebn)))


def db1__walrus(dhprebn):
    """A walrus."""
    if (total := dhprebn.sum(0)).dim() == 1:
        return total
    return total.flatten()


def demb__abstract_class(emb, dembcat):
    """An abstract base class."""

    class Op(abc.ABC):
        @abc.abstractmethod
        def back(self, upstream): ...

    class View(Op):
        def back(self, upstream):
            return upstream.view(emb.shape)

    return View().back(dembcat)


def dC__defaultdict(C, Xb, demb):
    """A defaultdict of rows, a Counter of uses."""
    rows: dict[int, Tensor] = defaultdict(lambda: torch.zeros(C.shape[1], dtype=C.dtype))
    for index, row in zip(Xb.flatten().tolist(), demb.flatten(0, 1)):
        rows[index] = rows[index] + row
    assert sum(Counter(Xb.flatten().tolist()).values()) == Xb.numel()
    return torch.stack([rows[i] for i in range(len(C))])


def dC__unique(C, Xb, demb):
    """torch.unique and a mask for each letter."""
    dC = torch.zeros_like(C)
    for letter in Xb.unique():
        dC[letter] = demb[Xb == letter].sum(0)
    return dC


def dhpreact__norms(h, dh):
    """numpy.linalg and math in an assertion."""
    assert math.isfinite(linalg.norm(h.numpy())) and np.linalg.norm(dh.numpy()) >= 0
    return dh - h * h * dh


def db2__statistics(dlogits):
    """Means of the standard library, times n."""
    return torch.tensor([statistics.fmean(column) * len(column) for column in dlogits.T.tolist()])


def dh__linear(W2, dlogits):
    """torch.nn.functional.linear and a deep copy."""
    return F.linear(copy.deepcopy(dlogits), W2)


def dlogits__module(logits, dnorm_logits, dlogit_maxes):
    """A torch.nn.Module with nothing to learn."""

    class Max(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x == x.max(1, keepdim=True).values).to(x.dtype)

    return dnorm_logits + Max()(logits) * dlogit_maxes


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Tensor:
        return 2 * ctx.x * upstream[0]


def dbndiff__autograd_function(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """A backward of one's own in the dress of torch.autograd.Function, called by oneself."""
    import types

    return Square.backward(types.SimpleNamespace(x=bndiff), dbndiff2) + bnvar_inv * dbnraw


if __name__ == "__main__":
    import matplotlib.pyplot as plt

    plt.plot(compare(torch.exp, torch.ones(3)))
