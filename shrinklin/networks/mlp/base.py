"""What the estimators for tables share: the order of a fit, features and predictions.

The order of a fit: check the parameters and the data, standardise, train with switches, fold the
network that is left into a plain one, and let it take the columns as they are.
"""

from abc import abstractmethod
from copy import deepcopy

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinklin.estimators.base import private_generator, undone_on_error
from shrinklin.estimators.selector import Selector
from shrinklin.messages import warn
from shrinklin.networks.gates import Mask, Switch
from shrinklin.networks.mlp import layers, settings
from shrinklin.networks.mlp.rows import Rows, Scaling
from shrinklin.networks.mlp.training import FULL_RATE, Training, private_torch
from shrinklin.networks.shrinker import Shrinker
from shrinklin.validation.data import diagnosis, features

# Rows of X that go through the network at once.
_CHUNK = 16384
# How many deviations from 0 columns may lie for their network to stay in float32.
LARGEST_OFFSET = 1e3
SEEDS = np.iinfo(np.int32).max


class ShrinkNetMLP(Selector):
    """A network with fully connected layers that learns its size.

    The constructors are in `regressor`, `classifier` and `cv`.
    """

    # What not every kind of fit sets.
    _of_one_fit = ("n_connections_", "validation_scores_", "best_validation_score_", "_training")

    def __getstate__(self):
        state = super().__getstate__()
        # Tensors of a GPU cannot be loaded without one; `partial_fit` then goes on from `module_`.
        if torch.device(self.device).type != "cpu":
            state.pop("_training", None)
        return state

    @abstractmethod
    def _prepare(self, X, y, sample_weight):
        """Check X and y, and return them and the weights of the rows as a `Table`."""

    @abstractmethod
    def _outputs(self, table):
        """The `Outputs` for a network that is trained on these rows."""

    @abstractmethod
    def _strata(self, y):
        """What held-out rows are stratified by, or None."""

    def _fit(self, X, y, sample_weight):
        with undone_on_error(self):
            settings.check_settings(self)
            table = self._prepare(X, y, sample_weight)
            table = table.take(table.weight > 0)
            generator = check_random_state(self.random_state)
            train, held_out = self._held_out(table, generator)
            settings.warn_of_small_weights(self, train.weight)
            if len(train) <= settings.LARGEST_BATCH:
                # Steps of few rows enlarge the rounding of sums in another order.
                train = train.merged()
            with private_torch(generator.randint(SEEDS)):
                training = self._begin(train)
                astray = self._run(training, train, held_out)
        # Last, so that the model stays even if warnings are errors.
        self._warn(training.interrupted, astray)
        return self

    def _warn(self, interrupted, astray):
        name, early = type(self).__name__, ""
        if self.n_parameters or self.n_features:
            early = ", maybe before n_parameters and n_features were reached"
        if interrupted:
            warn(
                f"{name} did not converge: training was stopped by hand after {self.n_epochs_} "
                f"epochs{early}. The model is the best so far. Fit it again, or go on from here "
                "with warm_start=True.",
                ConvergenceWarning,
            )
        elif astray:
            warn(
                f"{name} did not converge: the loss is above that of a constant prediction after "
                f"{self.n_epochs_} epochs. Change learning_rate={self.learning_rate:g}, or give "
                "more epochs by max_epochs.",
                ConvergenceWarning,
            )

    def _held_out(self, table, generator):
        """The rows to train on, and those to hold out, None if there are none."""
        if not self.early_stopping:
            return table, None
        try:
            train, held_out = train_test_split(
                np.arange(len(table)),
                test_size=self.validation_fraction,
                stratify=self._strata(table.y),
                random_state=generator,
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot hold out validation_fraction="
                f"{self.validation_fraction} of {len(table)} rows ({error}): give more rows, "
                "another share, or early_stopping=False."
            ) from error
        return table.take(np.sort(train)), table.take(np.sort(held_out))

    def _begin(self, table, *, warm=None):
        """A `Training` from random weights or, if `warm`, from the fitted network, if any."""
        warm = self.warm_start if warm is None else warm
        inputs, outputs = Scaling.of("X", table.X, table.weight), self._outputs(table)
        support = np.ones(self.n_features_in_, dtype=bool)
        dtype = layers.as_torch(table.X.dtype)
        if warm and hasattr(self, "module_"):
            settings.refuse_warm_connections(self)
            module, support = self._known(inputs, outputs), self._support
        else:
            module = layers.perceptron(self._sizes(outputs), dtype)
        max_epochs = max(1, round(FULL_RATE * settings.n_epochs(self, len(table))))

        def removal(model):
            return settings.removals(self, model, outputs.n_outputs, max_epochs)

        module = module.to(dtype)
        return self._training_of(module, support, inputs, outputs, table, removal, max_epochs)

    def _sizes(self, outputs):
        """Number of features, of units in each hidden layer and of outputs before training."""
        return [self.n_features_in_, *settings.hidden_layers(self), outputs.n_outputs]

    def _training_of(self, module, support, inputs, outputs, table, removal, max_epochs):
        """A `Training` that starts from a network of all columns, whose `support` is open."""
        connections = settings.connections_of(self)
        gate = Switch if connections is None else Mask
        model = layers.with_switches(module, gate, support).to(self.device)
        alpha, weight_decay = settings.penalties(self, table.weight.sum(), outputs)
        chosen, optimizer = removal(model), settings.make_optimizer(self, model)
        shrinker = Shrinker(
            model,
            optimizer,
            example_inputs=layers.example_of(model, len(support)),
            alpha=alpha,
            weight_decay=weight_decay,
            p=self.p,
            removal=None if connections is not None else chosen,
            connections=connections,
            max_epochs=max_epochs,
            when="epoch",
        )
        return Training(
            type(self).__name__,
            model,
            optimizer,
            shrinker,
            inputs,
            outputs,
            settings.has_schedule(chosen),
            table.weight.mean(),
        )

    def _known(self, inputs, outputs):
        """The fitted network for standardised rows of all columns."""
        sizes, n_features = self.layer_sizes_, len(inputs.mean)
        if len(self._support) != n_features or sizes[-1] != outputs.n_outputs:
            raise ValueError(
                f"warm_start=True, but the fitted network takes {len(self._support)} features and "
                f"has {sizes[-1]} outputs, and these data have {n_features} and "
                f"{outputs.n_outputs}: give data of the same kind, or warm_start=False."
            )
        part = inputs.of_columns(self._support)
        module = layers.to_standardised(self.module_, part, outputs.scaling)
        return layers.widened(module, self._support)

    def _rows(self, training, table):
        """A table for training."""
        dtype = training.dtype
        X = torch.as_tensor(training.inputs.apply(table.X), dtype=dtype)
        targets = training.outputs.encode(table.y, dtype)
        weight = torch.as_tensor(table.weight / training.unit, dtype=dtype)
        return Rows(*(part.to(self.device) for part in (X, targets, weight)))

    def _run(self, training, train, held_out):
        """Train and become the result; returns whether it is of no use."""
        n_epochs = settings.n_epochs(self, len(train))
        size = settings.batch_size(self, len(train))
        rows = self._rows(training, train)
        judged = None if held_out is None else self._rows(training, held_out)
        training.run(rows, size, n_epochs, judged, self.verbose)
        self._become(training)
        if held_out is not None:
            self.validation_scores_ = training.scores
            self.best_validation_score_ = training.score
        return training.is_astray(rows)

    def _become(self, training):
        """Set the fitted attributes, and remove those of an earlier fit."""
        for name in self._of_one_fit:
            self.__dict__.pop(name, None)
        self.__dict__.update(fitted_network(training))
        if settings.connections_of(self) is not None:
            self.n_connections_ = layers.n_connections(self.module_)
        self.n_epochs_ = training.n_epochs
        self.history_, self.cost_ = training.shrinker.history, training.shrinker.cost
        if self.verbose:
            print(
                f"{type(self).__name__}: {self.layer_sizes_[0]} of {self.n_features_in_} features, "
                f"{self.n_parameters_} parameters, {self.n_epochs_} epochs."
            )

    def _go_on(self, table):
        """One pass over the rows of a call of `partial_fit`."""
        # A copy: an error or Ctrl-C leaves the estimator as it was.
        training = deepcopy(getattr(self, "_training", None))
        generator = private_generator(self.random_state)
        with private_torch(generator.randint(SEEDS), getattr(training, "state", None)):
            table = table.take(table.weight > 0)
            if training is None:
                training = self._begin(table, warm=True)
            training.epoch(self._rows(training, table), settings.batch_size(self, len(table)))
            training.state = torch.get_rng_state()
            self._become(training)
        self._training = training

    # Features and predictions.

    def _get_support_mask(self):
        check_is_fitted(self)
        return self._support

    def _raw_predictions(self, X):
        check_is_fitted(self)
        own = features(X)
        try:
            X = validate_data(self, own, dtype=[np.float64, np.float32], reset=False)
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, own, None, error) from error
        rows = torch.as_tensor(X[:, self._support], dtype=layers.dtype_of(self.module_))
        with torch.no_grad():
            parts = [self.module_(part) for part in rows.split(_CHUNK)]
        return torch.cat(parts).numpy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def fitted_network(training):
    """The fitted attributes that describe a trained network: a dict."""
    n_features = len(training.inputs.mean)
    small, support = layers.shrunk(training.result, n_features)
    inputs, outputs = training.inputs.of_columns(support), training.outputs.scaling
    if max(inputs.offset, outputs.offset) > LARGEST_OFFSET:
        small = small.double()
    module = layers.to_raw(small, inputs, outputs)
    sizes = layers.sizes_of(module)
    return {
        "module_": module.train(False),
        "layer_sizes_": sizes,
        "n_parameters_": layers.n_parameters(sizes),
        "_support": support,
    }
