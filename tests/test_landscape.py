"""Values that random starts lead to: the judge, the starts, and the verdicts."""

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
from experiments.landscape import DESCENT, EARLY, EXACT, METHODS, PLAIN, REMOVALS, Landscape
from experiments.run import Place, run
from shrinklin import GradientDescent, ShrinkNetRegressor

N_STARTS = 3


def completion():
    """32 pixels to 3, few images and few epochs."""
    images = load_digits().data[:200]
    images = images[:, images.std(axis=0) > 0]
    images = (images - images.mean(axis=0)) / images.std(axis=0)
    penalty = 0.05 * 1.5, 1e-4 * 1.5
    return landscape.Problem(images[:, :20], images[:, -3:], "regression", 200, penalty)


def parity():
    problem = landscape.xor_problem(True, 0.05)
    penalty = landscape.logistic_penalty(0.05)
    return landscape.Problem(problem.X[:150], problem.y[:150], "classification", 200, penalty)


PROBLEMS = {"completion": completion(), "parity": parity()}


class Small(Landscape):
    def load(self, dataset, quick, data_home):
        return PROBLEMS[dataset]

    def jobs(self, data, quick):
        return super().jobs(data, quick)[:N_STARTS]


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
    if problem.task == "regression":
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
    ends = small[1].table.pivot(index="start", columns="method", values="objective")
    assert (ends[EXACT] <= ends[DESCENT] * (1 + 1e-6)).all()
    assert (ends[EXACT] < ends[PLAIN]).all()


def test_exact_solver_begins_at_what_it_is_given(monkeypatch):
    problem, begun = PROBLEMS["completion"], []
    start = ShrinkNetRegressor._start

    def watched(*arguments):
        begun.append(start(*arguments))
        return begun[-1]

    monkeypatch.setattr(ShrinkNetRegressor, "_start", watched)
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


def test_sizes():
    problem = Landscape().load("xor-strong", False, None)
    assert problem.X.shape == (1000, 10 + 45 + 120)
    assert problem.penalty[0] == 0.1
    assert kappa(problem) == pytest.approx(0.1)
    assert landscape.xor_problem(True, 0.1).n_targets == 1
    jobs = Landscape().jobs(problem, quick=False)
    assert len(jobs) == 100
    assert all([cell["method"] for cell in job] == METHODS for job in jobs)


def test_run_summary_figure(small):
    done = small[1]
    assert len(done.table) == N_STARTS * len(METHODS)
    assert {".csv", ".png", ".svg"} <= {file.suffix for file in done.files}
    assert list(done.summary.index) == METHODS
    best = done.table["objective"].min()
    of_exact = done.table.loc[done.table["method"] == EXACT, "objective"]
    assert done.summary.loc[EXACT, "within 1 % of best"] == pytest.approx(
        np.mean(of_exact <= 1.01 * best), abs=1e-4
    )
    assert len(done.verdicts) == 4


def made_up(**values):
    """A table of those objectives; the methods that are not given reach 1 from all starts."""
    names = dict(zip(("plain", "change", "variance", "descent", "exact"), METHODS, strict=True))
    n = max(map(len, values.values()))
    return pd.DataFrame(
        [
            {
                "method": method,
                "start": start,
                **dict.fromkeys(
                    ("objective", "without_dust", "reported", "loss", "settled"), value
                ),
                "n_features": 1,
            }
            for name, method in names.items()
            for start, value in enumerate(values.get(name, [1.0] * n))
        ]
    )


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"descent": [1, 1.5, 2.0]}, Outcome.CONFIRMED),
        ({"descent": [1, 1.5, 1.9]}, Outcome.CONDITIONAL),
        ({"descent": [1, 1.02]}, Outcome.CONDITIONAL),
        ({"plain": [1, 5], "descent": [1, 1]}, Outcome.CONDITIONAL),
        ({"plain": [1, 1.009], "descent": [1, 1.009]}, Outcome.NOT_CONFIRMED),
        # Of other methods nothing is asked.
        ({"exact": [1, 5], "change": [1, 5]}, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_equivalence(values, outcome):
    assert landscape.not_equivalent(made_up(**values)).outcome is outcome


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [
        ([1.02] * 9 + [1.0], Outcome.CONFIRMED),
        ([1.02] * 8 + [1.0] * 2, Outcome.CONDITIONAL),
        ([1.02] * 1 + [1.009] * 9, Outcome.CONDITIONAL),
        ([1.009] * 10, Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_finding_the_best(plain, outcome):
    assert landscape.seldom_found(made_up(plain=plain)).outcome is outcome


def test_the_best_is_the_best_of_all_methods():
    """Mutant: the best of each method, which each would find."""
    table = made_up(plain=[2.0] * 10, exact=[1.0] * 10)
    assert landscape.seldom_found(table).outcome is Outcome.CONFIRMED
    assert landscape.always_found(made_up(exact=[2.0] * 10)).outcome is Outcome.NOT_CONFIRMED


@pytest.mark.parametrize(
    ("exact", "outcome"),
    [
        ([1.0, 1.0009], Outcome.CONFIRMED),
        ([1.0, 1.002], Outcome.CONDITIONAL),
        ([1.0, 1.02], Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_the_exact_solver(exact, outcome):
    assert landscape.always_found(made_up(exact=exact)).outcome is outcome


NOISE = np.random.default_rng(0).uniform(0, 0.1, 20)
DEEPER, SAME = list(1.5 + NOISE), list(2 + NOISE[::-1])


@pytest.mark.parametrize(
    ("change", "variance", "outcome"),
    [
        (DEEPER, DEEPER, Outcome.CONFIRMED),
        (DEEPER, SAME, Outcome.CONDITIONAL),
        (SAME, SAME, Outcome.NOT_CONFIRMED),
        # Shallower is not deeper, however significant.
        ([3.0] * 20, [3.0] * 20, Outcome.NOT_CONFIRMED),
        # Always lower, by next to nothing.
        (list(2 + NOISE - 1e-6), list(2 + NOISE - 1e-6), Outcome.NOT_CONFIRMED),
        # Lower on average because of one start.
        ([0.1, *(2 + NOISE[1:])], [0.1, *(2 + NOISE[1:])], Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_removal(change, variance, outcome):
    table = made_up(plain=list(2 + NOISE), change=change, variance=variance)
    verdict = landscape.removal(table.sample(frac=1, random_state=0))
    assert verdict.outcome is outcome
    assert all(method in verdict.figures for method in EARLY)


def test_comparison_is_paired():
    """Mutant: a test that forgets which start a value is of."""
    baseline = pd.Series(np.linspace(1, 100, 20))
    change, p = landscape.compare(baseline - 0.5 - NOISE, baseline)
    assert change == pytest.approx(-(0.5 + NOISE.mean()) / baseline.mean())
    assert p < 0.001
    assert p == wilcoxon(-0.5 - NOISE, method="approx").pvalue
    assert landscape.compare(baseline, baseline) == (0.0, 1.0)
