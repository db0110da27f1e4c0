"""What searches by cross-validation share: the folds, the score, and the checks of both."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import column_or_1d

from shrinklin.selection.choice import SELECTIONS
from shrinklin.selection.folds import score
from shrinklin.validation.weights import relative_weights


class FoldSearch(BaseEstimator):
    """An estimator that chooses a model by its scores on held-out folds.

    It has the parameters `cv`, `scoring` and `selection`.
    """

    cv: Any
    scoring: Any
    selection: str
    # The estimator of one model.
    _single: Any
    # The name of the score of `scoring=None`, which is minus the loss that models minimise.
    _default_scoring: str

    def _check_selection(self):
        if not isinstance(self.selection, str) or self.selection not in SELECTIONS:
            accepted = ", ".join(f'"{name}"' for name in SELECTIONS)
            raise ValueError(f"selection={self.selection!r}: give one of {accepted}.")

    def _check_scoring(self):
        if self.scoring is not None and not (
            isinstance(self.scoring, str) or callable(self.scoring)
        ):
            raise ValueError(
                f"scoring={self.scoring!r}: give one score to choose by: None, the "
                "name of a score of scikit-learn, or a callable."
            )

    def _scores_loss(self):
        """Whether the score is minus the loss that the models minimise."""
        named = isinstance(self.scoring, str) and self.scoring == self._default_scoring
        return self.scoring is None or named

    def _score_name(self):
        if self._scores_loss():
            return self._default_scoring
        return self.scoring if isinstance(self.scoring, str) else "score"

    def _one_model(self):
        """The estimator of one model, with the parameters of this one."""
        ours = self.get_params(deep=False)
        names = self._single().get_params(deep=False)
        return self._single(**{n: ours[n] for n in names if n in ours})

    @abstractmethod
    def _loss_scorer(self):
        """The scorer of the loss, called with an estimator, X, y and sample_weight."""

    def _scorer(self):
        if self._scores_loss():
            return self._loss_scorer()
        return check_scoring(self._single(), scoring=self.scoring)

    def get_metadata_routing(self):
        """Which metadata `fit` and `score` pass on to the splitter and to the scorer.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        if not isinstance(self.cv, Iterable):  # folds are given, and may be readable only once
            splits = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=check_cv(self.cv), method_mapping=splits)
        if not self._scores_loss():
            scores = MethodMapping().add(caller="fit", callee="score")
            scores.add(caller="score", callee="score")
            scorer = check_scoring(self._single(), scoring=self.scoring)
            router.add(scorer=scorer, method_mapping=scores)
        return router

    def _route(self, weights, params):
        """The arguments of the splitter and those of the scorer."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **weights, **params)
            scored = weights if self._scores_loss() else routed.scorer.score
            return {} if isinstance(self.cv, Iterable) else routed.splitter.split, scored
        if params:
            raise ValueError(
                f"fit was given {sorted(params)}, which reach the splitter and the scorer only by "
                "metadata routing: call sklearn.set_config(enable_metadata_routing=True), then "
                "give for instance cv=GroupKFold().set_split_request(groups=True). Or draw the "
                "folds beforehand: cv=list(GroupKFold().split(X, y, groups))."
            )
        return {}, weights

    def score(self, X, y, sample_weight=None, **params) -> float:
        """The score of the model on these data, by the score that chose it.

        With ``scoring=None`` it is R² for regressors and accuracy for classifiers instead.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like
            Targets or class labels, in the shape that `fit` takes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0. With metadata routing enabled, a `scoring` other than the default gets
            them only if it requests them.
        **params : dict
            Other metadata for the scorer. They need
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        float
            Larger is better.
        """
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        routes = get_config()["enable_metadata_routing"]
        if params and (self.scoring is None or not routes):
            raise ValueError(
                f"score was given {sorted(params)}, which reach a scorer only by metadata routing: "
                "call sklearn.set_config(enable_metadata_routing=True), and give a scoring "
                "that requests them."
            )
        if self.scoring is None:
            return super().score(X, y, **weights)
        if routes and not self._scores_loss():
            weights = process_routing(self, "score", **weights, **params).scorer.score
        return score(self._scorer(), self, X, y, weights)

    def _splits(self, X, y, n_samples, params):
        """Indices (training rows, held-out rows) of every fold."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        every, splits = np.arange(n_samples), []
        for k, (train, test) in enumerate(cv.split(X, y, **params)):
            try:
                splits.append((every[train], every[test]))
            except IndexError as error:
                raise ValueError(
                    f"fold {k} of cv has row numbers that are not among 0 … {n_samples - 1} "
                    f"({error}): give valid row numbers, or a mask of all rows."
                ) from error
            if not len(splits[k][0]) or not len(splits[k][1]):
                raise ValueError(
                    f"fold {k} of cv has {len(splits[k][0])} training and {len(splits[k][1])} "
                    "held-out rows: give folds that have both."
                )
        self._check_n_folds(len(splits))
        return splits

    def _check_n_folds(self, n_folds):
        least = 1 if self.selection == "best" else 2
        if n_folds < least:
            raise ValueError(
                f"{n_folds} folds: selection={self.selection!r} needs at least {least}."
            )


def check_weights_of(splits, s, scoring):
    """Raise an error unless the rows of each fold have weights; held-out rows only if `scoring`."""
    for k, (train, test) in enumerate(splits):
        for name, rows in [("training", train)] + [("held-out", test)] * scoring:
            if not s[rows].any():
                raise ValueError(
                    f"sample_weight is zero on all {name} rows of fold {k}: give other folds, or "
                    "weights > 0."
                )


def check_scores(scores, names):
    """Raise an error unless all scores are finite.

    Parameters
    ----------
    scores : ndarray of shape (n_models, n_folds)
    names : list of str
        Of the models.
    """
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        i, k = bad[0]
        raise ValueError(
            f"{len(bad)} of {scores.size} scores are not finite; the first is {scores[i, k]} at "
            f"{names[i]} in fold {k}: give a scoring that is defined on the held-out rows of every "
            "fold, or fewer folds."
        )


def neg_log_loss(classifier, X, y, sample_weight=None):
    """Minus the log-loss, as in scikit-learn, but the rows may lack a class."""
    y, classes = column_or_1d(y), classifier.classes_
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y has labels {unknown[:3].tolist()} that the model was not fitted to: give labels "
            f"among {classes.tolist()}."
        )
    codes = np.searchsorted(classes, y)
    logs = classifier.predict_log_proba(X)[np.arange(len(codes)), codes]
    return np.average(logs, weights=relative_weights(sample_weight, logs))
