"""An epoch of a training: batches, loss, penalty, steps."""

import math

import torch


def train_epoch(model, optimizer, batches, loss, shrinker=None):
    """Take a step of the optimiser for each batch.

    Parameters
    ----------
    model : nn.Module
    optimizer : torch.optim.Optimizer
    batches : iterable
    loss : callable
        Takes the model and a batch, and returns the mean loss of the batch: a tensor with one
        number.
    shrinker : Shrinker, default=None
        Its penalty is added, and its `step` called after each step.

    Returns
    -------
    float
        The mean over batches of the loss without penalty.

    Raises
    ------
    ValueError
        If there is no batch, or if a loss or a weight at the end is no number.
    """
    model.train()
    total, n_batches = 0.0, 0
    for batch in batches:
        value = _checked(loss(model, batch))
        total, n_batches = total + float(value.detach()), n_batches + 1
        if not math.isfinite(total):
            raise ValueError(
                f"training has diverged, as the loss of a batch is {float(value.detach())}: "
                "decrease the learning rate."
            )
        penalised = value if shrinker is None else value + shrinker.penalty()
        optimizer.zero_grad()
        penalised.backward()
        optimizer.step()
        if shrinker is not None:
            shrinker.step(penalised)
    if not all(bool(parameter.detach().isfinite().all()) for parameter in model.parameters()):
        raise ValueError(
            "training has diverged, as weights are no numbers after the last step: decrease the "
            "learning rate."
        )
    if not n_batches:
        raise ValueError(
            "batches has none in this epoch: give a list or a DataLoader, which can be gone "
            "through once per epoch; a generator cannot."
        )
    return total / n_batches


def _checked(value):
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
        raise ValueError(
            f"loss returned a {type(value).__name__}{shape}: it should return the mean loss of the "
            "batch, a tensor with one number."
        )
    return value
