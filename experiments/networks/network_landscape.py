"""Many networks with one hidden layer, trained at once.

The parameters of all networks stand in tensors whose first dimension is the start. The gradient
of the sum of their losses is that of each alone, and Adam works entry by entry: so each network
is trained as if it were alone, with the same order of the rows for all.
"""

import torch
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits

from experiments.networks.training import xor
from experiments.rates import rate_of


def draw(p, n_hidden, seeds):
    """Weights and biases as `torch.nn.Linear` draws them, of one network per seed.

    Returns
    -------
    list of Tensor
        Of shapes (n_starts, p, n_hidden), (n_starts, 1, n_hidden), (n_starts, n_hidden, 1),
        (n_starts, 1, 1).
    """
    drawn = [_draw_one(p, n_hidden, seed) for seed in seeds]
    return [torch.stack(of_all).requires_grad_() for of_all in zip(*drawn, strict=True)]


def _draw_one(p, n_hidden, seed):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(p, n_hidden), (1, n_hidden), (n_hidden, 1), (1, 1)]
    fan_ins = [p, p, n_hidden, n_hidden]
    return [
        (2 * torch.rand(shape, generator=generator) - 1) / fan_in**0.5
        for shape, fan_in in zip(shapes, fan_ins, strict=True)
    ]


def outputs(parameters, X):
    """Log-odds of all networks: (n_starts, n_rows)."""
    W, b, v, c = parameters
    return (torch.relu(X @ W + b) @ v + c).squeeze(2)


def losses(parameters, X, y):
    """The mean log-loss of each network: (n_starts,)."""
    Z = outputs(parameters, X)
    return binary_cross_entropy_with_logits(Z, y.expand_as(Z), reduction="none").mean(dim=1)


def descend(parameters, X, y, rates, batch, seed):
    """Adam, one epoch per learning rate; the order of the rows is that of the seed."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(parameters, fused=True)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        for rows in torch.randperm(len(X), generator=generator).split(batch):
            optimizer.zero_grad()
            losses(parameters, X[rows], y[rows]).sum().backward()
            optimizer.step()


def falling(rate, n, first=0.0):
    """n learning rates: constant for a first share, then along a cosine towards 0."""
    return [rate * rate_of(i, n, first) for i in range(n)]


def end(parameters, X, y):
    """Of each network: the loss, the norm of its gradient, and how many rows are wrong."""
    values = losses(parameters, X, y)
    gradients = torch.autograd.grad(values.sum(), parameters)
    squares = sum(gradient.square().sum(dim=(1, 2)) for gradient in gradients)
    wrong = ((outputs(parameters, X) > 0) != (y > 0)).sum(dim=1)
    return values.tolist(), squares.sqrt().tolist(), wrong.tolist()


@torch.no_grad()
def aucs(parameters, X, y):
    return [float(roc_auc_score(y, z)) for z in outputs(parameters, X)]


def measured(cells, training):
    """The results of cells that differ in their start alone.

    Parameters
    ----------
    cells : list of dict
    training : Training
        As in `experiments.network_landscape`.

    Returns
    -------
    list of dict
    """
    cell = cells[0]
    (X, y), test = xor(cell["k"], cell["p"], cell["n"], cell["draw"], training.n_test)
    parameters = draw(cell["p"], cell["units"], [cell["start"] for cell in cells])
    n_epochs = training.steps * training.batch // cell["n"]
    rates = falling(training.rate, n_epochs, training.first)
    descend(parameters, X, y, rates, training.batch, cell["draw"])
    found = [*end(parameters, X, y), aucs(parameters, X, y), aucs(parameters, *test)]
    later: list = [[None] * len(cells)] * 2
    if cell["later_steps"]:
        rates = falling(training.later_rate, cell["later_steps"])
        descend(parameters, X, y, rates, cell["n"], cell["draw"])
        loss, _, n_wrong = end(parameters, X, y)
        later = [loss, n_wrong]
    names = ("loss", "gradient", "n_wrong", "train_auc", "test_auc", "later_loss", "later_n_wrong")
    return [
        dict(zip(names, map(_rounded, values), strict=True))
        for values in zip(*found, *later, strict=True)
    ]


def _rounded(value):
    """Six digits are enough, and keep the file small."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
