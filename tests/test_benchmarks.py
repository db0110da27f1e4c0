"""The judge of the benchmarks against scikit-learn and cvxpy, and what it must not let pass."""

import importlib
from dataclasses import astuple
from pathlib import Path

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import MultiTaskLasso

from benchmarks import judge as judging
from benchmarks import report
from benchmarks.fista import fista_path, smooth_of
from benchmarks.judge import Judge, bridge_prox
from shrinklin import ShrinkNetRegressor, regularization_path

pytestmark = pytest.mark.untraced

BENCHMARKS = Path(judging.__file__).parent
LOSSES = ["squared", "multinomial", "logistic"]


def data(loss, shape=(40, 8), seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape)
    Z = X[:, :3] @ rng.normal(size=(3, 3)) + 0.5 * rng.normal(size=(shape[0], 3))
    if loss == "squared":
        return X, Z
    if loss == "multinomial":
        return X, np.eye(3)[Z.argmax(axis=1)]
    return X, (Z[:, :1] > 0).astype(float)


def value_by_loops(X, Y, loss, W, alpha):
    """F(W), row by row."""
    total = 0.0
    for x, y in zip(X, Y, strict=True):
        z = x @ W
        if loss == "squared":
            total += 0.5 * ((y - z) ** 2).sum()
        elif loss == "multinomial":
            total += np.log(np.exp(z).sum()) - y @ z
        else:
            total += np.log(1 + np.exp(z[0])) - y[0] * z[0]
    return total / len(X) + alpha * np.linalg.norm(W, axis=1).sum()


def minimum(X, Y, loss, alpha):
    """By cvxpy."""
    W = cp.Variable((X.shape[1], Y.shape[1]))
    Z = X @ W
    losses = {
        "squared": lambda: cp.sum_squares(Y - Z) / 2,
        "multinomial": lambda: cp.sum(cp.log_sum_exp(Z, axis=1)) - cp.sum(cp.multiply(Y, Z)),
        "logistic": lambda: cp.sum(cp.logistic(Z)) - cp.sum(cp.multiply(Y, Z)),
    }
    objective = losses[loss]() / len(X) + alpha * cp.sum(cp.norm(W, 2, axis=1))
    return cp.Problem(cp.Minimize(objective)).solve(solver=cp.CLARABEL)


def rough_points(judge, alpha):
    """Points at all distances from the minimum."""
    X, Y = judge.X, judge.Y
    smooth = smooth_of(X, Y, judge.loss)
    for tol in (1, 1e-1, 1e-2, 1e-4, 1e-7):
        W = next(iter(fista_path(smooth, [alpha], tol)))
        yield W
        yield W + 0.01 * np.random.default_rng(0).normal(size=W.shape)


def gaps_and_excesses(judge_class, loss):
    X, Y = data(loss)
    judge = judge_class(X, Y, loss)
    alpha = 0.1 * judge.alpha_max
    least = minimum(X, Y, loss, alpha)
    rows = []
    for W in rough_points(judge, alpha):
        grade = judge.grade([W], [alpha])
        value = value_by_loops(X, Y, loss, W, alpha)
        assert grade.objective == pytest.approx(value, rel=1e-12)
        rows.append((grade.worst, (value - least) / judge.value_at_zero))
    return np.transpose(rows)


@pytest.mark.parametrize("loss", LOSSES)
def test_gap_bounds_the_excess_and_vanishes_with_it(loss):
    gaps, excesses = gaps_and_excesses(Judge, loss)
    assert (gaps >= excesses - 1e-8).all()
    assert gaps.min() <= 1e-6


class Unscaled(Judge):
    """Takes the residual for a dual point as it is."""

    def _gap(self, solution, Z, C, alpha):
        loss, _ = self._loss_and_mixing(solution, Z, C, 1.0)
        penalty = alpha * solution.norms.sum()
        gap = penalty - np.sum(solution.rows * C[solution.support])
        return gap / self.value_at_zero, loss + penalty


@pytest.mark.parametrize("loss", LOSSES)
def test_an_unscaled_residual_bounds_nothing(loss):
    gaps, excesses = gaps_and_excesses(Unscaled, loss)
    assert (gaps < excesses - 1e-4).any()


@pytest.mark.parametrize("shape", [(40, 8), (20, 30)])
@pytest.mark.parametrize("tol", [0.3, 1e-3, 1e-6])
def test_gap_is_that_of_scikit_learn(shape, tol):
    X, Y = data("squared", shape)
    judge = Judge(X, Y)
    alpha = 0.1 * judge.alpha_max
    model = MultiTaskLasso(alpha=alpha, tol=tol, fit_intercept=False).fit(X, Y)
    grade = judge.grade([model.coef_.T], [alpha])
    assert grade.worst * judge.value_at_zero == pytest.approx(model.dual_gap_, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_sparse_data_are_graded_alike(loss):
    X, Y = data(loss, (40, 60))
    X[np.abs(X) < 1] = 0
    dense, same = Judge(X, Y, loss), Judge(sparse.csr_matrix(X), Y, loss)
    alphas = dense.alphas(3, 0.1)
    path = list(fista_path(smooth_of(X, Y, loss), alphas, 1e-3))
    grades = [astuple(judge.grade(path, alphas)) for judge in (dense, same)]
    assert grades[0] == pytest.approx(grades[1])


class Forgetful(Judge):
    """Does not look at the last alpha of each product."""

    def _measure(self, solutions, alphas):
        measured = super()._measure(solutions, alphas)
        return [*measured[:-1], measured[0]]


def grades_of_flawed_paths(judge_class):
    """Of a good path, and of that path with one alpha after another made worse."""
    judge = judge_class(*data("squared"))
    alphas = judge.alphas(30, 1e-2)  # more than are multiplied at once
    path = list(fista_path(smooth_of(judge.X, judge.Y, "squared"), alphas, 1e-8))
    flawed = [[*path[:i], 1.1 * path[i], *path[i + 1 :]] for i in range(1, 30)]
    return judge.grade(path, alphas), [judge.grade(path, alphas) for path in flawed]


def test_of_a_path_the_worst_counts():
    good, flawed = grades_of_flawed_paths(Judge)
    assert good.worst <= 1e-8
    assert good.finished == 30
    assert good.rows == 8
    assert min(grade.worst for grade in flawed) > 1e-5
    assert min(grade.objective for grade in flawed) > good.objective


def test_a_judge_that_drops_an_alpha_lets_a_flaw_pass():
    _, flawed = grades_of_flawed_paths(Forgetful)
    assert min(grade.worst for grade in flawed) <= 1e-8


def test_zero_is_right_at_the_largest_alpha_alone():
    judge = Judge(*data("squared"))
    alphas, zero = judge.alphas(2, 0.1), np.zeros((8, 3))
    assert judge.grade([zero], alphas[:1]).worst == pytest.approx(0, abs=1e-14)
    assert judge.grade([zero, zero], alphas).worst > 0.1
    assert judge.grade([zero, zero], alphas).rows == 0


@pytest.mark.parametrize("penalty", judging.PENALTIES)
@pytest.mark.parametrize("flaw", ["short", "nan", "inf", "empty", "one of many"])
def test_what_is_missing_is_infinitely_bad(penalty, flaw):
    judge = Judge(*data("squared"), penalty=penalty)
    alphas = judge.alphas(25, 0.1)
    path = [np.zeros((8, 3)) for _ in alphas]
    if flaw in ("short", "empty"):
        path = path[: -1 if flaw == "short" else 0]
    else:
        path[-2 if flaw == "one of many" else -1][3, 1] = np.inf if flaw == "inf" else np.nan
    grade = judge.grade(path, alphas)
    assert grade.worst == np.inf
    assert np.isnan(grade.objective)
    assert grade.finished == (0 if flaw == "empty" else 24)
    assert np.isnan(grade.rows) == (flaw != "one of many")


def test_wrong_questions_are_refused():
    judge = Judge(*data("squared"))
    with pytest.raises(ValueError, match=r"shape \(3, 8\).*\(8, 3\)"):
        judge.grade([np.zeros((3, 8))], [1.0])
    with pytest.raises(ValueError, match="2 solutions for 1 alphas"):
        judge.grade([np.zeros((8, 3))] * 2, [1.0])
    with pytest.raises(ValueError, match="penalty='l1'"):
        Judge(*data("squared"), penalty="l1")


def test_bridge_prox_is_a_global_minimum():
    rng = np.random.default_rng(0)
    Z, steps = rng.normal(size=(200, 3)), rng.uniform(0.01, 1, size=200)
    norms = np.linalg.norm(Z, axis=1)
    radii = np.linalg.norm(bridge_prox(Z, steps), axis=1)
    grid = np.linspace(0, 1, 2001)[:, None] * norms
    values = 0.5 * (grid - norms) ** 2 + steps * grid ** (2 / 3)
    ours = 0.5 * (radii - norms) ** 2 + steps * radii ** (2 / 3)
    assert (ours <= values.min(axis=0) + 1e-12).all()
    assert (radii == 0).any()
    assert (radii > 0).any()


@pytest.mark.parametrize("seed", range(5))
def test_shrinknet_is_graded_by_its_prox_residual(seed):
    judge = Judge(*data("squared", seed=seed), penalty="bridge")
    alphas = judge.alphas(5, 0.1)
    model = ShrinkNetRegressor(fit_intercept=False, tol=1e-9)
    path = regularization_path(model, judge.X, judge.Y, alphas=alphas)
    solutions = list(path.coefs.transpose(0, 2, 1))
    grade = judge.grade(solutions, alphas)
    assert grade.worst <= 1e-8
    assert grade.objective == pytest.approx(path.objectives.mean())
    # Zero at the largest alpha is on the edge, and right; a little away nothing is.
    moved = [W + 1e-3 * (W != 0) for W in solutions]
    assert judge.grade(moved, alphas).worst > 1e-4


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(40, 8), (20, 30)])
def test_fista_reaches_the_minimum(loss, shape):
    X, Y = data(loss, shape)
    judge = Judge(X, Y, loss)
    alphas = judge.alphas(3, 0.1)
    for route in (X, sparse.csr_matrix(X)):
        path = list(fista_path(smooth_of(route, Y, loss), alphas, 1e-9))
        assert judge.grade(path, alphas).worst <= 2e-9
    least = minimum(X, Y, loss, alphas[-1])
    assert value_by_loops(X, Y, loss, path[-1], alphas[-1]) == pytest.approx(least, rel=1e-6)


def runs_of_benchopt():
    """What benchopt writes of two solvers, one of which is not in time on one workload."""
    rows = [
        ("a", "shrinklin", 1e-3, 2.0, 1e-5),
        ("a", "shrinklin", 1e-4, 3.0, 1e-9),
        ("a", "peer[solver=saga]", 1e-3, 5.0, 1e-3),
        ("a", "peer[solver=saga]", 1e-4, 6.0, 1e-5),
        ("b", "shrinklin", 1e-3, 1.0, 1e-9),
        ("b", "peer[solver=saga]", 1e-3, 60.0, np.inf),
    ]
    names = ["objective_workload", "solver_name", "stop_val", "time", "objective_worst"]
    runs = pd.DataFrame(rows, columns=names)
    rest = {"objective": 1.0, "rows": 3, "finished": 5, "n_alphas": 5, "jit_seconds": 0.5}
    runs = runs.assign(**{f"objective_{name}": value for name, value in rest.items()})
    stopped = np.where(np.isinf(runs["objective_worst"]), "stopped after 60 s", "")
    return runs.assign(objective_floor_seconds=0.1, objective_note=stopped)


def test_report_compares_and_hides_nothing(tmp_path):
    runs_of_benchopt().to_parquet(tmp_path / "runs.parquet")
    runs = report.read([tmp_path / "runs.parquet"], {"celer": "no wheel"})
    table = report.compare(runs).set_index(["workload", "solver"])
    assert table.loc[("a", "peer, saga"), "1e-04"] == "6 s (3 ×)"
    assert table.loc[("a", "peer, saga"), "1e-06"] == "–"
    assert table.loc[("a", report.FLOOR), "1e-04"] == "0.05 ×"
    assert table.loc[("b", "peer, saga"), "note"] == "stopped after 60 s, 5 of 5 alphas"
    assert table.loc[("all", "celer"), "note"] == "not installed: no wheel"
    assert "not installed: no wheel" in report.markdown(table.reset_index())
    report.draw(runs, tmp_path / "peers.png")
    assert (tmp_path / "peers.svg").stat().st_size > 1000


def test_a_peer_that_is_not_there_is_told_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "no-peer.log").write_text("Collecting no-peer\nERROR: No matching distribution\n")
    peers = {"no-peer": "no_peer", "other": "other", "scikit-learn": "sklearn", "scipy": "no_scipy"}
    monkeypatch.setattr(report, "PEERS", peers)
    assert report.not_installed(tmp_path) == {
        "no-peer": "ERROR: No matching distribution",
        "other": "pip was not run",
        "scipy": "ModuleNotFoundError: No module named 'no_scipy'",
    }


def solvers():
    return sorted(path.stem for path in (BENCHMARKS / "solvers").glob("*.py"))


# What to ask of those whose tolerance means something else than 1e-9.
TOLERANCES = {"adelie_grpnet": 1e-16, "group_lasso_fista": 1e-6}


@pytest.mark.parametrize("name", solvers())
def test_every_solver_solves_the_same_problem(name):
    """Needs benchopt and the peers, which `.venv-bench` has (`make bench-quick`), and pytest."""
    pytest.importorskip("benchopt", reason="benchopt is not in the extra `test`")
    try:
        solver_class = importlib.import_module(f"benchmarks.solvers.{name}").Solver
    except ImportError as error:
        pytest.skip(f"a peer is not installed: {error}")
    for loss in solver_class.losses:
        X, Y = data(loss)
        judge = Judge(X, Y, loss, solver_class.penalties[0])
        alphas = judge.alphas(4, 0.1)
        solver = solver_class.get_instance()
        solver.set_objective(X, np.asfortranarray(X), Y, alphas, loss, judge.penalty, limit=30)
        solver.run(TOLERANCES.get(name, 1e-9))
        result = solver.get_result()
        assert result["note"] == ""
        assert judge.grade(result["path"], alphas).worst <= 1e-3
