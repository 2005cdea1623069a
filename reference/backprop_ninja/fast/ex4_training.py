"""Exercise 4 as fast as plain PyTorch on a CPU allows: the same training step, rearranged.

The readable solution stays the teaching text; this one is checked against it, loss by loss.
What is rearranged, and why:

- Every tensor of a step is allocated once (`out=`, in place), and no gradient of a weight is ever
  stored: `addmm_` multiplies and subtracts in one go.
- Centring commutes with a linear layer. So it is not the (n, n_hidden) input of batch norm that is
  centred, but the much smaller input of linear 1; on the way back likewise.
- Batch norm's two scales are one: hpreact = diff * (gain / deviation) + bias.
- tanh(a) = 2 sigmoid(2 a) - 1, and the sigmoid is four times as fast. Gain and bias are kept doubled
  for it.
- Matrix products want sizes that are multiples of 16: 27 characters and 30 inputs are padded to 32,
  characters with a logit of minus infinity, or nearly. W2 is kept transposed: its update is the
  slowest of the products, and twice as fast that way.
- The mean's 1/n is not divided out of each gradient but goes into the learning rate.
- b1 is left as it is: its gradient is zero.
"""

import torch
from torch import addcmul, addmm, addmv, gather, index_select, mm, mul, mv, sub

EPSILON = 1e-5
LANES = 16
NEVER = -1e30  # a logit whose probability is zero


def _padded(size):
    return -(-size // LANES) * LANES


class Training:
    """Training steps in place on `parameters` (as initialise() gives them) with batches of n examples."""

    def __init__(self, parameters, n):
        self.parameters = parameters
        self.n = n
        W1 = parameters["W1"]
        self.inputs, hidden = W1.shape
        self.vocab, n_embd = parameters["C"].shape
        inputs, vocab = _padded(self.inputs), _padded(self.vocab)
        new, zeros = W1.new_empty, W1.new_zeros
        self.W1, self.W2_T = zeros(inputs, hidden), zeros(vocab, hidden)
        self.b2 = W1.new_full((vocab,), NEVER)
        self.emb = new(n * (self.inputs // n_embd), n_embd)
        self.embcat, self.dembcat = zeros(n, inputs), new(n, inputs)
        self.mean = new(self.inputs)
        self.diff, self.h, self.dh, self.product = (new(n, hidden) for _ in range(4))
        self.gain2, self.bias2, self.bnvar_inv, self.scale2, self.slope, self.along = (new(hidden) for _ in range(6))
        self.logits = new(n, vocab)
        self.targets = new(0, n, 1)  # log probabilities of the targets, one row a step

    def _load(self):
        _C, W1, _b1, W2, b2, bngain, bnbias = self.parameters.values()
        self.W1[: self.inputs] = W1
        self.W2_T[: self.vocab] = W2.T
        self.b2[: self.vocab] = b2
        mul(bngain[0], 2, out=self.gain2)
        mul(bnbias[0], 2, out=self.bias2)

    def _store(self):
        _C, W1, _b1, W2, b2, bngain, bnbias = self.parameters.values()
        W1.copy_(self.W1[: self.inputs])
        W2.copy_(self.W2_T[: self.vocab].T)
        b2.copy_(self.b2[: self.vocab])
        mul(self.gain2, 0.5, out=bngain[0])
        mul(self.bias2, 0.5, out=bnbias[0])

    def steps(self, X, Y, learning_rates):
        """One step for each batch X (steps, n, block_size), Y (steps, n); returns the losses (steps,)."""
        self._load()
        C, W1, W2_T, b2, gain2, bias2 = self.parameters["C"], self.W1, self.W2_T, self.b2, self.gain2, self.bias2
        emb, embcat, dembcat, mean = self.emb, self.embcat, self.dembcat, self.mean
        diff, h, dh, product, logits = self.diff, self.h, self.dh, self.product, self.logits
        bnvar_inv, scale2, slope, along = self.bnvar_inv, self.scale2, self.slope, self.along
        n = self.n
        ones, one_nth = torch.ones_like(h[:, 0]), torch.full_like(h[:, 0], 1 / n)
        bessel = torch.full_like(ones, 1 / (n - 1))
        epsilon, minus_ones = torch.full_like(slope, EPSILON), -torch.ones_like(logits[:, :1])
        minus_one = minus_ones[0, 0]
        # Views are not free either: one of each.
        W1_T, W2, product_T, dh_T, logits_T = W1.T, W2_T.T, product.T, dh.T, logits.T
        flat, embcat_T = emb.view(n, -1), embcat.T
        flat_T, inside, dinside = flat.T, embcat[:, : self.inputs], dembcat[:, : self.inputs]
        dinside_T = dinside.T
        log_softmax = torch.ops.aten._log_softmax.out
        tanh_backward = torch.ops.aten.tanh_backward.grad_input
        if len(self.targets) != len(X):
            self.targets = h.new_empty(len(X), n, 1)
        indices, targets = X.flatten(1).unbind(), Y.unsqueeze(2).unbind()
        for ix, iy, rate, picked in zip(indices, targets, learning_rates, self.targets.unbind(), strict=True):
            step = -rate / n
            # forward
            index_select(C, 0, ix, out=emb)
            mv(flat_T, one_nth, out=mean)
            sub(flat, mean, out=inside)
            mm(embcat, W1, out=diff)  # hprebn - bnmean
            mul(diff, diff, out=product)
            addmv(epsilon, product_T, bessel, out=bnvar_inv).rsqrt_()
            mul(bnvar_inv, gain2, out=scale2)
            addcmul(bias2, diff, scale2, out=h).sigmoid_()  # of 2 * hpreact
            torch.add(minus_one, h, alpha=2, out=h)  # the tanh of hpreact
            addmm(b2, h, W2, out=logits)
            log_softmax(logits, 1, False, out=logits)
            gather(logits, 1, iy, out=picked)
            # backward: every gradient is n times too large, which `step` makes up for
            logits.exp_().scatter_add_(1, iy, minus_ones)  # from here on dlogits
            mm(logits, W2_T, out=dh)
            W2_T.addmm_(logits_T, h, alpha=step)
            b2.addmv_(logits_T, ones, alpha=step)
            tanh_backward(dh, h, grad_input=dh)  # dhpreact
            mul(dh, diff, out=product)
            mv(product_T, ones, out=slope).mul_(bnvar_inv)  # dbngain
            bias2.addmv_(dh_T, ones, alpha=2 * step)
            gain2.add_(slope, alpha=2 * step)
            mul(slope, bnvar_inv, out=along)
            dh.addcmul_(diff, along, value=-1 / (n - 1)).mul_(scale2)  # twice dhprebn, but for its mean
            mm(dh, W1_T, out=dembcat)
            W1.addmm_(embcat_T, dh, alpha=step / 2)  # embcat is centred: the mean of dh does not matter
            mv(dinside_T, one_nth, out=mean)
            sub(dinside, mean, out=flat)  # dembcat
            C.index_add_(0, ix, emb, alpha=step / 2)
        self._store()
        return -self.targets.mean(dim=(1, 2))
