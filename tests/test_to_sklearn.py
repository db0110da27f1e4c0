"""Models to take away: pipelines of scikit-learn that predict the same, and other formats."""

import pickle
import pickletools
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from problems import simulate, simulate_classes
from shrinklin import (
    AutoSparseRegressor,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
)
from test_pickles import FILES, load

X, Y = simulate(50, 12, 3, noise=0.3)
NAMES = [f"feature {j}" for j in range(12)]
FRAME = pd.DataFrame(X, columns=NAMES)
CODES = simulate_classes(50, 12, 3)[1]
FRESH = simulate(40, 12, seed=1)[0]

MODELS = {
    "several targets": lambda: ShrinkNetRegressor(0.1).fit(X, Y),
    "one target": lambda: ShrinkNetRegressor(0.1).fit(X, Y[:, 0]),
    "one column": lambda: GroupLassoRegressor(0.1).fit(X, Y[:, :1]),
    "without intercept": lambda: GroupLassoRegressor(0.1, fit_intercept=False).fit(X + 1, Y),
    "whole numbers": lambda: GroupLassoRegressor(5.0).fit((10 * X).astype(int), Y),
    "search": lambda: GroupLassoRegressorCV(10, cv=3).fit(X, Y),
    "refit": lambda: GroupLassoRegressorCV(5, cv=3, relax=True).fit(X, Y[:, 1]),
    "criterion": lambda: InformationCriterion(ShrinkNetRegressor(), alphas=5).fit(X, Y),
    "criterion of classes": lambda: InformationCriterion(GroupLassoClassifier(), alphas=5).fit(
        X, CODES
    ),
    "two classes": lambda: ShrinkNetClassifier(0.02).fit(X, CODES > 0),
    "three classes": lambda: ShrinkNetClassifier(0.02).fit(X, CODES),
    "words": lambda: GroupLassoClassifier(0.02).fit(X, np.array(["b", "a", "c"])[CODES]),
    "two words": lambda: GroupLassoClassifier(0.02).fit(
        X, [["no", "yes"][int(k > 0)] for k in CODES]
    ),
    "words as objects": lambda: GroupLassoClassifier(0.02, fit_intercept=False).fit(
        X, np.array(["long", "s", "longer"], dtype=object)[CODES]
    ),
    "search of classes": lambda: GroupLassoClassifierCV(3, cv=2, ridges=0.0).fit(X, CODES),
    "empty": lambda: ShrinkNetRegressor(1e3).fit(X, Y),
    "empty, one target": lambda: ShrinkNetRegressor(1e3).fit(X, Y[:, 0]),
    "empty of classes": lambda: GroupLassoClassifier(1e3).fit(X, CODES),
    "empty of two classes": lambda: GroupLassoClassifier(1e3).fit(X, CODES > 0),
    "stream": lambda: GroupLassoClassifier(0.1, random_state=0).partial_fit(X, CODES, [0, 1, 2, 3]),
}


def methods(model):
    classifies = hasattr(model, "classes_")
    return ["predict", *["decision_function", "predict_proba"] * classifies]


def assert_predict_the_same(model, plain, X, tolerance=1e-12):
    inner = getattr(model, "estimator_", model)
    for method in methods(inner):
        expected, found = getattr(inner, method)(X), getattr(plain, method)(X)
        assert found.shape == expected.shape
        if expected.dtype.kind == "f" and not (method == "predict" and hasattr(inner, "classes_")):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)
        else:
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    if hasattr(inner, "classes_"):
        np.testing.assert_array_equal(plain.classes_, inner.classes_)
        assert plain.classes_ is not inner.classes_


@pytest.mark.parametrize("name", MODELS)
def test_the_plain_model_predicts_the_same(name):
    model = MODELS[name]()
    plain = model.to_sklearn()
    kept = np.flatnonzero(model.get_support())
    last = plain[-1]
    assert type(last) is (LogisticRegression if hasattr(model, "classes_") else LinearRegression)
    assert last.coef_.shape[-1] == last.n_features_in_ == max(1, len(kept))
    inner = getattr(model, "estimator_", model)
    np.testing.assert_array_equal(last.coef_[..., : len(kept)], inner.coef_[..., kept])
    assert plain.n_features_in_ == 12
    assert not hasattr(plain, "feature_names_in_")
    assert_predict_the_same(model, plain, FRESH)
    assert_predict_the_same(model, plain, FRESH.tolist())
    for matrix in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        thinned = matrix(np.where(np.abs(FRESH) > 0.8, FRESH, 0))
        assert_predict_the_same(model, plain, thinned)


def test_the_plain_model_is_a_copy():
    model = ShrinkNetRegressor(0.1).fit(X, Y)
    plain, before = model.to_sklearn(), model.predict(FRESH)
    plain[-1].coef_[:] = 0
    plain[-1].intercept_[:] = 0
    np.testing.assert_array_equal(model.predict(FRESH), before)


@pytest.mark.parametrize("name", ["several targets", "two words", "empty"])
def test_it_needs_no_shrinklin(name):
    plain = MODELS[name]().to_sklearn()
    content = pickle.dumps(plain)
    words = [text for _, text, _ in pickletools.genops(content) if isinstance(text, str)]
    assert not [text for text in words if "shrinklin" in text]
    np.testing.assert_array_equal(pickle.loads(content).predict(X), plain.predict(X))


@pytest.mark.parametrize("estimator", [ShrinkNetRegressor(0.1), GroupLassoClassifier(0.05)])
def test_columns_have_their_names(estimator):
    y = CODES if isinstance(estimator, GroupLassoClassifier) else Y
    model = clone(estimator).fit(FRAME, y)
    plain, fresh = model.to_sklearn(), pd.DataFrame(FRESH, columns=NAMES)
    assert plain.feature_names_in_.tolist() == NAMES
    assert_predict_the_same(model, plain, fresh)
    kept = list(model.get_feature_names_out())
    expected = plain.predict(fresh)
    assert plain[:-1].get_feature_names_out().tolist() == kept
    with pytest.raises(ValueError, match="feature names should match"):
        plain.predict(fresh[NAMES[::-1]])
    with sklearn.config_context(transform_output="pandas"):
        np.testing.assert_array_equal(model.to_sklearn().predict(fresh), expected)
        np.testing.assert_array_equal(plain.predict(fresh), expected)


@pytest.mark.parametrize("estimator", [ShrinkNetRegressor(0.1), ShrinkNetClassifier(0.05)])
def test_single_precision_stays(estimator):
    y = CODES if isinstance(estimator, ShrinkNetClassifier) else Y.astype(np.float32)
    model = clone(estimator).fit(X.astype(np.float32), y)
    plain = model.to_sklearn()
    assert plain[-1].coef_.dtype == model.coef_.dtype == np.float32
    assert_predict_the_same(model, plain, FRESH)
    # Sums of fewer terms round otherwise.
    assert_predict_the_same(model, plain, FRESH.astype(np.float32), 1e-5)


def test_a_model_of_any_candidate_can_be_taken(monkeypatch):
    monkeypatch.setattr(AutoSparseRegressor, "alphas", 5)
    monkeypatch.setattr(AutoSparseRegressor, "kinds", {"group lasso": (0.0,)})
    model = AutoSparseRegressor(cv=3).fit(X, Y)
    for other in (model, model.with_features(1), model.candidate(0)):
        assert_predict_the_same(other, other.to_sklearn(), FRESH)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_models_of_earlier_versions_can_be_taken(file):
    kept = load(file)
    assert_predict_the_same(kept["model"], kept["model"].to_sklearn(), kept["X"])
    assert kept["model"].summary().shape[0] == kept["model"].get_support().sum()


def test_the_plain_model_is_not_fitted_again():
    plain = ShrinkNetRegressor(0.1).fit(X, Y).to_sklearn()
    with pytest.raises(ValueError, match="'score_func' parameter of SelectKBest"):
        clone(plain).fit(X, Y)


def test_only_fitted_models_can_be_taken():
    for model in (GroupLassoRegressor(), InformationCriterion(GroupLassoRegressor())):
        with pytest.raises(NotFittedError):
            model.to_sklearn()


# A pipeline around the model.

TABLE = FRAME.assign(city=np.random.default_rng(0).choice(["Rome", "Oslo", "Bern"], 50))


def mixed(model):
    prepared = make_column_transformer(
        (OneHotEncoder(), ["city"]), remainder=StandardScaler(), sparse_threshold=0
    )
    return make_pipeline(prepared, model)


def plain_pipeline(pipeline):
    """As the documentation says."""
    return Pipeline([*pipeline.steps[:-1], ("model", pipeline[-1].to_sklearn())])


@pytest.mark.parametrize("model", [ShrinkNetRegressor(0.1), GroupLassoClassifier(0.02)])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_the_last_step_of_a_pipeline_can_be_replaced(model, output):
    y = CODES if isinstance(model, GroupLassoClassifier) else Y
    pipeline = mixed(clone(model)).set_params(columntransformer__onehotencoder__sparse_output=False)
    pipeline = pipeline.set_output(transform=output).fit(TABLE, y)
    plain = plain_pipeline(pipeline)
    assert b"shrinklin" not in pickle.dumps(plain)
    for method in methods(pipeline[-1]):
        expected, found = getattr(pipeline, method)(TABLE), getattr(plain, method)(TABLE)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


# ONNX and skops.


def onnx_outputs(model, inputs, **options):
    """What onnxruntime computes with the model, by the names of the outputs."""
    convert = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    with warnings.catch_warnings():
        # Of packages that skl2onnx uses, about their own future.
        warnings.simplefilter("ignore", DeprecationWarning)
        written = convert.to_onnx(model, inputs, options=options or None).SerializeToString()
    session = runtime.InferenceSession(written, providers=["CPUExecutionProvider"])
    given = inputs if isinstance(inputs, dict) else {session.get_inputs()[0].name: inputs}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


@pytest.mark.parametrize("name", ["several targets", "one target", "one column", "empty"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnx_predicts_the_targets(name, dtype):
    model = MODELS[name]()
    found = onnx_outputs(model.to_sklearn(), FRESH.astype(dtype))["variable"]
    expected = model.predict(FRESH).reshape(len(FRESH), -1)
    precision = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=precision, atol=precision)


@pytest.mark.parametrize(
    "name", ["two classes", "three classes", "words", "two words", "empty of classes"]
)
def test_onnx_predicts_the_classes(name):
    model = MODELS[name]()
    found = onnx_outputs(model.to_sklearn(), FRESH.astype(np.float32), zipmap=False)
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(FRESH), atol=1e-5)
    assert found["label"].tolist() == model.predict(FRESH).tolist()


def test_onnx_takes_a_pipeline_around_the_model():
    pipeline = make_pipeline(StandardScaler(), GroupLassoClassifier(0.02)).fit(X, CODES)
    found = onnx_outputs(plain_pipeline(pipeline), FRESH.astype(np.float32), zipmap=False)
    np.testing.assert_allclose(found["probabilities"], pipeline.predict_proba(FRESH), atol=1e-5)


def test_skops_takes_the_model():
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    for name in ("several targets", "two words"):
        model = MODELS[name]()
        written = skops.dumps(model.to_sklearn())
        assert skops.get_untrusted_types(data=written) == []
        assert_predict_the_same(model, skops.loads(written), FRESH)
