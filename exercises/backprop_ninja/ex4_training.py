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
"""  # release: 00ba79e1738d

# Allowed: torch, numpy, math and the like; loops, vmap, helpers and classes of your own.
# Not allowed: autograd in any form, torch.func's derivatives, backward kernels, torch.jit, torch.compile.
# One file: only this one is graded. It imports and reads no other; copy what you need into it.

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
    """dL/dC, dL/dW1, dL/db1, dL/dW2, dL/db2, dL/dbngain, dL/dbnbias, in this order, each of the
    shape of its parameter.

    2 points for each gradient, difficulty 4 of 5, about 15 minutes.
    """
    raise NotImplementedError


# --- training --------------------------------------------------------------------------------


def learning_rate(step, steps):
    """0.1 for the first half of the `steps`, then 0.01: the lecture's decay, at 100,000 of 200,000."""
    return 0.1 if step < steps // 2 else 0.01


def run(gradients, rng, steps=200, n=32, n_hidden=64, n_examples=1000):
    """A short training run: with your gradients the losses must be those that autograd gives.

    `gradients` is called at every step with the tensors of the forward pass, by name, and returns
    the gradients of the seven parameters. Returns the losses, one a step. The examples are gone
    through in a new order in every epoch; the last batch of an epoch is what is left, 8 of 1,000.

    2 points, difficulty 1 of 5, about 5 minutes.
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
