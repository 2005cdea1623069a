"""Forty wrong answers: the second blind test of the diagnosis.

Written by someone who had seen neither the diagnosis nor the first blind test, as a sample of what
a class would hand in. A function is named after its exercise, its gradient and its mistake, and
its docstring is the true cause. Parameters are asked for by name, as in the exercises.
"""

import torch
import torch.nn.functional as F

# --- exercise 1: cross-entropy ---------------------------------------------------------------


def ex1_atomic__dlogprobs__whole_columns(logprobs, Yb):
    """Indexes with [:, Yb]: fills the targets' columns in all rows, not one entry per row."""
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[:, Yb] = -1.0 / logprobs.shape[0]
    return dlogprobs


def ex1_atomic__dprobs__one_over_output(logprobs, dlogprobs):
    """Divides by the logarithm's output (logprobs) instead of by its input (probs)."""
    return dlogprobs / logprobs


def ex1_atomic__dcounts_sum_inv__product_of_sums(counts, dprobs):
    """Sums each factor over the row and then multiplies, instead of summing the products."""
    return counts.sum(1, keepdim=True) * dprobs.sum(1, keepdim=True)


def ex1_atomic__dcounts_sum__no_upstream(counts_sum):
    """Gives the local derivative alone; the upstream gradient is never multiplied in."""
    return -(counts_sum**-2)


def ex1_atomic__dcounts__sum_scaled_by_counts(counts, counts_sum_inv, dprobs, dcounts_sum):
    """Takes counts as the local derivative of the sum in the second path, where it is one."""
    return counts_sum_inv * dprobs + counts * dcounts_sum


def ex1_atomic__dcounts__inv_on_both_paths(counts_sum_inv, dprobs, dcounts_sum):
    """Adds the upstreams first, so counts_sum_inv, a factor of one path, scales both."""
    return counts_sum_inv * (dprobs + dcounts_sum)


def ex1_atomic__dnorm_logits__exp_of_logits(logits, dcounts):
    """Takes exp of the raw logits, before the row maximum was subtracted: the wrong tensor."""
    return logits.exp() * dcounts


def ex1_atomic__dlogit_maxes__max_again(dnorm_logits):
    """Takes the row's largest gradient; the column was broadcast, so the row has to be summed."""
    return -dnorm_logits.max(1, keepdim=True).values


def ex1_atomic__dlogits__max_spread_over_row(dnorm_logits, dlogit_maxes):
    """Forgets that a max lets a single entry through: every logit of the row gets its gradient."""
    return dnorm_logits + dlogit_maxes


def ex1_atomic__dlogits__max_sent_to_target(dnorm_logits, dlogit_maxes, Yb):
    """Sends the maximum's gradient to the target's logit instead of to the largest one."""
    dlogits = dnorm_logits.clone()
    dlogits[torch.arange(dlogits.shape[0]), Yb] += dlogit_maxes.view(-1)
    return dlogits


# --- exercise 1: linear 2, tanh --------------------------------------------------------------


def ex1_atomic__dh__view_not_transpose(W2, dlogits):
    """Makes the shapes fit with view instead of a transpose, which scrambles the weights."""
    return dlogits @ W2.reshape(W2.shape[1], W2.shape[0])


def ex1_atomic__dW2__averaged_over_batch(h, dlogits):
    """Averages over the batch; the uses add up, and the loss's 1/n is in dlogits already."""
    return h.T @ dlogits / h.shape[0]


def ex1_atomic__dhpreact__tanh_twice(h, dh):
    """Applies tanh to h, which is a tanh already: 1 - tanh(h)**2 instead of 1 - h**2."""
    return (1 - torch.tanh(h) ** 2) * dh


# --- exercise 1: batchnorm -------------------------------------------------------------------


def ex1_atomic__dbngain__not_normalized(bndiff, dhpreact):
    """Wrong tensor: the gain multiplies bnraw, not the deviations that are not yet scaled."""
    return (bndiff * dhpreact).sum(0, keepdim=True)


def ex1_atomic__dbnraw__bias_added(bngain, bnbias, dhpreact):
    """Repeats the forward line with the gradient put in: the bias does not belong there."""
    return bngain * dhpreact + bnbias


def ex1_atomic__dbnvar_inv__bnraw_pasted(bnraw, dbnraw):
    """Pasted from the gain's line: the other factor here is bndiff, not the product bnraw."""
    return (bnraw * dbnraw).sum(0, keepdim=True)


def ex1_atomic__dbnvar__power_of_the_inverse(bnvar_inv, dbnvar_inv):
    """Raises bnvar_inv to the -1.5, where it is bnvar plus epsilon that has this exponent."""
    return -0.5 * bnvar_inv**-1.5 * dbnvar_inv


def ex1_atomic__dbndiff2__times_the_summands(bndiff2, dbnvar):
    """Multiplies by the summands bndiff2; the derivative of a sum by a summand is one."""
    return 1 / (bndiff2.shape[0] - 1) * bndiff2 * dbnvar


def ex1_atomic__dbndiff2__not_broadcast(bndiff2, dbnvar):
    """Leaves one number per neuron: what was summed over the batch is not broadcast back."""
    return 1 / (bndiff2.shape[0] - 1) * dbnvar


def ex1_atomic__dbndiff__two_factors_lost(bndiff, dbndiff2, dbnraw):
    """Two mistakes: the square's factor 2 is lost, and the direct path's factor bnvar_inv too."""
    return bndiff * dbndiff2 + dbnraw


def ex1_atomic__dbnmeani__positive_mean(dbndiff):
    """Two mistakes: averages over the batch instead of summing, and loses the minus sign."""
    return dbndiff.mean(0, keepdim=True)


def ex1_atomic__dhprebn__subtracted_again(hprebn, dbndiff, dbnmeani):
    """Subtracts the path through the mean, but dbnmeani has the minus sign in it already."""
    return dbndiff - 1 / hprebn.shape[0] * dbnmeani


# --- exercise 1: linear 1, embedding ---------------------------------------------------------


def ex1_atomic__dembcat__times_input(embcat, W1, dhprebn):
    """Multiplies by the layer's own input as well; the local derivative is W1 alone."""
    return (dhprebn @ W1.T) * embcat


def ex1_atomic__dW1__activation_not_gradient(embcat, hprebn):
    """Forgets a d: multiplies by the forward value hprebn instead of by its gradient."""
    return embcat.T @ hprebn


def ex1_atomic__db1__set_to_zero(b1):
    """Batch norm cancels b1, so it just says zero, instead of summing the upstream gradient."""
    return torch.zeros_like(b1)


def ex1_atomic__demb__axes_in_wrong_order(emb, dembcat):
    """Unpacks each row as n_embd by block_size and transposes: letters and components mixed."""
    n, block_size, n_embd = emb.shape
    return dembcat.view(n, n_embd, block_size).transpose(1, 2)


def ex1_atomic__dC__repeats_within_position(C, Xb, demb):
    """Adds one position for all examples at once: += with repeated indices keeps one of them."""
    dC = torch.zeros_like(C)
    for j in range(Xb.shape[1]):
        dC[Xb[:, j]] += demb[:, j]
    return dC


def ex1_atomic__dC__vocab_hard_coded(Xb, demb):
    """Hard-codes 27 characters instead of taking the number of rows from C."""
    dC = torch.zeros(27, demb.shape[2], dtype=demb.dtype)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            dC[Xb[k, j]] += demb[k, j]
    return dC


# --- exercise 2 ------------------------------------------------------------------------------


def ex2_cross_entropy__dlogits__softmax_over_batch(logits, Yb):
    """Takes the softmax down the columns (dim 0), over the batch instead of the characters."""
    dlogits = F.softmax(logits, 0)
    dlogits[torch.arange(logits.shape[0]), Yb] -= 1
    return dlogits / logits.shape[0]


def ex2_cross_entropy__dlogits__targets_only(logits, Yb):
    """Fills in the target's logit alone and forgets that the others are in the denominator."""
    n = logits.shape[0]
    rows = torch.arange(n)
    dlogits = torch.zeros_like(logits)
    dlogits[rows, Yb] = (F.softmax(logits, 1)[rows, Yb] - 1) / n
    return dlogits


def ex2_cross_entropy__dlogits__one_not_divided(logits, Yb):
    """Divides by n before it subtracts the one, so the one at the target is not divided."""
    n = logits.shape[0]
    dlogits = F.softmax(logits, 1) / n
    dlogits[torch.arange(n), Yb] -= 1
    return dlogits


def ex2_cross_entropy__dlogits__index_as_value(logits, Yb):
    """Subtracts the character's index as a number from the row, instead of its one-hot vector."""
    return (F.softmax(logits, 1) - Yb.view(-1, 1)) / logits.shape[0]


def ex2_cross_entropy__dlogits__factor_p_left(logits, Yb):
    """Leaves a factor p that the derivative of the logarithm, 1/p, should have cancelled."""
    p = F.softmax(logits, 1)
    return p * (p - F.one_hot(Yb, logits.shape[1])) / logits.shape[0]


def ex2_cross_entropy__dlogits__target_minus_p(logits, Yb):
    """Two mistakes: the sign is reversed (one-hot minus p), and the mean's 1/n is missing."""
    return F.one_hot(Yb, logits.shape[1]) - F.softmax(logits, 1)


# --- exercise 3 ------------------------------------------------------------------------------


def ex3_batchnorm__dhprebn__variance_held_fixed(dhpreact, bngain, bnvar_inv):
    """Treats the variance as a constant: the path through it is missing."""
    return bngain * bnvar_inv * (dhpreact - dhpreact.mean(0, keepdim=True))


def ex3_batchnorm__dhprebn__wrong_sum_is_zero(dhpreact, bngain, bnraw, bnvar_inv):
    """Drops the path through the mean; the sum that vanishes is that of deviations, not this."""
    n = bnraw.shape[0]
    sum_gx = (dhpreact * bnraw).sum(0, keepdim=True)
    return bngain * bnvar_inv * (dhpreact - bnraw * sum_gx / (n - 1))


def ex3_batchnorm__dhprebn__sums_over_neurons(dhpreact, bngain, bnraw, bnvar_inv):
    """Sums over dim 1, the neurons, where both sums run over the batch, dim 0."""
    n = bnraw.shape[0]
    sum_g = dhpreact.sum(1, keepdim=True)
    sum_gx = (dhpreact * bnraw).sum(1, keepdim=True)
    return bngain * bnvar_inv / n * (n * dhpreact - sum_g - n / (n - 1) * bnraw * sum_gx)


def ex3_batchnorm__dhprebn__gain_on_direct_only(dhpreact, bngain, bnraw, bnvar_inv):
    """Has the gain in the direct path only; the paths through mean and variance need it too."""
    n = bnraw.shape[0]
    through_mean = dhpreact.sum(0, keepdim=True) / n
    through_var = bnraw * (dhpreact * bnraw).sum(0, keepdim=True) / (n - 1)
    return bnvar_inv * (bngain * dhpreact - through_mean - through_var)


def ex3_batchnorm__dhprebn__batch_size_hard_coded(dhpreact, bngain, bnraw, bnvar_inv):
    """Hard-codes the batch size as 32 and Bessel's correction as 32/31."""
    sum_g = dhpreact.sum(0)
    sum_gx = (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / 32 * (32 * dhpreact - sum_g - 32 / 31 * bnraw * sum_gx)


def ex3_batchnorm__dhprebn__divided_twice(dhpreact, bngain, bnraw, bnvar_inv):
    """Writes means for the two sums although 1/n is in front already: divides them by n twice."""
    n = bnraw.shape[0]
    mean_g = dhpreact.mean(0, keepdim=True)
    mean_gx = (dhpreact * bnraw).mean(0, keepdim=True)
    return bngain * bnvar_inv / n * (n * dhpreact - mean_g - n / (n - 1) * bnraw * mean_gx)
