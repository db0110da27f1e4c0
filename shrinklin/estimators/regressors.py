"""Multi-target regression: group lasso and ShrinkNet."""

from dataclasses import replace
from typing import Self

import numpy as np
from scipy import sparse
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from shrinklin.data.moments import Moments, adds_nothing
from shrinklin.estimators.base import (
    LinearModel,
    SparseLinearModel,
    checked_moments,
    undone_on_error,
    warn_if_empty,
    warn_unless_trained,
)
from shrinklin.gradient.descent import GradientDescent
from shrinklin.messages import warn
from shrinklin.problem.formulations import GroupLassoFormulation, ShrinkNetFormulation
from shrinklin.problem.tasks import Regression
from shrinklin.solvers.coordinate_descent import CoordinateDescent
from shrinklin.validation.data import SPARSE_FORMATS, diagnosis, features
from shrinklin.validation.entries import check_undated, check_unmasked


class LinearRegressor(MultiOutputMixin, RegressorMixin, LinearModel):
    """A fitted regressor."""

    def predict(self, X) -> np.ndarray:
        """Predict the targets of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets), as y in `fit`.
        """
        return self._raw_predictions(X)

    def score(self, X, y, sample_weight=None) -> float:
        """R² of `predict`, averaged over the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_unmasked("y", y)
        check_undated("y", y)
        check_unmasked("sample_weight", sample_weight)
        return super().score(X, y, sample_weight)


def _takes_moments(estimator):
    """For `available_if`: minibatches need the samples."""
    batch_size = getattr(estimator.solver, "batch_size", None)
    if batch_size is not None:
        raise AttributeError(
            f"batch_size={batch_size} takes samples, and moments are sums over all of them: give "
            "batch_size=None, or use fit."
        )
    return True


class SparseLinearRegressor(LinearRegressor, SparseLinearModel):
    """Shared by the regressors: the squared loss."""

    _solvers = (CoordinateDescent, GradientDescent)
    moments_: Moments

    def _task(self):
        return Regression(type(self).__name__)

    def _validate(self, X, y, reset=True):
        y = y.toarray() if sparse.issparse(y) else y
        check_unmasked("y", y)
        check_undated("y", y)
        X = features(X)
        try:
            X, y = validate_data(
                self,
                X,
                y,
                accept_sparse=SPARSE_FORMATS,
                dtype=[np.float64, np.float32],
                multi_output=True,
                y_numeric=True,
                reset=reset,
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, X, y, error) from error
        if y.dtype.kind not in "biuf":
            raise ValueError(
                f"Complex data not supported: y has dtype {y.dtype}, and a regressor takes real "
                "numbers. Fit the real and the imaginary parts as two targets."
                if y.dtype.kind == "c"
                else f"y has dtype {y.dtype}: a regressor takes real numbers. Convert y, or use a "
                "classifier for labels."
            )
        return X, y

    def fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers, finite. float32 and float64 are taken as they are, dense
            or sparse (CSR or CSC), without a copy; else converted to float64.
            Products of float32 are taken in float32 where rows abound and no
            columns are nearly collinear, which loses no digits that show, and
            where no Gram matrix is formed (`CoordinateDescent`) to tell which
            features cannot enter. Columns of the features that may enter are then copied.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, of which only the ratios matter: a weight of 2 is the
            row given twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For data or parameters outside what is stated here, and where gradient
            training diverges.
        KeyboardInterrupt
            When an exact fit is stopped by hand; `GradientDescent` then keeps the best
            model so far, with a ConvergenceWarning.

        Warns
        -----
        ConvergenceWarning
            Where `max_iter` sweeps did not reach `tol`, or training fell short.
        UserWarning
            Where nothing is kept with the default `alpha`, and a smaller one would keep
            something.
        """
        return self._fit(X, y, sample_weight)

    @available_if(_takes_moments)
    def fit_moments(self, moments) -> Self:
        """Fit the model to data of which only the moments are known.

        The model is that of `fit` on the rows that `moments` were made of, however
        many, and wherever: in chunks (`Moments.from_chunks`), in files
        (`Moments.from_csv`, `Moments.from_parquet`), on a cluster
        (`shrinklin.distributed.moments`). Both end within `tol` of the minimum: with the
        default their coefficients agree to some 1e-7 of the largest (5e-8 was seen where
        columns are nearly collinear), with ``tol=1e-10`` to 1e-8.

        Parameters
        ----------
        moments : Moments
            Whose size is that of n_features² numbers: with many thousands of
            features, `fit` needs less memory.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For moments or parameters outside what is stated here.
        AttributeError
            Where `GradientDescent` takes minibatches, which need the samples.
        """
        if not isinstance(moments, Moments):
            raise TypeError(
                f"moments={moments!r}: give shrinklin.Moments, as Moments.from_data(X, y) makes."
            )
        with undone_on_error(self):
            problem = checked_moments(self, moments)
            trained, objective = self._fit_moments(problem, moments, np.dtype(float))
        warn_unless_trained(self, trained)
        warn_if_empty(self, problem, objective)
        return self

    @available_if(_takes_moments)
    def partial_fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model to these data and to all that were given before.

        It is the model of one `fit` on all of them, whatever the chunks and their
        order, to the digits that `fit_moments` states: the data stay in `moments_`,
        which this adds to. As every call ends with a fit, `Moments.from_chunks` and
        `fit_moments` are faster where only the last model matters.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The same columns in every call.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
            As for `fit`; rows without it have weight 1. From the second call on all may
            be 0: the call then adds nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError, AttributeError
            As `fit` and `fit_moments` do.

        Warns
        -----
        UserWarning
            Where the model was fitted by `fit` or `fit_moments` before: those data
            are not kept, so that it begins anew.
        """
        begun = hasattr(self, "moments_")
        if not begun and hasattr(self, "coef_"):
            warn(
                f"this {type(self).__name__} was fitted by fit or fit_moments, which keep no "
                "moments: partial_fit begins anew. To add to the same data, give them to "
                "partial_fit first.",
                UserWarning,
            )
        with undone_on_error(self):
            self._check_parameters()
            X, y = self._validate(X, y, reset=not begun)
            if begun:
                self.moments_.check_columns(X.shape[1], y.size // len(y), y.ndim)
                if adds_nothing(X, y, sample_weight):
                    return self
            moments = Moments.from_data(X, y, sample_weight)
            moments = replace(moments, feature_names=getattr(self, "feature_names_in_", None))
            dtype = X.dtype
            if begun:
                moments = self.moments_ + moments
                # The last chunk alone would decide.
                dtype = np.result_type(dtype, self.coef_.dtype)
            trained, _ = self._fit_moments(self._problem(), moments, dtype)
            self.moments_ = moments
        warn_unless_trained(self, trained)
        return self

    def _fit_moments(self, problem, moments, dtype):
        """Fit; returns the `Trained`, or None after an exact fit, and the objective of that."""
        if problem.trains:
            return self._train(problem, lambda: problem.risk_of_moments(moments, dtype)), None
        return None, self._optimise(problem, *problem.objective_of_moments(moments, dtype))


class GroupLassoRegressor(SparseLinearRegressor):
    r"""Multi-target regression with a group lasso penalty.

    Minimises, over W (n_features, n_targets) and an unpenalised intercept b,

    .. math:: \frac{1}{2n} \sum_i s_i \|y_i - W'x_i - b\|^2
              + \alpha \sum_g \omega_g \|W_g\|_F

    where W_g holds the rows of W of one group of features, and the sample
    weights s are scaled to sum to n. Without `groups` and weights this is the
    problem of `sklearn.linear_model.MultiTaskLasso`, and with one target that
    of `sklearn.linear_model.Lasso`.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, >= 0. Larger keeps fewer features. The default
        suits standardised features and targets.
    groups : array-like of shape (n_features,), default=None
        One label a feature; features of a label enter or stay out together.
        None makes every feature its own group. A pandas Series is aligned by
        its index with the names of the columns of X.
    feature_weights : array-like of shape (n_features,), default=None
        ω, one weight >= 0 a feature and equal within a group; 0 leaves the
        feature unpenalised. None takes 1, or with `groups` the square root of
        the group's number of features. For a feature that is its own group,
        ω is the same as dividing its column by ω. A Series as for `groups`.
    fit_intercept : bool, default=True
    solver : "auto", CoordinateDescent or GradientDescent, default="auto"
        "auto" is ``CoordinateDescent()``, which is exact. `GradientDescent` trains as
        the ShrinkNets drafts do, to study what early removal costs and saves.
    max_iter : int, default=10000
        Most sweeps over the coordinates; of the exact solver, as `tol`.
    tol : float, default=1e-6
        The fit ends when `residual_` <= tol and `dual_gap_`, rounding apart, <= tol
        times the loss of zero coefficients.
    warm_start : bool, default=False
        Start from the previous `coef_`, if of the same shape.
    random_state : int, RandomState or None, default=None
        For `GradientDescent`: the first parameters and the order of the samples.
        Coordinate descent draws none.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        W', as for `MultiTaskLasso`; features left out are exact zeros.
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : int
        Sweeps made, or epochs.
    objective_ : float
        Value of what is minimised, at the model.
    cost_ : CostMeter
        What the fit cost, counted.
    history_ : dict of str to ndarray
        Only by `GradientDescent`: "epoch", "loss", "penalty", "n_alive" and what was
        spent so far, at the beginning and after every epoch.
    residual_ : float
        Only by the exact solver:
        :math:`\max_g \sqrt{L_g}\|W_g - \mathrm{prox}(W_g - \nabla_g f/L_g)\|`,
        relative to :math:`\max_g\|\nabla_g f(0)\|/\sqrt{L_g}`, where L_g is the
        largest eigenvalue of the group's Hessian. Zero at the optimum.
    dual_gap_ : float
        Only by the exact solver: upper bound on what the objective lies above its
        minimum. Rounding counts: the minimum is no less than ``objective_ - dual_gap_``.
        Unpenalised features that are collinear up to rounding count as collinear.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has string column names.

    See Also
    --------
    ShrinkNetRegressor : Keeps fewer features at the same fit.
    regularization_path : All solutions over a range of alpha.

    References
    ----------
    .. [1] Yuan, Lin (2006), Model selection and estimation in regression with
       grouped variables, J. R. Stat. Soc. B 68.

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

    def __init__(
        self,
        alpha=0.1,
        *,
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
        return GroupLassoFormulation()


class ShrinkNetRegressor(SparseLinearRegressor):
    r"""Multi-target regression with a switch before every feature.

    Minimises, over switches β (n_features,), weights A (n_targets, n_features)
    and an unpenalised intercept b,

    .. math:: \frac{1}{2n} \sum_i s_i \|y_i - A\,\mathrm{diag}(\beta)x_i - b\|^2
              + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p)

    with λ = `alpha`, λ₂ = `weight_decay`. This equals the group bridge penalty
    :math:`\kappa \sum_g \omega_g \|W_g\|_p^{p/(p+1)}` on W = (A diag(β))',
    :math:`\kappa = (1 + 1/p)\lambda^{p/(p+1)}(p\lambda_2)^{1/(p+1)}`, which the
    solver works on. It shrinks large coefficients less than the group lasso
    does, and so keeps fewer features at the same fit, unless group lasso's
    coefficients are refitted on its support.

    The problem is not convex. The solver descends from both ends of a path
    and from group lasso's supports, and then drops, adds and swaps groups as
    long as that lowers the objective; the point found is never worse than
    W = 0 or the warm start.

    Parameters
    ----------
    alpha : float, default=0.1
        λ, the strength of the penalty, >= 0. Larger keeps fewer features. The
        default suits standardised features and targets.
    weight_decay : float, default=None
        λ₂ > 0. It acts only through κ; None takes the λ₂ for which κ = alpha.
        `GradientDescent` accepts 0, with a warning: there is no minimum then.
    p : {1, 2}, default=2
        Norm of the weights. With 1, single targets of a kept feature may be 0.
        `GradientDescent` accepts any p > 0.
    groups : array-like of shape (n_features,), default=None
        One label a feature; features of a label share a switch (with p = 1
        some of them may still be 0). None makes every feature its own group.
        A pandas Series is aligned by its index with the names of the columns
        of X.
    feature_weights : array-like of shape (n_features,), default=None
        ω, one weight >= 0 a feature and equal within a group; 0 leaves the
        feature unpenalised. None takes 1, or with `groups` the square root of
        the group's number of features. For a feature that is its own group,
        ω is the same as dividing its column by :math:`\omega^{3/2}` (p = 2) or
        :math:`\omega^2` (p = 1). A Series as for `groups`.
    fit_intercept : bool, default=True
    solver : "auto", CoordinateDescent or GradientDescent, default="auto"
        "auto" is ``CoordinateDescent()``, which is exact. `GradientDescent` trains as
        the ShrinkNets drafts do, to study what early removal costs and saves.
    max_iter : int, default=10000
        Most sweeps over the coordinates in one descent; of the exact solver, as `tol`.
    tol : float, default=1e-6
        A descent ends when `residual_` <= tol.
    warm_start : bool, default=False
        Start also from the previous `coef_`, if of the same shape.
    random_state : int, RandomState or None, default=None
        For `GradientDescent`: the first parameters and the order of the samples.
        Coordinate descent draws none.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        ``weight_ * switch_``; features left out are exact zeros.
    switch_ : ndarray of shape (n_features,)
        β, one value a group: >= 0, but for a switch that `GradientDescent` trained.
    weight_ : ndarray, shape as `coef_`
        The weights A.
    intercept_ : float or ndarray of shape (n_targets,)
    n_iter_ : int
        Sweeps made in the last descent, or epochs.
    objective_ : float
        Value of what is minimised, at the model.
    cost_ : CostMeter
        What the fit cost, counted: of an exact fit all its descents.
    history_ : dict of str to ndarray
        Only by `GradientDescent`: "epoch", "loss", "penalty", "n_alive" and what was
        spent so far, at the beginning and after every epoch.
    residual_ : float
        Only by the exact solver:
        :math:`\max_g \sqrt{L_g}\|W_g - \mathrm{prox}(W_g - \nabla_g f/L_g)\|`,
        relative to :math:`\max_g\|\nabla_g f(0)\|/\sqrt{L_g}`, where L_g is the
        largest eigenvalue of the group's Hessian.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has string column names.

    See Also
    --------
    GroupLassoRegressor : The convex relative.
    regularization_path : All solutions over a range of alpha.

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
