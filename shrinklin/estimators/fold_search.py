"""What searches by cross-validation share: the folds, the score, and the checks of both."""

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.validation import column_or_1d

from shrinklin.selection.choice import SELECTIONS
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
