"""Wrong answers to all four exercises, about half of them with two mistakes at once.

Written while the diagnosis of two mistakes was made, so they are no blind test: they hold what it can do. Each function
is named <exercise>__<gradient>__<slug>, and its docstring tells the true cause. A name `two_...` has two mistakes.
"""

import torch
import torch.nn.functional as F

# --- exercise 1: cross-entropy -----------------------------------------------------------------


def ex1_atomic__dlogprobs__two_no_mean_no_minus(logprobs, Yb):
    """Neither the mean's 1/n nor the minus."""
    return F.one_hot(Yb, logprobs.shape[1]).to(logprobs.dtype)


def ex1_atomic__dlogprobs__divided_by_n_squared(logprobs, Yb):
    """The mean twice."""
    n = logprobs.shape[0]
    return -F.one_hot(Yb, logprobs.shape[1]) / n**2


def ex1_atomic__dprobs__two_sign_and_times(probs, dlogprobs):
    """Multiplied, not divided, and a minus."""
    return -probs * dlogprobs


def ex1_atomic__dprobs__two_squared_and_sign(probs, dlogprobs):
    """The slope of 1/x."""
    return -dlogprobs / probs**2


def ex1_atomic__dcounts_sum_inv__two_wrong_operand_and_mean(probs, dprobs):
    """The product in the place of the factor, and a mean."""
    return (probs * dprobs).mean(1, keepdim=True)


def ex1_atomic__dcounts_sum_inv__two_not_summed_and_sign(counts, dprobs):
    """Not summed, and a minus."""
    return -counts * dprobs


def ex1_atomic__dcounts_sum_inv__two_wrong_dim_and_no_counts(dprobs):
    """Summed over the batch, and the factor is missing."""
    return dprobs.sum(0)


def ex1_atomic__dcounts_sum__counts_instead(counts, dcounts_sum_inv):
    """A tensor of another shape in the place of counts_sum."""
    return -(counts**-2) * dcounts_sum_inv


def ex1_atomic__dcounts_sum__two_no_square_no_minus(counts_sum, dcounts_sum_inv):
    """x^-1 for x^-2, and no minus."""
    return counts_sum**-1 * dcounts_sum_inv


def ex1_atomic__dcounts_sum__two_cube_and_two(counts_sum, dcounts_sum_inv):
    """The derivative of -x^-2: differentiated twice."""
    return 2 * counts_sum**-3 * dcounts_sum_inv


def ex1_atomic__dcounts__two_passed_and_sign(counts, dprobs, dcounts_sum):
    """dprobs without its factor, and dcounts_sum subtracted."""
    return dprobs - torch.ones_like(counts) * dcounts_sum


def ex1_atomic__dcounts__two_mean_and_operand(counts, counts_sum, dprobs, dcounts_sum):
    """counts_sum for its inverse, and a mean in the other branch."""
    return dprobs * counts_sum + dcounts_sum / counts.shape[1]


def ex1_atomic__dcounts__branch_summed(counts_sum_inv, dprobs, dcounts_sum):
    """The branch through probs is summed over its row."""
    return (counts_sum_inv * dprobs).sum(1, keepdim=True) + dcounts_sum * torch.ones_like(dprobs)


def ex1_atomic__dnorm_logits__two_probs_and_sign(probs, dcounts):
    """probs for counts, and a minus."""
    return -probs * dcounts


def ex1_atomic__dlogit_maxes__two_mean_and_sign(dnorm_logits):
    """A mean, and no minus."""
    return dnorm_logits.mean(1, keepdim=True)


def ex1_atomic__dlogit_maxes__two_not_summed_and_sign(dnorm_logits):
    """Passed on unchanged: no sum, no minus."""
    return dnorm_logits.clone()


def ex1_atomic__dlogits__two_everywhere_and_sign(dnorm_logits, dlogit_maxes):
    """The maximum's gradient at every entry, and subtracted."""
    return dnorm_logits - dlogit_maxes


def ex1_atomic__dlogits__whole_chain(logits, Yb):
    """The formula for the whole chain, whatever arrives."""
    return (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / logits.shape[0]


def ex1_atomic__dlogits__two_sign_of_both(logits, dnorm_logits, dlogit_maxes):
    """Twice the first branch, and minus the second."""
    return 2 * dnorm_logits - F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes


# --- exercise 1: linear 2, tanh ----------------------------------------------------------------


def ex1_atomic__dh__two_transposed_and_mean(W2, dlogits):
    """Lies on its side, and divided by n."""
    return W2 @ dlogits.T / dlogits.shape[0]


def ex1_atomic__dW2__two_hpreact_transposed(hpreact, dlogits):
    """hpreact for h, and transposed."""
    return dlogits.T @ hpreact


def ex1_atomic__dW2__two_hpreact_sign(hpreact, dlogits):
    """hpreact for h, and a minus."""
    return -hpreact.T @ dlogits


def ex1_atomic__db2__kept_dim_mean(dlogits):
    """A mean over the classes."""
    return dlogits.mean(1)


def ex1_atomic__db2__two_not_summed_mean(dlogits):
    """Not summed, and divided by n."""
    return dlogits / dlogits.shape[0]


def ex1_atomic__dhpreact__two_not_squared_sign(h, dh):
    """(h - 1) dh: no square, and the sign."""
    return (h - 1) * dh


def ex1_atomic__dhpreact__slope_twice(h, dh):
    """The slope squared."""
    return (1 - h**2) ** 2 * dh


# --- exercise 1: batchnorm ---------------------------------------------------------------------


def ex1_atomic__dbngain__two_hprebn_mean(hprebn, dhpreact):
    """hprebn for bnraw, and a mean."""
    return (hprebn * dhpreact).mean(0, keepdim=True)


def ex1_atomic__dbngain__two_not_summed_bndiff(bndiff, dhpreact):
    """bndiff for bnraw, and not summed."""
    return bndiff * dhpreact


def ex1_atomic__dbnbias__two_gain_sign(bngain, dhpreact):
    """Times the gain, and a minus."""
    return -bngain * dhpreact.sum(0, keepdim=True)


def ex1_atomic__dbnraw__two_divided_sign(bngain, dhpreact):
    """Divided by the gain, and a minus."""
    return -dhpreact / bngain


def ex1_atomic__dbnvar_inv__two_bnraw_dim(bnraw, dbnraw):
    """bnraw for bndiff, summed over the neurons."""
    return (bnraw * dbnraw).sum(1, keepdim=True)


def ex1_atomic__dbnvar__tiny_epsilon(bnvar, dbnvar_inv):
    """Another epsilon, 1e-8."""
    return -0.5 * (bnvar + 1e-8) ** -1.5 * dbnvar_inv


def ex1_atomic__dbnvar__two_no_half_squared(bnvar_inv, dbnvar_inv):
    """The square for the cube, and without the half."""
    return -(bnvar_inv**2) * dbnvar_inv


def ex1_atomic__dbndiff2__multiplied(bndiff2, dbnvar):
    """Multiplied by n - 1 instead of divided."""
    return torch.ones_like(bndiff2) * dbnvar * (bndiff2.shape[0] - 1)


def ex1_atomic__dbndiff__two_no_two_sign(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """The square's 2 is missing, the other branch has a minus."""
    return bndiff * dbndiff2 - bnvar_inv * dbnraw


def ex1_atomic__dbndiff__two_operand_and_no_two(bndiff, bnvar, dbndiff2, dbnraw):
    """bnvar for its inverse root, and no 2."""
    return bndiff * dbndiff2 + bnvar * dbnraw


def ex1_atomic__dhprebn__two_sign_bessel(dbndiff, dbnmeani):
    """Divided by n - 1, and subtracted."""
    return dbndiff - dbnmeani / (dbndiff.shape[0] - 1)


# --- exercise 1: linear 1, embedding -----------------------------------------------------------


def ex1_atomic__dembcat__two_not_flat_sign(W1, emb, dhprebn):
    """In the shape of emb, and a minus."""
    return -(dhprebn @ W1.T).view(emb.shape)


def ex1_atomic__dW1__two_mean_transposed(embcat, dhprebn):
    """Transposed, and a mean."""
    return dhprebn.T @ embcat / embcat.shape[0]


def ex1_atomic__demb__two_mean_transposed(emb, dembcat):
    """Axes exchanged, and divided by the number of positions."""
    return dembcat.view(emb.shape[0], emb.shape[2], emb.shape[1]).transpose(1, 2) / emb.shape[1]


def ex1_atomic__dC__one_contribution(C, Xb, demb):
    """Assigned where it should be added."""
    dC = torch.zeros_like(C)
    dC[Xb.reshape(-1)] = demb.reshape(-1, C.shape[1])
    return dC


def ex1_atomic__dC__two_buffered_mean(C, Xb, demb):
    """Overwritten, and divided by the number of positions."""
    dC = torch.zeros_like(C)
    dC[Xb] += demb
    return dC / Xb.shape[1]


# --- exercise 2 --------------------------------------------------------------------------------


def ex2_cross_entropy__dlogits__two_sign_no_mean(logits, Yb):
    """One-hot minus probabilities, undivided."""
    return F.one_hot(Yb, logits.shape[1]) - F.softmax(logits, 1)


def ex2_cross_entropy__dlogits__two_dim_0_no_mean(logits, Yb):
    """The softmax down the columns, and undivided."""
    return F.softmax(logits, 0) - F.one_hot(Yb, logits.shape[1])


def ex2_cross_entropy__dlogits__two_plus_and_dim(logits, Yb):
    """The softmax down the columns, and the 1 added."""
    return (F.softmax(logits, 0) + F.one_hot(Yb, logits.shape[1])) / logits.shape[0]


def ex2_cross_entropy__dlogits__half_a_one(logits, Yb):
    """Half of the 1 at the target."""
    return (F.softmax(logits, 1) - 0.5 * F.one_hot(Yb, logits.shape[1])) / logits.shape[0]


def ex2_cross_entropy__dlogits__two_plus_vocab(logits, Yb):
    """The 1 added, and divided by the vocabulary."""
    return (F.softmax(logits, 1) + F.one_hot(Yb, logits.shape[1])) / logits.shape[1]


def ex2_cross_entropy__dlogits__targets_negated(logits, Yb):
    """The probabilities alone, negated."""
    return -F.softmax(logits, 1) / logits.shape[0]


# --- exercise 3 --------------------------------------------------------------------------------


def ex3_batchnorm__dhprebn__two_mean_sign_no_bessel(dhpreact, bngain, bnraw, bnvar_inv):
    """The mean's path added, the variance's divided by n."""
    n = bnraw.shape[0]
    return bngain * bnvar_inv * (dhpreact + dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / n)


def ex3_batchnorm__dhprebn__two_no_mean_no_gain(dhpreact, bnraw, bnvar_inv):
    """No path through the mean, no gain."""
    n = bnraw.shape[0]
    return bnvar_inv * (dhpreact - bnraw * (dhpreact * bnraw).sum(0) / (n - 1))


def ex3_batchnorm__dhprebn__two_variance_sign_no_gain(dhpreact, bnraw, bnvar_inv):
    """The variance's path added, no gain."""
    n = bnraw.shape[0]
    return bnvar_inv * (dhpreact - dhpreact.mean(0) + bnraw * (dhpreact * bnraw).sum(0) / (n - 1))


def ex3_batchnorm__dhprebn__no_epsilon(dhpreact, bngain, bnraw, hprebn):
    """The standard deviation anew, without epsilon."""
    n = bnraw.shape[0]
    bracket = dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain / hprebn.std(0, keepdim=True) * bracket


def ex3_batchnorm__dhprebn__tiny_epsilon(dhpreact, bngain, bnraw, hprebn):
    """Another epsilon, 1e-8."""
    n = bnraw.shape[0]
    bracket = dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain * (hprebn.var(0, keepdim=True) + 1e-8) ** -0.5 * bracket


def ex3_batchnorm__dhprebn__two_squared_deviation_sign(dhpreact, bngain, bnraw, bnvar_inv):
    """The deviation squared, and a minus in front."""
    n = bnraw.shape[0]
    bracket = dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / (n - 1)
    return -bngain * bnvar_inv**2 * bracket


# --- exercise 4: one answer to each of the seven -------------------------------------------------


def _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw):
    """Right down to dhprebn."""
    n = len(Yb)
    dlogits = (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / n
    dhpreact = (1 - h**2) * (dlogits @ W2.T)
    slope = (dhpreact * bnraw).sum(0) / (n - 1)
    return dlogits, dhpreact, bngain * bnvar_inv * (dhpreact - dhpreact.mean(0) - bnraw * slope)


def ex4_training__dW2__two_hpreact_mean(logits, Yb, W2, h, hpreact, bngain, bnvar_inv, bnraw):
    """hpreact for h, and the mean twice."""
    dlogits, _, _ = _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw)
    return hpreact.T @ dlogits / len(Yb)


def ex4_training__dbngain__two_bnraw_missing_mean(logits, Yb, W2, h, bngain, bnvar_inv, bnraw):
    """No bnraw, and a mean."""
    _, dhpreact, _ = _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw)
    return dhpreact.mean(0, keepdim=True)


def ex4_training__dbnbias__two_no_tanh_mean(logits, Yb, W2, h, bngain, bnvar_inv, bnraw):
    """Without the slope of tanh, and a mean."""
    dlogits, _, _ = _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw)
    return (dlogits @ W2.T).mean(0, keepdim=True)


def ex4_training__dW1__two_variance_sign(embcat, logits, Yb, W2, h, bngain, bnvar_inv, bnraw):
    """The variance's path added, and a minus in front."""
    _, dhpreact, _ = _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw)
    slope = (dhpreact * bnraw).sum(0) / (len(Yb) - 1)
    return -embcat.T @ (bngain * bnvar_inv * (dhpreact - dhpreact.mean(0) + bnraw * slope))


def ex4_training__dC__two_no_gain_sign(C, Xb, W1, logits, Yb, W2, h, bngain, bnvar_inv, bnraw):
    """No gain in batch norm, and a minus."""
    _, _, dhprebn = _layers(logits, Yb, W2, h, bngain, bnvar_inv, bnraw)
    dembcat = -(dhprebn / bngain) @ W1.T
    return torch.zeros_like(C).index_add_(0, Xb.flatten(), dembcat.reshape(Xb.numel(), -1))


def ex4_training__db2__two_not_summed_no_mean(logits, Yb):
    """Not summed, and the mean is missing."""
    return F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])
