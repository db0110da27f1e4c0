"""Models that were kept on disk are read, and one of another version says so."""

import copy
import copyreg
import pickle
import pickletools
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import shrinklin
from make_pickles import FOLDER
from problems import simulate_classes
from shrinklin import (
    GradientDescent,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetClassifier,
    SignVariance,
    Threshold,
)
from shrinklin.gradient import descent, stream, training

FILES = sorted(FOLDER.glob("*.pkl"))
by_name = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def load(file):
    """What is in the file; a file of another version has to warn."""
    content = file.read_bytes()
    written_by = {text for op, text, _ in pickletools.genops(content) if isinstance(text, str)}
    if shrinklin.__version__ in written_by:
        return pickle.loads(content)
    with pytest.warns(UserWarning, match="was pickled by shrinklin"):
        return pickle.loads(content)


def test_there_is_a_file_of_every_kind_of_fit():
    assert len(FILES) == 9


@by_name
def test_kept_models_predict_what_they_did(file):
    kept = load(file)
    prediction = kept["model"].predict(kept["X"])
    if prediction.dtype.kind == "f":
        np.testing.assert_allclose(prediction, kept["prediction"], rtol=1e-12, atol=1e-14)
    else:
        assert prediction.tolist() == kept["prediction"].tolist()
    assert file.stat().st_size < 20_000


@by_name
def test_kept_models_work_on(file):
    kept = load(file)
    model, X = kept["model"], kept["X"]
    repr(model)
    assert model.get_support().shape == (4,)
    if file.stem in ("moments", "stream"):
        assert model.partial_fit(X, kept["prediction"]).coef_.shape[-1] == 4
    assert clone(model).get_params().keys() == model.get_params().keys()


def of_version(model, version):
    """The pickle of a model as another version would have written it."""
    state = model.__getstate__()
    assert state.pop("_shrinklin_version") == shrinklin.__version__
    state |= {} if version is None else {"_shrinklin_version": version}
    return pickle.dumps((type(model), state))


def read(content):
    cls, state = pickle.loads(content)
    model = cls.__new__(cls)
    model.__setstate__(state)
    return model


@pytest.mark.parametrize(
    ("version", "said"), [("0.0.1", "shrinklin 0.0.1"), (None, "shrinklin an unknown version")]
)
@pytest.mark.parametrize("model", [GroupLassoRegressor(0.1), GroupLassoRegressorCV(3, cv=3)])
def test_a_model_of_another_version_says_so(model, version, said):
    model.fit(np.eye(6), np.arange(6.0))
    message = f"This {type(model).__name__} was pickled by {said} and is loaded by {said_now()}: "
    with pytest.warns(UserWarning, match=message) as caught:
        old = read(of_version(model, version))
    assert Path(caught[0].filename) == Path(__file__)
    np.testing.assert_array_equal(old.predict(np.eye(6)), model.predict(np.eye(6)))


def said_now():
    return shrinklin.__version__.replace(".", r"\.")


def test_the_version_is_not_an_attribute():
    model = GroupLassoRegressor(0.1).fit(np.eye(6), np.arange(6.0))
    before = dict(vars(model))
    for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert vars(again).keys() == before.keys()
    assert vars(model).keys() == before.keys()


def test_the_same_version_is_silent():
    model = GroupLassoRegressor(0.1).fit(np.eye(6), np.arange(6.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(of_version(model, shrinklin.__version__)).alpha == 0.1


# --- streams of 0.1.0


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("GradientDescent", descent.GradientDescent),
        ("Stream", stream.Stream),
        ("Training", training.Training),
        ("Trained", training.Trained),
        ("_Point", training.Point),
    ],
)
def test_classes_of_gradient_training_are_found_under_their_old_names(name, now):
    assert pickle.loads(f"cshrinklin.solvers.gradient_descent\n{name}\n.".encode()) is now


class Pickler010(pickle.Pickler):
    """Writes a stream as 0.1.0 did, which had no `Pruner`."""

    def reducer_override(self, obj):
        if not isinstance(obj, stream.Stream):
            return NotImplemented
        state = dict(vars(obj))
        pruner = state.pop("pruner")
        state |= {"memory": pruner.memory, "previous": pruner.previous}
        state |= {"strategy": type(pruner.removal), "records": [], "best": None}
        state |= {"first": np.inf, "least": np.inf, "waited": 0}
        return copyreg.__newobj__, (stream.Stream,), state


def kept_by_0_1_0(model):
    file = BytesIO()
    Pickler010(file, protocol=4).dump(model)
    assert b"pruner" not in file.getvalue()
    return pickle.loads(file.getvalue())


def learn(model, chunks):
    for X, y in chunks:
        model.partial_fit(X, y, classes=[0, 1, 2])
    return model


def assert_same(model, other):
    for name in ("coef_", "intercept_", "switch_", "weight_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(other, name))
    assert model.cost_ == other.cost_


CHUNKS = list(zip(*(np.split(rows, 24) for rows in simulate_classes(480, 16, 3)), strict=True))


@pytest.mark.parametrize(
    ("optimizer", "batch_size", "gamma"),
    [("adagrad", None, 0.95), ("adagrad", 7, 0.99), ("adam", 7, 0.99)],
)
def test_a_stream_of_0_1_0_goes_on_in_the_midst_of_removal(optimizer, batch_size, gamma):
    # After 12 chunks some features have left, and what is remembered decides on others.
    removal = SignVariance(gamma)
    solver = GradientDescent(optimizer, learning_rate=0.1, batch_size=batch_size, removal=removal)
    model = learn(ShrinkNetClassifier(0.1, solver=solver, random_state=0), CHUNKS[:12])
    n_left = model.get_support().sum()
    old, forgetful = kept_by_0_1_0(model), kept_by_0_1_0(model)
    forgetful._stream.pruner.memory = {}
    learn(model, CHUNKS[12:])
    assert 0 < model.get_support().sum() < n_left < 16
    assert_same(learn(old, CHUNKS[12:]), model)
    assert vars(old._stream).keys() == vars(model._stream).keys()
    with pytest.raises(AssertionError):
        assert_same(learn(forgetful, CHUNKS[12:]), model)


def test_a_stream_of_0_1_0_whose_strategy_was_replaced_begins_without_memory():
    solver = GradientDescent(learning_rate=0.1, removal=SignVariance(0.95))
    model = learn(ShrinkNetClassifier(0.1, solver=solver, random_state=0), CHUNKS[:12])
    # The next call refuses the parameter, and not the pickle.
    model.set_params(solver__removal=Threshold(-1))
    old = kept_by_0_1_0(model)
    assert old._stream.pruner.memory == {}
    with pytest.raises(ValueError, match="value=-1: give a finite number >= 0"):
        learn(old, CHUNKS[12:])
    for each in (model, old):
        learn(each.set_params(solver__removal=Threshold(0.05)), CHUNKS[12:])
    assert_same(old, model)
    assert model.cost_.removals[-1][0] > 12
