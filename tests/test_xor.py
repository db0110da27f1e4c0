"""XOR by products of features: screening against the slow obvious way, and the verdicts."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from datasets import make_xor
from experiments import xor
from experiments.experiment import Outcome
from experiments.run import Place, run
from experiments.xor import PAPER, RAW, SPARSE, ScreenedInteractions, Xor
from shrinklin import ShrinkNetClassifier

SMALL = {(2, 4): (60, 80), (3, 5): (60, 80)}


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
        patch.setattr(xor, "N_FOLDS", 2)
        patch.setattr(Xor, "jobs", _small_jobs)
        place = Place(tmp_path_factory.mktemp("xor"), quiet=True)
        done = run(Xor(), "xor", True, place)
        return done, done.summary, done.verdicts


def _small_jobs(self, data, quick):
    return [
        [{"k": k, "p": p, "n": 150, "model": model, "seed": seed} for model in (*SPARSE, RAW)]
        for k, p in SMALL
        for seed in ((0, 1) if k == 2 else (1,))
    ]


def test_auc_is_that_of_a_pipeline_written_out(small):
    table = small[0].table.set_index(["k", "p", "model", "seed"])
    for k, p in SMALL:
        row = table.loc[k, p, "ShrinkNet", 1]
        X, y = make_xor(300, p, k, random_state=1)
        kept, _ = slow_screening(X[:150], y[:150], k, 200)
        columns = all_products(X, k).transform(X)[:, kept]
        model = make_pipeline(StandardScaler(), ShrinkNetClassifier(row["alpha"]))
        model.fit(columns[:150], y[:150])
        scores = model.decision_function(columns[150:])
        assert row["auc"] == pytest.approx(100 * roc_auc_score(y[150:], scores), abs=1e-6)
        names = all_products(X, k).get_feature_names_out()[kept][model[-1].get_support()]
        assert row["kept"] == ", ".join(names)
        assert row["n_features"] == len(names)
        true = " ".join(f"x{j}" for j in range(k))
        assert bool(row["true_kept"]) == (true in names)
        assert bool(row["only_true"]) == (list(names) == [true])


def test_alpha_is_cross_validated_on_training_samples_alone(monkeypatch):
    """Whatever the test samples are, alpha and what is kept are the same."""
    monkeypatch.setattr(xor, "N_FOLDS", 2)
    cell = {"k": 2, "p": 4, "n": 100, "model": "ShrinkNet", "seed": 0}
    X, y = make_xor(200, 4, 2, random_state=0)
    train, test, other = (X[:100], y[:100]), (X[100:], y[100:]), (X[100:], 1 - y[100:])
    folds = list(xor.cross_validation(2, *train, 0))
    found, turned = (xor.of_products(cell, folds, train, held) for held in (test, other))
    assert turned["auc"] == pytest.approx(100 - found["auc"])
    assert {**turned, "auc": 0} == {**found, "auc": 0}


def test_folds_are_screened_by_the_part_that_is_trained_on():
    X, y = make_xor(90, 5, 2, random_state=0)
    for (X_in, y_in), (X_out, y_out) in xor.cross_validation(2, X, y, seed=0):
        assert (len(y_in), len(y_out)) == (60, 30)
        np.testing.assert_allclose(X_in.mean(axis=0), 0, atol=1e-12)
        assert np.abs(X_out.mean(axis=0)).max() > 0.01


def test_of_equally_good_alphas_the_largest_is_taken():
    X, y = make_xor(300, 4, 2, random_state=0)
    only = StandardScaler().fit_transform((X[:, 0] * X[:, 1])[:, None])
    folds = [((only[:200], y[:200]), (only[200:], y[200:]))]
    assert xor.best_alpha(ShrinkNetClassifier(), folds) == max(xor.ALPHAS)


def test_run_summary_figure(small):
    done, summary, found = small
    assert len(done.table) == 3 * 3
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
    assert len({tuple(cell.values()) for cell in cells}) == 90


def made_up(auc, kept="true"):
    """A table in which ShrinkNet has those AUCs, one a problem; the others fail."""
    rows = [
        {
            "k": k,
            "p": p,
            "n": 3000,
            "model": model,
            "seed": seed,
            "auc": level if model == "ShrinkNet" else 50.0,
            "alpha": 0.1,
            "n_features": 1,
            "true_kept": model == "ShrinkNet" and kept != "none",
            "only_true": model == "ShrinkNet" and (kept == "true" or (kept == "some" and seed)),
            "kept": "x0",
        }
        for (k, p), level in zip(PAPER, auc, strict=True)
        for model in (*SPARSE, RAW)
        for seed in range(2)
    ]
    return pd.DataFrame(rows).astype({"only_true": bool})


@pytest.mark.parametrize(
    ("auc", "outcome"),
    [
        ((99.58, 98.31, 96.83), Outcome.CONFIRMED),
        ((100, 100, 100), Outcome.CONFIRMED),
        ((99.57, 98.31, 96.83), Outcome.CONDITIONAL),
        ((90, 90, 97), Outcome.CONDITIONAL),
        ((99.5, 98.3, 96.8), Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_auc(auc, outcome):
    verdict = xor.solved(made_up(auc))
    assert verdict.outcome is outcome
    assert f"{auc[0]:.2f} / {auc[1]:.2f}" in verdict.figures


@pytest.mark.parametrize(
    ("kept", "outcome"),
    [
        ("true", Outcome.CONFIRMED),
        ("some", Outcome.CONDITIONAL),
        ("none", Outcome.NOT_CONFIRMED),
    ],
)
def test_verdict_on_what_is_kept(kept, outcome):
    assert xor.true_interaction(made_up((100, 100, 100), kept)).outcome is outcome


def test_clone_keeps_parameters():
    assert clone(ScreenedInteractions(3, 7, 2)).get_params() == {
        "degree": 3,
        "n_keep": 7,
        "block": 2,
    }
