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
"""

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
    r"""dL/dlogprobs, (n, vocab): which entries of logprobs does the loss look at?

    Points: 1
    Difficulty: 1
    Minutes: 5

    Hint 1: The loss picks one number out of every row of logprobs and ignores the rest. What is
        the derivative of the loss with respect to a number that it ignores?
    Hint 2: Try it with three numbers: if L = -(a + b + c) / 3, what is dL/da? Put that value
        where a number was picked, and zero everywhere else.
    Hint 3: Begin with zeros of the shape of logprobs. Index it as the loss does, one column per
        row, and assign minus one over the batch size.

    Derivation:
    Write $\ell_{ij}$ for logprobs and $y_i$ for the target of example $i$. The loss is
    $$ L = -\frac{1}{n} \sum_{k} \ell_{k y_k}. $$
    The entry $\ell_{ij}$ occurs in this sum once if $j = y_i$ (in the term $k = i$), and not at
    all otherwise. Hence
    $$ \frac{\partial L}{\partial \ell_{ij}} =
    \begin{cases} -\frac{1}{n} & j = y_i \\ 0 & j \ne y_i. \end{cases} $$
    The $1/n$ is the mean's, the minus is the loss's. There is no upstream gradient, since
    $\partial L / \partial L = 1$. One entry in each row is not zero, so all entries together add
    up to $-1$.
    """
    ### BEGIN SOLUTION
    n = logprobs.shape[0]
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[torch.arange(n), Yb] = -1.0 / n
    return dlogprobs  # (n, vocab)
    ### END SOLUTION


def dprobs(probs, dlogprobs):
    r"""dL/dprobs, (n, vocab): an elementwise function, so each entry minds its own business.

    Points: 1
    Difficulty: 1
    Minutes: 3

    Hint 1: logprobs is computed from probs entry by entry. What is the derivative of the natural
        logarithm?
    Hint 2: Local derivative times upstream gradient, entry by entry: no sum, no matrix product.
    Hint 3: The local derivative is one over the probability. Multiply it with what came from
        above.

    Derivation:
    Write $p_{ij}$ for probs and $\ell_{ij} = \log p_{ij}$ for logprobs. Only $\ell_{ij}$ depends
    on $p_{ij}$, so the chain rule has a single term:
    $$ \frac{\partial L}{\partial p_{ij}} = \frac{\partial L}{\partial \ell_{ij}}
    \frac{\partial \ell_{ij}}{\partial p_{ij}} = \frac{\partial L}{\partial \ell_{ij}}
    \cdot \frac{1}{p_{ij}}. $$
    Shapes agree entry by entry, so nothing is summed. To see: where the network gave the right
    character a small probability, $1/p$ is large. The examples it gets wrong are boosted.
    """
    ### BEGIN SOLUTION
    return dlogprobs / probs  # (n, vocab)
    ### END SOLUTION


def dcounts_sum_inv(counts, dprobs):
    r"""dL/dcounts_sum_inv, (n, 1): one number per row, used by every column of that row.

    Points: 2
    Difficulty: 3
    Minutes: 6

    Hint 1: counts is (n, vocab) and counts_sum_inv is (n, 1). Their product hides a step: what
        happens to the single column before the entries are multiplied?
    Hint 2: The column is copied vocab times (a broadcast), then multiplied. Take the product's
        derivative for every copy. One number used vocab times gets vocab gradients, and they add
        up.
    Hint 3: Multiply counts with the upstream gradient, entry by entry, then sum along the rows
        (over the columns) and keep the dimension, so that the shape is (n, 1).

    Derivation:
    Write $c_{ij}$ for counts, $r_i$ for counts_sum_inv and $p_{ij} = c_{ij} r_i$ for probs. The
    one number $r_i$ is used by every column $j$ of row $i$ (that is the broadcast), and each use
    adds a term to the chain rule:
    $$ \frac{\partial L}{\partial r_i} = \sum_j \frac{\partial L}{\partial p_{ij}}
    \frac{\partial p_{ij}}{\partial r_i} = \sum_j \frac{\partial L}{\partial p_{ij}} \, c_{ij}. $$
    A broadcast over $j$ on the way forward has become a sum over $j$ on the way back. The other
    rows do not use $r_i$, so there is no sum over $i$. The result has one entry per row: shape
    (n, 1).
    """
    ### BEGIN SOLUTION
    return (counts * dprobs).sum(1, keepdim=True)  # (n, 1)
    ### END SOLUTION


def dcounts_sum(counts_sum, dcounts_sum_inv):
    r"""dL/dcounts_sum, (n, 1): the derivative of a power.

    Points: 1
    Difficulty: 1
    Minutes: 3

    Hint 1: counts_sum_inv is counts_sum to the power of -1, entry by entry. You know the
        derivative of x to the power of k.
    Hint 2: The exponent comes down as a factor and decreases by one: from -1 it goes to -2.
    Hint 3: The local derivative is minus the power -2 of counts_sum. Multiply with the upstream
        gradient; the shapes agree already.

    Derivation:
    Write $s_i$ for counts_sum and $r_i = s_i^{-1}$ for counts_sum_inv. Entry by entry,
    $$ \frac{\partial r_i}{\partial s_i} = -1 \cdot s_i^{-1-1} = -s_i^{-2}, $$
    and since $s_i$ is used only by $r_i$,
    $$ \frac{\partial L}{\partial s_i} = -s_i^{-2} \, \frac{\partial L}{\partial r_i}. $$
    Both are (n, 1): nothing is broadcast, nothing is summed.
    """
    ### BEGIN SOLUTION
    return -(counts_sum**-2) * dcounts_sum_inv  # (n, 1)
    ### END SOLUTION


def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    r"""dL/dcounts, (n, vocab): counts is used twice in the forward pass.

    Points: 2
    Difficulty: 3
    Minutes: 8

    Hint 1: Find both lines of the forward pass in which counts stands on the right. Each of them
        sends a gradient back.
    Hint 2: In the first use counts is multiplied by a factor. In the second it is summed over the
        columns: raise one entry of a row by a little, and the row's sum rises by just as much. So
        every entry of a row receives the gradient of that row's sum.
    Hint 3: First branch: the other factor of the product, times dprobs. Second branch:
        dcounts_sum, copied along the row to (n, vocab); broadcasting does it. Add the two.

    Derivation:
    Write $c_{ij}$ for counts. It is used in $p_{ij} = c_{ij} r_i$ (probs; $r_i$ is
    counts_sum_inv) and in $s_i = \sum_k c_{ik}$ (counts_sum). The chain rule has one term for
    each use, and they add up:
    $$ \frac{\partial L}{\partial c_{ij}} = \frac{\partial L}{\partial p_{ij}}
    \frac{\partial p_{ij}}{\partial c_{ij}} + \frac{\partial L}{\partial s_i}
    \frac{\partial s_i}{\partial c_{ij}}. $$
    The local derivatives are $\partial p_{ij} / \partial c_{ij} = r_i$ (with $r_i$ held fixed:
    its own dependence on counts is what the second branch carries) and
    $\partial s_i / \partial c_{ij} = 1$:
    $$ \frac{\partial L}{\partial c_{ij}} = r_i \, \frac{\partial L}{\partial p_{ij}}
    + \frac{\partial L}{\partial s_i}. $$
    The second term does not depend on $j$. What was a sum over $j$ on the way forward is a
    broadcast over $j$ on the way back.
    """
    ### BEGIN SOLUTION
    dcounts = counts_sum_inv * dprobs  # (n, vocab), from probs
    dcounts = dcounts + torch.ones_like(counts) * dcounts_sum  # (n, vocab), from counts_sum
    return dcounts  # (n, vocab)
    ### END SOLUTION


def dnorm_logits(counts, dcounts):
    r"""dL/dnorm_logits, (n, vocab): a function that is its own derivative.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: counts is norm_logits through an elementwise function. Which one, and what is its
        derivative?
    Hint 2: The exponential function is its own derivative, and its value has been computed
        already. What is it called in the forward pass?
    Hint 3: The local derivative is counts itself: multiply it with the upstream gradient.

    Derivation:
    Write $u_{ij}$ for norm_logits and $c_{ij} = e^{u_{ij}}$ for counts. Then
    $$ \frac{\partial c_{ij}}{\partial u_{ij}} = e^{u_{ij}} = c_{ij}, $$
    and since $u_{ij}$ is used only by $c_{ij}$,
    $$ \frac{\partial L}{\partial u_{ij}} = c_{ij} \, \frac{\partial L}{\partial c_{ij}}. $$
    Elementwise, so no sum. There is no need to compute the exponential again: the forward pass has
    left it in counts.
    """
    ### BEGIN SOLUTION
    return counts * dcounts  # (n, vocab)
    ### END SOLUTION


def dlogit_maxes(dnorm_logits):
    r"""dL/dlogit_maxes, (n, 1): a column that was broadcast; then look at how small the result is.

    Points: 1
    Difficulty: 2
    Minutes: 5

    Hint 1: logit_maxes is (n, 1) and is subtracted from an (n, vocab) tensor. What does the
        subtraction do with the single column?
    Hint 2: Every column of a row uses the same maximum, each with the local derivative -1. Many
        uses of one number: add up their gradients.
    Hint 3: Turn the sign of the upstream gradient and sum it over the columns, keeping the
        dimension.

    Derivation:
    Write $m_i$ for logit_maxes and $u_{ij} = z_{ij} - m_i$ for norm_logits. The number $m_i$ is
    used by every column $j$ of row $i$, each time with $\partial u_{ij} / \partial m_i = -1$. The
    broadcast over $j$ becomes a sum over $j$:
    $$ \frac{\partial L}{\partial m_i} = \sum_j \frac{\partial L}{\partial u_{ij}} \cdot (-1)
    = -\sum_j \frac{\partial L}{\partial u_{ij}}. $$
    In the network these sums are zero up to rounding (about $10^{-9}$). They have to be:
    subtracting one number from a whole row of logits cancels in the softmax, so the loss does not
    depend on $m_i$. The maximum is there only to keep the exponential from overflowing. The check
    still feeds this function random upstream gradients, for which the sums are not zero.
    """
    ### BEGIN SOLUTION
    return (-dnorm_logits).sum(1, keepdim=True)  # (n, 1)
    ### END SOLUTION


def dlogits(logits, dnorm_logits, dlogit_maxes):
    r"""dL/dlogits, (n, vocab): two uses again, and one of them sees a single entry of each row.

    Points: 2
    Difficulty: 4
    Minutes: 10

    Hint 1: logits is used in norm_logits and in logit_maxes. The first branch is a plain
        difference. For the second: which entries of a row can move the row's maximum?
    Hint 2: Raise the largest entry of a row a little, and the maximum rises by just as much.
        Raise any other entry a little, and the maximum stays. So the local derivative is 1 in one
        place of the row and 0 elsewhere.
    Hint 3: Build a tensor of zeros like logits with a one at each row's maximum (max over dim 1
        also returns the indices). Multiply it with dlogit_maxes, and add the first branch, which
        arrives unchanged.

    Derivation:
    Write $z_{ij}$ for logits. They are used in $u_{ij} = z_{ij} - m_i$ (norm_logits) and in
    $m_i = \max_k z_{ik}$ (logit_maxes), so two contributions add up:
    $$ \frac{\partial L}{\partial z_{ij}} = \frac{\partial L}{\partial u_{ij}}
    \frac{\partial u_{ij}}{\partial z_{ij}} + \frac{\partial L}{\partial m_i}
    \frac{\partial m_i}{\partial z_{ij}}. $$
    With $m_i$ held fixed, $\partial u_{ij} / \partial z_{ij} = 1$: the first branch passes
    through. Let $k_i$ be the column of the largest entry in row $i$. Near that point
    $m_i = z_{i k_i}$, hence $\partial m_i / \partial z_{ij}$ is 1 for $j = k_i$ and 0 otherwise.
    With the indicator $[j = k_i]$,
    $$ \frac{\partial L}{\partial z_{ij}} = \frac{\partial L}{\partial u_{ij}} + [j = k_i] \,
    \frac{\partial L}{\partial m_i}. $$
    The maximum routes its gradient to the entry it came from, and to no other.
    """
    ### BEGIN SOLUTION
    n = logits.shape[0]
    is_max = torch.zeros_like(logits)  # (n, vocab)
    is_max[torch.arange(n), logits.max(1).indices] = 1.0
    return dnorm_logits + is_max * dlogit_maxes  # (n, vocab)
    ### END SOLUTION


# --- linear 2 --------------------------------------------------------------------------------


def dh(W2, dlogits):
    r"""dL/dh, (n, n_hidden): back through a matrix product; the shapes leave little choice.

    Points: 1
    Difficulty: 2
    Minutes: 6

    Hint 1: The result must be (n, n_hidden). You hold an (n, vocab) and an (n_hidden, vocab)
        tensor. How can they be multiplied to fit?
    Hint 2: Write the product out for 2 x 2 matrices by hand, take the derivative with respect to
        one entry of h, and find the matrix product in what you get.
    Hint 3: The gradient of the product times the other factor transposed, on the side where the
        other factor stood: on the right.

    Derivation:
    Write $z_{ij} = \sum_k h_{ik} W_{kj} + b_j$ for logits, with $W$ for W2. The entry $h_{ik}$ is
    used by every column $j$ of row $i$, with $\partial z_{ij} / \partial h_{ik} = W_{kj}$. These
    uses add up:
    $$ \frac{\partial L}{\partial h_{ik}} = \sum_j \frac{\partial L}{\partial z_{ij}} W_{kj}
    = \sum_j \frac{\partial L}{\partial z_{ij}} (W^T)_{jk}. $$
    A sum over a shared inner index is a matrix product:
    $$ \frac{\partial L}{\partial h} = \frac{\partial L}{\partial z} \, W^T, $$
    with shapes (n, vocab) times (vocab, n_hidden), giving (n, n_hidden).
    """
    ### BEGIN SOLUTION
    return dlogits @ W2.T  # (n, n_hidden)
    ### END SOLUTION


def dW2(h, dlogits):
    r"""dL/dW2, (n_hidden, vocab): every example of the batch uses the same weights.

    Points: 1
    Difficulty: 2
    Minutes: 5

    Hint 1: The result must be (n_hidden, vocab). The batch dimension n does not occur in it, so it
        must be the one that is summed away.
    Hint 2: One example alone would give the outer product of its row of h and its row of dlogits.
        The batch adds these up, and a matrix product does just that.
    Hint 3: The other factor, transposed, times the gradient of the product, on the side where the
        other factor stood: on the left.

    Derivation:
    Write $z_{ij} = \sum_k h_{ik} W_{kj} + b_j$ for logits, with $W$ for W2. The weight $W_{kj}$
    is used by every example $i$, with $\partial z_{ij} / \partial W_{kj} = h_{ik}$; it has no
    effect on other columns. The uses add up:
    $$ \frac{\partial L}{\partial W_{kj}} = \sum_i h_{ik} \frac{\partial L}{\partial z_{ij}}
    = \sum_i (h^T)_{ki} \frac{\partial L}{\partial z_{ij}}. $$
    The inner index is the batch, so as a matrix product
    $$ \frac{\partial L}{\partial W} = h^T \, \frac{\partial L}{\partial z}, $$
    with shapes (n_hidden, n) times (n, vocab), giving (n_hidden, vocab).
    """
    ### BEGIN SOLUTION
    return h.T @ dlogits  # (n_hidden, vocab)
    ### END SOLUTION


def db2(dlogits):
    r"""dL/db2, (vocab,): the bias was broadcast over the batch.

    Points: 1
    Difficulty: 1
    Minutes: 3

    Hint 1: b2 has one number per column and is added to every row. How often is each number used?
    Hint 2: Adding has the local derivative 1. Each bias is used once per example: add up what
        comes back from all of them.
    Hint 3: Sum the upstream gradient over the batch (dimension 0), without keeping the dimension,
        since b2 is (vocab,).

    Derivation:
    Write $z_{ij} = \sum_k h_{ik} W_{kj} + b_j$ for logits. The bias $b_j$ is used by every
    example $i$: to add (vocab,) to (n, vocab), it is broadcast over the rows. Each use has
    $\partial z_{ij} / \partial b_j = 1$, so
    $$ \frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial z_{ij}}. $$
    The broadcast over $i$ has become a sum over $i$. A sum, not a mean: the $1/n$ of the loss is
    in the upstream gradient already.
    """
    ### BEGIN SOLUTION
    return dlogits.sum(0)  # (vocab,)
    ### END SOLUTION


# --- tanh ------------------------------------------------------------------------------------


def dhpreact(h, dh):
    r"""dL/dhpreact, (n, n_hidden): the derivative of tanh, written with what tanh returned.

    Points: 1
    Difficulty: 2
    Minutes: 4

    Hint 1: Look up the derivative of tanh(x). It can be written with tanh(x) alone.
    Hint 2: It is one minus the square of tanh(x). The forward pass has kept tanh(hpreact): by
        which name?
    Hint 3: One minus the square of h, the output and not the input, times the upstream gradient.

    Derivation:
    Write $a_{ik}$ for hpreact and $h_{ik} = \tanh a_{ik}$. With $\tanh a = \sinh a / \cosh a$, the
    quotient rule and $\sinh' = \cosh$, $\cosh' = \sinh$,
    $$ \frac{d \tanh a}{da} = \frac{\cosh^2 a - \sinh^2 a}{\cosh^2 a} = 1 - \tanh^2 a. $$
    So $\partial h_{ik} / \partial a_{ik} = 1 - h_{ik}^2$, and since $a_{ik}$ is used only by
    $h_{ik}$,
    $$ \frac{\partial L}{\partial a_{ik}} = (1 - h_{ik}^2) \, \frac{\partial L}{\partial h_{ik}}. $$
    A saturated neuron ($h$ close to $\pm 1$) lets almost nothing through. On many machines
    autograd computes $1 - h^2$ with a single rounding (a fused multiply-add). Then this line is
    approximate and not exact, and so are the lines after it: that is not a mistake.
    """
    ### BEGIN SOLUTION
    return (1.0 - h**2) * dh  # (n, n_hidden)
    ### END SOLUTION


# --- batchnorm -------------------------------------------------------------------------------


def dbngain(bnraw, dhpreact):
    r"""dL/dbngain, (1, n_hidden): one gain per neuron, shared by the whole batch.

    Points: 1
    Difficulty: 2
    Minutes: 4

    Hint 1: bngain is (1, n_hidden) and bnraw is (n, n_hidden). Over which dimension was the gain
        broadcast?
    Hint 2: A product, so the local derivative is the other factor. Then add up over the examples,
        all of which use the same gain.
    Hint 3: Multiply bnraw with the upstream gradient, entry by entry, and sum over dimension 0,
        keeping the dimension.

    Derivation:
    Write $\gamma_k$ for bngain, $\beta_k$ for bnbias, $\hat{x}_{ik}$ for bnraw and
    $a_{ik} = \gamma_k \hat{x}_{ik} + \beta_k$ for hpreact. The gain $\gamma_k$ is used by every
    example $i$ (broadcast over the rows), each time with
    $\partial a_{ik} / \partial \gamma_k = \hat{x}_{ik}$. The uses add up:
    $$ \frac{\partial L}{\partial \gamma_k} = \sum_i \hat{x}_{ik} \,
    \frac{\partial L}{\partial a_{ik}}. $$
    Every neuron $k$ keeps its own sum. Since bngain is (1, n_hidden), so is the gradient: keepdim.
    """
    ### BEGIN SOLUTION
    return (bnraw * dhpreact).sum(0, keepdim=True)  # (1, n_hidden)
    ### END SOLUTION


def dbnbias(dhpreact):
    r"""dL/dbnbias, (1, n_hidden): you have met a bias before; mind the shape.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: Compare with b2. What is the same, and what is different about the shape?
    Hint 2: Adding has the local derivative 1, and every example uses the same bias.
    Hint 3: Sum the upstream gradient over the batch and keep the dimension: bnbias is (1,
        n_hidden).

    Derivation:
    Write $\beta_k$ for bnbias and $a_{ik} = \gamma_k \hat{x}_{ik} + \beta_k$ for hpreact. The
    bias $\beta_k$ is broadcast over the batch, and each use has
    $\partial a_{ik} / \partial \beta_k = 1$. The broadcast becomes a sum:
    $$ \frac{\partial L}{\partial \beta_k} = \sum_i \frac{\partial L}{\partial a_{ik}}. $$
    The row of sums is kept as a (1, n_hidden) tensor, the shape of bnbias.
    """
    ### BEGIN SOLUTION
    return dhpreact.sum(0, keepdim=True)  # (1, n_hidden)
    ### END SOLUTION


def dbnraw(bngain, dhpreact):
    r"""dL/dbnraw, (n, n_hidden): the other factor of the product with the gain.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: Same line of the forward pass, other factor. Is anything broadcast to make bnraw fit?
    Hint 2: bnraw already has the full shape, so nothing is summed. The local derivative is the
        factor it is multiplied with.
    Hint 3: The gain times the upstream gradient; broadcasting copies the gain to all rows.

    Derivation:
    Write $\hat{x}_{ik}$ for bnraw and $a_{ik} = \gamma_k \hat{x}_{ik} + \beta_k$ for hpreact. The
    entry $\hat{x}_{ik}$ is used only by $a_{ik}$, with
    $\partial a_{ik} / \partial \hat{x}_{ik} = \gamma_k$. Hence
    $$ \frac{\partial L}{\partial \hat{x}_{ik}} = \gamma_k \, \frac{\partial L}{\partial a_{ik}}. $$
    Each $\hat{x}_{ik}$ is used once, so there is no sum. That $\gamma_k$ is the same for all $i$
    needs no care here: the product broadcasts it, as on the way forward.
    """
    ### BEGIN SOLUTION
    return bngain * dhpreact  # (n, n_hidden)
    ### END SOLUTION


def dbnvar_inv(bndiff, dbnraw):
    r"""dL/dbnvar_inv, (1, n_hidden): one number per neuron, used by the whole batch.

    Points: 1
    Difficulty: 2
    Minutes: 4

    Hint 1: bnraw is a product of an (n, n_hidden) and a (1, n_hidden) tensor. You have solved
        such a line before: which one?
    Hint 2: As for bngain: the local derivative is the other factor, and the broadcast over the
        batch becomes a sum over the batch.
    Hint 3: Multiply bndiff with the upstream gradient, entry by entry, and sum over dimension 0,
        keeping the dimension.

    Derivation:
    Write $\delta_{ik}$ for bndiff, $\rho_k$ for bnvar_inv and $\hat{x}_{ik} = \delta_{ik} \rho_k$
    for bnraw. The number $\rho_k$ scales neuron $k$ in every example, each time with
    $\partial \hat{x}_{ik} / \partial \rho_k = \delta_{ik}$. The broadcast over the batch becomes
    a sum:
    $$ \frac{\partial L}{\partial \rho_k} = \sum_i \delta_{ik} \,
    \frac{\partial L}{\partial \hat{x}_{ik}}. $$
    The result is one number per neuron, kept as (1, n_hidden). The other user of $\delta$,
    bndiff2, does not matter here: $\rho$ itself is used in this one line.
    """
    ### BEGIN SOLUTION
    return (bndiff * dbnraw).sum(0, keepdim=True)  # (1, n_hidden)
    ### END SOLUTION


def dbnvar(bnvar, dbnvar_inv):
    r"""dL/dbnvar, (1, n_hidden): a power again, of bnvar and a little more.

    Points: 1
    Difficulty: 2
    Minutes: 4

    Hint 1: bnvar_inv is a power of a shifted bnvar. Which exponent, which shift?
    Hint 2: The exponent comes down as a factor and decreases by one: from -1/2 it goes to -3/2.
        What stands inside the bracket stays as it is, the small constant included.
    Hint 3: Minus one half, times the bracket of the forward pass to the power -1.5, times the
        upstream gradient.

    Derivation:
    Write $v_k$ for bnvar, $\epsilon = 10^{-5}$ and $\rho_k = (v_k + \epsilon)^{-1/2}$ for
    bnvar_inv. By the power rule, and since the derivative of $v_k + \epsilon$ with respect to
    $v_k$ is 1,
    $$ \frac{\partial \rho_k}{\partial v_k} = -\tfrac{1}{2} (v_k + \epsilon)^{-3/2}. $$
    The variance is used only here, entry by entry, so
    $$ \frac{\partial L}{\partial v_k} = -\tfrac{1}{2} (v_k + \epsilon)^{-3/2} \,
    \frac{\partial L}{\partial \rho_k}. $$
    The $\epsilon$ stays inside the power. Leaving it out changes little while $v_k$ is near 1, but
    everything once $v_k$ is as small as $\epsilon$.
    """
    ### BEGIN SOLUTION
    return -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv  # (1, n_hidden)
    ### END SOLUTION


def dbndiff2(bndiff2, dbnvar):
    r"""dL/dbndiff2, (n, n_hidden): back through a sum over the batch.

    Points: 2
    Difficulty: 3
    Minutes: 6

    Hint 1: The shape grows from (1, n_hidden) to (n, n_hidden). What does a sum on the way forward
        become on the way back?
    Hint 2: Raise one entry of bndiff2 a little: by how much does bnvar of that column change? It
        is the same for every row, so every row receives the same gradient.
    Hint 3: The upstream gradient, copied to all n rows (ones of the shape of bndiff2 times a row
        broadcast), times one over n - 1 (not n: look at the forward pass).

    Derivation:
    Write $q_{ik}$ for bndiff2 and $v_k = \frac{1}{n-1} \sum_j q_{jk}$ for bnvar. The entry
    $q_{ik}$ occurs once in the sum of its column and in no other column, so
    $$ \frac{\partial v_k}{\partial q_{ik}} = \frac{1}{n-1}, \qquad
    \frac{\partial L}{\partial q_{ik}} = \frac{1}{n-1} \, \frac{\partial L}{\partial v_k}. $$
    The right side does not depend on $i$: all rows of the gradient are alike. The sum over the
    batch has become a broadcast over the batch, so the (1, n_hidden) upstream gradient is spread
    out to (n, n_hidden), the shape of bndiff2. The factor is $1/(n-1)$ since the forward pass
    uses Bessel's correction.
    """
    ### BEGIN SOLUTION
    n = bndiff2.shape[0]
    return 1.0 / (n - 1) * torch.ones_like(bndiff2) * dbnvar  # (n, n_hidden)
    ### END SOLUTION


def dbndiff(bndiff, bnvar_inv, dbndiff2, dbnraw):
    r"""dL/dbndiff, (n, n_hidden): used twice, once on its own and once squared.

    Points: 2
    Difficulty: 3
    Minutes: 6

    Hint 1: Find both lines of the forward pass with bndiff on the right. Two uses, two
        contributions.
    Hint 2: In one use bndiff is multiplied by a factor, in the other it is squared. Both are
        elementwise: write down the two local derivatives.
    Hint 3: The factor from the product times dbnraw, plus twice bndiff times dbndiff2.

    Derivation:
    Write $\delta_{ik}$ for bndiff. It is used in $\hat{x}_{ik} = \delta_{ik} \rho_k$ (bnraw;
    $\rho_k$ is bnvar_inv) and in $q_{ik} = \delta_{ik}^2$ (bndiff2). The two uses add up:
    $$ \frac{\partial L}{\partial \delta_{ik}} = \frac{\partial L}{\partial \hat{x}_{ik}}
    \frac{\partial \hat{x}_{ik}}{\partial \delta_{ik}} + \frac{\partial L}{\partial q_{ik}}
    \frac{\partial q_{ik}}{\partial \delta_{ik}}. $$
    The local derivatives are $\rho_k$ (held fixed: its dependence on $\delta$ runs through $q$,
    the second branch) and $2 \delta_{ik}$:
    $$ \frac{\partial L}{\partial \delta_{ik}} = \rho_k \,
    \frac{\partial L}{\partial \hat{x}_{ik}} + 2 \delta_{ik} \,
    \frac{\partial L}{\partial q_{ik}}. $$
    Both terms are elementwise in $i$ and $k$; $\rho_k$ is broadcast over the rows.
    """
    ### BEGIN SOLUTION
    dbndiff = bnvar_inv * dbnraw  # (n, n_hidden), from bnraw
    dbndiff = dbndiff + 2 * bndiff * dbndiff2  # (n, n_hidden), from bndiff2
    return dbndiff  # (n, n_hidden)
    ### END SOLUTION


def dbnmeani(dbndiff):
    r"""dL/dbnmeani, (1, n_hidden): a row that was broadcast and subtracted.

    Points: 1
    Difficulty: 2
    Minutes: 3

    Hint 1: You have solved this line before with rows and columns exchanged: logit_maxes.
    Hint 2: Every example subtracts the same mean, each time with the local derivative -1. Add up
        over the examples.
    Hint 3: Turn the sign of the upstream gradient and sum it over dimension 0, keeping the
        dimension.

    Derivation:
    Write $\mu_k$ for bnmeani and $\delta_{ik} = x_{ik} - \mu_k$ for bndiff. The mean of neuron
    $k$ is used by every example $i$, each time with $\partial \delta_{ik} / \partial \mu_k = -1$.
    The broadcast over the batch becomes a sum over the batch:
    $$ \frac{\partial L}{\partial \mu_k} = -\sum_i \frac{\partial L}{\partial \delta_{ik}}. $$
    The upstream gradient holds both branches of bndiff already, so the mean's effect on the
    variance is included and needs no term of its own. bnmeani is (1, n_hidden), and so is its
    gradient.
    """
    ### BEGIN SOLUTION
    return (-dbndiff).sum(0, keepdim=True)  # (1, n_hidden)
    ### END SOLUTION


def dhprebn(hprebn, dbndiff, dbnmeani):
    r"""dL/dhprebn, (n, n_hidden): used twice, directly and through the mean.

    Points: 2
    Difficulty: 3
    Minutes: 6

    Hint 1: hprebn stands in the line of bndiff and in the line of bnmeani. One branch is a plain
        difference, the other a mean over the batch.
    Hint 2: Raise one entry of a column a little. By how much does the mean of the column rise?
        Every row sees the same answer.
    Hint 3: dbndiff unchanged, plus one over n times dbnmeani, which broadcasts to all rows.

    Derivation:
    Write $x_{ik}$ for hprebn. It is used in $\delta_{ik} = x_{ik} - \mu_k$ (bndiff) and in
    $\mu_k = \frac{1}{n} \sum_j x_{jk}$ (bnmeani). The two uses add up:
    $$ \frac{\partial L}{\partial x_{ik}} = \frac{\partial L}{\partial \delta_{ik}}
    \frac{\partial \delta_{ik}}{\partial x_{ik}} + \frac{\partial L}{\partial \mu_k}
    \frac{\partial \mu_k}{\partial x_{ik}}. $$
    With $\mu_k$ held fixed the first local derivative is 1, and the second is $1/n$ for every $i$:
    $$ \frac{\partial L}{\partial x_{ik}} = \frac{\partial L}{\partial \delta_{ik}}
    + \frac{1}{n} \, \frac{\partial L}{\partial \mu_k}. $$
    The second term is the same for all rows: the sum over the batch has become a broadcast. Put in
    dbnmeani, and you see that batch norm takes the mean out of the gradient, column by column.
    """
    ### BEGIN SOLUTION
    n = hprebn.shape[0]
    dhprebn = dbndiff + 1.0 / n * (torch.ones_like(hprebn) * dbnmeani)  # bndiff, then bnmeani
    return dhprebn  # (n, n_hidden)
    ### END SOLUTION


# --- linear 1 --------------------------------------------------------------------------------


def dembcat(W1, dhprebn):
    r"""dL/dembcat, (n, block_size * n_embd): a linear layer, seen from its input.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: You have solved this line before, for h and W2.
    Hint 2: The result is (n, block_size * n_embd); you hold (n, n_hidden) and
        (block_size * n_embd, n_hidden). One way to multiply them fits.
    Hint 3: The upstream gradient times the weights transposed.

    Derivation:
    Write $e_{ij}$ for embcat, $W$ for W1 and $x_{ik} = \sum_j e_{ij} W_{jk} + b_k$ for hprebn.
    The entry $e_{ij}$ is used by every neuron $k$ of row $i$, with
    $\partial x_{ik} / \partial e_{ij} = W_{jk}$. The uses add up:
    $$ \frac{\partial L}{\partial e_{ij}} = \sum_k \frac{\partial L}{\partial x_{ik}} W_{jk}
    = \sum_k \frac{\partial L}{\partial x_{ik}} (W^T)_{kj}, $$
    which is the matrix product
    $$ \frac{\partial L}{\partial e} = \frac{\partial L}{\partial x} \, W^T, $$
    with shapes (n, n_hidden) times (n_hidden, block_size * n_embd).
    """
    ### BEGIN SOLUTION
    return dhprebn @ W1.T  # (n, block_size * n_embd)
    ### END SOLUTION


def dW1(embcat, dhprebn):
    r"""dL/dW1, (block_size * n_embd, n_hidden): the same layer, seen from its weights.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: You have solved this line before, for W2.
    Hint 2: The batch dimension does not occur in the result, so it is the inner index of the
        product.
    Hint 3: The layer's input transposed, times the upstream gradient.

    Derivation:
    Write $e_{ij}$ for embcat, $W$ for W1 and $x_{ik} = \sum_j e_{ij} W_{jk} + b_k$ for hprebn.
    The weight $W_{jk}$ is used by every example $i$, with
    $\partial x_{ik} / \partial W_{jk} = e_{ij}$. The uses add up over the batch:
    $$ \frac{\partial L}{\partial W_{jk}} = \sum_i e_{ij} \frac{\partial L}{\partial x_{ik}}
    = \sum_i (e^T)_{ji} \frac{\partial L}{\partial x_{ik}}, $$
    which is the matrix product
    $$ \frac{\partial L}{\partial W} = e^T \, \frac{\partial L}{\partial x}, $$
    with shapes (block_size * n_embd, n) times (n, n_hidden).
    """
    ### BEGIN SOLUTION
    return embcat.T @ dhprebn  # (block_size * n_embd, n_hidden)
    ### END SOLUTION


def db1(dhprebn):
    r"""dL/db1, (n_hidden,): write it, then look at its size: what does batch norm do to this bias?

    Points: 1
    Difficulty: 1
    Minutes: 3

    Hint 1: You have solved this line before, for b2.
    Hint 2: The bias is broadcast over the batch, with the local derivative 1.
    Hint 3: Sum the upstream gradient over dimension 0. The shape is (n_hidden,), so do not keep
        the dimension.

    Derivation:
    Write $x_{ik} = \sum_j e_{ij} W_{jk} + b_k$ for hprebn. The bias $b_k$ is broadcast over the
    batch, and each use has $\partial x_{ik} / \partial b_k = 1$. The broadcast becomes a sum:
    $$ \frac{\partial L}{\partial b_k} = \sum_i \frac{\partial L}{\partial x_{ik}}. $$
    In the network the result is zero up to rounding. Batch norm subtracts the mean of each
    column, so a constant added to a column has no effect on the loss: a bias in front of batch
    norm is useless. Returning zeros would still be wrong, since this line knows nothing of what
    comes after it: the check feeds it random upstream gradients.
    """
    ### BEGIN SOLUTION
    return dhprebn.sum(0)  # (n_hidden,)
    ### END SOLUTION


# --- embedding -------------------------------------------------------------------------------


def demb(emb, dembcat):
    r"""dL/demb, (n, block_size, n_embd): the numbers were only arranged anew.

    Points: 1
    Difficulty: 1
    Minutes: 2

    Hint 1: What does the forward pass do with the numbers between emb and embcat? Does any of them
        change?
    Hint 2: Every number keeps its value and moves to another place. Its gradient moves back.
    Hint 3: Give the upstream gradient the shape of emb again, with view or reshape.

    Derivation:
    Write $E_{itd}$ for emb ($i$ example, $t$ position, $d$ coordinate) and $e_{ij}$ for embcat,
    with $D$ for n_embd. Flattening puts entry $(i, t, d)$ at column $j = tD + d$:
    $$ e_{i,\, tD + d} = E_{itd}. $$
    Each entry is used exactly once, with local derivative 1, so
    $$ \frac{\partial L}{\partial E_{itd}} = \frac{\partial L}{\partial e_{i,\, tD + d}}. $$
    That is the inverse rearrangement. Nothing is computed, nothing is summed. (A permutation or a
    transpose would also give the right number of entries, but put them in the wrong places.)
    """
    ### BEGIN SOLUTION
    return dembcat.reshape(emb.shape)  # (n, block_size, n_embd)
    ### END SOLUTION


def dC(C, Xb, demb):
    r"""dL/dC, (vocab, n_embd): a row of C may be looked up many times in one batch.

    Points: 2
    Difficulty: 4
    Minutes: 10

    Hint 1: emb[i, t] is a copy of the row Xb[i, t] of C. Which row of C should the gradient
        demb[i, t] go to?
    Hint 2: Begin with zeros like C. Go over all examples i and positions t, and bring demb[i, t]
        home to the row it came from. Rows are looked up several times: what happens to gradients
        that meet?
    Hint 3: Two loops with += do it. Without loops: index_add_ adds rows at given indices,
        repeated ones included; flatten Xb to one dimension and demb to one row per look-up.
        (Indexing with a tensor and += is a trap: of several writes to the same row only one
        survives.)

    Derivation:
    Write $E_{itd} = C_{X_{it},\, d}$ for emb ($i$ example, $t$ position, $d$ coordinate). The
    entry $C_{vd}$ is used wherever $X_{it} = v$, each time with local derivative 1, and nowhere
    else:
    $$ \frac{\partial E_{itd}}{\partial C_{vd}} = [X_{it} = v]. $$
    All uses add up:
    $$ \frac{\partial L}{\partial C_{vd}} = \sum_{i,t} [X_{it} = v] \,
    \frac{\partial L}{\partial E_{itd}}. $$
    So every look-up sends its gradient back to the row it read, and a row that was read several
    times collects them all. A row that was never read keeps a zero gradient. In code, the sum
    over $(i, t)$ is index_add_ with the flattened indices (it adds repeated rows, one after the
    other), and it is the same as two loops with `dC[Xb[i, t]] += demb[i, t]`, only faster.
    """
    ### BEGIN SOLUTION
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.flatten(), demb.flatten(0, 1))  # repeated rows add up
    return dC  # (vocab, n_embd)
    ### END SOLUTION
