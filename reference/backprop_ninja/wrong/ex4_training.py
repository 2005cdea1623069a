"""Wrong answers to exercise 4 that students really write, with the diagnosis that each deserves.

The right layers come first, then one backward pass after another with one of them exchanged.
A mistake spoils all gradients that come after it on the way back, so several causes may be named.
"""

from collections import namedtuple

import torch
import torch.nn.functional as F


def _cross_entropy(v):
    dlogits = F.softmax(v.logits, 1)
    dlogits[torch.arange(len(v.Yb)), v.Yb] -= 1
    return dlogits / len(v.Yb)


def _linear2(v, dlogits):
    return dlogits @ v.W2.T, v.h.T @ dlogits, dlogits.sum(0)


def _tanh(v, dh):
    return (1 - v.h**2) * dh


def _scale_and_shift(v, dhpreact):
    return (v.bnraw * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)


def _normalise(v, dhpreact):
    n = len(dhpreact)
    slope = (v.bnraw * dhpreact).sum(0) / (n - 1)
    return v.bngain * v.bnvar_inv * (dhpreact - dhpreact.mean(0) - v.bnraw * slope)


def _linear1(v, dhprebn):
    return dhprebn @ v.W1.T, v.embcat.T @ dhprebn, dhprebn.sum(0)


def _embedding(v, dembcat):
    dC = torch.zeros_like(v.C)
    return dC.index_add_(0, v.Xb.flatten(), dembcat.reshape(v.Xb.numel(), -1))


def _backward(
    given,
    cross_entropy=_cross_entropy,
    linear2=_linear2,
    tanh=_tanh,
    scale_and_shift=_scale_and_shift,
    normalise=_normalise,
    linear1=_linear1,
    embedding=_embedding,
):
    """The right backward pass, but for the layers that are given."""
    v = namedtuple("Values", given)(**given)
    dh, dW2, db2 = linear2(v, cross_entropy(v))
    dhpreact = tanh(v, dh)
    dbngain, dbnbias = scale_and_shift(v, dhpreact)
    dembcat, dW1, db1 = linear1(v, normalise(v, dhpreact))
    return embedding(v, dembcat), dW1, db1, dW2, db2, dbngain, dbnbias


def backward__order_of_the_way_back(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong order | wrong target | zeros: The gradients are returned in the order in which they were \
computed: the training loop takes them in the order of the parameters, C first."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dW2, db2, dbngain, dbnbias, dW1, db1, dC


def backward__C_last(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong order | wrong target: The gradient of C is returned last: C is the first parameter, and every \
other gradient has moved up one place."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dW1, db1, dW2, db2, dbngain, dbnbias, dC


def backward__layers_swapped(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong order | wrong target: The two linear layers have changed places: W1 and b1 come before W2 and b2."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dC, dW2, db2, dW1, db1, dbngain, dbnbias


def backward__weights_and_biases_swapped(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong order | wrong target | not summed: Weights and biases have changed places: the order is \
C, W1, b1, W2, b2, bngain, bnbias."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dC, db1, dW1, db2, dW2, dbngain, dbnbias


def backward__gain_and_bias_swapped(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong order | wrong target: The gradients of bngain and bnbias have changed places: the gain comes \
first."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dC, dW1, db1, dW2, db2, dbnbias, dbngain


def backward__negated(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """sign: The sign is wrong: it is minus the gradient. The training loop subtracts what is returned; return \
the gradient, not the step."""
    return [-g for g in _backward(locals())]


def backward__learning_rate_inside(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: It is -0.1 times the gradient, like a step of the training: the learning rate and the \
minus belong to the training loop."""
    return [-0.1 * g for g in _backward(locals())]


def backward__no_mean(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: Too large by a factor n: F.cross_entropy is a mean over the batch, so each example has \
only its share of the loss."""

    def cross_entropy(v):
        return F.softmax(v.logits, 1) - F.one_hot(v.Yb, v.logits.shape[1])

    return _backward(locals(), cross_entropy)


def backward__mean_over_vocab(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: It is n/vocab times the gradient, as if dlogits were divided by the size of the \
vocabulary instead of the batch: the mean in the loss runs over the examples."""

    def cross_entropy(v):
        return _cross_entropy(v) * len(v.Yb) / v.logits.shape[1]

    return _backward(locals(), cross_entropy)


def backward__no_minus_one(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing term: It comes from a dlogits in which the targets Yb are missing: dlogits is the softmax minus \
one at the target of each row, over n."""

    def cross_entropy(v):
        return F.softmax(v.logits, 1) / len(v.Yb)

    return _backward(locals(), cross_entropy)


def backward__softmax_over_dim_0(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong dim: It comes from a dlogits whose softmax runs down the columns, over the examples: the \
probabilities of each row of logits must sum to 1."""

    def cross_entropy(v):
        return (F.softmax(v.logits, 0) - F.one_hot(v.Yb, v.logits.shape[1])) / len(v.Yb)

    return _backward(locals(), cross_entropy)


def backward__whole_columns(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """whole columns: It comes from a dlogits where something is taken off whole columns, those of all targets: \
row i has only its own target Yb[i]."""

    def cross_entropy(v):
        dlogits = F.softmax(v.logits, 1)
        dlogits[:, v.Yb] -= 1
        return dlogits / len(v.Yb)

    return _backward(locals(), cross_entropy)


def backward__overflow(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """not finite: The exponentials of large logits overflow: take off the row's maximum first, or use \
F.softmax, which does."""

    def cross_entropy(v):
        probs = v.logits.exp() / v.logits.exp().sum(1, keepdim=True)
        return (probs - F.one_hot(v.Yb, v.logits.shape[1])) / len(v.Yb)

    return _backward(locals(), cross_entropy)


def backward__hard_coded_mean(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """hard-coded size: The mean of the loss is right for a batch of 32 only: the last batch of an epoch is \
smaller, so take n from the batch."""

    def cross_entropy(v):
        return _cross_entropy(v) * len(v.Yb) / 32

    return _backward(locals(), cross_entropy)


def backward__dW2_transposed(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """transposed: The gradient of W2 is transposed: its shape is that of W2, (n_hidden, vocab)."""

    def linear2(v, dlogits):
        return dlogits @ v.W2.T, dlogits.T @ v.h, dlogits.sum(0)

    return _backward(locals(), linear2=linear2)


def backward__dW2_of_hpreact(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, hpreact):
    """wrong operand: In dW2 hpreact stands where h belongs: the input of linear 2 is what comes out of \
tanh."""

    def linear2(v, dlogits):
        return dlogits @ v.W2.T, v.hpreact.T @ dlogits, dlogits.sum(0)

    return _backward(locals(), linear2=linear2)


def backward__W2_not_transposed(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """error: dh multiplies with W2 as it is: on the way back the weights are transposed."""

    def linear2(v, dlogits):
        return dlogits @ v.W2, v.h.T @ dlogits, dlogits.sum(0)

    return _backward(locals(), linear2=linear2)


def backward__biases_mean(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: A mean stands where a sum belongs: a bias is added to every example, and the \
contributions add up."""

    def linear2(v, dlogits):
        return dlogits @ v.W2.T, v.h.T @ dlogits, dlogits.mean(0)

    return _backward(locals(), linear2=linear2)


def backward__db2_over_dim_1(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong shape | wrong dim: Summed over the characters: sum over the batch, dimension 0. (Each row of \
dlogits sums to zero.)"""

    def linear2(v, dlogits):
        return dlogits @ v.W2.T, v.h.T @ dlogits, dlogits.sum(1)

    return _backward(locals(), linear2=linear2)


def backward__db2_not_summed(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """not summed: Not summed: b2 was broadcast over the batch, so its gradient is summed over it."""

    def linear2(v, dlogits):
        return dlogits @ v.W2.T, v.h.T @ dlogits, dlogits

    return _backward(locals(), linear2=linear2)


def backward__no_tanh(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing factor | upstream passed through: tanh is missing on the way back to it: what arrives at h went \
on without the slope of tanh."""

    def tanh(v, dh):
        return dh

    return _backward(locals(), tanh=tanh)


def backward__tanh_not_squared(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong exponent: It comes from a slope of tanh in which h is not squared: the slope is one minus the \
square of the output."""

    def tanh(v, dh):
        return (1 - v.h) * dh

    return _backward(locals(), tanh=tanh)


def backward__tanh_of_input(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, hpreact):
    """wrong operand: It comes from a slope of tanh taken from its input: one minus the square holds for the \
output, h."""

    def tanh(v, dh):
        return (1 - v.hpreact**2) * dh

    return _backward(locals(), tanh=tanh)


def backward__tanh_twice(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """extra function: It comes from a slope of tanh with a tanh too many: h is the output of tanh already."""

    def tanh(v, dh):
        return (1 - torch.tanh(v.h) ** 2) * dh

    return _backward(locals(), tanh=tanh)


def backward__tanh_slope_twice(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """extra factor: It comes from a backward pass with the slope of tanh in it twice."""

    def tanh(v, dh):
        return (1 - v.h**2) ** 2 * dh

    return _backward(locals(), tanh=tanh)


def backward__gain_before_tanh(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong upstream | upstream passed through: It is computed from dh: go back through tanh first, what \
arrives here is dhpreact."""

    def scale_and_shift(v, dhpreact):
        dh = _cross_entropy(v) @ v.W2.T
        return (v.bnraw * dh).sum(0, keepdim=True), dh.sum(0, keepdim=True)

    return _backward(locals(), scale_and_shift=scale_and_shift)


def backward__gain_of_hprebn(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, hprebn):
    """wrong operand: In dbngain hprebn stands where bnraw belongs: the gain multiplies the normalized \
values."""

    def scale_and_shift(v, dhpreact):
        return (v.hprebn * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)

    return _backward(locals(), scale_and_shift=scale_and_shift)


def backward__gain_without_bnraw(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing factor | wrong target: In dbngain the factor bnraw is missing: the gain multiplies the \
normalized values, so they are its slope."""

    def scale_and_shift(v, dhpreact):
        return dhpreact.sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)

    return _backward(locals(), scale_and_shift=scale_and_shift)


def backward__gain_not_summed(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """not summed: Not summed: it was broadcast over the batch, so its gradient is summed over it."""

    def scale_and_shift(v, dhpreact):
        return v.bnraw * dhpreact, dhpreact

    return _backward(locals(), scale_and_shift=scale_and_shift)


def backward__gain_mean(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: A mean stands where a sum belongs: it acts on every example, and the contributions add \
up."""

    def scale_and_shift(v, dhpreact):
        return (v.bnraw * dhpreact).mean(0, keepdim=True), dhpreact.mean(0, keepdim=True)

    return _backward(locals(), scale_and_shift=scale_and_shift)


def backward__statistics_constant(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing branch: Batch norm's mean and variance were treated as constants: both are computed from \
hprebn, so each entry of hprebn also acts through them."""

    def normalise(v, dhpreact):
        return v.bngain * v.bnvar_inv * dhpreact

    return _backward(locals(), normalise=normalise)


def backward__variance_constant(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing branch: In batch norm the path through the variance is missing: moving one entry of hprebn \
also changes bnvar_inv, and with it the whole column."""

    def normalise(v, dhpreact):
        return v.bngain * v.bnvar_inv * (dhpreact - dhpreact.mean(0))

    return _backward(locals(), normalise=normalise)


def backward__mean_constant(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing branch: In batch norm the path through the mean is missing: moving one entry of hprebn also moves \
bnmean, which is subtracted from the whole column."""

    def normalise(v, dhpreact):
        slope = (v.bnraw * dhpreact).sum(0) / (len(dhpreact) - 1)
        return v.bngain * v.bnvar_inv * (dhpreact - v.bnraw * slope)

    return _backward(locals(), normalise=normalise)


def backward__no_bessel(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong constant | branch factor: In batch norm the path through the variance is (n - 1)/n times what it \
should be, as if divided by n: this variance has Bessel's correction, n - 1."""

    def normalise(v, dhpreact):
        slope = (v.bnraw * dhpreact).mean(0)
        return v.bngain * v.bnvar_inv * (dhpreact - dhpreact.mean(0) - v.bnraw * slope)

    return _backward(locals(), normalise=normalise)


def backward__no_gain(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing factor | upstream passed through: The factor bngain is missing from dhprebn: bnraw is scaled by \
it on the way to hpreact."""

    def normalise(v, dhpreact):
        return _normalise(v, dhpreact) / v.bngain

    return _backward(locals(), normalise=normalise)


def backward__no_deviation(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing factor: The factor bnvar_inv is missing from dhprebn: the differences from the mean are \
divided by the standard deviation."""

    def normalise(v, dhpreact):
        return _normalise(v, dhpreact) / v.bnvar_inv

    return _backward(locals(), normalise=normalise)


def backward__batchnorm_sign(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """branch factor: In batch norm the path through the variance has the wrong sign: more variance means a \
smaller bnvar_inv, so it shrinks the output."""

    def normalise(v, dhpreact):
        slope = (v.bnraw * dhpreact).sum(0) / (len(dhpreact) - 1)
        return v.bngain * v.bnvar_inv * (dhpreact - dhpreact.mean(0) + v.bnraw * slope)

    return _backward(locals(), normalise=normalise)


def backward__no_epsilon(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, bnvar):
    """missing epsilon | extreme values: It comes from a standard deviation without batch norm's epsilon: \
bnvar_inv has it inside."""
    bnvar_inv = bnvar**-0.5
    return _backward(locals())


def backward__hard_coded_batchnorm(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """hard-coded size: In batch norm n is right for a batch of 32 only: the last batch of an epoch is \
smaller, so take n from the batch."""

    def normalise(v, dhpreact):
        slope = (v.bnraw * dhpreact).sum(0) / 31
        return v.bngain * v.bnvar_inv * (dhpreact - dhpreact.sum(0) / 32 - v.bnraw * slope)

    return _backward(locals(), normalise=normalise)


def backward__batchnorm_skipped(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong upstream | upstream passed through | wrong target: Batch norm is missing on the way back to it: \
what arrives at linear 1 is dhprebn, and this comes from dhpreact."""

    def normalise(v, dhpreact):
        return dhpreact

    return _backward(locals(), normalise=normalise)


def backward__dW1_of_dhpreact(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong upstream | upstream passed through: dW1 was computed from dhpreact: what arrives at linear 1 is \
dhprebn, on the other side of batch norm."""

    def linear1(v, dhprebn):
        dhpreact = _tanh(v, _cross_entropy(v) @ v.W2.T)
        return dhprebn @ v.W1.T, v.embcat.T @ dhpreact, dhprebn.sum(0)

    return _backward(locals(), linear1=linear1)


def backward__dW1_transposed(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """transposed: The gradient of W1 is transposed: its shape is that of W1, (block_size * n_embd, \
n_hidden)."""

    def linear1(v, dhprebn):
        return dhprebn @ v.W1.T, dhprebn.T @ v.embcat, dhprebn.sum(0)

    return _backward(locals(), linear1=linear1)


def backward__dC_buffered(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """overwritten rows: Rows of C that were looked up more than once keep a single contribution: all \
contributions to a row add up (indexing with a tensor and += writes each row only once)."""

    def embedding(v, dembcat):
        dC = torch.zeros_like(v.C)
        dC[v.Xb] += dembcat.view(v.emb.shape)
        return dC

    return _backward(locals(), embedding=embedding)


def backward__dC_first_position(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing branch: Only the first of the letters read reached C: every position looks up a row of it."""

    def embedding(v, dembcat):
        demb = dembcat.view(v.emb.shape)
        return torch.zeros_like(v.C).index_add_(0, v.Xb[:, 0], demb[:, 0])

    return _backward(locals(), embedding=embedding)


def backward__dC_last_position(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """missing branch: Only the last of the letters read reached C: every position looks up a row of it, and all \
contributions add up."""

    def embedding(v, dembcat):
        demb = dembcat.view(v.emb.shape)
        for t in range(v.Xb.shape[1]):
            dC = torch.zeros_like(v.C)
            dC.index_add_(0, v.Xb[:, t], demb[:, t])
        return dC

    return _backward(locals(), embedding=embedding)


def backward__dC_out_of_step(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong rows: dembcat and Xb are out of step: the entries of a row of embcat are grouped by position, \
then by coordinate."""

    def embedding(v, dembcat):
        demb = dembcat.view(len(v.Xb), -1, v.Xb.shape[1]).transpose(1, 2)
        return torch.zeros_like(v.C).index_add_(0, v.Xb.flatten(), demb.flatten(0, 1))

    return _backward(locals(), embedding=embedding)


def backward__dC_transposed_indices(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """wrong rows: Xb was flattened position by position, demb example by example: the gradients reach the \
wrong rows."""

    def embedding(v, dembcat):
        demb = dembcat.view(v.emb.shape)
        return torch.zeros_like(v.C).index_add_(0, v.Xb.T.flatten(), demb.flatten(0, 1))

    return _backward(locals(), embedding=embedding)


def backward__dC_mean(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """constant factor: Too small by a factor block_size: the contributions of the positions add up, they are \
not averaged."""

    def embedding(v, dembcat):
        return _embedding(v, dembcat) / v.Xb.shape[1]

    return _backward(locals(), embedding=embedding)


def backward__six_gradients(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """error: One gradient is missing: seven are returned, one a parameter."""
    dC, dW1, db1, dW2, db2, dbngain, dbnbias = _backward(locals())
    return dC, dW1, dW2, db2, dbngain, dbnbias


def backward__autograd(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, b1, b2, bnbias, loss):
    """error: Autograd has nothing to go back through: the forward pass ran without recording. The backward \
pass is yours here."""
    loss.backward()
    return [p.grad for p in (C, W1, b1, W2, b2, bngain, bnbias)]


def backward__grad_attributes(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb, b1, b2, bnbias):
    """error: There is no .grad without autograd, it is None: return the gradients that you have computed."""
    _backward(locals())
    return [p.grad for p in (C, W1, b1, W2, b2, bngain, bnbias)]


def backward__h_in_place(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """error: h was changed in place: the tensors of the forward pass are needed again."""

    def tanh(v, dh):
        return v.h.square_().neg_().add_(1) * dh

    return _backward(locals(), tanh=tanh)
