"""Exercise 3: batch norm in one go.

In exercise 1 batch norm took seven steps from `hpreact` back to `hprebn`, with two places where
branches meet. Here you do it in one: given the gradient that arrives at the output, `dhpreact`,
return the gradient with respect to the input, `dhprebn`, in a single formula.

This one wants paper. Every neuron (column) is treated alone, so take one column of n numbers and
forget the others. One input x_i reaches the outputs in three ways: directly, through the mean,
and through the variance, and through the last two it reaches *all* n outputs of its column. Write
down the gradient of each intermediate, from the output back, and add the three ways up. On the
way a sum turns out to be zero, which saves you a good deal. In the end a common factor can be
taken out, and everything that is left can be written with the four tensors of the signature.

As before, `d<name>` is the gradient of the loss with respect to `<name>`. The parameters are
asked for by name: any tensor of the forward pass, and the upstream gradient named in the
signature. Mind that the variance is the unbiased one (n - 1 and not n), and that an epsilon of
1e-5 is added to it: small variances are among the cases. Run `pytest exercises/` to check.
"""  # release: c7a33c7ea94c

# Allowed: torch, numpy, math and the like; loops, vmap, helpers and classes of your own.
# Not allowed: autograd in any form, torch.func's derivatives, backward kernels, torch.jit, torch.compile.
# One file: only this one is graded. It imports and reads no other; copy what you need into it.

import torch
import torch.nn.functional as F

# The variance of hprebn is then below batch norm's epsilon (1e-5), which cannot be neglected.
extremes = {"tiny variance": {"hidden_scale": 1e-3}}


def inputs(rng, n=32, n_hidden=64, vocab=27, hidden_scale=1.0):
    """The input of batch norm, what comes after it, and targets, all drawn from `rng`.

    hprebn (n, n_hidden), with a different mean for every neuron; bngain and bnbias (1, n_hidden);
    W2 (n_hidden, vocab), b2 (vocab,); Yb (n,) holds indices. `hidden_scale` multiplies hprebn.
    """
    hprebn = torch.randn(n, n_hidden, generator=rng) + torch.randn(n_hidden, generator=rng)
    hprebn = hprebn * hidden_scale
    bngain = torch.randn(1, n_hidden, generator=rng) * 0.1 + 1.0
    bnbias = torch.randn(1, n_hidden, generator=rng) * 0.1
    W2 = torch.randn(n_hidden, vocab, generator=rng) * 0.1
    b2 = torch.randn(vocab, generator=rng) * 0.1
    Yb = torch.randint(0, vocab, (n,), generator=rng)
    return dict(hprebn=hprebn, bngain=bngain, bnbias=bnbias, W2=W2, b2=b2, Yb=Yb)


def forward(hprebn, bngain, bnbias, W2, b2, Yb):
    """Batch norm in few lines, then the rest of the network."""
    bnmean = hprebn.mean(0, keepdim=True)  # (1, n_hidden)
    bnvar_inv = (hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) ** -0.5  # (1, n_hidden)
    bnraw = (hprebn - bnmean) * bnvar_inv  # (n, n_hidden)
    hpreact = bngain * bnraw + bnbias  # (n, n_hidden)
    h = torch.tanh(hpreact)  # (n, n_hidden)
    logits = h @ W2 + b2  # (n, vocab)
    loss = F.cross_entropy(logits, Yb)
    return locals()


# --- batchnorm in one go ---------------------------------------------------------------------


def dhprebn(dhpreact, bngain, bnraw, bnvar_inv):
    """dL/dhprebn, (n, n_hidden): three ways lead from each input to the outputs of its column.

    5 points, difficulty 5 of 5, about 60 minutes.
    """
    raise NotImplementedError
