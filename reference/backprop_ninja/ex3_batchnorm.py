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
"""

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
    r"""dL/dhprebn, (n, n_hidden): three ways lead from each input to the outputs of its column.

    Points: 5
    Difficulty: 5
    Minutes: 60

    Hint 1: Take one column. Name the mean and the variance, and draw who uses whom: x_i is used
        by the mean, by the variance and by its own normalized value; the mean is used by the
        variance and by all normalized values. Then go back from the output, one node at a time.
    Hint 2: In this order: the gradient of each normalized value; of the variance (a sum over the
        column, with the power -3/2); of the mean (two terms; in the one through the variance
        stands the sum of all deviations from the mean, and what is that?); of x_i (three terms).
        At the end replace each deviation x_i - mean by bnraw / bnvar_inv, which is exact, epsilon
        included.
    Hint 3: A common factor gain times inverse standard deviation over n, times a bracket of three
        terms: n times the upstream gradient; minus its sum over the batch; minus n / (n - 1) times
        bnraw times the sum over the batch of upstream gradient times bnraw.

    Law: columns sum to zero: the path through the mean
    Law: columns are orthogonal to bnraw: the path through the variance

    Derivation:
    *Set-up.* Batch norm treats each neuron alone, so fix one column and drop its index. Let $x_i$,
    $i = 1, \dots, n$, be that column of hprebn, let $\gamma$ and $\beta$ be the gain and bias, and
    $$ \mu = \frac{1}{n} \sum_j x_j, \qquad v = \frac{1}{n-1} \sum_j (x_j - \mu)^2, \qquad
    \rho = (v + \epsilon)^{-1/2}, $$
    $$ \hat{x}_i = (x_i - \mu) \, \rho, \qquad a_i = \gamma \hat{x}_i + \beta. $$
    In the code $\rho$ is bnvar_inv, $\hat{x}_i$ is bnraw and $a_i$ is hpreact. We are given
    $g_i = \partial L / \partial a_i$ (dhpreact) and want $\partial L / \partial x_i$. We go back
    node by node. At each node we add up over all its uses and hold the other nodes fixed.

    *Step 1: the normalized values.* $\hat{x}_i$ is used by $a_i$ alone:
    $$ \frac{\partial L}{\partial \hat{x}_i} = \gamma \, g_i. $$

    *Step 2: the variance.* $\rho$ is used by all the $\hat{x}_j$ of the column (a broadcast on
    the way forward, so a sum on the way back), and
    $\partial \hat{x}_j / \partial \rho = x_j - \mu$:
    $$ \frac{\partial L}{\partial \rho} = \sum_j \gamma \, g_j \, (x_j - \mu). $$
    The power rule gives
    $$ \frac{\partial \rho}{\partial v} = -\tfrac{1}{2} (v + \epsilon)^{-3/2}
    = -\tfrac{1}{2} \rho^3. $$
    The variance is used by $\rho$ alone. With $x_j - \mu = \hat{x}_j / \rho$, which is just the
    definition of $\hat{x}_j$ and therefore exact, whatever $\epsilon$ is,
    $$ \frac{\partial L}{\partial v} = -\tfrac{1}{2} \rho^3 \sum_j \gamma \, g_j \,
    \frac{\hat{x}_j}{\rho} = -\tfrac{1}{2} \, \gamma \, \rho^2 \sum_j g_j \hat{x}_j. $$

    *Step 3: the mean.* $\mu$ is used by every $\hat{x}_j$, with
    $\partial \hat{x}_j / \partial \mu = -\rho$, and by $v$:
    $$ \frac{\partial L}{\partial \mu} = \sum_j \gamma \, g_j \, (-\rho)
    + \frac{\partial L}{\partial v} \frac{\partial v}{\partial \mu}, \qquad
    \frac{\partial v}{\partial \mu} = -\frac{2}{n-1} \sum_j (x_j - \mu). $$
    The deviations from the mean sum to zero: $\sum_j (x_j - \mu) = n\mu - n\mu = 0$. So the term
    through the variance vanishes (the mean is just where the sum of squares is smallest, so a
    small shift of $\mu$ does not change it to first order), and
    $$ \frac{\partial L}{\partial \mu} = -\gamma \, \rho \sum_j g_j. $$

    *Step 4: the input.* $x_i$ is used by $\hat{x}_i$ (the direct path), by $\mu$ and by $v$:
    $$ \frac{\partial L}{\partial x_i} =
    \frac{\partial L}{\partial \hat{x}_i} \frac{\partial \hat{x}_i}{\partial x_i}
    + \frac{\partial L}{\partial \mu} \frac{\partial \mu}{\partial x_i}
    + \frac{\partial L}{\partial v} \frac{\partial v}{\partial x_i}. $$
    The local derivatives, the other nodes held fixed ($\mu$ too: what passes through it is the
    second term), are
    $$ \frac{\partial \hat{x}_i}{\partial x_i} = \rho, \qquad
    \frac{\partial \mu}{\partial x_i} = \frac{1}{n}, \qquad
    \frac{\partial v}{\partial x_i} = \frac{2}{n-1} (x_i - \mu)
    = \frac{2}{n-1} \, \frac{\hat{x}_i}{\rho}. $$
    Put in the results of steps 1 to 3, one path at a time.
    Direct: $\gamma \, \rho \, g_i$.
    Through the mean: $-\frac{1}{n} \, \gamma \, \rho \sum_j g_j$.
    Through the variance:
    $$ -\tfrac{1}{2} \, \gamma \, \rho^2 \Big( \sum_j g_j \hat{x}_j \Big) \cdot \frac{2}{n-1} \,
    \frac{\hat{x}_i}{\rho} = -\frac{\gamma \, \rho}{n-1} \, \hat{x}_i \sum_j g_j \hat{x}_j. $$

    *Step 5: add up.* All three contain $\gamma \rho$. Taking out $\gamma \rho / n$,
    $$ \frac{\partial L}{\partial x_i} = \frac{\gamma \, \rho}{n} \Big( n \, g_i - \sum_j g_j
    - \frac{n}{n-1} \, \hat{x}_i \sum_j g_j \hat{x}_j \Big). $$
    In the code both sums run over the batch, dimension 0, and leave one number per neuron. As
    rows they are broadcast over the batch again, as are $\gamma$ and $\rho$.

    *About epsilon.* It is nowhere in the result, yet nothing was neglected: $v$ and $\epsilon$
    occur only together, inside $\rho$, and $\rho$ comes from the forward pass. It would be a
    mistake to replace $\rho$ by $v^{-1/2}$ on the way.

    *Two checks.* Sum the result over $i$: since $\sum_i \hat{x}_i = 0$, the bracket sums to
    $n \sum_j g_j - n \sum_j g_j = 0$. It has to be so, as adding a constant to a column changes
    nothing. Multiply it by $\hat{x}_i$ and sum: with
    $\sum_i \hat{x}_i^2 = (n-1) v \rho^2 = (n-1) v / (v + \epsilon)$ one gets
    $$ \sum_i \hat{x}_i \frac{\partial L}{\partial x_i} = \gamma \, \rho \,
    \frac{\epsilon}{v + \epsilon} \sum_j g_j \hat{x}_j, $$
    which is nearly zero while $v$ is much larger than $\epsilon$: without epsilon, stretching a
    column would change nothing either.
    """
    ### BEGIN SOLUTION
    n = bnraw.shape[0]
    sum_g = dhpreact.sum(0, keepdim=True)  # (1, n_hidden)
    sum_gx = (dhpreact * bnraw).sum(0, keepdim=True)  # (1, n_hidden)
    bracket = n * dhpreact - sum_g - n / (n - 1) * bnraw * sum_gx  # direct, mean, variance
    return bngain * bnvar_inv / n * bracket  # (n, n_hidden)
    ### END SOLUTION
