"""Exercise 1: one atom at a time.

The network reads three letters of a name and guesses the fourth: look up an embedding of each
letter (`C`), a linear layer (`W1`, `b1`), batch norm (`bngain`, `bnbias`), tanh, a second linear
layer (`W2`, `b2`), softmax, cross-entropy. `forward` below does this in the smallest steps there
are, and gives every step a name. You walk back through it, from the loss to the embedding: 26
gradients, most of them one line of code.

`d<name>` is the gradient of the loss with respect to `<name>`, so it always has the shape of
`<name>`. That shape stands in each docstring, and half of the time it already tells you what to
write: n is the batch size (32), vocab the number of characters (27), n_hidden the number of
neurons (64), block_size the number of letters read (3), n_embd the length of one embedding (10).
Take sizes from the tensors, not from this list: your functions are run at other sizes too.

A function's parameters are asked for by name, as in pytest. A name of the forward pass gives you
that tensor, and you may add any other tensor of the forward pass to a signature if you want to
work with it. The upstream gradients, such as `dprobs` and `dcounts_sum` in `dcounts`, are those
named in the signature: they have arrived already, and they are complete. They belong to the
tensors that *use* yours in the forward pass. Two of them in a signature mean two uses.

Three rules carry the whole exercise:

- The chain rule: local derivative times upstream gradient.
- A tensor used twice gets a gradient from each use, and the two add up.
- What was broadcast on the way forward is summed on the way back, and what was summed is
  broadcast.

Replace `raise NotImplementedError`, then run `pytest exercises/`. The lines come in the order of
this file; `-k tanh` or `-k batchnorm` runs one section. Every function is also checked alone,
with random numbers as its upstream gradients: a mistake higher up does not spoil the lines below
it, and you may start wherever you like.
"""  # release: c7fae6c9d833

# Allowed: torch, numpy, math and the like; loops, vmap, helpers and classes of your own.
# Not allowed: autograd in any form, torch.func's derivatives, backward kernels, torch.jit, torch.compile.
# One file: only this one is graded. It imports and reads no other; copy what you need into it.

import torch

from graders.names import batch_of_names

# Small weights bring the variance of hprebn below batch norm's epsilon (1e-5). At the usual scale
# a forgotten epsilon changes a gradient by a few parts in 100,000; here it cannot be missed.
extremes = {"tiny variance": {"weight_scale": 1e-3}}


def inputs(rng, n=32, vocab=27, n_embd=10, n_hidden=64, block_size=3, weight_scale=1.0):
    """Parameters and a batch, all drawn from the generator `rng`.

    C (vocab, n_embd), W1 (block_size * n_embd, n_hidden), b1 (n_hidden,), W2 (n_hidden, vocab),
    b2 (vocab,), bngain and bnbias (1, n_hidden); Xb (n, block_size) and Yb (n,) hold indices. The
    biases are small but not zero and the gain is not one, since zeros and ones can hide a wrong
    backward pass. Unlike in the lecture, bngain and bnbias come from the generator too, after b2,
    so that the loss can be reproduced. `weight_scale` multiplies W1 and b1.
    """
    fan_in = n_embd * block_size
    C = torch.randn(vocab, n_embd, generator=rng)
    W1 = torch.randn(fan_in, n_hidden, generator=rng) * (5 / 3) / fan_in**0.5 * weight_scale
    b1 = torch.randn(n_hidden, generator=rng) * 0.1 * weight_scale
    W2 = torch.randn(n_hidden, vocab, generator=rng) * 0.1
    b2 = torch.randn(vocab, generator=rng) * 0.1
    bngain = torch.randn(1, n_hidden, generator=rng) * 0.1 + 1.0
    bnbias = torch.randn(1, n_hidden, generator=rng) * 0.1
    Xb, Yb = batch_of_names(rng, n, block_size, vocab)
    return dict(C=C, W1=W1, b1=b1, W2=W2, b2=b2, bngain=bngain, bnbias=bnbias, Xb=Xb, Yb=Yb)


def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb):
    """One operation per line, each intermediate named."""
    n = Xb.shape[0]
    # embedding
    emb = C[Xb]  # (n, block_size, n_embd)
    embcat = emb.view(n, -1)  # (n, block_size * n_embd)
    # linear 1
    hprebn = embcat @ W1 + b1  # (n, n_hidden)
    # batchnorm
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)  # (1, n_hidden)
    bndiff = hprebn - bnmeani  # (n, n_hidden)
    bndiff2 = bndiff**2  # (n, n_hidden)
    bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)  # (1, n_hidden), n - 1: Bessel's correction
    bnvar_inv = (bnvar + 1e-5) ** -0.5  # (1, n_hidden)
    bnraw = bndiff * bnvar_inv  # (n, n_hidden)
    hpreact = bngain * bnraw + bnbias  # (n, n_hidden)
    # tanh
    h = torch.tanh(hpreact)  # (n, n_hidden)
    # linear 2
    logits = h @ W2 + b2  # (n, vocab)
    # cross-entropy
    logit_maxes = logits.max(1, keepdim=True).values  # (n, 1)
    norm_logits = logits - logit_maxes  # (n, vocab), at most 0: exp cannot overflow
    counts = norm_logits.exp()  # (n, vocab)
    counts_sum = counts.sum(1, keepdim=True)  # (n, 1)
    counts_sum_inv = counts_sum**-1  # (n, 1)
    probs = counts * counts_sum_inv  # (n, vocab)
    logprobs = probs.log()  # (n, vocab)
    loss = -logprobs[torch.arange(n), Yb].mean()
    return locals()


# --- cross-entropy ---------------------------------------------------------------------------


def dlogprobs(logprobs, Yb):
    """dL/dlogprobs, (n, vocab): which entries of logprobs does the loss look at?

    1 point, difficulty 1 of 5, about 5 minutes.
    """
    raise NotImplementedError


def dprobs(probs, dlogprobs):
    """dL/dprobs, (n, vocab): an elementwise function, so each entry minds its own business.

    1 point, difficulty 1 of 5, about 3 minutes.
    """
    raise NotImplementedError


def dcounts_sum_inv(counts, dprobs):
    """dL/dcounts_sum_inv, (n, 1): one number per row, used by every column of that row.

    2 points, difficulty 3 of 5, about 6 minutes.
    """
    raise NotImplementedError


def dcounts_sum(counts_sum, dcounts_sum_inv):
    """dL/dcounts_sum, (n, 1): the derivative of a power.

    1 point, difficulty 1 of 5, about 3 minutes.
    """
    raise NotImplementedError


def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    """dL/dcounts, (n, vocab): counts is used twice in the forward pass.

    2 points, difficulty 3 of 5, about 8 minutes.
    """
    raise NotImplementedError


def dnorm_logits(counts, dcounts):
    """dL/dnorm_logits, (n, vocab): a function that is its own derivative.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def dlogit_maxes(dnorm_logits):
    """dL/dlogit_maxes, (n, 1): a column that was broadcast; then look at how small the result is.

    1 point, difficulty 2 of 5, about 5 minutes.
    """
    raise NotImplementedError


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """dL/dlogits, (n, vocab): two uses again, and one of them sees a single entry of each row.

    2 points, difficulty 4 of 5, about 10 minutes.
    """
    raise NotImplementedError


# --- linear 2 --------------------------------------------------------------------------------


def dh(W2, dlogits):
    """dL/dh, (n, n_hidden): back through a matrix product; the shapes leave little choice.

    1 point, difficulty 2 of 5, about 6 minutes.
    """
    raise NotImplementedError


def dW2(h, dlogits):
    """dL/dW2, (n_hidden, vocab): every example of the batch uses the same weights.

    1 point, difficulty 2 of 5, about 5 minutes.
    """
    raise NotImplementedError


def db2(dlogits):
    """dL/db2, (vocab,): the bias was broadcast over the batch.

    1 point, difficulty 1 of 5, about 3 minutes.
    """
    raise NotImplementedError


# --- tanh ------------------------------------------------------------------------------------


def dhpreact(h, dh):
    """dL/dhpreact, (n, n_hidden): the derivative of tanh, written with what tanh returned.

    1 point, difficulty 2 of 5, about 4 minutes.
    """
    raise NotImplementedError


# --- batchnorm -------------------------------------------------------------------------------


def dbngain(bnraw, dhpreact):
    """dL/dbngain, (1, n_hidden): one gain per neuron, shared by the whole batch.

    1 point, difficulty 2 of 5, about 4 minutes.
    """
    raise NotImplementedError


def dbnbias(dhpreact):
    """dL/dbnbias, (1, n_hidden): you have met a bias before; mind the shape.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def dbnraw(bngain, dhpreact):
    """dL/dbnraw, (n, n_hidden): the other factor of the product with the gain.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def dbnvar_inv(bndiff, dbnraw):
    """dL/dbnvar_inv, (1, n_hidden): one number per neuron, used by the whole batch.

    1 point, difficulty 2 of 5, about 4 minutes.
    """
    raise NotImplementedError


def dbnvar(bnvar, dbnvar_inv):
    """dL/dbnvar, (1, n_hidden): a power again, of bnvar and a little more.

    1 point, difficulty 2 of 5, about 4 minutes.
    """
    raise NotImplementedError


def dbndiff2(bndiff2, dbnvar):
    """dL/dbndiff2, (n, n_hidden): back through a sum over the batch.

    2 points, difficulty 3 of 5, about 6 minutes.
    """
    raise NotImplementedError


def dbndiff(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """dL/dbndiff, (n, n_hidden): used twice, once on its own and once squared.

    2 points, difficulty 3 of 5, about 6 minutes.
    """
    raise NotImplementedError


def dbnmeani(dbndiff):
    """dL/dbnmeani, (1, n_hidden): a row that was broadcast and subtracted.

    1 point, difficulty 2 of 5, about 3 minutes.
    """
    raise NotImplementedError


def dhprebn(hprebn, dbndiff, dbnmeani):
    """dL/dhprebn, (n, n_hidden): used twice, directly and through the mean.

    2 points, difficulty 3 of 5, about 6 minutes.
    """
    raise NotImplementedError


# --- linear 1 --------------------------------------------------------------------------------


def dembcat(W1, dhprebn):
    """dL/dembcat, (n, block_size * n_embd): a linear layer, seen from its input.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def dW1(embcat, dhprebn):
    """dL/dW1, (block_size * n_embd, n_hidden): the same layer, seen from its weights.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def db1(dhprebn):
    """dL/db1, (n_hidden,): write it, then look at its size: what does batch norm do to this bias?

    1 point, difficulty 1 of 5, about 3 minutes.
    """
    raise NotImplementedError


# --- embedding -------------------------------------------------------------------------------


def demb(emb, dembcat):
    """dL/demb, (n, block_size, n_embd): the numbers were only arranged anew.

    1 point, difficulty 1 of 5, about 2 minutes.
    """
    raise NotImplementedError


def dC(C, Xb, demb):
    """dL/dC, (vocab, n_embd): a row of C may be looked up many times in one batch.

    2 points, difficulty 4 of 5, about 10 minutes.
    """
    raise NotImplementedError
