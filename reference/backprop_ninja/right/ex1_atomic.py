"""Right answers to exercise 1 that take another way than the reference: never to be rejected."""

import numpy as np
import torch
import torch.nn.functional as F

# --- cross-entropy ---


def dlogprobs__one_hot(logprobs, Yb):
    """A one-hot matrix of the targets, scaled."""
    return -F.one_hot(Yb, logprobs.shape[1]).to(logprobs.dtype) / logprobs.shape[0]


def dlogprobs__float32_zeros(logprobs, Yb, n):
    """Zeros of the default dtype, float32, filled by index."""
    dlogprobs = torch.zeros(n, logprobs.shape[1])
    dlogprobs[range(n), Yb] = -1.0 / n
    return dlogprobs


def dlogprobs__scatter(logprobs, Yb, n):
    """scatter_ along the columns."""
    return torch.zeros_like(logprobs).scatter_(1, Yb[:, None], -1.0 / n)


def dlogprobs__index_put(logprobs, Yb, n):
    """index_put_ with accumulate, a share for each example."""
    share = torch.tensor(-1.0 / n, dtype=logprobs.dtype)
    return torch.zeros_like(logprobs).index_put_((torch.arange(n), Yb), share, accumulate=True)


def dlogprobs__where(logprobs, Yb, n):
    """torch.where on a mask of the targets."""
    is_target = torch.arange(logprobs.shape[1]) == Yb[:, None]
    return torch.where(is_target, -1.0 / n, 0.0)


def dlogprobs__loop(logprobs, Yb, n):
    """A Python loop over the examples."""
    dlogprobs = torch.zeros_like(logprobs)
    for i, target in enumerate(Yb.tolist()):
        dlogprobs[i, target] -= 1 / n
    return dlogprobs


def dlogprobs__numpy(logprobs, Yb, n):
    """numpy, returned as a numpy array."""
    dlogprobs = np.zeros(tuple(logprobs.shape))
    dlogprobs[np.arange(n), Yb.numpy()] = -1 / n
    return dlogprobs


def dprobs__inverse_first(probs, dlogprobs):
    """The inverse first, then the product."""
    return probs**-1 * dlogprobs


def dprobs__reciprocal_in_place(probs, dlogprobs):
    """In place on a tensor of one's own."""
    return probs.clone().reciprocal_().mul_(dlogprobs)


def dprobs__softmax(logits, dlogprobs):
    """The probabilities computed anew from logits."""
    return dlogprobs / torch.softmax(logits, 1)


def dprobs__exp_of_minus_logprobs(logprobs, dlogprobs):
    """The inverse as the exponential of -logprobs."""
    return torch.exp(-logprobs) * dlogprobs


def dprobs__numpy(probs, dlogprobs):
    """numpy, returned as a numpy array."""
    return dlogprobs.numpy() / probs.numpy()


def dcounts_sum_inv__einsum(counts, dprobs):
    """einsum over the columns."""
    return torch.einsum("nv,nv->n", counts, dprobs)[:, None]


def dcounts_sum_inv__no_keepdim(counts, dprobs):
    """Without keepdim: (n,) for (n, 1)."""
    return (counts * dprobs).sum(1)


def dcounts_sum_inv__batched_product(counts, dprobs):
    """A batch of row-times-column products."""
    return torch.bmm(counts[:, None, :], dprobs[:, :, None])[:, :, 0]


def dcounts_sum_inv__diagonal(counts, dprobs):
    """The diagonal of a matrix product, a view."""
    return (counts @ dprobs.T).diagonal()[:, None]


def dcounts_sum_inv__numpy(counts, dprobs):
    """numpy, returned as a numpy array."""
    return np.sum(counts.numpy() * dprobs.numpy(), axis=1, keepdims=True)


def dcounts_sum__square_of_inverse(counts_sum_inv, dcounts_sum_inv):
    """The square of the inverse that the forward pass has."""
    return -(counts_sum_inv**2) * dcounts_sum_inv


def dcounts_sum__division(counts_sum, dcounts_sum_inv):
    """A division by the square, upstream first."""
    return -dcounts_sum_inv / (counts_sum * counts_sum)


def dcounts_sum__in_place(counts_sum, dcounts_sum_inv):
    """In place on a tensor of one's own."""
    return counts_sum.clone().pow_(-2).mul_(dcounts_sum_inv).neg_()


def dcounts_sum__flat(counts_sum, dcounts_sum_inv):
    """Flat: (n,) for (n, 1)."""
    return (-dcounts_sum_inv / counts_sum**2).flatten()


def dcounts__expand(counts, counts_sum_inv, dprobs, dcounts_sum):
    """expand for the broadcast, sum branch first."""
    return dcounts_sum.expand(*counts.shape) + dprobs * counts_sum_inv


def dcounts__broadcasting(counts_sum_inv, dprobs, dcounts_sum):
    """Broadcasting left to the sum."""
    return counts_sum_inv * dprobs + dcounts_sum


def dcounts__in_place(counts, counts_sum_inv, dprobs, dcounts_sum):
    """Branches accumulated in place on zeros of one's own."""
    dcounts = torch.zeros_like(counts)
    dcounts += counts_sum_inv * dprobs
    dcounts += torch.broadcast_to(dcounts_sum, counts.shape)
    return dcounts


def dcounts__rows(counts, counts_sum_inv, dprobs, dcounts_sum):
    """A Python loop over the rows, stacked."""
    rows = zip(counts_sum_inv, dprobs, dcounts_sum, strict=True)
    return torch.stack([inverse * upstream + share for inverse, upstream, share in rows])


def dcounts__matrix_product_with_ones(counts, counts_sum_inv, dprobs, dcounts_sum):
    """The broadcast as a product with a row of ones, the other with a diagonal matrix."""
    ones = torch.ones_like(counts[:1])
    return torch.diag(counts_sum_inv[:, 0]) @ dprobs + dcounts_sum @ ones


def dcounts__addcdiv(counts, counts_sum, dprobs, dcounts_sum):
    """Division by the sum instead of the inverse, with addcdiv."""
    return torch.addcdiv(dcounts_sum.expand_as(counts), dprobs, counts_sum)


def dnorm_logits__exp_anew(norm_logits, dcounts):
    """The exponential taken anew."""
    return dcounts * norm_logits.exp()


def dnorm_logits__in_place(counts, dcounts):
    """In place on a copy of the upstream gradient."""
    dnorm_logits = dcounts.clone()
    dnorm_logits *= counts
    return dnorm_logits


def dnorm_logits__einsum(counts, dcounts):
    """einsum without a sum, returned as a view of its transpose."""
    return torch.einsum("nv,nv->vn", counts, dcounts).T


def dnorm_logits__softmax_times_sum(logits, counts_sum, dcounts):
    """The counts as softmax times their sum."""
    return torch.softmax(logits, 1) * counts_sum * dcounts


def dnorm_logits__float32_result(counts, dcounts):
    """Assigned into zeros of the default dtype, float32."""
    dnorm_logits = torch.zeros(counts.shape[0], counts.shape[1])
    dnorm_logits[:] = counts * dcounts
    return dnorm_logits


def dlogit_maxes__negated_first(dnorm_logits):
    """Negated first, then summed."""
    return (-dnorm_logits).sum(dim=-1, keepdim=True)


def dlogit_maxes__no_keepdim(dnorm_logits):
    """Without keepdim: (n,) for (n, 1)."""
    return -dnorm_logits.sum(1)


def dlogit_maxes__product_with_ones(dnorm_logits):
    """A product with a column of minus ones."""
    return dnorm_logits @ torch.full_like(dnorm_logits[:1], -1.0).T


def dlogit_maxes__loop(logit_maxes, dnorm_logits):
    """A Python loop over the columns."""
    dlogit_maxes = torch.zeros_like(logit_maxes)
    for column in dnorm_logits.T:
        dlogit_maxes[:, 0] -= column
    return dlogit_maxes


def dlogit_maxes__numpy(dnorm_logits):
    """numpy, returned as a numpy array."""
    return -np.sum(dnorm_logits.numpy(), axis=1, keepdims=True)


def dlogits__one_hot(logits, dnorm_logits, dlogit_maxes):
    """A one-hot matrix of the maxima, as in the lecture."""
    largest = logits.max(1).indices
    return dnorm_logits + F.one_hot(largest, num_classes=logits.shape[1]) * dlogit_maxes


def dlogits__where(logits, dnorm_logits, dlogit_maxes):
    """torch.where on a mask of the maxima."""
    is_largest = torch.arange(logits.shape[1]) == logits.argmax(1, keepdim=True)
    return torch.where(is_largest, dnorm_logits + dlogit_maxes, dnorm_logits)


def dlogits__indexed(logits, dnorm_logits, dlogit_maxes):
    """In place by index on a copy of the upstream gradient."""
    dlogits = dnorm_logits.clone()
    dlogits[range(logits.shape[0]), logits.argmax(1)] += dlogit_maxes.squeeze(1)
    return dlogits


def dlogits__scatter_add(logits, dnorm_logits, dlogit_maxes):
    """scatter_add_ along the columns."""
    return dnorm_logits.clone().scatter_add_(1, logits.argmax(1, keepdim=True), dlogit_maxes)


def dlogits__index_put(norm_logits, dnorm_logits, dlogit_maxes):
    """index_put with accumulate, the maxima found in norm_logits."""
    places = (torch.arange(len(norm_logits)), norm_logits.argmax(1))
    return dnorm_logits.index_put(places, dlogit_maxes[:, 0], accumulate=True)


def dlogits__loop(logits, dnorm_logits, dlogit_maxes):
    """A Python loop over the rows."""
    dlogits = dnorm_logits.clone()
    for i, row in enumerate(logits):
        dlogits[i, row.argmax()] += dlogit_maxes[i, 0]
    return dlogits


# --- linear 2 ---


def dh__einsum(W2, dlogits):
    """einsum over the columns."""
    return torch.einsum("nv,hv->nh", dlogits, W2)


def dh__transposed_product(W2, dlogits):
    """The transposed product laid back, a view that is not contiguous."""
    return (W2 @ dlogits.T).T


def dh__linear(W2, dlogits):
    """F.linear, which transposes by itself."""
    return F.linear(dlogits, W2)


def dh__columns(h, W2, dlogits):
    """A Python loop that adds up the columns of W2."""
    dh = torch.zeros_like(h)
    for upstream, weights in zip(dlogits.T, W2.T, strict=True):
        dh += upstream[:, None] * weights
    return dh


def dh__numpy(W2, dlogits):
    """numpy, returned as a numpy array."""
    return dlogits.numpy() @ W2.numpy().T


def dW2__einsum(h, dlogits):
    """einsum over the examples."""
    return torch.einsum("nh,nv->hv", h, dlogits)


def dW2__transposed_product(h, dlogits):
    """The transposed product laid back, a view that is not contiguous."""
    return (dlogits.T @ h).T


def dW2__outer_products(h, W2, dlogits):
    """A Python loop that adds up an outer product for each example."""
    dW2 = torch.zeros_like(W2)
    for i in range(h.shape[0]):
        dW2 += torch.outer(h[i], dlogits[i])
    return dW2


def dW2__broadcast_and_sum(h, dlogits):
    """All outer products at once, then their sum."""
    return (h[:, :, None] * dlogits[:, None, :]).sum(0)


def dW2__numpy(h, dlogits):
    """numpy, returned as a numpy array."""
    return np.einsum("nh,nv->hv", h.numpy(), dlogits.numpy())


def db2__keepdim(dlogits):
    """With keepdim: (1, vocab) for (vocab,)."""
    return dlogits.sum(0, keepdim=True)


def db2__ones_product(dlogits):
    """A product with a vector of ones."""
    return torch.ones_like(dlogits[:, 0]) @ dlogits


def db2__mean_times_n(dlogits):
    """The mean times the number of examples."""
    return dlogits.mean(0) * dlogits.shape[0]


def db2__loop(b2, dlogits):
    """A Python loop over the examples."""
    db2 = torch.zeros_like(b2)
    for row in dlogits:
        db2 += row
    return db2


def db2__numpy(dlogits):
    """numpy, returned as a numpy array."""
    return dlogits.numpy().sum(axis=0)


# --- tanh ---


def dhpreact__addcmul(h, dh):
    """addcmul, which is bit-exact on fused kernels."""
    return torch.addcmul(torch.ones_like(h), h, h, value=-1) * dh


def dhpreact__multiplied_out(h, dh):
    """The brackets multiplied out."""
    return dh - h * h * dh


def dhpreact__tanh_anew(hpreact, dh):
    """tanh taken anew from hpreact."""
    return (1 - hpreact.tanh() ** 2) * dh


def dhpreact__binomial(h, dh):
    """The third binomial formula."""
    return dh * (1 - h) * (1 + h)


def dhpreact__cosh(hpreact, dh):
    """The inverse of the squared cosh."""
    return dh / torch.cosh(hpreact) ** 2


def dhpreact__in_place(h, dh):
    """In place on a tensor of one's own."""
    return h.square().neg_().add_(1).mul_(dh)


def dhpreact__numpy(h, dh):
    """numpy, returned as a numpy array."""
    return (1 - np.square(h.numpy())) * dh.numpy()


# --- batchnorm ---


def dbngain__einsum(bnraw, dhpreact):
    """einsum over the examples, with the dimension put back."""
    return torch.einsum("nh,nh->h", bnraw, dhpreact).unsqueeze(0)


def dbngain__no_keepdim(bnraw, dhpreact):
    """Without keepdim: (hidden,) for (1, hidden)."""
    return (bnraw * dhpreact).sum(0)


def dbngain__loop(bngain, bnraw, dhpreact):
    """A Python loop over the examples."""
    dbngain = torch.zeros_like(bngain)
    for normalised, upstream in zip(bnraw, dhpreact, strict=True):
        dbngain[0] += normalised * upstream
    return dbngain


def dbngain__transposed(bnraw, dhpreact):
    """Summed on its side and laid back."""
    return (dhpreact.T * bnraw.T).sum(1, keepdim=True).T


def dbngain__bnraw_anew(bndiff, bnvar_inv, dhpreact):
    """bnvar_inv taken out of the sum."""
    return bnvar_inv * (bndiff * dhpreact).sum(0, keepdim=True)


def dbnbias__no_keepdim(dhpreact):
    """Without keepdim: (hidden,) for (1, hidden)."""
    return dhpreact.sum(0)


def dbnbias__ones_product(dhpreact):
    """A product with a row of ones."""
    return torch.ones_like(dhpreact[:, :1]).T @ dhpreact


def dbnbias__einsum(dhpreact):
    """einsum over the examples, with the dimension put back."""
    return torch.einsum("nh->h", dhpreact).view(1, -1)


def dbnbias__cumulative(dhpreact):
    """The last row of the running sum, a view."""
    return dhpreact.cumsum(0)[-1:]


def dbnbias__numpy(dhpreact):
    """numpy, returned as a numpy array."""
    return np.add.reduce(dhpreact.numpy(), axis=0, keepdims=True)


def dbnraw__diagonal_product(bngain, dhpreact):
    """A product with a diagonal matrix."""
    return dhpreact @ torch.diag(bngain[0])


def dbnraw__expand(bngain, dhpreact):
    """expand for the broadcast."""
    return bngain.expand_as(dhpreact) * dhpreact


def dbnraw__in_place(bngain, dhpreact):
    """In place on a copy of the upstream gradient."""
    return dhpreact.clone().mul_(bngain)


def dbnraw__columns(bngain, dhpreact):
    """A Python loop over the columns, stacked."""
    columns = [g * upstream for g, upstream in zip(bngain[0], dhpreact.T, strict=True)]
    return torch.stack(columns, dim=1)


def dbnraw__numpy(bngain, dhpreact):
    """numpy, returned as a numpy array."""
    return np.multiply(bngain.numpy(), dhpreact.numpy())


def dbnvar_inv__einsum(bndiff, dbnraw):
    """einsum over the examples, with the dimension put back."""
    return torch.einsum("nh,nh->h", bndiff, dbnraw)[None]


def dbnvar_inv__no_keepdim(bndiff, dbnraw):
    """Without keepdim: (hidden,) for (1, hidden)."""
    return (bndiff * dbnraw).sum(0)


def dbnvar_inv__bndiff_anew(hprebn, bnmeani, dbnraw):
    """The differences computed anew."""
    return ((hprebn - bnmeani) * dbnraw).sum(0, keepdim=True)


def dbnvar_inv__diagonal(bndiff, dbnraw):
    """The diagonal of a matrix product, a view."""
    return (bndiff.T @ dbnraw).diagonal().view(1, -1)


def dbnvar_inv__addcmul_loop(bnvar_inv, bndiff, dbnraw):
    """A Python loop over the examples with addcmul_."""
    dbnvar_inv = torch.zeros_like(bnvar_inv)
    for i in range(len(bndiff)):
        dbnvar_inv.addcmul_(bndiff[i : i + 1], dbnraw[i : i + 1])
    return dbnvar_inv


def dbnvar__cube_of_inverse(bnvar_inv, dbnvar_inv):
    """The cube of the inverse that the forward pass has."""
    return -0.5 * bnvar_inv**3 * dbnvar_inv


def dbnvar__square_root(bnvar, dbnvar_inv):
    """Square root and division."""
    spread = bnvar + 1e-5
    return -dbnvar_inv / (2 * spread * torch.sqrt(spread))


def dbnvar__float32_half(bnvar_inv, dbnvar_inv):
    """A constant of the default dtype, float32, in three steps."""
    half = torch.tensor(-0.5)
    return half * bnvar_inv * bnvar_inv.square() * dbnvar_inv


def dbnvar__exp_of_log(bnvar, dbnvar_inv):
    """The power as the exponential of a logarithm."""
    return -0.5 * torch.exp(-1.5 * torch.log(bnvar + 1e-5)) * dbnvar_inv


def dbnvar__flat(bnvar, dbnvar_inv):
    """Flat: (hidden,) for (1, hidden)."""
    return -0.5 * (bnvar[0] + 1e-5).pow(-1.5) * dbnvar_inv[0]


def dbnvar__numpy(bnvar, dbnvar_inv):
    """numpy, returned as a numpy array."""
    return -0.5 * (bnvar.numpy() + 1e-5) ** -1.5 * dbnvar_inv.numpy()


def dbndiff2__expand(bndiff2, dbnvar, n):
    """expand for the broadcast, a view without memory of its own."""
    return (dbnvar / (n - 1)).expand(bndiff2.shape)


def dbndiff2__float32_constant(bndiff2, dbnvar):
    """A constant of the default dtype, float32."""
    share = torch.tensor(1 / (bndiff2.shape[0] - 1))
    return share * torch.ones_like(bndiff2) * dbnvar


def dbndiff2__broadcast_to(bndiff2, dbnvar):
    """broadcast_to, divided afterwards."""
    return torch.broadcast_to(dbnvar, bndiff2.shape) / (len(bndiff2) - 1)


def dbndiff2__repeat(dbnvar, n):
    """repeat for the broadcast."""
    return (dbnvar / (n - 1)).repeat(n, 1)


def dbndiff2__rows(bndiff2, dbnvar, n):
    """A Python loop over the rows, assigned into a tensor of one's own."""
    dbndiff2 = torch.empty_like(bndiff2)
    for row in dbndiff2:
        row[:] = dbnvar[0] / (n - 1)
    return dbndiff2


def dbndiff2__numpy(bndiff2, dbnvar):
    """numpy's broadcast, returned as a read-only numpy view."""
    return np.broadcast_to(dbnvar.numpy() / (bndiff2.shape[0] - 1), tuple(bndiff2.shape))


def dbndiff__other_order(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """The raw branch first, the factor 2 as a sum."""
    return dbnraw * bnvar_inv + (bndiff + bndiff) * dbndiff2


def dbndiff__in_place(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """Branches accumulated in place, as in the lecture."""
    dbndiff = bnvar_inv * dbnraw
    dbndiff += 2 * bndiff * dbndiff2
    return dbndiff


def dbndiff__addcmul(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """addcmul with a value."""
    return torch.addcmul(bnvar_inv * dbnraw, bndiff, dbndiff2, value=2.0)


def dbndiff__einsum(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """Two einsums, one of them with a sum over the dimension of size 1."""
    raw_branch = torch.einsum("oh,nh->nh", bnvar_inv, dbnraw)
    return raw_branch + 2 * torch.einsum("nh,nh->nh", bndiff, dbndiff2)


def dbndiff__numpy(bndiff, bnvar_inv, dbndiff2, dbnraw):
    """numpy, returned as a numpy array."""
    raw_branch = bnvar_inv.numpy() * dbnraw.numpy()
    return raw_branch + 2.0 * bndiff.numpy() * dbndiff2.numpy()


def dbnmeani__lecture(dbndiff):
    """The lecture's own: (hidden,) for (1, hidden)."""
    return (-dbndiff).sum(0)


def dbnmeani__negated_last(dbndiff):
    """Summed first, then negated."""
    return dbndiff.sum(0, keepdim=True).neg()


def dbnmeani__product_with_ones(dbndiff):
    """A product with a row of minus ones."""
    return -torch.ones_like(dbndiff[:, :1]).T @ dbndiff


def dbnmeani__mean_times_n(dbndiff):
    """The mean times minus the number of examples."""
    return dbndiff.mean(0, keepdim=True) * -dbndiff.shape[0]


def dbnmeani__loop(bnmeani, dbndiff):
    """A Python loop over the examples."""
    dbnmeani = torch.zeros_like(bnmeani)
    for row in dbndiff:
        dbnmeani -= row
    return dbnmeani


def dbnmeani__numpy(dbndiff):
    """numpy, returned as a numpy array."""
    return -np.sum(dbndiff.numpy(), axis=0)


def dhprebn__broadcasting(dbndiff, dbnmeani, n):
    """Broadcasting left to the sum."""
    return dbnmeani / n + dbndiff


def dhprebn__float32_constant(hprebn, dbndiff, dbnmeani):
    """A constant of the default dtype, float32, and ones_like."""
    share = torch.tensor(1 / hprebn.shape[0])
    return dbndiff + torch.ones_like(hprebn) * dbnmeani * share


def dhprebn__in_place(dbndiff, dbnmeani, n):
    """In place on a copy of the upstream gradient, as in the lecture."""
    dhprebn = dbndiff.clone()
    dhprebn += 1.0 / n * (torch.ones_like(dbndiff) * dbnmeani)
    return dhprebn


def dhprebn__expand(dbndiff, dbnmeani):
    """expand for the broadcast, alpha for the share."""
    return torch.add(dbndiff, dbnmeani.expand_as(dbndiff), alpha=1 / dbndiff.shape[0])


def dhprebn__rows(dbndiff, dbnmeani, n):
    """A Python loop over the rows, stacked."""
    return torch.stack([row + dbnmeani[0] / n for row in dbndiff])


def dhprebn__numpy(dbndiff, dbnmeani):
    """numpy, returned as a numpy array."""
    return dbndiff.numpy() + dbnmeani.numpy() / dbndiff.shape[0]


# --- linear 1 ---


def dembcat__einsum(W1, dhprebn):
    """einsum over the hidden units."""
    return torch.einsum("nh,eh->ne", dhprebn, W1)


def dembcat__transposed_product(W1, dhprebn):
    """The transposed product laid back, a view that is not contiguous."""
    return torch.mm(W1, dhprebn.T).t()


def dembcat__rows(W1, dhprebn):
    """A Python loop over the examples, stacked."""
    return torch.stack([W1 @ upstream for upstream in dhprebn])


def dembcat__tensordot(W1, dhprebn):
    """tensordot over the hidden units."""
    return torch.tensordot(dhprebn, W1, dims=([1], [1]))


def dembcat__numpy(W1, dhprebn):
    """numpy, returned as a numpy array."""
    return np.dot(dhprebn.numpy(), W1.numpy().T)


def dW1__einsum(embcat, dhprebn):
    """einsum over the examples."""
    return torch.einsum("ne,nh->eh", embcat, dhprebn)


def dW1__from_emb(emb, W1, dhprebn):
    """einsum on emb, flattened afterwards."""
    return torch.einsum("npe,nh->peh", emb, dhprebn).reshape(W1.shape)


def dW1__transposed_product(embcat, dhprebn):
    """The transposed product laid back, a view that is not contiguous."""
    return (dhprebn.T @ embcat).T


def dW1__outer_products(W1, embcat, dhprebn):
    """A Python loop that adds up an outer product for each example, in place."""
    dW1 = torch.zeros_like(W1)
    for embedding, upstream in zip(embcat, dhprebn, strict=True):
        dW1.addr_(embedding, upstream)
    return dW1


def dW1__batched_product(embcat, dhprebn):
    """A batch of column-times-row products, then their sum."""
    return torch.bmm(embcat.unsqueeze(2), dhprebn.unsqueeze(1)).sum(0)


def db1__keepdim(dhprebn):
    """With keepdim: (1, hidden) for (hidden,)."""
    return dhprebn.sum(0, keepdim=True)


def db1__einsum(dhprebn):
    """einsum over the examples."""
    return torch.einsum("nh->h", dhprebn)


def db1__loop(b1, dhprebn):
    """A Python loop over the examples."""
    db1 = torch.zeros_like(b1)
    for i in range(dhprebn.shape[0]):
        db1 += dhprebn[i]
    return db1


def db1__python_sum(dhprebn):
    """Python's own sum over the rows."""
    return sum(dhprebn)


def db1__index_add(b1, dhprebn):
    """Everything added into one row: (1, hidden) for (hidden,)."""
    zeros = torch.zeros(len(dhprebn), dtype=torch.long)
    return torch.zeros_like(b1)[None].index_add_(0, zeros, dhprebn)


# --- embedding ---


def demb__reshape(emb, dembcat):
    """reshape with a size left open."""
    return dembcat.reshape(-1, *emb.shape[1:])


def demb__unflatten(emb, dembcat):
    """unflatten of the columns."""
    return dembcat.unflatten(1, emb.shape[1:])


def demb__split_and_stack(emb, dembcat):
    """Split into positions, stacked again."""
    return torch.stack(dembcat.split(emb.shape[2], dim=1), dim=1)


def demb__loop(emb, dembcat):
    """A Python loop over the positions, assigned into a tensor of one's own."""
    demb = torch.zeros_like(emb)
    width = emb.shape[2]
    for position in range(emb.shape[1]):
        demb[:, position] = dembcat[:, position * width : (position + 1) * width]
    return demb


def demb__transposed_view(emb, dembcat):
    """A view that is not contiguous: positions first in memory."""
    positions_first = dembcat.view(emb.shape).transpose(0, 1).contiguous()
    return positions_first.transpose(0, 1)


def demb__float32_result(emb, dembcat):
    """Assigned into zeros of the default dtype, float32."""
    demb = torch.zeros(*emb.shape)
    demb[:] = dembcat.view(emb.shape)
    return demb


def demb__numpy(emb, dembcat):
    """numpy, returned as a numpy array."""
    return dembcat.numpy().reshape(tuple(emb.shape))


def dC__double_loop(C, Xb, demb):
    """The lecture's double loop."""
    dC = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            ix = Xb[k, j]
            dC[ix] += demb[k, j]
    return dC


def dC__index_add(C, Xb, demb):
    """index_add_ on the flattened positions."""
    return torch.zeros_like(C).index_add_(0, Xb.flatten(), demb.flatten(0, 1))


def dC__scatter_add(C, Xb, demb):
    """scatter_add_ with the index spread over the columns."""
    rows = Xb.reshape(-1, 1).expand(-1, C.shape[1])
    return torch.zeros_like(C).scatter_add_(0, rows, demb.reshape(-1, C.shape[1]))


def dC__index_put(C, Xb, demb):
    """index_put_ with accumulate."""
    return torch.zeros_like(C).index_put_((Xb,), demb, accumulate=True)


def dC__one_hot_product(C, Xb, demb):
    """A product with the one-hot matrix of all positions."""
    onehot = F.one_hot(Xb.flatten(), C.shape[0]).to(demb.dtype)
    return onehot.T @ demb.reshape(-1, C.shape[1])


def dC__one_hot_einsum(C, Xb, demb):
    """einsum with the one-hot tensor, returned as a view of its transpose."""
    onehot = F.one_hot(Xb, len(C)).to(demb.dtype)
    return torch.einsum("npv,npe->ev", onehot, demb).T


def dC__masks(C, Xb, demb):
    """A Python loop over the characters, with a mask each."""
    return torch.stack([demb[Xb == character].sum(0) for character in range(C.shape[0])])


def dC__float32_zeros(C, Xb, demb):
    """Added into zeros of the default dtype, float32."""
    dC = torch.zeros(C.shape[0], C.shape[1])
    dC.index_add_(0, Xb.flatten(), demb.flatten(0, 1).float())
    return dC


def dC__numpy_add_at(C, Xb, demb):
    """numpy's add.at, returned as a numpy array."""
    dC = np.zeros(tuple(C.shape))
    np.add.at(dC, Xb.numpy(), demb.numpy())
    return dC
