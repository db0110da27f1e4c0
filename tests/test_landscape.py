"""Values that random starts lead to: the judge, the starts, and the verdicts."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import wilcoxon
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss

from experiments import landscape
from experiments.experiment import Outcome
from experiments.landscape import (
    COLD,
    DESCENT,
    EARLY,
    EXACT,
    METHODS,
    PLAIN,
    REMOVALS,
    Landscape,
)
from experiments.run import Place, run
from shrinklin import GradientDescent, ShrinkNetRegressor
from shrinklin.solvers.paths import solve_path

pytestmark = pytest.mark.untraced

N_STARTS = 3


def completion():
    """32 pixels to 3, few images and few epochs."""
    images = load_digits().data[:200]
    images = images[:, images.std(axis=0) > 0]
    images = (images - images.mean(axis=0)) / images.std(axis=0)
    return landscape.Problem(images[:, :20], images[:, -3:], 200, 0.05, 1e-4)


def parity():
    problem = landscape.xor_problem(True, 0.05)
    penalty = landscape.logistic_penalty(0.05)
    return landscape.Problem(problem.X[:150], problem.y[:150], 200, *penalty)


PROBLEMS = {"completion": completion(), "parity": parity()}


class Small(Landscape):
    def load(self, dataset, quick, data_home):
        return PROBLEMS[dataset]

    def jobs(self, data, quick):
        jobs = super().jobs(data, quick)
        return [*jobs[:N_STARTS], jobs[-1]]


@pytest.fixture(scope="module", params=list(PROBLEMS))
def small(request, tmp_path_factory):
    """A problem and the finished run on it."""
    place = Place(tmp_path_factory.mktemp(request.param), quiet=True)
    return PROBLEMS[request.param], run(Small(), request.param, True, place)


def kappa(problem):
    alpha, weight_decay = problem.penalty
    return 1.5 * alpha ** (2 / 3) * (2 * weight_decay) ** (1 / 3)


def slow_loss(problem, W):
    """In the scale of the code, with the best intercept."""
    Z = problem.X @ W
    if problem.regression:
        return 0.5 * ((problem.y - Z - (problem.y - Z).mean(axis=0)) ** 2).sum() / len(Z)

    def at(b):
        P = 1 / (1 + np.exp(-Z[:, 0] - b))
        return log_loss(problem.y, P)

    return minimize_scalar(at, bounds=(-20, 20), options={"xatol": 1e-10}).fun


def slow_value(problem, W):
    return slow_loss(problem, W) + kappa(problem) * sum(np.linalg.norm(w) ** (2 / 3) for w in W)


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_judge_is_the_bridge_objective_written_out(name):
    problem, rng = PROBLEMS[name], np.random.default_rng(0)
    objective = problem.objective()
    for share in (0.0, 0.2, 1.0):
        alive = rng.uniform(size=(objective.shape[0], 1)) < share
        W = 0.3 * rng.standard_normal(objective.shape) * alive
        assert objective.value(W) == pytest.approx(slow_value(problem, W), rel=1e-8)
        found = landscape.judged(objective, W)
        assert found["loss"] == pytest.approx(slow_loss(problem, W), rel=1e-8)


def test_judge_drops_what_is_negligible_in_all_targets_and_nothing_else():
    problem = PROBLEMS["completion"]
    objective = problem.objective()
    W = np.zeros(objective.shape)
    W[0], W[1, 2], W[2] = 9e-4, 1e-3, 0.2
    cleaned = W.copy()
    cleaned[0] = 0
    found = landscape.judged(objective, W)
    assert found["without_dust"] == objective.value(cleaned)
    assert found["without_dust"] != found["objective"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", list(PROBLEMS))
def test_starts_are_those_of_gradient_training(name):
    problem = PROBLEMS[name]
    still = GradientDescent("sgd", learning_rate=1e-14, max_epochs=1)
    for seed in range(3):
        model = problem.estimator(solver=still, random_state=seed).fit(problem.X, problem.y)
        np.testing.assert_allclose(model.coef_.T, problem.start(seed), atol=1e-10)
        # Mutant: the start of another seed.
        assert np.abs(model.coef_.T - problem.start(seed + 1)).max() > 0.1


def test_gradient_rows_are_fits_of_that_seed(small):
    problem, done = small
    table = done.table.set_index(["method", "start"])
    for method, strategy in REMOVALS.items():
        solver = GradientDescent(max_epochs=200, learning_rate=0.05, removal=strategy)
        model = problem.estimator(solver=solver, random_state=1).fit(problem.X, problem.y)
        row, W = table.loc[method, 1], model.coef_.T
        assert row["reported"] * problem.scale == pytest.approx(model.objective_, rel=1e-12)
        assert row["objective"] * problem.scale == pytest.approx(slow_value(problem, W), rel=1e-7)
        assert row["loss"] * problem.scale == pytest.approx(slow_loss(problem, W), rel=1e-7)
        assert row["n_features"] == (np.abs(W).max(axis=1) >= 1e-3).sum()


def test_what_training_reports_is_never_below_the_judge(small):
    trained = small[1].table[small[1].table["method"].isin(list(REMOVALS))]
    assert (trained["reported"] >= trained["objective"] * (1 - 1e-12)).all()
    # And it is another thing: switches and weights are not balanced.
    assert (trained["reported"] > 1.0001 * trained["objective"]).any()


def test_descents_end_where_descents_end(small):
    table = small[1].table
    descents = table[table["method"] == DESCENT]
    np.testing.assert_allclose(descents["settled"], descents["objective"], rtol=1e-6)
    np.testing.assert_array_equal(descents["reported"], descents["objective"])
    assert (table["settled"] <= table["objective"] * (1 + 1e-9)).all()


def test_exact_solver_is_no_worse_than_the_descent_it_is_given(small):
    table = small[1].table
    ends = table[table["method"] != COLD].pivot(index="start", columns="method", values="objective")
    assert (ends[EXACT] <= ends[DESCENT] * (1 + 1e-6)).all()
    assert (ends[EXACT] < ends[PLAIN]).all()


@pytest.fixture
def begun(monkeypatch):
    """Where the solver was told to begin, fit by fit."""
    starts = []

    def watched(*arguments, start, **options):
        starts.append(start)
        return solve_path(*arguments, start=start, **options)

    monkeypatch.setattr("shrinklin.problem.problem.solve_path", watched)
    return starts


def test_exact_solver_begins_at_what_it_is_given(begun):
    problem = PROBLEMS["completion"]
    W = problem.start(0)
    landscape.measured(problem, problem.objective(), EXACT, 0, W)
    np.testing.assert_array_equal(begun, [W])


def test_values_are_in_the_drafts_scale():
    """The loss is the squared error averaged over samples and targets."""
    problem = PROBLEMS["completion"]
    objective = problem.objective()
    W = landscape.settle(problem, objective, problem.start(0))
    row = landscape.measured(problem, objective, DESCENT, 0, W)
    errors = problem.y - problem.X @ W
    assert row["loss"] == pytest.approx(((errors - errors.mean(axis=0)) ** 2).mean())
    least = problem.y - LinearRegression().fit(problem.X, problem.y).predict(problem.X)
    assert row["loss"] >= (least**2).mean()


def test_a_job_depends_on_nothing_but_its_cells(small):
    problem, done = small
    job = Small().jobs(problem, True)[2]
    again = pd.DataFrame(Small().measure(job, problem))
    there = done.table[done.table["start"] == 2]
    np.testing.assert_allclose(again["objective"], there["objective"], rtol=1e-9)


def test_the_cold_search_is_a_fit_that_was_given_nothing(small):
    problem, done = small
    row = done.table[done.table["method"] == COLD].iloc[0]
    model = problem.estimator().fit(problem.X, problem.y)
    assert row["start"] == -1
    assert row["objective"] * problem.scale == pytest.approx(
        slow_value(problem, model.coef_.T), rel=1e-7
    )


def test_the_cold_search_sees_no_start(begun, monkeypatch):
    problem = PROBLEMS["completion"]

    def refused(self, seed):
        raise AssertionError(f"a start was drawn, of seed {seed}")

    monkeypatch.setattr(landscape.Problem, "start", refused)
    Landscape().measure(Landscape().jobs(problem, True)[-1], problem)
    assert begun == [None]


def test_settled_is_where_a_descent_from_the_end_of_training_goes(small):
    problem, done = small
    table = done.table.set_index(["method", "start"])
    solver = GradientDescent(max_epochs=200, learning_rate=0.05)
    model = problem.estimator(solver=solver, random_state=1).fit(problem.X, problem.y)
    W = landscape.settle(problem, problem.objective(), model.coef_.T)
    settled = table.loc[(PLAIN, 1), "settled"] * problem.scale
    assert settled == pytest.approx(slow_value(problem, W), rel=1e-7)


def test_standardised_data_and_the_drafts_penalty():
    problem = Landscape().load("digits-completion", True, None)
    assert problem.X.shape == (1797, 32)
    assert problem.y.shape == (1797, 32)
    np.testing.assert_allclose(problem.y.mean(axis=0), 0, atol=1e-12)
    assert problem.penalty == pytest.approx((0.1 * 16, 1e-8 * 16))
    assert problem.checksum is not None
    model = problem.estimator()
    assert isinstance(model, ShrinkNetRegressor)
    assert (model.alpha, model.weight_decay) == problem.penalty


@pytest.mark.parametrize(
    ("dataset", "quick", "shape", "epochs", "strength", "n_starts"),
    [
        ("digits-completion", True, (1797, 32), 3000, 0.1, 12),
        ("digits-completion", False, (1797, 32), 7000, 0.1, 100),
        ("wine", False, (178, 13), 7000, 0.05, 100),
        ("xor", True, (300, 6 + 15 + 20), 2000, 0.05, 12),
        ("xor", False, (1000, 10 + 45 + 120), 5000, 0.05, 100),
        ("xor-strong", False, (1000, 10 + 45 + 120), 5000, 0.1, 100),
    ],
)
def test_sizes(dataset, quick, shape, epochs, strength, n_starts):
    problem = Landscape().load(dataset, quick, None)
    assert problem.X.shape == shape
    assert problem.n_epochs == epochs
    *jobs, cold = Landscape().jobs(problem, quick)
    assert [[(cell["method"], cell["start"]) for cell in job] for job in jobs] == [
        [(method, start) for method in METHODS] for start in range(n_starts)
    ]
    assert [(cell["method"], cell["start"]) for cell in cold] == [(COLD, -1)]
    decay = 1e-8 if problem.regression else pytest.approx(4 * strength / 27)
    for cell in [cell for job in [*jobs, cold] for cell in job]:
        assert list(cell) == list(cold[0])
        assert (cell["lambda"], cell["epochs"], cell["learning_rate"]) == (strength, epochs, 0.05)
        assert cell["weight_decay"] == decay
    if not problem.regression:
        assert kappa(problem) == pytest.approx(strength)


def test_two_classes_have_one_target():
    assert landscape.xor_problem(True, 0.1).n_targets == 1
    assert Landscape().load("wine", True, None).n_targets == 3


def test_training_is_as_long_as_the_cells_say(monkeypatch):
    epochs = []
    fit = ShrinkNetRegressor.fit

    def watched(self, *data):
        if isinstance(self.solver, GradientDescent):
            epochs.append((self.solver.max_epochs, self.solver.learning_rate))
        return fit(self, *data)

    monkeypatch.setattr(ShrinkNetRegressor, "fit", watched)
    problem = PROBLEMS["completion"]
    (job, *_) = Landscape().jobs(problem, True)
    Landscape().measure(job, problem)
    assert epochs == [(cell["epochs"], cell["learning_rate"]) for cell in job[: len(REMOVALS)]]


@pytest.mark.parametrize("change", [{"strength": 0.06}, {"weight_decay": 2e-4}, {"n_epochs": 201}])
def test_results_of_other_settings_are_refused(small, tmp_path, change):
    problem, done = small
    for file in done.files[0].parent.glob("*.csv"):
        shutil.copy(file, tmp_path)
        shutil.copy(file.with_suffix(".json"), tmp_path)

    class Other(Small):
        def load(self, dataset, quick, data_home):
            return replace(problem, **change)

    with pytest.raises(ValueError, match="does not have"):
        run(Other(), done.dataset, True, Place(tmp_path, quiet=True))


def test_run_summary_figure(small):
    done = small[1]
    assert len(done.table) == N_STARTS * len(METHODS) + 1
    assert {".csv", ".png", ".svg"} <= {file.suffix for file in done.files}
    assert list(done.summary.index) == [*METHODS, COLD]
    best = done.table[["objective", "settled"]].min().min()
    of_exact = done.table.loc[done.table["method"] == EXACT, "objective"]
    assert done.summary.loc[EXACT, "within 1 % of best"] == pytest.approx(
        np.mean(of_exact <= 1.01 * best), abs=1e-4
    )
    assert len(done.verdicts) == 4


# What no verdict is about is far from everything else, and of its own value a column.
FAR = {"objective": 30.0, "without_dust": 40.0, "reported": 50.0, "loss": 60.0}
NAMES = dict(zip(("plain", "change", "variance", "descent", "exact"), METHODS, strict=True))


def made_up(cold=1.0, settled=(), without_dust=(), **objective):
    """A table of those objectives, and of what is given of other columns.

    Columns that are not given differ; but all methods of which nothing is given settle, and
    exact ones end, at 1.
    """
    given = {"objective": objective, "settled": dict(settled), "without_dust": dict(without_dust)}
    n = max((len(v) for of in given.values() for v in of.values()), default=2)

    def row(name, start):
        end = {**FAR, "settled": 1.0, "n_features": 1}
        if name in ("descent", "exact"):
            end["objective"] = 1.0
        end |= {column: of[name][start] for column, of in given.items() if name in of}
        if name in ("descent", "exact"):
            end["settled"] = min(end["settled"], end["objective"])
        return {"method": NAMES[name], "start": start, **end}

    rows = [row(name, start) for start in range(n) for name in NAMES]
    last = {**FAR, "method": COLD, "start": -1, "objective": cold, "settled": cold}
    return pd.DataFrame([*rows, {**last, "n_features": 1}])


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"descent": [1, 1.5, 2.0]}, Outcome.CONFIRMED),
        ({"descent": [1, 1.5, 1.9]}, Outcome.CONDITIONAL),
        ({"descent": [1, 1.11]}, Outcome.CONDITIONAL),
        # Not the same, and far from much smaller.
        ({"descent": [1, 1.09]}, Outcome.NOT_CONFIRMED),
        ({"settled": {"plain": [1, 2.0]}}, Outcome.CONFIRMED),
        ({"settled": {"plain": [1, 1.11]}}, Outcome.CONDITIONAL),
        # Descents from the starts end in one place, those from trained ones in another.
        ({"settled": {"plain": [1.11, 1.11]}}, Outcome.CONDITIONAL),
        # Training that has not converged says nothing, however it scatters.
        ({"plain": [1, 5]}, Outcome.NOT_CONFIRMED),
        # Of other methods nothing is asked.
        ({"exact": [1, 5], "change": [1, 5]}, Outcome.NOT_CONFIRMED),
        ({"settled": {"change": [1, 5]}}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_equivalence(values, outcome):
    assert landscape.not_equivalent(made_up(**values)).outcome is outcome


def test_text_on_equivalence_tells_the_three_apart():
    table = made_up(plain=[3.0, 5.0], descent=[1.1, 1.2], settled={"plain": [1.3, 1.4]})
    figures = landscape.not_equivalent(table).figures
    assert "1.1 to 1.2 from the starts" in figures
    assert f"1.3 to 1.4 from where {PLAIN} ended" in figures
    assert "training itself ended at 3 to 5" in figures


@pytest.mark.parametrize(
    ("plain", "settled", "outcome", "short"),
    [
        ([1.02] * 9 + [1.0], [1.02] * 9 + [1.0], Outcome.CONFIRMED, False),
        # Unfinished, in the basin of the best.
        ([1.3] * 10, [1.0] * 10, Outcome.CONDITIONAL, True),
        ([1.3] * 10, [1.02] * 8 + [1.0] * 2, Outcome.CONDITIONAL, True),
        ([1.3] * 10, [1.02] * 9 + [1.0], Outcome.CONFIRMED, False),
        ([1.02] * 8 + [1.0] * 2, [1.02] * 8 + [1.0] * 2, Outcome.CONDITIONAL, False),
        ([1.02] * 5 + [1.009] * 5, [1.0] * 10, Outcome.CONDITIONAL, False),
        ([1.02] * 4 + [1.009] * 6, [1.0] * 10, Outcome.NOT_CONFIRMED, False),
        ([1.009] * 10, [1.0] * 10, Outcome.NOT_CONFIRMED, False),
    ],
)
def test_verdict_on_finding_the_best(plain, settled, outcome, short):
    verdict = landscape.seldom_found(made_up(plain=plain, settled={"plain": settled}))
    assert verdict.outcome is outcome
    assert ("stops short of a minimum in whose basin it is" in verdict.figures) is short


def test_the_best_is_the_best_of_all_methods():
    """Mutant: the best of each method, which each would find."""
    plain = {"plain": [2.0] * 10, "settled": {"plain": [2.0] * 10}}
    assert landscape.seldom_found(made_up(**plain)).outcome is Outcome.CONFIRMED
    # Known by a descent from where removal ended, and by nothing else.
    found = {"plain": [1.0] * 10, "settled": {"plain": [1.0] * 10, "change": [0.5] * 10}}
    assert landscape.seldom_found(made_up(**found)).outcome is Outcome.CONFIRMED


@pytest.mark.parametrize(
    "where",
    [
        lambda low: {"descent": low},
        lambda low: {"exact": low},
        lambda low: {"settled": {"plain": low}},
        lambda low: {"settled": {"variance": low}},
    ],
)
@pytest.mark.parametrize(
    ("low", "outcome"),
    [
        (0.9991, Outcome.CONFIRMED),
        (0.998, Outcome.CONDITIONAL),
        (0.98, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_starts_and_the_exact_solver(where, low, outcome):
    assert landscape.no_lower(made_up(**where([1.0, low]))).outcome is outcome


def test_starts_that_lead_higher_speak_for_the_exact_solver():
    high = {"exact": [2.0, 3.0], "descent": [2.0, 3.0]}
    high["settled"] = {name: [2.0, 3.0] for name in ("plain", "change", "variance")}
    assert landscape.no_lower(made_up(**high)).outcome is Outcome.CONFIRMED
    # And it is the cold search that is judged, not the best of all.
    assert landscape.no_lower(made_up(cold=1.1)).outcome is Outcome.NOT_CONFIRMED


NOISE = np.random.default_rng(0).uniform(0, 0.1, 20)
DEEPER, SAME = list(1.5 + NOISE), list(2 + NOISE[::-1])


LOWER, EQUAL, HIGHER = DEEPER, SAME, [3.0] * 20
TINY = list(2 + NOISE - 1e-6)
ONE = [0.1, *(2 + NOISE[1:])]


@pytest.mark.parametrize(
    ("change", "variance", "outcome"),
    [
        (LOWER, LOWER, Outcome.CONFIRMED),
        (LOWER, EQUAL, Outcome.CONDITIONAL),
        (EQUAL, EQUAL, Outcome.NOT_CONFIRMED),
        # Shallower is not deeper, however significant.
        (HIGHER, HIGHER, Outcome.NOT_CONFIRMED),
        # Always lower, by next to nothing.
        (TINY, TINY, Outcome.NOT_CONFIRMED),
        # Lower on average because of one start.
        (ONE, ONE, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_removal(change, variance, outcome):
    values = {"plain": list(2 + NOISE), "change": change, "variance": variance}
    table = made_up(without_dust=values, settled=values)
    verdict = landscape.removal(table.sample(frac=1, random_state=0))
    assert verdict.outcome is outcome
    assert all(method in verdict.figures for method in EARLY)
    assert "same 20 starts" in verdict.figures


def test_removal_has_to_lead_lower_before_and_after_the_descent():
    """Mutants: judged by one of the two, or by the objective with its dust."""
    same = {"plain": list(2 + NOISE), "change": EQUAL, "variance": EQUAL}
    lower = {**same, "change": LOWER, "variance": LOWER}
    for columns in (
        {"without_dust": lower, "settled": same},
        {"without_dust": same, "settled": lower},
        {**lower, "without_dust": same, "settled": same},
    ):
        verdict = landscape.removal(made_up(**columns))
        assert verdict.outcome is Outcome.NOT_CONFIRMED
    verdict = landscape.removal(made_up(**same, without_dust=lower, settled=lower))
    assert verdict.outcome is Outcome.CONFIRMED


def test_comparison_is_paired():
    """Mutant: a test that forgets which start a value is of."""
    baseline = pd.Series(np.linspace(1, 100, 20))
    change, p = landscape.compare(baseline - 0.5 - NOISE, baseline)
    assert change == pytest.approx(-(0.5 + NOISE.mean()) / baseline.mean())
    assert p < 0.001
    assert p == wilcoxon(-0.5 - NOISE, method="approx").pvalue
    assert landscape.compare(baseline, baseline) == (0.0, 1.0)
