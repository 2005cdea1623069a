"""Exercise 4 as fast as plain PyTorch on a CPU allows: the same training step, rearranged.

What is rearranged, and what it saves, is said at each line. The readable solution stays the
teaching text; this one is checked against it, loss by loss. In short:

- Every tensor of a step is allocated once (`out=`, in place), and no gradient of a weight is ever
  stored: `addmm_` multiplies and subtracts in one go.
- Centring commutes with a linear layer. So not the (n, n_hidden) input of batch norm is centred
  but the (n, block_size * n_embd) input of linear 1, on the way forward and back.
- Batch norm's two scales are one: hpreact = diff * (gain / deviation) + bias.
- The mean's 1/n is not divided out of each gradient but goes into the learning rate.
- b1 is left as it is: its gradient is zero.
"""

import torch
from torch import addcmul, addmm, gather, index_select, mm, mul, mv

EPSILON = 1e-5


class Training:
    """Training steps in place on `parameters` (as initialise() gives them) with batches of n examples."""

    def __init__(self, parameters, n):
        self.parameters = parameters
        self.n = n
        C, W1, W2 = parameters["C"], parameters["W1"], parameters["W2"]
        n_inputs, n_hidden = W1.shape
        vocab, n_embd = C.shape
        new = W1.new_empty
        self.embcat = new(n, n_inputs)  # centred
        self.emb = self.embcat.view(-1, n_embd)
        self.dembcat = new(n, n_inputs)
        self.demb = self.dembcat.view(-1, n_embd)
        self.mean = new(n_inputs)
        self.diff, self.h, self.dh, self.product = (new(n, n_hidden) for _ in range(4))
        self.bnvar_inv, self.scale, self.slope, self.along = (new(n_hidden) for _ in range(4))
        self.logits = new(n, vocab)
        self.ones, self.share = torch.ones_like(self.h[:, 0]), torch.full_like(self.h[:, 0], 1 / n)
        self.minus_one = -torch.ones_like(self.logits[:, :1])
        self.targets = new(0, n, 1)  # log probabilities of the targets, one row a step

    def steps(self, X, Y, learning_rates):
        """One step for each batch X (steps, n, block_size), Y (steps, n); returns the losses (steps,)."""
        C, W1, _, W2, b2, bngain, bnbias = self.parameters.values()
        embcat, emb, dembcat, demb, mean = self.embcat, self.emb, self.dembcat, self.demb, self.mean
        diff, h, dh, product, logits = self.diff, self.h, self.dh, self.product, self.logits
        bnvar_inv, scale, slope, along = self.bnvar_inv, self.scale, self.slope, self.along
        ones, share, minus_one = self.ones, self.share, self.minus_one
        n, gain, bias = self.n, bngain[0], bnbias[0]
        embcat_T, dembcat_T, product_T = embcat.T, dembcat.T, product.T
        h_T, dh_T, W1_T, W2_T, logits_T = h.T, dh.T, W1.T, W2.T, logits.T  # views are not free either
        log_softmax = torch.ops.aten._log_softmax.out
        tanh_backward = torch.ops.aten.tanh_backward.grad_input
        if len(self.targets) != len(X):
            self.targets = W1.new_empty(len(X), n, 1)
        indices, targets = X.flatten(1).unbind(), Y.unsqueeze(2).unbind()
        for ix, iy, rate, picked in zip(indices, targets, learning_rates, self.targets.unbind(), strict=True):
            step = -rate / n
            # forward
            index_select(C, 0, ix, out=emb)
            mv(embcat_T, share, out=mean)
            embcat.sub_(mean)
            mm(embcat, W1, out=diff)  # hprebn - bnmean
            mul(diff, diff, out=product)
            mv(product_T, ones, out=bnvar_inv).div_(n - 1).add_(EPSILON).rsqrt_()
            mul(bnvar_inv, gain, out=scale)
            addcmul(bias, diff, scale, out=h).tanh_()
            addmm(b2, h, W2, out=logits)
            log_softmax(logits, 1, False, out=logits)
            gather(logits, 1, iy, out=picked)
            # backward: every gradient is n times too large, which `step` makes up for
            logits.exp_().scatter_add_(1, iy, minus_one)  # from here on dlogits
            mm(logits, W2_T, out=dh)
            W2.addmm_(h_T, logits, alpha=step)
            b2.addmv_(logits_T, ones, alpha=step)
            tanh_backward(dh, h, grad_input=dh)  # dhpreact
            mul(dh, diff, out=product)
            mv(product_T, ones, out=slope).mul_(bnvar_inv)  # dbngain
            bias.addmv_(dh_T, ones, alpha=step)
            mul(slope, bnvar_inv, out=along)
            dh.addcmul_(diff, along, value=-1 / (n - 1)).mul_(scale)  # dhprebn, but for its mean
            gain.add_(slope, alpha=step)
            mm(dh, W1_T, out=dembcat)
            W1.addmm_(embcat_T, dh, alpha=step)  # embcat is centred: the mean of dh does not matter
            mv(dembcat_T, share, out=mean)
            dembcat.sub_(mean)
            C.index_add_(0, ix, demb, alpha=step)
        return -self.targets.mean(dim=(1, 2))
