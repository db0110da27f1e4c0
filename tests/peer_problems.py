"""The problems that other packages solve, each with the conversion of docs/migration.md."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import (
    Lasso,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
)

from migration_page import CLASSES, PAGE, WEIGHTS, X, Y, n, p, q
from peers import NEW_NAMES, SINCE_1_9, glmnet, r_vector
from shrinklin import GroupLassoClassifier, GroupLassoRegressor

SIZES, STARTS = [2, 3, 1, 2], np.array([0, 2, 5, 6])
LABELS = np.repeat([0, 1, 2, 3], SIZES)
ROOTS = np.sqrt(SIZES)
SINGLE = [[j] for j in range(p)]
GROUPED = [list(np.flatnonzero(g == LABELS)) for g in range(4)]
UNEVEN = [0.5, 2.0, 1.0, 0.7]
FACTORS = np.array([0.5, 1, 0, 1, 2, 1, 1, 1.5])


@dataclass
class Case:
    """A problem that another package, the peer, solves, and the estimator that solves it here.

    The peer minimises loss(Z) + Σ_g ω_g ‖W_g‖ + ½ ridge ‖W‖². Z (n, columns) are raw predictions,
    the ω_g are `strengths`, and `groups` lists the columns of X in each group. `peer()` fits the
    package and returns its W (p, columns) and intercept.
    """

    package: str
    ours: GroupLassoRegressor | GroupLassoClassifier
    y: np.ndarray
    loss: Callable
    groups: list
    strengths: list
    peer: Callable
    weights: np.ndarray | None = None
    # 2 where the peer has a column of coefficients for each of two classes; ours has one.
    columns: int = 1
    # How near the peer comes, relative to its largest coefficient.
    accuracy: float = 1e-6
    ridge: float = 0.0

    def solve(self, factor=1.0, of_ridge=1.0):
        """Our W and intercept in the form of the peer's; the factors make alpha and ridge wrong."""
        model = clone(self.ours).set_params(alpha=self.ours.alpha * factor, tol=1e-12)
        model.set_params(ridge=self.ours.ridge * of_ridge)
        model.fit(X, self.y, sample_weight=self.weights)
        W, b = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
        halves = np.array([-0.5, 0.5]) if self.columns == 2 else 1
        return W * halves, b * halves


def squared(Y, scale, weights=None):
    s = np.ones(n) if weights is None else weights
    return lambda Z: scale * (s @ (np.reshape(Y, (n, -1)) - Z) ** 2).sum()


def log_loss(codes, scale, weights=None):
    """Of raw predictions with one column for each class."""
    s = np.ones(n) if weights is None else weights
    rows = np.arange(n)
    return lambda Z: scale * (s @ (logsumexp(Z, axis=1) - Z[rows, codes]))


def logistic(flags, scale, weights=None):
    """Σ log(1 + exp(−y z)), y = ±1."""
    s = np.ones(n) if weights is None else weights
    signs = np.where(flags, 1, -1)
    return lambda Z: scale * (s @ np.logaddexp(0, -signs * Z[:, 0]))


def regressor(alpha, **options):
    return GroupLassoRegressor(alpha=alpha, **options)


def classifier(alpha, **options):
    return GroupLassoClassifier(alpha=alpha, **options)


def fitted(model, *data, **options):
    """W and intercept of a peer's model that has the attributes of scikit-learn's."""
    model.fit(*data, **options)
    return np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)


def rows_of(*, norms, alpha):
    return SINGLE, [alpha * norm for norm in np.broadcast_to(norms, p)]


# scikit-learn


def l1(C, l1_ratio=1.0):
    name = {} if NEW_NAMES else {"penalty": "elasticnet"}
    name["l1_ratio"] = l1_ratio
    return LogisticRegression(
        C=C, solver="saga", tol=1e-10, max_iter=200_000, random_state=0, **name
    )


def multi_task_lasso():
    peer = MultiTaskLasso(alpha=0.5, tol=1e-12, max_iter=100_000)
    loss = squared(Y, 1 / (2 * n))
    rows = rows_of(norms=1, alpha=0.5)
    return Case("sklearn", regressor(0.5), Y, loss, *rows, lambda: fitted(peer, X, Y))


def weighted_lasso():
    y, peer = Y[:, 0], Lasso(alpha=0.3, tol=1e-12, max_iter=100_000)
    loss = squared(y, 1 / (2 * WEIGHTS.sum()), WEIGHTS)
    rows = rows_of(norms=1, alpha=0.3)
    fit = lambda: fitted(peer, X, y, sample_weight=WEIGHTS)  # noqa: E731
    return Case("sklearn", regressor(0.3), y, loss, *rows, fit, WEIGHTS)


def weighted_multi_task_lasso():
    peer = MultiTaskLasso(alpha=0.5, tol=1e-12, max_iter=100_000)
    loss = squared(Y, 1 / (2 * WEIGHTS.sum()), WEIGHTS)
    rows = rows_of(norms=1, alpha=0.5)

    def fit():
        if not SINCE_1_9:
            pytest.skip("MultiTaskLasso takes sample_weight since scikit-learn 1.9")
        return fitted(peer, X, Y, sample_weight=WEIGHTS)

    return Case("sklearn", regressor(0.5), Y, loss, *rows, fit, WEIGHTS)


def logistic_regression(weights=None):
    total = n if weights is None else weights.sum()
    flags, C = CLASSES > 0, 0.5
    ours = classifier(PAGE.alpha_of_C(C, total))
    loss = logistic(flags, C, weights)
    fit = lambda: fitted(l1(C), X, flags, sample_weight=weights)  # noqa: E731
    return Case("sklearn", ours, flags, loss, *rows_of(norms=1, alpha=1), fit, weights)


# The mixture of all elastic nets below.
RATIO = 0.6


def multi_task_elastic_net():
    peer = MultiTaskElasticNet(alpha=0.5, l1_ratio=RATIO, tol=1e-12, max_iter=100_000)
    ours, loss = regressor(**PAGE.of_elastic_net(0.5, RATIO)), squared(Y, 1 / (2 * n))
    fit = lambda: fitted(peer, X, Y)  # noqa: E731
    return mixed(Case("sklearn", ours, Y, loss, *rows_of(norms=1, alpha=0.5), fit), 0.5)


def mixed(case, strength):
    """The case of a lasso, made one of an elastic net with the mixture RATIO."""
    strengths = [RATIO * omega for omega in case.strengths]
    return replace(case, strengths=strengths, ridge=(1 - RATIO) * strength)


def net_of_classes(strength, columns=1):
    """For a peer with so many columns of coefficients for two classes; see `Case`."""
    given = PAGE.of_elastic_net(strength, RATIO)
    return classifier(given["alpha"] / np.sqrt(columns), ridge=given["ridge"] / columns)


def elastic_net_of_classes():
    flags, C = CLASSES > 0, 0.05
    ours = net_of_classes(PAGE.alpha_of_C(C, n))
    fit = lambda: fitted(l1(C, RATIO), X, flags)  # noqa: E731
    return mixed(
        Case("sklearn", ours, flags, logistic(flags, C), *rows_of(norms=1, alpha=1), fit), 1.0
    )


# skglm and celer


def skglm_multi_task():
    def fit():
        from skglm import MultiTaskLasso as Peer

        return fitted(Peer(alpha=0.5, tol=1e-12, max_iter=1000), X, Y)

    rows = rows_of(norms=1, alpha=0.5)
    return Case("skglm", regressor(0.5), Y, squared(Y, 1 / (2 * n)), *rows, fit)


def skglm_groups(groups, weights=None):
    y = Y[:, 0]

    def fit():
        from skglm import GroupLasso

        given = None if weights is None else np.array(weights)
        peer = GroupLasso(groups=groups, weights=given, alpha=0.3, tol=1e-12, max_iter=1000)
        return fitted(peer, X, y)

    ours = regressor(0.3, **PAGE.groups_of(groups, p, weights))
    if isinstance(groups, int):
        members = [[j, j + 1] for j in range(0, p, 2)]
    else:
        members = GROUPED if groups is SIZES else groups
    strengths = [0.3 * w for w in weights or [1] * len(members)]
    return Case("skglm", ours, y, squared(y, 1 / (2 * n)), members, strengths, fit)


def skglm_logistic():
    flags = CLASSES > 0

    def fit():
        from skglm import SparseLogisticRegression

        return fitted(SparseLogisticRegression(alpha=0.05, tol=1e-10, max_iter=1000), X, flags)

    rows = rows_of(norms=1, alpha=0.05)
    return Case("skglm", classifier(0.05), flags, logistic(flags, 1 / n), *rows, fit)


def skglm_elastic_net():
    flags = CLASSES > 0

    def fit():
        from skglm import SparseLogisticRegression as Peer

        return fitted(Peer(alpha=0.1, l1_ratio=RATIO, tol=1e-10, max_iter=1000), X, flags)

    rows = rows_of(norms=1, alpha=0.1)
    return mixed(Case("skglm", net_of_classes(0.1), flags, logistic(flags, 1 / n), *rows, fit), 0.1)


def celer_multi_task():
    def fit():
        from celer.homotopy import mtl_path

        tables = (np.asfortranarray(table - table.mean(axis=0)) for table in (X, Y))
        W = mtl_path(*tables, alphas=[0.5], tol=1e-14)[1][..., 0].T
        return W, Y.mean(axis=0) - X.mean(axis=0) @ W

    rows = rows_of(norms=1, alpha=0.5)
    return Case("celer", regressor(0.5), Y, squared(Y, 1 / (2 * n)), *rows, fit)


def celer_groups():
    y = Y[:, 0]

    def fit():
        from celer import GroupLasso

        peer = GroupLasso(groups=GROUPED, weights=np.array(UNEVEN), alpha=0.3, tol=1e-14)
        return fitted(peer, X, y)

    ours = regressor(0.3, **PAGE.groups_of(GROUPED, p, UNEVEN))
    strengths = [0.3 * w for w in UNEVEN]
    return Case("celer", ours, y, squared(y, 1 / (2 * n)), GROUPED, strengths, fit, accuracy=1e-5)


def celer_logistic():
    flags, C = CLASSES > 0, 0.2

    def fit():
        from celer import LogisticRegression as Peer

        return fitted(Peer(C=C, tol=1e-10), X, flags)

    ours = classifier(PAGE.alpha_of_C(C, n), fit_intercept=False)
    rows = rows_of(norms=1, alpha=1 / C)
    return Case("celer", ours, flags, logistic(flags, 1), *rows, fit)


# adelie


def grpnet(make_glm, lmda, columns, **options):
    """W and intercept at one lmda."""
    import adelie

    # Otherwise it logs that it stopped at a limit.
    logging.getLogger().setLevel(logging.CRITICAL)
    state = adelie.grpnet(
        np.asfortranarray(X),
        make_glm(adelie.glm),
        lmda_path=[lmda],
        early_exit=False,
        progress_bar=False,
        **options,
    )
    intercept = np.reshape(state.intercepts, -1)
    # The same constant added to all classes changes nothing; the page says that ours sum to 0.
    free = intercept.mean() if "irls_tol" in options and columns > 1 else 0
    return state.betas.toarray().reshape(p, columns), intercept - free


LIKELIHOOD = {"tol": 1e-12, "irls_tol": 1e-16}


def adelie_multigaussian(penalty=None, weights=None):
    lmda = 0.1 if penalty is None else 0.2
    s = np.full(n, 1 / n) if weights is None else weights / weights.sum()

    def fit():
        glm = lambda family: family.multigaussian(y=Y, weights=s, dtype=np.float64)  # noqa: E731
        given = None if penalty is None else np.array(penalty)
        return grpnet(glm, lmda, q, groups=STARTS, penalty=given, tol=1e-16)

    if penalty is None:
        ours = regressor(PAGE.alpha_of_adelie(lmda, q), groups=LABELS)
    else:
        ours = regressor(lmda * q, groups=LABELS, feature_weights=np.array(penalty)[LABELS])
    omega = np.sqrt(np.multiply(SIZES, q)) if penalty is None else penalty
    # adelie documents w_i (−y'η + ‖η‖²/2)/K: the same less a constant.
    loss = squared(Y, 1 / (2 * q), s)
    return Case("adelie", ours, Y, loss, GROUPED, [lmda * w for w in omega], fit, weights)


def adelie_gaussian():
    y = Y[:, 0]

    def fit():
        glm = lambda family: family.gaussian(y=y.copy(), dtype=np.float64)  # noqa: E731
        return grpnet(glm, 0.2, 1, groups=STARTS, tol=1e-16)

    strengths = [0.2 * w for w in ROOTS]
    ours = regressor(0.2, groups=LABELS)
    return Case("adelie", ours, y, squared(y, 1 / (2 * n)), GROUPED, strengths, fit)


def adelie_multinomial(n_classes):
    codes = np.minimum(CLASSES, n_classes - 1)
    lmda = 0.02

    def fit():
        indicators = np.eye(n_classes)[codes]
        glm = lambda family: family.multinomial(y=indicators, dtype=np.float64)  # noqa: E731
        return grpnet(glm, lmda, n_classes, **LIKELIHOOD)

    alpha = PAGE.alpha_of_adelie(lmda, n_classes)
    ours = classifier(alpha / np.sqrt(2) if n_classes == 2 else alpha)
    rows = rows_of(norms=np.sqrt(n_classes), alpha=lmda)
    loss = log_loss(codes, 1 / (n * n_classes))
    columns = 2 if n_classes == 2 else 1
    return Case("adelie", ours, codes, loss, *rows, fit, columns=columns, accuracy=1e-5)


def adelie_binomial():
    flags = CLASSES > 0

    def fit():
        glm = lambda family: family.binomial(y=flags.astype(float), dtype=np.float64)  # noqa: E731
        return grpnet(glm, 0.05, 1, **LIKELIHOOD)

    rows = rows_of(norms=1, alpha=0.05)
    return Case("adelie", classifier(0.05), flags, logistic(flags, 1 / n), *rows, fit)


def adelie_elastic_net():
    def fit():
        glm = lambda family: family.multigaussian(y=Y, dtype=np.float64)  # noqa: E731
        return grpnet(glm, 0.2, q, alpha=RATIO, tol=1e-16)

    ours = regressor(**PAGE.of_elastic_net(PAGE.alpha_of_adelie(0.2, q), RATIO))
    rows, root = rows_of(norms=np.sqrt(q), alpha=0.2), np.sqrt(q)
    return mixed(Case("adelie", ours, Y, squared(Y, 1 / (2 * n * q)), *rows, fit), 0.2 * root)


def adelie_elastic_net_of_classes(n_classes):
    codes, lmda = np.minimum(CLASSES, n_classes - 1), 0.03

    def fit():
        indicators = np.eye(n_classes)[codes]
        glm = lambda family: family.multinomial(y=indicators, dtype=np.float64)  # noqa: E731
        return grpnet(glm, lmda, n_classes, alpha=RATIO, **LIKELIHOOD)

    root, columns = np.sqrt(n_classes), 2 if n_classes == 2 else 1
    loss, rows = log_loss(codes, 1 / (n * n_classes)), rows_of(norms=root, alpha=lmda)
    ours = net_of_classes(PAGE.alpha_of_adelie(lmda, n_classes), columns)
    case = Case("adelie", ours, codes, loss, *rows, fit, columns=columns, accuracy=1e-4)
    return mixed(case, lmda * root)


# group-lasso


def steps(estimator, target, **options):
    """W and intercept. A tolerance below 1e-8 would stop it at its start, by its backtracking."""
    options = {"l1_reg": 0, "tol": 1e-7, "n_iter": 10_000, "random_state": 0, **options}
    model = estimator(supress_warning=True, **options).fit(X, target)
    return model.coef_, np.reshape(model.intercept_, -1)


def group_lasso(scale_reg):
    def fit():
        from group_lasso import GroupLasso

        return steps(GroupLasso, Y, groups=LABELS, group_reg=0.25, scale_reg=scale_reg)

    omega = {"group_size": ROOTS, "none": np.ones(4), "inverse_group_size": 1 / ROOTS}[scale_reg]
    named = {} if scale_reg == "group_size" else {"feature_weights": omega[LABELS]}
    ours = regressor(PAGE.alpha_of_group_lasso(0.25), groups=LABELS, **named)
    loss = half_gradient(squared(Y, 1 / (2 * n)))
    strengths = [0.25 * w for w in omega]
    return Case("group_lasso", ours, Y, loss, GROUPED, strengths, fit, accuracy=1e-3)


def half_gradient(loss):
    """The loss that its iteration minimises; see `test_group_lasso_takes_half_a_gradient`."""
    return lambda Z: 0.5 * loss(Z)


def group_lasso_unpenalised():
    """A list of strengths, and a feature in group −1, which is not penalised."""
    given = np.where(np.arange(p) == 1, -1, np.maximum(np.arange(p) - 1, 0))
    regs = np.linspace(0.2, 0.4, p - 1)
    feature_weights = np.insert(regs, 1, 0.0)

    def fit():
        from group_lasso import GroupLasso

        return steps(GroupLasso, Y, groups=given, group_reg=list(regs))

    ours = regressor(2.0, groups=range(p), feature_weights=feature_weights)
    loss = half_gradient(squared(Y, 1 / (2 * n)))
    return Case("group_lasso", ours, Y, loss, SINGLE, list(feature_weights), fit, accuracy=1e-3)


def group_lasso_logistic(n_classes):
    codes = np.minimum(CLASSES, n_classes - 1)

    def fit():
        from group_lasso import LogisticGroupLasso

        return steps(LogisticGroupLasso, codes, groups=range(p), group_reg=0.05, tol=1e-8)

    ours = classifier(PAGE.alpha_of_group_lasso(0.05, n_classes))
    loss = half_gradient(log_loss(codes, 1 / n))
    columns = 2 if n_classes == 2 else 1
    rows = rows_of(norms=1, alpha=0.05)
    return Case("group_lasso", ours, codes, loss, *rows, fit, columns=columns, accuracy=1e-3)


# glmnet


def glmnet_mgaussian(standardize=True, factor=None, weights=None):
    options = {
        "family": '"mgaussian"',
        "lambda": "0.5",
        "standardize": str(standardize).upper(),
        **({} if factor is None else {"penalty.factor": r_vector(factor)}),
        **({} if weights is None else {"weights": "w"}),
    }
    arguments = ", ".join(f"{name} = {value}" for name, value in options.items())
    s = np.ones(n) if weights is None else weights
    centred = X - s @ X / s.sum()
    strengths = 0.5 * np.ones(p)
    if standardize:
        strengths *= np.sqrt(s @ centred**2 / s.sum())
    if factor is not None:
        strengths *= p * factor / factor.sum()
    ours = regressor(0.5, feature_weights=PAGE.weights_of_glmnet(X, factor, standardize, weights))
    loss = squared(Y, 1 / (2 * s.sum()), s)
    fit = lambda: glmnet("y, " + arguments)  # noqa: E731
    return Case("glmnet", ours, Y, loss, SINGLE, list(strengths), fit, weights)


def glmnet_multinomial(n_classes):
    codes = np.minimum(CLASSES, n_classes - 1)
    y = "k" if n_classes == 3 else "factor(k != 0)"
    arguments = f'{y}, family = "multinomial", type.multinomial = "grouped", lambda = 0.05'
    alpha = 0.05 / np.sqrt(2) if n_classes == 2 else 0.05
    ours = classifier(alpha, feature_weights=PAGE.weights_of_glmnet(X))
    rows = rows_of(norms=X.std(axis=0), alpha=0.05)
    columns = 2 if n_classes == 2 else 1
    fit = lambda: glmnet(arguments)  # noqa: E731
    return Case("glmnet", ours, codes, log_loss(codes, 1 / n), *rows, fit, columns=columns)


def glmnet_binomial():
    flags = CLASSES > 0
    ours = classifier(0.05, feature_weights=PAGE.weights_of_glmnet(X))
    rows = rows_of(norms=X.std(axis=0), alpha=0.05)
    fit = lambda: glmnet('factor(k != 0), family = "binomial", lambda = 0.05')  # noqa: E731
    return Case("glmnet", ours, flags, logistic(flags, 1 / n), *rows, fit)


def glmnet_elastic_net(n_classes):
    codes = np.minimum(CLASSES, n_classes - 1)
    y = "k" if n_classes == 3 else "factor(k != 0)"
    family = 'family = "multinomial", type.multinomial = "grouped"'
    arguments = f"{y}, {family}, lambda = 0.1, alpha = {RATIO}, standardize = FALSE"
    columns, loss = 2 if n_classes == 2 else 1, log_loss(codes, 1 / n)
    ours, rows = net_of_classes(0.1, columns), rows_of(norms=1, alpha=0.1)
    fit = lambda: glmnet(arguments)  # noqa: E731
    return mixed(Case("glmnet", ours, codes, loss, *rows, fit, columns=columns), 0.1)


CASES = {
    "MultiTaskLasso": multi_task_lasso,
    "MultiTaskLasso, weighted": weighted_multi_task_lasso,
    "Lasso, weighted": weighted_lasso,
    "LogisticRegression": logistic_regression,
    "LogisticRegression, weighted": lambda: logistic_regression(WEIGHTS),
    "MultiTaskElasticNet": multi_task_elastic_net,
    "LogisticRegression, elastic net": elastic_net_of_classes,
    "skglm MultiTaskLasso": skglm_multi_task,
    "skglm GroupLasso, sizes": lambda: skglm_groups(SIZES),
    "skglm GroupLasso, one size": lambda: skglm_groups(2),
    "skglm GroupLasso, columns and weights": lambda: skglm_groups(
        [[7, 0], [1, 5, 2], [3], [4, 6]], UNEVEN
    ),
    "skglm SparseLogisticRegression": skglm_logistic,
    "skglm SparseLogisticRegression, elastic net": skglm_elastic_net,
    "celer mtl_path": celer_multi_task,
    "celer GroupLasso": celer_groups,
    "celer LogisticRegression": celer_logistic,
    "adelie multigaussian": adelie_multigaussian,
    "adelie multigaussian, penalty and weights": lambda: adelie_multigaussian(UNEVEN, WEIGHTS),
    "adelie gaussian": adelie_gaussian,
    "adelie multinomial": lambda: adelie_multinomial(3),
    "adelie multinomial, two classes": lambda: adelie_multinomial(2),
    "adelie binomial": adelie_binomial,
    "adelie multigaussian, elastic net": adelie_elastic_net,
    "adelie multinomial, elastic net": lambda: adelie_elastic_net_of_classes(3),
    "adelie multinomial, two classes, elastic net": lambda: adelie_elastic_net_of_classes(2),
    "group-lasso": lambda: group_lasso("group_size"),
    "group-lasso, scale_reg none": lambda: group_lasso("none"),
    "group-lasso, scale_reg inverse": lambda: group_lasso("inverse_group_size"),
    "group-lasso, list and -1": group_lasso_unpenalised,
    "group-lasso logistic": lambda: group_lasso_logistic(3),
    "group-lasso logistic, two classes": lambda: group_lasso_logistic(2),
    "glmnet mgaussian": glmnet_mgaussian,
    "glmnet mgaussian, as is": lambda: glmnet_mgaussian(standardize=False),
    "glmnet mgaussian, factors and weights": lambda: glmnet_mgaussian(True, FACTORS, WEIGHTS),
    "glmnet multinomial": lambda: glmnet_multinomial(3),
    "glmnet multinomial, two classes": lambda: glmnet_multinomial(2),
    "glmnet binomial": glmnet_binomial,
    "glmnet multinomial, elastic net": lambda: glmnet_elastic_net(3),
    "glmnet multinomial, two classes, elastic net": lambda: glmnet_elastic_net(2),
}


def gradient(value, at, step=1e-4):
    """By central differences."""
    slopes = np.empty(at.shape)
    for index in np.ndindex(at.shape):
        shift = np.zeros(at.shape)
        shift[index] = step
        slopes[index] = (value(at + shift) - value(at - shift)) / (2 * step)
    return slopes


def steepest_descent(case, W, b):
    """The steepest slope of the peer's objective at W, relative to that of its loss at W = 0."""
    slope = gradient(lambda W: case.loss(X @ W + b), W) + case.ridge * W
    scale = np.abs(gradient(lambda W: case.loss(X @ W + b), np.zeros(W.shape))).max()
    falls = [0.0]
    if case.ours.fit_intercept:
        falls.append(np.abs(gradient(lambda b: case.loss(X @ W + b), b)).max())
    for members, strength in zip(case.groups, case.strengths, strict=True):
        block, steepest = W[members], slope[members]
        norm = np.linalg.norm(block)
        if norm > 0:
            falls.append(np.linalg.norm(steepest + strength * block / norm))
        else:
            falls.append(np.linalg.norm(steepest) - strength)
    return max(falls) / scale


def objective(case, W, b):
    norms = [np.linalg.norm(W[members]) for members in case.groups]
    ridge = 0.5 * case.ridge * (W**2).sum()
    return case.loss(X @ W + b) + np.dot(case.strengths, norms) + ridge
