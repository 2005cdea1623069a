"""Right answers to exercise 3 that take another way than the reference: never to be rejected."""

import numpy as np
import torch


def dhprebn__lecture(dhpreact, bngain, bnraw, bnvar_inv):
    """The lecture's own single line."""
    n = dhpreact.shape[0]
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__means(dhpreact, bngain, bnraw, bnvar_inv):
    """With a mean in place of the sum over n, nothing divided at the end."""
    n = dhpreact.shape[0]
    projection = (dhpreact * bnraw).sum(0, keepdim=True) / (n - 1)
    return bngain * bnvar_inv * (dhpreact - dhpreact.mean(0, keepdim=True) - bnraw * projection)


def dhprebn__gain_first(dhpreact, bngain, bnraw, bnvar_inv):
    """The gain first, then the normalisation."""
    dbnraw = bngain * dhpreact
    projection = (dbnraw * bnraw).sum(0) / (len(dbnraw) - 1)
    return (dbnraw - dbnraw.mean(0) - bnraw * projection) * bnvar_inv


def dhprebn__atom_by_atom(dhpreact, bngain, bnraw, bnvar_inv):
    """The steps of exercise 1, the differences recovered from bnraw."""
    n = len(dhpreact)
    bndiff = bnraw / bnvar_inv
    dbnraw = bngain * dhpreact
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = -0.5 * bnvar_inv**3 * dbnvar_inv
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * (dbnvar / (n - 1)).expand_as(bndiff)
    return dbndiff - dbndiff.sum(0) / n


def dhprebn__from_hprebn(dhpreact, bngain, hprebn, bnmean, bnvar_inv):
    """The normalised values computed anew from hprebn."""
    n = len(hprebn)
    normalised = (hprebn - bnmean) * bnvar_inv
    through_variance = normalised * (dhpreact * normalised).sum(0) / (n - 1)
    return bngain * bnvar_inv * (dhpreact - dhpreact.sum(0) / n - through_variance)


def dhprebn__einsum(dhpreact, bngain, bnraw, bnvar_inv):
    """einsum for both sums."""
    n = len(dhpreact)
    through_mean = torch.einsum("nh->h", dhpreact) / n
    through_variance = torch.einsum("nh,mh,mh->nh", bnraw, dhpreact, bnraw) / (n - 1)
    return (dhpreact - through_mean - through_variance) * (bngain * bnvar_inv)


def dhprebn__jacobian(dhpreact, bngain, bnraw, bnvar_inv):
    """Each column's Jacobian in full, applied by einsum."""
    n = len(dhpreact)
    centring = torch.eye(n, dtype=bnraw.dtype) - 1 / n
    jacobian = centring[:, :, None] - bnraw[:, None] * bnraw[None] / (n - 1)
    return torch.einsum("nmh,mh->nh", jacobian, dhpreact) * bngain * bnvar_inv


def dhprebn__centring_matrix(dhpreact, bngain, bnraw, bnvar_inv):
    """A product with the centring matrix, the gain as a diagonal matrix."""
    n = len(dhpreact)
    centring = torch.eye(n, dtype=bnraw.dtype) - torch.full((n, n), 1 / n, dtype=bnraw.dtype)
    inner = dhpreact - bnraw * (dhpreact * bnraw).sum(0) / (n - 1)
    return centring @ inner @ torch.diag((bngain * bnvar_inv).flatten())


def dhprebn__columns(dhpreact, bngain, bnraw, bnvar_inv):
    """A Python loop over the columns, stacked as rows, returned as a transposed view."""
    n = len(dhpreact)
    columns = []
    for j in range(dhpreact.shape[1]):
        upstream, x = dhpreact[:, j], bnraw[:, j]
        centred = upstream - upstream.mean() - x * torch.dot(upstream, x) / (n - 1)
        columns.append(bngain[0, j] * bnvar_inv[0, j] * centred)
    return torch.stack(columns).T


def dhprebn__in_place(dhpreact, bngain, bnraw, bnvar_inv):
    """In place on a copy of the upstream gradient."""
    n = len(dhpreact)
    dhprebn = dhpreact.clone()
    dhprebn -= dhpreact.mean(0).expand_as(dhpreact)
    dhprebn.addcmul_(bnraw, (dhpreact * bnraw).sum(0).broadcast_to(bnraw.shape), value=-1 / (n - 1))
    return dhprebn.mul_(bngain).mul_(bnvar_inv)


def dhprebn__with_gain_and_bias_gradients(dhpreact, bngain, bnraw, bnvar_inv):
    """Written with the gradients of gain and bias, which are the two sums."""
    n = len(dhpreact)
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnbias = dhpreact.sum(0, keepdim=True)
    return bngain * bnvar_inv * (dhpreact - (dbnbias + n / (n - 1) * bnraw * dbngain) / n)


def dhprebn__float32_constant(dhpreact, bngain, bnraw, bnvar_inv):
    """A constant of the default dtype, float32, in front."""
    n = len(dhpreact)
    through_variance = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    share = torch.tensor(1 / n)
    return share * bngain * bnvar_inv * (n * dhpreact - dhpreact.sum(0) - through_variance)


def dhprebn__float32_zeros(dhpreact, bngain, bnraw, bnvar_inv):
    """Rows assigned into zeros of the default dtype, float32."""
    n, hidden = dhpreact.shape
    gain, mean = (bngain * bnvar_inv)[0], dhpreact.mean(0)
    projection = (dhpreact * bnraw).sum(0) / (n - 1)
    dhprebn = torch.zeros(n, hidden)
    for i in range(n):
        dhprebn[i] = gain * (dhpreact[i] - mean - bnraw[i] * projection)
    return dhprebn


def dhprebn__numpy(dhpreact, bngain, bnraw, bnvar_inv):
    """numpy, returned as a numpy array."""
    upstream, gain, x, inverse = (t.numpy() for t in (dhpreact, bngain, bnraw, bnvar_inv))
    projection = np.sum(upstream * x, axis=0) / (len(x) - 1)
    return gain * inverse * (upstream - upstream.mean(axis=0) - x * projection)
