"""Choosing alpha by AIC, BIC or EBIC, without held-out data.

A criterion is the sum of minus twice the log-likelihood of a model and a penalty on its degrees
of freedom (`freedom`).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import gammaln
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from shrinklin.blas import one_blas_thread
from shrinklin.data.moments import Moments
from shrinklin.estimators.base import (
    become,
    path_of,
    prepare,
    refuse_moments,
    solve,
    without_alpha,
)
from shrinklin.estimators.parameters import ANY_ESTIMATOR, documented
from shrinklin.estimators.plain import PlainModel
from shrinklin.estimators.selector import CheckedSelector
from shrinklin.estimators.summary import SummarisedModel
from shrinklin.messages import warn
from shrinklin.objective.likelihood import Likelihood
from shrinklin.selection.alphas import alpha_grid, warn_if_alphas_are_too_large
from shrinklin.selection.freedom import degrees_of_freedom
from shrinklin.validation.parameters import check_real

CRITERIA = ("aic", "bic", "ebic")
# If the noise is estimated, models with more degrees of freedom than this share of the numbers in
# y are not candidates, because their residuals are too small to estimate the noise.
MOST_DF = 0.5
# Residual sums of squares below this share of that of the empty model are rounding errors.
_LEAST_RSS = 1e-14


@dataclass(frozen=True)
class _Judged:
    """The models of a path and their criterion. Arrays have shape (n_alphas,).

    Attributes
    ----------
    values : ndarray
        The criterion of all models, candidates or not. Infinity if df is infinity.
    df, log_likelihoods : ndarray
    candidate : ndarray of bool
    size : float
        Size of y: n times the number of targets.
    """

    values: np.ndarray
    df: np.ndarray
    log_likelihoods: np.ndarray
    candidate: np.ndarray
    size: float

    @property
    def criteria(self):
        return np.where(self.candidate, self.values, np.inf)

    def best(self):
        """The index of the candidate with the smallest criterion."""
        if not self.candidate.any():
            raise ValueError(
                f"none of the {len(self.df)} models is a candidate: each has at least "
                f"{self.df.min():.4g} degrees of freedom, too many for the {self.size:g} numbers "
                "in y. Give larger alphas, more samples, or noise_variance."
            )
        return int(self.criteria.argmin())


def _estimator_has(name):
    """For `available_if`: the meta-estimator has the methods of its estimator."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


@documented(ANY_ESTIMATOR)
class InformationCriterion(
    SummarisedModel, PlainModel, CheckedSelector, MetaEstimatorMixin, BaseEstimator
):
    r"""Choice of alpha along a path by AIC, BIC or EBIC.

    The criterion of each model of the path is

    .. math:: -2\log L + c\,\mathrm{df}, \quad c = 2 \text{ (AIC)}, \log n \text{ (BIC)},
              \qquad \text{EBIC} = \text{BIC} + 2\gamma\log\binom{P}{k}

    where P is the number of penalised groups and k the number of those that the model keeps. The
    model with the smallest criterion is chosen; if several are equal, the one with the largest
    alpha. No data are held out, and only one path is solved, while cross-validation solves one
    per fold.

    n is the sum of the sample weights, which count rows: a row of weight 2 counts like two equal
    rows, and a row of weight 0 is left out. Weights with another meaning should be scaled to sum
    to the number of independent samples. ``class_weight`` changes L, but not n.

    For regressors, L is the Gaussian likelihood with one noise variance for all q targets. If
    `noise_variance` is None, the variance is the one that maximises the likelihood, RSS/(nq).
    As a model comes close to interpolating y, this variance tends to 0 and the criterion to −∞.
    Therefore only models with df <= nq/2 are then candidates, and the criterion of the others is
    set to infinity. If the last candidate has the smallest criterion, but would not without this
    bound, there is a warning.

    Parameters
    ----------
    estimator : GroupLassoRegressor or another estimator for one alpha
        `GroupLassoRegressor`, `ShrinkNetRegressor`, `GroupLassoClassifier` or
        `ShrinkNetClassifier`. Its parameters are used, except `alpha` and `warm_start`. It is
        not fitted.
    criterion : {"aic", "bic", "ebic"}, default="bic"
        AIC aims at good predictions and keeps more features. BIC aims at the true features. EBIC
        also counts the possible supports of the same size. It is meant for more features than
        samples, and for ShrinkNet, because `degrees_of_freedom_` ignores its search among
        supports.
    $alphas, $eps
    gamma : float, default=1.0
        γ of EBIC, in [0, 1]. 0 is the same as BIC.
    noise_variance : float, default=None
        Noise variance of every target, > 0, for regressors only. None estimates it for each
        model.

    Attributes
    ----------
    $alpha_
    estimator_ : a regressor or classifier of shrinklin
        The model for `alpha_` on the path, as a fitted estimator.
    $alphas_
    criteria_ : ndarray of shape (n_alphas,)
        The criterion of every model, infinity if it is not a candidate.
    degrees_of_freedom_ : ndarray of shape (n_alphas,)
        Divergence of the fitted values, including the intercepts. Infinity if a ShrinkNet
        solution is not an isolated minimum.
    log_likelihoods_ : ndarray of shape (n_alphas,)
        log L of every model, infinity if y is constant, as no residuals are then left.
    $n_selected_, $path_
    coef_ : ndarray
        The coefficients of `estimator_`, in the form that its class describes. All attributes
        that follow are those of `estimator_`, too.
    intercept_ : float or ndarray
        The intercept.
    switch_ : ndarray of shape (n_features,)
        The switches. Only for ShrinkNet.
    weight_ : ndarray, same shape as `coef_`
        The weights. Only for ShrinkNet.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted. Only for classifiers.
    n_iter_ : int
        Number of sweeps.
    objective_ : float
        Value of the objective.
    residual_ : float
        Distance from optimality.
    dual_gap_ : float
        Upper bound on how far the objective lies above its minimum. Only for group lasso.
    cost_ : CostMeter
        The cost of the whole path, counted without a clock.
    $n_features_in_, $feature_names_in_
    target_names_in_ : ndarray of shape (n_targets,)
        Names of the targets, if y has them. Only for regressors.

    See Also
    --------
    regularization_path : Solves the path from which a model is chosen.
    InformationCriterionDisplay : Draws the choice.

    Notes
    -----
    For a model with s features, the degrees of freedom cost some s³ operations in addition to the
    solution, whatever the number of targets. For a classifier with K classes they cost
    n s²K² + (sK)³ operations, and memory for (sK)² numbers. For group lasso with squared loss,
    the degrees of freedom are an unbiased estimate. For the others see
    docs/degrees_of_freedom.md.

    References
    ----------
    .. [1] Vaiter, Deledalle, Fadili, Peyré, Dossal (2017), The degrees of freedom of
       partly smooth regularizers, Ann. Inst. Stat. Math. 69.
    .. [2] Chen, Chen (2008), Extended Bayesian information criteria for model selection
       with large model spaces, Biometrika 95.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn.preprocessing import StandardScaler
    >>> from shrinklin import GroupLassoRegressor, InformationCriterion
    >>> X, Y = (StandardScaler().fit_transform(part) for part in load_linnerud(return_X_y=True))
    >>> chosen = InformationCriterion(GroupLassoRegressor(), "aic", alphas=20).fit(X, Y)
    >>> chosen.get_support()
    array([False,  True, False])
    """

    def __init__(
        self,
        estimator,
        criterion="bic",
        *,
        alphas=100,
        eps=1e-3,
        gamma=1.0,
        noise_variance=None,
    ) -> None:
        self.estimator = estimator
        self.criterion = criterion
        self.alphas = alphas
        self.eps = eps
        self.gamma = gamma
        self.noise_variance = noise_variance

    def fit(self, X, y, sample_weight=None) -> Self:
        """Solve the path, and keep the model with the smallest criterion.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or class labels, as the estimator takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Numbers of rows, >= 0. Unlike in the fit of the estimator, their sum matters.

        Returns
        -------
        self
            With the model of the least criterion in `estimator_`.

        Raises
        ------
        ValueError
            If data or parameters are not as described here, or if no model of the path is a
            candidate.

        Warns
        -----
        UserWarning
            If the bound df <= nq/2 decided the choice, or if `alphas` are so large that no model
            keeps a feature.
        ConvergenceWarning
            If `max_iter` sweeps did not reach `tol`.
        """
        estimator = self._estimator_for_path()
        refuse_moments(self, X)
        problem, objective, target = prepare(estimator, X, y, sample_weight)
        n = _n_counted(estimator, objective.smooth.n_samples, y, sample_weight)
        return self._choose(estimator, problem, objective, target, n)

    @available_if(_estimator_has("fit_moments"))
    def fit_moments(self, moments) -> Self:
        """Solve the path and keep the best model, given only the moments of the data.

        Parameters
        ----------
        moments : Moments
            Moments of X and y. Their `weight` is used as the number of samples.

        Returns
        -------
        self
        """
        if not isinstance(moments, Moments):
            raise TypeError(
                f"moments={moments!r}: give shrinklin.Moments, such as Moments.from_data(X, y)."
            )
        estimator = self._estimator_for_path()
        problem, objective, target = prepare(estimator, moments, None, None)
        return self._choose(estimator, problem, objective, target, float(moments.weight))

    def _estimator_for_path(self):
        estimator = without_alpha(self.estimator)
        if not isinstance(self.criterion, str) or self.criterion not in CRITERIA:
            raise ValueError(f'criterion={self.criterion!r}: give "aic", "bic" or "ebic".')
        check_real("gamma", self.gamma, 0)
        if self.gamma > 1:
            raise ValueError(f"gamma={self.gamma!r}: give a number between 0 and 1.")
        if self.noise_variance is not None:
            check_real("noise_variance", self.noise_variance, 0, open_end=True)
            if not hasattr(estimator, "fit_moments"):
                raise ValueError(
                    f"noise_variance={self.noise_variance!r} with {type(estimator).__name__}: a "
                    "classifier has no noise variance. Leave it at None."
                )
        return estimator

    def _check_supports(self, objective):
        within = objective.shape[1] > 1 or not objective.groups.singletons
        if self.criterion == "ebic" and objective.penalty.l1_ratio and within:
            raise ValueError(
                f'criterion="ebic" with l1_ratio={objective.penalty.l1_ratio:g} counts supports of '
                "whole groups (features, over all targets), but the penalty chooses among single "
                'coefficients too. Give "bic" or "aic".'
            )

    def _grid(self, problem, objective, n):
        if n < 2:
            raise ValueError(
                f"the sample weights sum to {n:g}; at least 2 are needed, as one sample is not "
                "enough. InformationCriterion counts the weights as numbers of samples: give more "
                "samples, or scale sample_weight to sum to the number of samples."
            )
        return alpha_grid(self.alphas, self.eps, problem, objective)

    def _choose(self, estimator, problem, objective, target, n):
        self._check_supports(objective)
        alphas = self._grid(problem, objective, n)
        objective = objective.with_memory()
        objectives = [objective.at(problem.strength(alpha)) for alpha in alphas]
        solutions = solve(estimator, problem, objective, alphas)
        judged = self._judge(objectives, solutions, n, problem.fit_intercept)
        best = judged.best()
        path = path_of(estimator, problem, objective, target, alphas, solutions)
        problem = problem.at(float(alphas[best]))
        estimator.set_params(alpha=problem.alpha, warm_start=self.estimator.warm_start)
        become(estimator, problem.attributes(objectives[best], solutions[best], target))
        # Attributes are set only now, so that a fit that fails keeps those of an earlier one.
        self._store(estimator, path, judged)
        # Last, so that the model is there even if warnings are errors.
        self._warn_where_cut(judged, best)
        warn_if_alphas_are_too_large("InformationCriterion", problem, objective, path)
        return self

    def _store(self, estimator, path, judged):
        self.alphas_, self.path_, self.n_selected_ = path.alphas, path, path.n_selected
        self.criteria_, self.degrees_of_freedom_ = judged.criteria, judged.df
        self.log_likelihoods_ = judged.log_likelihoods
        self.alpha_, self.estimator_ = estimator.alpha, estimator
        # Models that were pickled by shrinklin 0.1.0 have copies of these.
        for name in ("n_features_in_", "feature_names_in_", "target_names_in_", "classes_"):
            self.__dict__.pop(name, None)

    def __getattr__(self, name):
        """The fitted attributes of `estimator_`, called for names that this object lacks."""
        if not name.endswith("_") or name.startswith("_") or "estimator_" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.estimator_, name)

    def __dir__(self):
        fitted = vars(self.estimator_) if "estimator_" in vars(self) else {}
        return sorted({*super().__dir__(), *(name for name in fitted if name.endswith("_"))})

    def _judge(self, objectives, solutions, n, fit_intercept):
        smooth, size = objectives[0].smooth, n * objectives[0].shape[1]
        _check_likelihood(smooth)
        models = list(zip(objectives, solutions, strict=True))
        with one_blas_thread():
            df = np.array([degrees_of_freedom(o, s.W, fit_intercept) for o, s in models])
        losses = np.array([solution.loss - smooth.ridge_of(solution.W) for solution in solutions])
        log_likelihoods = self._log_likelihoods(smooth, losses, n)
        values = (2.0 if self.criterion == "aic" else np.log(n)) * df
        if self.criterion == "ebic":
            values += [2 * self.gamma * _log_supports(o, s.W) for o, s in models]
        finite = np.isfinite(df)
        values[finite] -= 2 * log_likelihoods[finite]
        # The tolerance keeps rounding errors from deciding at the bound itself.
        most = (1 + 1e-9) * MOST_DF * size if self._estimates_noise(smooth) else np.inf
        return _Judged(values, df, log_likelihoods, finite & (df <= most), size)

    def _estimates_noise(self, smooth):
        return self.noise_variance is None and not isinstance(smooth, Likelihood)

    def _log_likelihoods(self, smooth, losses, n):
        """log L of models with these losses."""
        if isinstance(smooth, Likelihood):
            return -n * losses
        size = n * smooth.C.shape[1]
        squares = 2 * n * np.maximum(losses, _LEAST_RSS * smooth.value_at_zero)
        if self.noise_variance is not None:
            variance = float(self.noise_variance)
            return -0.5 * (squares / variance + size * np.log(2 * np.pi * variance))
        with np.errstate(divide="ignore"):
            return -0.5 * size * (np.log(2 * np.pi * squares / size) + 1)

    def _warn_where_cut(self, judged, best):
        """Warn if the best model is the last candidate, and models beyond it have a lower value.

        If the best model is not the last candidate, it is a minimum. The values always fall
        again when models come close to interpolating y, which needs no warning.
        """
        lower = np.flatnonzero(judged.values < judged.values[best])
        if best < np.flatnonzero(judged.candidate)[-1] or not len(lower):
            return
        name, beyond = self.criterion.upper(), lower[0]
        warn(
            f"alpha={self.alpha_:.4g} has the lowest {name} among candidates, "
            f"{judged.values[best]:.4g}, but at alpha={self.alphas_[beyond]:.4g} it is even lower, "
            f"{judged.values[beyond]:.4g}. The model there is no candidate: it has "
            f"{judged.df[beyond]:.4g} degrees of freedom, more than half of the {judged.size:g} "
            "numbers in y, which is too many to estimate the noise. Give noise_variance, "
            'criterion="ebic", or choose alpha by cross-validation.',
            UserWarning,
        )

    def _get_support_mask(self):
        check_is_fitted(self)
        return self.estimator_.get_support()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        return get_tags(self.estimator)

    @available_if(_estimator_has("predict"))
    def predict(self, X) -> np.ndarray:
        """Predict with `estimator_`."""
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X) -> np.ndarray:
        """Predict the probability of each class with `estimator_`."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X) -> np.ndarray:
        """Predict the logarithms of the probabilities with `estimator_`."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X) -> np.ndarray:
        """Compute the raw predictions of `estimator_`."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @available_if(_estimator_has("score"))
    def score(self, X, y, sample_weight=None) -> float:
        """Compute the score of `estimator_`: R² for regressors, accuracy for classifiers."""
        check_is_fitted(self)
        return self.estimator_.score(X, y, sample_weight)


def _check_likelihood(smooth):
    if isinstance(smooth, Likelihood) and not smooth.loss.is_log_likelihood:
        raise ValueError(
            f"{type(smooth.loss).__name__} is the logarithm of no likelihood, which information "
            "criteria are made of: choose alpha by cross-validation."
        )


def _n_counted(estimator, n_rows, y, sample_weight):
    """The sum of the sample weights, without the rows of classes of weight 0."""
    if sample_weight is None:
        return float(n_rows)
    s = np.asarray(sample_weight, dtype=float)
    class_weight = getattr(estimator, "class_weight", None)
    if isinstance(class_weight, dict):
        silent = [label for label, weight in class_weight.items() if weight == 0]
        s = s[~np.isin(np.reshape(y, -1), silent)]
    return float(s.sum())


def _log_supports(objective, W):
    """log of the number of sets of penalised groups that have the same size as the support."""
    penalised = objective.groups.weights > 0
    kept = objective.groups.norms(W)[penalised] > 0
    n, k = len(kept), int(kept.sum())
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
