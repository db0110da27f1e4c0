"""The table of the features that a model keeps, and the names of targets."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from problems import simulate
from shrinklin import (
    AutoSparseClassifier,
    AutoSparseRegressor,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    regularization_path,
    selection_frequencies,
    summary,
)

X, VALUES = simulate(60, 6, 3)
X = pd.DataFrame(X, columns=["age", "dose", "bmi", "ph", "iron", "zinc"])
Y = pd.DataFrame(VALUES, columns=["pulse", "pressure", "weight"])
LABELS = np.array(["low", "mid", "high"])[VALUES.argmax(axis=1)]

REGRESSORS = [
    GroupLassoRegressor(0.3),
    ShrinkNetRegressor(0.3),
    ShrinkNetRegressor(0.3, solver=GradientDescent(max_epochs=50, tol=1e30), random_state=0),
    GroupLassoRegressorCV(5, cv=3),
    ShrinkNetRegressorCV(5, cv=3),
    AutoSparseRegressor(cv=3),
    InformationCriterion(ShrinkNetRegressor(), alphas=5),
]
CLASSIFIERS = [
    GroupLassoClassifier(0.05),
    ShrinkNetClassifier(0.05),
    GroupLassoClassifierCV(3, cv=2, ridges=0.0),
    AutoSparseClassifier(cv=2, max_features=2),
    InformationCriterion(GroupLassoClassifier(), alphas=5),
]


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch):
    for search in (AutoSparseRegressor, AutoSparseClassifier):
        monkeypatch.setattr(search, "alphas", 3)
        monkeypatch.setattr(search, "kinds", {"group lasso": (0.0,)})


def kind(model):
    inner = getattr(model, "estimator", None)
    trained = "trained " * isinstance(getattr(model, "solver", None), GradientDescent)
    return f"{trained}{type(model).__name__}" + (f" of {type(inner).__name__}" if inner else "")


def coefficients(model):
    return np.atleast_2d(getattr(model, "estimator_", model).coef_)


def assert_shows(table, model, names):
    coef = coefficients(model)
    rows = [X.columns.get_loc(feature) for feature in table.index]
    assert sorted(rows) == np.flatnonzero(coef.any(axis=0)).tolist()
    assert list(table["original"]) == list(table.index)
    shown = table.iloc[:, 2 : 2 + len(names)]
    np.testing.assert_array_equal(shown.to_numpy().T, coef[:, rows])
    np.testing.assert_allclose(table["norm"], np.sqrt((coef[:, rows] ** 2).sum(axis=0)))
    assert table["norm"].is_monotonic_decreasing
    switch = getattr(getattr(model, "estimator_", model), "switch_", None)
    assert list(table.columns) == ["original", "norm", *names, *["switch"] * (switch is not None)]
    if switch is not None:
        np.testing.assert_array_equal(table["switch"], switch[rows])


@pytest.mark.parametrize("model", REGRESSORS, ids=kind)
def test_the_summary_of_a_regressor(model):
    model = clone(model).fit(X, Y)
    assert model.target_names_in_.tolist() == list(Y.columns)
    assert_shows(summary(model), model, list(Y.columns))
    pd.testing.assert_frame_equal(model.summary(), summary(model))
    assert pickle.loads(pickle.dumps(model)).target_names_in_.tolist() == list(Y.columns)
    assert not hasattr(clone(model), "target_names_in_")


@pytest.mark.parametrize("model", CLASSIFIERS, ids=kind)
def test_the_summary_of_a_classifier(model):
    named = pd.Series(LABELS, name="how much")
    model = clone(model).fit(X, named)
    assert not hasattr(model, "target_names_in_")
    assert_shows(model.summary(), model, ["high", "low", "mid"])


def test_two_classes_have_the_column_of_the_second():
    model = ShrinkNetClassifier(0.02).fit(X, VALUES[:, 0] > 0)
    assert_shows(summary(model), model, [True])


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (VALUES[:, 0], ["coefficient"]),
        (VALUES[:, :1], ["target 0"]),
        (VALUES[:, :2], ["target 0", "target 1"]),
        (Y["pulse"], ["pulse"]),
        (Y[["pulse"]], ["pulse"]),
        (Y["pulse"].rename(None), ["coefficient"]),
        (Y["pulse"].rename(3), ["coefficient"]),
        (Y.set_axis([0, 1, 2], axis=1), ["target 0", "target 1", "target 2"]),
        (
            Y.set_axis(["norm", "switch", "bmi"], axis=1),
            ["coefficient of norm", "coefficient of switch", "bmi"],
        ),
    ],
    ids=range(9),
)
def test_targets_have_the_names_of_y(y, names):
    model = ShrinkNetRegressor(0.3).fit(X, y)
    assert_shows(summary(model), model, names)


def test_targets_that_are_called_alike_are_numbered():
    moments = Moments.from_data(X, Y.set_axis(["a", "b", "a"], axis=1))
    model = GroupLassoRegressor(0.3).fit_moments(moments)
    assert_shows(summary(model), model, ["target 0", "target 1", "target 2"])


def test_an_empty_model_has_an_empty_table():
    table = summary(GroupLassoRegressor(1e3).fit(X, Y))
    assert table.shape == (0, 5)
    assert list(table.columns[2:]) == list(Y.columns)


def test_columns_without_names_are_numbered():
    model = GroupLassoRegressor(0.3).fit(X.to_numpy(), VALUES)
    table = summary(model, np.arange(6) / 10)
    assert list(table.index) == list(table["original"])
    assert set(table.index) == set(model.get_feature_names_out())
    np.testing.assert_allclose(table["frequency"], [int(name[1:]) / 10 for name in table.index])


# Names of targets, whatever a model is fitted to.


def test_moments_know_the_names_of_targets():
    first, second = (Moments.from_data(X[rows], Y[rows]) for rows in (slice(30), slice(30, 60)))
    nameless = Moments.from_data(X[30:], VALUES[30:])
    for total in (first + second, first + nameless, nameless + second, first + second - second):
        assert total.target_names.tolist() == list(Y.columns)
        assert GroupLassoRegressor().fit_moments(total).target_names_in_ is total.target_names
    model = GroupLassoRegressorCV(3).fit_moments([nameless, first])
    assert model.target_names_in_.tolist() == list(Y.columns)
    choice = InformationCriterion(GroupLassoRegressor(), alphas=5).fit_moments(first)
    assert choice.target_names_in_.tolist() == list(Y.columns)
    assert Moments.from_data(X, Y["pulse"]).target_names.tolist() == ["pulse"]
    assert Moments.from_data(X, VALUES).target_names is None
    with pytest.raises(ValueError, match="column 1 of Y is 'pressure' in these moments and 'p' in"):
        first + Moments.from_data(X, Y.rename(columns={"pressure": "p"}))


def test_files_know_the_names_of_targets(tmp_path):
    pd.concat([X, Y], axis=1).to_csv(tmp_path / "table.csv", index=False)
    for target in (["weight", "pulse"], "pulse"):
        moments = Moments.from_csv(tmp_path / "table.csv", target)
        assert moments.target_names.tolist() == ([target] if isinstance(target, str) else target)


def test_partial_fit_knows_the_names_of_targets():
    model = GroupLassoRegressor().partial_fit(X[:30], Y[:30])
    assert model.target_names_in_.tolist() == list(Y.columns)
    model.partial_fit(X[30:], Y[30:])
    assert (
        model.target_names_in_.tolist() == model.moments_.target_names.tolist() == list(Y.columns)
    )
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="column 0 of Y is 'pulse' in these moments and 'weight'"):
        model.partial_fit(X, Y[["weight", "pressure", "pulse"]])
    assert pickle.dumps(model) == before
    late = GroupLassoRegressor().partial_fit(X[:30], VALUES[:30])
    assert not hasattr(late, "target_names_in_")
    assert late.partial_fit(X[30:], Y[30:]).target_names_in_.tolist() == list(Y.columns)


def test_another_fit_forgets_names():
    model = GroupLassoRegressor().fit(X, Y)
    assert not hasattr(model.fit(X, VALUES), "target_names_in_")
    model.fit(X, Y).fit_moments(Moments.from_data(X, VALUES))
    assert not hasattr(model, "target_names_in_")
    search = GroupLassoRegressorCV(3, cv=2).fit(X, Y)
    assert not hasattr(search.fit(X, VALUES), "target_names_in_")


# Pipelines.

TABLE = X.assign(city=np.random.default_rng(0).choice(["Rome", "Oslo", "Bern"], len(X)))
TARGET = X["age"] * X["dose"] + 2 * (TABLE["city"] == "Oslo") + X["ph"] - 0.7 * X["ph"] ** 2
PREPARED = make_column_transformer(
    (OneHotEncoder(), ["city"]),
    ("drop", ["zinc"]),
    remainder=make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False)),
)


def columns_of(original):
    return set(original) if isinstance(original, tuple) else {original}


def matter(model, table):
    """The columns without which the model predicts otherwise."""
    rng, before = np.random.default_rng(0), model.predict(table)
    changed = {
        name: model.predict(table.assign(**{name: rng.permutation(table[name])})) for name in table
    }
    return {name for name, after in changed.items() if not np.allclose(after, before)}


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_pipeline_is_walked_back_to_the_columns_of_the_table(output):
    encoder = OneHotEncoder(sparse_output=output == "default")
    prepared = clone(PREPARED).set_params(onehotencoder=encoder).set_output(transform=output)
    model = make_pipeline(prepared, SelectKBest(f_regression, k=20), ShrinkNetRegressor(0.1))
    nested = make_pipeline(make_pipeline(prepared, "passthrough"), make_pipeline(*model[1:]))
    for pipeline in (model, nested):
        pipeline.fit(TABLE, TARGET.rename("effect"))
        table = summary(pipeline)
        assert set().union(*map(columns_of, table["original"])) == matter(pipeline, TABLE)
        originals = table["original"].to_dict()
        assert originals["onehotencoder__city_Oslo"] == "city"
        assert originals["remainder__age dose"] == ("age", "dose")
        assert originals["remainder__ph"] == originals["remainder__ph^2"] == "ph"
        assert list(table.columns) == ["original", "norm", "effect", "switch"]
        of_last = summary(pipeline[-1])
        np.testing.assert_array_equal(of_last["norm"], table["norm"])


def test_frequencies_are_those_of_original_columns():
    pipeline = make_pipeline(clone(PREPARED), GroupLassoRegressor(0.3)).fit(TABLE, TARGET)
    often = selection_frequencies(pipeline, TABLE, TARGET, 6, random_state=0)
    assert often.shape == (7,)
    assert 0 < often[list(TABLE).index("city")] <= 1
    assert often[list(TABLE).index("zinc")] == 0
    table = summary(pipeline, often)
    assert list(table.columns)[-1] == "frequency"
    for original, share in zip(table["original"], table["frequency"], strict=True):
        if isinstance(original, tuple):
            assert np.isnan(share)
        else:
            assert share == often[list(TABLE).index(original)]
    assert table["frequency"].notna().any()


@pytest.mark.parametrize(
    "frequencies", [[0.5], np.ones((7, 1)), [2.0] * 7, [np.nan] * 7, 0.5], ids=range(5)
)
def test_wrong_frequencies_are_refused(frequencies):
    pipeline = make_pipeline(clone(PREPARED), GroupLassoRegressor(0.3)).fit(TABLE, TARGET)
    with pytest.raises(ValueError, match="give shares between 0 and 1, 7, one per column of the X"):
        summary(pipeline, frequencies)


def test_what_is_not_known_is_missing():
    kept = GroupLassoRegressor(0.01)
    pipeline = make_pipeline(StandardScaler(), PCA(2), kept).fit(X, TARGET)
    table = pipeline[-1].summary([0.5, 1])
    assert list(table["original"]) == list(table.index)
    assert set(table.index) == {"x0", "x1"}
    table = summary(pipeline, np.ones(6))
    assert set(table.index) == {"pca0", "pca1"}
    assert table["original"].isna().all()
    assert table["frequency"].isna().all()
    unnamed = make_pipeline(FunctionTransformer(np.cbrt), kept).fit(X, TARGET)
    assert summary(unnamed)["original"].isna().all()
    assert set(summary(unnamed).index) <= set(X.columns)


def test_what_cannot_be_summarised_is_refused():
    search = GridSearchCV(GroupLassoRegressor(), {"alpha": [0.1]}).fit(X, Y)
    for model in (
        search,
        Lasso(),
        make_pipeline(Lasso()),
        None,
        "passthrough",
        GroupLassoRegressor,
    ):
        with pytest.raises(TypeError, match="give a fitted linear estimator of shrinklin"):
            summary(model)
    assert len(summary(search.best_estimator_)) > 0
    with pytest.raises(NotFittedError):
        summary(GroupLassoRegressor())
    with pytest.raises(NotFittedError):
        make_pipeline(StandardScaler(), GroupLassoRegressor())[-1].summary()


def test_without_pandas_the_error_names_it(monkeypatch):
    model = GroupLassoRegressor(0.3).fit(X, Y)
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="summary needs pandas"):
        summary(model)


@pytest.mark.parametrize("classes", [False, True])
def test_of_a_path_the_tables_follow_each_other(classes):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 5)), columns=list("abcde"))
    y = np.where(X["b"] > 0, "u", "v") if classes else X[["b", "d"]].rename(columns=str.upper)
    estimator = ShrinkNetClassifier(ridge=0.1) if classes else ShrinkNetRegressor()
    path = regularization_path(estimator, X, y, alphas=5)
    frequencies = np.linspace(0, 1, 5)
    found = summary(path, frequencies)
    assert found.index.names == ["alpha", "feature"]
    for model in path:
        alone = summary(model, frequencies)
        if len(alone):
            pd.testing.assert_frame_equal(found.loc[model.alpha], alone)
        else:
            assert model.alpha not in found.index
    assert len(found) == path.n_selected.sum()
    pd.testing.assert_frame_equal(
        summary(path.refit(X, y)[2:3]).loc[path.alphas[2]], summary(path.refit(X, y)[2])
    )
    nothing = regularization_path(estimator, X, y, alphas=[1e3, 1e2])
    empty = summary(nothing)
    assert len(empty) == 0
    assert list(empty.columns) == list(summary(path).columns)
    with pytest.raises(ValueError, match="this path has no models"):
        summary(path[:0])
