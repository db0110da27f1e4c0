"""Regressors for one or several targets: group lasso and ShrinkNet."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if

from shrinklin.data.moments import Moments, adds_nothing, target_names
from shrinklin.estimators.base import (
    LinearModel,
    SparseLinearModel,
    checked_moments,
    name_targets,
    undone_on_error,
    warn_if_empty,
    warn_unless_trained,
)
from shrinklin.estimators.inputs import checked_targets
from shrinklin.estimators.parameters import GROUP_LASSO, REGRESSION, SHRINKNET, documented
from shrinklin.estimators.predicting import TargetsMixin
from shrinklin.gradient.descent import GradientDescent
from shrinklin.messages import warn
from shrinklin.problem.formulations import GroupLassoFormulation, ShrinkNetFormulation
from shrinklin.problem.tasks import Regression
from shrinklin.solvers.coordinate_descent import CoordinateDescent


class LinearRegressor(TargetsMixin, LinearModel):
    """A linear model that predicts one or several targets."""


def _takes_moments(estimator):
    """For `available_if`: training on minibatches needs the samples."""
    batch_size = getattr(estimator.solver, "batch_size", None)
    if batch_size is not None:
        raise AttributeError(
            f"batch_size={batch_size} needs the samples, but moments are sums over all samples: "
            "give batch_size=None, or use fit."
        )
    return True


class SparseLinearRegressor(LinearRegressor, SparseLinearModel):
    """A regressor for one alpha: it minimises the squared loss and a penalty."""

    _solvers = (CoordinateDescent, GradientDescent)
    moments_: Moments

    def _task(self):
        return Regression(type(self).__name__)

    def _validate(self, X, y, reset=True):
        names = target_names(y)
        X, y = checked_targets(self, X, y, reset=reset)
        if reset:
            name_targets(self, names)
        return X, y

    def fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers. Dense or sparse (CSR or CSC) float32 and float64 are not copied;
            other types are converted to float64. float32 input stays in float32 when
            accuracy allows: for the Gram matrix if there are many rows and no columns are
            nearly collinear, and without a Gram matrix (see `CoordinateDescent`) to exclude
            features that cannot enter the model. In the latter case, the columns of the
            features that may enter are copied.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0. Only their ratios matter: a row of weight 2 counts like two equal
            rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters are not as described here, or if gradient training diverges.
        KeyboardInterrupt
            If Ctrl-C stops an exact fit. `GradientDescent` keeps the best model so far instead,
            with a ConvergenceWarning.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` sweeps did not reach `tol`, or if gradient training did not converge.
        UserWarning
            If the model keeps no feature with the default `alpha`, and would keep some with a
            smaller one.
        """
        return self._fit(X, y, sample_weight)

    @available_if(_takes_moments)
    def fit_moments(self, moments) -> Self:
        """Fit the model to the moments of the data, without the data themselves.

        The model is the one that `fit` finds for the rows from which `moments` were computed.
        There may be any number of rows: in chunks (`Moments.from_chunks`), in files
        (`Moments.from_csv`, `Moments.from_parquet`) or on a cluster
        (`shrinklin.distributed.moments`). Both methods end within `tol` of the minimum. With the
        default `tol`, their coefficients differ by about 1e-7 of the largest one (5e-8 was seen
        with nearly collinear columns); with ``tol=1e-10``, by 1e-8.

        Parameters
        ----------
        moments : Moments
            Moments of X and y. They hold n_features² numbers, so with many thousands of features
            `fit` needs less memory.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If moments or parameters are not as described here.
        AttributeError
            If `GradientDescent` has a `batch_size`, because minibatches need the samples.
        """
        if not isinstance(moments, Moments):
            raise TypeError(
                f"moments={moments!r}: give shrinklin.Moments, such as Moments.from_data(X, y)."
            )
        with undone_on_error(self):
            problem = checked_moments(self, moments)
            trained, objective = self._fit_moments(problem, moments, np.dtype(float))
        warn_unless_trained(self, trained)
        warn_if_empty(self, problem, objective)
        return self

    @available_if(_takes_moments)
    def partial_fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model to these data and to the data of all earlier calls.

        The model is the one that `fit` finds for all these data together, as exactly as stated
        for `fit_moments`. Neither the sizes of the chunks nor their order matter, because each
        call adds the moments of its data to `moments_`. Every call ends with a fit, so if only
        the last model matters, `Moments.from_chunks` and `fit_moments` are faster.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data with the same columns in every call.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Values of the same targets in every call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, None means 1. Only the ratios matter, also to the weights of other
            calls. From the second call on, all weights may be 0; the call then adds nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError, AttributeError
            For the same reasons as `fit` and `fit_moments`.

        Warns
        -----
        UserWarning
            If `fit` or `fit_moments` fitted the model before. Their data are not kept, so
            `partial_fit` starts again without them.
        """
        begun = hasattr(self, "moments_")
        if not begun and hasattr(self, "coef_"):
            warn(
                f"this {type(self).__name__} was fitted by fit or fit_moments, which keep no "
                "moments: partial_fit starts again without those data. To include them, give them "
                "to partial_fit first.",
                UserWarning,
            )
        with undone_on_error(self):
            self._check_parameters()
            names = target_names(y)
            X, y = self._validate(X, y, reset=not begun)
            if begun:
                self.moments_.check_columns(X.shape[1], y.size // len(y), y.ndim)
                if adds_nothing(X, y, sample_weight):
                    return self
            moments = Moments.from_data(X, y, sample_weight)
            of_x = getattr(self, "feature_names_in_", None)
            moments = replace(moments, feature_names=of_x, target_names=names)
            dtype = X.dtype
            if begun:
                moments = self.moments_ + moments
                name_targets(self, moments.target_names)
                # Otherwise the dtype of the last chunk would decide.
                dtype = np.result_type(dtype, self.coef_.dtype)
            trained, _ = self._fit_moments(self._problem(), moments, dtype)
            self.moments_ = moments
        warn_unless_trained(self, trained)
        return self

    def _fit_moments(self, problem, moments, dtype):
        """Fit, and return (`Trained`, None), or (None, `Objective`) after an exact fit."""
        if problem.trains:
            return self._train(problem, lambda: problem.risk_of_moments(moments, dtype)), None
        return None, self._optimise(problem, *problem.objective_of_moments(moments, dtype))


@documented(REGRESSION, GROUP_LASSO)
class GroupLassoRegressor(SparseLinearRegressor):
    r"""Multi-target regression with a group lasso penalty.

    It minimises, over W (n_features, n_targets) and an unpenalised intercept b,

    .. math:: \frac{1}{2n} \sum_i s_i \|y_i - W'x_i - b\|^2
              + \alpha \sum_g \omega_g \left[(1 - \tau) \|W_g\|_F
              + \frac{\tau}{\sqrt{m_g}} \|W_g\|_1\right]
              + \frac{\rho}{2} \sum_{\omega_g > 0} \|W_g\|_F^2

    where W_g holds the rows of W for the m_g features of group g, τ is `l1_ratio`, ρ is `ridge`,
    and the sample weights s are scaled to sum to n. With `positive`, W >= 0. Without `groups` and
    weights, this is the problem of `sklearn.linear_model.MultiTaskLasso`, and with one target that
    of `sklearn.linear_model.Lasso`; with a ridge, those of `MultiTaskElasticNet` and `ElasticNet`.
    With `groups`, the default weights make α τ the penalty of every coefficient, and
    α (1 − τ) √m_g that of a group, as in [2]_.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $coef_, $intercept_, $n_iter_, $objective_, $cost_, $history_, $residual_, $dual_gap_
    $moments_, $n_features_in_, $feature_names_in_, $target_names_in_

    See Also
    --------
    ShrinkNetRegressor : Fits as well with fewer features.
    regularization_path : Solutions for a range of alphas.

    References
    ----------
    .. [1] Yuan, Lin (2006), Model selection and estimation in regression with
       grouped variables, J. R. Stat. Soc. B 68.
    .. [2] Simon, Friedman, Hastie, Tibshirani (2013), A sparse-group lasso, J. Comput.
       Graph. Stat. 22.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import GroupLassoRegressor
    >>> X = np.array([[1., 0.], [2., 1.], [3., 0.], [4., 1.]])
    >>> y = X[:, [0, 0]] * [1, -2]
    >>> model = GroupLassoRegressor(alpha=0.1).fit(X, y)
    >>> model.get_support()
    array([ True, False])
    """

    # Models that were pickled by shrinklin 0.1.0 have neither.
    l1_ratio: Any = 0.0
    positive: Any = False

    def __init__(
        self,
        alpha=0.1,
        *,
        ridge=0.0,
        groups=None,
        feature_weights=None,
        l1_ratio=0.0,
        positive=False,
        fit_intercept=True,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=0,
    ) -> None:
        self.alpha = alpha
        self.ridge = ridge
        self.groups = groups
        self.feature_weights = feature_weights
        self.l1_ratio = l1_ratio
        self.positive = positive
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _formulation(self):
        return GroupLassoFormulation(l1_ratio=self.l1_ratio, positive=self.positive)


@documented(REGRESSION, SHRINKNET)
class ShrinkNetRegressor(SparseLinearRegressor):
    r"""Multi-target regression with a switch in front of every feature.

    It minimises, over switches β (n_features,), weights A (n_targets, n_features) and an
    unpenalised intercept b,

    .. math:: \frac{1}{2n} \sum_i s_i \|y_i - A\,\mathrm{diag}(\beta)x_i - b\|^2
              + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p)
              + \frac{\rho}{2} \sum_{\omega_g > 0} \|\beta_g A_g\|_F^2

    where λ is `alpha`, λ₂ is `weight_decay` and ρ is `ridge`. The solver uses an equivalent form,
    the group bridge penalty :math:`\kappa \sum_g \omega_g \|W_g\|_p^{p/(p+1)}` on
    W = (A diag(β))' with :math:`\kappa = (1 + 1/p)\lambda^{p/(p+1)}(p\lambda_2)^{1/(p+1)}`. This
    penalty shrinks large coefficients less than the group lasso does. It therefore fits as well
    with fewer features, unless the coefficients of the group lasso are refitted on its support.

    The problem is not convex. The solver descends from both ends of a path and from the
    supports of the group lasso. Then it drops, adds and swaps groups as long as that lowers the
    objective. The solution is never worse than W = 0 or the warm start.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $coef_, $switch_, $weight_, $intercept_, $n_iter_, $objective_, $cost_, $history_
    $residual_, $moments_, $n_features_in_, $feature_names_in_, $target_names_in_

    See Also
    --------
    GroupLassoRegressor : Solves a convex problem instead.
    regularization_path : Solutions for a range of alphas.

    References
    ----------
    .. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
       selection, Biometrika 96.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import ShrinkNetRegressor
    >>> X = np.array([[1., 0.], [2., 1.], [3., 0.], [4., 1.]])
    >>> y = X[:, [0, 0]] * [1, -2]
    >>> model = ShrinkNetRegressor(alpha=0.1).fit(X, y)
    >>> model.get_support()
    array([ True, False])
    >>> bool((model.coef_ == model.weight_ * model.switch_).all())
    True
    """

    def __init__(
        self,
        alpha=0.1,
        *,
        weight_decay=None,
        p=2,
        ridge=0.0,
        groups=None,
        feature_weights=None,
        fit_intercept=True,
        solver="auto",
        max_iter=10_000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=0,
    ) -> None:
        self.alpha = alpha
        self.weight_decay = weight_decay
        self.p = p
        self.ridge = ridge
        self.groups = groups
        self.feature_weights = feature_weights
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _formulation(self):
        return ShrinkNetFormulation(self.p, self.weight_decay)
