r"""Loss against sparsity: ShrinkNet and group lasso (drafts 001 and 002, section 5.1).

Loss is that of the model divided by that of the best constant model on the same rows (1 for
a model without features; held out it may pass 1): for regression the squared error averaged
over samples and targets, for classification the log-loss. Sparsity is the share of columns
whose weights are all below 1e-3 in absolute value, every column standardised.

The drafts train by full-batch Adagrad and report the loss on the rows they train on. That is
done here too (`TRAINED`), beside the exact solutions of the same two problems (`EXACT`),
p = 1 and 2, and beside group lasso refitted on its own support, which takes out the
shrinkage. And every model is also fitted on the training folds of a K-fold split,
standardised there, and judged on what is held out.

The refit of a fit on all rows, whose training loss is judged, has no penalty; classes that
its features tell apart without error have then no best coefficients, and they grow until the
loss is 1e-6 of the constant model's. The refits on the folds, judged on held-out rows, have
none either for regression, and for classification scikit-learn's ridge, C = `RIDGE_C`.

What the drafts leave open, and what is done:

- the exact paths end at a small share (`Plan.eps`) of the λ that leaves nothing, the same for
  all methods; steps are shorter at the strong end, where a step may bring in many features;
- they give the ranges of epochs (1000 to 100 000) and learning rates (10^-1.2 to 10^-1.95)
  only: here both are evenly spaced in logarithm over the steps, most epochs and the least
  rate for the weakest λ;
- of group lasso's λ_mse they give the range only, 1 to 1e-3: 13 values;
- for classification they give no λ: the same values multiply the mean log-loss;
- for classification an epoch costs a pass over the rows (for regression their moments are
  enough): so training gets 1000 to 2000 epochs, and of a dataset of more rows than
  `MOST_ROWS` a fixed random sample is taken. Fewer epochs would not do: in t of them Adagrad
  takes a switch at most about 2 √t times the learning rate closer to 0, and switches begin
  at N(0, 1).

Two methods seldom have models of the same sparsity: between neighbouring models of a method
the logarithm of the loss is taken to be linear in the number of features. They are compared
fold by fold, so that what differs between folds is not taken for a difference of methods.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax, xlogy
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold

from experiments.drafts import NEGLIGIBLE, WEIGHT_DECAY, scale, shrinknet
from experiments.experiment import Experiment, Outcome, Verdict
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    regularization_path,
)

GROUP_LASSO, REFITTED = "group lasso", "group lasso, refitted"
SHRINKNET, SHRINKNET_1 = "ShrinkNet, p = 2", "ShrinkNet, p = 1"
TRAINED_LASSO, TRAINED_SHRINKNET = "group lasso, Adagrad", "ShrinkNet, Adagrad"
EXACT = (GROUP_LASSO, REFITTED, SHRINKNET, SHRINKNET_1)
TRAINED = (TRAINED_LASSO, TRAINED_SHRINKNET)

BUDGETS = (5, 10, 20, 50, 80)
# For classification: as many as gina_prior2 has, one of the drafts' two datasets.
MOST_ROWS, MOST_ROWS_QUICK = 3468, 400

# Of scikit-learn's logistic regression, as it comes; the ridge is 1/(2 C n) of the mean.
RIDGE_C = 1.0


def _rounded(values):
    """Floats of six significant digits: those of numpy may end otherwise on another CPU.

    Cells are known by their numbers, and a run may be taken up elsewhere.
    """
    return [float(f"{value:.6g}") for value in values]


# The drafts' λ, for the mean squared error: group lasso from 1 to 1e-3, ShrinkNet from 10.
LAMBDAS = {
    TRAINED_LASSO: _rounded(np.logspace(0, -3, 13)),
    TRAINED_SHRINKNET: _rounded(np.logspace(1, -4, 11)),
}
LOG_RATES = (-1.2, -1.95)

ALL = "all"


@dataclass(frozen=True)
class Plan:
    """How much of everything a run does.

    Attributes
    ----------
    steps : dict of str to int
        How many alphas every exact method goes through; 0 leaves it out.
    eps : float
        Ratio of the last alpha to the first.
    epochs : tuple of int
        Of gradient training, for the strongest and the weakest λ.
    n_folds : int
    """

    steps: dict
    eps: float
    epochs: tuple
    n_folds: int


def plan(data, quick):
    """The `Plan` of a dataset: what takes minutes, and in the quick form seconds.

    Group lasso gets more steps than ShrinkNet: they cost little, and features enter it in
    larger lots.
    """
    if data.card.task == "regression":
        return _regression_plan(quick, len(data.X))
    return _classification_plan(quick)


def _regression_plan(quick, n_samples):
    if quick:
        return Plan(_steps(24, 12, 6), 3e-3, (300, 700), 2)
    return Plan(_steps(60, 40, 40), 1e-3, (1000, 100_000), 5 if n_samples <= 5000 else 2)


def _classification_plan(quick):
    # A step of p = 1 takes four times as long as one of p = 2: too long for the quick form.
    if quick:
        return Plan(_steps(24, 8, 0), 3e-3, (300, 400), 2)
    return Plan(_steps(40, 16, 12), 3e-3, (1000, 2000), 2)


def _steps(lasso, shrinknet, shrinknet_1):
    return dict(zip(EXACT, (lasso, lasso, shrinknet, shrinknet_1), strict=True))


@dataclass(frozen=True)
class Part:
    """Rows to fit or to judge on.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_targets) or (n_samples,)
        Targets, or the number of the class.
    """

    X: np.ndarray
    y: np.ndarray

    @property
    def regression(self):
        return self.y.ndim == 2


@dataclass(frozen=True)
class Model:
    """A fitted model: raw predictions are coef x + intercept, as in the estimators.

    Attributes
    ----------
    alpha : float
        On the scale of the estimators.
    coef : ndarray of shape (n_targets, n_features)
    intercept : ndarray of shape (n_targets,)
    residual : float or None
        How far from optimal, as the estimators' `residual_`, if that is known.
    """

    alpha: float
    coef: np.ndarray
    intercept: np.ndarray
    residual: float | None = None


class Tradeoff(Experiment):
    """Loss against sparsity, in training and held out; see the head of this module.

    The quick form has the bundled digits; the full one stands in for what cannot always be
    had: a simulated twin for scm1d, MNIST for gina_prior2 (same features), the batches of
    gas-drift, each standardised by itself, for gas-drift. Those go by their own names.
    """

    name = "tradeoff"
    about = "Loss against sparsity of ShrinkNet and group lasso (drafts, section 5.1)"
    datasets = ("oes97", "scm1d-twin", "mnist-t10k", "gas-drift-batches")
    quick_datasets = ("digits-completion", "digits")

    def load(self, dataset, quick, data_home):
        data = super().load(dataset, quick, data_home)
        return _sampled(data, MOST_ROWS_QUICK if quick else MOST_ROWS)

    def jobs(self, data, quick):
        """A path of an exact solver, or one gradient training, on all rows or without a fold."""
        plan_ = plan(data, quick)
        folds = [ALL, *map(str, range(plan_.n_folds))]
        paths = [_path_cells(plan_, method, fold) for method in EXACT for fold in folds]
        trainings = [
            [cell]
            for method in TRAINED
            for fold in folds
            for cell in _training_cells(plan_, method, fold)
        ]
        return [cells for cells in paths if cells] + trainings

    def measure(self, cells, data):
        train, held_out = parts(data, cells[0]["fold"], cells[0]["n_folds"])
        models = path_models if cells[0]["method"] in EXACT else trained_models
        return [facts(model, train, held_out) for model in models(cells, train)]

    def summary(self, table):
        """Losses of each method's model that fits best within a budget of features.

        It is chosen by its training loss, on all rows and on the folds apart; numbers of
        features and losses of the folds are means over them.
        """
        import pandas as pd

        rows = {
            (budget, method): _best_of(table, method, budget)
            for budget in budgets(table)
            for method in table["method"].unique()
        }
        found = pd.DataFrame(rows).T.round(4)
        found.index.names = ["features <=", "method"]
        return found

    def draw(self, table):
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator, NullLocator

        figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharey=True, layout="constrained")
        for ax, held_out in zip(axes, (False, True), strict=True):
            _draw_panel(ax, table, held_out)
        # Set for both panels, which share the axis.
        axes[0].set_yscale("log")
        bottom, top = axes[0].get_ylim()
        axes[0].set_ylim(max(bottom, _LOWEST), min(top, _HIGHEST))
        crowded = axes[0].get_ylim()[0] < 0.3
        subs = (1, 2, 3, 5, 7) if crowded else range(1, 10)
        axes[0].yaxis.set_major_locator(LogLocator(subs=subs))
        axes[0].yaxis.set_major_formatter("{x:g}")
        axes[0].yaxis.set_minor_locator(NullLocator())
        axes[0].set_ylabel("loss, relative to that of the best constant")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        return figure

    def verdicts(self, table):
        return [
            *closer_exact(table),
            closer_trained(table),
            *better_held_out(table),
            as_low_as_convex(table),
        ]


def _sampled(data, most):
    """The data, or for classification a fixed random sample of that many rows."""
    if data.card.task == "regression" or len(data.X) <= most:
        return data
    rows = np.sort(np.random.default_rng(0).permutation(len(data.X))[:most])
    return replace(data, X=data.X[rows], y=data.y[rows])


# Cells: all that a result depends on, beside the data.


def _path_cells(plan_, method, fold):
    shares = _rounded(plan_.eps ** np.linspace(0, 1, plan_.steps[method]) ** 2)
    return [_cell(plan_, method, fold, k, share) for k, share in enumerate(shares)]


def _training_cells(plan_, method, fold):
    lambdas = LAMBDAS[method]
    rates = _rounded(np.logspace(*LOG_RATES, len(lambdas)))
    fewest, most = plan_.epochs
    epochs = np.geomspace(fewest, most, len(lambdas)).round().astype(int)
    return [
        _cell(plan_, method, fold, k, lambdas[k], int(epochs[k]), rates[k])
        for k in range(len(lambdas))
    ]


def _cell(plan_, method, fold, step, strength, epochs=0, rate=0.0):
    """`strength` is a share of the alpha that leaves nothing, or for Adagrad the drafts' λ."""
    return {
        "method": method,
        "fold": fold,
        "n_folds": plan_.n_folds,
        "step": step,
        "strength": strength,
        "epochs": epochs,
        "learning_rate": rate,
        # So that no draw of first parameters, lucky or not, decides a whole curve.
        "seed": step,
    }


# The rows to fit and to judge on.


def parts(data, fold, n_folds):
    """`Part` to train on and `Part` held out, standardised by the former.

    Parameters
    ----------
    data : Dataset
    fold : str
        ALL, for which nothing is held out (None), or the number of the fold that is.
    n_folds : int
    """
    regression = data.card.task == "regression"
    y = data.y if regression else np.unique(data.y, return_inverse=True)[1]
    if fold == ALL:
        train, test = np.arange(len(y)), None
    else:
        splitter = (KFold if regression else StratifiedKFold)(n_folds, shuffle=True, random_state=0)
        train, test = list(splitter.split(data.X, y))[int(fold)]
    X, scaled_y = _scaled(data.X, train), _scaled(y, train) if regression else y
    return Part(X[train], scaled_y[train]), None if test is None else Part(X[test], scaled_y[test])


def _scaled(table, train):
    """The table in deviations from the mean of the training rows.

    A column that is constant in training becomes 0 everywhere: no model can learn of it.
    """
    mean, deviation = table[train].mean(axis=0), table[train].std(axis=0)
    # Not deviation == 0: rounding of the mean leaves a constant column a tiny one.
    constant = np.ptp(table[train], axis=0) == 0
    return np.where(constant, 0.0, (table - mean) / np.where(constant, 1.0, deviation))


# Fitting.


def path_models(cells, train):
    """A `Model` for every cell of a path of an exact method."""
    method, fold = cells[0]["method"], cells[0]["fold"]
    path = exact_path(method, train, [cell["strength"] for cell in cells])
    if method == REFITTED:
        if fold != ALL and not train.regression:
            return _refitted_with_ridge(path, train)
        path = path.refit(train.X, train.y)
    fields = zip(path.alphas, path.coefs, path.intercepts, path.residuals, strict=True)
    return [Model(*fields_) for fields_ in fields]


def exact_path(method, train, shares):
    """The `RegularizationPath` of a method of `EXACT`, not yet refitted.

    Parameters
    ----------
    method : str
    train : Part
    shares : list of float
        Of the alpha that leaves nothing, from large to small.
    """
    estimator = _estimator(method, train)
    # Every path begins at that alpha; a glance, as how well it is solved does not matter.
    glance = _estimator(method, train).set_params(tol=1.0)
    largest = regularization_path(glance, train.X, train.y, alphas=1).alphas[0]
    return regularization_path(estimator, train.X, train.y, alphas=largest * np.array(shares))


def _estimator(method, train):
    if method in (GROUP_LASSO, REFITTED, TRAINED_LASSO):
        return GroupLassoRegressor() if train.regression else GroupLassoClassifier()
    return shrinknet(train.y)(p=1 if method == SHRINKNET_1 else 2)


def _refitted_with_ridge(path, train):
    """scikit-learn's logistic regression on the support of every model.

    Without its ridge it separates the classes once the features allow that, and then its
    held-out loss grows without end.
    """
    known, models = {}, []
    for alpha, coef in zip(path.alphas, path.coefs, strict=True):
        support = coef.any(axis=0)
        key = support.tobytes()
        if key not in known:
            known[key] = _ridge_on(support, train)
        models.append(Model(alpha, *known[key]))
    return models


def _ridge_on(support, train):
    """Coefficients and intercept of logistic regression on some of the features."""
    # Where no feature is left, one of zeros stands in: the intercept is fitted all the same.
    X = train.X[:, support] if support.any() else np.zeros((len(train.X), 1))
    fitted = LogisticRegression(C=RIDGE_C, max_iter=10_000).fit(X, train.y)
    coef = np.zeros((len(fitted.intercept_), len(support)))
    if support.any():
        coef[:, support] = fitted.coef_
    return coef, fitted.intercept_


def trained_models(cells, train):
    """A `Model` for every cell of the drafts' way: full-batch Adagrad, nothing removed."""
    return [_trained(cell, train) for cell in cells]


def _trained(cell, train):
    unit = scale(train.y)
    solver = GradientDescent(max_epochs=cell["epochs"], learning_rate=cell["learning_rate"])
    alpha = cell["strength"] * unit
    model = _estimator(cell["method"], train)
    model.set_params(alpha=alpha, solver=solver, random_state=cell["seed"])
    if cell["method"] == TRAINED_SHRINKNET:
        model.set_params(weight_decay=WEIGHT_DECAY * unit)
    model.fit(train.X, train.y)
    return Model(alpha, np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_))


# Measuring.


def facts(model, train, held_out):
    """What is written down of a model."""
    weights = np.abs(model.coef)
    n_columns = weights.shape[1]
    n_features = int((weights >= NEGLIGIBLE).any(axis=0).sum())
    return {
        "alpha": model.alpha,
        # As the drafts have it.
        "lambda": model.alpha / scale(train.y),
        "n_columns": n_columns,
        "n_features": n_features,
        "n_selected": int(weights.any(axis=0).sum()),
        "sparsity": 1 - n_features / n_columns,
        "training_loss": relative_loss(model, train),
        "held_out_loss": None if held_out is None else relative_loss(model, held_out),
        "residual": model.residual,
    }


def relative_loss(model, part):
    """Loss on these rows, divided by that of the constant that is best there."""
    Z = part.X @ model.coef.T + model.intercept
    if part.regression:
        return float(((part.y - Z) ** 2).mean() / ((part.y - part.y.mean(axis=0)) ** 2).mean())
    return _log_loss(Z, part.y) / _entropy(part.y)


def _log_loss(Z, y):
    if Z.shape[1] == 1:
        # Two classes have one raw prediction: that of the second against the first.
        Z = np.hstack([np.zeros_like(Z), Z])
    return float(-log_softmax(Z, axis=1)[np.arange(len(y)), y].mean())


def _entropy(y):
    shares = np.bincount(y) / len(y)
    return float(-xlogy(shares, shares).sum())


# Judging.


def folds_of(table, held_out):
    """The folds, or the fit on all rows alone, which is judged on them."""
    return [fold for fold in table["fold"].unique() if (fold != ALL) == held_out]


def curve(table, method, held_out):
    """As `curve_of_folds`: of the fit on all rows, or the mean over all folds."""
    return curve_of_folds(table, method, folds_of(table, held_out))


def curve_of_folds(table, method, folds):
    """Features, training and judged loss of every step of a method, as a DataFrame.

    Parameters
    ----------
    table : DataFrame
    method : str
    folds : list of str
        Of which to take the mean; [ALL] for the fit on all rows, judged on them.
    """
    held_out = ALL not in folds
    rows = table[(table["method"] == method) & table["fold"].isin(folds)]
    found = rows.groupby("step")[
        ["sparsity", "n_features", "training_loss", "held_out_loss"]
    ].mean()
    judged = found["held_out_loss"] if held_out else found["training_loss"]
    return found.assign(loss=judged).drop(columns="held_out_loss")


def best_within(curve_, budget):
    """The step that fits best in training with so many features; None if there is none."""
    allowed = curve_[curve_["n_features"] <= budget]
    return None if allowed.empty else allowed.loc[allowed["training_loss"].idxmin()]


def frontier(curve_):
    """The steps that no step of fewer features, or as many, fits better in training."""
    found = curve_.sort_values(["n_features", "training_loss"])
    least = found["training_loss"].cummin().shift(fill_value=np.inf)
    return found[found["training_loss"] < least]


def loss_at(curve_, sizes):
    """Loss at numbers of features, between the models of the frontier; see the module's head."""
    found = frontier(curve_)
    return np.exp(np.interp(sizes, found["n_features"], np.log(found["loss"])))


def budgets(table):
    """Those of BUDGETS that leave something out; of a few columns all of them."""
    n_columns = int(table["n_columns"].max())
    return [budget for budget in BUDGETS if budget < n_columns] or [n_columns]


def _best_of(table, method, budget):
    found = {}
    for held_out, loss in ((False, "training loss"), (True, "held-out loss")):
        best = best_within(curve(table, method, held_out), budget)
        features = "features, folds" if held_out else "features"
        found[features] = np.nan if best is None else best["n_features"]
        found[loss] = np.nan if best is None else best["loss"]
    return found


@dataclass(frozen=True)
class Comparison:
    """Losses of two methods at the same number of features.

    Attributes
    ----------
    sizes : ndarray
        Numbers of features at which one of them has a model, as far as both reach.
    ratios : ndarray
        Loss of the first method divided by that of the second, with so many features; of
        several folds their geometric mean.
    errors : ndarray
        Standard errors of the logarithms of the ratios, over folds; 0 for one fit.
    """

    sizes: np.ndarray
    ratios: np.ndarray
    errors: np.ndarray

    # A difference of a hundredth is none, nor is one within a standard error.
    TIE = 0.01
    # Fewer sizes in common, or sizes nearer to each other, say nothing of sparsity at large.
    FEWEST, LEAST_RANGE = 5, 4

    @property
    def won(self):
        """Sizes at which the first is better."""
        return self.sizes[(self.ratios < 1 - self.TIE) & self._beyond_errors]

    @property
    def lost(self):
        return self.sizes[(self.ratios > 1 + self.TIE) & self._beyond_errors]

    @property
    def _beyond_errors(self):
        return np.abs(np.log(self.ratios)) > self.errors

    @property
    def wide(self):
        """Whether there are sizes enough, and the largest is a multiple of the smallest."""
        enough = len(self.sizes) >= self.FEWEST
        return enough and max(self.sizes) >= self.LEAST_RANGE * min(self.sizes)

    @property
    def throughout(self):
        """Whether the first is never worse, and mostly better, over a wide range."""
        return self.wide and len(self.lost) == 0 and self.mostly

    @property
    def mostly(self):
        """Whether the first is better at half of the sizes or more, and worse at fewer."""
        enough = len(self.sizes) > 0 and 2 * len(self.won) >= len(self.sizes)
        return enough and len(self.won) > len(self.lost)

    def __str__(self):
        if len(self.sizes) == 0:
            return "no number of features in common"
        found = (
            f"lower at {_counted(self.won)} and higher at {_counted(self.lost)} of "
            f"{len(self.sizes)} sizes from {min(self.sizes):.3g} to {max(self.sizes):.3g} features"
        )
        return found if self.wide else f"{found} (too few, or too near each other, to confirm)"


def _counted(sizes):
    """How many sizes, and between which."""
    return f"{len(sizes)} ({min(sizes):.3g} to {max(sizes):.3g})" if len(sizes) else "0"


def compare(table, method, other, held_out=False):
    """A `Comparison` over the range of sparsities that both methods reach, in every fold."""
    names, folds = (method, other), folds_of(table, held_out)
    of_folds = [[curve_of_folds(table, name, [fold]) for name in names] for fold in folds]
    means = [curve(table, name, held_out) for name in names]
    sizes = _common_sizes(means, [found for pair in of_folds for found in pair])
    logs = np.log([np.divide(*[loss_at(found, sizes) for found in pair]) for pair in of_folds])
    n_folds = len(folds)
    errors = logs.std(axis=0, ddof=1) / np.sqrt(n_folds) if n_folds > 1 else np.zeros(len(sizes))
    return Comparison(sizes, np.exp(logs.mean(axis=0)), errors)


def _common_sizes(curves, reaching):
    """Numbers of features of models of `curves`, as far as all curves of `reaching` have some."""
    ranges = [found.loc[found["n_features"] > 0, "n_features"] for found in reaching]
    if any(sizes.empty for sizes in ranges):
        return np.empty(0)
    least, most = max(map(min, ranges)), min(map(max, ranges))
    sizes = np.unique(np.concatenate([found["n_features"] for found in curves]))
    return sizes[(sizes >= least) & (sizes <= most)]


def at_budgets(table, method, other, held_out=False):
    """Losses of two methods' models within the budgets that both can meet, as text."""
    curves = [curve(table, name, held_out) for name in (method, other)]
    texts = []
    for budget in budgets(table):
        best = [best_within(found, budget) for found in curves]
        if all(model is not None and model["n_features"] > 0 for model in best):
            first, second = (f"{model['loss']:.3g} ({model['n_features']:.3g})" for model in best)
            ratio = best[0]["loss"] / best[1]["loss"]
            texts.append(f"<= {budget}: {first} to {second}, ratio {ratio:.2g}")
    return "; ".join(texts) or "no budget that both meet"


def closer_exact(table):
    """The drafts' claim, of the solutions that they sought; and what they did not compare with."""
    figures = [
        "Exact solvers, training loss (features) of ShrinkNet p = 2 to group lasso's: "
        + at_budgets(table, SHRINKNET, GROUP_LASSO)
    ]
    if SHRINKNET_1 in set(table["method"]):
        figures.append(f"With p = 1 {compare(table, SHRINKNET_1, GROUP_LASSO)}")
    lasso = _verdict(
        "ShrinkNet fits closer than group lasso at the same sparsity",
        "drafts 001 and 002, section 5.1",
        compare(table, SHRINKNET, GROUP_LASSO),
        figures,
    )
    refit = _verdict(
        "ShrinkNet fits closer than group lasso refitted on its support, at the same sparsity",
        "ours",
        compare(table, SHRINKNET, REFITTED),
        ["Training loss; the refit on all rows is without a penalty, ShrinkNet keeps its own"],
    )
    return lasso, refit


def closer_trained(table):
    """The drafts' claim, as they tested it."""
    return _verdict(
        "Trained by Adagrad, ShrinkNet fits closer than group lasso at the same sparsity",
        "drafts 001 and 002, section 5.1 and figure",
        compare(table, TRAINED_SHRINKNET, TRAINED_LASSO),
        [
            "Training loss (features) of ShrinkNet to group lasso's: "
            + at_budgets(table, TRAINED_SHRINKNET, TRAINED_LASSO),
            "Adagrad's ShrinkNet to the exact one: "
            + at_budgets(table, TRAINED_SHRINKNET, SHRINKNET),
        ],
    )


def better_held_out(table):
    """Our own claims, of rows that were not trained on."""
    better = "At the same number of features ShrinkNet predicts held-out rows better than "
    ridge = [f"Classes are refitted with a ridge here, C = {RIDGE_C:g}"]
    claims = {
        GROUP_LASSO: (f"{better}group lasso", []),
        REFITTED: (f"{better}group lasso refitted on its support", ridge),
    }
    return [
        _verdict(
            claim,
            "ours",
            compare(table, SHRINKNET, other, held_out=True),
            [
                f"Held-out loss (features) of ShrinkNet p = 2 to that of {other}: "
                + at_budgets(table, SHRINKNET, other, held_out=True),
                *remarks,
            ],
        )
        for other, (claim, remarks) in claims.items()
    ]


def as_low_as_convex(table):
    """The drafts' claim that an objective that is not convex does no harm in practice."""
    pairs = {"Adagrad": (TRAINED_SHRINKNET, TRAINED_LASSO), "exact": (SHRINKNET, GROUP_LASSO)}
    found = {way: [lowest(table, method) for method in pair] for way, pair in pairs.items()}
    holds = [
        ours["training_loss"] <= (1 + Comparison.TIE) * theirs["training_loss"]
        for ours, theirs in found.values()
    ]
    texts = [
        f"{way}: {_at(ours)} against {_at(theirs)}, of λ {_span(table, pairs[way][0])} against "
        + _span(table, pairs[way][1])
        for way, (ours, theirs) in found.items()
    ]
    return Verdict(
        "Though its objective is not convex, ShrinkNet reaches as low a loss as group lasso",
        "drafts 001 and 002, section 5.1",
        Outcome.of_cases(holds),
        f"its lowest loss is at most {Comparison.TIE:.0%} higher, both by Adagrad and exact",
        "so in one of these two ways",
        f"Lowest training loss of ShrinkNet against group lasso's, {'; '.join(texts)}. It "
        "depends on these ranges, as losses fall with λ where training succeeds, and it is about "
        "training loss alone.",
    )


def lowest(table, method):
    """The row of the lowest training loss of a method, of those on all rows."""
    rows = table[(table["method"] == method) & (table["fold"] == ALL)]
    return rows.loc[rows["training_loss"].idxmin()]


def _at(row):
    return f"{row['training_loss']:.3g} ({row['n_features']:g} features, λ = {row['lambda']:.3g})"


def _span(table, method):
    strengths = table.loc[(table["method"] == method) & (table["fold"] == ALL), "lambda"]
    return f"{strengths.max():.3g} to {strengths.min():.3g}"


def _verdict(claim, source, comparison, figures):
    """What one `Comparison` says of a claim that the first method is better."""
    tie, fewest, times = Comparison.TIE, Comparison.FEWEST, Comparison.LEAST_RANGE
    return Verdict(
        claim,
        source,
        Outcome.of(comparison.throughout, comparison.mostly),
        "its loss is higher at none of the numbers of features that both reach, and lower at half "
        f"of them or more (beyond {tie:.0%} of the loss and, held out, beyond one standard error "
        f"over folds); there are at least {fewest}, the largest {times} times the smallest",
        "it is lower at half of them or more, and higher at fewer",
        f"{_capital(str(comparison))}. {'. '.join(figures)}.",
    )


def _capital(text):
    return text[:1].upper() + text[1:]


# Drawing. Colour is the problem, marker the way to solve it: group lasso's refit is another.

_COLOURS = dict(zip(EXACT, ("C0", "C1", "C2", "C3"), strict=True)) | {
    TRAINED_LASSO: "C0",
    TRAINED_SHRINKNET: "C2",
}
# Few features are what matters, and there are hundreds of columns: a scale that is linear in
# the square root of the share that is kept.
_SPARSITIES = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 1)
# Losses far above the constant model's would press all others together, and so would those
# next to nothing, of classes told apart without error.
_LOWEST, _HIGHEST = 1e-3, 1.5


def _draw_panel(ax, table, held_out):
    for method in table["method"].unique():
        found = curve(table, method, held_out)
        style = (
            {"linestyle": "none", "marker": "x", "markersize": 7}
            if method in TRAINED
            else {"marker": "o", "markersize": 3, "linewidth": 1.2}
        )
        ax.plot(found["sparsity"], found["loss"], color=_COLOURS[method], label=method, **style)
    ax.set_title("held-out rows (mean over folds)" if held_out else "training rows (all)")
    ax.set_xscale("function", functions=(_stretch, _shrink))
    ax.set_xticks(_SPARSITIES, [f"{sparsity:g}" for sparsity in _SPARSITIES])
    ax.set_xlim(0, 1.0005)
    ax.set_xlabel("sparsity: share of columns whose weights are all below 1e-3")
    ax.grid(alpha=0.3, linewidth=0.5)


def _stretch(sparsity):
    kept = 1 - np.asarray(sparsity)
    return -np.sign(kept) * np.sqrt(np.abs(kept))


def _shrink(stretched):
    return 1 + np.sign(stretched) * np.square(stretched)
