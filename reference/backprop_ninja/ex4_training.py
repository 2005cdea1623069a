"""Exercise 4: put it all together, and train.

This is the network of exercise 1 in the size that the lecture trains: 200 neurons instead of 64,
12,297 parameters in all. You write its whole backward pass as one function, `backward`: from the
loss to the seven gradients that the training loop asks for. Everything in it you have solved
before. Cross-entropy is exercise 2 and batch norm is exercise 3, in one go each; the two linear
layers, tanh and the embedding are exercise 1. What is new is that nobody hands you an upstream
gradient any more: each line feeds on the one before it.

The seven are checked one by one, so the report tells which of them are right. A mistake spoils
every gradient that comes after it on the way back, and those before it stay right. So look for
it where the right ones end: W2 and b2 come first, then bngain and bnbias, then W1 and b1, and C
comes last.

The parameters of `backward` are asked for by name: any tensor of the forward pass. Take the sizes
from the tensors. The last batch of an epoch is smaller than the others, and your function is run
at other sizes too: n is the batch size (32), vocab the number of characters (27), n_hidden the
number of neurons (200), block_size the number of letters read (3), n_embd the length of one
embedding (10).

Run `pytest exercises/` to check. The line `run` is a short training run: with your gradients the
loss must be what it is with autograd's, step by step. Then comes the reward,

    backprop-ninja train

the lecture's full training, 200,000 steps on real names with your gradients and no autograd
anywhere. At the end it computes the losses, draws the loss curve, and makes up twenty names.
`backprop-ninja train --steps 20000` is a tenth of it.
"""

import torch
import torch.nn.functional as F

from graders import gradients
from graders.names import NAMES_ALPHABET, batch_of_names, examples, read_names

# Small weights bring the variance of hprebn below batch norm's epsilon (1e-5). Large ones make logits whose
# exponentials overflow. Both happen in real training, at the wrong moment.
extremes = {"tiny variance": {"weight_scale": 1e-3}, "large logits": {"logit_scale": 1e4}}

# What `backprop-ninja train --diagnostics` looks into: histograms of these tensors and their gradients, how far the
# output of tanh is saturated, and the gradient of the logits as forces.
diagnostics = {"histograms": ("hpreact", "h", "logits"), "saturation": "h", "forces": "logits"}


def initialise(rng, vocab=27, n_embd=10, n_hidden=200, block_size=3, weight_scale=1.0, logit_scale=1.0):
    """The seven parameters, all drawn from the generator `rng`, in the order in which they are updated.

    C (vocab, n_embd), W1 (block_size * n_embd, n_hidden), b1 (n_hidden,), W2 (n_hidden, vocab),
    b2 (vocab,), bngain and bnbias (1, n_hidden). The biases are small but not zero and the gain is
    not one, since zeros and ones can hide a wrong backward pass. `weight_scale` multiplies W1 and
    b1, `logit_scale` W2.
    """
    fan_in = n_embd * block_size
    C = torch.randn(vocab, n_embd, generator=rng)
    W1 = torch.randn(fan_in, n_hidden, generator=rng) * (5 / 3) / fan_in**0.5 * weight_scale
    b1 = torch.randn(n_hidden, generator=rng) * 0.1 * weight_scale
    W2 = torch.randn(n_hidden, vocab, generator=rng) * 0.1 * logit_scale
    b2 = torch.randn(vocab, generator=rng) * 0.1
    bngain = torch.randn(1, n_hidden, generator=rng) * 0.1 + 1.0
    bnbias = torch.randn(1, n_hidden, generator=rng) * 0.1
    return dict(C=C, W1=W1, b1=b1, W2=W2, b2=b2, bngain=bngain, bnbias=bnbias)


def inputs(rng, n=32, vocab=27, n_embd=10, n_hidden=200, block_size=3, weight_scale=1.0, logit_scale=1.0):
    """The parameters, and a batch: Xb (n, block_size) and Yb (n,) hold indices. All from `rng`."""
    parameters = initialise(rng, vocab, n_embd, n_hidden, block_size, weight_scale, logit_scale)
    Xb, Yb = batch_of_names(rng, n, block_size, vocab)
    return dict(**parameters, Xb=Xb, Yb=Yb)


def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb):
    """One layer after the other; every tensor that the way back needs has a name."""
    n = Xb.shape[0]
    # embedding
    emb = C[Xb]  # (n, block_size, n_embd)
    embcat = emb.flatten(1)  # (n, block_size * n_embd)
    # linear 1
    hprebn = embcat @ W1 + b1  # (n, n_hidden)
    # batchnorm
    bnmean = hprebn.mean(0, keepdim=True)  # (1, n_hidden)
    bndiff = hprebn - bnmean  # (n, n_hidden)
    bnvar = (bndiff**2).sum(0, keepdim=True) / (n - 1)  # (1, n_hidden), n - 1: Bessel's correction
    bnvar_inv = (bnvar + 1e-5) ** -0.5  # (1, n_hidden)
    bnraw = bndiff * bnvar_inv  # (n, n_hidden)
    hpreact = bngain * bnraw + bnbias  # (n, n_hidden)
    # tanh
    h = torch.tanh(hpreact)  # (n, n_hidden)
    # linear 2
    logits = h @ W2 + b2  # (n, vocab)
    # cross-entropy
    loss = F.cross_entropy(logits, Yb)
    return locals()


# --- backward --------------------------------------------------------------------------------


@gradients("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")
def backward(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    r"""dL/dC, dL/dW1, dL/db1, dL/dW2, dL/db2, dL/dbngain, dL/dbnbias, in this order, each of the
    shape of its parameter.

    Points: 2
    Difficulty: 4
    Minutes: 15

    Hint 1: Write the forward pass on paper, one line a layer, and read it from the bottom: first
        cross-entropy, then linear 2, tanh, batch norm, linear 1, embedding. At each layer ask two
        questions. What is the gradient of its parameters? What is the gradient of its input, which
        the next layer down will need?
    Hint 2: The order is dlogits; then dh, dW2 and db2; then dhpreact; then dbngain, dbnbias and
        dhprebn; then dembcat, dW1 and db1; then demb and dC. The formula for dlogits is
        exercise 2, that for dhprebn is exercise 3, the rest you can copy from exercise 1.
    Hint 3: dlogits is the softmax, minus one at the targets, over n. A linear layer gives three
        gradients: upstream times weights transposed, input transposed times upstream, upstream
        summed over the batch. tanh gives one minus h squared times upstream. The gain's gradient
        sums upstream times bnraw, the bias's sums upstream. Batch norm's input gets gain times
        inverse deviation times a bracket: upstream, minus its mean over the batch, minus bnraw
        times the gain's gradient over n - 1. For C, begin with zeros and add every row of demb to
        the row of C that was looked up; rows looked up twice must get both. Return seven tensors,
        C first.

    Law dW2: rows sum to zero: dlogits, whose rows sum to zero
    Law db2: entries sum to zero: dlogits, whose rows sum to zero
    Law dW1: columns are orthogonal to W1: the path through the variance in batch norm

    Derivation:
    The forward pass is a chain of six layers. With $E$ for embcat, $x$ for hprebn, $\hat{x}$ for
    bnraw, $\rho$ for bnvar_inv, $\gamma$ and $\beta$ for gain and bias, $a$ for hpreact, $z$ for
    logits and $X$ for the indices Xb,
    $$ C \to E = C[X] \to x = E W_1 + b_1 \to \hat{x} = (x - \mu) \rho \to
    a = \gamma \hat{x} + \beta \to h = \tanh a \to z = h W_2 + b_2 \to L. $$
    No tensor but $x$ is used twice (by itself, by its mean, by its variance), and that is inside
    batch norm. So there is one gradient that walks back along the chain, and at each layer those
    of the parameters branch off.

    *Cross-entropy* (exercise 2). Softmax minus one-hot, over $n$:
    $$ \frac{\partial L}{\partial z_{ij}} = \frac{1}{n} \left( p_{ij} - [j = y_i] \right). $$

    *Linear 2* (exercise 1). Every index that is not in the result is summed over:
    $$ \frac{\partial L}{\partial h} = \frac{\partial L}{\partial z} W_2^T, \qquad
    \frac{\partial L}{\partial W_2} = h^T \frac{\partial L}{\partial z}, \qquad
    \frac{\partial L}{\partial b_2} = \sum_i \frac{\partial L}{\partial z_{i \cdot}}. $$

    *Tanh* (exercise 1). The slope is a function of the output:
    $$ \frac{\partial L}{\partial a} = (1 - h^2) \, \frac{\partial L}{\partial h}. $$

    *Batch norm* (exercises 1 and 3). Write $g$ for the gradient of $a$. Gain and bias are
    broadcast over the batch, so their gradients are sums over it:
    $$ \frac{\partial L}{\partial \gamma} = \sum_i g_i \hat{x}_i, \qquad
    \frac{\partial L}{\partial \beta} = \sum_i g_i. $$
    These are just the two sums in the formula of exercise 3, which becomes
    $$ \frac{\partial L}{\partial x_i} = \gamma \rho \left( g_i
    - \frac{1}{n} \frac{\partial L}{\partial \beta}
    - \frac{1}{n-1} \, \hat{x}_i \frac{\partial L}{\partial \gamma} \right). $$
    In words: from the gradient that arrives, take away its mean and its slope along $\hat{x}$,
    since shifting and stretching a column is what batch norm undoes. Then scale as on the way
    forward.

    *Linear 1* (as linear 2).
    $$ \frac{\partial L}{\partial E} = \frac{\partial L}{\partial x} W_1^T, \qquad
    \frac{\partial L}{\partial W_1} = E^T \frac{\partial L}{\partial x}, \qquad
    \frac{\partial L}{\partial b_1} = \sum_i \frac{\partial L}{\partial x_{i \cdot}}. $$
    The last one is zero up to rounding, as batch norm takes away any constant.

    *Embedding* (exercise 1). Every look-up sends its gradient to the row that it read:
    $$ \frac{\partial L}{\partial C_v} = \sum_{i,t} [X_{it} = v] \,
    \frac{\partial L}{\partial E_{i,t}}. $$

    Why no autograd is faster. Autograd records the graph at every step, walks it, and allocates
    each gradient anew. Here the graph is known: it is this function.
    """
    ### BEGIN SOLUTION
    n = Xb.shape[0]
    # cross-entropy
    dlogits = F.softmax(logits, 1)  # (n, vocab), the probabilities
    dlogits[torch.arange(n), Yb] -= 1.0  # the target's entry: p - 1
    dlogits /= n  # the loss is a mean over the batch
    # linear 2
    dh = dlogits @ W2.T  # (n, n_hidden)
    dW2 = (dlogits.T @ h).T  # (n_hidden, vocab), h.T @ dlogits in the order that is faster
    db2 = dlogits.sum(0)  # (vocab,)
    # tanh
    dhpreact = (1.0 - h**2) * dh  # (n, n_hidden)
    # batchnorm
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)  # (1, n_hidden)
    dbnbias = dhpreact.sum(0, keepdim=True)  # (1, n_hidden)
    bracket = dhpreact - dbnbias / n - bnraw * (dbngain / (n - 1))  # direct, mean, variance
    dhprebn = bngain * bnvar_inv * bracket  # (n, n_hidden)
    # linear 1
    dembcat = dhprebn @ W1.T  # (n, block_size * n_embd)
    dW1 = embcat.T @ dhprebn  # (block_size * n_embd, n_hidden)
    db1 = dhprebn.sum(0)  # (n_hidden,)
    # embedding
    demb = dembcat.view(emb.shape)  # (n, block_size, n_embd)
    dC = torch.zeros_like(C)  # (vocab, n_embd)
    dC.index_add_(0, Xb.flatten(), demb.flatten(0, 1))  # repeated rows add up
    return dC, dW1, db1, dW2, db2, dbngain, dbnbias
    ### END SOLUTION


# --- training --------------------------------------------------------------------------------


def learning_rate(step, steps):
    """0.1 for the first half of the `steps`, then 0.01: the lecture's decay, at 100,000 of 200,000."""
    return 0.1 if step < steps // 2 else 0.01


def run(gradients, rng, steps=200, n=32, n_hidden=64, n_examples=1000):
    """A short training run: with your gradients the losses must be those that autograd gives.

    `gradients` is called at every step with the tensors of the forward pass, by name, and returns
    the gradients of the seven parameters. Returns the losses, one a step. The examples are gone
    through in a new order in every epoch; the last batch of an epoch is what is left, 8 of 1,000.

    Points: 2
    Difficulty: 1
    Minutes: 5

    Hint 1: This follows from the seven gradients. If one of them is wrong, mend that first.
    Hint 2: If all seven are right and the run is not, your function does something else as well:
        does it change a tensor that it was given, or keep one from the step before?
    Hint 3: Where the first wrong step is the last of an epoch, the batch size was not taken from
        the batch.
    """
    parameters = initialise(rng, n_hidden=n_hidden)
    X, Y = examples(read_names()[:n_examples], block_size=3, alphabet=NAMES_ALPHABET)
    X, Y = X[:n_examples], Y[:n_examples]  # every word has at least one
    losses, batches = [], []
    for step in range(steps):
        if not batches:
            batches = list(torch.randperm(n_examples, generator=rng).split(n))
        batch = batches.pop(0)
        with torch.no_grad():  # nothing is recorded: there is no autograd here
            values = forward(**parameters, Xb=X[batch], Yb=Y[batch])
            lr = learning_rate(step, steps)
            for parameter, gradient in zip(parameters.values(), gradients(values)):
                parameter -= lr * gradient
        losses.append(values["loss"].item())
    return losses


# --- after training --------------------------------------------------------------------------


def calibrate(parameters, X):
    """Batch-norm statistics, taken once over all examples X (N, block_size): bnmean, bnvar (1, n_hidden).

    In training each batch is normalized by its own mean and variance; a single name has none.
    """
    hprebn = parameters["C"][X].flatten(1) @ parameters["W1"] + parameters["b1"]
    return dict(bnmean=hprebn.mean(0, keepdim=True), bnvar=hprebn.var(0, keepdim=True, unbiased=True))


def predict(parameters, statistics, X):
    """Logits (N, vocab) of the examples X (N, block_size), with calibrated statistics."""
    hprebn = parameters["C"][X].flatten(1) @ parameters["W1"] + parameters["b1"]
    bnraw = (hprebn - statistics["bnmean"]) * (statistics["bnvar"] + 1e-5) ** -0.5
    h = torch.tanh(parameters["bngain"] * bnraw + parameters["bnbias"])
    return h @ parameters["W2"] + parameters["b2"]


def evaluate(parameters, statistics, X, Y):
    """The loss over all examples X (N, block_size), Y (N,), with calibrated statistics."""
    return F.cross_entropy(predict(parameters, statistics, X), Y).item()


def sample(parameters, statistics, rng, alphabet, count=20):
    """`count` made-up names: characters drawn one after the other until one ends the name, index 0.

    A name is cut off at 100 characters: a network that has not learned to end one would go on.
    """
    n_embd = parameters["C"].shape[1]
    block_size = parameters["W1"].shape[0] // n_embd
    names = []
    for _ in range(count):
        context, name = [0] * block_size, ""
        while len(name) < 100:
            logits = predict(parameters, statistics, torch.tensor([context]))
            index = torch.multinomial(F.softmax(logits, 1), 1, generator=rng).item()
            if index == 0:
                break
            name += alphabet[index]
            context = [*context[1:], index]
        names.append(name)
    return names
