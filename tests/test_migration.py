"""What docs/migration.md says of other packages.

Conversions are those of the page: its `python` blocks are run, and the functions that they define
are used here. Each is held to two things. The peer's objective as its documentation states it,
written in numpy, is least at our coefficients: this runs everywhere. And the peer itself finds
the same coefficients, where it is installed (`make bench-quick` makes .venv-bench with skglm,
celer, adelie and group-lasso; glmnet needs R). Both reject an alpha that is wrong by n, q, √q, 2
or √2.
"""

import contextlib
import importlib
import inspect
import io
import logging
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
from scipy import sparse
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import (
    Lasso,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
    MultiTaskLassoCV,
)
from sklearn.utils.fixes import parse_version

from shrinklin import GroupLassoClassifier, GroupLassoRegressor, ShrinkNetRegressor

pytestmark = pytest.mark.untraced

TEXT = (Path(__file__).parents[1] / "docs" / "migration.md").read_text()
NEW_NAMES = parse_version(sklearn.__version__) >= parse_version("1.8")
SINCE_1_9 = parse_version(sklearn.__version__) >= parse_version("1.9")


def blocks(language, text=TEXT):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def section(title):
    return re.split(r"^## ", TEXT.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def run(*sources):
    names: dict = {"__name__": "page"}
    with contextlib.redirect_stdout(io.StringIO()):
        for source in sources:
            exec(source, names)
    return SimpleNamespace(**names)


# All that the page defines, and its data.
PAGE = run(*blocks("python"))
X, Y, CLASSES = PAGE.X, PAGE.Y, PAGE.classes
n, p, q = PAGE.n, PAGE.p, PAGE.q
WEIGHTS = np.random.default_rng(1).uniform(0.5, 2, n)
SIZES, STARTS = [2, 3, 1, 2], np.array([0, 2, 5, 6])
LABELS = np.repeat([0, 1, 2, 3], SIZES)
ROOTS = np.sqrt(SIZES)
SINGLE = [[j] for j in range(p)]
GROUPED = [list(np.flatnonzero(g == LABELS)) for g in range(4)]
UNEVEN = [0.5, 2.0, 1.0, 0.7]
FACTORS = np.array([0.5, 1, 0, 1, 2, 1, 1, 1.5])
WRONG = {
    "n": n,
    "1/n": 1 / n,
    "q": q,
    "1/q": 1 / q,
    "√q": np.sqrt(q),
    "1/√q": 1 / np.sqrt(q),
    "2": 2,
    "1/2": 1 / 2,
    "√2": np.sqrt(2),
    "1/√2": 1 / np.sqrt(2),
}


@dataclass
class Case:
    """A problem of a peer, and what the page says that solves it here.

    `loss` is a function of the raw predictions Z (n, columns), to which the penalty adds
    Σ ω ‖W_g‖, with ω of `strengths` and the columns of X in `groups`. `peer` fits the package and
    returns its W (p, columns) and intercept.
    """

    package: str
    ours: GroupLassoRegressor | GroupLassoClassifier
    y: np.ndarray
    loss: Callable
    groups: list
    strengths: list
    peer: Callable
    weights: np.ndarray | None = None
    # Columns of coefficients that the peer keeps where we keep one.
    columns: int = 1
    # What the peer reaches.
    accuracy: float = 1e-6

    def solve(self, factor=1.0):
        """Our W and intercept as the peer would write them, `alpha` wrong by a factor."""
        model = clone(self.ours).set_params(alpha=self.ours.alpha * factor, tol=1e-12)
        model.fit(X, self.y, sample_weight=self.weights)
        W, b = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
        halves = np.array([-0.5, 0.5]) if self.columns == 2 else 1
        return W * halves, b * halves


def squared(Y, scale, weights=None):
    s = np.ones(n) if weights is None else weights
    return lambda Z: scale * (s @ (np.reshape(Y, (n, -1)) - Z) ** 2).sum()


def log_loss(codes, scale, weights=None):
    """Of as many columns as classes."""
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
    """W and intercept of a model of the peer that has scikit-learn's attributes."""
    model.fit(*data, **options)
    return np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)


def rows_of(*, norms, alpha):
    return SINGLE, [alpha * norm for norm in np.broadcast_to(norms, p)]


# scikit-learn


def l1(C):
    name = {"l1_ratio": 1.0} if NEW_NAMES else {"penalty": "l1"}
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

    # Else it logs that a limit stopped it.
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
    # A constant added to those of all classes changes nothing: the page says that ours sum to 0.
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
    # Documented as w_i (−y'η + ‖η‖²/2)/K: this less a constant.
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


# group-lasso


def steps(estimator, target, **options):
    """W and intercept. With a tolerance below 1e-8 its backtracking would make it stand still."""
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
    """What its iteration takes for the loss; see `test_group_lasso_takes_half_a_gradient`."""
    return lambda Z: 0.5 * loss(Z)


def group_lasso_unpenalised():
    """A list of strengths, and a feature of group −1."""
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


def rscript():
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("Rscript is not on the path")
    return found


def in_r(source):
    """What R prints of that, run where x.csv, y.csv, classes.csv and weights.csv are."""
    begin = """
        if (!requireNamespace("glmnet", quietly = TRUE)) quit(status = 77)
        suppressMessages(library(glmnet))
        table <- function(name) as.matrix(read.csv(name, header = FALSE))
        x <- table("x.csv"); y <- table("y.csv"); w <- table("weights.csv")[, 1]
        k <- factor(table("classes.csv")[, 1])
    """
    done = subprocess.run(
        [rscript(), "-e", begin + source], capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("R has no package glmnet")
    assert done.returncode == 0, done.stderr
    return done.stdout


SHOW = """
    b <- coef(fit)
    if (!is.list(b)) b <- list(b)
    cat(format(do.call(cbind, lapply(b, as.matrix)), digits = 17))
"""


def glmnet(arguments):
    """W and intercept."""
    tables = {"x": X, "y": Y, "classes": CLASSES, "weights": WEIGHTS}
    for name, table in tables.items():
        np.savetxt(f"{name}.csv", table, delimiter=",", fmt="%.17g")
    fit = arguments if "<-" in arguments else f"fit <- glmnet(x, {arguments}, thresh = 1e-22)"
    # One column after the other.
    table = np.array(in_r(fit + SHOW).split(), dtype=float).reshape(-1, p + 1).T
    return table[1:], table[0]


def r_vector(values):
    return "c(" + ", ".join(map(str, values)) + ")"


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


CASES = {
    "MultiTaskLasso": multi_task_lasso,
    "MultiTaskLasso, weighted": weighted_multi_task_lasso,
    "Lasso, weighted": weighted_lasso,
    "LogisticRegression": logistic_regression,
    "LogisticRegression, weighted": lambda: logistic_regression(WEIGHTS),
    "skglm MultiTaskLasso": skglm_multi_task,
    "skglm GroupLasso, sizes": lambda: skglm_groups(SIZES),
    "skglm GroupLasso, one size": lambda: skglm_groups(2),
    "skglm GroupLasso, columns and weights": lambda: skglm_groups(
        [[7, 0], [1, 5, 2], [3], [4, 6]], UNEVEN
    ),
    "skglm SparseLogisticRegression": skglm_logistic,
    "celer mtl_path": celer_multi_task,
    "celer GroupLasso": celer_groups,
    "celer LogisticRegression": celer_logistic,
    "adelie multigaussian": adelie_multigaussian,
    "adelie multigaussian, penalty and weights": lambda: adelie_multigaussian(UNEVEN, WEIGHTS),
    "adelie gaussian": adelie_gaussian,
    "adelie multinomial": lambda: adelie_multinomial(3),
    "adelie multinomial, two classes": lambda: adelie_multinomial(2),
    "adelie binomial": adelie_binomial,
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
    """How steeply the peer's objective falls from there, relative to its loss from W = 0."""
    slope = gradient(lambda W: case.loss(X @ W + b), W)
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


@pytest.mark.parametrize("name", CASES)
def test_our_coefficients_minimise_what_the_peer_documents(name):
    case = CASES[name]()
    W, b = case.solve()
    kept = W.any(axis=1).sum()
    assert 0 < kept < p
    assert steepest_descent(case, W, b) < 1e-6
    for wrong, factor in WRONG.items():
        assert steepest_descent(case, *case.solve(factor)) > 1e-3, wrong


def objective(case, W, b):
    norms = [np.linalg.norm(W[members]) for members in case.groups]
    return case.loss(X @ W + b) + np.dot(case.strengths, norms)


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Where R finds its tables; and the logging of adelie undone."""
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def need(package):
    if package == "glmnet":
        rscript()
    elif package == "adelie":
        # It sets this where it is not set, which leaves one core to the whole process.
        os.environ.setdefault("OMP_PROC_BIND", "false")
    if package != "glmnet":
        pytest.importorskip(package, reason=f"{package} is not in the extra `test`")


@contextlib.contextmanager
def peers_may_warn():
    """Of their own use of numba and numpy, and of steps that are at the limit of rounding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", CASES)
def test_the_peer_finds_the_same_coefficients(name, in_folder):
    case = CASES[name]()
    with peers_may_warn():
        need(case.package)
        theirs, b = case.peer()
    ours, intercept = case.solve()
    scale = np.abs(ours).max()

    def same(W):
        return np.abs(theirs - W).max() <= case.accuracy * scale

    assert theirs.shape == ours.shape
    assert same(ours)
    assert b == pytest.approx(intercept, abs=50 * case.accuracy * max(1, np.abs(b).max()))
    least = objective(case, ours, intercept)
    assert objective(case, theirs, b) == pytest.approx(least, rel=max(10 * case.accuracy**2, 1e-10))
    for wrong, factor in WRONG.items():
        assert not same(case.solve(factor)[0]), wrong


# The blocks of the page, as printed.


@pytest.mark.parametrize(
    ("title", "package"),
    [("skglm", "skglm"), ("celer", "celer"), ("adelie", "adelie"), ("group-lasso", "group_lasso")],
)
def test_the_code_of_the_peer_gives_the_coefficients_of_ours(title, package, in_folder):
    text = section(title)
    with peers_may_warn():
        need(package)
        names = run(blocks("python")[0], *blocks("py", text), *blocks("python", text))
    assert names.ours.coef_.any()
    bound = (2e-3 if package == "group_lasso" else 1e-5) * np.abs(names.ours.coef_).max()
    assert np.abs(names.theirs - names.ours.coef_).max() <= bound


def test_the_code_in_r_gives_the_coefficients_of_ours(in_folder):
    text = section("glmnet")
    W, b = glmnet(*blocks("r", text))
    ours = run(blocks("python")[0], blocks("python", text)[0]).ours
    np.testing.assert_allclose(ours.coef_, W.T, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, b, atol=1e-4)


# What is said beside the conversions of alpha.


def test_a_standardised_response_is_that_of_glmnet(in_folder):
    arguments = 'y, family = "mgaussian", lambda = 0.1, standardize.response = TRUE'
    W, b = glmnet(arguments)
    np.testing.assert_allclose(PAGE.coef, W.T, atol=1e-5)
    np.testing.assert_allclose(PAGE.intercept, b, atol=1e-4)
    unscaled, _ = glmnet(arguments.replace("TRUE", "FALSE"))
    assert np.abs(PAGE.coef - unscaled.T).max() > 1e-2


def test_a_standardised_response_is_fitted_in_its_own_deviations():
    """The objective of glmnet on y / sd(y), without glmnet."""
    sd = Y.std(axis=0)
    W, b = PAGE.coef.T / sd, PAGE.intercept / sd
    rows = rows_of(norms=X.std(axis=0), alpha=0.1)
    case = Case("glmnet", regressor(0.1), Y / sd, squared(Y / sd, 1 / (2 * n)), *rows, None)
    assert steepest_descent(case, W, b) < 1e-5
    assert steepest_descent(case, W * sd, b * sd) > 1e-2


def elastic_net_gap(with_ridge):
    alpha, l1_ratio = 0.5, 0.8
    theirs = MultiTaskElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000)
    theirs.fit(X, Y)
    more = with_ridge(X - X.mean(axis=0), Y - Y.mean(axis=0), alpha, l1_ratio)
    ours = GroupLassoRegressor(alpha=more[2], fit_intercept=False, tol=1e-12).fit(*more[:2])
    return np.abs(theirs.coef_ - ours.coef_).max(), theirs.intercept_


def test_more_rows_make_an_elastic_net():
    gap, intercept = elastic_net_gap(PAGE.with_ridge)
    assert gap < 1e-8
    np.testing.assert_allclose(PAGE.intercept_of_net, intercept, atol=1e-4)


def test_an_elastic_net_whose_alpha_forgets_the_rows_is_noticed():
    def forgets(X, Y, alpha, l1_ratio):
        more = PAGE.with_ridge(X, Y, alpha, l1_ratio)
        return more[0], more[1], alpha * l1_ratio

    assert elastic_net_gap(forgets)[0] > 1e-3


def test_cross_validation_is_that_of_scikit_learn():
    name = "alphas" if NEW_NAMES else "n_alphas"
    theirs = MultiTaskLassoCV(**{name: 6}, eps=0.01, cv=4, tol=1e-10, max_iter=100_000).fit(X, Y)
    ours = PAGE.GroupLassoRegressorCV(6, eps=0.01, cv=4, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(-ours.cv_scores_, theirs.mse_path_, rtol=1e-6)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)


def test_liblinear_penalises_its_intercept():
    ours = classifier(PAGE.alpha_of_C(0.5, n), tol=1e-10).fit(X, CLASSES > 0)
    saga = l1(0.5).fit(X, CLASSES > 0)
    liblinear = l1(0.5).set_params(solver="liblinear").fit(X, CLASSES > 0)
    assert saga.intercept_ == pytest.approx(ours.intercept_, rel=1e-4)
    assert liblinear.intercept_ != pytest.approx(ours.intercept_, rel=0.1)


def step_of_group_lasso(W, reg, length=0.01):
    """One step of its iteration on centred data, as its source has it: half of the gradient."""
    centred = X - X.mean(axis=0)
    Z = W - length * 0.5 * centred.T @ (centred @ W - (Y - Y.mean(axis=0))) / n
    for members, root in zip(GROUPED, ROOTS, strict=True):
        norm = np.linalg.norm(Z[members])
        Z[members] *= max(0, 1 - length * reg * root / norm)
    return Z


def test_group_lasso_takes_half_a_gradient():
    reg = 0.25
    for alpha, stays in [(PAGE.alpha_of_group_lasso(reg), True), (reg, False)]:
        W = regressor(alpha, groups=LABELS, tol=1e-12).fit(X, Y).coef_.T
        moved = np.abs(step_of_group_lasso(W, reg) - W).max()
        assert (moved < 1e-10) == stays


def test_group_lasso_does_not_minimise_its_own_loss():
    with peers_may_warn():
        need("group_lasso")
        from group_lasso import GroupLasso

        options = {"group_reg": 0.25, "l1_reg": 0, "supress_warning": True, "random_state": 0}
        peer = GroupLasso(groups=LABELS, tol=1e-7, n_iter=10_000, **options).fit(X, Y)
    W, b = peer.coef_, np.reshape(peer.intercept_, -1)
    documented = Case(
        "group_lasso", None, Y, squared(Y, 1 / (2 * n)), GROUPED, 0.25 * ROOTS, peer=None
    )
    assert objective(documented, W, b) == pytest.approx(peer.loss(X, Y))
    model = regressor(0.25, groups=LABELS).fit(X, Y)
    assert model.objective_ < 0.999 * peer.loss(X, Y)


@pytest.mark.parametrize(("p_of_ours", "power", "name"), [(2, 2 / 3, "L2_3"), (1, 1 / 2, "L0_5")])
def test_shrinknet_of_one_target_has_the_penalty_of_skglm(p_of_ours, power, name):
    y, alpha = Y[:, 0], 0.3

    def value(model):
        penalty = (np.abs(model.coef_) ** power).sum()
        return ((y - model.predict(X)) ** 2).mean() / 2 + alpha * penalty

    ours = ShrinkNetRegressor(alpha, p=p_of_ours, tol=1e-10).fit(X, y)
    assert value(ours) == pytest.approx(ours.objective_)
    with peers_may_warn():
        need("skglm")
        skglm = importlib.import_module("skglm")
        penalty = getattr(importlib.import_module("skglm.penalties"), name)(alpha)
        solver = importlib.import_module("skglm.solvers").AndersonCD(
            tol=1e-8, max_iter=1000, ws_strategy="fixpoint"
        )
        quadratic = importlib.import_module("skglm.datafits").Quadratic()
        theirs = skglm.GeneralizedLinearEstimator(quadratic, penalty, solver).fit(X, y)
    # Not convex: theirs is a local minimum, at best the same.
    assert value(ours) <= value(theirs) * (1 + 1e-8)


def test_adelie_leaves_the_end_of_a_path_out(in_folder):
    with peers_may_warn():
        need("adelie")
        import adelie

        glm = adelie.glm.gaussian(y=X[:, 0].copy(), dtype=np.float64)
        lmdas = np.geomspace(1, 1e-4, 20)
        states = [
            adelie.grpnet(
                np.asfortranarray(X), glm, lmda_path=lmdas, early_exit=exits, progress_bar=False
            )
            for exits in (True, False)
        ]
    assert len(states[0].lmdas) < len(states[1].lmdas) == 20


# What the README says that `MultiTaskLasso` has, and since when.


def takes(fit, *data, **options):
    try:
        fit(*data, **options)
    except (TypeError, ValueError):
        return False
    return True


def stated(row):
    """The cell of scikit-learn in a row of the README's table of what it has."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    table = text.split("## What it does that scikit-learn does not")[1]
    return re.search(rf"^\| {re.escape(row)} \| (.*?) \|", table, flags=re.MULTILINE)[1]


@pytest.mark.parametrize("peer", [MultiTaskLasso, MultiTaskLassoCV])
def test_multi_task_lasso_takes_weights_and_sparse_data_since_it_is_said_to(peer):
    weighted = takes(peer().fit, X, Y, sample_weight=WEIGHTS)
    on_sparse = takes(peer().fit, sparse.csr_array(X), Y)
    assert stated("`sample_weight`, sparse X") == "since 1.9"
    assert (weighted, on_sparse) == (SINCE_1_9, SINCE_1_9)
    for data in (X, sparse.csr_array(X)):
        assert takes(GroupLassoRegressor().fit, data, Y, sample_weight=WEIGHTS)


def test_multi_task_lasso_lacks_what_it_is_said_to_lack():
    assert stated("1-D y") == "another class, `Lasso`"
    assert not takes(MultiTaskLasso().fit, X, Y[:, 0])
    assert takes(Lasso().fit, X, Y[:, 0])
    assert takes(GroupLassoRegressor().fit, X, Y[:, 0])
    assert stated("a path") == "`MultiTaskLasso.path`, without intercepts"
    alphas, coefs, gaps = MultiTaskLasso.path(X, Y, alphas=[1.0, 0.5])
    assert (len(alphas), coefs.shape, gaps.shape) == (2, (q, p, 2), (2,))
    names = defaults_of(MultiTaskLasso) | defaults_of(MultiTaskLasso.fit)
    assert not {"groups", "feature_weights", "weights", "penalty_factor"} & set(names)
    found = MultiTaskLasso().fit(X, Y)
    assert hasattr(found, "dual_gap_")
    assert not {"get_support", "transform", "partial_fit"} & set(dir(found))


# Parameter by parameter.


def first_cells(title):
    """What the first column of its table has in backticks."""
    rows = re.findall(r"^\| (.*?) \|", section(title), flags=re.MULTILINE)
    return " ".join(" ".join(re.findall(r"`([^`]*)`", row)) for row in rows)


def missing_and_wrong(cells, defaults):
    """Parameters that a page does not name, and defaults that are not those of any of `defaults`.

    Where a parameter is named twice, the first is its default.
    """
    names = set(re.findall(r"[\w.]*\w", cells))
    missing = {name for given in defaults for name in given} - names
    stated: dict = {}
    for name, value in re.findall(r"([\w.]*\w)=([-\w.\"]+)", cells):
        stated.setdefault(name, value.strip('"'))
    wrong = []
    for name, value in stated.items():
        real = [given[name] for given in defaults if name in given]
        if real and not any(same_value(value, theirs) for theirs in real):
            wrong.append((name, value, real))
    return missing, wrong


def same_value(stated, real):
    try:
        return float(stated) == float(real)
    except (TypeError, ValueError):
        return stated == str(real)


def defaults_of(callable_):
    signature = inspect.signature(callable_).parameters.values()
    return {parameter.name: parameter.default for parameter in signature}


PEERS = {
    "MultiTaskLasso": ("sklearn.linear_model", ["MultiTaskLasso"]),
    "LogisticRegression": ("sklearn.linear_model", ["LogisticRegression"]),
    "skglm": ("skglm", ["MultiTaskLasso", "GroupLasso", "SparseLogisticRegression"]),
    "celer": ("celer", ["MultiTaskLasso", "GroupLasso", "LogisticRegression"]),
    "adelie": ("adelie", ["grpnet"]),
    "group-lasso": ("group_lasso", ["GroupLasso", "LogisticGroupLasso"]),
}


@pytest.mark.parametrize("title", PEERS)
def test_every_parameter_is_on_the_page_with_its_default(title):
    module, names = PEERS[title]
    if module == "sklearn.linear_model" and not NEW_NAMES:
        pytest.skip("the page names the parameters of scikit-learn 1.8 and later")
    with peers_may_warn():
        need(module)
        peers = [getattr(importlib.import_module(module), name) for name in names]
    cells = first_cells(title)
    assert missing_and_wrong(cells, [defaults_of(peer) for peer in peers]) == (set(), [])
    # What this would reject.
    alpha = defaults_of(peers[0]) | {"new": 1}
    assert missing_and_wrong(cells, [alpha])[0] == {"new"}
    assert missing_and_wrong("tol=1e-3", [{"tol": 1e-4}])[1]


def test_every_parameter_of_glmnet_is_on_the_page(in_folder):
    np.savetxt("x.csv", [[1]])
    for name in ("y", "weights", "classes"):
        shutil.copy("x.csv", f"{name}.csv")
    shown = in_r('f <- formals(glmnet); cat(paste(names(f), as.character(f)), sep = "\\n")')
    defaults = dict(line.split(" ", 1) for line in shown.splitlines())
    del defaults["..."]
    cells = first_cells("glmnet")
    missing, wrong = missing_and_wrong(cells, [defaults])
    assert not missing
    # These depend on the data, or are the first of several.
    assert {name for name, _, _ in wrong} <= {"lambda.min.ratio", "type.multinomial"}


def test_our_names_on_the_page_are_ours():
    """Parameters in the second column, wherever they have a value."""
    ours = defaults_of(GroupLassoClassifier) | defaults_of(PAGE.GroupLassoRegressorCV)
    cells = re.findall(r"^\| .*? \| (.*) \|$", TEXT, flags=re.MULTILINE)
    shown = " ".join(" ".join(re.findall(r"`([^`]*)`", cell)) for cell in cells)
    for name, value in re.findall(r"(alpha|alphas|eps|tol|max_iter)=([-\w.]+)", shown):
        assert name in ours
        # Twice the strength of group-lasso, whose list of them becomes weights.
        assert same_value(value.replace("_", ""), ours[name]) or (name, value) == ("alpha", "2")
