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
"""

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
    r"""dL/dlogits, (n, vocab): eight steps of exercise 1 at once; on paper, most of it cancels.

    Points: 5
    Difficulty: 4
    Minutes: 30

    Hint 1: Take one example. Its loss is minus the logarithm of the softmax at the target. Split
        the logarithm of the quotient into a difference before you take the derivative.
    Hint 2: One example's loss is the logarithm of the sum of all exponentials, minus the target's
        logit. The derivative of the first part with respect to any logit is something you know by
        name. The second part only matters for the target.
        Then: what does the mean over the batch do to each example's gradient?
    Hint 3: Compute the softmax over each row (dim 1; F.softmax copes with large logits). Subtract
        one at the target of each row. Divide everything by the batch size.

    Law: rows sum to zero: the probabilities, which sum to 1 in each row, and the 1 at its target

    Derivation:
    Write $z_{ij}$ for logits, $y_i$ for the target of example $i$, and
    $$ p_{ij} = \frac{e^{z_{ij}}}{\sum_k e^{z_{ik}}}, \qquad
    L = \frac{1}{n} \sum_i L_i, \qquad L_i = -\log p_{i y_i}. $$

    *One example.* Only $L_i$ depends on row $i$ of the logits, so we can drop the index $i$ for a
    while: $p_j = e^{z_j} / S$ with $S = \sum_k e^{z_k}$, and $L_i = -\log p_y$. By the chain rule
    $$ \frac{\partial L_i}{\partial z_j} = -\frac{1}{p_y} \, \frac{\partial p_y}{\partial z_j}. $$
    We need the derivative of the target's probability with respect to any logit. Note that
    $\partial S / \partial z_j = e^{z_j}$: exactly one term of the sum contains $z_j$.

    *Case $j = y$.* Numerator and denominator both depend on $z_y$. By the quotient rule
    $$ \frac{\partial p_y}{\partial z_y} = \frac{e^{z_y} S - e^{z_y} e^{z_y}}{S^2}
    = \frac{e^{z_y}}{S} \cdot \frac{S - e^{z_y}}{S} = p_y (1 - p_y), $$
    hence
    $$ \frac{\partial L_i}{\partial z_y} = -\frac{1}{p_y} \, p_y (1 - p_y) = p_y - 1. $$

    *Case $j \ne y$.* Only the denominator depends on $z_j$:
    $$ \frac{\partial p_y}{\partial z_j} = \frac{0 \cdot S - e^{z_y} e^{z_j}}{S^2}
    = -\frac{e^{z_y}}{S} \cdot \frac{e^{z_j}}{S} = -p_y \, p_j, $$
    hence
    $$ \frac{\partial L_i}{\partial z_j} = -\frac{1}{p_y} \, (-p_y \, p_j) = p_j. $$

    *Both cases in one.* With the indicator $[j = y]$, which is 1 for $j = y$ and 0 otherwise,
    $$ \frac{\partial L_i}{\partial z_j} = p_j - [j = y]. $$
    A shorter way to the same place: $L_i = \log S - z_y$. The derivative of $\log S$ with respect
    to $z_j$ is $e^{z_j} / S = p_j$, and that of $-z_y$ is $-[j = y]$.

    *The batch.* The loss is the mean of the $L_i$, and row $i$ occurs in $L_i$ alone. So the mean
    contributes the factor $1/n$ and no sum:
    $$ \frac{\partial L}{\partial z_{ij}} = \frac{1}{n} \left( p_{ij} - [j = y_i] \right). $$

    *What to see.* Times n, every entry is its probability, and the target's is its probability
    minus 1. The probabilities of a row sum to 1 and one indicator is 1, so every row of the
    gradient sums to $\frac{1}{n}(1 - 1) = 0$: the pull on the target, $1 - p_y$, is as strong as
    the pushes on all the others together. If the network is sure and right, $p_y \approx 1$, the
    whole row vanishes.

    *And the row maximum?* Exercise 1 subtracted it, and here it is nowhere. Subtracting a number
    $m$ from all of a row's logits multiplies numerator and denominator of $p_j$ by $e^{-m}$,
    which cancels: $p$ and its derivatives are the same with and without it. It only matters for
    computing: with $m$ the largest logit, no exponential exceeds 1. F.softmax does this for you.
    """
    ### BEGIN SOLUTION
    n = logits.shape[0]
    dlogits = F.softmax(logits, 1)  # (n, vocab), the probabilities
    dlogits[torch.arange(n), Yb] -= 1.0  # the target's entry: p - 1
    dlogits /= n  # the loss is a mean over the batch
    return dlogits  # (n, vocab)
    ### END SOLUTION
