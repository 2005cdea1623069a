"""Right answers to exercise 3 in many styles of writing: by hand each, and never to be refused."""

import numpy as np
import torch


class Value:
    """micrograd's, with as much as it takes: its .grad and .backward are its own."""

    def __init__(self, data, children=(), back=lambda upstream: ()):
        self.data, self.grad, self._children, self._back = data, 0.0, children, back

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), lambda upstream: (upstream, upstream))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        back = lambda upstream: (upstream * other.data, upstream * self.data)  # noqa: E731
        return Value(self.data * other.data, (self, other), back)

    def __pow__(self, k):
        return Value(self.data**k, (self,), lambda upstream: (upstream * k * self.data ** (k - 1),))

    def backward(self):
        order, seen = [], set()

        def visit(value):
            if value not in seen:
                seen.add(value)
                for child in value._children:
                    visit(child)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            for child, part in zip(value._children, value._back(value.grad)):
                child.grad = child.grad + part


def dhprebn__micrograd(dhpreact, bngain, bnraw, bnvar_inv):
    """The power by micrograd's Value, the rest by formula."""
    n = len(bnraw)
    variance = Value(bnvar_inv**-2)
    inverse = variance**-0.5
    inverse.backward()
    bndiff, upstream = bnraw / bnvar_inv, bngain * dhpreact
    dvar = variance.grad * (bndiff * upstream).sum(0, keepdim=True)
    inner = bnvar_inv * upstream + 2 / (n - 1) * bndiff * dvar
    return inner - inner.mean(0, keepdim=True)


def dhprebn__jacobian_per_column(dhpreact, bngain, bnraw, bnvar_inv):
    """A Jacobian built per column, entry by entry."""
    n, hidden = bnraw.shape
    result = np.zeros((n, hidden))
    x, g = bnraw.numpy(), dhpreact.numpy()
    for k in range(hidden):
        jacobian = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                jacobian[i, j] = (i == j) - 1 / n - x[i, k] * x[j, k] / (n - 1)
        result[:, k] = jacobian.T @ g[:, k] * float(bngain[0, k] * bnvar_inv[0, k])
    return result


def dhprebn__jacobian_in_torch(dhpreact, bngain, bnraw, bnvar_inv):
    """A Jacobian per column, its columns one by one, in torch."""
    n, hidden = bnraw.shape
    columns = []
    for k in range(hidden):
        x = bnraw[:, k]
        jacobian = torch.stack([torch.eye(n, dtype=x.dtype)[j] - 1 / n - x * x[j] / (n - 1) for j in range(n)], 1)
        columns.append(jacobian.T @ dhpreact[:, k] * bngain[0, k] * bnvar_inv[0, k])
    return torch.stack(columns, 1)


def dhprebn__solved(dhpreact, bngain, bnraw, bnvar_inv):
    """numpy.linalg for a projection."""
    x, g = bnraw.numpy(), dhpreact.numpy()
    n = len(x)
    along = np.stack([np.linalg.lstsq(x[:, [k]], g[:, k], rcond=None)[0] for k in range(x.shape[1])], 1)
    squares = (x * x).sum(0)
    return (bngain * bnvar_inv).numpy() * (g - g.mean(0) - x * along * squares / (n - 1))


def dhprebn__random(dhpreact, bngain, bnraw, bnvar_inv):
    """Random numbers and sampling that change nothing."""
    import random

    order = list(range(len(bnraw)))
    random.shuffle(order)
    order = torch.tensor(order)
    g, x = dhpreact[order], bnraw[order]
    inner = g - g.mean(0) - x * (x * g).sum(0) / (len(x) - 1)
    return (bngain * bnvar_inv * inner)[order.argsort()] + 0 * torch.rand(1)
