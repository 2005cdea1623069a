"""A blind test of the diagnosis: wrong answers it was not made for.

Written after the diagnosis was finished, by someone who had not seen it, nor the lists of right
and wrong answers it was made with. Each function is what a student might hand in, named
<exercise>__<gradient>__<slug>. It asks for its parameters by name, as the exercises do, and its
docstring tells the true cause of the mistake, as a teacher would.

40 answers: 28 for exercise 1, 6 for exercise 2, 6 for exercise 3.
"""

import torch
import torch.nn.functional as F

# --- exercise 1: cross-entropy -----------------------------------------------------------------


def ex1_atomic__dlogprobs__value_not_derivative(logprobs, Yb):
    """Puts each target's share of the loss itself at the target, where its derivative belongs."""
    n = logprobs.shape[0]
    grad = torch.zeros_like(logprobs)
    grad[torch.arange(n), Yb] = -logprobs[torch.arange(n), Yb] / n
    return grad


def ex1_atomic__dlogprobs__softmax_formula(logprobs, probs, Yb):
    """Uses the famous formula, probs minus one-hot: that is the gradient of the logits."""
    n = logprobs.shape[0]
    grad = probs.clone()
    grad[torch.arange(n), Yb] -= 1
    return grad / n


def ex1_atomic__dprobs__log_base_ten(probs, dlogprobs):
    """Differentiates the logarithm to base 10; torch's log is the natural one, so no ln(10)."""
    return dlogprobs / (probs * torch.log(torch.tensor(10.0, dtype=probs.dtype)))


def ex1_atomic__dcounts_sum_inv__product_of_sums(counts, dprobs):
    """Sums each factor over the row and then multiplies; the products have to be summed."""
    return counts.sum(1, keepdim=True) * dprobs.sum(1, keepdim=True)


def ex1_atomic__dcounts_sum__antiderivative(counts_sum, dcounts_sum_inv):
    """Integrates 1/x, which gives log x, instead of differentiating it."""
    return counts_sum.log() * dcounts_sum_inv


def ex1_atomic__dcounts__factor_on_both_paths(counts_sum_inv, dprobs, dcounts_sum):
    """Multiplies both paths by counts_sum_inv; it belongs to the product only, not to the sum."""
    return counts_sum_inv * (dprobs + dcounts_sum)


def ex1_atomic__dnorm_logits__power_rule(norm_logits, dcounts):
    """Applies the power rule to e^x and gets x e^(x-1): the variable is in the exponent here."""
    return norm_logits * (norm_logits - 1).exp() * dcounts


def ex1_atomic__dlogit_maxes__only_at_the_max(logits, dnorm_logits):
    """Takes only the maximum's column; the max is subtracted from all columns, so sum them all."""
    return -dnorm_logits.gather(1, logits.argmax(1, keepdim=True))


def ex1_atomic__dlogits__assigned_at_the_max(logits, dnorm_logits, dlogit_maxes):
    """Overwrites the entry at the maximum instead of adding: its direct gradient is lost there."""
    grad = dnorm_logits.clone()
    grad[torch.arange(grad.shape[0]), logits.argmax(1)] = dlogit_maxes[:, 0]
    return grad


# --- exercise 1: linear 2 and tanh -------------------------------------------------------------


def ex1_atomic__dh__tanh_included(h, W2, dlogits):
    """Goes one step too far: 1 - h**2 takes it through the tanh already, which is dhpreact's."""
    return (dlogits @ W2.T) * (1 - h**2)


def ex1_atomic__dW2__forgot_the_d(h, logits):
    """Multiplies by logits, the forward value, and not by the gradient dlogits."""
    return h.T @ logits


def ex1_atomic__db2__times_the_bias(b2, dlogits):
    """Multiplies by b2 as if it were a factor; it is added, so its local derivative is 1."""
    return b2 * dlogits.sum(0)


def ex1_atomic__dhpreact__missing_parentheses(h, dh):
    """Parentheses missing around 1 - h**2: only h**2 is multiplied by dh, the 1 is not."""
    return 1 - h**2 * dh


# --- exercise 1: batchnorm ---------------------------------------------------------------------


def ex1_atomic__dbngain__output_and_mean(hpreact, dhpreact):
    """Two mistakes: multiplies by the output hpreact instead of bnraw, and averages, not sums."""
    return (hpreact * dhpreact).mean(0, keepdim=True)


def ex1_atomic__dbnbias__first_example(dhpreact):
    """Takes the first example's row to get the shape; the bias gets a share from all examples."""
    return dhpreact[:1]


def ex1_atomic__dbnraw__forward_again(bngain, bnbias, dhpreact):
    """Repeats the forward line with the gradient in it; the added bias has no part in dbnraw."""
    return bngain * dhpreact + bnbias


def ex1_atomic__dbnvar_inv__not_centred(hprebn, dbnraw):
    """Uses hprebn where bndiff belongs: bnvar_inv is multiplied by the difference to the mean."""
    return (hprebn * dbnraw).sum(0, keepdim=True)


def ex1_atomic__dbnvar__inverse_to_minus_three_halves(bnvar_inv, dbnvar_inv):
    """The power -1.5 is that of bnvar + eps; written with bnvar_inv it is the cube, power 3."""
    return -0.5 * bnvar_inv**-1.5 * dbnvar_inv


def ex1_atomic__dbnvar__no_epsilon_no_minus(bnvar, dbnvar_inv):
    """Two mistakes: the minus of the exponent -0.5 is lost, and so is the epsilon."""
    return 0.5 * bnvar**-1.5 * dbnvar_inv


def ex1_atomic__dbndiff2__n_of_the_wrong_dimension(bndiff2, dbnvar):
    """Takes n from shape[1], the number of neurons; the variance is over the batch, shape[0]."""
    n = bndiff2.shape[1]
    return 1 / (n - 1) * torch.ones_like(bndiff2) * dbnvar


def ex1_atomic__dbndiff__no_two_and_bnraw(bndiff, bnraw, dbndiff2, dbnraw):
    """Two mistakes: the 2 of the square is missing, and the direct path has bnraw as its factor."""
    return bndiff * dbndiff2 + bnraw * dbnraw


def ex1_atomic__dhprebn__batch_of_32(dbndiff, dbnmeani):
    """Right only for 32 examples: the 1/n of the mean is written as 1/32."""
    return dbndiff + dbnmeani / 32


# --- exercise 1: linear 1 and embedding --------------------------------------------------------


def ex1_atomic__dembcat__inverse_not_transpose(W1, dhprebn):
    """Undoes the product with a (pseudo-)inverse of W1; the gradient wants the transpose."""
    return dhprebn @ torch.linalg.pinv(W1)


def ex1_atomic__dW1__reshaped_not_transposed(embcat, dhprebn):
    """Computes the transposed matrix and reshapes it to fit, which scrambles it; transpose it."""
    return (dhprebn.T @ embcat).reshape(embcat.shape[1], dhprebn.shape[1])


def ex1_atomic__db1__just_zero(b1):
    """Argues that batch norm cancels b1 and returns 0, without summing the gradient that came."""
    return torch.zeros_like(b1)


def ex1_atomic__demb__axes_swapped(emb, dembcat):
    """Splits the row as (n_embd, block_size) and swaps: the right shape, numbers out of order."""
    n, block_size, n_embd = emb.shape
    return dembcat.view(n, n_embd, block_size).transpose(1, 2)


def ex1_atomic__dC__indices_in_another_order(C, Xb, demb):
    """Flattens Xb by columns and demb by rows: the gradients go to the wrong letters."""
    grad = torch.zeros_like(C)
    grad.index_add_(0, Xb.T.reshape(-1), demb.reshape(-1, C.shape[1]))
    return grad


def ex1_atomic__dC__loop_over_positions_only(C, Xb, demb):
    """The += at an index list keeps one of equal indices: letters shared by examples get lost."""
    grad = torch.zeros_like(C)
    for j in range(Xb.shape[1]):
        grad[Xb[:, j]] += demb[:, j]
    return grad


# --- exercise 2 --------------------------------------------------------------------------------


def ex2_cross_entropy__dlogits__only_the_one_divided(logits, Yb):
    """Divides only the 1 at the target by n; the mean divides the probabilities as well."""
    n = logits.shape[0]
    grad = F.softmax(logits, 1)
    grad[torch.arange(n), Yb] -= 1 / n
    return grad


def ex2_cross_entropy__dlogits__softmax_derivative_twice(logits, Yb):
    """Multiplies by p (1 - p) on top: the softmax's derivative is already inside p - y."""
    n = logits.shape[0]
    p = F.softmax(logits, 1)
    y = F.one_hot(Yb, logits.shape[1])
    return (p - y) * p * (1 - p) / n


def ex2_cross_entropy__dlogits__targets_only(logits, Yb):
    """Gives a gradient to the target only; the others are in the softmax's denominator too."""
    n = logits.shape[0]
    p = F.softmax(logits, 1)
    grad = torch.zeros_like(logits)
    grad[torch.arange(n), Yb] = (p[torch.arange(n), Yb] - 1) / n
    return grad


def ex2_cross_entropy__dlogits__prediction_for_target(logits):
    """Subtracts the 1 at the most probable character, the prediction, and not at the target."""
    n = logits.shape[0]
    grad = F.softmax(logits, 1)
    grad[torch.arange(n), logits.argmax(1)] -= 1
    return grad / n


def ex2_cross_entropy__dlogits__log_probabilities(logits, Yb):
    """Starts from the logarithms of the probabilities (log_softmax), not the probabilities."""
    n = logits.shape[0]
    grad = F.log_softmax(logits, 1)
    grad[torch.arange(n), Yb] -= 1
    return grad / n


def ex2_cross_entropy__dlogits__dimensions_mixed_up(logits, Yb):
    """Two mistakes: softmax down the batch, not along the row, and divided by vocab, not n."""
    n, vocab = logits.shape
    grad = F.softmax(logits, 0)
    grad[torch.arange(n), Yb] -= 1
    return grad / vocab


# --- exercise 3 --------------------------------------------------------------------------------


def ex3_batchnorm__dhprebn__lecture_numbers(dhpreact, bngain, bnraw, bnvar_inv):
    """Right only for 32 examples: n is written as 32 and n / (n - 1) as 32 / 31."""
    sum_g = dhpreact.sum(0, keepdim=True)
    sum_gx = (dhpreact * bnraw).sum(0, keepdim=True)
    return bngain * bnvar_inv / 32 * (32 * dhpreact - sum_g - 32 / 31 * bnraw * sum_gx)


def ex3_batchnorm__dhprebn__sums_over_everything(dhpreact, bngain, bnraw, bnvar_inv):
    """Sums without a dimension, over all neurons too; each column has sums of its own (dim 0)."""
    n = bnraw.shape[0]
    bracket = n * dhpreact - dhpreact.sum() - n / (n - 1) * bnraw * (dhpreact * bnraw).sum()
    return bngain * bnvar_inv / n * bracket


def ex3_batchnorm__dhprebn__product_of_sums(dhpreact, bngain, bnraw, bnvar_inv):
    """Sums gradient and bnraw apart, then multiplies; bnraw sums to 0: no variance path is left."""
    n = bnraw.shape[0]
    sum_g = dhpreact.sum(0, keepdim=True)
    sum_x = bnraw.sum(0, keepdim=True)
    return bngain * bnvar_inv / n * (n * dhpreact - sum_g - n / (n - 1) * bnraw * sum_g * sum_x)


def ex3_batchnorm__dhprebn__brackets_missing(dhpreact, bngain, bnraw, bnvar_inv):
    """Brackets missing: the factor bngain * bnvar_inv / n reaches only the first of three terms."""
    n = bnraw.shape[0]
    sum_g = dhpreact.sum(0, keepdim=True)
    sum_gx = (dhpreact * bnraw).sum(0, keepdim=True)
    return bngain * bnvar_inv / n * n * dhpreact - sum_g - n / (n - 1) * bnraw * sum_gx


def ex3_batchnorm__dhprebn__deviations_not_normalized(dhpreact, bngain, bnvar_inv, hprebn, bnmean):
    """Has hprebn - bnmean in the variance's term, where bnraw belongs, which is scaled as well."""
    n = hprebn.shape[0]
    diff = hprebn - bnmean
    sum_g = dhpreact.sum(0, keepdim=True)
    sum_gx = (dhpreact * diff).sum(0, keepdim=True)
    return bngain * bnvar_inv / n * (n * dhpreact - sum_g - n / (n - 1) * diff * sum_gx)


def ex3_batchnorm__dhprebn__no_gain_and_bessel_upside_down(dhpreact, bnraw, bnvar_inv):
    """Two mistakes: the gain is forgotten, and n / (n - 1) is upside down, (n - 1) / n."""
    n = bnraw.shape[0]
    sum_g = dhpreact.sum(0, keepdim=True)
    sum_gx = (dhpreact * bnraw).sum(0, keepdim=True)
    return bnvar_inv / n * (n * dhpreact - sum_g - (n - 1) / n * bnraw * sum_gx)
