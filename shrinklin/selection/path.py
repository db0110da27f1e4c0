"""The models of one estimator along a path of alphas."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from operator import index
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_X_y,
    column_or_1d,
    validate_data,
)

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.losses.logistic import logistic_loss
from shrinklin.losses.loss import Loss
from shrinklin.losses.squared import SquaredLoss
from shrinklin.objective.likelihood import Likelihood, likelihood_of_data
from shrinklin.objective.nonnegative import nonnegative_minimum
from shrinklin.objective.quadratic import quadratic_of_data
from shrinklin.precision import narrowest, predictions
from shrinklin.validation.data import SPARSE_FORMATS, diagnosis, features
from shrinklin.validation.entries import check_undated, check_unmasked
from shrinklin.validation.parameters import check_real, check_whole
from shrinklin.validation.weights import relative_weights, weigh_classes

_SQUARED = SquaredLoss()
# The fields with one entry for every model.
_PER_MODEL = ("alphas", "kept_coefs", "intercepts", "n_selected", "residuals", "objectives")
# `at` takes an alpha that is beyond the range by this share of it, as a printed alpha is rounded.
_ROUNDED = 0.01


@dataclass(frozen=True, repr=False, eq=False)
class RegularizationPath(ABC):
    """Solutions of an estimator over a range of alpha.

    A path is a sequence of models: ``path[i]`` is the model for ``alphas[i]`` as a fitted
    estimator of the class that made the path, `at` finds one by alpha or by its number of
    features, ``len(path)`` counts them, and ``for model in path`` goes from large to small
    alphas. ``path[2:5]`` and ``path[::2]`` are paths of some of the models.

    ``path == other`` is True if both have the same class and equal arrays, where NaN equals NaN.
    Paths cannot be hashed.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        From large to small.
    kept : ndarray of shape (n_kept,)
        Columns of X that at least one model keeps, in ascending order.
    kept_coefs : ndarray of shape (n_alphas, n_targets, n_kept)
        Coefficients of these columns, as in ``coef_``; two classes have one target. All
        other coefficients are 0.
    intercepts : ndarray of shape (n_alphas, n_targets)
    n_features : int
        Number of columns of X.
    feature_names : ndarray of shape (n_features,) or None
        Column names of X, if all are strings. An X that is given to a method must have the
        same names.
    n_selected : ndarray of shape (n_alphas,)
        Number of features with a non-zero coefficient.
    residuals : ndarray of shape (n_alphas,)
        As ``residual_`` of the estimator. After `refit`, the relative size of the gradient
        on the support.
    objectives : ndarray of shape (n_alphas,)
        Value of the objective. After `refit`, of the loss alone; if a CV class chose refits, of
        the loss and their ridge.
    fit_intercept : bool
        Whether the estimator fitted an intercept. `refit` then fits one too.
    refitted : bool
        Whether the models are refits, whose coefficients are not shrunk by alpha.
    n_iter : ndarray of shape (n_alphas,) or None
        As ``n_iter_`` of the estimator. None if it is not known, as after `refit`.
    template : object or None
        Makes the models fitted estimators. None in a path that was pickled by shrinklin 0.1.0.
    """

    alphas: np.ndarray
    kept: np.ndarray
    kept_coefs: np.ndarray
    intercepts: np.ndarray
    n_features: int
    feature_names: np.ndarray | None
    n_selected: np.ndarray
    residuals: np.ndarray
    objectives: np.ndarray
    fit_intercept: bool
    # Paths that were pickled by shrinklin 0.1.0 do not have these.
    refitted: bool = field(default=False, kw_only=True)
    n_iter: np.ndarray | None = field(default=None, kw_only=True)
    template: Any = field(default=None, kw_only=True, compare=False)

    loss_name: ClassVar[str]

    def __repr__(self):
        n, alphas = len(self), f"{len(self)} alpha{'s' * (len(self) != 1)}"
        if n == 0:
            return f"{type(self).__name__} of {alphas}, of {self.n_features} features"
        least, most = self.n_selected.min(), self.n_selected.max()
        kept = f"{least}" if least == most else f"{least} to {most}"
        within = f"from {self.alphas[0]:.3g} to {self.alphas[-1]:.3g}"
        within = f"of {self.alphas[0]:.3g}" if n == 1 else within
        return f"{type(self).__name__} of {alphas} {within}, {kept} of {self.n_features} features"

    def __eq__(self, other):
        if type(other) is not type(self):
            return False
        compared = [each.name for each in fields(self) if each.compare]
        return all(_are_equal(getattr(self, name), getattr(other, name)) for name in compared)

    def __len__(self):
        return len(self.alphas)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i):
        if isinstance(i, slice):
            return self._part(i)
        place = _whole(i, f"path[{i!r}]: give a whole number or a slice")
        if not -len(self) <= place < len(self):
            n = len(self)
            remedy = f"give a number from {-n} to {n - 1}" if n else "compute one with more alphas"
            raise IndexError(f"path[{place}]: the path has {n} models; {remedy}.")
        return self._model(place % len(self))

    def _model(self, i):
        if self.template is None:
            raise ValueError(
                "this path does not know which estimator it is of, as shrinklin 0.1.0 did not "
                "store that: compute it again to get its models as estimators. `coef` and "
                "`predict` work."
            )
        return self.template.fitted(self, i)

    def _part(self, some):
        """The path of some models."""
        for end in (some.start, some.stop, some.step):
            if end is not None:
                _whole(end, f"{end!r} in a slice of a path: give a whole number")
        if some.step is not None and index(some.step) <= 0:
            raise ValueError(
                f"step {some.step} of a slice: alphas go from large to small, so give a step > 0."
            )
        parts = {name: getattr(self, name)[some].copy() for name in _PER_MODEL}
        parts |= self._columns_with(parts["kept_coefs"])
        n_iter = None if self.n_iter is None else self.n_iter[some].copy()
        return replace(self, **parts, n_iter=n_iter)

    def _columns_with(self, kept_coefs):
        """`kept` and `kept_coefs`, without the columns that no model keeps."""
        used = kept_coefs.any(axis=(0, 1))
        return {"kept": self.kept[used], "kept_coefs": kept_coefs[:, :, used]}

    def at(self, *, alpha=None, n_features=None) -> Any:
        """One model as a fitted estimator, chosen by its alpha or by its number of features.

        Parameters
        ----------
        alpha : float, default=None
            The model whose alpha has the smallest ratio to this one, the larger of two. It must
            be in the range of `alphas`, give or take 1 %.
        n_features : int, default=None
            The model that fits best among those with at most so many features. That is the one
            with the smallest alpha or, if the models are refits, with the smallest objective.

        Returns
        -------
        estimator
            Fitted, of the class that made the path. Its `alpha` is that of the model.

        Raises
        ------
        ValueError
            If not exactly one of both is given, if alpha is out of range, or if all models have
            more features.
        """
        if (alpha is None) == (n_features is None):
            raise ValueError(
                f"alpha={alpha!r}, n_features={n_features!r}: give one of both and leave out the "
                "other."
            )
        if not len(self):
            raise ValueError("this path has no models: compute one with at least one alpha.")
        return self[self._nearest(alpha) if n_features is None else self._best(n_features)]

    def _nearest(self, alpha):
        check_real("alpha", alpha, 0)
        largest, least = self.alphas.max(initial=0.0), self.alphas.min(initial=np.inf)
        if not least * (1 - _ROUNDED) <= alpha <= largest * (1 + _ROUNDED):
            raise ValueError(
                f"alpha={alpha!r} is not in the range of the path, from {largest:.4g} to "
                f"{least:.4g}: give one that is, or compute a path with other alphas."
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.abs(np.log(self.alphas) - np.log(float(alpha)))
        # Zeros among the alphas are near no other number.
        return int(np.where(self.alphas == alpha, -1.0, np.nan_to_num(ratios, nan=np.inf)).argmin())

    def _best(self, n_features):
        check_whole("n_features", n_features, 0)
        few = np.flatnonzero(self.n_selected <= n_features)
        if not len(few):
            raise ValueError(
                f"n_features={n_features}: the models of this path have at least "
                f"{self.n_selected.min()}. Give a larger number, or compute a path with larger "
                "alphas."
            )
        return few[self.objectives[few].argmin()] if self.refitted else few[-1]

    @property
    def coefs(self) -> np.ndarray:
        """Coefficients of all features: ndarray of shape (n_alphas, n_targets, n_features).

        It is read-only, and computed at each access. With many features, `coef` and
        `kept_coefs` take less memory.
        """
        coefs = np.zeros((*self.kept_coefs.shape[:2], self.n_features), self.kept_coefs.dtype)
        coefs[:, :, self.kept] = self.kept_coefs
        coefs.flags.writeable = False
        return coefs

    def coef(self, i) -> np.ndarray:
        """Coefficients of all features in one model.

        Parameters
        ----------
        i : int
            Index of the model in `alphas`.

        Returns
        -------
        ndarray of shape (n_targets, n_features)
        """
        kept = self.kept_coefs[i]
        coef = np.zeros((len(kept), self.n_features), kept.dtype)
        coef[:, self.kept] = kept
        return coef

    @abstractmethod
    def predict(self, X) -> np.ndarray:
        """Predictions of every model."""

    @abstractmethod
    def losses(self, X, y) -> np.ndarray:
        """The loss named `loss_name` of every model: shape (n_alphas,)."""

    @abstractmethod
    def _smooth(self, X, y, sample_weight):
        """The loss on these data as `Smooth`."""

    def _raw_predictions(self, X):
        """coef x + intercept: shape (n_alphas, n_samples, n_targets)."""
        own = features(X)
        self._check_names(X)
        try:
            X = check_array(own, accept_sparse=SPARSE_FORMATS, dtype=[np.float64, np.float32])
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, own, None, error) from error
        self._check_n_features(X)
        # A copy of few columns is small. A copy of many would be as large as X.
        few = 2 * len(self.kept) < self.n_features
        X, coefs = (X[:, self.kept], self.kept_coefs) if few else (X, self.coefs)
        n_alphas, n_targets, n_columns = coefs.shape
        stacked = coefs.reshape(n_alphas * n_targets, n_columns)
        Z = predictions(X, stacked, self.intercepts.ravel())
        return Z.reshape(len(Z), n_alphas, n_targets).transpose(1, 0, 2)

    def _check_names(self, X):
        """Raise an error if X has other column names than the path, as estimators do."""
        # scikit-learn checks only estimators, and uses the name of the class in its errors.
        fitted = type(type(self).__name__, (BaseEstimator,), {})()
        if self.feature_names is not None:
            fitted.feature_names_in_ = self.feature_names
        validate_data(fitted, X, reset=False, skip_check_array=True)

    def _check_n_features(self, X):
        if X.shape[1] != self.n_features:
            raise ValueError(
                f"X has {X.shape[1]} features, but the path was computed with {self.n_features}: "
                "give the same columns."
            )

    def _check_given(self, y):
        """Raise an error for a y that is missing, or that numpy would misread."""
        if y is None:
            raise ValueError(
                "y is None: give the targets or class labels, with an entry for each row of X."
            )
        check_unmasked("y", y)

    def _checked(self, X, y):
        """X and y for `refit`, after checks."""
        own = features(X)
        self._check_names(X)
        self._check_given(y)
        try:
            X, y = check_X_y(own, y, accept_sparse=SPARSE_FORMATS, dtype=float, multi_output=True)
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, own, None, error) from error
        self._check_n_features(X)
        return X, y

    def refit(self, X, y, sample_weight=None) -> Self:
        """Minimise the loss without the penalty on the features that each model selected.

        This removes the shrinkage of the coefficients and keeps the selection. If the
        features separate the classes without error, the loss has no minimum. The
        coefficients then grow until the loss is 1e-6 times that of an empty model. If the
        features separate only some samples, they grow until a step lowers the loss by less
        than 1e-10 times that of an empty model. After ``positive=True``, coefficients stay >= 0;
        those that this bound holds at zero leave the model. Zeros that `l1_ratio` made within
        features are estimated too.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like or sparse matrix, as for the estimator
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        RegularizationPath
            A path of the same class, with the same `alphas`.
        """
        X, y = self._checked(X, y)
        smooth = self._smooth(X, y, relative_weights(sample_weight, X))
        if not len(self):
            return replace(self, refitted=True, n_iter=None)
        with one_blas_thread():
            found = [self._refitted(smooth, coef) for coef in self.kept_coefs]
        coefs, intercepts, residuals, losses = (np.array(part) for part in zip(*found, strict=True))
        models = replace(self, **self._columns_with(coefs), intercepts=intercepts)
        n_selected = coefs.any(axis=1).sum(axis=1)
        return replace(
            models, n_selected=n_selected, residuals=residuals, objectives=losses,
            refitted=True, n_iter=None,
        )  # fmt: skip

    def _refitted(self, smooth, coef):
        """Coefficients, intercept, residual and loss of the best model with the same features.

        `coef` (n_targets, n_kept) holds the coefficients of the model to refit.
        """
        support, smooth = self.kept[coef.any(axis=0)], smooth.with_memory()
        bounded = getattr(getattr(self.template, "estimator", None), "positive", False)
        if bounded:
            W = nonnegative_minimum(smooth, support)
        else:
            W = smooth.minimise(np.zeros(smooth.C.shape), support)
        loss, gradient = smooth.evaluate(W)
        if bounded:
            gradient = np.where(W > 0, gradient, np.minimum(gradient, 0.0))
        scale = np.sqrt((smooth.C**2).sum(axis=1)).max() or 1.0
        residual = np.abs(gradient[support]).max(initial=0.0) / scale
        # Take the intercept that belongs to this loss. Computed later, it might differ.
        return W[self.kept].T, smooth.intercept(W), residual, loss


def _whole(i, said):
    """A whole number that is no boolean. `said` is the first sentence of the error."""
    try:
        if isinstance(i, bool):
            raise TypeError("a boolean is no place")
        return index(i)
    except TypeError as error:
        raise TypeError(
            f"{said}. `at` finds a model by its alpha or by its number of features."
        ) from error


@dataclass(frozen=True, repr=False, eq=False)
class RegressionPath(RegularizationPath):
    """Path of a regressor.

    Attributes
    ----------
    loss : Loss
        The loss that was minimised. `RegularizationPath` has all other attributes.
    """

    loss: Loss = field(default=_SQUARED, compare=False)

    loss_name = "mean squared error"

    def predict(self, X) -> np.ndarray:
        """Predictions of every model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_alphas, n_samples, n_targets)
        """
        return self._raw_predictions(X)

    def mean_squared_errors(self, X, y=None) -> np.ndarray:
        """Squared error of every model, averaged over samples and targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Moments
            From moments, errors are computed as sums of terms that cancel. Their rounding
            error is about 1e-15 times the largest term (1e-7 for moments of float32 data).
            It only matters if features nearly cancel or if the fit is nearly perfect.
        y : array-like or sparse matrix of shape (n_samples,) or (n_samples, n_targets)
            None if X is `Moments`.

        Returns
        -------
        ndarray of shape (n_alphas,)
        """
        if isinstance(X, Moments):
            return self._errors_of_moments(X)
        self._check_given(y)
        Z = self.predict(X)
        Y = self._targets(check_array(_dense(y), ensure_2d=False, dtype=float, input_name="y"))
        check_consistent_length(Z.swapaxes(0, 1), Y)
        return ((Y - Z) ** 2).mean(axis=(1, 2))

    losses = mean_squared_errors

    def _check_given(self, y):
        super()._check_given(y)
        check_undated("y", y)

    def _errors_of_moments(self, moments):
        self._check_n_features(moments.xx)
        self._check_names_of_moments(moments.feature_names)
        self._check_n_targets(moments.yy)
        coefs, kept = self.kept_coefs, self.kept
        xx, xy, yy = moments.centred()
        if len(kept) < self.n_features:
            xx, xy = xx[kept[:, None], kept], xy[kept]
        off = moments.y_mean - self.intercepts - coefs @ moments.x_mean[kept]
        # One product for all models, with their coefficients stacked.
        stacked = coefs.reshape(self.intercepts.size, len(kept))
        product = (stacked @ xx).reshape(coefs.shape) - 2 * xy.T
        squares = np.einsum("atj,atj->a", product, coefs) + np.trace(yy) + (off**2).sum(axis=1)
        return np.maximum(squares, 0.0) / coefs.shape[1]

    def _check_names_of_moments(self, names):
        ours = self.feature_names
        if ours is None or names is None or np.array_equal(ours, names):
            return
        j = np.flatnonzero(ours != names)[0]
        raise ValueError(
            f"column {j} of X is {names[j]!r} in the moments and {ours[j]!r} in the path: give "
            "the same columns in the same order."
        )

    def _checked(self, X, y):
        return super()._checked(X, _dense(y))

    def _targets(self, y):
        Y = y.reshape(len(y), -1).astype(float)
        self._check_n_targets(Y)
        return Y

    def _check_n_targets(self, Y):
        n_targets = self.intercepts.shape[1]
        if Y.shape[1] != n_targets:
            raise ValueError(
                f"y has {Y.shape[1]} targets, but the path was computed with {n_targets}: "
                "give the same targets."
            )

    def _smooth(self, X, y, sample_weight):
        order, Y = np.arange(X.shape[1]), self._targets(y)
        if not isinstance(self.loss, SquaredLoss):
            return Likelihood(self.loss, X, Y, sample_weight, order, self.fit_intercept)
        return quadratic_of_data(X, Y, sample_weight, order, self.fit_intercept)


@dataclass(frozen=True, repr=False, eq=False)
class ClassificationPath(RegularizationPath):
    """Path of a classifier.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The class labels, sorted. `RegularizationPath` has all other attributes.
    class_weight : dict, "balanced" or None
        The parameter of the estimator. `refit` uses it too.
    """

    classes: np.ndarray
    class_weight: dict | str | None = field(default=None, compare=False)

    loss_name = "log-loss"

    def predict_log_proba(self, X) -> np.ndarray:
        """Logarithms of `predict_proba`, of the same shape."""
        return logistic_loss(len(self.classes)).log_probabilities(self._raw_predictions(X))

    def predict_proba(self, X) -> np.ndarray:
        """Probability of every class by every model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_alphas, n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X) -> np.ndarray:
        """Most probable class by every model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_alphas, n_samples)
        """
        return self.classes[self.predict_log_proba(X).argmax(axis=2)]

    def log_losses(self, X, y) -> np.ndarray:
        """Minus the mean logarithm of the probability given to the true class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels among `classes`.

        Returns
        -------
        ndarray of shape (n_alphas,)
        """
        logs = self.predict_log_proba(X)
        codes = self._codes(y)
        check_consistent_length(logs.swapaxes(0, 1), codes)
        return -logs[:, np.arange(len(codes)), codes].mean(axis=1)

    losses = log_losses

    def accuracies(self, X, y) -> np.ndarray:
        """Share of samples whose class is predicted correctly, for every model.

        Parameters
        ----------
        X, y : as for `log_losses`

        Returns
        -------
        ndarray of shape (n_alphas,)
        """
        predicted, codes = self.predict(X), self._codes(y)
        check_consistent_length(predicted.T, codes)
        return (predicted == self.classes[codes]).mean(axis=1)

    def _codes(self, y):
        self._check_given(y)
        y = column_or_1d(y)
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown[:3].tolist()} that the path was not computed with: give "
                f"labels among {self.classes.tolist()}."
            )
        return np.searchsorted(self.classes, y)

    def _smooth(self, X, y, sample_weight):
        order, codes = np.arange(X.shape[1]), self._codes(y)
        s = weigh_classes(self.class_weight, self.classes, codes, sample_weight)
        return likelihood_of_data(X, codes, len(self.classes), s, order, self.fit_intercept)


def path_of_solutions(problem, objective, target, alphas, solutions, feature_names=None):
    """The `RegularizationPath` of `solutions`, one for every alpha."""
    solutions = [solution.packed() for solution in solutions]
    intercepts = np.array([solution.intercept for solution in solutions])
    dtype = narrowest(target.dtype, *(s.rows for s in solutions), intercepts)
    n_features, n_targets = objective.shape
    supports = [objective.groups.order[s.support] for s in solutions]
    kept = np.unique(np.concatenate(supports))
    coefs = np.zeros((len(alphas), n_targets, len(kept)), dtype)
    for coef, solution, support in zip(coefs, solutions, supports, strict=True):
        coef[:, np.searchsorted(kept, support)] = solution.rows.T
    intercepts = intercepts.astype(dtype, copy=False)
    path: type[RegularizationPath] = RegressionPath
    if target.classes is None:
        of_task = {"loss": problem.task.loss}
    else:
        path = ClassificationPath
        of_task = {"classes": target.classes, "class_weight": problem.task.class_weight}
    return path(
        **of_task,
        alphas=alphas,
        kept=kept,
        kept_coefs=coefs,
        intercepts=intercepts,
        n_features=n_features,
        feature_names=feature_names,
        n_selected=np.array([len(support) for support in supports]),
        residuals=np.array([s.residual for s in solutions]),
        objectives=np.array(
            [
                _stored_value(objective.at(problem.strength(alpha)), solution, dtype)
                for alpha, solution in zip(alphas, solutions, strict=True)
            ]
        ),
        fit_intercept=problem.fit_intercept,
        refitted=not problem.is_penalised,
        n_iter=np.array([solution.n_iter for solution in solutions]),
    )


def _are_equal(ours, theirs):
    """Whether two fields are equal: arrays, numbers or None."""
    if not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray):
        return type(ours) is type(theirs) and ours == theirs
    # Only numbers may be NaN, and numpy asks no other dtype.
    return np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == theirs.dtype.kind == "f")


def _stored_value(objective, solution, dtype):
    """F of a stored model. In float64 this is the value of its `PackedSolution`."""
    if dtype == np.float64:
        return solution.value
    W, intercept = (part.astype(dtype).astype(float) for part in (solution.W, solution.intercept))
    with one_blas_thread():
        return objective.value_at(W, intercept)


def _dense(y):
    return y.toarray() if sparse.issparse(y) else y
