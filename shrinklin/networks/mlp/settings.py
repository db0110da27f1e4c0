"""The parameters of an estimator: checks, and what they mean for a training."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch
from sklearn.base import clone

from shrinklin.messages import warn
from shrinklin.networks.gates import gates_of, layer_name
from shrinklin.networks.mlp.layers import FRONT, n_parameters
from shrinklin.pruning.budget import Budget
from shrinklin.pruning.connections import ConnectionAnnealing
from shrinklin.pruning.removal import Annealing, Removal, SignVariance
from shrinklin.validation.parameters import check_flag, check_real, check_whole

# alpha * √n, for standardised features and a loss that is a log-likelihood.
ALPHA = 0.05
OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True),
}
LARGEST_BATCH, LEAST_EPOCHS, LEAST_STEPS = 200, 100, 500


def check_training(estimator):
    """Raise an error unless the parameters of training make sense, whatever the data."""
    hidden_layers(estimator)
    for name in ("alpha", "weight_decay"):
        if getattr(estimator, name) is not None:
            check_real(name, getattr(estimator, name), 0)
    check_real("p", estimator.p, 0, open_end=True)
    check_real("learning_rate", estimator.learning_rate, 0, open_end=True)
    if estimator.max_epochs is not None:
        check_whole("max_epochs", estimator.max_epochs, 1)
    if estimator.batch_size != "auto":
        check_whole("batch_size", estimator.batch_size, 1)
    _make_optimizer(estimator, [torch.nn.Parameter(torch.zeros(1))])
    check_device(estimator.device)


def check_settings(estimator):
    """Raise an error unless the parameters of an estimator of one network make sense."""
    check_training(estimator)
    for name in ("n_parameters", "n_features"):
        if getattr(estimator, name) is not None:
            check_whole(name, getattr(estimator, name), 1)
    check_flag("early_stopping", estimator.early_stopping)
    check_flag("warm_start", estimator.warm_start)
    check_real("validation_fraction", estimator.validation_fraction, 0, open_end=True)
    if estimator.validation_fraction >= 1:
        raise ValueError(
            f"validation_fraction={estimator.validation_fraction!r}: give a number in (0, 1)."
        )
    _check_removal(estimator)


def check_device(device):
    """Raise an error unless torch can train there."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device={device!r} cannot be used: give a device that torch finds on this machine, "
            f'such as "cpu". torch says: {error}'
        ) from error


def hidden_layers(estimator):
    """The sizes of the hidden layers: a list of int."""
    given = estimator.hidden_layer_sizes
    sizes = [given] if isinstance(given, Integral) else given
    if isinstance(sizes, np.ndarray):
        sizes = sizes.tolist()
    if not isinstance(sizes, Sequence) or isinstance(sizes, str) or len(sizes) == 0:
        raise ValueError(
            f"hidden_layer_sizes={given!r}: give a whole number, or a list with the number of "
            "units in each hidden layer, at least one layer."
        )
    for size in sizes:
        check_whole("hidden_layer_sizes", size, 1)
    return [int(size) for size in sizes]


def connections_of(estimator):
    """The `ConnectionAnnealing` that is given as `removal`, or None. A search has no `removal`."""
    removal = getattr(estimator, "removal", None)
    return removal if isinstance(removal, ConnectionAnnealing) else None


def refuse_warm_connections(estimator):
    """Raise an error where training would bring pruned connections back."""
    if connections_of(estimator) is not None:
        raise ValueError(
            "training from a fitted network would bring back connections that a "
            "ConnectionAnnealing pruned: fit anew with warm_start=False, or start partial_fit with "
            "a clone."
        )


def refuse_early_stopping(estimator):
    """Raise an error, as `partial_fit` holds no rows out."""
    if estimator.early_stopping:
        raise ValueError(
            "early_stopping=True holds rows out, which partial_fit cannot do: set "
            "early_stopping=False, or use fit."
        )


def penalties(estimator, n_rows, outputs):
    """The values of alpha and weight_decay for a sum of sample weights."""
    alpha, decay = estimator.alpha, estimator.weight_decay
    if alpha is None:
        alpha = 0.0 if connections_of(estimator) else ALPHA / np.sqrt(n_rows)
    return float(alpha), float(outputs.weight_decay / n_rows if decay is None else decay)


def warn_of_small_weights(estimator, weight):
    """Warn if weights that sum to 1, say, would make the default penalties very large."""
    by_weight = estimator.alpha is None or estimator.weight_decay is None
    if by_weight and weight.mean() < 0.5:
        warn(
            f"the sample weights of {len(weight)} rows sum to {weight.sum():.3g}, and the default "
            f"alpha and weight_decay of {type(estimator).__name__} are those for that many rows: "
            "multiply the weights so that their mean is 1, or give alpha and weight_decay."
        )


def batch_size(estimator, n_samples):
    """Rows per step."""
    given = LARGEST_BATCH if estimator.batch_size == "auto" else estimator.batch_size
    return min(given, n_samples)


def n_epochs(estimator, n_samples):
    """Number of passes over the data."""
    if estimator.max_epochs is not None:
        return estimator.max_epochs
    steps = -(-n_samples // batch_size(estimator, n_samples))
    return max(LEAST_EPOCHS, -(-LEAST_STEPS // steps))


def make_optimizer(estimator, model):
    """The optimiser of all parameters of a model."""
    return _make_optimizer(estimator, model.parameters())


def _make_optimizer(estimator, parameters):
    # The penalty on weights is part of the loss; a second one would act on switches, too.
    parameters = [{"params": list(parameters), "weight_decay": 0.0}]
    given = estimator.optimizer
    if isinstance(given, str) and given in OPTIMIZERS:
        return OPTIMIZERS[given](parameters, lr=estimator.learning_rate)
    if isinstance(given, type) and issubclass(given, torch.optim.Optimizer):
        return given(parameters, lr=estimator.learning_rate)
    raise ValueError(
        f'optimizer={given!r}: give "adam", "sgd", or a class of torch.optim such as '
        "torch.optim.RMSprop."
    )


def _check_removal(estimator):
    removal = estimator.removal
    if isinstance(removal, str) and removal == "auto":
        return
    for name in ("n_parameters", "n_features"):
        if getattr(estimator, name) is not None:
            raise ValueError(
                f"{name}={getattr(estimator, name)} and removal={removal!r} both decide what is "
                f'removed: give removal="auto" with {name}, or leave {name} out.'
            )


def removals(estimator, model, n_outputs, max_epochs):
    """What a `Shrinker` of this model takes as `removal`."""
    if isinstance(estimator.removal, dict):
        # Strategies of their own, as scikit-learn's `clone` makes them.
        return {name: clone(each, safe=False) for name, each in estimator.removal.items()}
    if not isinstance(estimator.removal, str):
        return estimator.removal
    if estimator.removal != "auto":
        raise ValueError(
            f'removal={estimator.removal!r}: give "auto", None, an instance of '
            "shrinklin.SignVariance or another Removal, a dict of layer to such an instance, or a "
            "ConnectionAnnealing."
        )
    n_features, goal = estimator.n_features, estimator.n_parameters
    sizes = {layer_name(name): int(gate.alive.sum()) for name, gate in gates_of(model).items()}
    _check_goals(estimator, sizes, n_outputs)
    units: Removal = SignVariance(gamma=0.9)
    if goal is not None:
        # With n_features, those are left from the middle on.
        begin = 0.25 if n_features is None else 0.5
        units = Budget(goal, pretrain=round(begin * max_epochs))
    front = units if n_features is None else Annealing(n_features)
    return {name: front if name == FRONT else units for name in sizes}


def _check_goals(estimator, sizes, n_outputs):
    n_features, goal = estimator.n_features, estimator.n_parameters
    if n_features is not None and n_features > sizes[FRONT]:
        raise ValueError(
            f"n_features={n_features} is more than the {sizes[FRONT]} features that there are: "
            "give at most that many, or None. With warm_start=True, removed ones do not come back."
        )
    least = n_parameters([n_features or 1, *[1] * (len(sizes) - 1), n_outputs])
    if goal is not None and goal < least:
        kept = "one feature" if n_features is None else f"n_features={n_features}"
        raise ValueError(
            f"n_parameters={goal}, but a network with {kept} and one unit in each hidden layer has "
            f"{least}: give at least that many."
        )


def has_schedule(removal):
    """Whether a strategy among these has to run to its end."""
    if isinstance(removal, ConnectionAnnealing):
        return True
    strategies = removal.values() if isinstance(removal, dict) else [removal]
    return any(isinstance(each, Removal) and each.scheduled for each in strategies)
