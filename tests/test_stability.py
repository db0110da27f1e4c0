"""Selection frequencies are those of a slow loop over the same rows."""

from itertools import pairwise

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, f_regression
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from problems import simulate, simulate_classes
from resampling import GROUP_LASSO, Listener, rows_of, unlabelled
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    SignChange,
)
from shrinklin.estimators.stability import selection_frequencies

BY_GRADIENTS = GradientDescent(learning_rate=0.2, batch_size=8, max_epochs=8, removal=SignChange())
LABELS = np.array(["a", "b", "c"])


def slowly(estimator, X, y, rows, sample_weight=None):
    """The share of fits that keep each feature, one fit after another."""
    kept = np.zeros(X.shape[1])
    for r in rows:
        weights = () if sample_weight is None else (sample_weight[r],)
        model = clone(estimator).fit(X[r], y[r], *weights)
        kept += model.get_support()
    return kept / len(rows)


def some_of_each(frequencies):
    """Whether not all frequencies are 0 or 1: otherwise a comparison shows little."""
    return ((frequencies > 0) & (frequencies < 1)).any()


ESTIMATORS = {
    "group lasso": (GROUP_LASSO, 3),
    "ShrinkNet": (ShrinkNetRegressor(1.0), 2),
    "one target": (GROUP_LASSO, 1),
    "minibatches": (ShrinkNetRegressor(1.0, solver=BY_GRADIENTS, random_state=3), 2),
    "univariate": (SelectKBest(f_regression, k=3), 1),
    "selector": (SelectFromModel(Lasso(0.1)), 1),
}


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_frequencies_are_those_of_a_slow_loop(name, resampling):
    estimator, n_targets = ESTIMATORS[name]
    X, Y = simulate(31, 10, n_targets)
    y = Y[:, 0] if n_targets == 1 else Y
    found = selection_frequencies(estimator, X, y, 7, resampling=resampling, random_state=0)
    rows = rows_of(unlabelled(31), 7, resampling)
    np.testing.assert_array_equal(found, slowly(estimator, X, y, rows))
    assert found.shape == (10,)
    assert some_of_each(found)


CLASSIFIERS = {
    "group lasso": GroupLassoClassifier(0.08),
    "ShrinkNet": ShrinkNetClassifier(0.15),
    "selector": SelectFromModel(LogisticRegression(), max_features=4),
    "elimination": RFE(LogisticRegression(), n_features_to_select=4, step=4),
}


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_are_resampled_each_by_itself(name, resampling):
    X, codes = simulate_classes(41, 8)
    # Numbered in order of appearance, so that the loop has the same rows.
    codes = np.unique(codes, return_index=True)[1].argsort().argsort()[codes]
    options = {"resampling": resampling, "random_state": 0}
    expected = slowly(CLASSIFIERS[name], X, codes, rows_of(codes, 3, resampling))
    for y in (codes, pd.Series(LABELS[codes], index=np.arange(41)[::-1])):
        found = selection_frequencies(CLASSIFIERS[name], X, y, 3, **options)
        np.testing.assert_array_equal(found, expected)
    assert some_of_each(expected)


def test_text_is_resampled_by_class_for_any_selector():
    X, codes = simulate_classes(30, 4)
    for y, stratified in ((LABELS[codes], True), (codes == 0, True), (codes, False)):
        listener = Listener([])
        selection_frequencies(listener, X, y, 10, random_state=1)
        counts = [np.unique(heard, return_counts=True)[1] for _, heard, _ in listener.heard]
        spread = max(abs(one - other).max() for one, other in pairwise(counts))
        assert (spread <= 1) == stratified


def test_a_rare_class_is_in_every_half():
    X, _ = simulate(60, 5, 1)
    y = np.repeat(["common", "rare"], [58, 2])
    listener = Listener([])
    selection_frequencies(listener, X, y, 20, random_state=0)
    assert all((heard == "rare").sum() == 1 for _, heard, _ in listener.heard)


def test_what_matters_is_kept_and_noise_is_not():
    X, Y = simulate(400, 30, 3)
    for estimator in (GroupLassoRegressor(0.3), ShrinkNetRegressor(0.1)):
        for resampling in ("half", "bootstrap"):
            options = {"resampling": resampling, "random_state": 0}
            found = selection_frequencies(estimator, X, Y, 20, **options)
            assert found[:4].min() >= 0.9
            assert found[4:].max() <= 0.1


def test_the_bound_holds_where_there_is_only_noise():
    selector, threshold, wrong = SelectKBest(f_regression, k=6), 0.6, []
    for seed in range(12):
        X, Y = simulate(40, 30, 1, 0, seed=seed)
        found = selection_frequencies(selector, X, Y[:, 0], 20, random_state=seed)
        assert found.sum() == pytest.approx(6)
        wrong.append((found >= threshold).sum())
    assert 0 < np.mean(wrong) <= 6**2 / ((2 * threshold - 1) * 30)


@pytest.mark.parametrize("resampling", ["half", "bootstrap"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_processes(resampling):
    X, Y = simulate(120, 40, 4, correlation=0.5)
    options = {"resampling": resampling, "random_state": 5}
    alone = selection_frequencies(GROUP_LASSO, X, Y, 12, **options)
    together = selection_frequencies(GROUP_LASSO, X, Y, 12, n_jobs=2, **options)
    with joblib.parallel_config(backend="threading"):
        threads = selection_frequencies(GROUP_LASSO, X, Y, 12, n_jobs=2, **options)
    assert alone.tobytes() == together.tobytes() == threads.tobytes()
    assert some_of_each(alone)
    state = np.random.RandomState(5)
    options["random_state"] = state
    assert alone.tobytes() == selection_frequencies(GROUP_LASSO, X, Y, 12, **options).tobytes()
    assert (alone != selection_frequencies(GROUP_LASSO, X, Y, 12, **options)).any()


def test_the_estimator_is_not_fitted():
    estimator = GroupLassoRegressor(0.1)
    before = dict(vars(estimator))
    selection_frequencies(estimator, *simulate(20, 4, 2), 2)
    assert vars(estimator) == before
    pipeline = make_pipeline(StandardScaler(), estimator)
    selection_frequencies(pipeline, *simulate(20, 4, 2), 2)
    assert vars(estimator) == before
    assert not hasattr(pipeline[0], "mean_")


# Containers


def test_sparse_data_and_lists_give_what_arrays_give():
    X, Y = simulate(30, 8, 2)
    X[abs(X) < 0.7] = 0
    expected = selection_frequencies(GROUP_LASSO, X, Y, 6, random_state=0)
    assert some_of_each(expected)
    makers = (sparse.csr_matrix, sparse.csc_array, sparse.coo_array, np.ndarray.tolist)
    for make in (*makers, pd.DataFrame):
        names = {"columns": list("abcdefgh")} if make is pd.DataFrame else {}
        found = selection_frequencies(GROUP_LASSO, make(X, **names), Y, 6, random_state=0)
        np.testing.assert_array_equal(found, expected)
    for y in (Y.tolist(), pd.DataFrame(Y, index=np.arange(30)[::-1]), sparse.csr_array(Y)):
        found = selection_frequencies(GROUP_LASSO, X, y, 6, random_state=0)
        np.testing.assert_array_equal(found, expected)


def test_names_types_and_rows_reach_the_estimator():
    X, Y = simulate(11, 3, 2)
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(11) * 7)
    listener = Listener([])
    found = selection_frequencies(listener, frame, pd.DataFrame(Y), 4, random_state=0)
    for (given, y, _), rows in zip(listener.heard, rows_of(unlabelled(11), 4), strict=True):
        pd.testing.assert_frame_equal(given, frame.iloc[rows])
        np.testing.assert_array_equal(y, Y[rows])
    first_rows = [rows[0] for rows in rows_of(unlabelled(11), 4)]
    np.testing.assert_array_equal(found, (X[first_rows] >= 0).mean(axis=0))


def test_no_y_for_a_selector_that_needs_none():
    listener = Listener([])
    selection_frequencies(listener, simulate(10, 3, 1)[0], None, 2)
    assert all(y is None for _, y, _ in listener.heard)


# Pipelines


def test_a_pipeline_is_fitted_to_what_its_steps_make_of_each_resample():
    X, Y = simulate(40, 8, 2)
    X = X * np.geomspace(0.01, 100, 8) + 5
    pipeline = make_pipeline(StandardScaler(), GroupLassoRegressor(0.3))
    kept = np.zeros(8)
    for rows in rows_of(unlabelled(40), 9):
        scaled = StandardScaler().fit_transform(X[rows])
        kept += GroupLassoRegressor(0.3).fit(scaled, Y[rows]).get_support()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    nested = make_pipeline("passthrough", make_pipeline(pipeline[0]), make_pipeline(pipeline[1]))
    unnamed = make_pipeline(FunctionTransformer(), pipeline)
    for model in (pipeline, clone(pipeline).set_output(transform="pandas"), nested, unnamed):
        for data in (X, frame):
            found = selection_frequencies(model, data, Y, 9, random_state=0)
            np.testing.assert_array_equal(found, kept / 9)
    assert some_of_each(kept / 9)


def test_what_is_kept_after_a_selector_is_mapped_back():
    X, Y = simulate(40, 10, 1)
    X, y = X[:, ::-1].copy(), Y[:, 0]
    steps = SelectKBest(f_regression, k=5), StandardScaler(), GroupLassoRegressor(0.2)
    kept = np.zeros(10)
    for rows in rows_of(unlabelled(40), 8):
        columns = np.flatnonzero(clone(steps[0]).fit(X[rows], y[rows]).get_support())
        scaled = StandardScaler().fit_transform(X[np.ix_(rows, columns)])
        kept[columns[clone(steps[2]).fit(scaled, y[rows]).get_support()]] += 1
    found = selection_frequencies(make_pipeline(*steps), X, y, 8, random_state=0)
    np.testing.assert_array_equal(found, kept / 8)
    assert some_of_each(found)


class Doubling(BaseEstimator):
    """A step without names of its output columns."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.hstack([X, X])


CHANGES = [
    (PCA(), r"PCA turns columns \['x0', 'x1', 'x2'\]… into \['pca0', 'pca1', 'pca2'\]…"),
    (PCA(2), "PCA turns 6 columns into 2"),
    (RBFSampler(n_components=28), "RBFSampler turns 6 columns into 28"),
    (make_union(Doubling()), "FeatureUnion does not name the columns that it makes"),
    (Doubling(), "X has 6 columns, but the steps after it select among 12"),
    (
        make_pipeline(SelectKBest(f_regression, k=2), Doubling()),
        "the step SelectKBest passes on 2 columns, but the steps after it select among 4",
    ),
]


@pytest.mark.parametrize(("step", "message"), CHANGES)
def test_a_step_that_makes_columns_of_its_own_is_refused(step, message):
    X, Y = simulate(30, 6, 1)
    with pytest.raises(ValueError, match=message):
        selection_frequencies(make_pipeline(step, GROUP_LASSO), X, Y[:, 0], 2)


def test_a_column_is_kept_with_any_feature_made_from_it():
    X, Y = simulate(40, 4, 1)
    X = pd.DataFrame(X, columns=list("abcd"))
    X["word"] = np.where(X["d"] > 0.5, "high", np.where(X["d"] < -0.5, "low", "mid"))
    y = (0.5 * Y[:, 0] + 6 * (X["word"] == "low") + X["a"] * X["b"]).to_numpy()
    scaled = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False))
    prepared = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["word"]), (scaled, ["c", "b", "a"])
    )
    kept = np.zeros(5)
    for rows in rows_of(unlabelled(40), 6):
        features = clone(prepared).fit(X.iloc[rows])
        names = features.get_feature_names_out()
        fitted = GroupLassoRegressor(0.6).fit(features.transform(X.iloc[rows]), y[rows])
        text = " ".join(names[fitted.get_support()]).replace("pipeline__", "").replace("^2", "")
        words = text.split()
        kept += [name in words or (name == "word" and "__word_" in text) for name in X]
    found = selection_frequencies(
        make_pipeline(prepared, GroupLassoRegressor(0.6)), X, y, 6, random_state=0
    )
    np.testing.assert_array_equal(found, kept / 6)
    assert found[3] == 0
    assert some_of_each(found)


# Weights


def test_weights_go_with_their_rows():
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).exponential(size=40) ** 2
    options = {"random_state": 0, "sample_weight": s}
    for resampling in ("half", "bootstrap"):
        rows = rows_of(unlabelled(40), 8, resampling)
        found = selection_frequencies(GROUP_LASSO, X, Y, 8, resampling=resampling, **options)
        np.testing.assert_array_equal(found, slowly(GROUP_LASSO, X, Y, rows, s))
        assert (found != slowly(GROUP_LASSO, X, Y, rows)).any()
    found = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
    # Only the last step gets them; a nested one too.
    identity = FunctionTransformer()
    for pipeline in (
        make_pipeline(identity, GROUP_LASSO),
        make_pipeline(identity, make_pipeline(identity, GROUP_LASSO)),
    ):
        np.testing.assert_array_equal(
            selection_frequencies(pipeline, X, Y, 8, **options | {"sample_weight": list(s)}), found
        )


def test_rows_of_weight_zero_are_left_out():
    X, Y = simulate(40, 8, 2)
    s = np.arange(40) % 4.0
    X[s == 0] *= 100
    kept = s > 0
    options = {"n_resamples": 9, "random_state": 0}
    found = selection_frequencies(GROUP_LASSO, X, Y, sample_weight=s, **options)
    without = selection_frequencies(
        GROUP_LASSO, pd.DataFrame(X[kept]), Y[kept], sample_weight=s[kept], **options
    )
    np.testing.assert_array_equal(found, without)
    assert some_of_each(found)


def test_with_metadata_routing_weights_go_where_they_are_requested():
    X, Y = simulate(40, 8, 2)
    s = np.random.default_rng(0).exponential(size=40) ** 2
    options = {"random_state": 0, "sample_weight": s}
    expected = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
    with sklearn.config_context(enable_metadata_routing=True):
        found = selection_frequencies(GROUP_LASSO, X, Y, 8, **options)
        np.testing.assert_array_equal(found, expected)
        asked = clone(GROUP_LASSO).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), asked)
        found = selection_frequencies(pipeline, X, Y, 8, **options)
        np.testing.assert_array_equal(found, expected)
        silent = make_pipeline(StandardScaler(), GROUP_LASSO)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            selection_frequencies(silent, X, Y, 8, **options)
