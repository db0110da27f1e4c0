"""The classifier: `ShrinkNetMLPClassifier`."""

from typing import Self

import numpy as np

from shrinklin.estimators.base import undone_on_error
from shrinklin.estimators.inputs import (
    checked_labels,
    classes_of_all_calls,
    codes_of,
    refuse_balanced,
    refuse_weightless,
    weights_of_call,
)
from shrinklin.estimators.parameters import documented
from shrinklin.estimators.predicting import LogisticMixin
from shrinklin.networks.mlp import settings
from shrinklin.networks.mlp.base import ShrinkNetMLP
from shrinklin.networks.mlp.outputs import Classes
from shrinklin.networks.mlp.parameters import CLASSIFICATION, ENTRIES
from shrinklin.networks.mlp.rows import Table
from shrinklin.validation.weights import check_weights, weigh_classes


class NetworkForClasses(LogisticMixin, ShrinkNetMLP):
    """A network of two or more classes."""

    def _prepare(self, X, y, sample_weight):
        X, y = checked_labels(self, X, y, accept_sparse=False)
        classes, codes = np.unique(y, return_inverse=True)
        self._check_known(classes)
        self.classes_ = classes
        weight = check_weights(sample_weight, X)
        weight = weigh_classes(self.class_weight, self.classes_, codes, weight)
        return Table(X, codes, weight)

    def _check_known(self, classes):
        # A search has no warm_start.
        if not getattr(self, "warm_start", False) or not hasattr(self, "classes_"):
            return
        if not np.array_equal(self.classes_, classes):
            raise ValueError(
                f"warm_start=True, but y has the classes {classes.tolist()}, and the fitted "
                f"network has {self.classes_.tolist()}: give the same classes, or warm_start=False."
            )

    def _outputs(self, table):
        return Classes(len(self.classes_))

    def _strata(self, y):
        return y


@documented(CLASSIFICATION, entries=ENTRIES)
class ShrinkNetMLPClassifier(NetworkForClasses):
    r"""A small network for two or more classes, which chooses its features and its size.

    It starts with large hidden layers and a switch θ in front of every feature and behind every
    unit of them, and minimises

    .. math:: \text{mean log-loss}
              + \alpha \sum_i |\theta_i| + \lambda_2 \sum_w |w|^p

    by gradient steps. Features and units whose switches waver around 0 are removed meanwhile.
    Features are standardised first.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $classes_, $module_, $layer_sizes_, $n_parameters_, $n_connections_, $n_epochs_, $history_
    $cost_, $validation_scores_, $best_validation_score_, $n_features_in_
    $feature_names_in_

    See Also
    --------
    ShrinkNetMLPRegressor : The same for targets.
    shrinklin.ShrinkNetClassifier : A linear model with switches, solved exactly.
    Shrinker : For networks of your own.

    Notes
    -----
    The fit uses one thread of the CPU, which is faster for small networks and gives the same bits
    for any ``n_jobs``. Use ``device="cuda"`` for large ones.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from shrinklin.networks import ShrinkNetMLPClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = ShrinkNetMLPClassifier(random_state=0).fit(X, y)
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
        class_weight=None,
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
        self.class_weight = class_weight
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
        y : array-like of shape (n_samples,)
            Class labels of at least two classes, all numbers or all strings.
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

    def partial_fit(self, X, y, classes=None, sample_weight=None) -> Self:
        """Go on with one pass over these rows, with the constant learning rate.

        The first call, if no `fit` came before, also sets the scale of the features and the default
        penalties, so give it a large chunk. Parameters of training that change
        between calls have no effect. A schedule (`n_parameters`, `n_features`) takes 70 % of
        `max_epochs` calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that y may have in any call. The first call needs them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self
        """
        with undone_on_error(self):
            settings.check_settings(self)
            settings.refuse_early_stopping(self)
            refuse_balanced(self.class_weight)
            begun = hasattr(self, "module_")
            classes = classes_of_all_calls(self, classes)
            X, y = checked_labels(
                self, X, y, accept_sparse=False, of_all_calls=classes, reset=not begun
            )
            codes = codes_of(self, y, classes)
            weight = weights_of_call(self, sample_weight, X, classes, codes)
            if begun and not weight.any():
                return self
            refuse_weightless(weight)
            self.classes_ = classes
            self._go_on(Table(X, codes, weight))
        return self
