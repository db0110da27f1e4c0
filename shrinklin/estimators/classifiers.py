"""Classifiers: logistic regression for two or more classes, group lasso and ShrinkNet."""

from dataclasses import replace
from typing import Any, Self

import numpy as np

from shrinklin.data.moments import Moments
from shrinklin.estimators.base import (
    LinearModel,
    SparseLinearModel,
    check_takes_moments,
    undone_on_error,
)
from shrinklin.estimators.inputs import (
    checked_labels,
    classes_of_all_calls,
    codes_of,
    refuse_balanced,
    refuse_weightless,
    weights_of_call,
)
from shrinklin.estimators.parameters import CLASSIFICATION, GROUP_LASSO, SHRINKNET, documented
from shrinklin.estimators.predicting import LogisticMixin
from shrinklin.gradient.descent import GradientDescent
from shrinklin.problem.formulations import GroupLassoFormulation, ShrinkNetFormulation
from shrinklin.problem.tasks import Classification
from shrinklin.solvers.proximal_newton import ProximalNewton

# In the first call of `partial_fit`, a class without rows counts as this many rows.
_UNSEEN = 0.5


class LinearClassifier(LogisticMixin, LinearModel):
    """A linear model that predicts a class."""


class SparseLinearClassifier(LinearClassifier, SparseLinearModel):
    """A classifier for one alpha: it minimises the logistic loss and a penalty."""

    _solvers = (ProximalNewton, GradientDescent)

    def _task(self):
        return Classification(type(self).__name__, self.class_weight)

    def _validate(self, X, y):
        return checked_labels(self, X, y)

    def fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers. Dense float64 and float32 are not copied. Sparse float64 (CSR or
            CSC) is copied to CSC, and so are the selected features. Other types are converted
            to float64. The Notes say how much memory a fit needs.
        y : array-like of shape (n_samples,)
            Class labels of at least two classes, all numbers or all strings.
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
            Also if unpenalised features separate some or all samples without error. The loss
            then has no minimum, and larger coefficients would hardly improve it.
        UserWarning
            If the model keeps no feature with the default `alpha`, and would keep some with a
            smaller one.

        Notes
        -----
        Besides a dense X, an exact fit or path needs memory for:

        - about 0.3 times X (as float64), if that is more than 100 MB;
        - in any case up to 32 MB, and three times n_features² numbers;
        - some 14 arrays of shape (n_samples, n_classes), which matters if there are
          many classes compared with the features;
        - two copies of the unpenalised columns. With ``alpha=0`` these are all columns.

        `GradientDescent` copies X if it is float32 or has rows of weight 0. It copies the columns
        that are left when a removal strategy has removed a fifth of the features.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None) -> Self:
        """Continue gradient training with one epoch on these rows only.

        This is for data that come in chunks or do not fit in memory. If the data fit in memory,
        use `fit`. Unlike `partial_fit` of the regressors, it is not exact: it makes gradient
        steps on the objective of `fit`, with the mean loss estimated from a few rows. After
        several passes over all data, the objective is close to its minimum, but hardly any
        coefficient is zero.

        1. Standardise all chunks with the same means and standard deviations.
        2. Give the rows in random order, in chunks of about the same size, because the last
           rows have the most influence.
        3. In the first call, give all labels as `classes`. Its rows should contain every class
           in about its true proportion, because the initial intercept is the best one for these
           rows. A class without rows counts as half a row.
        4. Pass over the data several times.

        The solver is `solver` if that is a `GradientDescent`, else
        ``GradientDescent(batch_size=32)``. Give a solver of your own a `batch_size` too: with the
        default None, each call makes only one step. To leave features out, give it a `removal`;
        a removed feature never returns. Each call is one epoch for `learning_rate_decay` and for
        `Annealing`, so `max_epochs` should be the number of calls if you use `Annealing`. The
        parameters `tol` and `n_iter_no_change` are not used.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data with the same columns in every call.
        y : array-like of shape (n_samples,)
            Class labels. A call need not contain all classes.
        classes : array-like of shape (n_classes,), default=None
            All class labels of all calls. Required in the first call, unless `fit` came before.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, which are multiplied by the class weights. Only the ratios matter, also
            to the weights of other calls: the loss is divided by the mean weight of all rows so
            far, including this call. With "sgd", rows with k times the mean weight make steps k
            times as long. A call with all weights 0 adds nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters are not as described here, for example if there are labels
            that are not in `classes`, or with ``class_weight="balanced"``. Also if training
            diverges, that is, if the objective of these rows rises too much in a call. After an
            error or Ctrl-C, the estimator is as it was before the call.
        TypeError
            If X is `Moments`, which are enough only for the squared loss.

        Notes
        -----
        The states of the optimiser, of the removal strategy and of the random generator are kept
        between calls, and so are the features that are left. Pickles and copies keep them too.
        `objective_` is that of the rows of the last call, after its steps. `n_iter_` is the
        number of calls and `cost_` the cost of all of them. `history_` is not set.

        Parameters may change between calls with `set_params`, except `groups`, `fit_intercept`,
        and the optimiser, its momentum and the gate of the solver. `random_state` is used only
        in the first call. A `RandomState` then gives one number, the seed.

        After `fit`, training starts at the fitted model (for ShrinkNet at its switches), with a
        new state of the optimiser. Features that `fit` left out stay out, with group lasso only
        if there is a removal strategy. If `fit` left out all features, training starts at
        random. A `fit` after `partial_fit` starts from the beginning.

        Examples
        --------
        About a tenth of the rows is held out. The other rows are passed over three times.

        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.preprocessing import StandardScaler
        >>> from sklearn.utils import shuffle
        >>> from shrinklin import ShrinkNetClassifier
        >>> X, y = shuffle(*load_breast_cancer(return_X_y=True), random_state=0)
        >>> starts, scaler = range(0, 500, 100), StandardScaler()
        >>> for k in starts:
        ...     scaler = scaler.partial_fit(X[k : k + 100])
        >>> X = scaler.transform(X)
        >>> model = ShrinkNetClassifier(alpha=0.01, random_state=0)
        >>> model = model.partial_fit(X[:100], y[:100], classes=[0, 1])
        >>> for k in [*starts][1:] + [*starts] * 2:
        ...     model = model.partial_fit(X[k : k + 100], y[k : k + 100])
        >>> bool(model.score(X[500:], y[500:]) > 0.95)
        True
        """
        with undone_on_error(self):
            self._partial_fit(X, y, classes, sample_weight)
        return self

    def _partial_fit(self, X, y, classes, sample_weight):
        trains = isinstance(self._solver(), GradientDescent)
        solver = self.solver if trains else GradientDescent(batch_size=32)
        self._check_parameters(solver)
        refuse_balanced(self.class_weight)
        if isinstance(X, Moments):
            check_takes_moments(self, y, sample_weight)
        begun = hasattr(self, "coef_")
        classes = classes_of_all_calls(self, classes)
        X, y = checked_labels(self, X, y, of_all_calls=classes, reset=not begun)
        codes = codes_of(self, y, classes)
        s = weights_of_call(self, sample_weight, X, classes, codes)
        if begun and not s.any():
            return  # there is nothing to add
        refuse_weightless(s)
        problem = self._problem(solver)
        problem = replace(problem, task=replace(problem.task, classes=classes))
        weight = float(s.sum())
        self._go_on(problem, lambda: problem.risk(X, codes, s), weight, _first_intercept)


def _first_intercept(risk):
    """The best intercept for these rows. A class without rows counts as part of a row."""
    if not risk.fit_intercept:
        return np.zeros(risk.shape[1])
    Y, least = risk.Y, _UNSEEN / risk.n_samples
    share = np.where(Y.any(axis=0), risk.weight @ Y, least)
    return risk.loss.constant_of_shares(np.where(Y.all(axis=0), 1 - least, share))


@documented(CLASSIFICATION, GROUP_LASSO)
class GroupLassoClassifier(SparseLinearClassifier):
    r"""Logistic regression with a group lasso penalty.

    It minimises, over W (n_features, n_classes) and an unpenalised intercept b,

    .. math:: \frac{1}{n} \sum_i s_i [\log\sum_k e^{z_{ik}} - z_{i y_i}]
              + \alpha \sum_g \omega_g \left[(1 - \tau) \|W_g\|_F
              + \frac{\tau}{\sqrt{m_g}} \|W_g\|_1\right]
              + \frac{\rho}{2} \sum_{\omega_g > 0} \|W_g\|_F^2, \quad z_i = W'x_i + b

    where W_g holds the rows of W for the m_g features of group g, τ is `l1_ratio`, ρ is `ridge`,
    and the sample weights s, times the class weights, are scaled to sum to n. With `positive`,
    W >= 0. For two classes, W has one column, for the log-odds of the second class. Without
    `groups` and weights, this is then the problem of `sklearn.linear_model.LogisticRegression`
    with an l1 penalty and ``C = 1 / (n * alpha)``; with a ridge, with an elastic net and
    ``C = 1 / (n * (alpha + ridge))``. With `groups`, the default weights make α τ the penalty of
    every coefficient, and α (1 − τ) √m_g that of a group, as in [3]_.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $classes_, $coef_, $intercept_, $n_iter_, $objective_, $cost_, $history_, $residual_
    $dual_gap_, $n_features_in_, $feature_names_in_

    See Also
    --------
    ShrinkNetClassifier : Fits as well with fewer features.
    regularization_path : Solutions for a range of alphas.

    References
    ----------
    .. [1] Yuan, Lin (2006), Model selection and estimation in regression with
       grouped variables, J. R. Stat. Soc. B 68.
    .. [2] Vincent, Hansen (2014), Sparse group lasso and high dimensional
       multinomial classification, Comput. Stat. Data Anal. 71.
    .. [3] Simon, Friedman, Hastie, Tibshirani (2013), A sparse-group lasso, J. Comput.
       Graph. Stat. 22.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import GroupLassoClassifier
    >>> X = np.array([[1., 0.], [2., 1.], [3., 0.], [4., 1.]])
    >>> y = ["low", "low", "high", "high"]
    >>> model = GroupLassoClassifier(alpha=0.1).fit(X, y)
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
        class_weight=None,
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
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _formulation(self):
        return GroupLassoFormulation(l1_ratio=self.l1_ratio, positive=self.positive)


@documented(CLASSIFICATION, SHRINKNET)
class ShrinkNetClassifier(SparseLinearClassifier):
    r"""Logistic regression with a switch in front of every feature.

    It minimises, over switches β (n_features,), weights A (n_classes, n_features) and an
    unpenalised intercept b,

    .. math:: \frac{1}{n} \sum_i s_i [\log\sum_k e^{z_{ik}} - z_{i y_i}]
              + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p)
              + \frac{\rho}{2} \sum_{\omega_g > 0} \|\beta_g A_g\|_F^2,
              \quad z_i = A\,\mathrm{diag}(\beta)x_i + b

    where λ is `alpha`, λ₂ is `weight_decay` and ρ is `ridge`. For two classes, A has one row, for
    the log-odds of the second class. The solver uses an equivalent form, the group bridge penalty
    :math:`\kappa \sum_g \omega_g \|W_g\|_p^{p/(p+1)}` on W = (A diag(β))' with
    :math:`\kappa = (1 + 1/p)\lambda^{p/(p+1)}(p\lambda_2)^{1/(p+1)}`. This penalty shrinks
    large coefficients less than the group lasso does. It therefore fits as well with fewer
    features, unless the coefficients of the group lasso are refitted on its support.

    The problem is not convex. The solver descends from both ends of a path and from the
    supports of the group lasso. Then it drops, adds and swaps groups as long as that lowers the
    objective. The solution is never worse than W = 0 or the warm start.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $classes_, $coef_, $switch_, $weight_, $intercept_, $n_iter_, $objective_, $cost_
    $history_, $residual_, $n_features_in_, $feature_names_in_

    See Also
    --------
    GroupLassoClassifier : Solves a convex problem instead.
    regularization_path : Solutions for a range of alphas.

    References
    ----------
    .. [1] Huang, Ma, Xie, Zhang (2009), A group bridge approach for variable
       selection, Biometrika 96.

    Examples
    --------
    >>> import numpy as np
    >>> from shrinklin import ShrinkNetClassifier
    >>> X = np.array([[1., 0.], [2., 1.], [3., 0.], [4., 1.]])
    >>> y = ["low", "low", "high", "high"]
    >>> model = ShrinkNetClassifier(alpha=0.1).fit(X, y)
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
        class_weight=None,
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
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _formulation(self):
        return ShrinkNetFormulation(self.p, self.weight_decay)
