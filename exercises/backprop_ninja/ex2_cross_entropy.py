"""Exercise 2: cross-entropy in one go.

In exercise 1 you went from the loss back to the logits in eight steps. That was instructive, and
a waste: put the eight formulas together with pencil and paper, and nearly everything cancels.
What is left is among the shortest formulas in deep learning. Find it on paper first, then write
it: two or three lines.

The way to it: take a single example, write its loss as a function of its row of logits, and take
the derivative with respect to one of them. Two cases: the logit of the right character, and that
of any other. Then think of the mean over the batch.

As before, `dlogits` is the gradient of the loss with respect to `logits`, has the same shape, and
the parameters are asked for by name: any tensor of the forward pass. There is no upstream
gradient here, since the loss comes straight after. Run `pytest exercises/` to check. Large logits
are among the cases, and exp(1000) is infinite in floating point: PyTorch's own functions know
what to do about that.

When it is right, look at it. Each row of dlogits sums to zero. Multiply a row by n and lay it next
to the probabilities: where do they agree, and by how much do they differ at the target? Picture
it as forces on the logits (they move against the gradient): the right one is pulled up, all the
others are pushed down, with equal force in total. The more wrong the network is, the harder it
pulls; where it is sure and right, the row is almost zero and nothing moves.
"""  # release: d559c5c5ae94

# Allowed: torch, numpy, math and the like; loops, vmap, helpers and classes of your own.
# Not allowed: autograd in any form, torch.func's derivatives, backward kernels, torch.jit, torch.compile.
# One file: only this one is graded. It imports and reads no other; copy what you need into it.

import torch
import torch.nn.functional as F

# exp(1000) overflows: a softmax written without care gives nan here.
extremes = {"large logits": {"logit_scale": 1000.0}}


def inputs(rng, n=32, vocab=27, logit_scale=1.0):
    """Logits (n, vocab) and targets Yb (n,), drawn from the generator `rng`.

    The logits are normal with standard deviation `logit_scale`, the targets uniform over the
    vocabulary.
    """
    logits = torch.randn(n, vocab, generator=rng) * logit_scale
    Yb = torch.randint(0, vocab, (n,), generator=rng)
    return dict(logits=logits, Yb=Yb)


def forward(logits, Yb):
    """The eight steps of exercise 1, as one."""
    loss = F.cross_entropy(logits, Yb)
    return locals()


# --- cross-entropy in one go -----------------------------------------------------------------


def dlogits(logits, Yb):
    """dL/dlogits, (n, vocab): eight steps of exercise 1 at once; on paper, most of it cancels.

    5 points, difficulty 4 of 5, about 30 minutes.
    """
    raise NotImplementedError
