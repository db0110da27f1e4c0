"""What estimators predict, from the raw predictions of their models.

A model has the method ``_raw_predictions(X)``, which returns an array of shape
(n_samples, n_outputs). The logistic loss makes probabilities of them. For two classes there is one
output, the log-odds of the second class.
"""

import numpy as np
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin

from shrinklin.losses.logistic import logistic_loss
from shrinklin.validation.data import check_given, labels
from shrinklin.validation.entries import check_undated, check_unmasked


class LogisticMixin(ClassifierMixin):
    """Classes and their probabilities, from raw predictions."""

    def decision_function(self, X) -> np.ndarray:
        """Raw predictions of every sample, for a linear model W'x + b.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, one value per sample: the log-odds of the second class.
        """
        Z = self._raw_predictions(X)
        return Z[:, 0] if Z.shape[1] == 1 else Z

    def predict_log_proba(self, X) -> np.ndarray:
        """Logarithms of `predict_proba`, accurate also for probabilities close to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The classes are in the order of `classes_`.
        """
        Z = self._raw_predictions(X)
        return logistic_loss(len(self.classes_)).log_probabilities(Z)

    def predict_proba(self, X) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The classes are in the order of `classes_`.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        logs = self.predict_log_proba(X)
        return self.classes_[logs.argmax(axis=1)]

    def score(self, X, y, sample_weight=None) -> float:
        """Accuracy of the predictions: the weighted share of rows with the right class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_given(self, y)
        check_unmasked("y", y)
        check_unmasked("sample_weight", sample_weight)
        return super().score(X, labels(y), sample_weight)


class TargetsMixin(MultiOutputMixin, RegressorMixin):
    """Predictions of one or several targets, which are the raw predictions."""

    def predict(self, X) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            It has as many dimensions as y had in `fit`.
        """
        return self._raw_predictions(X)

    def score(self, X, y, sample_weight=None) -> float:
        """R² of the predictions, averaged over the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_given(self, y)
        check_unmasked("y", y)
        check_undated("y", y)
        check_unmasked("sample_weight", sample_weight)
        return super().score(X, y, sample_weight)
