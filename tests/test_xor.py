"""XOR by products of features: screening against the slow obvious way, and the verdicts."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from datasets import make_xor
from experiments import xor
from experiments.experiment import Outcome
from experiments.run import Place, run
from experiments.xor import (
    AUC,
    LOG_LOSS,
    OURS,
    OURS_BY_LOSS,
    PAPER,
    PROTOTYPE,
    RAW,
    SPARSE,
    ScreenedInteractions,
    Xor,
)
from shrinklin import GroupLassoClassifier, ShrinkNetClassifier

pytestmark = pytest.mark.untraced

LASSO_BY_LOSS = "group lasso, α by log-loss"
SMALL = {(2, 4): (60, 80), (3, 5): (60, 80)}
SETTINGS = {"n_keep": 12, "folds": 2, "n_alphas": 4, "highest": 0.8, "lowest": 0.01}


def all_products(X, degree):
    return PolynomialFeatures(degree, interaction_only=True, include_bias=False).fit(X)


def slow_scores(X, y, degree):
    """max over classes of |correlation| of every product, by numpy.corrcoef."""
    columns = all_products(X, degree).transform(X).T
    indicators = [(y == label).astype(float) for label in np.unique(y)]
    return np.array(
        [max(abs(np.corrcoef(c, indicator)[0, 1]) for indicator in indicators) for c in columns]
    )


def slow_screening(X, y, degree, n_keep):
    """Columns of PolynomialFeatures that are kept, and their scores."""
    scores = slow_scores(X, y, degree)
    kept = np.sort(np.argsort(-scores, kind="stable")[:n_keep])
    return kept, scores[kept]


def problem(name, seed=0):
    if name == "three classes":
        wine = load_wine()
        return wine.data[:, :7], wine.target_names[wine.target]
    X, y = make_xor(80, 7, 3, random_state=seed)
    return (X + 3 if name == "far from 0" else X), y


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["xor", "far from 0", "three classes"])
@pytest.mark.parametrize("block", [1, 5, 1000])
def test_screening_is_that_of_all_products(name, degree, block):
    X, y = problem(name)
    n_keep = 6
    kept, scores = slow_screening(X, y, degree, n_keep)
    fitted = ScreenedInteractions(degree, n_keep, block).fit(X, y)
    whole = all_products(X, degree)
    # To the bit, and with the same names in the same order.
    np.testing.assert_array_equal(fitted.transform(X), whole.transform(X)[:, kept])
    np.testing.assert_array_equal(
        fitted.get_feature_names_out(), whole.get_feature_names_out()[kept]
    )
    np.testing.assert_allclose(fitted.scores_, scores, rtol=1e-9)


def test_screening_keeps_all_where_there_are_fewer_and_is_not_all_the_same():
    X, y = problem("xor")
    fitted = ScreenedInteractions(2, 1000).fit(X, y)
    assert len(fitted.interactions_) == 7 + 21
    assert len(set(fitted.interactions_)) == 28
    np.testing.assert_array_equal(fitted.transform(X), all_products(X, 2).transform(X))


def test_names_follow_those_of_the_columns():
    X, y = problem("xor")
    names = list("abcdefg")
    frame = pd.DataFrame(X, columns=names)
    fitted = ScreenedInteractions(3, 5).fit(frame, y)
    by_hand = [" ".join(names[j] for j in product) for product in fitted.interactions_]
    assert list(fitted.get_feature_names_out()) == by_hand
    assert list(fitted.set_output(transform="pandas").transform(frame)) == by_hand
    with pytest.raises(ValueError, match="2 names"):
        fitted.get_feature_names_out(["u", "v"])


def test_a_constant_product_scores_nothing():
    X, y = problem("xor")
    X[:, 0] = 0.1 + 0.2
    fitted = ScreenedInteractions(2, 1000).fit(X, y)
    assert fitted.scores_[fitted.interactions_.index((0,))] == 0
    assert np.isfinite(fitted.scores_).all()
    assert fitted.scores_.max() <= 1


# Mutants: the wrong scores that the comparison with corrcoef would let through if it were
# only on data of mean 0, of two classes, or of one block.
@pytest.mark.parametrize("name", ["far from 0", "three classes"])
def test_scores_without_centring_would_be_noticed(name, monkeypatch):
    def uncentred(stems, X, Y):
        square = (stems**2).T @ X**2
        return np.abs([(stems * y[:, None]).T @ X for y in Y.T]).max(axis=0) / np.sqrt(
            square * len(X)
        )

    monkeypatch.setattr(xor, "_scores", uncentred)
    X, y = problem(name)
    found = ScreenedInteractions(2, 1000).fit(X, y).scores_
    assert not np.allclose(found, slow_scores(X, y, 2), rtol=1e-3)


@pytest.mark.parametrize("name", ["degree", "n_keep", "block"])
def test_parameters_below_one_are_refused(name):
    X, y = problem("xor")
    with pytest.raises(ValueError, match=f"{name}=0"):
        ScreenedInteractions(**{name: 0}).fit(X, y)


@parametrize_with_checks([ScreenedInteractions(degree=2, n_keep=5)])
def test_scikit_learn_compatible(estimator, check):
    check(estimator)


def test_memory_does_not_hold_the_products():
    X, y = make_xor(3000, 30, 4, random_state=0)
    n_products = len(all_products(X, 4).powers_)
    tracemalloc.start()
    try:
        fitted = ScreenedInteractions(4, 200).fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_products == 31_930
    assert n_products * len(X) * 8 > 760e6
    assert peak < 50e6
    assert (0, 1, 2, 3) in fitted.interactions_


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run of small problems, its figures and table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xor, "PAPER", SMALL)
        patch.setattr(xor, "PROTOTYPE", dict.fromkeys(SMALL, 70))
        patch.setattr(Xor, "jobs", _small_jobs)
        place = Place(tmp_path_factory.mktemp("xor"), quiet=True)
        done = run(Xor(), "xor", True, place)
        return done, done.summary, done.verdicts


def a_cell(k, p, model=OURS, seed=0, **settings):
    return {"k": k, "p": p, "n": 150, "model": model, "seed": seed, **SETTINGS, **settings}


def _small_jobs(self, data, quick):
    return [
        [a_cell(k, p, model, seed) for model in (*SPARSE, RAW)]
        for k, p in SMALL
        for seed in ((0, 1) if k == 2 else (1,))
    ]


def train_and_test(cell):
    X, y = make_xor(2 * cell["n"], cell["p"], cell["k"], random_state=cell["seed"])
    n = cell["n"]
    return (X[:n], y[:n]), (X[n:], y[n:])


def slow_losses(cell, estimator, X, y, alphas):
    """Cross-validated log-loss of every alpha, a pipeline and a fit each."""
    folds = StratifiedKFold(cell["folds"], shuffle=True, random_state=cell["seed"])
    losses = []
    for inside, outside in folds.split(X, y):
        kept, _ = slow_screening(X[inside], y[inside], cell["k"], cell["n_keep"])
        columns = all_products(X, cell["k"]).transform(X)[:, kept]
        models = [make_pipeline(StandardScaler(), estimator(alpha)) for alpha in alphas]
        fitted = [model.fit(columns[inside], y[inside]) for model in models]
        losses.append([log_loss(y[outside], m.predict_proba(columns[outside])) for m in fitted])
    return np.mean(losses, axis=0)


@pytest.mark.parametrize("name", list(SPARSE))
def test_row_is_that_of_a_pipeline_written_out(small, name):
    table = small[0].table.set_index(["k", "p", "model", "seed"])
    for k, p in SMALL:
        row, (train, (X, y)) = table.loc[k, p, name, 1], train_and_test(a_cell(k, p, seed=1))
        kept, _ = slow_screening(*train, k, 12)
        expand = all_products(X, k).transform
        model = make_pipeline(StandardScaler(), SPARSE[name][0](row["alpha"]))
        model.fit(expand(train[0])[:, kept], train[1])
        columns = expand(X)[:, kept]
        auc = 100 * roc_auc_score(y, model.decision_function(columns))
        assert row["auc"] == pytest.approx(auc, abs=1e-6)
        assert row["log_loss"] == pytest.approx(log_loss(y, model.predict_proba(columns)))
        names = all_products(X, k).get_feature_names_out()[kept][model[-1].get_support()]
        assert row["kept"] == ", ".join(names)
        assert row["n_features"] == len(names)
        true = " ".join(f"x{j}" for j in range(k))
        assert bool(row["true_kept"]) == (true in names)
        assert bool(row["only_true"]) == (list(names) == [true])


def test_alpha_is_that_of_least_cross_validated_log_loss(small):
    """Group lasso, convex: a path and single fits agree."""
    table = small[0].table.set_index(["k", "p", "model", "seed"])
    places = set()
    for k, p in SMALL:
        cell = a_cell(k, p, LASSO_BY_LOSS, 1)
        row, (train, _) = table.loc[k, p, LASSO_BY_LOSS, 1], train_and_test(cell)
        kept, _ = slow_screening(*train, k, 12)
        Z = StandardScaler().fit_transform(all_products(train[0], k).transform(train[0])[:, kept])
        largest = np.abs(Z.T @ (train[1] - train[1].mean())).max() / len(Z)
        shares = 0.8 * (0.01 / 0.8) ** (np.arange(4) / 3)
        best = slow_losses(cell, GroupLassoClassifier, *train, largest * shares).argmin()
        assert row["alpha"] == pytest.approx(largest * shares[best], rel=1e-6)
        assert row["of_alpha_max"] == pytest.approx(shares[best])
        assert bool(row["at_edge"]) == (best in (0, 3))
        places.add(best)
    # Neither always the first, as a grid too low would make it.
    assert places != {0}


@pytest.mark.parametrize(("highest", "lowest"), [(0.9, 0.7), (1e-2, 1e-5)])
@pytest.mark.parametrize("name", [OURS_BY_LOSS, LASSO_BY_LOSS])
def test_an_edge_of_the_grid_is_told(name, highest, lowest):
    cell = a_cell(2, 4, name, highest=highest, lowest=lowest, n_alphas=3)
    train, test = train_and_test(cell)
    found = xor.of_products(cell, xor.Choices(cell, *train), train, test)
    # The weakest of a grid that is too strong, the strongest of one that is too weak.
    assert found["of_alpha_max"] == pytest.approx(lowest if highest == 0.9 else highest)
    assert found["at_edge"]


def test_alpha_max_is_where_a_product_can_enter():
    """Written out: the gradient at 0, and of ShrinkNet the jump of its prox as well."""
    cell = a_cell(2, 4)
    (X, y), _ = train_and_test(cell)
    Z = xor.pipeline(cell, None)[:-1].fit(X, y).transform(X)
    gradient = np.abs(Z.T @ (y - y.mean())) / len(Z)
    models = ShrinkNetClassifier, GroupLassoClassifier
    found = [xor.alpha_max(cell, model(), X, y) for model in models]
    # The second derivative of the log-loss is at most 1/4, and columns have mean square 1.
    bridge = 1.5 * 0.25 * (gradient.max() / (2 * 0.25)) ** (4 / 3)
    assert found == pytest.approx([bridge, gradient.max()], rel=1e-6)


def test_alpha_is_cross_validated_on_training_samples_alone():
    """Whatever the test samples are, alpha and what is kept are the same."""
    cell = a_cell(2, 4)
    train, test = train_and_test(cell)
    choices, other = xor.Choices(cell, *train), (test[0], 1 - test[1])
    found, turned = (xor.of_products(cell, choices, train, held) for held in (test, other))
    assert turned["auc"] == pytest.approx(100 - found["auc"])
    unseen = dict.fromkeys(("auc", "log_loss"), 0)
    assert {**turned, **unseen} == {**found, **unseen}


def test_folds_are_screened_and_scaled_by_the_part_that_is_trained_on():
    X, y = make_xor(90, 5, 2, random_state=0)
    cell = a_cell(2, 5, folds=3, n_keep=4)
    products = all_products(X, 2).transform(X)
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)
    screened = []
    for (inside, outside), (train, held_out) in zip(
        folds, xor.cross_validation(cell, X, y), strict=True
    ):
        kept, _ = slow_screening(X[inside], y[inside], 2, 4)
        scaler = StandardScaler().fit(products[inside][:, kept])
        for rows, (found, labels) in ((inside, train), (outside, held_out)):
            np.testing.assert_allclose(found, scaler.transform(products[rows][:, kept]))
            np.testing.assert_array_equal(labels, y[rows])
        screened.append(tuple(kept))
    # It matters: not all folds keep the same.
    assert len(set(screened)) > 1


def test_of_equally_good_alphas_the_largest_is_taken():
    X, y = make_xor(300, 4, 2, random_state=0)
    folds = [((X[:200], y[:200]), (X[200:], y[200:]))]
    # All leave the model empty.
    for scores in xor.held_out_scores(ShrinkNetClassifier(), folds, [9.0, 5.0, 3.0]).values():
        assert np.argmax(scores) == 0
        assert len(set(scores)) == 1


def test_scores_of_the_folds_are_those_of_single_fits():
    X, y = make_xor(300, 4, 2, random_state=0)
    products = all_products(X, 2).transform(X)
    parts = [(products[:150], y[:150]), (products[150:], y[150:])]
    alphas = [0.1, 0.01]
    found = xor.held_out_scores(GroupLassoClassifier(), [parts, parts[::-1]], alphas)
    for place, alpha in enumerate(alphas):
        fits = [
            (GroupLassoClassifier(alpha).fit(*train), held_out)
            for train, held_out in (parts, parts[::-1])
        ]
        areas = [roc_auc_score(y, model.decision_function(X)) for model, (X, y) in fits]
        assert found[AUC][place] == round(100 * np.mean(areas), 2)
        losses = [log_loss(y, model.predict_proba(X)) for model, (X, y) in fits]
        assert found[LOG_LOSS][place] == pytest.approx(-np.mean(losses), abs=1e-6)


def test_real_size_is_at_or_above_the_prototype():
    job = next(job for job in Xor().jobs(None, quick=False) if job[0]["k"] == 5)
    cells = job[:2]
    assert [cell["model"] for cell in cells] == [OURS, OURS_BY_LOSS]
    assert {(cell["p"], cell["n"], cell["seed"]) for cell in cells} == {(20, 3000, 0)}
    by_auc, by_loss = Xor().measure(cells, None)
    assert by_auc["auc"] >= by_loss["auc"] >= PROTOTYPE[5, 20] == 99.46
    assert by_auc["only_true"]
    assert by_loss["true_kept"]
    assert not by_loss["at_edge"]
    assert by_loss["log_loss"] < by_auc["log_loss"]


def test_run_summary_figure(small):
    done, summary, found = small
    assert len(done.table) == 3 * 5
    assert {".csv", ".png", ".svg"} <= {file.suffix for file in done.files}
    assert list(summary) == [f"k = {k}, p = {p}" for k, p in sorted(SMALL)]
    assert len(found) == 2
    assert done.table.loc[done.table["model"] == RAW, "auc"].between(25, 75).all()


def test_other_data_are_refused():
    with pytest.raises(ValueError, match="iris"):
        Xor().load("iris", True, None)


def test_sizes_are_those_of_the_paper():
    jobs = Xor().jobs(None, quick=False)
    assert len(jobs) == 30
    cells = [cell for job in jobs for cell in job]
    assert {(cell["k"], cell["p"]) for cell in cells} == set(PAPER)
    assert {cell["n"] for cell in cells} == {3000}
    assert len({tuple(cell.values()) for cell in cells}) == 150
    settings = {"n_keep": 200, "folds": 3, "n_alphas": 8, "highest": 0.9, "lowest": 1e-3}
    assert all(settings.items() <= cell.items() for cell in cells)


def test_quick_form_has_all_problems_and_its_own_settings_in_its_cells():
    cells = [cell for job in Xor().jobs(None, quick=True) for cell in job]
    assert {(cell["k"], cell["p"]) for cell in cells} == set(PAPER)
    assert all(list(cell) == list(a_cell(2, 4)) for cell in cells)
    assert {(cell["n"], cell["n_keep"], cell["folds"]) for cell in cells} == {(1500, 100, 2)}


def made_up(auc, kept=("true", "true"), others=(), edges=0):
    """A table in which ShrinkNet has those AUCs, one a problem, and keeps that.

    `kept` is what it keeps with α by AUC and by log-loss. The others fail; `others` is what
    they keep. Alpha is at an edge in as many runs.
    """
    keeps = {**dict(zip((OURS, OURS_BY_LOSS), kept, strict=True)), **dict(others)}

    def row(model, k, p, seed, level):
        what = keeps.get(model, "none")
        alone = what == "true" or (what == "some" and seed == 1)
        return {
            "k": k,
            "p": p,
            "n": 3000,
            "model": model,
            "seed": seed,
            "auc": level if model == OURS else 50.0,
            "log_loss": 0.1,
            "alpha": 0.1,
            "of_alpha_max": 0.5,
            "at_edge": seed < edges and model == OURS and k == 3,
            "n_features": 1 if alone else 7,
            "true_kept": what != "none" and not (what == "mostly" and seed == 1),
            "only_true": alone or (what == "mostly" and seed == 0),
            "kept": "x0",
        }

    return pd.DataFrame(
        [
            row(model, k, p, seed, level)
            for (k, p), level in zip(PAPER, auc, strict=True)
            for model in (*SPARSE, RAW)
            for seed in range(2)
        ]
    )


@pytest.mark.parametrize(
    ("auc", "outcome"),
    [
        ((99.99, 99.83, 99.46), Outcome.CONFIRMED),
        # To two decimals.
        ((99.986, 99.826, 99.456), Outcome.CONFIRMED),
        ((100, 100, 100), Outcome.CONFIRMED),
        # Above the pruned network on all, below the prototype on one.
        ((99.98, 99.83, 99.46), Outcome.CONDITIONAL),
        ((99.99, 99.82, 99.46), Outcome.CONDITIONAL),
        ((99.99, 99.83, 99.45), Outcome.CONDITIONAL),
        ((99.58, 98.31, 96.83), Outcome.CONDITIONAL),
        ((90, 98.31, 97), Outcome.CONDITIONAL),
        # At one of three: most say the opposite.
        ((90, 90, 97), Outcome.NOT_CONFIRMED),
        ((99.5, 98.3, 96.8), Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_auc(auc, outcome):
    verdict = xor.solved(made_up(auc))
    assert verdict.outcome is outcome
    assert f"{OURS} {auc[0]:.2f} / {auc[1]:.2f}" in verdict.figures
    assert "prototype of this experiment 99.99 / 99.83 / 99.46" in verdict.figures


def test_auc_of_the_worse_models_is_not_what_is_judged():
    table = made_up((50, 50, 50))
    table.loc[table["model"] != OURS, "auc"] = 100.0
    assert xor.solved(table).outcome is Outcome.NOT_CONFIRMED


@pytest.mark.parametrize("others", ["true", "none"])
@pytest.mark.parametrize(
    ("kept", "outcome"),
    [
        (("true", "true"), Outcome.CONFIRMED),
        # By log-loss in company; alone in some runs; by log-loss not always.
        (("true", "more"), Outcome.CONDITIONAL),
        (("true", "some"), Outcome.CONDITIONAL),
        (("true", "mostly"), Outcome.NOT_CONFIRMED),
        (("some", "true"), Outcome.NOT_CONFIRMED),
        (("more", "more"), Outcome.NOT_CONFIRMED),
        (("none", "none"), Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_what_is_kept(kept, outcome, others):
    """Whatever the other models keep; mutant: the counts of the best model."""
    table = made_up((100, 100, 100), kept, dict.fromkeys([*list(SPARSE)[2:], RAW], others))
    assert xor.true_interaction(table).outcome is outcome


@pytest.mark.parametrize("edges", [0, 1, 2])
def test_verdict_says_how_often_alpha_is_at_an_edge(edges):
    figures = xor.true_interaction(made_up((100, 100, 100), edges=edges)).figures
    ours, *theirs = figures.split(": the true product")[1:]
    assert f"at an edge of the grid in {edges} of 6" in ours
    assert all("at an edge of the grid in 0 of 6" in other for other in theirs)


def test_clone_keeps_parameters():
    assert clone(ScreenedInteractions(3, 7, 2)).get_params() == {
        "degree": 3,
        "n_keep": 7,
        "block": 2,
    }
