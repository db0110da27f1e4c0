"""Where 100 random starts end, by gradient training and by the exact solver.

As figures 1 and 2 of CPNA, for ShrinkNet's objective: the values reached from many starts,
sorted. The starts are those of `GradientDescent` with `random_state` = 0, 1, …: switches β
from N(0, 1), weights A from N(0, 1/p). From each of them

- gradient training, without removal and with two strategies of early removal;
- one exact descent on W, from W = diag(β)A; it ends where no feature alone, the others
  held, can do better in a step of its quadratic bound (`Objective`, residual ≤ tol);
- the exact solver, whose search is given the end of that descent as well.

All are judged by one measure, F(W) = f(W) + κ Σ_j ‖w_j‖^{2/3}, the least that any switches
and weights of these coefficients pay (B.1), with the best intercept. What gradient training
itself reports is never less: its switches and weights need not be balanced. Values are in
the drafts' scale: for regression the squared error is averaged over samples and targets.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils import check_random_state

import datasets
from experiments.experiment import Experiment, Outcome, Verdict
from shrinklin import (
    CoordinateDescent,
    GradientDescent,
    ProximalNewton,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignChange,
    SignVariance,
)
from shrinklin.factored import balanced_weight_decay, bridge_strength
from shrinklin.groups import Groups
from shrinklin.likelihood import likelihood_of_data
from shrinklin.objective import Objective
from shrinklin.path import one_blas_thread
from shrinklin.penalties import Bridge2
from shrinklin.solvers.parametrizations import GATES, GatedWeights

PLAIN = "gradient training"
REMOVALS = {
    PLAIN: None,
    f"{PLAIN}, sign change": SignChange(),
    f"{PLAIN}, sign variance γ = 0.99": SignVariance(gamma=0.99),
}
EARLY = list(REMOVALS)[1:]
DESCENT, EXACT = "one exact descent", "exact solver"
METHODS = [*REMOVALS, DESCENT, EXACT]

# The drafts': λ and λ₂ of a squared error averaged over samples and targets.
LAMBDA_MSE, DECAY_MSE = 0.1, 1e-8
# Of the logistic loss, with λ₂ = 4λ/27.
LAMBDA_LOG = 0.05
# XOR with that and with twice that, half of what keeps all of its products out.
XOR = {"xor": LAMBDA_LOG, "xor-strong": 2 * LAMBDA_LOG}
LEARNING_RATE = 0.05
# In absolute value; a feature whose coefficients are all below counts as left out.
NEGLIGIBLE = 1e-3
TOL, MAX_SWEEPS = 1e-6, 10_000
# Relative differences that make two values the same, and nearly so.
SAME, NEAR = 1e-3, 1e-2
SIGNIFICANT = 0.01


@dataclass(frozen=True)
class Problem:
    """The objective of a run.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Standardised.
    y : ndarray
        Standardised targets (n_samples, n_targets), or labels (n_samples,).
    task : {"regression", "classification"}
    n_epochs : int
        Of gradient training.
    penalty : tuple of float
        (λ, λ₂) in the scale of the code.
    checksum : str or None
        Of the dataset.
    """

    X: np.ndarray
    y: np.ndarray
    task: str
    n_epochs: int
    penalty: tuple
    checksum: str | None = None

    @property
    def n_targets(self):
        """Columns of W."""
        if self.task == "regression":
            return self.y.shape[1]
        n_classes = len(np.unique(self.y))
        return 1 if n_classes == 2 else n_classes

    @property
    def scale(self):
        """What the code's objective is divided by to be in the drafts' scale."""
        return self.n_targets / 2 if self.task == "regression" else 1.0

    def estimator(self, **parameters):
        """An unfitted ShrinkNet of this objective."""
        model = ShrinkNetRegressor if self.task == "regression" else ShrinkNetClassifier
        alpha, weight_decay = self.penalty
        return model(alpha, weight_decay=weight_decay, tol=TOL, **parameters)

    def objective(self):
        """F on W, in the scale of the code: the judge of all methods."""
        groups = Groups.from_labels(self.X.shape[1])
        alpha, weight_decay = self.penalty
        strength = bridge_strength(alpha, weight_decay, 2)
        return Objective(self._smooth(groups.order), Bridge2(), groups, strength)

    def _smooth(self, order):
        ones = np.ones(len(self.X))
        if self.task == "regression":
            return CoordinateDescent().quadratic(self.X, self.y, ones, order, True)
        classes, codes = np.unique(self.y, return_inverse=True)
        return likelihood_of_data(self.X, codes, len(classes), ones, order, True)

    def start(self, seed):
        """W where gradient training with that `random_state` begins."""
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
        if data.card.task == "regression":
            half = data.y.shape[1] / 2
            penalty = LAMBDA_MSE * half, DECAY_MSE * half
        else:
            penalty = logistic_penalty(LAMBDA_LOG)
        n_epochs = 3000 if quick else 7000
        return Problem(data.X, data.y, data.card.task, n_epochs, penalty, data.checksum)

    def jobs(self, data, quick):
        return [
            [{"method": method, "start": start} for method in METHODS]
            for start in range(12 if quick else 100)
        ]

    def measure(self, cells, data):
        objective, start = data.objective(), cells[0]["start"]
        # A job holds all methods of a start: the exact solver goes on from the descent's end.
        end = settle(data, objective, data.start(start))
        return [measured(data, objective, cell["method"], start, end) for cell in cells]

    def summary(self, table):
        best = table["objective"].min()
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
        for place, (method, found) in enumerate(table.groupby("method", sort=False)):
            values = np.sort(found["objective"])
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
        ax.axhline(table["objective"].min(), color="black", linestyle=":", label="best known")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("rank of the start, by the value it leads to")
        ax.set_ylabel("objective F(W)")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
        return figure

    def verdicts(self, table):
        return [not_equivalent(table), seldom_found(table), always_found(table), removal(table)]


def logistic_penalty(strength):
    """(λ, λ₂) with κ = λ."""
    return strength, balanced_weight_decay(strength, 2)


def xor_problem(quick, strength):
    """All products of at most 3 features, of which one decides the class."""
    n, p, n_epochs = (300, 6, 2000) if quick else (1000, 10, 5000)
    X, y = datasets.make_xor(n, p, 3, random_state=0)
    products = PolynomialFeatures(3, interaction_only=True, include_bias=False).fit_transform(X)
    X = StandardScaler().fit_transform(products)
    return Problem(X, y, "classification", n_epochs, logistic_penalty(strength))


def settle(data, objective, W):
    """Where one exact descent from W ends."""
    solver = CoordinateDescent() if data.task == "regression" else ProximalNewton()
    with one_blas_thread():
        return solver.solve(objective, W, tol=TOL, max_iter=MAX_SWEEPS).W


def measured(data, objective, method, start, end):
    """A row of the table: what a method comes to from a start."""
    W, reported = end, objective.value(end)
    if method in REMOVALS:
        solver = GradientDescent(
            max_epochs=data.n_epochs, learning_rate=LEARNING_RATE, removal=REMOVALS[method]
        )
        model = data.estimator(solver=solver, random_state=start).fit(data.X, data.y)
        W, reported = model.coef_.T, model.objective_
    elif method == EXACT:
        model = data.estimator(warm_start=True)
        # What `warm_start` begins from: the end of the descent.
        model.coef_ = end.T
        model.fit(data.X, data.y)
        W, reported = model.coef_.T, model.objective_
    values = judged(objective, W)
    values |= {"reported": reported, "settled": objective.value(settle(data, objective, W))}
    n_features = int(_kept(W).sum())
    return {**{name: v / data.scale for name, v in values.items()}, "n_features": n_features}


def judged(objective, W):
    """F(W), the same after what is negligible in W is set to 0, and f(W)."""
    return {
        "objective": objective.value(W),
        "without_dust": objective.value(np.where(_kept(W)[:, None], W, 0.0)),
        "loss": objective.smooth.evaluate(W)[0],
    }


def _kept(W):
    return (np.abs(W) >= NEGLIGIBLE).any(axis=1)


def within(values, best, margin):
    """Share of values that are no more than the margin above the best, relative to it."""
    return float((values <= (1 + margin) * best).mean())


def _shares(table, margin):
    best = table["objective"].min()
    values = table.groupby("method", sort=False)["objective"]
    return values.agg(within, best=best, margin=margin)


def not_equivalent(table):
    """CPNA's claim on what random starts lead to."""
    ends = {name: table.loc[table["method"] == name, "objective"] for name in (PLAIN, DESCENT)}
    ratio = {name: values.max() / values.min() for name, values in ends.items()}
    if ratio[DESCENT] >= 2:
        outcome = Outcome.CONFIRMED
    elif max(ratio.values()) > 1 + NEAR:
        outcome = Outcome.CONDITIONAL
    else:
        outcome = Outcome.NOT_CONFIRMED
    figures = "; ".join(
        f"{name}: from {values.min():.4g} to {values.max():.4g}, a ratio of {ratio[name]:.4g}"
        for name, values in ends.items()
    )
    settled = table.loc[table["method"] == PLAIN, "settled"]
    return Verdict(
        "The local minima are not equivalent, the lowest being much smaller than the highest",
        "CPNA, section 2.1, of networks; here of ShrinkNet's objective",
        outcome,
        f"{figures}; an exact descent from where training ended goes on to {settled.min():.4g} "
        f"to {settled.max():.4g}. (Much: a ratio of 2 or more for the exact descents, which end "
        f"at stationary points; not equivalent: more than {1 + NEAR:g} for either.)",
    )


def seldom_found(table):
    """CPNA's claim on how hard deep minima are for training."""
    share, same = _shares(table, NEAR), _shares(table, SAME)
    found = share[PLAIN]
    if found <= 0.1:
        outcome = Outcome.CONFIRMED
    else:
        outcome = Outcome.CONDITIONAL if found <= 0.9 else Outcome.NOT_CONFIRMED
    shares = "; ".join(f"{name} {same[name]:.0%} and {share[name]:.0%}" for name in share.index)
    return Verdict(
        "Gradient training from a random start hardly ever finds a deepest minimum",
        "CPNA, sections 1 and 2, of networks; here of ShrinkNet's objective",
        outcome,
        f"Starts that end within {SAME:.1%} and {NEAR:.0%} of the best value known: {shares}. "
        "(Hardly ever: at most 10% within the latter without removal; 10 to 90%: with "
        "conditions.)",
    )


def always_found(table):
    """Our own: starts do not matter to the exact solver."""
    best = table["objective"].min()
    values = table.loc[table["method"] == EXACT, "objective"]
    worst = values.max() / best - 1
    if worst <= SAME:
        outcome = Outcome.CONFIRMED
    else:
        outcome = Outcome.CONDITIONAL if worst <= NEAR else Outcome.NOT_CONFIRMED
    descents = table.loc[table["method"] == DESCENT, "objective"]
    return Verdict(
        "The exact solver reaches the best value known from every start",
        "ours",
        outcome,
        f"Its worst of {len(values)} is {worst:.3%} above the best, {best:.5g}; single descents "
        f"are {descents.min() / best - 1:.3%} to {descents.max() / best - 1:.3%} above. "
        f"(Reached: within {SAME:.1%}; within {NEAR:.0%}: with conditions. That no lower "
        "value is known does not prove that there is none.)",
    )


def removal(table):
    """CPNA's claim that pruning finds deeper minima, for removal by signs."""
    ends = table.pivot(index="start", columns="method", values="without_dust")
    losses = table.pivot(index="start", columns="method", values="loss")
    compared = [compare(ends[method], ends[PLAIN]) for method in EARLY]
    n_deeper = sum(p < SIGNIFICANT and change < -SAME for change, p in compared)
    outcome = Outcome.CONFIRMED if n_deeper == len(EARLY) else Outcome.CONDITIONAL
    figures = "; ".join(
        f"{method}: {change:+.2%} on average, p = {p:.2g}, lower from "
        f"{(ends[method] < ends[PLAIN]).mean():.0%} of the starts, loss "
        f"{losses[method].mean():.4g} for {losses[PLAIN].mean():.4g}"
        for method, (change, p) in zip(EARLY, compared, strict=True)
    )
    return Verdict(
        "Removing features while training leads to deeper minima",
        "CPNA, abstract and section 3, of pruned networks; here of removal by signs",
        outcome if n_deeper else Outcome.NOT_CONFIRMED,
        f"Against {PLAIN} from the same {len(ends)} starts, coefficients below {NEGLIGIBLE:g} "
        f"set to 0 in both: {figures}. (Deeper: lower by more than {SAME:.1%} on average, "
        f"and p < {SIGNIFICANT:g} by Wilcoxon's signed-rank test; with conditions: for one "
        "strategy of two.)",
    )


def compare(values, baseline):
    """Mean change relative to the mean baseline, and p of Wilcoxon's signed-rank test."""
    difference = (values - baseline).to_numpy()
    if not difference.any():
        return 0.0, 1.0
    return difference.mean() / baseline.mean(), wilcoxon(difference, method="approx").pvalue
