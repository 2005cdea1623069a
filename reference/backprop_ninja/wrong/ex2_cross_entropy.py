"""Wrong answers to exercise 2 that students really write, with the diagnosis that each deserves."""

import torch
import torch.nn.functional as F


def dlogits__no_mean(logits, Yb):
    """constant factor: Too large by a factor n: F.cross_entropy is a mean over the batch, so each \
example has only its share of the loss."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits


def dlogits__no_minus_one(logits, Yb):
    """missing term: The targets Yb do not appear: every logit is pushed down and none is pulled \
up. At each row's target something has to be taken off."""
    return F.softmax(logits, 1) / len(logits)


def dlogits__mean_over_vocab(logits, Yb):
    """constant factor | wrong constant: As if divided by the size of the vocabulary instead of the \
batch: the mean in the loss runs over the examples."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / logits.shape[1]


def dlogits__mean_over_all_entries(logits, Yb):
    """constant factor: Too small by a factor vocab: the loss has one term an example, not one an \
entry of logits."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / logits.numel()


def dlogits__bessel(logits, Yb):
    """constant factor | wrong constant: As if divided by n - 1 instead of n: Bessel's correction \
belongs to a variance, the loss is an ordinary mean."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / (len(logits) - 1)


def dlogits__softmax_over_dim_0(logits, Yb):
    """wrong dim: The softmax runs down the columns, over the examples: the probabilities of each \
row of logits must sum to 1."""
    dlogits = F.softmax(logits, 0)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits)


def dlogits__softmax_over_everything(logits, Yb):
    """wrong dim | summed too much: The softmax runs over the whole batch at once: every row of \
logits is a distribution of its own."""
    dlogits = F.softmax(logits.reshape(-1), 0).reshape(logits.shape)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits)


def dlogits__sign(logits, Yb):
    """sign: The sign is wrong: raising the target's logit lowers the loss, so its gradient must \
be negative and the others positive."""
    return (F.one_hot(Yb, logits.shape[1]) - F.softmax(logits, 1)) / len(logits)


def dlogits__plus_one(logits, Yb):
    """wrong constant | branch factor: The 1 at the targets was added instead of taken off: the \
target is pulled up by as much as all the others are pushed down."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] += 1
    return dlogits / len(logits)


def dlogits__whole_columns(logits, Yb):
    """whole columns: Something is taken off whole columns, those of all targets: row i has only its \
own target Yb[i] (an index [:, Yb] takes every row)."""
    dlogits = F.softmax(logits, 1)
    dlogits[:, Yb] -= 1
    return dlogits / len(logits)


def dlogits__every_entry(logits):
    """whole columns: The 1 was taken off every entry: it belongs only to the target of each row, \
so that the row sums to zero."""
    return (F.softmax(logits, 1) - 1) / len(logits)


def dlogits__log_softmax(logits, Yb):
    """wrong function: Log-probabilities stand where probabilities belong: the gradient pushes \
each logit by its probability."""
    dlogits = F.log_softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits)


def dlogits__sigmoid(logits, Yb):
    """wrong function: Each logit was squashed by itself: the probabilities come from a softmax, \
in which all logits of a row compete."""
    dlogits = torch.sigmoid(logits)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits)


def dlogits__softmax_twice(logits, Yb):
    """wrong function: The softmax was taken twice: F.cross_entropy takes it once, of the raw \
logits."""
    dlogits = F.softmax(F.softmax(logits, 1), 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits)


def dlogits__logits_for_probabilities(logits, Yb):
    """wrong operand: The raw logits stand where their probabilities belong: the softmax is \
missing."""
    return (logits - F.one_hot(Yb, logits.shape[1])) / len(logits)


def dlogits__overwritten_targets(logits, Yb):
    """missing term | overwritten rows: At the targets the probability is lost: something has to \
be taken off what stands there, not put in its place."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] = -1
    return dlogits / len(logits)


def dlogits__only_targets(logits, Yb):
    """missing term | some rows only: Only the targets have a gradient: every other logit is \
pushed down through the normalisation, by its probability."""
    dlogits = torch.zeros_like(logits)
    dlogits[range(len(logits)), Yb] = -1 / len(logits)
    return dlogits


def dlogits__only_target_column(logits, Yb):
    """missing term | some rows only: Right at the targets, zero elsewhere: the other logits of a \
row take part in the normalisation and get their share."""
    onehot = F.one_hot(Yb, logits.shape[1])
    return (F.softmax(logits, 1) - 1) * onehot / len(logits)


def dlogits__undivided_one(logits, Yb):
    """branch factor: Only the probabilities were divided by n: the 1 at the targets belongs \
inside the mean too."""
    dlogits = F.softmax(logits, 1) / len(logits)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits


def dlogits__undivided_probabilities(logits, Yb):
    """branch factor: Only the 1 at the targets was divided by n: the probabilities belong inside \
the mean too."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1 / len(logits)
    return dlogits


def dlogits__diagonal_only(logits, Yb):
    """wrong function | missing term: This is the slope of each probability with respect to its \
own logit: the loss sees the target's probability, and all logits of the row move it."""
    probs = F.softmax(logits, 1)
    return probs * (1 - probs) / len(logits)


def dlogits__wrong_target(logits):
    """wrong operand: The 1 was taken off at the most likely character: it belongs to the one that \
really came, in Yb."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), logits.argmax(1)] -= 1
    return dlogits / len(logits)


def dlogits__first_example_only(logits, Yb):
    """some rows only: The target was taken into account in the first row only: every example has \
its own."""
    dlogits = F.softmax(logits, 1)
    dlogits[0, Yb[0]] -= 1
    return dlogits / len(logits)


def dlogits__times_loss(logits, Yb):
    """extra factor: The loss itself is a factor too many: the gradient of the loss with respect \
to itself is 1."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / len(logits) * F.cross_entropy(logits, Yb)


def dlogits__zeros(logits):
    """zeros: It is zero everywhere: the loss depends on every logit."""
    return torch.zeros_like(logits)


def dlogits__transposed(logits, Yb):
    """transposed: The result lies on its side: logits has one row an example, this has one column \
an example."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return (dlogits / len(logits)).T


def dlogits__summed(logits, Yb):
    """summed too much: Summed over the examples: each row of logits has its own gradient; the sum \
over the batch comes later, for b2."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits.mean(0)


def dlogits__targets_not_one_hot(logits, Yb):
    """error: Yb itself was subtracted: it holds the numbers of the target columns, one an \
example, and does not line up with the columns of logits."""
    return (F.softmax(logits, 1) - Yb) / len(logits)


def dlogits__hard_coded_batch(logits, Yb):
    """hard-coded size: Right for a batch of 32 only: the number of examples is written out \
instead of taken from logits."""
    dlogits = F.softmax(logits, 1)
    dlogits[range(len(logits)), Yb] -= 1
    return dlogits / 32


def dlogits__hard_coded_vocab(logits, Yb):
    """hard-coded size: Right for a vocabulary of 27 only: the number of columns is written out \
instead of taken from logits."""
    return (F.softmax(logits, 1) - F.one_hot(Yb, 27)) / len(logits)
