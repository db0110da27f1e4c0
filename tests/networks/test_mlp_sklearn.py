"""The estimators for tables as scikit-learn's tools use them, and wrong input."""

import pickle
from io import BytesIO

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from shrinklin import Annealing, Threshold
from shrinklin.networks import ShrinkNetMLPClassifier, ShrinkNetMLPRegressor
from tests.networks.tables import ESTIMATORS, linnerud, table_for, wine

every_kind = pytest.mark.parametrize("kind", ESTIMATORS)
WRONG = [
    ({"hidden_layer_sizes": ()}, r"hidden_layer_sizes=\(\): give a whole number, or a list"),
    ({"hidden_layer_sizes": "100"}, "hidden_layer_sizes='100': give a whole number, or a list"),
    ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes=0: give a whole number >= 1"),
    ({"alpha": -1}, "alpha=-1: give a finite number >= 0"),
    ({"weight_decay": np.inf}, "weight_decay=inf: give a finite number >= 0"),
    ({"p": 0}, "p=0: give a finite number > 0"),
    ({"n_features": 0}, "n_features=0: give a whole number >= 1"),
    ({"n_features": 99}, "n_features=99 is more than the 1[03] features that there are"),
    ({"n_features": 2, "removal": None}, "n_features=2 and removal=None both decide"),
    ({"removal": "often"}, "removal='often': give \"auto\", None, an instance"),
    ({"removal": {"1": Threshold()}}, "removal has layer '1', which has no switches"),
    ({"removal": Annealing(200)}, "n_features=200 is more than the 2[25] units"),
    ({"optimizer": "lbfgs"}, "optimizer='lbfgs': give \"adam\", \"sgd\", or a class of torch.opt"),
    ({"optimizer": torch.optim.LBFGS}, "LBFGS mixes the entries"),
    ({"learning_rate": 0}, "learning_rate=0: give a finite number > 0"),
    ({"batch_size": 0.5}, "batch_size=0.5: give a whole number >= 1"),
    ({"max_epochs": 0}, "max_epochs=0: give a whole number >= 1"),
    ({"early_stopping": True, "validation_fraction": 1}, "validation_fraction=1: give a number in"),
    ({"early_stopping": True, "validation_fraction": 0.999}, "cannot hold out validation_fraction"),
    ({"device": "abacus"}, "device='abacus' cannot be used"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs
@parametrize_with_checks(
    [ShrinkNetMLPRegressor((10,), max_epochs=40), ShrinkNetMLPClassifier((10,), max_epochs=40)]
)
def test_check_estimator(estimator, check):
    check(estimator)


@every_kind
@pytest.mark.parametrize(
    ("parameters", "message"),
    WRONG,
    ids=[str(w[0]) for w in WRONG[:13]] + [str(i) for i in range(len(WRONG) - 13)],
)
def test_wrong_parameters_are_refused(kind, parameters, message):
    X, y = table_for(kind)
    model = clone(ESTIMATORS[kind]).set_params(**parameters)
    if kind == "regressor" and parameters.get("validation_fraction") == 0.999:
        X, y = X[:1], y[:1]
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X, y)
    assert not hasattr(model, "module_")


@every_kind
def test_wrong_data_are_refused(kind):
    X, y = table_for(kind)
    model = clone(ESTIMATORS[kind])
    with pytest.raises(TypeError, match="Sparse data was passed"):
        model.fit(sparse.csr_array(X), y)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(X[0, 0] == X, np.nan, X), y)
    with pytest.raises(ValueError, match="negative entries"):
        model.fit(X, y, sample_weight=-np.ones(len(y)))
    with pytest.warns(UserWarning, match="sum to 1, and the default alpha"):
        model.fit(X, y, sample_weight=np.full(len(y), 1 / len(y)))


@every_kind
def test_search_pipeline_and_workers(kind):
    X, y = table_for(kind)
    pipeline = make_pipeline(FunctionTransformer(), clone(ESTIMATORS[kind]))
    step = pipeline.steps[-1][0]
    search = GridSearchCV(pipeline, {f"{step}__n_features": [2, 5]}, cv=2).fit(X, y)
    assert search.best_estimator_[-1].layer_sizes_[0] in (2, 5)
    scores = [cross_val_score(pipeline, X, y, cv=3, n_jobs=n) for n in (1, 2)]
    np.testing.assert_array_equal(*scores)


@every_kind
def test_columns_keep_their_names(kind):
    X, y = table_for(kind)
    frame = pd.DataFrame(X, columns=[f"column {j}" for j in range(X.shape[1])])
    model = clone(ESTIMATORS[kind]).set_params(n_features=3).fit(frame, y)
    chosen = model.set_output(transform="pandas").transform(frame)
    assert list(chosen.columns) == list(model.get_feature_names_out())
    assert list(chosen.columns) == list(frame.columns[model.get_support()])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])


@every_kind
def test_pickles(kind):
    X, y = table_for(kind)
    model = clone(ESTIMATORS[kind]).fit(X, y)
    file = BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    for loaded in (pickle.loads(pickle.dumps(model)), joblib.load(file)):
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert next(loaded.module_.parameters()).device.type == "cpu"


def part_by_part(kind, model, X, y, stored):
    labels = {"classes": np.unique(y)} if kind == "classifier" else {}
    for rows in np.array_split(np.random.default_rng(0).permutation(len(y)), 6):
        model.partial_fit(X[rows], y[rows], **labels)
        model = pickle.loads(pickle.dumps(model)) if stored else model
    return model


@every_kind
def test_partial_fit_goes_on_and_a_stored_one_with_the_same_bits(kind):
    X, y = table_for(kind)
    # Default penalties would be those for the rows of the first call.
    model = clone(ESTIMATORS[kind]).set_params(batch_size=10, alpha=1e-3, weight_decay=1e-3)
    whole = part_by_part(kind, clone(model), X, y, stored=False)
    assert whole.n_epochs_ == 6
    other = part_by_part(kind, clone(model), X, y, stored=True)
    np.testing.assert_array_equal(whole.predict(X), other.predict(X))
    for _ in range(5):
        whole = part_by_part(kind, whole, X, y, stored=False)
    assert whole.score(X, y) > other.score(X, y) - 0.05
    assert whole.score(X, y) > 0.6
    # After a fit it starts from the fitted network.
    fitted = clone(ESTIMATORS[kind]).set_params(n_features=3).fit(X, y)
    assert fitted.partial_fit(X, y).layer_sizes_[0] == 3


def test_partial_fit_refuses_other_data():
    X, y = wine()
    model = clone(ESTIMATORS["classifier"])
    with pytest.raises(ValueError, match="classes=None in the first call"):
        model.partial_fit(X, y)
    model.partial_fit(X[:90], y[:90], classes=np.unique(y))
    with pytest.raises(ValueError, match="X has 5 features"):
        model.partial_fit(X[:, :5], y)
    with pytest.raises(ValueError, match="not among the classes"):
        model.partial_fit(X, np.full(len(y), "riesling"))
    with pytest.raises(ValueError, match="balanced"):
        clone(model).set_params(class_weight="balanced").partial_fit(X, y, np.unique(y))
    X, Y = linnerud()
    regressor = clone(ESTIMATORS["regressor"]).partial_fit(X, Y)
    with pytest.raises(ValueError, match="y has 1 targets, but the network has 3"):
        regressor.partial_fit(X, Y[:, 0])


def test_several_targets():
    X, Y = linnerud()
    model = clone(ESTIMATORS["regressor"]).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.layer_sizes_[-1] == 3
    one = clone(ESTIMATORS["regressor"]).fit(X, Y[:, :1])
    assert one.predict(X).shape == (20, 1)
    assert clone(one).fit(X, Y[:, 0]).predict(X).shape == (20,)


@every_kind
def test_history_has_every_epoch(kind):
    X, y = table_for(kind)
    model = clone(ESTIMATORS[kind]).fit(X, y)
    assert len(model.history_["epoch"]) == 31
    assert list(model.history_["layer_sizes"]) == ["input", "0"]
    assert model.history_["layer_sizes"]["input"][-1] == model.layer_sizes_[0]
    assert model.cost_.parameter_updates > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@every_kind
def test_model_of_a_gpu_predicts_on_the_cpu(kind):
    X, y = table_for(kind)
    model = clone(ESTIMATORS[kind]).set_params(device="cuda").fit(X, y)
    assert next(model.module_.parameters()).device.type == "cpu"
    assert np.isfinite(pickle.loads(pickle.dumps(model)).score(X, y))
