"""Fuzz the input layer: bytes become parameters and arrays for the estimators.

What may happen: a ValueError or TypeError with a sentence, or a model of finite numbers.

    python -m fuzz.inputs -max_total_time=300
"""

import sys
import warnings
from pathlib import Path

import atheris
import numpy as np
from scipy import sparse

# Numba compiles the proxes, which it cannot do if they are instrumented.
COMPILED = Path(__file__).parents[1].glob("shrinklin/penalties/*.py")
EXCLUDED = [f"shrinklin.penalties.{file.stem}" for file in COMPILED]
with atheris.instrument_imports(include=["shrinklin"], exclude=EXCLUDED):
    import shrinklin
    from shrinklin import groups  # noqa: F401
    from shrinklin.data import moments  # noqa: F401
    from shrinklin.estimators import base, classifiers, regressors  # noqa: F401
    from shrinklin.validation import data, entries, parameters, weights  # noqa: F401

ESTIMATORS = [
    shrinklin.GroupLassoRegressor,
    shrinklin.ShrinkNetRegressor,
    shrinklin.GroupLassoClassifier,
    shrinklin.ShrinkNetClassifier,
]
VALUES = [
    0, 1, -1, 0.5, 2, 3, 1e-320, 1e-160, 1e-100, 1e-8, 1e8, 1e100, 1e160, 1e308,
    float("nan"), float("inf"), -float("inf"), None, True, "a", "", "auto", b"a", 1j, 10**400,
    [], {}, (1,), np.float32(0.1), np.int8(-3), np.nan, np.array([1.0]), np.array(0.1),
]  # fmt: skip
DTYPES = ["f8", "f8", "f8", "f4", "i8", "u1", "?", "O", "U3", "c16", "M8[s]", "f2", "longdouble"]
PARAMETERS = {
    "alpha": None, "tol": None, "fit_intercept": None, "warm_start": None, "max_iter": [1, 7, 50],
    "groups": None, "feature_weights": None, "random_state": None, "solver": None,
    "weight_decay": None, "p": None, "class_weight": None,
}  # fmt: skip


def array(data, shape):
    """An array of that shape, of few distinct values of any type."""
    size = int(np.prod(shape))
    dtype = data.PickValueInList(DTYPES)
    numbers = [value for value in VALUES if isinstance(value, int | float) and abs(value) <= np.inf]
    if data.ConsumeIntInRange(0, 3) and dtype[0] == "f":
        # Most are data that could be meant.
        rng = np.random.default_rng(data.ConsumeIntInRange(0, 255))
        values = rng.normal(size=shape) * 10.0 ** data.ConsumeIntInRange(-160, 160)
        if size and data.ConsumeBool():
            floats = [value for value in numbers if isinstance(value, float)]
            values.flat[data.ConsumeIntInRange(0, size - 1)] = data.PickValueInList(floats)
    else:
        single = [value for value in VALUES if np.ndim(value) == 0 and value is not VALUES[-1]]
        choices = single if dtype == "O" else numbers
        values = np.empty(size, object)
        for i in range(size):
            values[i] = data.PickValueInList(choices)
        values = values.reshape(shape)
    try:
        with np.errstate(over="ignore"):
            return values.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return values


def table(data, n_samples, n_features):
    X = array(data, (n_samples, n_features))
    layout = data.ConsumeIntInRange(0, 7)
    if layout == 0 and X.dtype.kind in "biuf" and X.dtype != np.float16:
        return sparse.csr_array(X)
    if layout == 1:
        return X.tolist()
    return X[0] if layout == 2 and n_samples else X


def labels_or_numbers(data, n):
    kind = data.ConsumeIntInRange(0, 4)
    if kind < 2:
        return np.arange(n) % data.ConsumeIntInRange(1, 4)
    if kind == 2:
        return [data.PickValueInList(["a", "b", "c", None, 1]) for _ in range(n)]
    return array(data, (n,) if data.ConsumeBool() else (n, data.ConsumeIntInRange(0, 3)))


def parameters(data, estimator, n_features):
    own = estimator.get_params()
    given = {}
    for name, choices in PARAMETERS.items():
        if name not in own or data.ConsumeIntInRange(0, 3):
            continue
        if name in ("groups", "feature_weights") and data.ConsumeBool():
            given[name] = [data.PickValueInList(VALUES) for _ in range(n_features)]
        else:
            given[name] = data.PickValueInList(choices or VALUES)
    return given


def check_message(error):
    assert isinstance(error, ValueError | TypeError), repr(error)
    assert len(str(error)) > 20, repr(error)


def fuzz_estimators(raw):
    data = atheris.FuzzedDataProvider(raw)
    estimator = data.PickValueInList(ESTIMATORS)(max_iter=50)
    n_samples, n_features = data.ConsumeIntInRange(0, 6), data.ConsumeIntInRange(0, 4)
    estimator.set_params(**parameters(data, estimator, n_features))
    X = table(data, n_samples, n_features)
    y = labels_or_numbers(data, n_samples + data.PickValueInList([0, 0, 0, 1]))
    s = array(data, (n_samples,)) if data.ConsumeIntInRange(0, 3) == 0 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if data.ConsumeIntInRange(0, 4):
                estimator.fit(X, y, s)
            else:
                chunk = {"classes": np.unique(y)} if hasattr(estimator, "class_weight") else {}
                estimator.partial_fit(X, y, sample_weight=s, **chunk)
        except (ValueError, TypeError) as error:
            check_message(error)
            return
        check_model(estimator, X, s)


def check_model(model, X, s):
    assert np.isfinite(model.coef_).all(), model
    assert np.isfinite(model.intercept_).all(), model
    assert np.isfinite(model.objective_), model
    try:
        assert len(model.predict(X)) == (X.shape[0] if hasattr(X, "shape") else len(X))
    except ValueError as error:
        # A row of no weight, or next to none, may be of any size.
        if s is None or "the predictions are too large" not in str(error):
            raise


def main():
    # An input is one problem: long from the beginning, and no longer than that takes.
    atheris.Setup([*sys.argv, "-len_control=0", "-max_len=256"], fuzz_estimators)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
