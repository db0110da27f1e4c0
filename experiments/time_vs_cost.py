"""Is wall time linear in the drafts' measure of cost, the neuron-epochs?

ShrinkNet is trained by full-batch Adagrad on simulated data with few to many features, without
removal and with early and late removal, always for the same number of epochs. Neuron-epochs are
the features left, summed over epochs. With s features left, an epoch over samples (used if they
are fewer than the features) multiplies an n × s by an s × q matrix. An epoch over moments (used
for the squared loss otherwise) multiplies an s × s by an s × q matrix. So, with n and q fixed,
time should be linear in neuron-epochs for samples, and not for moments.

Seconds are the time of the epochs, the least of several repetitions. Neither seconds nor
multiply-adds include computing the moments, which comes first. Two curves are fitted:

- a line by least squares: its slope is the time per neuron-epoch, its intercept the time that
  epochs take however many features are left;
- overhead + c · cost^e, fitted in logarithms, so that short trainings count as much as long ones:
  e is the exponent once the overhead no longer matters.

Seconds differ from one measurement to the next.
"""

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from datasets import make_shared_support
from experiments.drafts import LEARNING_RATE
from experiments.experiment import Experiment, Outcome, Verdict
from shrinklin import Annealing, GradientDescent, ShrinkNetRegressor, SignChange, SignVariance

SAMPLES, MOMENTS = "samples", "moments"
NONE, SIGN_CHANGE, SIGN_VARIANCE, ANNEALING = "none", "sign change", "sign variance", "annealing"
# Annealing, as the number of features that it leaves does not depend on the data.
_REMOVALS = {
    NONE: lambda n_features: None,
    SIGN_CHANGE: lambda n_features: SignChange(),
    SIGN_VARIANCE: lambda n_features: SignVariance(0.99),
    ANNEALING: lambda n_features: Annealing(n_features // 16, mu=10.0),
}
_N_TARGETS, _N_SAMPLES, _ALPHA = 8, 100, 0.8

NEURON_EPOCHS, MULTIPLY_ADDS = "neuron_epochs", "multiply_adds"
# What counts as linear: 16 times the cost take 16 times as long, within a factor of 2. Once data
# no longer fit into the caches, time grows a little faster than any count of operations.
_R_SQUARED, _FROM_ONE = 0.9, 0.25


@dataclass(frozen=True)
class Sizes:
    """Numbers of features for each form, of epochs, and of repetitions of a training."""

    samples: tuple
    moments: tuple
    epochs: int
    repeats: int


_FULL = Sizes(
    samples=tuple(2**k for k in range(7, 16)),
    moments=tuple(2**k for k in range(5, 12)),
    epochs=100,
    repeats=5,
)
_QUICK = Sizes(
    samples=tuple(2**k for k in range(7, 15)),
    moments=tuple(2**k for k in range(5, 11)),
    epochs=60,
    repeats=3,
)


class TimeVsCost(Experiment):
    """Seconds against neuron-epochs and multiply-adds."""

    name = "time-vs-cost"
    about = "Wall time against the two measures of cost"
    datasets = quick_datasets = ("simulated",)
    timed = True

    def load(self, dataset, quick, data_home):
        """Nothing: each cell simulates its data from its seed."""
        if dataset not in self.datasets:
            raise ValueError(f"{self.name} simulates its data: leave --dataset out.")

    def jobs(self, data, quick):
        """One job per form: a delay of the machine should not hit a single cell alone."""
        sizes = _QUICK if quick else _FULL
        shapes = {
            SAMPLES: [(_N_SAMPLES, n_features) for n_features in sizes.samples],
            MOMENTS: [(n_features, n_features) for n_features in sizes.moments],
        }
        return [
            [
                {
                    "form": form,
                    "n_samples": n_samples,
                    "n_features": n_features,
                    "strategy": strategy,
                    "epochs": sizes.epochs,
                    "repeats": sizes.repeats,
                    "seed": 0,
                }
                for n_samples, n_features in shapes[form]
                for strategy in _REMOVALS
            ]
            for form in shapes
        ]

    def measure(self, cells, data):
        """Seconds, and both measures of cost; all cells once, then all of them again."""
        simulated = {_shape(cell): _simulated(*_shape(cell)) for cell in cells}
        rounds: list[list] = [[] for _ in cells]
        for number in range(max(cell["repeats"] for cell in cells)):
            for cell, found in zip(cells, rounds, strict=True):
                if number < cell["repeats"]:
                    found.append(_trained(cell, *simulated[_shape(cell)]))
        return [_least(found) for found in rounds]

    def summary(self, table):
        """The fits: one row per form and measure of cost."""
        import pandas as pd

        rows = [_described(table, form, cost) for form in _forms(table) for cost in _SECONDS_PER]
        return pd.DataFrame(rows)

    def draw(self, table):
        """Seconds against each measure, with the fits."""
        return _draw(table)

    def verdicts(self, table):
        """Is time linear in neuron-epochs, and in multiply-adds?"""
        return [
            _verdict(
                table,
                NEURON_EPOCHS,
                "Time is asymptotically linear in the neuron-epochs",
                "draft 002, 5.2",
            ),
            _verdict(
                table,
                MULTIPLY_ADDS,
                "Time is asymptotically linear in the multiply-adds that are counted",
                "shrinklin's CostMeter",
            ),
        ]


def _shape(cell):
    return cell["n_samples"], cell["n_features"], cell["seed"]


def _simulated(n_samples, n_features, seed):
    X, Y, _ = make_shared_support(
        n_samples, n_features, _N_TARGETS, n_relevant=10, random_state=seed
    )
    return X, Y


def _trained(cell, X, Y):
    """Seconds, and the two costs."""
    model = _model(cell).fit(X, Y)
    # Without what was spent before the first epoch.
    spent = model.history_[MULTIPLY_ADDS]
    return model.solver.seconds_, model.cost_.neuron_epochs, int(spent[-1] - spent[0])


def _least(rounds):
    """The fastest round, which compilation and other processes disturbed least."""
    seconds, neuron_epochs, multiply_adds = min(rounds)
    return {"seconds": seconds, NEURON_EPOCHS: neuron_epochs, MULTIPLY_ADDS: multiply_adds}


class _Stopwatch(GradientDescent):
    """Gradient training that measures its own time, without what comes before and after."""

    def train(self, *arguments, **options):
        start = time.perf_counter()
        trained = super().train(*arguments, **options)
        self.seconds_ = time.perf_counter() - start
        return trained


def _model(cell):
    solver = _Stopwatch(
        max_epochs=cell["epochs"],
        learning_rate=LEARNING_RATE,
        removal=_REMOVALS[cell["strategy"]](cell["n_features"]),
    )
    return ShrinkNetRegressor(alpha=_ALPHA, solver=solver, random_state=cell["seed"])


@dataclass(frozen=True)
class Fit:
    """How seconds depend on a measure of cost.

    Attributes
    ----------
    slope, intercept, r_squared : float
        The line by least squares.
    overhead, factor, exponent : float
        overhead + factor · cost^exponent, fitted in logarithms.
    """

    slope: float
    intercept: float
    r_squared: float
    overhead: float
    factor: float
    exponent: float

    @property
    def linear(self):
        return self.r_squared >= _R_SQUARED and abs(self.exponent - 1) <= _FROM_ONE

    def power(self, cost):
        return self.overhead + self.factor * cost**self.exponent


def fit(cost, seconds):
    """Both fits.

    Parameters
    ----------
    cost, seconds : array-like of shape (n,)
        Positive.

    Returns
    -------
    Fit
    """
    cost, seconds = np.asarray(cost, dtype=float), np.asarray(seconds, dtype=float)
    slope, intercept = np.polyfit(cost / cost.max(), seconds, 1) / [cost.max(), 1]
    off = seconds - (intercept + slope * cost)
    r_squared = 1 - (off @ off) / ((seconds - seconds.mean()) ** 2).sum()
    return Fit(slope, intercept, r_squared, *_power_with_overhead(cost, seconds))


def _power_with_overhead(cost, seconds):
    """Overhead, factor and exponent, by least squares of the logarithms."""
    # In these units all parameters are about 1.
    unit, second = cost.max(), seconds.max()
    x, target = np.log(cost / unit), np.log(seconds / second)
    least = target.min()

    def off(parameters):
        overhead, factor, exponent = parameters
        return np.logaddexp(overhead, factor + exponent * x) - target

    # An overhead far below the least time is as good as 0.
    start, bounds = (least - 1, 0, 1), ([least - 15, -5, 0.1], [1, 5, 5])
    overhead, factor, exponent = least_squares(off, start, bounds=bounds, xtol=1e-12, ftol=1e-12).x
    return second * np.exp(overhead), second * np.exp(factor) / unit**exponent, exponent


def _forms(table):
    return list(table["form"].unique())


def _fit_of(table, form, cost):
    of_form = table[table["form"] == form]
    return fit(of_form[cost], of_form["seconds"])


_SECONDS_PER = {NEURON_EPOCHS: "neuron-epoch", MULTIPLY_ADDS: "multiply-add"}


def _described(table, form, cost):
    found = _fit_of(table, form, cost)
    return {
        "form": form,
        "cost": _SECONDS_PER[cost],
        "ns each": 1e9 * found.slope,
        "intercept (s)": found.intercept,
        "R²": found.r_squared,
        "exponent": found.exponent,
        "linear": found.linear,
    }


def _verdict(table, cost, claim, source):
    fits = {form: _fit_of(table, form, cost) for form in _forms(table)}
    linear = [form for form, found in fits.items() if found.linear]
    outcome = Outcome.of_cases([found.linear for found in fits.values()])
    texts = [_text(form, found, cost) for form, found in fits.items()]
    where = f"Only where an epoch reads {linear[0]}. " if len(linear) == 1 else ""
    return Verdict(
        claim,
        source,
        outcome,
        f"R² ≥ {_R_SQUARED} and an exponent within {_FROM_ONE} of 1, both where an epoch reads "
        "samples and where it reads moments",
        "so in one of these two",
        f"{where}For one number of epochs, of targets and of samples (if these are read): "
        f"{'; '.join(texts)}.",
    )


def _text(form, found, cost):
    return (
        f"{form}: {_ns(found)} a {_SECONDS_PER[cost]}, R² {found.r_squared:.3f}, "
        f"exponent {found.exponent:.2f}"
    )


def _ns(found):
    nanoseconds = 1e9 * found.slope
    return f"{nanoseconds:.0f} ns" if nanoseconds >= 100 else f"{nanoseconds:.2g} ns"


_FORM_COLORS = {SAMPLES: "C0", MOMENTS: "C1"}
_MARKERS = {NONE: "o", SIGN_CHANGE: "P", SIGN_VARIANCE: "v", ANNEALING: "s"}


def _draw(table):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 5.4), layout="constrained", sharey=True)
    for panel, cost in zip(axes, _SECONDS_PER, strict=True):
        for form in _forms(table):
            _draw_form(panel, table[table["form"] == form], form, cost)
        panel.set(xscale="log", yscale="log", xlabel=f"{_SECONDS_PER[cost]}s")
        panel.legend(fontsize="small", loc="upper left")
    axes[0].set_ylabel("seconds")
    # A line with a negative intercept would go down without end; above is room for legends.
    axes[0].set_ylim(table["seconds"].min() / 2, 30 * table["seconds"].max())
    figure.legend(*_strategies(axes[0]), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_form(axes, of_form, form, cost):
    color = _FORM_COLORS[form]
    for strategy, marker in _MARKERS.items():
        rows = of_form[of_form["strategy"] == strategy]
        axes.plot(rows[cost], rows["seconds"], marker, color=color, markersize=5, alpha=0.7)
    found = fit(of_form[cost], of_form["seconds"])
    x = np.geomspace(of_form[cost].min(), of_form[cost].max(), 200)
    line = found.intercept + found.slope * x
    name = f"{form}, line: {_ns(found)} each, R² {found.r_squared:.3f}"
    axes.plot(x, np.where(line > 0, line, np.nan), color=color, linewidth=1, label=name)
    name = f"{form}, overhead + power: exponent {found.exponent:.2f}"
    axes.plot(x, found.power(x), "--", color=color, linewidth=1, label=name)


def _strategies(axes):
    """Handles and labels of a legend of the markers."""
    handles = [axes.plot([], [], marker, color="0.4")[0] for marker in _MARKERS.values()]
    return handles, [f"removal: {strategy}" for strategy in _MARKERS]
