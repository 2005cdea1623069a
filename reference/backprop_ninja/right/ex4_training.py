"""Right answers to exercise 4 that take another way than the reference: never to be rejected."""

import numpy as np
import torch
import torch.nn.functional as F


def _down_from(dhprebn, C, W1, emb, embcat, Xb):
    """The last two layers, for answers that differ in those before."""
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.flatten(), (dhprebn @ W1.T).view(-1, C.shape[1]))
    return dC, embcat.T @ dhprebn, dhprebn.sum(0)


def _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb):
    """The layers from the loss to hprebn: dhprebn, dW2, db2, dbngain, dbnbias."""
    n = len(Yb)
    dlogits = (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / n
    g = (1 - h * h) * (dlogits @ W2.T)
    dgain, dbias = (g * bnraw).sum(0, keepdim=True), g.sum(0, keepdim=True)
    dhprebn = bngain * bnvar_inv / n * (n * g - dbias - n / (n - 1) * bnraw * dgain)
    return dhprebn, h.T @ dlogits, dlogits.sum(0), dgain, dbias


def backward__lecture(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """As the lecture writes it, with its double loop for the embedding."""
    n = len(Xb)
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dh = dlogits @ W2.T
    dW2 = h.T @ dlogits
    db2 = dlogits.sum(0)
    dhpreact = (1.0 - h**2) * dh
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnbias = dhpreact.sum(0, keepdim=True)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)
    dembcat = dhprebn @ W1.T
    dW1 = embcat.T @ dhprebn
    db1 = dhprebn.sum(0)
    demb = dembcat.view(emb.shape)
    dC = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            ix = Xb[k, j]
            dC[ix] += demb[k, j]
    return dC, dW1, db1, dW2, db2, dbngain, dbnbias


def backward__atom_by_atom(C, Xb, Yb, emb, embcat, W1, hprebn, bnmean, bngain, bnraw, bnvar, bnvar_inv, h, W2, logits):
    """The 26 steps of exercise 1 in a row."""
    n = len(Xb)
    counts = (logits - logits.max(1, keepdim=True).values).exp()
    counts_sum_inv = 1 / counts.sum(1, keepdim=True)
    probs = counts * counts_sum_inv
    dlogprobs = torch.zeros_like(logits)
    dlogprobs[range(n), Yb] = -1 / n
    # at an overflow a probability is 0 and log's slope infinite: multiply the two before the sums
    dlog = dlogprobs - probs * dlogprobs.sum(1, keepdim=True)
    dh, dW2, db2 = dlog @ W2.T, h.T @ dlog, dlog.sum(0)
    dhpreact = (1 - h**2) * dh
    bndiff = hprebn - bnmean
    dbnraw = bngain * dhpreact
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv
    dbndiff = bnvar_inv * dbnraw + 2 / (n - 1) * bndiff * dbnvar
    dhprebn = dbndiff - dbndiff.sum(0) / n
    dbngain, dbnbias = (bnraw * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)
    dC, dW1, db1 = _down_from(dhprebn, C, W1, emb, embcat, Xb)
    return dC, dW1, db1, dW2, db2, dbngain, dbnbias


def backward__one_hot_product(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """The embedding as a matrix product with one-hot rows."""
    dhprebn, dW2, db2, dbngain, dbnbias = _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb)
    one_hot = F.one_hot(Xb.flatten(), len(C)).to(emb.dtype)
    dC = one_hot.T @ (dhprebn @ W1.T).reshape(-1, C.shape[1])
    return dC, embcat.T @ dhprebn, dhprebn.sum(0), dW2, db2, dbngain, dbnbias


def backward__accumulate(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """index_put_ with accumulate, as a list."""
    dhprebn, dW2, db2, dbngain, dbnbias = _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb)
    demb = (dhprebn @ W1.T).view_as(emb)
    dC = torch.zeros_like(C).index_put_((Xb,), demb, accumulate=True)
    return [dC, embcat.T @ dhprebn, dhprebn.sum(0), dW2, db2, dbngain, dbnbias]


def backward__position_by_position(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """index_add for one position after the other, scatter_add at the targets."""
    dhprebn, dW2, db2, dbngain, dbnbias = _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb)
    dC = torch.zeros_like(C)
    for t, dembt in enumerate((dhprebn @ W1.T).view(emb.shape).unbind(1)):
        dC = dC + torch.zeros_like(C).index_add(0, Xb[:, t], dembt)
    return dC, embcat.T @ dhprebn, dhprebn.sum(0), dW2, db2, dbngain, dbnbias


def backward__einsum(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """einsum for every product and sum."""
    n = len(Xb)
    dlogits = F.softmax(logits, -1)
    dlogits = (dlogits - torch.eye(logits.shape[1], dtype=h.dtype)[Yb]) / n
    dhpreact = torch.einsum("nh,nv,hv->nh", 1 - h**2, dlogits, W2)
    dbngain = torch.einsum("nh,nh->h", bnraw, dhpreact)[None]
    dbnbias = torch.einsum("nh->h", dhpreact)[None]
    inner = dhpreact - dbnbias / n - torch.einsum("nh,oh->nh", bnraw, dbngain) / (n - 1)
    dhprebn = torch.einsum("oh,oh,nh->nh", bngain, bnvar_inv, inner)
    demb = torch.einsum("nh,eh->ne", dhprebn, W1).reshape(emb.shape)
    dC = torch.einsum("ntv,ntd->vd", F.one_hot(Xb, len(C)).to(h.dtype), demb)
    dW1, db1 = torch.einsum("ne,nh->eh", embcat, dhprebn), torch.einsum("nh->h", dhprebn)
    return dC, dW1, db1, torch.einsum("nh,nv->hv", h, dlogits), torch.einsum("nv->v", dlogits), dbngain, dbnbias


def backward__example_by_example(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """A loop over the examples for the parameters of both linear layers, by outer products."""
    dhprebn, _, _, dbngain, dbnbias = _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb)
    dC, dW1, db1 = torch.zeros_like(C), torch.zeros_like(W1), torch.zeros_like(h[0])
    dW2, db2 = torch.zeros_like(W2), torch.zeros_like(logits[0])
    for i in range(len(Xb)):
        dlogit = F.softmax(logits[i], 0)
        dlogit[Yb[i]] -= 1
        dlogit /= len(Xb)
        dW2 += torch.outer(h[i], dlogit)
        db2 += dlogit
        dW1 += torch.outer(embcat[i], dhprebn[i])
        db1 += dhprebn[i]
        for x, row in zip(Xb[i], (W1 @ dhprebn[i]).view(emb.shape[1:])):
            dC[x] += row
    return dC, dW1, db1, dW2, db2, dbngain, dbnbias


def backward__zeros_for_b1(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """Zeros for b1: batch norm takes away any constant, so that is its gradient in this network."""
    dhprebn, dW2, db2, dbngain, dbnbias = _down_to(bngain, bnraw, bnvar_inv, h, W2, logits, Yb)
    dC, dW1, _ = _down_from(dhprebn, C, W1, emb, embcat, Xb)
    return dC, dW1, torch.zeros(W1.shape[1]), dW2, db2, dbngain, dbnbias


def backward__in_place(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """In place on tensors of its own, with addcmul and addmm."""
    n = len(Xb)
    dlogits = logits.log_softmax(1).exp_()
    dlogits.scatter_add_(1, Yb[:, None], -torch.ones_like(dlogits[:, :1])).div_(n)
    dh = torch.addcmul(torch.ones_like(h), h, h, value=-1).mul_(dlogits @ W2.T)
    dbngain, dbnbias = (dh * bnraw).sum(0, True), dh.sum(0, True)
    dh.sub_(dbnbias, alpha=1 / n).addcmul_(bnraw, dbngain, value=-1 / (n - 1)).mul_(bngain * bnvar_inv)
    dC, dW1, db1 = _down_from(dh, C, W1, emb, embcat, Xb)
    return dC, dW1, db1, torch.mm(h.t(), dlogits), dlogits.sum(0), dbngain, dbnbias


def backward__float32_constants(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """Constants and zeros of the default dtype, float32."""
    n = torch.tensor(float(len(Xb)))
    dlogits = (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1]).float()) / n
    g = (1 - h**2) * (dlogits @ W2.T)
    dbngain, dbnbias = (g * bnraw).sum(0, keepdim=True), g.sum(0, keepdim=True)
    dhprebn = bngain * bnvar_inv * (g - dbnbias / n - bnraw * dbngain / (n - 1))
    dC = torch.zeros(C.shape)
    dC.index_add_(0, Xb.flatten(), (dhprebn @ W1.T).view(-1, C.shape[1]))
    return dC, embcat.T @ dhprebn, dhprebn.sum(0), h.T @ dlogits, dlogits.sum(0), dbngain, dbnbias


def backward__numpy(C, emb, embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb):
    """numpy from end to end."""
    tensors = (embcat, W1, bngain, bnraw, bnvar_inv, h, W2, logits, Xb, Yb)
    x, W1, gain, normal, inverse, h, W2, z, ix, y = (t.numpy() for t in tensors)
    n = len(y)
    dz = np.exp(z - z.max(1, keepdims=True))
    dz /= dz.sum(1, keepdims=True)
    dz[np.arange(n), y] -= 1
    dz /= n
    g = (1 - h**2) * (dz @ W2.T)
    dgain, dbias = (g * normal).sum(0, keepdims=True), g.sum(0, keepdims=True)
    dx = gain * inverse * (g - dbias / n - normal * dgain / (n - 1))
    dC = np.zeros_like(C.numpy())
    np.add.at(dC, ix, (dx @ W1.T).reshape(emb.shape))
    return dC, x.T @ dx, dx.sum(0), h.T @ dz, dz.sum(0), dgain, dbias
