"""Where 100 random starts end, by gradient training and by the exact solver.

As in figures 1 and 2 of CPNA, but for ShrinkNet's objective: the values reached from many
starts, sorted. The starts are those of `GradientDescent` with `random_state` = 0, 1, …: switches
β from N(0, 1), weights A from N(0, 1/p). Each start is used for

- gradient training, without removal and with two strategies of early removal;
- one exact descent on W, from W = diag(β)A; it ends where no step on the quadratic bound of a
  single feature, with the others fixed, improves W (`Objective`, residual ≤ tol);
- the exact solver, whose search also begins from the end of that descent.

The exact solver also searches once without a start. All are judged by the same measure,
F(W) = f(W) + κ Σ_j ‖w_j‖^{2/3}: the least objective of all switches and weights with these
coefficients (B.1), with the best intercept. Gradient training itself never reports less, and
more if its switches and weights are not balanced. It need not end at a minimum either:
`settled` is the value that an exact descent reaches from its end. Values are in the drafts'
scale (`drafts`).
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils import check_random_state

import datasets
from experiments.drafts import LEARNING_RATE, NEGLIGIBLE, WEIGHT_DECAY, scale, shrinknet
from experiments.experiment import Experiment, Outcome, Verdict
from shrinklin import CoordinateDescent, GradientDescent, ProximalNewton, SignChange, SignVariance
from shrinklin.blas import one_blas_thread
from shrinklin.factored import balanced_weight_decay, bridge_strength
from shrinklin.gradient.parametrizations import GATES, GatedWeights
from shrinklin.groups import Groups
from shrinklin.objective.likelihood import likelihood_of_data
from shrinklin.objective.objective import Objective
from shrinklin.penalties.bridge2 import Bridge2

PLAIN = "gradient training"
REMOVALS = {
    PLAIN: None,
    f"{PLAIN}, sign change": SignChange(),
    f"{PLAIN}, sign variance γ = 0.99": SignVariance(gamma=0.99),
}
EARLY = list(REMOVALS)[1:]
DESCENT, EXACT = "one exact descent", "exact solver"
METHODS = [*REMOVALS, DESCENT, EXACT]
COLD, NO_START = f"{EXACT}, from no start", -1

# The drafts' λ, for the squared error averaged over samples and targets.
LAMBDA_MSE = 0.1
# For the logistic loss, with λ₂ = 4λ/27.
LAMBDA_LOG = 0.05
# XOR with this and with twice this, which is half the λ that leaves all products out.
XOR = {"xor": LAMBDA_LOG, "xor-strong": 2 * LAMBDA_LOG}
TOL, MAX_SWEEPS = 1e-6, 10_000
# Up to these relative differences two values count as the same, or nearly the same.
SAME, NEAR = 1e-3, 1e-2
# Shares of the starts: hardly any, half. Ratios of values: much larger, clearly larger.
SELDOM, HALF, MUCH, CLEAR = 0.1, 0.5, 2, 1.1
SIGNIFICANT = 0.01


@dataclass(frozen=True)
class Sizes:
    """The number of random starts, and of epochs of gradient training on data and on XOR."""

    starts: int
    epochs: int
    epochs_xor: int


_FULL, _QUICK = Sizes(100, 7000, 5000), Sizes(12, 3000, 2000)


@dataclass(frozen=True)
class Problem:
    """The objective of a run.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Standardised.
    y : ndarray
        Standardised targets (n_samples, n_targets), or labels (n_samples,).
    n_epochs : int
        Epochs of gradient training.
    strength, weight_decay : float
        λ and λ₂, in the drafts' scale.
    checksum : str or None
        Checksum of the dataset.
    """

    X: np.ndarray
    y: np.ndarray
    n_epochs: int
    strength: float
    weight_decay: float
    checksum: str | None = None

    @property
    def regression(self):
        """Whether y holds targets rather than labels."""
        return self.y.ndim == 2

    @property
    def n_targets(self):
        """The number of columns of W."""
        if self.regression:
            return self.y.shape[1]
        n_classes = len(np.unique(self.y))
        return 1 if n_classes == 2 else n_classes

    @property
    def scale(self):
        """The code's objective divided by this is in the drafts' scale."""
        return scale(self.y)

    @property
    def penalty(self):
        """(λ, λ₂) in the scale of the code."""
        return self.strength * self.scale, self.weight_decay * self.scale

    @property
    def settings(self):
        """Settings that its cells contain, so that results of other settings are not mixed in."""
        return {
            "lambda": self.strength,
            "weight_decay": self.weight_decay,
            "epochs": self.n_epochs,
            "learning_rate": LEARNING_RATE,
        }

    def estimator(self, **parameters):
        """An unfitted ShrinkNet of this objective."""
        alpha, weight_decay = self.penalty
        return shrinknet(self.y)(alpha, weight_decay=weight_decay, tol=TOL, **parameters)

    def objective(self):
        """F(W) in the scale of the code, by which all methods are judged."""
        groups = Groups.from_labels(self.X.shape[1])
        alpha, weight_decay = self.penalty
        strength = bridge_strength(alpha, weight_decay, 2)
        return Objective(self._smooth(groups.order), Bridge2(), groups, strength)

    def _smooth(self, order):
        ones = np.ones(len(self.X))
        if self.regression:
            return CoordinateDescent().quadratic(self.X, self.y, ones, order, True)
        classes, codes = np.unique(self.y, return_inverse=True)
        return likelihood_of_data(self.X, codes, len(classes), ones, order, True)

    def start(self, seed):
        """The W at which gradient training with `random_state=seed` starts."""
        groups = Groups.from_labels(self.X.shape[1])
        alpha, weight_decay = self.penalty
        drawn = GatedWeights(groups, self.n_targets, alpha, weight_decay, 2, GATES["switch"])
        return drawn.coefficients(drawn.draw(check_random_state(seed)))


class Landscape(Experiment):
    """Sorted values of the objective that random starts lead to."""

    name = "landscape"
    about = "Values that random starts lead to, by gradient training and by the exact solver"
    datasets = ("oes97", "xor", "xor-strong")
    quick_datasets = ("digits-completion", "xor")

    def load(self, dataset, quick, data_home):
        if dataset in XOR:
            return xor_problem(quick, XOR[dataset])
        data = super().load(dataset, quick, data_home).standardized()
        n_epochs = (_QUICK if quick else _FULL).epochs
        penalty = (LAMBDA_MSE, WEIGHT_DECAY) if data.y.ndim == 2 else logistic_penalty(LAMBDA_LOG)
        strength, weight_decay = penalty
        return Problem(data.X, data.y, n_epochs, strength, weight_decay, data.checksum)

    def jobs(self, data, quick):
        starts = range((_QUICK if quick else _FULL).starts)
        cells = [[(method, start) for method in METHODS] for start in starts]
        return [
            [{"method": method, "start": start, **data.settings} for method, start in job]
            for job in [*cells, [(COLD, NO_START)]]
        ]

    def measure(self, cells, data):
        objective, start = data.objective(), cells[0]["start"]
        # A job has all methods for one start, as the exact solver continues from the descent's end.
        end = None if start == NO_START else settle(data, objective, data.start(start))
        return [measured(data, objective, cell["method"], start, end) for cell in cells]

    def summary(self, table):
        best = best_known(table)
        found = table.groupby("method", sort=False)
        values = found["objective"]
        return pd.DataFrame(
            {
                "lowest": values.min(),
                "mean": values.mean(),
                "highest": values.max(),
                "within 0.1 % of best": values.agg(within, best=best, margin=SAME),
                "within 1 % of best": values.agg(within, best=best, margin=NEAR),
                "loss": found["loss"].mean(),
                "features": found["n_features"].mean(),
                "reported": found["reported"].mean(),
                "after a descent from there": found["settled"].mean(),
            }
        ).round(4)

    def draw(self, table):
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
        for place, method in enumerate(METHODS):
            values = np.sort(_of(table, method))
            ax.plot(
                np.arange(1, len(values) + 1),
                values,
                marker="osD^v"[place],
                fillstyle="none",
                markersize=4 + place,
                linewidth=1,
                color=f"C{place}",
                label=method,
            )
        ax.axhline(_of(table, COLD).item(), color="black", linestyle=":", label=COLD)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("rank of the start, by the value it leads to")
        ax.set_ylabel("objective F(W)")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
        return figure

    def verdicts(self, table):
        return [not_equivalent(table), seldom_found(table), no_lower(table), removal(table)]


def logistic_penalty(strength):
    """(λ, λ₂) with κ = λ."""
    return strength, balanced_weight_decay(strength, 2)


def xor_problem(quick, strength):
    """All products of at most 3 features; one of them determines the class."""
    n, p, sizes = (300, 6, _QUICK) if quick else (1000, 10, _FULL)
    X, y = datasets.make_xor(n, p, 3, random_state=0)
    products = PolynomialFeatures(3, interaction_only=True, include_bias=False).fit_transform(X)
    X = StandardScaler().fit_transform(products)
    return Problem(X, y, sizes.epochs_xor, *logistic_penalty(strength))


def settle(data, objective, W):
    """The W at which one exact descent from W ends."""
    solver = CoordinateDescent() if data.regression else ProximalNewton()
    with one_blas_thread():
        return solver.solve(objective, W, tol=TOL, max_iter=MAX_SWEEPS).W


def measured(data, objective, method, start, end):
    """The results of one method from one start."""
    W, reported = end, None
    if method in REMOVALS:
        solver = GradientDescent(
            max_epochs=data.n_epochs, learning_rate=LEARNING_RATE, removal=REMOVALS[method]
        )
        W, reported = _fit(data, data.estimator(solver=solver, random_state=start))
    elif method == EXACT:
        model = data.estimator(warm_start=True)
        # `warm_start` begins from these coefficients: the end of the descent.
        model.coef_ = end.T
        W, reported = _fit(data, model)
    elif method == COLD:
        W, reported = _fit(data, data.estimator())
    values = judged(objective, W)
    values["reported"] = values["objective"] if reported is None else reported
    values["settled"] = objective.value(settle(data, objective, W))
    n_features = int(_kept(W).sum())
    return {**{name: v / data.scale for name, v in values.items()}, "n_features": n_features}


def _fit(data, model):
    """The coefficients of the fitted model, and the value it reports."""
    model.fit(data.X, data.y)
    return model.coef_.T, model.objective_


def judged(objective, W):
    """F(W), F(W) with negligible features set to 0, and f(W)."""
    return {
        "objective": objective.value(W),
        "without_dust": objective.value(np.where(_kept(W)[:, None], W, 0.0)),
        "loss": objective.smooth.evaluate(W)[0],
    }


def _kept(W):
    return (np.abs(W) >= NEGLIGIBLE).any(axis=1)


def within(values, best, margin):
    """The share of values at most (1 + margin) times the best."""
    return float((values <= (1 + margin) * best).mean())


def best_known(table):
    """The lowest value of the objective, by any method or by a descent from its end."""
    return table[["objective", "settled"]].min().min()


def _of(table, method, column="objective"):
    return table.loc[table["method"] == method, column]


def _range(values):
    return f"{values.min():.4g} to {values.max():.4g}"


def not_equivalent(table):
    """CPNA's claim that local minima differ, judged by stationary points alone."""
    descents, settled = _of(table, DESCENT), _of(table, PLAIN, "settled")
    ends = pd.concat([descents, settled])
    ratio = ends.max() / ends.min()
    return Verdict(
        "The local minima are not equivalent, the lowest being much smaller than the highest",
        "CPNA, section 2.1, of networks; here of ShrinkNet's objective",
        Outcome.of(ratio >= MUCH, ratio >= CLEAR),
        f"the highest is at least {MUCH} times the lowest",
        f"it is at least {CLEAR} times the lowest",
        f"Stationary points, in which exact descents end: {_range(descents)} from the starts, "
        f"{_range(settled)} from where {PLAIN} ended; a ratio of {ratio:.4g} in all. Not judged: "
        f"training itself ended at {_range(_of(table, PLAIN))}, and where a descent goes on from "
        "there, it had not converged.",
    )


def seldom_found(table):
    """CPNA's claim that training hardly ever finds deep minima."""
    best = best_known(table)
    found = within(_of(table, PLAIN), best, NEAR)
    settled = within(_of(table, PLAIN, "settled"), best, NEAR)
    short = found <= SELDOM < settled
    shares = "; ".join(
        f"{name} {within(_of(table, name), best, SAME):.0%} and "
        f"{within(_of(table, name), best, NEAR):.0%}"
        for name in METHODS
    )
    return Verdict(
        "Gradient training from a random start hardly ever finds a deepest minimum",
        "CPNA, sections 1 and 2, of networks; here of ShrinkNet's objective",
        Outcome.of(max(found, settled) <= SELDOM, found <= HALF),
        f"it ends within {NEAR:.0%} of the best known from at most {SELDOM:.0%} of the starts, "
        "without removal, before and after an exact descent from the end",
        f"before that descent from at most {HALF:.0%} of the starts",
        f"Starts that end within {SAME:.1%} and {NEAR:.0%} of the best value known: {shares}; an "
        f"exact descent from the end of {PLAIN} comes within {NEAR:.0%} from {settled:.0%}."
        + (" It stops short of a minimum in whose basin it is." if short else ""),
    )


def no_lower(table):
    """Our own claim: the exact solver's search needs no start."""
    cold = _of(table, COLD).item()
    best = best_known(table[table["method"] != COLD])
    lower = 1 - best / cold
    kinds = {
        "single descents": _of(table, DESCENT),
        f"descents from the end of {PLAIN}": _of(table, PLAIN, "settled"),
        "the exact solver, given a descent's end": _of(table, EXACT),
    }
    ends = "; ".join(f"{kind} {_range(values)}" for kind, values in kinds.items())
    return Verdict(
        "No random start leads lower than the exact solver's own search from none",
        "ours",
        Outcome.of(lower <= SAME, lower <= NEAR),
        f"none leads lower by more than {SAME:.1%}",
        f"none leads lower by more than {NEAR:.0%}",
        f"The search from none reaches {cold:.5g}, the best from {len(_of(table, EXACT))} random "
        f"starts is {best:.5g}, {max(lower, 0):.3%} lower: {ends}. That no lower value is known "
        "does not prove that there is none.",
    )


def removal(table):
    """CPNA's claim that pruning finds deeper minima, tested for removal by signs."""
    trained = table[table["method"].isin([*REMOVALS])]
    ends, settled, losses = (
        trained.pivot(index="start", columns="method", values=column)
        for column in ("without_dust", "settled", "loss")
    )
    # Both where training stops and the minimum below it: one alone may only show how far it got.
    compared = {
        method: [compare(of[method], of[PLAIN]) for of in (ends, settled)] for method in EARLY
    }
    deeper = [all(map(_deeper, changes)) for changes in compared.values()]
    figures = "; ".join(
        f"{method}: {_change(compared[method][0])}, lower from "
        f"{(ends[method] < ends[PLAIN]).mean():.0%} of the starts, and after an exact descent "
        f"from the end {_change(compared[method][1])}; loss {losses[method].mean():.4g} for "
        f"{losses[PLAIN].mean():.4g}"
        for method in EARLY
    )
    return Verdict(
        "Removing features while training leads to deeper minima",
        "CPNA, abstract and section 3, of pruned networks; here of removal by signs",
        Outcome.of_cases(deeper),
        f"both strategies lead lower by more than {SAME:.1%} on average, with p < {SIGNIFICANT:g} "
        "by Wilcoxon's signed-rank test, both before and after an exact descent from the end",
        "one strategy of two does",
        f"Against {PLAIN} from the same {len(ends)} starts, coefficients below {NEGLIGIBLE:g} "
        f"set to 0 in both: {figures}.",
    )


def _deeper(compared):
    change, p = compared
    return p < SIGNIFICANT and change < -SAME


def _change(compared):
    change, p = compared
    return f"{change:+.2%} on average, p = {p:.2g}"


def compare(values, baseline):
    """Mean change relative to the mean baseline, and p of Wilcoxon's signed-rank test."""
    difference = (values - baseline).to_numpy()
    if not difference.any():
        return 0.0, 1.0
    with warnings.catch_warnings():
        # Earlier releases of scipy warn if most differences are zero.
        warnings.filterwarnings("ignore", "Sample size too small", UserWarning)
        p = wilcoxon(difference, method="approx").pvalue
    return difference.mean() / baseline.mean(), p
