"""Wrong answers to exercise 3 that students really write, with the diagnosis that each deserves."""

import torch


def dhprebn__one_over_n_variance(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor | wrong constant: The path through the variance was weighted as if it divided \
by n: this variance has Bessel's correction, n - 1."""
    n = len(dhpreact)
    through_variance = bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__bessel_upside_down(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor | wrong constant: Bessel's correction is upside down: dividing by n - 1 makes \
the variance larger than dividing by n would, and its path too."""
    n = len(dhpreact)
    through_variance = (n - 1) / n * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__bessel_everywhere(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor | wrong constant: The path through the mean was divided by n - 1 too: \
Bessel's correction belongs to the variance, the mean divides by n."""
    n = len(dhpreact)
    through_both = dhpreact.sum(0) + bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv * (dhpreact - through_both / (n - 1))


def dhprebn__no_gain(dhpreact, bnraw, bnvar_inv):
    """missing factor: The factor bngain is missing: bnraw is scaled by it on the way to hpreact, \
and that step comes first on the way back."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__gain_divided(dhpreact, bngain, bnraw, bnvar_inv):
    """wrong exponent | wrong operand: Divided by bngain instead of multiplied: going back is not \
undoing the forward pass, it multiplies by the slope."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bnvar_inv / (n * bngain) * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__no_bnvar_inv(dhpreact, bngain, bnraw):
    """missing factor: The factor bnvar_inv is missing: the differences are divided by the \
standard deviation, and all three paths go through that."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__bnvar_inv_squared(dhpreact, bngain, bnraw, bnvar_inv):
    """extra factor | wrong exponent: A factor bnvar_inv too many: it is the inverse of the \
standard deviation already, one factor of it suffices."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv**2 / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__statistics_constant(dhpreact, bngain, bnvar_inv):
    """missing branch: Mean and variance were treated as constants: both are computed from hprebn, \
so each entry of hprebn also acts through them."""
    return bngain * bnvar_inv * dhpreact


def dhprebn__variance_constant(dhpreact, bngain, bnvar_inv):
    """missing branch: The path through the variance is missing: moving one entry of hprebn also \
changes bnvar_inv, and with it the whole column."""
    return bngain * bnvar_inv * (dhpreact - dhpreact.mean(0))


def dhprebn__mean_constant(dhpreact, bngain, bnraw, bnvar_inv):
    """missing branch: The path through the mean is missing: moving one entry of hprebn also moves \
bnmean, which is subtracted from the whole column."""
    n = len(dhpreact)
    return bngain * bnvar_inv * (dhpreact - bnraw * (dhpreact * bnraw).sum(0) / (n - 1))


def dhprebn__no_direct_path(dhpreact, bngain, bnraw, bnvar_inv):
    """missing branch: The direct path is missing: only the detours through mean and variance \
arrived, but each entry of hprebn also acts on its own output."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (-dhpreact.sum(0) - through_variance)


def dhprebn__mean_sign(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor: The path through the mean has the wrong sign: bnmean is subtracted, so \
raising it lowers the whole column."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact + dhpreact.sum(0) - through_variance)


def dhprebn__variance_sign(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor: The path through the variance has the wrong sign: more variance means a \
smaller bnvar_inv, so it shrinks the output."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) + through_variance)


def dhprebn__variance_doubled(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor | doubled branch: The path through the variance is too large by a factor 2: \
the square's 2 and the square root's one half cancel."""
    n = len(dhpreact)
    through_variance = 2 * n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__variance_halved(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor: The path through the variance is too small by a factor 2: the square root's \
one half is in it, the square's 2 is not."""
    n = len(dhpreact)
    through_variance = 0.5 * n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__no_division(dhpreact, bngain, bnraw, bnvar_inv):
    """constant factor: Too large by a factor n: a common division by the batch size turns the sums \
into means."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__direct_path_not_times_n(dhpreact, bngain, bnraw, bnvar_inv):
    """branch factor: The direct path is too small by a factor n: under a common division by n it \
needs a factor n of its own."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__sign(dhpreact, bngain, bnraw, bnvar_inv):
    """sign: The sign is wrong: hprebn acts on its own output in the same direction, so the direct \
path has no minus."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (dhpreact.sum(0) + through_variance - n * dhpreact)


def dhprebn__sums_over_dim_1(dhpreact, bngain, bnraw, bnvar_inv):
    """wrong dim: The sums run over the hidden units: mean and variance are taken over the examples, \
so the sums must be too."""
    n = len(dhpreact)
    through_mean = dhpreact.sum(1, keepdim=True)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(1, keepdim=True)
    return bngain * bnvar_inv / n * (n * dhpreact - through_mean - through_variance)


def dhprebn__sums_over_everything(dhpreact, bngain, bnraw, bnvar_inv):
    """summed too much | wrong dim: The sums run over the whole tensor: each column has its own \
mean and variance, and the columns do not mix."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum()
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum() - through_variance)


def dhprebn__n_is_hidden(dhpreact, bngain, bnraw, bnvar_inv):
    """wrong constant | branch factor: As if n were the number of hidden units: mean and variance \
run over the examples, dimension 0."""
    n = dhpreact.shape[1]
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__product_of_sums(dhpreact, bngain, bnraw, bnvar_inv):
    """missing branch | wrong function: The path through the variance is missing. (Are bnraw and \
dhpreact summed before they are multiplied? The columns of bnraw sum to zero.)"""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact.sum(0) * bnraw.sum(0))
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__variance_not_summed(dhpreact, bngain, bnraw, bnvar_inv):
    """not summed: The path through the variance is not summed: the variance is shared by the \
column, so what all examples say about it has to be collected."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__mean_not_summed(dhpreact, bngain, bnraw, bnvar_inv):
    """not summed | missing branch: The path through the mean is not summed: the mean is shared by the column, so \
what all examples say about it has to be collected."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact - through_variance)


def dhprebn__variance_no_outer_bnraw(dhpreact, bngain, bnraw, bnvar_inv):
    """missing factor: On the path through the variance a factor bnraw is missing: an entry far \
from the mean moves the variance more than one near it."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__variance_no_inner_bnraw(dhpreact, bngain, bnraw, bnvar_inv):
    """missing factor: Inside the sum of the path through the variance bnraw is missing: bnvar_inv \
scales each example by its own bnraw."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * dhpreact.sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__hpreact_for_bnraw(dhpreact, bngain, hpreact, bnvar_inv):
    """wrong operand: hpreact stands where bnraw belongs: the variance acts on the normalised \
values before they are scaled and shifted."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * hpreact * (dhpreact * hpreact).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__hprebn_for_bnraw(dhpreact, bngain, hprebn, bnvar_inv):
    """wrong operand: hprebn stands where bnraw belongs: it is neither centred nor divided by the \
standard deviation."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * hprebn * (dhpreact * hprebn).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__bndiff_for_bnraw(dhpreact, bngain, hprebn, bnmean, bnvar_inv):
    """wrong operand | missing factor: The centred values stand where bnraw belongs: they are not \
yet divided by the standard deviation."""
    n = len(dhpreact)
    bndiff = hprebn - bnmean
    through_variance = n / (n - 1) * bndiff * (dhpreact * bndiff).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__gain_on_direct_path_only(dhpreact, bngain, bnraw, bnvar_inv):
    """missing factor: bngain multiplies the direct path only: all three paths come through the \
scaling, so it belongs to each of them."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bnvar_inv / n * (n * bngain * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__upstream_missing(dhpreact, bngain, bnraw, bnvar_inv):
    """upstream missing | zeros: It is zero but for rounding and the epsilon. (Do the values of \
dhpreact enter? Batch norm takes a common shift out again, so of ones next to nothing is \
left.)"""
    n = len(dhpreact)
    ones = torch.ones_like(dhpreact)
    through_variance = n / (n - 1) * bnraw * (ones * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * ones - ones.sum(0) - through_variance)


def dhprebn__passed_through(dhpreact):
    """upstream passed through: dhpreact is returned unchanged: batch norm between hprebn and \
hpreact centres and scales, and its slope is missing."""
    return dhpreact.clone()


def dhprebn__with_tanh(dhpreact, bngain, bnraw, bnvar_inv, h):
    """extra factor: The slope of tanh is in it once more: it was counted when dhpreact was made \
from dh."""
    n = len(dhpreact)
    upstream = (1 - h**2) * dhpreact
    through_variance = n / (n - 1) * bnraw * (upstream * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * upstream - upstream.sum(0) - through_variance)


def dhprebn__summed(dhpreact, bngain, bnraw, bnvar_inv):
    """summed too much | zeros: Summed over the examples: each row of hprebn has its own gradient. \
Summed, it vanishes but for rounding."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)
    return dhprebn.sum(0, keepdim=True)


def dhprebn__hard_coded_batch(dhpreact, bngain, bnraw, bnvar_inv):
    """hard-coded size: Right for a batch of 32 only: the number of examples is written out \
instead of taken from dhpreact."""
    through_variance = 32 / 31 * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / 32 * (32 * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__hard_coded_bessel(dhpreact, bngain, bnraw, bnvar_inv):
    """hard-coded size: Right for a batch of 32 only: Bessel's n - 1 is written out as a number."""
    n = len(dhpreact)
    through_variance = n / 31 * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)
