"""Models that were kept on disk are read, and one of another version says so."""

import copy
import pickle
import pickletools
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import shrinklin
from make_pickles import FOLDER
from shrinklin import GroupLassoRegressor, GroupLassoRegressorCV

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
    message = f"This {type(model).__name__} was pickled by {said} and is read by {said_now()}: "
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
