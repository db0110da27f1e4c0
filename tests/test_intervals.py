"""Intervals of coefficients: against statsmodels, and how often they contain the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from resampling import rows_of
from shrinklin import (
    ByColumn,
    GroupLassoClassifier,
    GroupLassoRegressor,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetRegressorCV,
    bootstrap_intervals,
    split_intervals,
)

N, P = 160, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, P)) * [1, 3, 0.1, 1, 1, 1] + [0, 5, 0, 0, 0, 0]
W = np.array([[1.0, -0.5], [0.4, 0.0], [9.0, 5.0], [0, 0], [0, 0], [0, 0]])
Y = X @ W + RNG.normal(size=(N, 2)) * (1 + X[:, :1] ** 2)
CODES = (X @ np.hstack([W, W[:, :1] - 1]) / 4 + RNG.gumbel(size=(N, 3))).argmax(axis=1)
LABELS = np.array(["no", "perhaps", "yes"])[CODES]


def rest(model, y, stratify=None):
    """The kept columns of the rows for the intervals, and their y."""
    parts = train_test_split(X, y, test_size=0.5, random_state=3, stratify=stratify)
    kept = model.fit(parts[0], parts[2]).get_support()
    assert 0 < kept.sum() < P
    return parts[1][:, kept], parts[3], np.flatnonzero(kept)


def as_arrays(table, n_targets):
    columns = ["coefficient", "standard_error", "low", "high"]
    return [table[name].to_numpy().reshape(-1, n_targets) for name in columns]


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_as_statsmodels(fit_intercept):
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
    model = GroupLassoRegressor(0.7, fit_intercept=fit_intercept)
    Z, Y_rest, kept = rest(model, Y)
    table = split_intervals(model, X, Y, random_state=3, level=0.9)
    assert table["feature"].tolist() == [f"x{j}" for j in kept for _ in range(2)]
    found = as_arrays(table, 2)
    for k in range(2):
        design = api.add_constant(Z, prepend=False) if fit_intercept else Z
        right = api.OLS(Y_rest[:, k], design).fit(cov_type="HC3", use_t=True)
        ends = right.conf_int(alpha=0.1)[: len(kept)].T
        for ours, theirs in zip(found, (right.params, right.bse, *ends), strict=True):
            np.testing.assert_allclose(ours[:, k], theirs[: len(kept)], rtol=1e-9)


def test_two_classes_as_statsmodels():
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
    y, model = LABELS == "yes", ShrinkNetClassifier(0.03)
    Z, y_rest, kept = rest(model, y, stratify=y)
    table = split_intervals(model, X, y, random_state=3)
    assert table["target"].tolist() == [True] * len(kept)
    right = api.Logit(y_rest, api.add_constant(Z, prepend=False)).fit(
        cov_type="HC0", disp=0, tol=1e-12
    )
    factor = np.sqrt(len(Z) / (len(Z) - len(kept) - 1))
    coefs, errors, low, high = as_arrays(table, 1)
    np.testing.assert_allclose(coefs[:, 0], right.params[:-1], rtol=1e-6)
    np.testing.assert_allclose(errors[:, 0], right.bse[:-1] * factor, rtol=1e-6)
    np.testing.assert_allclose(high - low, 2 * 1.959964 * errors, rtol=1e-6)
    np.testing.assert_allclose((high + low) / 2, coefs, rtol=1e-6)


def test_three_classes_as_statsmodels():
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
    model = GroupLassoClassifier(0.06)
    Z, y_rest, kept = rest(model, LABELS, stratify=LABELS)
    table = split_intervals(model, X, LABELS, random_state=3)
    assert table["target"].tolist()[:3] == ["no", "perhaps", "yes"]
    codes = np.searchsorted(["no", "perhaps", "yes"], y_rest)
    right = api.MNLogit(codes, api.add_constant(Z, prepend=False)).fit(
        cov_type="HC0", disp=0, tol=1e-12
    )
    n = len(kept) + 1
    # They are contrasts with the first class.
    B = np.column_stack([np.zeros(n), np.asarray(right.params)])[:-1]
    onto = np.eye(3)[:, 1:] - 1 / 3
    blocks = np.asarray(right.cov_params()).reshape(2, n, 2, n)
    squares = [np.diag(onto @ blocks[:, j, :, j] @ onto.T) for j in range(n - 1)]
    coefs, errors, *_ = as_arrays(table, 3)
    np.testing.assert_allclose(coefs, B - B.mean(axis=1, keepdims=True), rtol=1e-6)
    factor = np.sqrt(len(Z) / (len(Z) - n))
    np.testing.assert_allclose(errors, np.sqrt(squares) * factor, rtol=1e-6)


def coverage(intervals_of, n_sets=60):
    """How often intervals contain the coefficient, for features that matter and for noise."""
    hits = {True: [], False: []}
    for seed in range(n_sets):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(120, 40))
        y = X[:, 0] + X[:, 1] + 2 * rng.normal(size=120)
        for row in intervals_of(X, y, seed).itertuples():
            true = float(row.feature in ("x0", "x1"))
            hits[bool(true)].append(row.low <= true <= row.high)
    return {matters: np.mean(found) for matters, found in hits.items()}


def test_intervals_contain_the_truth_as_often_as_they_say():
    """Mutant: the rows that select features."""
    model = GroupLassoRegressor(0.4)
    found = coverage(lambda X, y, seed: split_intervals(model, X, y, random_state=seed))
    # 120 and some 300 intervals of 95 %.
    assert found[True] > 0.88
    assert found[False] > 0.9

    def same_rows(X, y, seed):
        chosen = model.fit(X, y).get_support()
        names = np.array([f"x{j}" for j in range(40)])
        Z = pd.DataFrame(X[:, chosen], columns=names[chosen])
        # All are kept without a penalty to speak of, so nothing is selected in the split.
        doubled = pd.concat([Z, Z]), np.concatenate([y, y])
        return split_intervals(GroupLassoRegressor(1e-9), *doubled, random_state=0)

    assert coverage(same_rows)[False] < 0.7


def test_pipelines_frames_and_sparse_rows():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"colour": rng.choice(list("rgb"), 200), "age": rng.normal(size=200)})
    frame["noise"] = rng.normal(size=200)
    y = pd.Series(2.0 * (frame["colour"] == "r") + frame["age"] + rng.normal(size=200), name="cost")
    encoder = make_column_transformer(
        (OneHotEncoder(drop="first", sparse_output=False), ["colour"]),
        (StandardScaler(), ["age", "noise"]),
    )
    model = GroupLassoRegressor(0.25, groups=ByColumn(list(frame)))
    piped = make_pipeline(encoder, model).set_output(transform="pandas")
    table = split_intervals(piped, frame, y, random_state=0)
    assert table["feature"].tolist() == [
        "onehotencoder__colour_g", "onehotencoder__colour_r", "standardscaler__age"
    ]  # fmt: skip
    assert set(table["target"]) == {"cost"}
    assert not hasattr(model, "coef_")
    right = split_intervals(GroupLassoRegressor(0.7), X, Y, random_state=3)
    of_sparse = split_intervals(GroupLassoRegressor(0.7), sparse.csc_array(X), Y, random_state=3)
    pd.testing.assert_frame_equal(right, of_sparse)


def test_nested_pipelines_are_as_flat_ones():
    """Mutant: the steps inside are left out."""
    model = GroupLassoRegressor(0.7)
    flat = make_pipeline(StandardScaler(), PolynomialFeatures(include_bias=False), model)
    nested = make_pipeline(flat[0], make_pipeline(*flat[1:]))
    pd.testing.assert_frame_equal(
        split_intervals(flat, X, Y, random_state=0), split_intervals(nested, X, Y, random_state=0)
    )


def test_labels_may_be_a_frame():
    model = GroupLassoClassifier(0.06)
    right = split_intervals(model, X, LABELS, random_state=3)
    framed = split_intervals(model, X, pd.DataFrame({"label": LABELS}), random_state=3)
    pd.testing.assert_frame_equal(right, framed)


def test_a_model_that_keeps_nothing_has_no_intervals():
    table = split_intervals(GroupLassoRegressor(1e6), X, Y, random_state=0)
    assert list(table) == ["feature", "target", "coefficient", "standard_error", "low", "high"]
    assert len(table) == 0


@pytest.mark.parametrize(
    ("model", "y", "changes", "message"),
    [
        (GroupLassoRegressor(0.1), Y, {"level": 1}, "level=1: give a number < 1"),
        (GroupLassoRegressor(0.1), Y, {"level": 0.0}, "level=0.0: give a finite number > 0"),
        (GroupLassoRegressor(1e-9), Y, {"test_size": 0.04}, "7 rows are left to estimate 7 coeff"),
        (GroupLassoClassifier(1e-3), X[:, 0] > 0, {}, "separate classes without error"),
    ],
)
def test_what_gives_no_intervals_is_refused(model, y, changes, message):
    with pytest.raises(ValueError, match=message):
        split_intervals(model, X, y, random_state=0, **changes)


def test_collinear_features_are_refused():
    twice = np.hstack([X, X[:, :1]])
    model = GroupLassoRegressor(1e-6, ridge=0.1)
    last = X.shape[1]
    with pytest.raises(ValueError, match=f"the kept features 'x0', 'x{last}' are collinear"):
        split_intervals(model, twice, Y, random_state=0)
    named = pd.DataFrame(twice).rename(columns={j: f"f{j}" for j in range(last)})
    named = named.rename(columns={last: "again"})
    with pytest.raises(ValueError, match="the kept features 'f0', 'again' are collinear"):
        split_intervals(model, named, Y, random_state=0)


@pytest.mark.parametrize("levels", [2, 3])
def test_levels_of_many_rows_are_collinear(levels):
    """Rounding grows with the rows: in 40 000, the least singular value is not nearly 0."""
    rng = np.random.default_rng(0)
    codes = rng.integers(levels, size=40_000)
    X, y = np.eye(levels)[codes], codes + rng.normal(size=len(codes))
    model = GroupLassoRegressor(1e-6, feature_weights=np.zeros(levels))
    shown = ", ".join(f"'x{j}'" for j in range(levels))
    with pytest.raises(ValueError, match=f"the kept features {shown} are collinear in the rows"):
        split_intervals(model, X, y, random_state=0)
    model.set_params(fit_intercept=False)
    assert len(split_intervals(model, X, y, random_state=0)) == levels


def test_features_that_nearly_agree_have_intervals():
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=(2, 5000))
    X = np.column_stack([x, x + 1e-6 * e])
    model = GroupLassoRegressor(0.0, feature_weights=np.zeros(2))
    assert len(split_intervals(model, X, 1e6 * e, random_state=0)) == 2


def test_a_feature_that_is_constant_in_the_rows_for_the_intervals_is_named():
    rare = X.copy()
    rare[:, 2] = 0.0
    rare[0, 2] = 5.0
    model = GroupLassoRegressor(1e-6, feature_weights=np.zeros(X.shape[1]))
    said = []
    for seed in range(8):
        try:
            split_intervals(model, rare, Y + rare[:, 2:3], random_state=seed)
        except ValueError as error:
            said.append(str(error))
    assert 0 < len(said) < 8
    assert all("feature 'x2' is constant in the rows for" in each for each in said)


@pytest.mark.parametrize("duplicate", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_constant_features_are_told_from_collinear_ones(fit_intercept, duplicate):
    rng = np.random.default_rng(1)
    still = X - X.mean(axis=0)
    # The two features change only in rows that select features.
    still[:, [1, 4]] = 0.0 if not fit_intercept else [7.0, -0.1]
    choice, _ = train_test_split(np.arange(N), test_size=0.5, random_state=0)
    still[choice[:2], [1, 4]] += 5.0
    X_all = np.hstack([still, still[:, :1]]) if duplicate else still
    y = X_all @ np.ones(X_all.shape[1]) + rng.normal(size=N)
    model = GroupLassoRegressor(1e-6, ridge=1e-3, fit_intercept=fit_intercept)
    said = "^the kept features 'x1', 'x4' are constant in the .*their coefficients .*leave them out"
    with pytest.raises(ValueError, match=said):
        split_intervals(model, X_all, y, random_state=0)


def test_without_intercept_a_constant_is_determined():
    ones = np.hstack([X, np.ones((N, 1))])
    model = GroupLassoRegressor(1e-6, fit_intercept=False)
    table = split_intervals(model, ones, Y + 5, random_state=0)
    last = X.shape[1]
    assert (table["feature"] == f"x{last}").sum() == Y.shape[1]
    model.set_params(ridge=0.1)
    with pytest.raises(ValueError, match=f"the kept features 'x0', 'x{last + 1}' are collinear"):
        split_intervals(model, np.hstack([ones, X[:, :1]]), Y + 5, random_state=0)


def test_rows_of_targets_are_those_of_X():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        split_intervals(GroupLassoRegressor(), X, np.vstack([Y, Y]))


def test_other_estimators_are_refused():
    search = GridSearchCV(GroupLassoRegressor(), {"alpha": [0.1, 1]})
    with pytest.raises(TypeError, match="give its best_estimator_"):
        split_intervals(search, X, Y)
    for other in (StandardScaler(), GroupLassoRegressor, make_pipeline(StandardScaler())):
        with pytest.raises(TypeError, match="is no linear regressor or classifier of"):
            split_intervals(other, X, Y)


def test_alpha_may_be_chosen_inside():
    model = ShrinkNetRegressorCV(5, cv=2)
    table = split_intervals(model, X, Y, random_state=3)
    again = split_intervals(model, X, Y, random_state=3)
    pd.testing.assert_frame_equal(table, again)
    assert (table["low"] < table["high"]).all()


# --- Bootstrap --------------------------------------------------------------------------


def test_bootstrap_intervals_are_quantiles_of_fits():
    """A slow loop: draw rows, fit, sort."""
    model, n = GroupLassoRegressor(0.7), 25
    table = bootstrap_intervals(model, X, Y, n, level=0.8, random_state=0)
    drawn = rows_of(np.zeros(N, dtype=int), n, "bootstrap")
    fits = np.array([clone(model).fit(X[rows], Y[rows]).coef_ for rows in drawn])
    whole = clone(model).fit(X, Y).coef_
    kept = fits.any(axis=1)
    assert set(table["feature"]) == {f"x{j}" for j in np.flatnonzero(kept.any(axis=0))}
    assert table["frequency"].is_monotonic_decreasing
    for row in table.itertuples():
        j, k = int(row.feature[1:]), ["target 0", "target 1"].index(row.target)
        assert row.frequency == pytest.approx(kept[:, j].mean())
        np.testing.assert_allclose(row.coefficient, whole[k, j], atol=1e-9)
        expected = np.quantile(fits[:, k, j], [0.1, 0.9])
        np.testing.assert_allclose([row.low, row.high], expected, atol=1e-9)
    assert table["frequency"].min() < 1


def test_bootstrap_of_classes_in_a_pipeline_of_levels():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"colour": rng.choice(list("rgb"), 120), "age": rng.normal(size=120)})
    # A sample may lack the rare level, and then its feature.
    frame.loc[0, "colour"] = "rare"
    labels = np.where(
        frame["age"] + (frame["colour"] == "r") > rng.logistic(size=120), "old", "new"
    )
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["colour"]),
        (StandardScaler(), ["age"]),
    )
    model = make_pipeline(encoder, GroupLassoClassifier(0.001))
    table = bootstrap_intervals(model, frame, labels, 20, random_state=0)
    assert set(table["target"]) == {"old"}
    by_name = table.set_index("feature")
    assert by_name.loc["standardscaler__age", "frequency"] == 1
    assert 0 < by_name.loc["onehotencoder__colour_rare", "frequency"] < 1
    assert (table["low"] <= table["high"]).all()
    parallel = bootstrap_intervals(model, frame, labels, 20, random_state=0, n_jobs=2)
    pd.testing.assert_frame_equal(table, parallel)


def test_bootstrap_of_an_empty_model():
    table = bootstrap_intervals(GroupLassoRegressor(1e6), X, Y, 3, random_state=0)
    assert list(table) == ["feature", "target", "coefficient", "low", "high", "frequency"]
    assert len(table) == 0


def test_models_chosen_by_a_criterion_have_intervals():
    model = InformationCriterion(GroupLassoRegressor(), alphas=5)
    assert len(split_intervals(model, X, Y, random_state=0)) >= 2
    assert len(bootstrap_intervals(model, X, Y, 3, random_state=0)) >= 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"level": 2}, "level=2"), ({"n_resamples": 0}, "n_resamples=0: give a whole number")],
)
def test_bootstrap_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals(GroupLassoRegressor(), X, Y, **changes)
