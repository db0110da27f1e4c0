"""What the estimators for tables share: the order of a fit, features and predictions.

The order of a fit: check the parameters and the data, standardise, train with switches, fold the
network that is left into a plain one, and let it take the columns as they are.
"""

from abc import abstractmethod

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from shrinklin.estimators.base import private_generator, undone_on_error
from shrinklin.estimators.selector import Selector
from shrinklin.messages import warn
from shrinklin.networks.gates import Switch
from shrinklin.networks.mlp import layers, settings
from shrinklin.networks.mlp.rows import Rows, Scaling
from shrinklin.networks.mlp.training import FULL_RATE, Training, private_torch
from shrinklin.networks.shrinker import Shrinker
from shrinklin.validation.data import diagnosis, features

# Rows of X that go through the network at once.
_CHUNK = 16384
_SEEDS = np.iinfo(np.int32).max


class ShrinkNetMLP(Selector):
    """A network with fully connected layers that learns its size.

    The constructors are in `regressor` and `classifier`.
    """

    # What not every kind of fit sets.
    _of_one_fit = ("validation_scores_", "best_validation_score_", "_training")

    @abstractmethod
    def _prepare(self, X, y, sample_weight):
        """Check X and y.

        Returns X and y as arrays, the weights of the rows, and a function of y and the weights that
        makes the `Outputs`.
        """

    @abstractmethod
    def _strata(self, y):
        """What held-out rows are stratified by, or None."""

    def _fit(self, X, y, sample_weight):
        with undone_on_error(self):
            settings.check_settings(self)
            X, y, weight, make_outputs = self._prepare(X, y, sample_weight)
            X, y, weight = (part[weight > 0] for part in (X, y, weight))
            generator = check_random_state(self.random_state)
            kept, held = self._held_out(y, generator)
            settings.warn_of_small_weights(self, weight[kept])
            with private_torch(generator.randint(_SEEDS)):
                outputs = make_outputs(y[kept], weight[kept])
                training = self._begin(X[kept], weight[kept], outputs, warm=self.warm_start)
                rows = self._rows(training, X[kept], y[kept], weight[kept])
                held_out = self._rows(training, X[held], y[held], weight[held])
                self._run(training, rows, held_out)
                astray = training.is_astray(rows)
        # Last, so that the model stays even if warnings are errors.
        self._warn(training.interrupted, astray)
        return self

    def _warn(self, interrupted, astray):
        name = type(self).__name__
        if interrupted:
            warn(
                f"{name} did not converge: training was stopped by hand after {self.n_epochs_} "
                "epochs. The model is the best so far. Fit it again, or go on from here with "
                "warm_start=True.",
                ConvergenceWarning,
            )
        elif astray:
            warn(
                f"{name} did not converge: the loss is above that of a constant prediction after "
                f"{self.n_epochs_} epochs. Change learning_rate={self.learning_rate:g}, or give "
                "more epochs by max_epochs.",
                ConvergenceWarning,
            )

    def _held_out(self, y, generator):
        """Positions of the rows to train on, and of those to hold out."""
        rows = np.arange(len(y))
        if not self.early_stopping:
            return rows, rows[:0]
        try:
            kept, held = train_test_split(
                rows,
                test_size=self.validation_fraction,
                stratify=self._strata(y),
                random_state=generator,
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot hold out validation_fraction="
                f"{self.validation_fraction} of {len(y)} rows ({error}): give more rows, another "
                "share, or early_stopping=False."
            ) from error
        return np.sort(kept), np.sort(held)

    def _begin(self, X, weight, outputs, *, warm):
        """A `Training` from random weights or, if `warm`, from the fitted network."""
        inputs = Scaling.of("X", X, weight)
        dtype = torch.as_tensor(X[:0]).dtype
        support = np.ones(X.shape[1], dtype=bool)
        if warm and hasattr(self, "module_"):
            support, module = self._known(inputs, outputs, dtype)
        else:
            sizes = [X.shape[1], *settings.hidden_layers(self), outputs.n_outputs]
            module = layers.perceptron(sizes, dtype)
        model = layers.with_switches(module, Switch, support).to(self.device)
        alpha, weight_decay = settings.penalties(self, weight.sum(), outputs)
        max_epochs = max(1, round(FULL_RATE * settings.n_epochs(self, len(X))))
        removal = settings.removals(self, model, outputs.n_outputs, max_epochs)
        optimizer = settings.make_optimizer(self, model)
        shrinker = Shrinker(
            model,
            optimizer,
            example_inputs=layers.example_of(model, X.shape[1]),
            alpha=alpha,
            weight_decay=weight_decay,
            p=self.p,
            removal=removal,
            max_epochs=max_epochs,
            when="epoch",
        )
        scheduled = settings.has_schedule(removal)
        return Training(type(self).__name__, model, optimizer, shrinker, inputs, outputs, scheduled)

    def _known(self, inputs, outputs, dtype):
        """The mask of the fitted network's features, and the network for standardised rows."""
        sizes, n_features = self.layer_sizes_, len(inputs.mean)
        if len(self._support) != n_features or sizes[-1] != outputs.n_outputs:
            raise ValueError(
                f"warm_start=True, but the fitted network takes {len(self._support)} features and "
                f"has {sizes[-1]} outputs, and these data have {n_features} and "
                f"{outputs.n_outputs}: give data of the same kind, or warm_start=False."
            )
        part = inputs.of_columns(self._support)
        module = layers.to_standardised(self.module_, part, outputs.scaling)
        return self._support, layers.widened(module, self._support).to(dtype)

    def _rows(self, training, X, y, weight):
        """Rows for training, None if there are none."""
        if not len(X):
            return None
        dtype = training.dtype
        X = torch.as_tensor(training.inputs.apply(X), dtype=dtype)
        targets = training.outputs.encode(y, dtype)
        weight = torch.as_tensor(weight / weight.mean(), dtype=dtype)
        return Rows(*(part.to(self.device) for part in (X, targets, weight)))

    def _run(self, training, rows, held_out):
        n_epochs = settings.n_epochs(self, len(rows))
        size = settings.batch_size(self, len(rows))
        training.run(rows, size, n_epochs, held_out, self.verbose)
        self._become(training)
        if held_out is not None:
            self.validation_scores_ = training.scores
            self.best_validation_score_ = training.score

    def _become(self, training):
        """Set the fitted attributes, and remove those of an earlier fit."""
        for name in self._of_one_fit:
            self.__dict__.pop(name, None)
        model = training.result
        kept = layers.kept_columns(model)
        self._support = np.isin(np.arange(self.n_features_in_), kept)
        small = layers.plain(model, layers.example_of(model, self.n_features_in_))
        part = training.inputs.of_columns(kept)
        self.module_ = layers.to_raw(small, part, training.outputs.scaling).eval()
        self.layer_sizes_ = layers.sizes_of(self.module_)
        self.n_parameters_ = layers.n_parameters(self.layer_sizes_)
        self.n_epochs_ = training.n_epochs
        self.history_, self.cost_ = training.shrinker.history, training.shrinker.cost
        if self.verbose:
            print(
                f"{type(self).__name__}: {self.layer_sizes_[0]} of {self.n_features_in_} features, "
                f"{self.n_parameters_} parameters, {self.n_epochs_} epochs."
            )

    def _go_on(self, X, y, weight, make_outputs):
        """One pass over the rows of a call of `partial_fit`."""
        training = getattr(self, "_training", None)
        generator = private_generator(self.random_state)
        with private_torch(generator.randint(_SEEDS), getattr(training, "state", None)):
            X, y, weight = (part[weight > 0] for part in (X, y, weight))
            if training is None:
                outputs = make_outputs(y, weight)
                training = self._begin(X, weight, outputs, warm=True)
            rows = self._rows(training, X, y, weight)
            training.epoch(rows, settings.batch_size(self, len(rows)))
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
