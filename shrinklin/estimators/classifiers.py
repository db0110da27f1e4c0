"""Classification: multinomial and binary logistic regression, group lasso and ShrinkNet."""

from dataclasses import replace
from typing import Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import validate_data

from shrinklin.data.moments import Moments
from shrinklin.estimators.base import (
    LinearModel,
    SparseLinearModel,
    check_takes_moments,
    undone_on_error,
)
from shrinklin.gradient.descent import GradientDescent
from shrinklin.losses import logistic_loss
from shrinklin.problem.formulations import GroupLassoFormulation, ShrinkNetFormulation
from shrinklin.problem.tasks import Classification
from shrinklin.solvers.proximal_newton import ProximalNewton
from shrinklin.validation.data import SPARSE_FORMATS, diagnosis, features, labels
from shrinklin.validation.entries import check_unmasked
from shrinklin.validation.weights import weigh_classes, weights_of_rows

# What a class weighs that no row of the first call of a stream has, in rows.
_UNSEEN = 0.5


class LinearClassifier(ClassifierMixin, LinearModel):
    """A fitted classifier."""

    def decision_function(self, X) -> np.ndarray:
        """Raw predictions W'x + b.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, that of the second against the first.
        """
        Z = self._raw_predictions(X)
        return Z[:, 0] if Z.shape[1] == 1 else Z

    def predict_log_proba(self, X) -> np.ndarray:
        """Logarithms of `predict_proba`, exact where a probability is next to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        Z = self._raw_predictions(X)
        return logistic_loss(len(self.classes_)).log_probabilities(Z)

    def predict_proba(self, X) -> np.ndarray:
        """Probability of every class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X) -> np.ndarray:
        """Most probable class.

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
        """Share of the rows, by weight, whose class `predict` tells.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_unmasked("y", y)
        check_unmasked("sample_weight", sample_weight)
        return super().score(X, labels(y), sample_weight)


class SparseLinearClassifier(LinearClassifier, SparseLinearModel):
    """Shared by the classifiers: the logistic loss."""

    _solvers = (ProximalNewton, GradientDescent)

    def _task(self):
        return Classification(type(self).__name__, self.class_weight)

    def _validate(self, X, y):
        X, y = self._validate_rows(X, y)
        try:
            check_classification_targets(y)
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, X, y, error) from error
        return X, y

    def _validate_rows(self, X, y, reset=True):
        check_unmasked("y", y)
        X = features(X)
        try:
            X, y = validate_data(
                self,
                X,
                y,
                accept_sparse=SPARSE_FORMATS,
                dtype=[np.float64, np.float32],
                reset=reset,
            )
            return X, labels(y)
        except (TypeError, ValueError, OverflowError) as error:
            raise diagnosis(self, X, y, error) from error

    def fit(self, X, y, sample_weight=None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers, finite. Dense float64 and float32 are taken as they are, without a
            copy; sparse float64 (CSR or CSC) too, but for one as CSC and one of what is
            selected; all else is converted to float64. See Notes for what a fit takes.
        y : array-like of shape (n_samples,)
            Labels, all numbers or all strings, of at least two classes.
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
            Where `max_iter` sweeps did not reach `tol`; and where features
            without penalty separate some samples, or all, without error, so that no
            finite coefficients are best: larger ones would gain next to nothing.
        UserWarning
            Where nothing is kept with the default `alpha`, and a smaller one would keep
            something.

        Notes
        -----
        Beside a dense X, an exact fit or path takes about 0.3 times X (as float64) where that
        is more than 100 MB, and up to 32 MB and n_features² numbers, three times, in any case;
        and some 14 arrays of n_samples × n_classes where these are many beside the features.
        ``alpha=0``, and features without penalty, take two copies of the columns that are not
        penalised. `GradientDescent` copies X if it is float32 or has rows without weight, and
        what is left of it when a removal strategy has taken a fifth of the features.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None) -> Self:
        """Go on with gradient training: one epoch on these rows alone.

        For data that come in chunks, or do not fit in memory. It is not exact, as the
        regressors' is: steps on the objective of `fit`, its mean loss estimated from a few
        rows, bring the objective near its least after several passes over all data, but
        leave hardly any coefficient at zero. Where the data fit, use `fit`.

        1. Standardise all chunks by the same means and deviations.
        2. Give rows in random order, in chunks of about the same size: those that came last
           have the most influence.
        3. Give all labels as `classes` in the first call, whose rows should be of every class
           in about its share, as the intercept begins at the best for them; a class that
           they lack begins with the share of half a row.
        4. Pass over the data several times.

        The solver is `solver` if that is a `GradientDescent`, else
        ``GradientDescent(batch_size=32)``. Give yours a `batch_size` too: None, its default,
        makes one step a call. Give it a `removal` to leave features out; what is removed never
        returns. Every call is an epoch for `learning_rate_decay` and for `Annealing`, whose
        `max_epochs` should be the number of calls; `tol` and `n_iter_no_change` do not matter.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The same columns in every call.
        y : array-like of shape (n_samples,)
            Labels, which need not be of all classes.
        classes : array-like of shape (n_classes,), default=None
            All labels of all calls. Required in the first call, unless `fit` came before.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0, times class weights. Only ratios matter, to rows of other calls
            too: the loss is divided by the mean weight of all rows so far, that of this call
            included. With "sgd", rows of k times the mean weight make steps k times as long.
            Without any weight > 0 a call adds nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For data or parameters outside what is stated here, such as labels that are not
            among the classes or ``class_weight="balanced"``, and where the objective of these
            rows rises so much in a call that training diverges. The estimator is then as it
            was before the call, as it is after Ctrl-C.
        TypeError
            For `Moments`, which only the squared loss can do with.

        Notes
        -----
        What the optimiser and the removal strategy remember, the features that are left and
        the random numbers are carried from call to call, through pickle and copies too.
        `objective_` is that of the rows of the last call, after its steps; `n_iter_` counts
        the calls and `cost_` the work of all of them; there is no `history_`.

        Parameters may change between calls, with `set_params`, but for `groups`,
        `fit_intercept`, the optimiser (with its momentum) and the gate. `random_state` is
        looked at in the first call alone, which draws one number from a `RandomState`.

        After `fit` it begins at the fitted model, of ShrinkNet at its switches, without what
        an optimiser remembered. Features that the fit left out stay out, of group lasso only
        with a removal strategy; if all were, it begins at random. A `fit` after it begins
        anew.

        Examples
        --------
        A tenth of the rows is held out; the rest is passed over three times.

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
        self._refuse_balanced()
        if isinstance(X, Moments):
            check_takes_moments(self, y, sample_weight)
        begun = hasattr(self, "coef_")
        classes = self._classes_of_all_calls(classes)
        X, y = self._validate_rows(X, y, reset=not begun)
        codes = self._numbers(y, classes)
        s = self._weights_of_rows(sample_weight, X, classes, codes)
        if begun and not s.any():
            return  # nothing is added
        _raise_if_weightless(s)
        problem = self._problem(solver)
        problem = replace(problem, task=replace(problem.task, classes=classes))
        weight = float(s.sum())
        self._go_on(problem, lambda: problem.risk(X, codes, s), weight, _first_intercept)

    def _refuse_balanced(self):
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs the rows of every class counted, and partial_fit '
                "has not seen them all: give a dict of label to weight, for instance n_rows / "
                "(n_classes * rows of that class) counted on a sample."
            )

    def _classes_of_all_calls(self, classes):
        """The labels, sorted: as given, or as known since an earlier call."""
        known = getattr(self, "classes_", None)
        if classes is None:
            if known is None:
                raise ValueError(
                    "classes=None in the first call of partial_fit: give all labels that any call "
                    "may bring, for instance classes=np.unique(y) for the y of all data. Later "
                    "calls do not need them."
                )
            return known
        given = _sorted_labels(classes)
        if known is not None and not np.array_equal(known, given):
            raise ValueError(
                f"classes={given.tolist()} are not those of the model, {known.tolist()}: give the "
                "same in every call, or None, or begin anew with a clone."
            )
        return given if known is None else known

    def _numbers(self, y, classes):
        """Which of the classes every row has."""
        numbers = {label: k for k, label in enumerate(classes.tolist())}
        given = y.tolist()
        unknown = {label: None for label in given if label not in numbers}
        if unknown:
            shown = ", ".join(map(repr, list(unknown)[:5])) + (", …" if len(unknown) > 5 else "")
            begin = "Begin anew with a clone, and give" if hasattr(self, "classes_") else "Give"
            raise ValueError(
                f"y has labels that are not among the classes {classes.tolist()}: {shown}. {begin} "
                "all labels as classes in the first call of partial_fit."
            )
        return np.array([numbers[label] for label in given], dtype=int)

    def _weights_of_rows(self, sample_weight, X, classes, codes):
        """Sample weights times class weights; zeros where the call adds nothing."""
        # One row a class: a chunk need not have them all.
        every = np.arange(len(classes))
        factors = weigh_classes(self.class_weight, classes, every, np.ones(len(classes)))
        s = weights_of_rows(sample_weight, X)
        with np.errstate(over="ignore"):
            s = s * factors[codes]
            if not np.isfinite(s.sum()):
                raise ValueError(
                    "sample_weight, times class_weight, sums to more than a float64 holds: divide "
                    "the weights of every call by the same number."
                )
        return s


def _raise_if_weightless(s):
    if not s.any():
        raise ValueError(
            "sample_weight, times class_weight, is zero on every row of the first call of "
            "partial_fit, which leaves nothing to begin with: give at least one row weight > 0."
        )


def _sorted_labels(classes):
    """Classes as the user gives them, without doubles."""
    wanted = "give a list of all labels that any call of partial_fit may bring, two or more"
    if np.ndim(classes) != 1 or len(classes) == 0:
        raise ValueError(f"classes={classes!r}: {wanted}.")
    check_unmasked("classes", classes)
    try:
        given = unique_labels(labels(classes))
        # Thrice, as a y of labels that are nearly all different is warned of.
        check_classification_targets(np.tile(given, 3))
    except (TypeError, ValueError) as error:
        raise ValueError(f"classes={classes!r}: {wanted}. They are no labels: {error}") from error
    if len(given) < 2:
        raise ValueError(f"classes={given.tolist()} is one class: {wanted}.")
    return given


def _first_intercept(risk):
    """The best for these rows, where every class that they lack counts as a part of a row."""
    if not risk.fit_intercept:
        return np.zeros(risk.shape[1])
    Y, least = risk.Y, _UNSEEN / risk.n_samples
    share = np.where(Y.any(axis=0), risk.weight @ Y, least)
    return risk.loss.constant(np.where(Y.all(axis=0), 1 - least, share))


class GroupLassoClassifier(SparseLinearClassifier):
    r"""Logistic regression with a group lasso penalty.

    Minimises, over W (n_features, n_classes) and an unpenalised intercept b,

    .. math:: \frac{1}{n} \sum_i s_i [\log\sum_k e^{z_{ik}} - z_{i y_i}]
              + \alpha \sum_g \omega_g \|W_g\|_F, \quad z_i = W'x_i + b

    where W_g holds the rows of W of one group of features, and the sample
    weights s, times the class weights, are scaled to sum to n. Two classes have
    one column of W, that of the second against the first: without `groups` and
    weights this is the problem of `sklearn.linear_model.LogisticRegression` with
    an l1 penalty and ``C = 1 / (n * alpha)``.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, >= 0. Larger keeps fewer features. The default
        suits standardised features.
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
    class_weight : dict, "balanced" or None, default=None
        Factor of the samples of every label, 1 for labels left out. y may lack
        labels of the dict if it has none that the dict leaves out. "balanced"
        gives every class the same total weight.
    solver : "auto", ProximalNewton or GradientDescent, default="auto"
        "auto" is ``ProximalNewton()``, which is exact. `GradientDescent` trains as
        the ShrinkNets drafts do, to study what early removal costs and saves; `partial_fit`
        always trains by gradient steps.
    max_iter : int, default=10000
        Most sweeps over the coordinates; of the exact solver, as `tol`.
    tol : float, default=1e-6
        The fit ends when `residual_` <= tol and `dual_gap_`, rounding apart, <= tol
        times the loss of zero coefficients.
    warm_start : bool, default=False
        Start from the previous `coef_`, if of the same shape.
    random_state : int, RandomState or None, default=None
        For `GradientDescent` and `partial_fit`: the first parameters and the order of
        the samples. Proximal Newton draws none.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two
        W', as for `LogisticRegression`; features left out are exact zeros.
    intercept_ : ndarray of shape (n_classes,), or (1,) for two
    n_iter_ : int
        Sweeps made, or epochs; of `partial_fit`, calls.
    objective_ : float
        Value of what is minimised, at the model; of `partial_fit`, on the last rows.
    cost_ : CostMeter
        What the fit cost, counted.
    history_ : dict of str to ndarray
        Only of `fit` by `GradientDescent`: "epoch", "loss", "penalty", "n_alive" and what
        was spent so far, at the beginning and after every epoch.
    residual_ : float
        Only by the exact solver:
        :math:`\max_g \sqrt{L_g}\|W_g - \mathrm{prox}(W_g - \nabla_g f/L_g)\|`,
        relative to :math:`\max_g\|\nabla_g f(0)\|/\sqrt{L_g}`, where L_g
        bounds the eigenvalues of the group's Hessian. Zero at the optimum.
    dual_gap_ : float
        Only by the exact solver: upper bound on what the objective lies above its
        minimum. Rounding counts: the minimum is no less than ``objective_ - dual_gap_``.
        Unpenalised features that are collinear up to rounding count as collinear.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has string column names.

    See Also
    --------
    ShrinkNetClassifier : Keeps fewer features at the same fit.
    regularization_path : All solutions over a range of alpha.

    References
    ----------
    .. [1] Yuan, Lin (2006), Model selection and estimation in regression with
       grouped variables, J. R. Stat. Soc. B 68.
    .. [2] Vincent, Hansen (2014), Sparse group lasso and high dimensional
       multinomial classification, Comput. Stat. Data Anal. 71.

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

    def __init__(
        self,
        alpha=0.1,
        *,
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
        return GroupLassoFormulation()


class ShrinkNetClassifier(SparseLinearClassifier):
    r"""Logistic regression with a switch before every feature.

    Minimises, over switches β (n_features,), weights A (n_classes, n_features)
    and an unpenalised intercept b,

    .. math:: \frac{1}{n} \sum_i s_i [\log\sum_k e^{z_{ik}} - z_{i y_i}]
              + \sum_g \omega_g (\lambda |\beta_g| + \lambda_2 \|A_g\|_p^p),
              \quad z_i = A\,\mathrm{diag}(\beta)x_i + b

    (two classes have one row of A, that of the second against the first) with
    λ = `alpha`, λ₂ = `weight_decay`. This equals the group bridge penalty
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
        default suits standardised features.
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
    class_weight : dict, "balanced" or None, default=None
        Factor of the samples of every label, 1 for labels left out. y may lack
        labels of the dict if it has none that the dict leaves out. "balanced"
        gives every class the same total weight.
    solver : "auto", ProximalNewton or GradientDescent, default="auto"
        "auto" is ``ProximalNewton()``, which is exact. `GradientDescent` trains as
        the ShrinkNets drafts do, to study what early removal costs and saves; `partial_fit`
        always trains by gradient steps.
    max_iter : int, default=10000
        Most sweeps over the coordinates in one descent; of the exact solver, as `tol`.
    tol : float, default=1e-6
        A descent ends when `residual_` <= tol.
    warm_start : bool, default=False
        Start also from the previous `coef_`, if of the same shape.
    random_state : int, RandomState or None, default=None
        For `GradientDescent` and `partial_fit`: the first parameters and the order of
        the samples. Proximal Newton draws none.
    verbose : int, default=0
        1 shows a progress bar (needs tqdm, of the extra ``plot``) and a summary.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two
        ``weight_ * switch_``; features left out are exact zeros.
    switch_ : ndarray of shape (n_features,)
        β, one value a group: >= 0, but for a switch that `GradientDescent` trained.
    weight_ : ndarray, shape as `coef_`
        The weights A.
    intercept_ : ndarray of shape (n_classes,), or (1,) for two
    n_iter_ : int
        Sweeps made in the last descent, or epochs; of `partial_fit`, calls.
    objective_ : float
        Value of what is minimised, at the model; of `partial_fit`, on the last rows.
    cost_ : CostMeter
        What the fit cost, counted: of an exact fit all its descents.
    history_ : dict of str to ndarray
        Only of `fit` by `GradientDescent`: "epoch", "loss", "penalty", "n_alive" and what
        was spent so far, at the beginning and after every epoch.
    residual_ : float
        Only by the exact solver:
        :math:`\max_g \sqrt{L_g}\|W_g - \mathrm{prox}(W_g - \nabla_g f/L_g)\|`,
        relative to :math:`\max_g\|\nabla_g f(0)\|/\sqrt{L_g}`, where L_g
        bounds the eigenvalues of the group's Hessian.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has string column names.

    See Also
    --------
    GroupLassoClassifier : The convex relative.
    regularization_path : All solutions over a range of alpha.

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
