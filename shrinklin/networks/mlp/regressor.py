"""The regressor: `ShrinkNetMLPRegressor`."""

from typing import Self

import numpy as np

from shrinklin.estimators.base import undone_on_error
from shrinklin.estimators.inputs import checked_targets
from shrinklin.estimators.parameters import documented
from shrinklin.estimators.predicting import TargetsMixin
from shrinklin.networks.mlp import settings
from shrinklin.networks.mlp.base import ShrinkNetMLP
from shrinklin.networks.mlp.outputs import Targets
from shrinklin.networks.mlp.parameters import ENTRIES, REGRESSION
from shrinklin.networks.mlp.rows import Table
from shrinklin.validation.weights import check_weights, weights_of_rows


class NetworkForTargets(TargetsMixin, ShrinkNetMLP):
    """A network of one or several targets."""

    def _prepare(self, X, y, sample_weight, reset=True):
        X, y = checked_targets(self, X, y, accept_sparse=False, reset=reset)
        if reset:
            self._one_dimensional = y.ndim == 1
        Y = y.reshape(len(y), -1).astype(float)
        # A later call of `partial_fit` may add nothing.
        weight = check_weights if reset else weights_of_rows
        return Table(X, Y, weight(sample_weight, X))

    def _outputs(self, table):
        return Targets(table.y, table.weight)

    def _strata(self, y):
        return None

    def _raw_predictions(self, X) -> np.ndarray:
        Z = super()._raw_predictions(X)
        return Z[:, 0] if self._one_dimensional else Z


@documented(REGRESSION, entries=ENTRIES)
class ShrinkNetMLPRegressor(NetworkForTargets):
    r"""A small network for one or several targets, which chooses its features and its size.

    It starts with large hidden layers and a switch θ in front of every feature and behind every
    unit of them, and minimises

    .. math:: \frac{n_\text{targets}}{2 \hat\sigma^2} \cdot \text{mean squared error}
              + \alpha \sum_i |\theta_i| + \lambda_2 \sum_w |w|^p

    by gradient steps. Features and units whose switches waver around 0 are removed meanwhile.
    Features and targets are standardised first, and σ̂² is an estimate of the noise: the running
    mean squared error, at least 0.01, divided by 1 - n_parameters / (n_samples n_targets), at least
    ½. So the first term is minus a log-likelihood, and the default penalties suit data with little
    and with much noise.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $module_, $layer_sizes_, $n_parameters_, $n_connections_, $n_epochs_, $history_, $cost_
    $validation_scores_, $best_validation_score_, $n_features_in_, $feature_names_in_

    See Also
    --------
    ShrinkNetMLPClassifier : The same for classes.
    shrinklin.ShrinkNetRegressor : A linear model with switches, solved exactly.
    Shrinker : For networks of your own.

    Notes
    -----
    The fit uses one thread of the CPU, which is faster for small networks and gives the same bits
    for any ``n_jobs``. Use ``device="cuda"`` for large ones.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin.networks import ShrinkNetMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ShrinkNetMLPRegressor(random_state=0).fit(X, y)
    >>> model.n_parameters_ < 200
    True
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        *,
        alpha=None,
        weight_decay=None,
        p=2,
        n_parameters=None,
        n_features=None,
        removal="auto",
        optimizer="adam",
        learning_rate=0.01,
        batch_size="auto",
        max_epochs=None,
        early_stopping=False,
        validation_fraction=0.1,
        device="cpu",
        random_state=None,
        verbose=0,
        warm_start=False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.alpha = alpha
        self.weight_decay = weight_decay
        self.p = p
        self.n_parameters = n_parameters
        self.n_features = n_features
        self.removal = removal
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers, not sparse. float32 and float64 are trained as they are, other types
            as float64.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0: a row of weight 2 counts like two equal rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters are not as described here, or if training diverges.

        Warns
        -----
        ConvergenceWarning
            If Ctrl-C stopped the training: the model is then the best so far. Also if the loss is
            above that of a constant prediction.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None) -> Self:
        """Go on with one pass over these rows, with the constant learning rate.

        The first call, if no `fit` came before, also sets the scale of features and targets and
        the default penalties, so give it a large chunk. Parameters of training that change
        between calls have no effect. A schedule (`n_parameters`, `n_features`) takes 70 % of
        `max_epochs` calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self
        """
        with undone_on_error(self):
            settings.check_settings(self)
            settings.refuse_early_stopping(self)
            begun = hasattr(self, "module_")
            table = self._prepare(X, y, sample_weight, reset=not begun)
            self._check_same_targets(table.y, begun)
            if table.weight.any():
                self._go_on(table)
        return self

    def _check_same_targets(self, y, begun):
        if begun and self.layer_sizes_[-1] != y.shape[1]:
            raise ValueError(
                f"y has {y.shape[1]} targets, but the network has {self.layer_sizes_[-1]}: give "
                "the same targets in every call."
            )
