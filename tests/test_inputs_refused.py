"""Masked entries, dates and other entries that are not numbers are refused everywhere."""

import datetime

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from entry_points import (
    ALPHAS,
    CLASSIFIER,
    CODES,
    DAYS,
    DENSE,
    FITS,
    FRAME,
    OF_WEIGHTS,
    OF_X,
    OF_Y,
    PATH,
    REGRESSOR,
    N,
    P,
    S,
    Y,
)
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    Moments,
    regularization_path,
)


def hidden(values):
    """An array with one entry, or one row, masked."""
    mask = np.zeros(np.shape(values), dtype=bool)
    mask[1] = True
    return np.ma.array(values, mask=mask)


@pytest.mark.parametrize("name", OF_X)
def test_masked_entries_of_X_are_refused(name):
    in_memory = name != "blocks of dask"
    for X in [hidden(DENSE)] + [list(hidden(DENSE))] * in_memory:
        with pytest.raises(ValueError, match=f"X has {P} masked entries: fill them in"):
            OF_X[name](X)
    unhidden = np.ma.array(DENSE, mask=np.zeros((N, P), dtype=bool))
    if in_memory:
        np.testing.assert_array_equal(OF_X[name](unhidden), OF_X[name](DENSE))


@pytest.mark.parametrize("name", OF_Y)
def test_a_y_that_is_not_given_is_asked_for(name):
    read, _ = OF_Y[name]
    with pytest.raises(ValueError, match=r"y is None: give|Y has shape \(\): give"):
        read(None)


@pytest.mark.parametrize("name", OF_Y)
def test_masked_entries_of_y_are_refused(name):
    read, y = OF_Y[name]
    for masked in (hidden(y), [*y[:-1], np.ma.masked]):
        with pytest.raises(ValueError, match=r"[yY] has 1 masked entries: fill them in"):
            read(masked)
    np.testing.assert_array_equal(read(np.ma.array(y)), read(y))


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_masked_weights_are_refused(name):
    for masked in (hidden(S), hidden(0 * S)):
        with pytest.raises(ValueError, match="sample_weight has 1 masked entries: fill them in"):
            OF_WEIGHTS[name](masked)
    np.testing.assert_array_equal(OF_WEIGHTS[name](np.ma.array(S)), OF_WEIGHTS[name](S))


@pytest.mark.parametrize("name", ["groups", "feature_weights"])
def test_masked_parameters_are_refused(name):
    values = np.array([1, 1, 2, 2, 3, 3])
    with pytest.raises(ValueError, match=f"{name} has 1 masked entries"):
        GroupLassoRegressor(**{name: hidden(values)}).fit(DENSE, Y)
    model, plain = (
        GroupLassoRegressor(**{name: given}).fit(DENSE, Y)
        for given in (np.ma.array(values), values)
    )
    np.testing.assert_array_equal(model.coef_, plain.coef_)


def test_other_masked_arrays_are_refused():
    with pytest.raises(ValueError, match="it has 1 masked entries"):
        regularization_path(REGRESSOR, DENSE, Y, alphas=hidden(ALPHAS))
    with pytest.raises(ValueError, match="classes has 1 masked entries"):
        GroupLassoClassifier().partial_fit(DENSE, CODES, classes=hidden([0, 1]))


DATES = {
    "dates": DAYS,
    "days": DAYS.values.astype("datetime64[D]"),
    "with a time zone": DAYS.tz_localize("UTC"),
    "spans": DAYS - DAYS[0],
    "periods": DAYS.to_period("D"),
    "categories": pd.Categorical(DAYS),
    "objects": pd.Series([day.date() for day in DAYS], dtype=object),
    "objects of numpy": pd.Series(list(DAYS.values), dtype=object),
    "spans as objects": pd.Series(list((DAYS - DAYS[0]).to_pytimedelta()), dtype=object),
}
A_DATE = "[xXyY] has entries that are not real numbers, but dates or times"
READ_ANYTHING = {"transform", "inverse_transform", "transform of a criterion", "blocks of dask"}


@pytest.mark.parametrize("kind", DATES)
@pytest.mark.parametrize("name", sorted(OF_X.keys() - READ_ANYTHING))
def test_dates_among_the_features_are_refused(name, kind):
    alone = pd.DataFrame({"t": DATES[kind]})
    for X in (alone, alone.assign(b=1.0), FRAME.assign(c=DATES[kind])):
        with pytest.raises(ValueError, match=f"{A_DATE} .* in column '[tc]'.* give, for instance"):
            OF_X[name](X)
    values = alone.to_numpy()
    for X in (values, values.tolist(), [list(row) for row in values]):
        if not isinstance(X[0][0], int):  # numpy turns nanoseconds into int
            with pytest.raises(ValueError, match=A_DATE):
                OF_X[name](X)


@pytest.mark.parametrize("kind", DATES)
@pytest.mark.parametrize("name", FITS)
def test_dates_to_predict_are_refused(name, kind):
    for y in (pd.Series(DATES[kind]), pd.DataFrame({"y": Y, "t": DATES[kind]})):
        with pytest.raises(ValueError, match=A_DATE):
            FITS[name](DENSE, y, None)
        with pytest.raises(ValueError, match=A_DATE):
            PATH.mean_squared_errors(DENSE, y)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([pd.NA, *Y[1:]], ValueError, "in 1 of 6 columns: 'c'. Fill in missing values"),
        (pd.array([None, *range(1, N)], dtype="Int64"), ValueError, "NaN"),
        (Y * 1j, ValueError, "takes real numbers. Give the real and the imaginary parts as two"),
        (["a"] * N, ValueError, "X has text or categories in 1 of"),
        ([{}] * N, ValueError, "X has lists, records or other objects in 1 of"),
        ([object()] * N, TypeError, "was given entries that are not real numbers"),
        (pd.interval_range(0, N), TypeError, "was given entries that are not real numbers"),
    ],
)
@pytest.mark.parametrize("model", [REGRESSOR, CLASSIFIER], ids=["regressor", "classifier"])
def test_columns_of_what_is_no_number_get_one_sentence(model, values, error, message):
    frame = FRAME.assign(c=pd.Series(list(values)) if isinstance(values, list) else values)
    y = CODES if model is CLASSIFIER else Y
    for read in (lambda X: clone(model).fit(X, y), clone(model).fit(FRAME, y).predict):
        with pytest.raises(error, match=message):
            read(frame)


NO_NUMBERS = [
    ([1, "1", 1, 1, 1, 1], "it holds str"),
    ([True, False] * 3, "it holds bool"),
    ([1.5, True] * 3, "it holds bool"),
    (np.array([1.5, True] * 3, dtype=object), "it holds bool"),
    (np.array([1, "1"] * 3, dtype=object), "it holds str"),
    (["1"] * 6, "it holds str"),
    (np.array(["1"] * 6), "it holds str_"),
    ([None, 1, 1, 1, 1, 1], "it holds NoneType"),
    (pd.Series([pd.NA, 1, 1, 1, 1, 1]), "it holds NAType"),
    ([1j] * 6, "it holds complex"),
    (np.ones(6, dtype="datetime64[D]"), "it holds datetime64"),
    ([datetime.date(2020, 1, 1)] * 6, "it holds date"),
    ([10**400] * 6, "too large"),
]
NUMBERS = [
    [1, 2.5, 3, 4, 5, 6],
    [np.float32(1), 2.5, np.int8(3), 4, 5, 6],
    np.array([1, 2.5, 3, 4, 5, 6], dtype=object),
    pd.Series([1, 2.5, 3, 4, 5, 6], dtype="Float64"),
    (1, 2.5, 3, 4, 5, 6),
]


def takes(name, values):
    """What is computed with these six values of the parameter `name`."""
    if name == "alphas":
        return regularization_path(REGRESSOR, DENSE, Y, alphas=values).coefs
    if name == "alphas of a search":
        return GroupLassoRegressorCV(values, cv=2).fit(DENSE, 10 * Y).cv_scores_
    if name == "feature_weights":
        return clone(REGRESSOR).set_params(feature_weights=values).fit(DENSE, Y).coef_
    model = GroupLassoRegressor(alpha=0.0)
    return model.fit(DENSE[:6, :2], Y[:6], values).coef_


ARRAYS_OF_NUMBERS = ["alphas", "alphas of a search", "feature_weights", "sample_weight"]


@pytest.mark.parametrize("name", ARRAYS_OF_NUMBERS)
@pytest.mark.parametrize(("values", "message"), NO_NUMBERS)
def test_arrays_of_what_is_no_number_are_refused(name, values, message):
    if name == "sample_weight" and np.asarray(values).dtype == bool:
        # A mask that leaves rows out.
        np.testing.assert_array_equal(takes(name, values), takes(name, 1.0 * np.array(values)))
        return
    with pytest.raises(ValueError, match=message):
        takes(name, values)


@pytest.mark.parametrize("name", ARRAYS_OF_NUMBERS)
@pytest.mark.parametrize("values", NUMBERS)
def test_arrays_of_numbers_of_any_kind_are_taken(name, values):
    np.testing.assert_array_equal(takes(name, values), takes(name, np.array(NUMBERS[0])))


@pytest.mark.parametrize("values", [[False] * N, [""] * N, ["0"] * N, hidden(0 * S)])
def test_weights_that_are_no_numbers_are_no_zeros(values):
    """Zero weights add nothing, but these are refused; only a mask is taken."""
    stream = GroupLassoClassifier(random_state=0).partial_fit(DENSE, CODES, classes=[0, 1])
    chunk = clone(REGRESSOR).partial_fit(DENSE, Y)
    for call in (
        lambda: stream.partial_fit(DENSE, CODES, sample_weight=values),
        lambda: chunk.partial_fit(DENSE, Y, sample_weight=values),
        lambda: Moments.from_chunks([(DENSE, Y), (DENSE, Y, values)]),
    ):
        if values[0] is False:
            call()
            continue
        with pytest.raises(ValueError, match="sample_weight"):
            call()
