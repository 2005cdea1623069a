"""Wrong answers to exercise 1 that students really write, with the diagnosis that each deserves."""

import torch
import torch.nn.functional as F

# --- cross-entropy ---


def dlogprobs__no_mean(logprobs, Yb, n):
    """constant factor: Too large by a factor n: the loss is a mean over the batch, so each target \
has only its share of it."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0
    return dlogprobs


def dlogprobs__no_minus(logprobs, Yb, n):
    """sign: The sign is wrong: the loss is the negative mean of logprobs, so it falls when a \
target's logprobs entry rises."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = 1.0 / n
    return dlogprobs


def dlogprobs__every_entry(logprobs, n):
    """whole columns: Every entry of logprobs got a gradient, but the loss picks only one entry a \
row, the one at Yb; the others do not touch it."""
    return -torch.ones_like(logprobs) / n


def dlogprobs__whole_columns(logprobs, Yb, n):
    """whole columns: Whole columns are filled, those of all targets: row i has only its own target \
Yb[i] (an index [:, Yb] takes every row)."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[:, Yb] = -1.0 / n
    return dlogprobs


def dlogprobs__mean_over_all_entries(logprobs, Yb, n):
    """constant factor: Too small by a factor vocab: the mean is taken over the n picked entries, \
not over all entries of logprobs."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / logprobs.numel()
    return dlogprobs


def dlogprobs__mean_over_vocab(logprobs, Yb, n):
    """constant factor | wrong constant: As if divided by the size of the vocabulary instead of n: \
the mean in the loss runs over the examples of the batch."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / logprobs.shape[1]
    return dlogprobs


def dlogprobs__bessel(logprobs, Yb, n):
    """constant factor | wrong constant: As if divided by n - 1 instead of n: Bessel's correction \
belongs to the variance, the loss is an ordinary mean."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / (n - 1)
    return dlogprobs


def dlogprobs__times_logprobs(logprobs, Yb, n):
    """extra factor: A factor logprobs too many: the loss is linear in the picked logprobs, so \
their own values do not appear in the gradient."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -logprobs[range(n), Yb] / n
    return dlogprobs


def dlogprobs__first_example_only(logprobs, Yb, n):
    """some rows only: Only the first row of logprobs has a gradient, but every example of the \
batch takes part in the loss."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[0, Yb[0]] = -1.0 / n
    return dlogprobs


def dlogprobs__hard_coded_batch(logprobs, Yb, n):
    """hard-coded size: Right for a batch of 32 only: the number of examples is written out where \
n belongs."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / 32
    return dlogprobs


def dlogprobs__hard_coded_shape(logprobs, Yb, n):
    """hard-coded size: Right for 32 rows and 27 columns only: the sizes are written out instead \
of taken from logprobs."""
    dlogprobs = torch.zeros((32, 27), dtype=logprobs.dtype)
    dlogprobs[range(n), Yb] = -1.0 / n
    return dlogprobs


def dlogprobs__swapped_indices(logprobs, Yb, n):
    """error | transposed: Rows and columns are swapped in the index: the example number comes \
first in logprobs, the target Yb second."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[Yb, range(n)] = -1.0 / n
    return dlogprobs


def dprobs__times_probs(probs, dlogprobs):
    """wrong exponent | wrong function | wrong operand: Multiplied by probs instead of divided: \
the slope of the logarithm is steep where probs is small."""
    return probs * dlogprobs


def dprobs__upstream_missing(probs):
    """upstream missing: dlogprobs is not used: this is the slope of the logarithm alone, and the \
chain rule multiplies it by what arrives from above."""
    return 1.0 / probs


def dprobs__passed_through(dlogprobs):
    """upstream passed through: dlogprobs is returned unchanged: the logarithm between probs and \
logprobs has a slope of its own, and it is missing."""
    return dlogprobs.clone()


def dprobs__sign(probs, dlogprobs):
    """sign: The sign is wrong: the logarithm rises with probs; the minus of the loss has been \
counted in dlogprobs already."""
    return -dlogprobs / probs


def dprobs__divided_by_logprobs(logprobs, dlogprobs):
    """wrong operand: Divided by logprobs, the result of the logarithm; its slope depends on what \
went in, probs."""
    return dlogprobs / logprobs


def dprobs__times_logprobs(logprobs, dlogprobs):
    """wrong function | wrong operand: Multiplied by the logarithm itself: only exp is its own \
derivative, the logarithm has a different one."""
    return dlogprobs * logprobs


def dprobs__squared(probs, dlogprobs):
    """wrong exponent | extra factor | missing factor: A factor probs too many in the \
denominator: the square \
belongs to the slope of a power of -1, not to that of the logarithm."""
    return dlogprobs / probs**2


def dprobs__upside_down(probs, dlogprobs):
    """wrong function | wrong exponent | wrong operand: The fraction is upside down: the upstream \
gradient dlogprobs is always a factor, it never stands in a denominator."""
    return probs / dlogprobs


def dprobs__divided_by_masked(probs, Yb, dlogprobs):
    """not finite: Infinite or not a number: something was divided by zero. Was probs set to zero \
off the targets? dlogprobs says by itself which entries count."""
    return dlogprobs / (F.one_hot(Yb, probs.shape[1]) * probs)


def dcounts_sum_inv__not_summed(counts, dprobs):
    """not summed: counts_sum_inv has one number a row, which was broadcast over all columns of \
counts; what comes back from the columns has to be summed."""
    return counts * dprobs


def dcounts_sum_inv__over_dim_0(counts, dprobs):
    """wrong dim: Summed over the examples instead of the columns: counts_sum_inv has one number \
for each row, and rows never mix here."""
    return (counts * dprobs).sum(0, keepdim=True)


def dcounts_sum_inv__summed_all(counts, dprobs):
    """summed too much: Everything is summed to one number, but counts_sum_inv has one number for \
each row: sum over the columns only."""
    return (counts * dprobs).sum()


def dcounts_sum_inv__no_counts(dprobs):
    """missing factor: The factor counts is missing: in the product that makes probs, the slope \
with respect to one factor is the other one."""
    return dprobs.sum(1, keepdim=True)


def dcounts_sum_inv__mean(counts, dprobs):
    """constant factor: A mean where a sum belongs: each column of the row contributes in full to \
the gradient of counts_sum_inv."""
    return (counts * dprobs).mean(1, keepdim=True)


def dcounts_sum_inv__upstream_missing(counts):
    """upstream missing: dprobs is not used: the slope counts has to be multiplied by what arrives \
from above before it is summed."""
    return counts.sum(1, keepdim=True)


def dcounts_sum_inv__probs(probs, dprobs):
    """wrong operand | extra factor: probs stands where counts belongs: probs is the product, the \
other factor of that product is counts."""
    return (probs * dprobs).sum(1, keepdim=True)


def dcounts_sum_inv__product_of_sums(counts, dprobs):
    """wrong operand: Both tensors were summed before they were multiplied: each entry of dprobs \
belongs to its own entry of counts, not to counts_sum."""
    return counts.sum(1, keepdim=True) * dprobs.sum(1, keepdim=True)


def dcounts_sum_inv__hard_coded_batch(counts, dprobs):
    """hard-coded size: Right for a batch of 32 only: the number of rows is written out instead of \
taken from counts."""
    return (counts * dprobs).sum(1).view(32, 1)


def dcounts_sum__no_minus(counts_sum, dcounts_sum_inv):
    """sign: The sign is wrong: when counts_sum grows, its inverse counts_sum_inv falls."""
    return counts_sum**-2 * dcounts_sum_inv


def dcounts_sum__minus_inside(counts_sum, dcounts_sum_inv):
    """sign: The sign is wrong: when counts_sum grows, its inverse falls. (A minus inside the \
brackets of an even power is swallowed.)"""
    return (-counts_sum) ** -2 * dcounts_sum_inv


def dcounts_sum__power_minus_one(counts_sum, dcounts_sum_inv):
    """wrong exponent | missing factor: The exponent is off by one: differentiating a power lowers \
the exponent of counts_sum by one."""
    return -(counts_sum**-1) * dcounts_sum_inv


def dcounts_sum__power_zero(dcounts_sum_inv):
    """wrong exponent | missing factor | upstream passed through: The power of counts_sum is \
missing: what is left is minus dcounts_sum_inv, as if the exponent -1 had become 0; the slope \
lowers it by one."""
    return -dcounts_sum_inv


def dcounts_sum__upstream_missing(counts_sum):
    """upstream missing: dcounts_sum_inv is not used: the slope of the inverse has to be \
multiplied by what arrives from above."""
    return -(counts_sum**-2)


def dcounts_sum__passed_through(dcounts_sum_inv):
    """upstream passed through: dcounts_sum_inv is returned unchanged: the power between \
counts_sum and counts_sum_inv has a slope of its own."""
    return dcounts_sum_inv.clone()


def dcounts_sum__upstream_squared(counts_sum, dcounts_sum_inv):
    """upstream twice: dcounts_sum_inv enters squared: the power belongs to counts_sum alone, an \
upstream gradient enters once. (Is it inside the brackets?)"""
    return -((dcounts_sum_inv / counts_sum) ** 2)


def dcounts_sum__log(counts_sum, dcounts_sum_inv):
    """wrong function: This is the antiderivative of a power of -1, a logarithm, where its \
derivative is asked for."""
    return torch.log(counts_sum) * dcounts_sum_inv


def dcounts_sum__power_of_the_inverse(counts_sum_inv, dcounts_sum_inv):
    """wrong operand | wrong exponent: The negative power was taken of counts_sum_inv, which is an \
inverse already; so the slope grows with counts_sum instead of falling."""
    return -(counts_sum_inv**-2) * dcounts_sum_inv


def dcounts__only_probs_branch(counts_sum_inv, dprobs):
    """missing branch: Only the path through probs arrived: counts is used a second time, in \
counts_sum, and gradients of several uses add up."""
    return counts_sum_inv * dprobs


def dcounts__only_sum_branch(counts, dcounts_sum):
    """missing branch: Only the path through counts_sum arrived: counts is also a factor of probs, \
and gradients of several uses add up."""
    return torch.ones_like(counts) * dcounts_sum


def dcounts__overwritten(counts, counts_sum_inv, dprobs, dcounts_sum):
    """missing branch: Only the path through counts_sum arrived: what came through probs is lost. \
The second path must be added to the first, not replace it."""
    dcounts = counts_sum_inv * dprobs
    dcounts = dcounts_sum.expand_as(dcounts)
    return dcounts


def dcounts__sum_branch_sign(counts_sum_inv, dprobs, dcounts_sum):
    """branch factor: The path through counts_sum has the wrong sign: a sum passes on what arrives \
as it is; the minus of the inverse is in dcounts_sum already."""
    return counts_sum_inv * dprobs - dcounts_sum


def dcounts__sum_branch_mean(counts, counts_sum_inv, dprobs, dcounts_sum):
    """branch factor: The path through counts_sum was divided by the number of columns: counts_sum \
is a sum and not a mean, each entry gets dcounts_sum in full."""
    return counts_sum_inv * dprobs + dcounts_sum / counts.shape[1]


def dcounts__probs_branch_twice(counts_sum_inv, dprobs, dcounts_sum):
    """doubled branch: The path through probs was added twice: counts is used once in probs and \
once in counts_sum."""
    dcounts = counts_sum_inv * dprobs
    dcounts += counts_sum_inv * dprobs + dcounts_sum
    return dcounts


def dcounts__no_counts_sum_inv(dprobs, dcounts_sum):
    """missing factor: On the path through probs a factor is missing: counts is multiplied by \
counts_sum_inv there."""
    return dprobs + dcounts_sum


def dcounts__sum_branch_times_counts(counts, counts_sum_inv, dprobs, dcounts_sum):
    """extra factor: On the path through counts_sum a factor counts is too many: the slope of a \
sum is 1 for each of its terms, whatever their values."""
    return counts_sum_inv * dprobs + counts * dcounts_sum


def dcounts__sum_for_inverse(counts_sum, dprobs, dcounts_sum):
    """wrong operand | wrong exponent: On the path through probs counts_sum stands where its \
inverse belongs: probs is counts times counts_sum_inv."""
    return counts_sum * dprobs + dcounts_sum


def dcounts__branches_multiplied(counts_sum_inv, dprobs, dcounts_sum):
    """wrong function | extra factor | upstream twice: The two paths were multiplied: along one \
path slopes multiply, but the contributions of different paths add up."""
    return counts_sum_inv * dprobs * dcounts_sum


def dcounts__sum_branch_without_upstream(counts, counts_sum_inv, dprobs):
    """upstream missing: On the path through counts_sum the slope 1 stands alone: dcounts_sum, \
which arrives from above, was not multiplied in."""
    return counts_sum_inv * dprobs + torch.ones_like(counts)


def dcounts__sum_branch_squeezed(counts_sum_inv, dprobs, dcounts_sum):
    """error | wrong dim: dcounts_sum lost its dimension of size 1, so broadcasting lines it up \
with the columns instead of the rows."""
    return counts_sum_inv * dprobs + dcounts_sum.squeeze(1)


def dcounts__hard_coded_expand(counts_sum_inv, dprobs, dcounts_sum):
    """hard-coded size: Right for 32 rows and 27 columns only: the shape to spread dcounts_sum \
over is written out instead of taken from counts."""
    return counts_sum_inv * dprobs + dcounts_sum.expand(32, 27)


def dnorm_logits__passed_through(dcounts):
    """upstream passed through | missing factor: dcounts is returned unchanged: the exponential \
between norm_logits and counts has a slope of its own, and it is missing."""
    return dcounts.clone()


def dnorm_logits__upstream_missing(counts):
    """upstream missing: dcounts is not used: this is the slope of the exponential alone, and the \
chain rule multiplies it by what arrives from above."""
    return counts.clone()


def dnorm_logits__times_norm_logits(norm_logits, dcounts):
    """wrong operand: norm_logits stands where the exponential's slope belongs: the slope of exp \
is its result, not what went in."""
    return norm_logits * dcounts


def dnorm_logits__divided_by_norm_logits(norm_logits, dcounts):
    """not finite | wrong function | wrong operand: Not finite: norm_logits is zero at each row's \
maximum, so nothing can be divided by it. Dividing is the logarithm's rule; counts comes from an \
exponential."""
    return dcounts / norm_logits


def dnorm_logits__divided_by_counts(counts, dcounts):
    """wrong exponent | wrong function | wrong operand: Divided by counts instead of multiplied: \
the exponential is steep where counts is large."""
    return dcounts / counts


def dnorm_logits__exp_twice(counts, dcounts):
    """wrong function | wrong operand: The exponential was taken twice: counts is already the \
result of exp."""
    return torch.exp(counts) * dcounts


def dnorm_logits__power_rule(norm_logits, dcounts):
    """wrong function: The power rule was used on an exponential: here the exponent varies and not \
the base."""
    return norm_logits * torch.exp(norm_logits - 1) * dcounts


def dnorm_logits__probs(probs, dcounts):
    """wrong operand | extra factor: probs stands where counts belongs: at this step nothing has \
been divided by counts_sum yet."""
    return probs * dcounts


def dnorm_logits__exp_of_logits(logits, dcounts):
    """wrong operand | wrong function: The exponential of logits stands where that of norm_logits \
belongs: each row's maximum was subtracted before exp was taken."""
    return torch.exp(logits) * dcounts


def dnorm_logits__summed(counts, dcounts):
    """summed too much: Summed over the columns although nothing was broadcast: exp acts on each \
entry by itself, so the shape stays that of norm_logits."""
    return (counts * dcounts).sum(1, keepdim=True)


def dlogit_maxes__zeros(logit_maxes):
    """zeros: It is zero everywhere. In the whole chain it does come out as zero up to rounding, but \
that has to follow from dnorm_logits, not be assumed."""
    return torch.zeros_like(logit_maxes)


def dlogit_maxes__sign(dnorm_logits):
    """sign: The sign is wrong: logit_maxes is subtracted in norm_logits."""
    return dnorm_logits.sum(1, keepdim=True)


def dlogit_maxes__not_summed(dnorm_logits):
    """not summed: logit_maxes has one number a row, which was subtracted from every column; what \
comes back from the columns has to be summed."""
    return -dnorm_logits


def dlogit_maxes__over_dim_0(dnorm_logits):
    """wrong dim: Summed over the examples instead of the columns: logit_maxes has one number for \
each row."""
    return -dnorm_logits.sum(0, keepdim=True)


def dlogit_maxes__mean(dnorm_logits):
    """constant factor: A mean where a sum belongs: logit_maxes was subtracted in full from every \
column of its row."""
    return -dnorm_logits.mean(1, keepdim=True)


def dlogit_maxes__summed_all(dnorm_logits):
    """summed too much: Everything is summed to one number, but logit_maxes has one number for \
each row: sum over the columns only."""
    return -dnorm_logits.sum()


def dlogit_maxes__only_at_the_maximum(norm_logits, dnorm_logits):
    """missing term | not summed | some rows only: Only the maximal entry of each row was counted: \
where logit_maxes came from matters for dlogits, here it counts that it was subtracted from every \
column."""
    return -dnorm_logits.gather(1, norm_logits.argmax(1, keepdim=True))


def dlogit_maxes__max_for_sum(dnorm_logits):
    """wrong function: The largest entry of dnorm_logits was taken instead of the sum: the maximum \
belongs to the forward pass, a broadcast goes back as a sum."""
    return -dnorm_logits.max(1, keepdim=True).values


def dlogit_maxes__upstream_missing(norm_logits):
    """upstream missing: dnorm_logits is not used: the slope -1 was summed over the columns \
without being multiplied by what arrives from above."""
    return -torch.ones_like(norm_logits).sum(1, keepdim=True)


def dlogit_maxes__times_norm_logits(norm_logits, dnorm_logits):
    """extra factor: A factor norm_logits too many: the slope of a difference is constant and does \
not depend on the values."""
    return -(norm_logits * dnorm_logits).sum(1, keepdim=True)


def dlogits__no_max_branch(dnorm_logits):
    """missing branch | upstream passed through: Only the path through norm_logits arrived: logits \
is also where logit_maxes comes from, and that path was left out."""
    return dnorm_logits.clone()


def dlogits__only_max_branch(logits, dlogit_maxes):
    """missing branch: Only the path through logit_maxes arrived: logits also goes straight into \
norm_logits."""
    return F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes


def dlogits__max_on_all_columns(dnorm_logits, dlogit_maxes):
    """whole columns | upstream passed through: dlogit_maxes was added to every column: a maximum \
passes its gradient on to \
the one entry that was the largest, the others get nothing of it."""
    return dnorm_logits + dlogit_maxes


def dlogits__max_at_the_targets(Yb, dnorm_logits, dlogit_maxes):
    """wrong operand: dlogit_maxes was added at the targets Yb: it belongs where each row of \
logits had its maximum, which is another entry as a rule."""
    dlogits = dnorm_logits.clone()
    dlogits[range(len(Yb)), Yb] += dlogit_maxes[:, 0]
    return dlogits


def dlogits__max_over_dim_0(logits, dnorm_logits, dlogit_maxes):
    """wrong dim: dlogit_maxes arrives at the largest entry of each column: logit_maxes holds the \
maximum of each row."""
    largest_of_column = F.one_hot(logits.argmax(0), logits.shape[0]).T
    return dnorm_logits + largest_of_column * dlogit_maxes


def dlogits__max_branch_sign(logits, dnorm_logits, dlogit_maxes):
    """branch factor: The path through logit_maxes has the wrong sign: the minus of the \
subtraction is in dlogit_maxes already, a maximum adds none."""
    return dnorm_logits - F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes


def dlogits__overwritten(logits, dnorm_logits, dlogit_maxes):
    """missing term | overwritten rows | missing branch: At each row's maximum dlogit_maxes \
replaced what had come through norm_logits: both paths have to be added there."""
    dlogits = dnorm_logits.clone()
    dlogits[range(len(logits)), logits.argmax(1)] = dlogit_maxes[:, 0]
    return dlogits


def dlogits__norm_branch_twice(logits, dnorm_logits, dlogit_maxes):
    """doubled branch | branch factor: The path through norm_logits was added twice: logits is \
used there once."""
    dlogits = dnorm_logits.clone()
    dlogits += dnorm_logits + F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes
    return dlogits


def dlogits__max_branch_without_upstream(logits, dnorm_logits):
    """upstream missing: On the path through logit_maxes a bare 1 was added at the maximum: it has \
to be multiplied by dlogit_maxes, which arrives from above."""
    return dnorm_logits + F.one_hot(logits.argmax(1), logits.shape[1])


def dlogits__times_the_maximum(logits, logit_maxes, dnorm_logits, dlogit_maxes):
    """extra factor: On the path through logit_maxes the value of the maximum is a factor too \
many: the slope of a maximum is 1 at the entry it picks."""
    return dnorm_logits + F.one_hot(logits.argmax(1), logits.shape[1]) * logit_maxes * dlogit_maxes


def dlogits__first_row_only(logits, dnorm_logits, dlogit_maxes):
    """some rows only: dlogit_maxes was added in the first row only: every row of logits has a \
maximum of its own."""
    dlogits = dnorm_logits.clone()
    dlogits[0, logits[0].argmax()] += dlogit_maxes[0, 0]
    return dlogits


def dlogits__hard_coded_vocab(logits, dnorm_logits, dlogit_maxes):
    """hard-coded size: Right for a vocabulary of 27 only: the number of columns is written out \
instead of taken from logits."""
    return dnorm_logits + F.one_hot(logits.argmax(1), 27) * dlogit_maxes


# --- linear 2 ---


def dh__missing_transpose(W2, dlogits):
    """error: The shapes do not fit: dlogits has the columns of W2, so to come back to the shape \
of h, W2 has to be laid on its side."""
    return dlogits @ W2


def dh__swapped(W2, dlogits):
    """error: The order of the matrix product is wrong: the rows of dlogits are examples, and they \
have to stay rows in dh."""
    return W2.T @ dlogits


def dh__transposed(W2, dlogits):
    """transposed: The result lies on its side: h has one row an example, this has one column an \
example."""
    return W2 @ dlogits.T


def dh__passed_through(dlogits):
    """upstream passed through | wrong shape: dlogits is returned unchanged: h is multiplied by W2 \
on the way to logits, and dh must have the shape of h."""
    return dlogits.clone()


def dh__upstream_missing(W2, dlogits):
    """upstream missing: The values of dlogits are not used, ones stand in their place: the chain \
rule weights W2 by what arrives from above."""
    return torch.ones_like(dlogits) @ W2.T


def dh__with_tanh(h, W2, dlogits):
    """extra factor | wrong target: The slope of tanh is in it already: it belongs to dhpreact, one step further \
back; dh goes through the matrix product alone."""
    return (dlogits @ W2.T) * (1.0 - h**2)


def dh__mean(h, W2, dlogits):
    """constant factor: Divided by the batch size once too often: the mean of the loss has been \
counted in dlogits already."""
    return dlogits @ W2.T / len(h)


def dh__with_bias(W2, b2, dlogits):
    """extra term: The bias b2 was added to the gradient: a constant shift of logits has no \
influence on the slope with respect to h."""
    return (dlogits + b2) @ W2.T


def dh__product_of_sums(W2, dlogits):
    """wrong function | summed too much: Both tensors were summed before they were multiplied: each column of \
dlogits belongs to its own column of W2."""
    return dlogits.sum(1, keepdim=True) * W2.sum(1)


def dh__hard_coded_view(W2, dlogits):
    """hard-coded size: Right for 32 rows and 64 columns only: the shape of h is written out; a \
matrix product has it by itself."""
    return (dlogits @ W2.T).view(32, 64)


def dW2__missing_transpose(h, dlogits):
    """error: The shapes do not fit: the examples have to be summed over, so the batch dimension \
of h must meet that of dlogits."""
    return h @ dlogits


def dW2__transposed(h, dlogits):
    """transposed: The result lies on its side: W2 has one row a hidden unit and one column a \
character, this has it the other way round."""
    return dlogits.T @ h


def dW2__hpreact(hpreact, dlogits):
    """wrong operand: hpreact stands where h belongs: W2 is multiplied by what comes out of tanh."""
    return hpreact.T @ dlogits


def dW2__mean(h, dlogits):
    """constant factor: Divided by the batch size once too often: the mean of the loss has been \
counted in dlogits already."""
    return h.T @ dlogits / len(h)


def dW2__upstream_missing(h, dlogits):
    """upstream missing: The values of dlogits are not used, ones stand in their place: the chain \
rule weights h by what arrives from above."""
    return h.T @ torch.ones_like(dlogits)


def dW2__product_of_sums(h, dlogits):
    """wrong function | summed too much: h and dlogits were summed over the batch before they were multiplied: each \
example's h belongs to its own row of dlogits."""
    return torch.outer(h.sum(0), dlogits.sum(0))


def dW2__last_example_only(h, dlogits):
    """some rows only: Only the last example is left: the contributions of all examples add up to \
dW2, none may overwrite the ones before it."""
    for hidden, upstream in zip(h, dlogits, strict=True):
        dW2 = torch.outer(hidden, upstream)
    return dW2


def dW2__with_tanh(h, dlogits):
    """wrong operand | wrong function: The slope of tanh stands where h itself belongs: W2 comes \
after tanh, so tanh is not on the way from the loss to it."""
    return (1.0 - h**2).T @ dlogits


def dW2__with_weight_decay(h, W2, dlogits):
    """extra term: W2 itself was added: that is weight decay, and this loss has no such term."""
    return h.T @ dlogits + W2


def dW2__hard_coded_loop(h, W2, dlogits):
    """hard-coded size: Right for a batch of 32 only: the loop counts to a written-out number \
instead of the number of rows of h."""
    dW2 = torch.zeros_like(W2)
    for i in range(32):
        dW2 += torch.outer(h[i], dlogits[i])
    return dW2


def db2__not_summed(dlogits):
    """not summed | upstream passed through: b2 was added to every row of logits, so what comes \
back from the rows has to be summed to one number a column."""
    return dlogits.clone()


def db2__mean(dlogits):
    """constant factor: A mean where a sum belongs, or a factor 1/n too many: the mean of the loss \
has been counted in dlogits already."""
    return dlogits.mean(0)


def db2__over_dim_1(dlogits):
    """wrong dim: Summed over the columns instead of the examples: b2 has one number a column and \
was broadcast over the rows."""
    return dlogits.sum(1)


def db2__upstream_missing(dlogits):
    """upstream missing: The values of dlogits are not used, ones were summed in their place: the \
slope 1 has to be multiplied by what arrives from above."""
    return torch.ones_like(dlogits).sum(0)


def db2__times_b2(b2, dlogits):
    """extra factor: A factor b2 too many: a bias is added, so its slope is 1 whatever its value."""
    return b2 * dlogits.sum(0)


def db2__summed_all(dlogits):
    """summed too much: Everything is summed to one number, but b2 has one number for each column: \
sum over the examples only."""
    return dlogits.sum()


def db2__sign(dlogits):
    """sign: The sign is wrong: b2 is added to logits, so it passes on what arrives as it is."""
    return -dlogits.sum(0)


def db2__last_example_only(dlogits):
    """some rows only: Only the last example is left: b2 was added to every row of logits, and all \
rows count."""
    return dlogits[-1].clone()


def db2__hard_coded_batch(dlogits):
    """hard-coded size: Right for a batch of 32 only: the mean was turned back into a sum with a \
written-out batch size."""
    return dlogits.mean(0) * 32


# --- tanh ---


def dhpreact__of_hpreact(hpreact, dh):
    """wrong operand: hpreact stands where h belongs: the slope of tanh is written with its \
result, the squashed value."""
    return (1.0 - hpreact**2) * dh


def dhpreact__tanh_of_h(h, dh):
    """wrong function | wrong operand: tanh was taken of h, which is the result of tanh already: \
it is squashed twice."""
    return (1.0 - torch.tanh(h) ** 2) * dh


def dhpreact__not_squared(h, dh):
    """wrong exponent | missing factor: The square is missing: the slope of tanh must be the same \
for h and -h, since the curve is symmetric."""
    return (1.0 - h) * dh


def dhpreact__passed_through(dh):
    """upstream passed through: dh is returned unchanged: tanh between hpreact and h has a slope \
of its own, and it is missing."""
    return dh.clone()


def dhpreact__upstream_missing(h):
    """upstream missing: dh is not used: this is the slope of tanh alone, and the chain rule \
multiplies it by what arrives from above."""
    return 1.0 - h**2


def dhpreact__no_brackets(h, dh):
    """upstream missing | missing factor: dh meets only the last term of the slope, the 1 before it \
stands alone: are there brackets around the whole slope?"""
    return 1.0 - h**2 * dh


def dhpreact__sigmoid(h, dh):
    """wrong function: This is the slope of the logistic sigmoid, but h comes from tanh."""
    return h * (1.0 - h) * dh


def dhpreact__plus(h, dh):
    """wrong function | wrong constant: A plus where a minus belongs: tanh flattens where h is \
near 1 or -1, so its slope must fall towards zero there."""
    return (1.0 + h**2) * dh


def dhpreact__sign(h, dh):
    """sign: The sign is wrong: tanh rises everywhere, so its slope is never negative."""
    return (h**2 - 1.0) * dh


def dhpreact__no_one(h, dh):
    """missing term | wrong function: The 1 in the slope of tanh is missing: at h = 0 tanh is steepest, but this \
gives zero there."""
    return -(h**2) * dh


def dhpreact__tanh_of_dh(dh):
    """wrong function: It is tanh of the upstream gradient: the backward pass does not apply the \
function again, it multiplies by its slope."""
    return torch.tanh(dh)


def dhpreact__relu(h, dh):
    """wrong function: This is the slope of relu, which lets the gradient through or not; tanh \
scales it smoothly."""
    return (h > 0) * dh


# --- batchnorm ---


def dbngain__not_summed(bnraw, dhpreact):
    """not summed: bngain has one number a column, which was broadcast over all examples; what \
comes back from the rows has to be summed."""
    return bnraw * dhpreact


def dbngain__hprebn(hprebn, dhpreact):
    """wrong operand: hprebn stands where bnraw belongs: bngain multiplies the values after they \
are normalised."""
    return (hprebn * dhpreact).sum(0, keepdim=True)


def dbngain__bndiff(bndiff, dhpreact):
    """wrong operand | missing factor: bndiff stands where bnraw belongs: it is centred but not \
yet divided by the standard deviation."""
    return (bndiff * dhpreact).sum(0, keepdim=True)


def dbngain__hpreact(hpreact, dhpreact):
    """wrong operand: hpreact stands where bnraw belongs: hpreact is the result of the scaling, \
the other factor of bngain is what was scaled."""
    return (hpreact * dhpreact).sum(0, keepdim=True)


def dbngain__over_dim_1(bnraw, dhpreact):
    """wrong dim: Summed over the hidden units instead of the examples: bngain has one number a \
column and was broadcast over the rows."""
    return (bnraw * dhpreact).sum(1, keepdim=True)


def dbngain__mean(bnraw, dhpreact):
    """constant factor: A mean where a sum belongs: each example contributes in full; the mean of \
the loss is in dhpreact already."""
    return (bnraw * dhpreact).mean(0, keepdim=True)


def dbngain__no_bnraw(dhpreact):
    """missing factor: The factor bnraw is missing: this is the gradient of a shift, but bngain is \
multiplied by bnraw."""
    return dhpreact.sum(0, keepdim=True)


def dbngain__product_of_sums(bnraw, dhpreact):
    """wrong function | zeros: It is zero but for rounding. (Are bnraw and dhpreact summed before \
they are multiplied? The columns of bnraw sum to zero.)"""
    return bnraw.sum(0, keepdim=True) * dhpreact.sum(0, keepdim=True)


def dbngain__times_bngain(bngain, bnraw, dhpreact):
    """extra factor: A factor bngain too many: the slope of a product with respect to one factor \
is the other factor alone."""
    return (bngain * bnraw * dhpreact).sum(0, keepdim=True)


def dbngain__summed_all(bnraw, dhpreact):
    """summed too much: Everything is summed to one number, but bngain has one number for each \
column: sum over the examples only."""
    return (bnraw * dhpreact).sum()


def dbnbias__not_summed(dhpreact):
    """not summed | upstream passed through: bnbias was added to every row of hpreact, so what \
comes back from the rows has to be summed."""
    return dhpreact.clone()


def dbnbias__over_dim_1(dhpreact):
    """wrong dim: Summed over the hidden units instead of the examples: bnbias has one number a \
column and was broadcast over the rows."""
    return dhpreact.sum(1, keepdim=True)


def dbnbias__mean(dhpreact):
    """constant factor: A mean where a sum belongs: bnbias was added in full to every example."""
    return dhpreact.mean(0, keepdim=True)


def dbnbias__times_bnraw(bnraw, dhpreact):
    """extra factor: A factor bnraw too many, perhaps from the line for dbngain: bnbias is added, \
not multiplied, so its slope is 1."""
    return (bnraw * dhpreact).sum(0, keepdim=True)


def dbnbias__times_bngain(bngain, dhpreact):
    """extra factor: A factor bngain too many: bnbias is added after the scaling, so bngain does \
not touch it."""
    return (bngain * dhpreact).sum(0, keepdim=True)


def dbnbias__upstream_missing(dhpreact):
    """upstream missing: The values of dhpreact are not used, ones were summed in their place: the \
slope 1 has to be multiplied by what arrives from above."""
    return torch.ones_like(dhpreact).sum(0, keepdim=True)


def dbnbias__first_example_only(dhpreact):
    """some rows only: Only the first example was taken: bnbias was added to every row of hpreact, \
and all rows count."""
    return dhpreact[:1].clone()


def dbnraw__passed_through(dhpreact):
    """upstream passed through | missing factor: dhpreact is returned unchanged: bnraw is \
multiplied by bngain on the way to hpreact, and that factor is missing."""
    return dhpreact.clone()


def dbnraw__upstream_missing(bngain, bnraw):
    """upstream missing: dhpreact is not used: the slope bngain has to be multiplied by what \
arrives from above."""
    return bngain * torch.ones_like(bnraw)


def dbnraw__times_bnraw(bnraw, dhpreact):
    """wrong operand: bnraw stands where bngain belongs: the slope of a product with respect to \
bnraw is the other factor."""
    return bnraw * dhpreact


def dbnraw__times_bnbias(bnbias, dhpreact):
    """wrong operand: bnbias stands where bngain belongs: the bias shifts hpreact, the gain scales \
it."""
    return bnbias * dhpreact


def dbnraw__divided(bngain, dhpreact):
    """wrong exponent | wrong function | wrong operand: Divided by bngain instead of multiplied: \
going back is not undoing the forward pass, it multiplies by the slope."""
    return dhpreact / bngain


def dbnraw__summed(bngain, dhpreact):
    """summed too much: Summed over the examples although bnraw was not broadcast: it has the \
shape of hpreact, only bngain was spread over the rows."""
    return (bngain * dhpreact).sum(0, keepdim=True)


def dbnraw__plus_bnbias(bngain, bnbias, dhpreact):
    """extra term: bnbias was added as in the forward pass: a constant shift of hpreact has no \
influence on the slope with respect to bnraw."""
    return bngain * dhpreact + bnbias


def dbnraw__times_bnvar_inv(bngain, bnvar_inv, dhpreact):
    """extra factor: A factor bnvar_inv too many: it belongs to dbndiff, one step further back."""
    return bngain * bnvar_inv * dhpreact


def dbnvar_inv__not_summed(bndiff, dbnraw):
    """not summed: bnvar_inv has one number a column, which was broadcast over all examples; what \
comes back from the rows has to be summed."""
    return bndiff * dbnraw


def dbnvar_inv__over_dim_1(bndiff, dbnraw):
    """wrong dim: Summed over the hidden units instead of the examples: bnvar_inv has one number \
for each column."""
    return (bndiff * dbnraw).sum(1, keepdim=True)


def dbnvar_inv__bnraw(bnraw, dbnraw):
    """wrong operand | extra factor: bnraw stands where bndiff belongs: bnraw is the product, the \
other factor of bnvar_inv in it is bndiff."""
    return (bnraw * dbnraw).sum(0, keepdim=True)


def dbnvar_inv__hprebn(hprebn, dbnraw):
    """wrong operand: hprebn stands where bndiff belongs: the mean is subtracted before bnvar_inv \
is multiplied in."""
    return (hprebn * dbnraw).sum(0, keepdim=True)


def dbnvar_inv__bndiff2(bndiff2, dbnraw):
    """wrong operand | extra factor | wrong exponent: bndiff2 stands where bndiff belongs: the \
squares go into the variance, bnvar_inv multiplies the differences themselves."""
    return (bndiff2 * dbnraw).sum(0, keepdim=True)


def dbnvar_inv__no_bndiff(dbnraw):
    """missing factor: The factor bndiff is missing: the slope of the product bnraw with respect \
to bnvar_inv is its other factor."""
    return dbnraw.sum(0, keepdim=True)


def dbnvar_inv__unbiased_mean(bndiff, dbnraw):
    """constant factor: Divided by n - 1: that belongs to bnvar, a step further back; a broadcast \
goes back as a plain sum."""
    return (bndiff * dbnraw).sum(0, keepdim=True) / (len(bndiff) - 1)


def dbnvar_inv__upstream_missing(bndiff):
    """upstream missing | zeros: It is zero but for rounding. (Is dbnraw missing from the sum? The \
differences bndiff alone sum to zero.)"""
    return bndiff.sum(0, keepdim=True)


def dbnvar_inv__summed_all(bndiff, dbnraw):
    """summed too much: Everything is summed to one number, but bnvar_inv has one number for each \
column: sum over the examples only."""
    return (bndiff * dbnraw).sum()


def dbnvar__sign(bnvar, dbnvar_inv):
    """sign: The sign is wrong: the exponent of the power is negative, so bnvar_inv falls when \
bnvar grows."""
    return 0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv


def dbnvar__no_epsilon(bnvar, dbnvar_inv):
    """missing epsilon | wrong constant | extreme values: The epsilon is not in the power, be it \
missing or added outside of it: it was added to bnvar before the power was taken. It matters \
where bnvar is small."""
    return -0.5 * bnvar**-1.5 * dbnvar_inv


def dbnvar__epsilon_outside(bnvar, dbnvar_inv):
    """missing epsilon | wrong constant | extreme values: The epsilon is not in the power, be it \
missing or added outside of it: it was added to bnvar before the power was taken. It matters \
where bnvar is small."""
    return -0.5 * (bnvar**-1.5 + 1e-5) * dbnvar_inv


def dbnvar__other_epsilon(bnvar, dbnvar_inv):
    """wrong constant | extreme values: The epsilon is not that of the forward pass: the slope \
has to be taken where the forward pass was."""
    return -0.5 * (bnvar + 1e-3) ** -1.5 * dbnvar_inv


def dbnvar__exponent_kept(bnvar, dbnvar_inv):
    """wrong exponent | missing factor: The exponent is one too high, that of bnvar_inv itself: the \
slope of a power has an exponent lowered by one."""
    return -0.5 * (bnvar + 1e-5) ** -0.5 * dbnvar_inv


def dbnvar__exponent_raised(bnvar, dbnvar_inv):
    """wrong exponent: The exponent is two too high, as if it went up instead of down: the slope of \
a power has an exponent lowered by one, further below zero here."""
    return -0.5 * (bnvar + 1e-5) ** 0.5 * dbnvar_inv


def dbnvar__no_half(bnvar, dbnvar_inv):
    """constant factor | wrong constant: Too large by a factor 2: the exponent of the power comes \
down in front, with its one half."""
    return -((bnvar + 1e-5) ** -1.5) * dbnvar_inv


def dbnvar__new_exponent_in_front(bnvar, dbnvar_inv):
    """constant factor | wrong constant: Too large by a factor 3, as if the lowered exponent stood \
in front: the one that comes down is the old one."""
    return -1.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv


def dbnvar__squared_inverse(bnvar_inv, dbnvar_inv):
    """wrong exponent | missing factor: A power of bnvar_inv is missing: this square is the \
inverse variance, the slope falls off faster."""
    return -0.5 * bnvar_inv**2 * dbnvar_inv


def dbnvar__power_of_the_inverse(bnvar_inv, dbnvar_inv):
    """wrong operand | wrong exponent: The power was taken of bnvar_inv, which is an inverse \
already, instead of bnvar with its epsilon."""
    return -0.5 * bnvar_inv**-1.5 * dbnvar_inv


def dbnvar__upstream_missing(bnvar):
    """upstream missing: dbnvar_inv is not used: this is the slope of the power alone, and the \
chain rule multiplies it by what arrives from above."""
    return -0.5 * (bnvar + 1e-5) ** -1.5


def dbnvar__passed_through(dbnvar_inv):
    """upstream passed through: dbnvar_inv is returned unchanged: the power between bnvar and \
bnvar_inv has a slope of its own, and it is missing."""
    return dbnvar_inv.clone()


def dbnvar__minus_inside(bnvar, dbnvar_inv):
    """not finite: Not a number: a broken power of a negative number does not exist. Has the minus \
slipped inside the brackets?"""
    return 0.5 * (-(bnvar + 1e-5)) ** -1.5 * dbnvar_inv


def dbndiff2__one_over_n(bndiff2, dbnvar, n):
    """constant factor | wrong constant: As if divided by n instead of n - 1: this variance has \
Bessel's correction."""
    return torch.ones_like(bndiff2) * dbnvar / n


def dbndiff2__no_division(bndiff2, dbnvar):
    """constant factor: Too large by a factor n - 1: the variance is not the sum of bndiff2 but \
that sum divided."""
    return torch.ones_like(bndiff2) * dbnvar


def dbndiff2__not_broadcast(dbnvar, n):
    """not broadcast | wrong shape: Still one row: a sum over the examples goes back as a \
broadcast, so dbndiff2 \
has the shape of bndiff2 with the same number in every row."""
    return dbnvar / (n - 1)


def dbndiff2__first_row_only(bndiff2, dbnvar, n):
    """some rows only: Only the first row was filled: every row of bndiff2 is a term of the sum, \
so every row gets its gradient."""
    dbndiff2 = torch.zeros_like(bndiff2)
    dbndiff2[:1] = dbnvar / (n - 1)
    return dbndiff2


def dbndiff2__upstream_missing(bndiff2, n):
    """upstream missing: dbnvar is not used: the slope of the mean has to be multiplied by what \
arrives from above."""
    return torch.ones_like(bndiff2) / (n - 1)


def dbndiff2__times_bndiff2(bndiff2, dbnvar, n):
    """extra factor: A factor bndiff2 too many: the variance is linear in bndiff2, so its own \
values do not appear in the slope."""
    return bndiff2 * dbnvar / (n - 1)


def dbndiff2__times_bndiff(bndiff, dbnvar, n):
    """extra factor: The slope of the square is in it already: it belongs to dbndiff, one step \
further back."""
    return 2.0 * bndiff * dbnvar / (n - 1)


def dbndiff2__mean_over_hidden(bndiff2, dbnvar):
    """constant factor | wrong constant: As if divided by the number of hidden units less one: the \
variance runs over the examples, dimension 0."""
    return torch.ones_like(bndiff2) * dbnvar / (bndiff2.shape[1] - 1)


def dbndiff2__hard_coded_31(bndiff2, dbnvar):
    """hard-coded size: Right for a batch of 32 only: n - 1 is written out as a number."""
    return torch.ones_like(bndiff2) * dbnvar / 31


def dbndiff2__hard_coded_expand(dbnvar, n):
    """hard-coded size: Right for 32 rows and 64 columns only: the shape to spread dbnvar over is \
written out instead of taken from bndiff2."""
    return (dbnvar / (n - 1)).expand(32, 64)


def dbndiff__only_raw_branch(bnvar_inv, dbnraw):
    """missing branch: Only the path through bnraw arrived: bndiff is used a second time, in \
bndiff2, and gradients of several uses add up."""
    return bnvar_inv * dbnraw


def dbndiff__only_square_branch(bndiff, dbndiff2):
    """missing branch: Only the path through bndiff2 arrived: bndiff is also a factor of bnraw, \
and gradients of several uses add up."""
    return 2.0 * bndiff * dbndiff2


def dbndiff__no_two(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """branch factor: On the path through bndiff2 a factor is missing: the exponent of the square \
comes down in front."""
    return bndiff * dbndiff2 + bnvar_inv * dbnraw


def dbndiff__square_branch_sign(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """branch factor: The path through bndiff2 has the wrong sign: gradients of several uses are \
added, whatever the use."""
    return bnvar_inv * dbnraw - 2.0 * bndiff * dbndiff2


def dbndiff__square_not_lowered(bndiff2, bnvar_inv, dbndiff2, dbnraw):
    """wrong exponent | wrong operand | extra factor: On the path through bndiff2 the exponent was \
not lowered: the slope of a square grows with bndiff, not with its square."""
    return 2.0 * bndiff2 * dbndiff2 + bnvar_inv * dbnraw


def dbndiff__no_bndiff(bnvar_inv, dbndiff2, dbnraw):
    """missing factor: On the path through bndiff2 the factor bndiff is missing: the slope of a \
square depends on where it is taken."""
    return 2.0 * dbndiff2 + bnvar_inv * dbnraw


def dbndiff__no_bnvar_inv(bndiff, dbndiff2, dbnraw):
    """missing factor: On the path through bnraw the factor bnvar_inv is missing: bndiff is \
multiplied by it there."""
    return 2.0 * bndiff * dbndiff2 + dbnraw


def dbndiff__bnvar_for_inverse(bndiff, bnvar, dbndiff2, dbnraw):
    """wrong operand: On the path through bnraw the variance bnvar stands where bnvar_inv belongs: \
bnraw is bndiff times bnvar_inv."""
    return 2.0 * bndiff * dbndiff2 + bnvar * dbnraw


def dbndiff__bnraw_for_bndiff(bnraw, bnvar_inv, dbndiff2, dbnraw):
    """wrong operand | extra factor: On the path through bndiff2 bnraw stands where bndiff \
belongs: the differences are squared before they are scaled."""
    return 2.0 * bnraw * dbndiff2 + bnvar_inv * dbnraw


def dbndiff__upstream_swapped(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """wrong operand: dbndiff2 and dbnraw are swapped: the slope of each use has to meet the \
gradient that arrives through that use."""
    return 2.0 * bndiff * dbnraw + bnvar_inv * dbndiff2


def dbndiff__square_without_upstream(bndiff, bnvar_inv, dbnraw):
    """upstream missing: On the path through bndiff2 the slope of the square stands alone: \
dbndiff2, which arrives from above, was not multiplied in."""
    return 2.0 * bndiff + bnvar_inv * dbnraw


def dbndiff__raw_branch_twice(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """doubled branch | branch factor: The path through bnraw was added twice: bndiff is used once \
in bnraw and once in bndiff2."""
    dbndiff = bnvar_inv * dbnraw
    dbndiff += 2.0 * bndiff * dbndiff2 + bnvar_inv * dbnraw
    return dbndiff


def dbndiff__raw_branch_summed(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """summed too much: The path through bnraw was summed over the examples, and broadcasting hid \
it: only bnvar_inv was spread over the rows there, not bndiff."""
    return 2.0 * bndiff * dbndiff2 + (bnvar_inv * dbnraw).sum(0, keepdim=True)


def dbnmeani__sign(dbndiff):
    """sign: The sign is wrong: bnmeani is subtracted in bndiff."""
    return dbndiff.sum(0, keepdim=True)


def dbnmeani__mean(dbndiff):
    """constant factor: A mean where a sum belongs: bnmeani was subtracted in full from every row; \
its own 1/n belongs to dhprebn."""
    return -dbndiff.mean(0, keepdim=True)


def dbnmeani__not_summed(dbndiff):
    """not summed: bnmeani has one number a column, which was subtracted from every row; what \
comes back from the rows has to be summed."""
    return -dbndiff


def dbnmeani__over_dim_1(dbndiff):
    """wrong dim: Summed over the hidden units instead of the examples: bnmeani has one number for \
each column."""
    return -dbndiff.sum(1, keepdim=True)


def dbnmeani__zeros(bnmeani):
    """zeros: It is zero everywhere: bnmeani is subtracted from every row, so what arrives at bndiff \
comes back to it."""
    return torch.zeros_like(bnmeani)


def dbnmeani__summed_all(dbndiff):
    """summed too much: Everything is summed to one number, but bnmeani has one number for each \
column: sum over the examples only."""
    return -dbndiff.sum()


def dbnmeani__upstream_missing(dbndiff):
    """upstream missing: The values of dbndiff are not used: the slope -1 was summed without being \
multiplied by what arrives from above."""
    return -torch.ones_like(dbndiff).sum(0, keepdim=True)


def dbnmeani__times_bndiff(bndiff, dbndiff):
    """extra factor: A factor bndiff too many: the slope of a difference is constant and does not \
depend on the values."""
    return -(bndiff * dbndiff).sum(0, keepdim=True)


def dbnmeani__hard_coded_batch(dbndiff):
    """hard-coded size: Right for a batch of 32 only: the mean was turned back into a sum with a \
written-out batch size."""
    return -dbndiff.mean(0, keepdim=True) * 32


def dhprebn__no_mean_branch(dbndiff):
    """missing branch | upstream passed through: Only the path through bndiff arrived: every entry \
of hprebn also moves the mean bnmeani, and that path was left out."""
    return dbndiff.clone()


def dhprebn__only_mean_branch(hprebn, dbnmeani, n):
    """missing branch: Only the path through bnmeani arrived: hprebn also goes straight into \
bndiff, and gradients of several uses add up."""
    return torch.ones_like(hprebn) * dbnmeani / n


def dhprebn__mean_branch_no_division(dbndiff, dbnmeani):
    """branch factor: The path through bnmeani is too large by a factor n: each example has only \
its share in a mean."""
    return dbndiff + dbnmeani


def dhprebn__mean_branch_bessel(dbndiff, dbnmeani, n):
    """branch factor: The path through bnmeani was divided by n - 1: Bessel's correction belongs \
to the variance, the mean divides by n."""
    return dbndiff + dbnmeani / (n - 1)


def dhprebn__mean_branch_sign(dbndiff, dbnmeani, n):
    """branch factor: The path through bnmeani has the wrong sign: the minus of the subtraction is \
in dbnmeani already, a mean adds none."""
    return dbndiff - dbnmeani / n


def dhprebn__mean_over_hidden(dbndiff, dbnmeani):
    """branch factor: As if the path through bnmeani were divided by the number of hidden units: the \
mean runs over the examples, dimension 0."""
    return dbndiff + dbnmeani / dbndiff.shape[1]


def dhprebn__mean_branch_times_hprebn(hprebn, dbndiff, dbnmeani, n):
    """extra factor: On the path through bnmeani a factor hprebn is too many: a mean is linear, so \
the values themselves do not appear in its slope."""
    return dbndiff + hprebn * dbnmeani / n


def dhprebn__mean_branch_without_upstream(dbndiff, n):
    """upstream missing: On the path through bnmeani the slope of the mean stands alone: dbnmeani, \
which arrives from above, was not multiplied in."""
    return dbndiff + 1.0 / n


def dhprebn__diff_branch_summed(dbndiff, dbnmeani, n):
    """summed too much: dbndiff was summed over the examples although hprebn was not broadcast: \
each row keeps its own gradient."""
    return dbndiff.sum(0, keepdim=True) + dbnmeani / n


def dhprebn__mean_branch_first_row(dbndiff, dbnmeani, n):
    """some rows only: The path through bnmeani reached the first row only: every example is a \
term of the mean."""
    dhprebn = dbndiff.clone()
    dhprebn[0] += dbnmeani[0] / n
    return dhprebn


def dhprebn__hard_coded_batch(dbndiff, dbnmeani):
    """hard-coded size: Right for a batch of 32 only: the number of examples in the mean is \
written out where n belongs."""
    return dbndiff + dbnmeani / 32


# --- linear 1 ---


def dembcat__missing_transpose(W1, dhprebn):
    """error: The shapes do not fit: dhprebn has the columns of W1, so to come back to the shape \
of embcat, W1 has to be laid on its side."""
    return dhprebn @ W1


def dembcat__transposed(W1, dhprebn):
    """transposed: The result lies on its side: embcat has one row an example, this has one column \
an example."""
    return W1 @ dhprebn.T


def dembcat__upstream_missing(W1, dhprebn):
    """upstream missing: The values of dhprebn are not used, ones stand in their place: the chain \
rule weights W1 by what arrives from above."""
    return torch.ones_like(dhprebn) @ W1.T


def dembcat__with_bias(W1, b1, dhprebn):
    """extra term: The bias b1 was added to the gradient: a constant shift of hprebn has no \
influence on the slope with respect to embcat."""
    return (dhprebn + b1) @ W1.T


def dembcat__mean(W1, dhprebn):
    """constant factor: Divided by the batch size once too often: the mean of the loss has been \
counted long before dhprebn."""
    return dhprebn @ W1.T / len(dhprebn)


def dembcat__shape_of_emb(W1, emb, dhprebn):
    """not reshaped | wrong shape: This has the shape of emb, one step further back: embcat is \
still flat, one \
row an example."""
    return (dhprebn @ W1.T).view(emb.shape)


def dembcat__times_embcat(W1, embcat, dhprebn):
    """extra factor: A factor embcat too many: the slope of a product with respect to one factor \
is the other one, W1, alone."""
    return (dhprebn @ W1.T) * embcat


def dembcat__passed_through(dhprebn):
    """upstream passed through | wrong shape: dhprebn is returned unchanged: embcat is multiplied \
by W1 on the way to hprebn, and dembcat must have the shape of embcat."""
    return dhprebn.clone()


def dembcat__hard_coded_view(W1, dhprebn):
    """hard-coded size: Right for 32 rows and 30 columns only: the shape of embcat is written out; \
a matrix product has it by itself."""
    return (dhprebn @ W1.T).view(32, 30)


def dW1__missing_transpose(embcat, dhprebn):
    """error: The shapes do not fit: the examples have to be summed over, so the batch dimension \
of embcat must meet that of dhprebn."""
    return embcat @ dhprebn


def dW1__transposed(embcat, dhprebn):
    """transposed: The result lies on its side: W1 has one column a hidden unit, this has one row \
a hidden unit."""
    return dhprebn.T @ embcat


def dW1__not_flattened(emb, dhprebn):
    """not reshaped: The positions of the context and the embedding are still two dimensions: W1 \
has one row for each column of the flat embcat."""
    return torch.einsum("npe,nh->peh", emb, dhprebn)


def dW1__mean(embcat, dhprebn):
    """constant factor: Divided by the batch size once too often: the mean of the loss has been \
counted long before dhprebn."""
    return embcat.T @ dhprebn / len(embcat)


def dW1__upstream_missing(embcat, dhprebn):
    """upstream missing: The values of dhprebn are not used, ones stand in their place: the chain \
rule weights embcat by what arrives from above."""
    return embcat.T @ torch.ones_like(dhprebn)


def dW1__product_of_sums(embcat, dhprebn):
    """wrong function | summed too much: embcat and dhprebn were summed over the batch before they were multiplied: \
each example's row belongs to its own row of dhprebn."""
    return torch.outer(embcat.sum(0), dhprebn.sum(0))


def dW1__last_example_only(embcat, dhprebn):
    """some rows only: Only the last example is left: the contributions of all examples add up to \
dW1, none may overwrite the ones before it."""
    for embedding, upstream in zip(embcat, dhprebn, strict=True):
        dW1 = torch.outer(embedding, upstream)
    return dW1


def dW1__sign(embcat, dhprebn):
    """sign: The sign is wrong: this is the direction of the update that lowers the loss; the \
gradient itself has no minus here."""
    return -embcat.T @ dhprebn


def db1__zeros(b1):
    """zeros: It is zero everywhere. In the whole chain it does come out as zero up to rounding, as \
batch norm takes any shift out again, but that has to follow from dhprebn, not be assumed."""
    return torch.zeros_like(b1)


def db1__sign(dhprebn):
    """sign: The sign is wrong: b1 is added to hprebn, so it passes on what arrives as it is."""
    return -dhprebn.sum(0)


def db1__not_summed(dhprebn):
    """not summed | upstream passed through: b1 was added to every row of hprebn, so what comes \
back from the rows has to be summed to one number a column."""
    return dhprebn.clone()


def db1__mean(dhprebn):
    """constant factor: A mean where a sum belongs: b1 was added in full to every example."""
    return dhprebn.mean(0)


def db1__over_dim_1(dhprebn):
    """wrong dim: Summed over the hidden units instead of the examples: b1 has one number a column \
and was broadcast over the rows."""
    return dhprebn.sum(1)


def db1__upstream_missing(dhprebn):
    """upstream missing: The values of dhprebn are not used, ones were summed in their place: the \
slope 1 has to be multiplied by what arrives from above."""
    return torch.ones_like(dhprebn).sum(0)


def db1__summed_all(dhprebn):
    """summed too much: Everything is summed to one number, but b1 has one number for each column: \
sum over the examples only."""
    return dhprebn.sum()


def db1__times_b1(b1, dhprebn):
    """extra factor: A factor b1 too many: a bias is added, so its slope is 1 whatever its value."""
    return b1 * dhprebn.sum(0)


# --- embedding ---


def demb__not_reshaped(dembcat):
    """not reshaped | upstream passed through: The shape is that of embcat: the values are right, \
but emb keeps the positions of the context as a dimension of its own."""
    return dembcat.clone()


def demb__positions_last(emb, dembcat):
    """wrong dim | transposed: The entries are shuffled: in a row of embcat the numbers of one \
position stand together, so the position is the slower of the two dimensions."""
    n, positions, width = emb.shape
    return dembcat.view(n, width, positions).transpose(1, 2)


def demb__positions_first(emb, dembcat):
    """wrong dim | transposed: The entries are shuffled between examples: a row of dembcat holds \
all positions of one example, so the batch stays the first dimension."""
    n, positions, width = emb.shape
    return dembcat.reshape(positions, n, width).transpose(0, 1)


def demb__transposed(emb, dembcat):
    """transposed: The last two dimensions are swapped: emb has the position of the context before \
the numbers of the embedding."""
    return dembcat.view(emb.shape).transpose(1, 2)


def demb__mean_over_positions(emb, dembcat):
    """constant factor: Too small by a factor block_size, the number of positions: flattening only \
rearranges, nothing is averaged."""
    return dembcat.view(emb.shape) / emb.shape[1]


def demb__summed_positions(emb, dembcat):
    """summed too much: Summed over the positions: each position has its own gradient here; \
characters that occur twice are added up in dC, a step further back."""
    return dembcat.view(emb.shape).sum(1, keepdim=True)


def demb__upstream_missing(emb):
    """upstream missing: dembcat is not used: the slope of a rearrangement is 1, and it has to be \
multiplied by what arrives from above."""
    return torch.ones_like(emb)


def demb__hard_coded_view(dembcat):
    """hard-coded size: Right at the lecture's sizes only: the shape of emb is written out instead \
of taken from emb."""
    return dembcat.view(32, 3, 10)


def dC__assigned(C, Xb, demb):
    """overwritten rows: A character that occurs several times in Xb keeps only its last gradient: \
each use of a row of C has to be added to the others, not put in their place."""
    dC = torch.zeros_like(C)
    for i in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            dC[Xb[i, j]] = demb[i, j]
    return dC


def dC__buffered(C, Xb, demb):
    """overwritten rows: Where a character occurs several times in Xb only one of its gradients is \
left: adding by an index that repeats does not collect, the last one wins."""
    dC = torch.zeros_like(C)
    dC[Xb] += demb
    return dC


def dC__index_assigned(C, Xb, demb):
    """overwritten rows: Where a character occurs several times in Xb one of its gradients \
replaces the others: all of them have to be collected in its row."""
    dC = torch.zeros_like(C)
    dC[Xb] = demb
    return dC


def dC__last_position_only(C, Xb, demb):
    """some rows only | missing term: Only the last position of the context was counted: every \
position of Xb looks up a row of C."""
    return torch.zeros_like(C).index_add_(0, Xb[:, -1], demb[:, -1])


def dC__first_example_only(C, Xb, demb):
    """some rows only | missing term: Only the first example was counted: every row of Xb looks up \
rows of C."""
    return torch.zeros_like(C).index_add_(0, Xb[0], demb[0])


def dC__padding_skipped(C, Xb, demb):
    """some rows only | missing term | repeated rows: Row 0 of C was left out: the padding character '.' has an \
embedding like any other, and it is learned too."""
    dC = torch.zeros_like(C).index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    dC[0] = 0.0
    return dC


def dC__mean_of_uses(C, Xb, demb):
    """extra factor | constant factor | repeated rows: Averaged over the number of times a character occurs: each \
use of a row of C adds its gradient in full."""
    dC = torch.zeros_like(C).index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    return dC / torch.bincount(Xb.reshape(-1), minlength=len(C)).clamp(min=1)[:, None]


def dC__upstream_missing(C, Xb):
    """upstream missing: demb is not used: this only counts how often each character occurs; what \
arrives from above has to be added up instead."""
    dC = torch.zeros_like(C)
    for ix in Xb.reshape(-1):
        dC[ix] += 1.0
    return dC


def dC__targets(C, Yb, demb):
    """wrong operand | wrong rows: Collected by the targets Yb: the rows of C were looked up with the contexts \
in Xb."""
    return torch.zeros_like(C).index_add_(0, Yb, demb.sum(1))


def dC__not_summed_over_positions(C, Xb, demb):
    """not summed: The positions of the context are still a dimension of their own: they all share \
the one table C, so they are summed."""
    onehot = F.one_hot(Xb, len(C)).to(demb.dtype)
    return torch.einsum("npv,npe->pve", onehot, demb)


def dC__transposed(C, Xb, demb):
    """transposed: The result lies on its side: C has one row a character, this has one column a \
character."""
    onehot = F.one_hot(Xb, len(C)).to(demb.dtype)
    return torch.einsum("npv,npe->ev", onehot, demb)


def dC__passed_through(demb):
    """upstream passed through | wrong shape: demb is returned unchanged: the gradients of all \
places where a character occurs have to be collected in its row of C."""
    return demb.clone()


def dC__times_C(C, Xb, demb):
    """extra factor: A factor C too many: looking up a row only copies it, so its values do not \
appear in the slope."""
    return C * torch.zeros_like(C).index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))


def dC__hard_coded_context(C, Xb, demb):
    """hard-coded size: Right for a context of 3 characters only: the number of positions is \
written out instead of taken from Xb."""
    dC = torch.zeros_like(C)
    for position in range(3):
        dC.index_add_(0, Xb[:, position], demb[:, position])
    return dC


def dC__hard_coded_table(Xb, demb):
    """hard-coded size: Right for 27 characters with 10 numbers each only: the shape of C is \
written out instead of taken from C."""
    dC = torch.zeros((27, 10), dtype=demb.dtype)
    return dC.index_add_(0, Xb.reshape(-1), demb.reshape(-1, 10))
