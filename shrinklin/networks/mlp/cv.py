"""Estimators that choose the size of a network by cross-validation.

One training gives a front of sizes: a trunk shrinks, and from every size a branch is trained to its
end. There is a front for all data, and one for the training rows of every fold, whose networks are
scored on the held-out rows.
"""

from functools import partial
from typing import Self

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_memory

from shrinklin.estimators.base import undone_on_error
from shrinklin.estimators.fold_search import (
    FoldSearch,
    check_scores,
    check_weights_of,
    neg_log_loss,
)
from shrinklin.estimators.parameters import documented
from shrinklin.messages import results
from shrinklin.networks.course import Stations, checked_budgets, epochs_of
from shrinklin.networks.mlp import layers, settings
from shrinklin.networks.mlp.base import SEEDS, ShrinkNetMLP, fitted_network
from shrinklin.networks.mlp.classifier import NetworkForClasses, ShrinkNetMLPClassifier
from shrinklin.networks.mlp.parameters import CLASSIFICATION, ENTRIES, REGRESSION
from shrinklin.networks.mlp.regressor import NetworkForTargets, ShrinkNetMLPRegressor
from shrinklin.networks.mlp.rows import Scaling
from shrinklin.networks.mlp.training import n_falling, private_torch
from shrinklin.pruning.cost import CostMeter
from shrinklin.selection.choice import choose
from shrinklin.selection.folds import Scoring


class ShrinkNetMLPCV(FoldSearch, ShrinkNetMLP):
    """A network whose size is chosen by cross-validation."""

    def fit(self, X, y, sample_weight=None, **params) -> Self:
        """Choose the size, and fit the network to all data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers, not sparse.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or class labels, as the estimator of one network takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, used in training and in scoring. With metadata routing enabled, a
            `scoring` other than the default gets them only if it requests them.
        **params : dict
            Metadata for the splitter and the scorer, such as ``groups``. They need
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters are not as described here, if a score is not a number, or if
            training diverges.
        """
        with undone_on_error(self):
            settings.check_training(self)
            self._check_selection()
            self._check_scoring()
            table = self._prepare(X, y, sample_weight)
            settings.warn_of_small_weights(self, table.weight[table.weight > 0])
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            for_splitter, for_scorer = self._route(weights, params)
            splits = self._splits(X, y, len(table), for_splitter)
            check_weights_of(splits, table.weight, "sample_weight" in for_scorer)
            if self._scores_loss():
                for_scorer = dict.fromkeys(for_scorer, table.weight)
            scoring = Scoring(self._scorer(), self._member, X, y, for_scorer)
            (fitted, cost), *folds = self._fronts(table, splits, scoring)
            for _, cost_of_fold in folds:
                cost.include(cost_of_fold)
            self._choose(fitted, np.column_stack([scores for scores, _ in folds]))
            self.cost_ = cost
        return self

    def _fronts(self, table, splits, scoring):
        """The front of all data, and the scores of that of each fold, each with its cost."""
        budgets = self._budgets(table)
        generator = check_random_state(self.random_state)
        seed, *seeds = generator.randint(SEEDS, size=len(splits) + 1).tolist()
        # What is cached depends on these parameters and on the data.
        network = self._member({}).set_params(random_state=None, verbose=0)
        front = check_memory(self.memory).cache(self._front, ignore=["self"])
        front = partial(front, network, budgets)
        jobs = [partial(front, seed, table)]
        for seed, (train, test) in zip(seeds, splits, strict=True):
            front_of_fold = partial(front, seed, table.take(train))
            jobs.append(partial(_scored, front_of_fold, self._member, scoring.on(test)))
        name = type(self).__name__
        return list(results(jobs, len(jobs), self.n_jobs, self.verbose, name, "path"))

    def _budgets(self, table):
        sizes = self._sizes(self._outputs(table))
        least = layers.n_parameters([*[1] * (len(sizes) - 1), sizes[-1]])
        return checked_budgets(self.sizes, layers.n_parameters(sizes), least, "sizes")

    def _front(self, network, budgets, seed, table):
        """Networks of these sizes, from large to small: dicts of fitted attributes.

        `network` is the estimator of one network.
        """
        table = table.take(table.weight > 0)
        with private_torch(seed):
            inputs, outputs = Scaling.of("X", table.X, table.weight), self._outputs(table)
            begin = partial(self._branch, table, inputs, outputs)
            n_epochs = settings.n_epochs(network, len(table))
            size = settings.batch_size(network, len(table))
            sizes = self._sizes(outputs)
            pretrain, reached = epochs_of(budgets, layers.n_parameters(sizes), n_epochs)
            trunk = begin(
                layers.perceptron(sizes, layers.as_torch(table.X.dtype)),
                np.ones(sizes[0], dtype=bool),
                Stations(budgets, reached, pretrain),
                n_epochs,
            )
            rows, starts, cost = self._rows(trunk, table), [], CostMeter()
            for epoch in range(1, n_epochs + 1):
                trunk.epoch(rows, size)
                if epoch in reached:
                    starts.append(layers.shrunk(trunk.model, sizes[0]))
            cost.include(trunk.shrinker.cost)
            fitted = []
            for module, support in starts:
                branch = begin(layers.widened(module, support), support, None, 1)
                branch.fall(rows, size, n_falling(n_epochs))
                cost.include(branch.shrinker.cost)
                fitted.append(fitted_network(branch))
        return fitted, cost

    def _branch(self, table, inputs, outputs, module, support, removal, max_epochs):
        return self._training_of(
            module, support, inputs, outputs, table, lambda model: removal, max_epochs
        )

    def _member(self, attributes):
        """A fitted estimator of one network, with some attributes of this one too."""
        member = self._one_model()
        shared = ("n_features_in_", "feature_names_in_", "classes_", "_one_dimensional")
        vars(member).update(attributes | {n: v for n, v in vars(self).items() if n in shared})
        return member

    def _choose(self, fitted, scores):
        """Become the network that the scores choose."""
        sizes = np.array([each["n_parameters_"] for each in fitted])
        check_scores(scores, [f"size {size}" for size in sizes])
        # From small to large: of equal scores the smallest wins.
        best = len(sizes) - 1 - choose(scores[::-1], sizes[::-1], self.selection)
        self.__dict__.update(fitted[best])
        self.path_ = [self._member(each) for each in fitted]
        self.cv_scores_, self.score_name_ = scores, self._score_name()


def _scored(front, member, score):
    """The scores of the networks of a fold, and the `CostMeter`."""
    fitted, cost = front()
    return [score(member(each)) for each in fitted], cost


@documented(REGRESSION, entries=ENTRIES)
class ShrinkNetMLPRegressorCV(ShrinkNetMLPCV, NetworkForTargets):
    r"""A `ShrinkNetMLPRegressor` whose size is chosen by cross-validation.

    One training gives networks of all sizes: a trunk shrinks in the order of `Budget`, with the
    penalties of `ShrinkNetMLPRegressor`, and a copy of every size is trained to its end.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $module_, $layer_sizes_, $n_parameters_, $path_, $cv_scores_, $score_name_, $cost_
    $n_features_in_, $feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from shrinklin.networks import ShrinkNetMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ShrinkNetMLPRegressorCV(sizes=[300, 100, 30], cv=3, random_state=0).fit(X, y)
    >>> model.cv_scores_.shape
    (3, 3)
    """

    _single = ShrinkNetMLPRegressor
    _default_scoring = "neg_mean_squared_error"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        *,
        sizes=8,
        cv=None,
        scoring=None,
        selection="1se",
        alpha=None,
        weight_decay=None,
        p=2,
        optimizer="adam",
        learning_rate=0.01,
        batch_size="auto",
        max_epochs=None,
        device="cpu",
        n_jobs=None,
        memory=None,
        random_state=None,
        verbose=0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.sizes = sizes
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.alpha = alpha
        self.weight_decay = weight_decay
        self.p = p
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.device = device
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    def _loss_scorer(self):
        return get_scorer(self._default_scoring)


@documented(CLASSIFICATION, entries=ENTRIES)
class ShrinkNetMLPClassifierCV(ShrinkNetMLPCV, NetworkForClasses):
    r"""A `ShrinkNetMLPClassifier` whose size is chosen by cross-validation.

    One training gives networks of all sizes: a trunk shrinks in the order of `Budget`, with the
    penalties of `ShrinkNetMLPClassifier`, and a copy of every size is trained to its end.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $classes_, $module_, $layer_sizes_, $n_parameters_, $path_, $cv_scores_, $score_name_
    $cost_, $n_features_in_, $feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from shrinklin.networks import ShrinkNetMLPClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = ShrinkNetMLPClassifierCV(sizes=[300, 100, 30], cv=3, random_state=0).fit(X, y)
    >>> model.n_parameters_ <= 300
    True
    """

    _single = ShrinkNetMLPClassifier
    _default_scoring = "neg_log_loss"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        *,
        sizes=8,
        cv=None,
        scoring=None,
        selection="1se",
        alpha=None,
        weight_decay=None,
        p=2,
        optimizer="adam",
        learning_rate=0.01,
        batch_size="auto",
        max_epochs=None,
        class_weight=None,
        device="cpu",
        n_jobs=None,
        memory=None,
        random_state=None,
        verbose=0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.sizes = sizes
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.alpha = alpha
        self.weight_decay = weight_decay
        self.p = p
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.class_weight = class_weight
        self.device = device
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    def _loss_scorer(self):
        return neg_log_loss
