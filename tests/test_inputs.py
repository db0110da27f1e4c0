"""What users give: never written to, aligned by name, and refused where it is no number."""

import datetime
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shrinklin import (
    CoordinateDescent,
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
    selection_frequencies,
)
from shrinklin.distributed import moments as moments_on_a_cluster
from shrinklin.validation.data import diagnosis

N, P = 40, 6
NAMES = list("abcdef")


def data():
    """Columns of which most entries are 0, a y of numbers and one of classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) * (rng.random((N, P)) < 0.4)
    y = X[:, 0] - X[:, 3] + 0.3 * rng.normal(size=N)
    return X, y, (y > np.median(y)).astype(int)


DENSE, Y, CODES = data()
FRAME = pd.DataFrame(DENSE, columns=NAMES)
S = np.linspace(0.5, 2.0, N)
ALPHAS = [0.1, 0.02]
REGRESSOR = GroupLassoRegressor(alpha=0.02, tol=1e-10)
CLASSIFIER = GroupLassoClassifier(alpha=0.02, tol=1e-10)
ALL_KEPT = GroupLassoRegressor(alpha=1e-6).fit(DENSE, Y)
FITTED_TO_NAMES = clone(REGRESSOR).fit(FRAME, Y)
FITTED, TOLD = clone(REGRESSOR).fit(DENSE, Y), clone(CLASSIFIER).fit(DENSE, CODES)
TRAINING = {"alpha": 0.02, "random_state": 0}
EPOCHS, BATCHES = GradientDescent(max_epochs=30), GradientDescent(max_epochs=30, batch_size=8)
PATH = regularization_path(REGRESSOR, DENSE, Y, alphas=ALPHAS)
PATH_OF_CLASSES = regularization_path(CLASSIFIER, DENSE, CODES, alphas=ALPHAS)


def followed(estimator):
    return lambda X, y, s: (
        regularization_path(estimator, X, y, alphas=ALPHAS, sample_weight=s).coefs
    )


def fitted(estimator):
    return lambda X, y, s: clone(estimator).fit(X, y, s).coef_


def streamed(estimator, **classes):
    def fit(X, y, s):
        model = clone(estimator).partial_fit(X, y, sample_weight=s, **classes)
        return model.partial_fit(X, y, sample_weight=s).coef_

    return fit


def in_blocks(X, y, s):
    block = da.from_delayed(dask.delayed(X, traverse=False), (N, P), float)
    s = None if s is None else da.from_array(s)
    return moments_on_a_cluster(block, da.from_array(y), s).xy


def resampled(X, y, s):
    estimator = GroupLassoRegressor(alpha=0.1)
    return selection_frequencies(estimator, X, y, 4, sample_weight=s, random_state=0)


# What fits, given X, y and the weights of the rows; those of classes below.
FITS = {
    "regressor": fitted(REGRESSOR),
    "groups": fitted(clone(REGRESSOR).set_params(groups=[0, 0, 1, 1, 2, 2])),
    "no Gram matrix": fitted(clone(REGRESSOR).set_params(solver=CoordinateDescent(gram=False))),
    "ShrinkNet": fitted(ShrinkNetRegressor(alpha=0.02, tol=1e-10)),
    "training": fitted(GroupLassoRegressor(**TRAINING, solver=EPOCHS)),
    "minibatches": fitted(ShrinkNetRegressor(**TRAINING, solver=BATCHES)),
    "partial_fit": streamed(REGRESSOR),
    "path": followed(REGRESSOR),
    "refit": lambda X, y, s: PATH.refit(X, y, s).coefs,
    "criterion": lambda X, y, s: (
        InformationCriterion(REGRESSOR, alphas=ALPHAS).fit(X, y, s).criteria_
    ),
    "cross-validation": fitted(GroupLassoRegressorCV(ALPHAS, cv=2)),
    "cross-validation by a scorer": fitted(GroupLassoRegressorCV(ALPHAS, cv=2, scoring="r2")),
    "moments": lambda X, y, s: Moments.from_data(X, y, s).xy,
    "moments of chunks": lambda X, y, s: Moments.from_chunks([(X, y, s), (X, y, s)]).xy,
    "stability": resampled,
    "score": lambda X, y, s: FITTED.score(X, y, s),
}
FITS_OF_CLASSES = {
    "classifier": fitted(CLASSIFIER),
    "ShrinkNet classifier": fitted(ShrinkNetClassifier(alpha=0.2, tol=1e-10)),
    "training of a classifier": fitted(GroupLassoClassifier(**TRAINING, solver=EPOCHS)),
    "minibatches of a classifier": fitted(ShrinkNetClassifier(**TRAINING, solver=BATCHES)),
    "partial_fit of a classifier": streamed(GroupLassoClassifier(random_state=0), classes=[0, 1]),
    "path of a classifier": followed(CLASSIFIER),
    "refit of a classifier": lambda X, y, s: PATH_OF_CLASSES.refit(X, y, s).coefs,
    "cross-validation of a classifier": fitted(GroupLassoClassifierCV(ALPHAS, cv=2)),
    "score of a classifier": lambda X, y, s: TOLD.score(X, y, s),
}
ALL_FITS = {name: (fit, Y) for name, fit in FITS.items()}
ALL_FITS |= {name: (fit, CODES) for name, fit in FITS_OF_CLASSES.items()}
# What takes X alone, and losses, which have no weights.
READS = {
    "predict": FITTED.predict,
    "transform": FITTED.transform,
    "inverse_transform": ALL_KEPT.inverse_transform,
    "transform of a criterion": InformationCriterion(REGRESSOR, alphas=ALPHAS)
    .fit(DENSE, Y)
    .transform,
    "predict_proba": TOLD.predict_proba,
    "decision_function": TOLD.decision_function,
    "predictions of a path": PATH.predict,
    "predictions of a path of a classifier": PATH_OF_CLASSES.predict,
}
LOSSES = {
    "errors of a path": (PATH.mean_squared_errors, Y),
    "losses of a path": (PATH_OF_CLASSES.log_losses, CODES),
    "accuracies of a path": (PATH_OF_CLASSES.accuracies, CODES),
}
OF_X = {name: (lambda X, fit=fit, y=y: fit(X, y, S)) for name, (fit, y) in ALL_FITS.items()}
OF_X |= {name: (lambda X, loss=loss, y=y: loss(X, y)) for name, (loss, y) in LOSSES.items()}
OF_X |= {name: (lambda X, read=read: read(X)) for name, read in READS.items()}
OF_X["blocks of dask"] = lambda X: in_blocks(X, Y, S)
# Of y and of weights, what is given of the rows, the rest as it is.
OF_Y = {name: (lambda y, fit=fit: fit(DENSE, y, S), y) for name, (fit, y) in ALL_FITS.items()}
OF_Y |= {name: (lambda y, loss=loss: loss(DENSE, y), y) for name, (loss, y) in LOSSES.items()}
OF_WEIGHTS = {
    name: (lambda s, fit=fit, y=y: fit(DENSE, y, s)) for name, (fit, y) in ALL_FITS.items()
}


# Nothing is written to.


def messy(form, index=np.int32, matrix=False):
    """DENSE with every entry in two parts, in random order."""
    rows, columns = np.nonzero(DENSE)
    values = DENSE[rows, columns]
    rows, columns = np.tile(rows, 2), np.tile(columns, 2)
    parts = np.concatenate([-values, 2 * values])  # no rounding
    order = np.random.default_rng(1).permutation(len(parts))
    rows, columns, parts = rows[order], columns[order], parts[order]
    kind = getattr(sparse, f"{form}_{'matrix' if matrix else 'array'}")
    if form == "coo":
        return kind((parts, (rows.astype(index), columns.astype(index))), shape=(N, P))
    major, minor = (columns, rows) if form == "csc" else (rows, columns)
    order = np.argsort(major, kind="stable")
    n_major = P if form == "csc" else N
    starts = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=n_major))])
    parts = parts[order].reshape(-1, 1, 1) if form == "bsr" else parts[order]
    X = kind((parts, minor[order], starts), shape=(N, P))
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    return X


MESSY = {"csr": messy("csr"), "csc": messy("csc", np.int64), "coo": messy("coo")}
# Converted as a COO is, or held as an array is.
ALIKE = {
    "csr_matrix": messy("csr", np.int64, matrix=True),
    "csc_matrix": messy("csc", matrix=True),
    "bsr": messy("bsr", np.int64),
    "lil": sparse.lil_array(DENSE),
    "dok": sparse.dok_array(DENSE),
    "dia": sparse.dia_array(DENSE),
}


def arrays(X):
    """The arrays that a sparse X, or whatever else, is made of."""
    if isinstance(X, np.ndarray):
        return [X]
    held = [value if isinstance(value, tuple) else (value,) for value in vars(X).values()]
    return [part for parts in held for part in parts if isinstance(part, np.ndarray)]


def notes(X):
    """What scipy has noted down on X about the order of its entries."""
    held = getattr(X, "__dict__", {})
    return {name: held[name] for name in held if "sorted" in name or "canonical" in name}


def untouched(read, X):
    """What `read(X)` gives, X being read-only and left as it was, to the array."""
    before, noted = arrays(X), notes(X)
    bits = [part.tobytes() for part in before]
    for part in before:
        part.setflags(write=False)
    try:
        found = read(X)
    finally:
        for part in before:
            part.setflags(write=True)
    after = arrays(X)
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert [part.tobytes() for part in after] == bits
    # Nor does scipy note down on it whether it is sorted: another thread may be looking.
    assert notes(X) == noted
    return found.toarray() if sparse.issparse(found) else found


def test_messy_data_are_messy():
    for X in MESSY.values():
        np.testing.assert_array_equal(X.toarray(), DENSE)
        assert X.nnz == 2 * np.count_nonzero(DENSE)
    assert not MESSY["csr"].copy().has_sorted_indices
    assert MESSY["csc"].indices.dtype == np.int64


def test_what_is_written_is_seen():
    for form in ("csr", "csc"):
        X = MESSY[form].copy()
        assert not X.copy().has_canonical_format
        with pytest.raises((AssertionError, ValueError)):
            untouched(lambda X: X.sum_duplicates() or X, X)
        with pytest.raises((AssertionError, ValueError)):
            untouched(lambda X: X.eliminate_zeros() or X, X)


@pytest.mark.parametrize("form", MESSY)
@pytest.mark.parametrize("name", OF_X)
def test_sparse_data_are_read_right_and_not_written_to(name, form):
    found = untouched(OF_X[name], MESSY[form])
    np.testing.assert_allclose(found, OF_X[name](DENSE), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("form", ALIKE)
def test_sparse_data_of_other_formats(form):
    for name in ("regressor", "classifier", "predict", "path", "moments"):
        # scipy itself reads no LIL that is read-only.
        read = OF_X[name] if form == "lil" else lambda X, name=name: untouched(OF_X[name], X)
        found = read(ALIKE[form])
        np.testing.assert_allclose(found, OF_X[name](DENSE), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(ALIKE[form].toarray(), DENSE)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", OF_X)
def test_dense_data_are_not_written_to(name, order):
    X = np.array(DENSE, order=order)
    np.testing.assert_array_equal(untouched(OF_X[name], X), OF_X[name](X))


@pytest.mark.parametrize("name", OF_Y)
def test_targets_are_not_written_to(name):
    read, y = OF_Y[name]
    np.testing.assert_array_equal(untouched(read, y.copy()), read(y))


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_are_not_written_to(name):
    np.testing.assert_array_equal(
        untouched(OF_WEIGHTS[name], S.copy()), OF_WEIGHTS[name](S), strict=True
    )


@pytest.mark.parametrize("name", ["regressor", "partial_fit", "path", "moments"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_targets_are_read_right_and_not_written_to(name, form):
    targets = DENSE[:, :2]
    messy_targets = MESSY[form].tocsc()[:, :2].asformat(form)
    fit = FITS[name]
    found = untouched(lambda Y: fit(DENSE, Y, S), messy_targets)
    np.testing.assert_allclose(found, fit(DENSE, targets, S), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("estimator", [REGRESSOR, CLASSIFIER], ids=["regressor", "classifier"])
def test_parameters_are_not_written_to(estimator):
    y = CODES if estimator is CLASSIFIER else Y
    weights, groups = np.array([1.0, 1, 2, 2, 0, 0]), np.array([5, 5, 1, 1, 3, 3])
    alphas = np.array([0.02, 0.1])
    for values in (weights, groups, alphas):
        values.setflags(write=False)
    model = clone(estimator).set_params(groups=groups, feature_weights=weights, warm_start=True)
    model.fit(DENSE, y)
    coef = model.coef_.copy()
    model.coef_.setflags(write=False)
    model.fit(DENSE, y)
    regularization_path(model, DENSE, y, alphas=alphas)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-7)


def test_threads_may_share_data_that_are_not_sorted():
    X = sparse.random(2000, 60, 0.2, format="csr", random_state=0)
    X = X[:, np.random.default_rng(0).permutation(60)]
    assert not X.copy().has_sorted_indices
    before = X.indices.copy()
    y = X[:, [0]].toarray().ravel() > 0.3

    def fit(alpha):
        return GroupLassoClassifier(alpha=alpha).fit(X, y).coef_

    alphas = [0.05, 0.02, 0.05, 0.02]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(fit, alphas))
    np.testing.assert_array_equal(X.indices, before)
    for coef, alpha in zip(found, alphas, strict=True):
        np.testing.assert_array_equal(coef, fit(alpha))


# What is masked, and what is a date, is refused wherever it is given.


def hidden(values):
    """An array of which one entry is masked, or one row."""
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


DAYS = pd.date_range("2020", periods=N)
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
        if not isinstance(X[0][0], int):  # what numpy makes of nanoseconds
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
        ([pd.NA, *Y[1:]], ValueError, "fill in what is missing"),
        (pd.array([None, *range(1, N)], dtype="Int64"), ValueError, "NaN"),
        (Y * 1j, ValueError, "takes real numbers. Give the real and the imaginary parts as two"),
        (["a"] * N, ValueError, "was given text"),
        ([{}] * N, TypeError, "was given entries that are no real numbers"),
        (pd.interval_range(0, N), TypeError, "was given entries that are no real numbers"),
    ],
)
@pytest.mark.parametrize("model", [REGRESSOR, CLASSIFIER], ids=["regressor", "classifier"])
def test_columns_of_what_is_no_number_get_one_sentence(model, values, error, message):
    frame = FRAME.assign(c=pd.Series(list(values)) if isinstance(values, list) else values)
    y = CODES if model is CLASSIFIER else Y
    for read in (lambda X: clone(model).fit(X, y), clone(model).fit(FRAME, y).predict):
        with pytest.raises(error, match=message):
            read(frame)


# What is said of refused data is found in the data, whatever scikit-learn's message is.

TALL = FRAME.assign(c="tall")
MIXED = np.array([1, *["a"] * (N - 1)], dtype=object)
LATER_NAN = Y.astype(object)
LATER_NAN[-1] = np.nan


@pytest.mark.parametrize(
    ("estimator", "X", "y", "error", "said"),
    [
        (REGRESSOR, TALL, Y, ValueError, "given text"),
        (REGRESSOR, TALL, None, ValueError, "given text"),
        (REGRESSOR, TALL.to_numpy(), Y, ValueError, "given text"),
        (REGRESSOR, TALL.to_numpy().tolist(), Y, ValueError, "given text"),
        (REGRESSOR, DENSE, ["a"] * N, ValueError, "given text"),
        (CLASSIFIER, np.full((N, P), b"tall"), CODES, ValueError, "given text"),
        (CLASSIFIER, DENSE * 1j, CODES, ValueError, "Complex data not supported"),
        (CLASSIFIER, DENSE, CODES * 1j, ValueError, "Complex data not supported"),
        (REGRESSOR, sparse.lil_array(DENSE * 1j), Y, ValueError, "Complex data not supported"),
        (REGRESSOR, FRAME.assign(c=1j), Y, ValueError, "Complex data not supported"),
        (REGRESSOR, [[10**400]] * N, Y, OverflowError, "a whole number that float64 cannot hold"),
        (REGRESSOR, DENSE, [10**400] * N, OverflowError, "a whole number that float64 cannot hold"),
        (REGRESSOR, FRAME.assign(c=[{}] * N), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, TALL.assign(d=[{}] * N), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, FRAME.assign(c=[None, {}] * (N // 2)), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, DENSE, [{}] * N, TypeError, "encode them as numbers"),
        (REGRESSOR, FRAME.assign(c=[pd.NA] * N), Y, TypeError, "fill in what is missing"),
        (REGRESSOR, DENSE, LATER_NAN, ValueError, "fill in what is missing"),
        (CLASSIFIER, DENSE, MIXED, TypeError, "text beside numbers"),
        (CLASSIFIER, DENSE, [None, *CODES[1:]], ValueError, "some entries are missing"),
        (CLASSIFIER, DENSE, LATER_NAN, ValueError, "some entries are missing"),
        (
            CLASSIFIER,
            DENSE[:7],
            MIXED,
            TypeError,
            r"samples: \[7, 40\]: give X and y the same rows",
        ),
        (REGRESSOR, DENSE[:7], Y, ValueError, r"samples: \[7, 40\]: give X and y the same rows"),
    ],
)
def test_what_is_wrong_is_seen_in_the_data(estimator, X, y, error, said):
    found = diagnosis(estimator, X, y, error("words of another version"))
    assert re.search(said, str(found))
    assert type(found) is (TypeError if "encode" in said else ValueError)


OLD_WORDS = (
    "could not convert string, Unknown label type: unknown, not supported between, Complex data "
    "not supported, inconsistent numbers of samples, a real number, not 'NAType'"
)
RAGGED = [[1.0, 2.0], [1.0]] * (N // 2)


@pytest.mark.parametrize("error", [ValueError(OLD_WORDS), TypeError(OLD_WORDS)])
@pytest.mark.parametrize(
    ("estimator", "X", "y"),
    [
        (REGRESSOR, DENSE, Y),
        (REGRESSOR, DENSE, None),
        (REGRESSOR, np.where(DENSE == 0, np.nan, DENSE), MIXED),
        (REGRESSOR, DENSE, 3.0),
        (REGRESSOR, np.full((N, P), "1"), Y),
        (REGRESSOR, FRAME.assign(c=[None] * N), Y),
        (REGRESSOR, RAGGED, Y),
        (REGRESSOR, DENSE, RAGGED),
        (FITTED_TO_NAMES, TALL[["a", "c"]], None),
        (CLASSIFIER, DENSE, CODES),
        (CLASSIFIER, DENSE, CODES.astype(object)),
        (CLASSIFIER, DENSE, np.array(["a", "b"], dtype=object)[CODES]),
        (CLASSIFIER, DENSE, DAYS.values),
        (CLASSIFIER, np.where(DENSE == 0, np.nan, DENSE), MIXED),
        (CLASSIFIER, DENSE, np.c_[MIXED, MIXED]),
        (CLASSIFIER, DENSE, RAGGED),
    ],
)
def test_where_the_data_show_nothing_the_error_stays(estimator, X, y, error):
    assert diagnosis(estimator, X, y, error) is error


def test_entries_of_no_known_kind_leave_the_error_as_it_is():
    arrays, error = np.empty(N, dtype=object), ValueError(OLD_WORDS)
    arrays[:] = [np.arange(2)] * N
    assert diagnosis(REGRESSOR, DENSE, arrays, error) is error
    assert diagnosis(REGRESSOR, [[Decimal("sNaN")]] * N, Y, error) is error


def test_one_error_is_told_of_data_with_two():
    """That which scikit-learn finds, without a remedy for the other."""
    mixed = CODES.astype(object)
    mixed[0] = "a"
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        clone(CLASSIFIER).fit(np.where(DENSE == 0, np.nan, DENSE), mixed)
    with pytest.raises(ValueError, match=r"^The feature names should match"):
        FITTED_TO_NAMES.predict(TALL.rename(columns={"a": "z"}))


# One entry a feature: a list, or a Series that is aligned by name.

GIVEN = {"groups": list("xxyyzz"), "feature_weights": [1.0, 2.0, 0.0, 0.5, 1.0, 3.0]}


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda v: dict(zip(NAMES, v, strict=True)), r"is a dict: .*in the order of the columns"),
        (lambda v: "abcdef", "='abcdef' is not a list: give a list of one (label|weight) a feat"),
        (lambda v: b"abcdef", "is not a list"),
        (lambda v: bytearray(6), "is not a list"),
        (lambda v: set(v), "is a set, which has no order"),
        (lambda v: frozenset(v), "is a frozenset, which has no order"),
        (lambda v: dict.fromkeys(v).keys(), "is a dict_keys, which has no order"),
        (lambda v: dict.fromkeys(v).values(), "is not a list"),
        (lambda v: iter(v), "is a list_iterator, which can be read only once"),
        (lambda v: (x for x in v), "is a generator, which can be read only once"),
        (lambda v: 5, "=5 is not a list"),
        (lambda v: np.array(5), r"=array\(5\) is not a list"),
        (lambda v: str.upper, "is not a list"),
        (lambda v: pd.DataFrame({"v": v}), r"has shape \(6, 1\)"),
        (lambda v: [[x] for x in v], "are not labels|has shape"),
    ],
)
def test_what_is_no_list_is_refused(name, make, message):
    model = GroupLassoRegressor(**{name: make(GIVEN[name])})
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        model.fit(FRAME, Y)


@pytest.mark.parametrize("make", [tuple, np.array, pd.Index, pd.Categorical, pd.Series])
@pytest.mark.parametrize("name", GIVEN)
def test_lists_of_any_kind_are_taken_by_place(name, make):
    right = clone(REGRESSOR).set_params(**{name: GIVEN[name]}).fit(DENSE, Y).coef_
    model = clone(REGRESSOR).set_params(**{name: make(GIVEN[name])})
    for X in (DENSE, FRAME, sparse.csr_array(DENSE)):
        np.testing.assert_array_equal(clone(model).fit(X, Y).coef_, clone(model).fit(X, Y).coef_)
        np.testing.assert_allclose(clone(model).fit(X, Y).coef_, right, atol=1e-9)


def moments_fit(estimator, X, y):
    return clone(estimator).fit_moments(Moments.from_data(X, y))


def chunks_fit(estimator, X, y):
    model = clone(estimator)
    for rows in (slice(0, 25), slice(25, N)):
        model.partial_fit(X[rows], y[rows])
    return model


def stream_fit(estimator, X, y):
    model = clone(estimator).set_params(random_state=0).partial_fit(X, y, classes=[0, 1])
    return model.partial_fit(X, y)


def cluster_fit(estimator, X, y):
    from dask import dataframe

    table = dataframe.from_pandas(X.assign(y=y), npartitions=2)
    found = moments_on_a_cluster(table[list(X.columns)], table["y"])
    return clone(estimator).fit_moments(found)


def search_of(estimator, **options):
    kind = {
        GroupLassoRegressor: GroupLassoRegressorCV,
        GroupLassoClassifier: GroupLassoClassifierCV,
    }
    given = {name: getattr(estimator, name) for name in GIVEN}
    return kind[type(estimator)](ALPHAS, cv=2, **given, **options)


def moments_search(estimator, X, y):
    halves = [Moments.from_data(X[rows], y[rows]) for rows in (slice(0, 20), slice(20, N))]
    return search_of(estimator).fit_moments(halves)


BY_NAME = {
    "fit": lambda model, X, y: clone(model).fit(X, y).coef_,
    "path": lambda model, X, y: regularization_path(model, X, y, alphas=ALPHAS).coefs,
    "criterion": lambda model, X, y: InformationCriterion(model, alphas=ALPHAS).fit(X, y).criteria_,
    "search": lambda model, X, y: search_of(model).fit(X, y).cv_scores_,
    "stability": lambda model, X, y: selection_frequencies(
        clone(model).set_params(alpha=0.1), X, y, 4, random_state=0
    ),
}
BY_NAME_OF_NUMBERS = {
    "fit_moments": lambda *given: moments_fit(*given).coef_,
    "partial_fit": lambda *given: chunks_fit(*given).coef_,
    "path of moments": lambda model, X, y: (
        regularization_path(model, Moments.from_data(X, y), alphas=ALPHAS).coefs
    ),
    "criterion of moments": lambda model, X, y: (
        InformationCriterion(model, alphas=ALPHAS).fit_moments(Moments.from_data(X, y)).criteria_
    ),
    "search by a scorer": lambda model, X, y: search_of(model, scoring="r2").fit(X, y).cv_scores_,
    "search of moments": lambda *given: moments_search(*given).cv_scores_,
    "cluster": lambda *given: cluster_fit(*given).coef_,
    "training": lambda model, X, y: (
        clone(model).set_params(solver=EPOCHS, random_state=0).fit(X, y).coef_
    ),
    "training of moments": lambda model, X, y: (
        moments_fit(clone(model).set_params(solver=EPOCHS, random_state=0), X, y).coef_
    ),
}
ALIGNED = {name: (fit, REGRESSOR, Y) for name, fit in (BY_NAME | BY_NAME_OF_NUMBERS).items()}
ALIGNED |= {f"{name} of a classifier": (fit, CLASSIFIER, CODES) for name, fit in BY_NAME.items()}
ALIGNED["partial_fit of a classifier"] = (
    lambda *given: stream_fit(*given).coef_,
    CLASSIFIER,
    CODES,
)


@pytest.mark.parametrize("name", ALIGNED)
def test_series_are_aligned_with_the_names_of_columns(name):
    fit, estimator, y = ALIGNED[name]
    for parameter, values in GIVEN.items():
        series = pd.Series(values, index=NAMES)[list("dfabec")]
        right = fit(clone(estimator).set_params(**{parameter: values}), FRAME, y)
        wrong = fit(clone(estimator).set_params(**{parameter: series.to_list()}), FRAME, y)
        model = clone(estimator).set_params(**{parameter: series})
        np.testing.assert_array_equal(fit(model, FRAME, y), right)
        assert name.startswith("stability") or not np.allclose(wrong, right)
        assert getattr(model, parameter) is not None
        for index in (range(P)[::-1], list("abcdeg"), list("abcdee")):
            model.set_params(**{parameter: pd.Series(values, index=index)})
            with pytest.raises(ValueError, match=f"{parameter} is a Series with the index"):
                fit(model, FRAME, y)


def test_series_say_what_does_not_fit():
    def refused(index, X=FRAME):
        with pytest.raises(ValueError, match="is a Series with the index") as caught:
            GroupLassoRegressor(groups=pd.Series(range(len(index)), index=index)).fit(X, Y)
        return str(caught.value)

    assert "'g' is no column of X" in refused(list("abcdeg"))
    assert "the column 'f' of X is not among these" in refused(list("abcde"))
    assert "'a' is there twice" in refused(list("aabcde"))
    assert "5 is no column of X" in refused(range(P)[::-1])
    for index in (NAMES, range(P)[::-1]):
        assert "X has no column names" in refused(index, DENSE)
        assert "X has no column names" in refused(index, FRAME.set_axis(range(P), axis=1))
    piped = make_pipeline(
        StandardScaler(), GroupLassoRegressor(groups=pd.Series(NAMES, index=NAMES))
    )
    with pytest.raises(ValueError, match="X has no column names"):
        piped.fit(FRAME, Y)
    piped.set_output(transform="pandas").fit(FRAME, Y)


def test_names_of_the_first_call_stay():
    weights = pd.Series(GIVEN["feature_weights"], index=NAMES)[::-1]
    right = clone(REGRESSOR).set_params(feature_weights=GIVEN["feature_weights"])
    model = clone(REGRESSOR).set_params(feature_weights=weights).partial_fit(FRAME[:20], Y[:20])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.partial_fit(DENSE[20:], Y[20:])
    np.testing.assert_allclose(model.coef_, chunks_fit(right, FRAME, Y).coef_, atol=1e-9)


class Polars:
    """As a polars.Series: no index, read as an array."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


@pytest.mark.parametrize("name", GIVEN)
def test_a_series_without_an_index_is_taken_by_place(name):
    right = clone(REGRESSOR).set_params(**{name: GIVEN[name]}).fit(FRAME, Y).coef_
    model = REGRESSOR.__class__(alpha=0.02, tol=1e-10, **{name: Polars(GIVEN[name])})
    np.testing.assert_array_equal(model.fit(FRAME, Y).coef_, right)


# Arrays of numbers hold nothing else.

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
    """The coefficients with these values of a parameter of six numbers."""
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
        # A mask, which leaves rows out.
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
    """Of calls that add nothing."""
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


# Labels and the weights of classes.


@pytest.mark.parametrize(
    "make",
    [
        lambda y: y.astype(object),
        lambda y: np.array([int(v) for v in y], dtype=object),
        lambda y: (y > 0).astype(object),
        lambda y: pd.Series(y, dtype=object),
        lambda y: (3.0 * y).astype(object),
        lambda y: np.array([bool(v) if v else 0 for v in y], dtype=object),
    ],
    ids=["numbers of numpy", "numbers", "flags", "Series", "floats", "flags beside numbers"],
)
def test_objects_that_are_numbers_are_labels_as_in_a_list(make):
    y = make(CODES)
    listed = y.tolist()
    labels = np.unique(listed)
    plain = clone(CLASSIFIER).fit(DENSE, listed)
    first = {"classes": np.array(labels.tolist(), dtype=object)}
    stream = GroupLassoClassifier(random_state=0)
    for model, right in (
        (clone(CLASSIFIER).fit(DENSE, y), plain.coef_),
        (
            clone(stream).partial_fit(DENSE, y, **first),
            clone(stream).partial_fit(DENSE, listed, labels).coef_,
        ),
        (
            GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, y),
            GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, listed).coef_,
        ),
    ):
        np.testing.assert_array_equal(model.classes_, labels, strict=True)
        np.testing.assert_array_equal(model.coef_, right)
        assert model.score(DENSE, y) == model.score(DENSE, listed)
    path = regularization_path(CLASSIFIER, DENSE, y, alphas=ALPHAS)
    np.testing.assert_array_equal(path.classes, labels, strict=True)
    np.testing.assert_array_equal(path.refit(DENSE, y).coefs, path.refit(DENSE, listed).coefs)
    np.testing.assert_array_equal(path.accuracies(DENSE, y), path.accuracies(DENSE, listed))


@pytest.mark.parametrize(
    "first",
    [None, np.nan, pd.NA, "a", 10**30, DAYS[0]],
    ids=["None", "NaN", "NA", "text", "huge", "date"],
)
def test_objects_that_are_no_labels_keep_their_sentence(first):
    y = CODES.astype(object)
    y[0] = first
    for fit in (
        lambda: clone(CLASSIFIER).fit(DENSE, y),
        lambda: GroupLassoClassifierCV(ALPHAS, cv=2).fit(DENSE, y),
        lambda: regularization_path(CLASSIFIER, DENSE, y, alphas=ALPHAS),
    ):
        with pytest.raises(ValueError, match="some entries are missing, or text beside numbers"):
            fit()
    missing = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")[CODES]
    missing[0] = "NaT"
    with pytest.raises(ValueError, match="some entries are missing"):
        clone(CLASSIFIER).fit(DENSE, missing)


@pytest.mark.parametrize(
    "weights", [{0: 1, 1: 1, 2: 5}, {0: 2, 1: 3, 2: 5, "x": 1}, {1: 5}, {}, {0: 2}, {1: 2.5, 0: 1}]
)
def test_class_weights_of_labels_that_rows_lack_as_in_scikit_learn(weights):
    """Those that LogisticRegression takes, with the weights that it takes them for."""
    LogisticRegression(class_weight=weights).fit(DENSE, CODES)
    s = np.array([weights.get(code, 1.0) for code in CODES])
    right = fitted(CLASSIFIER)(DENSE, CODES, s)
    model = clone(CLASSIFIER).set_params(class_weight=weights)
    np.testing.assert_allclose(model.fit(DENSE, CODES).coef_, right, atol=1e-8)
    paths = [
        regularization_path(
            CLASSIFIER.set_params(class_weight=w), DENSE, CODES, alphas=ALPHAS, sample_weight=t
        )
        for w, t in ((weights, None), (None, s))
    ]
    np.testing.assert_allclose(paths[0].coefs, paths[1].coefs, atol=1e-8)
    refits = [paths[0].refit(DENSE, CODES), paths[1].refit(DENSE, CODES, s)]
    np.testing.assert_allclose(refits[0].coefs, refits[1].coefs, rtol=1e-6)
    GroupLassoClassifierCV(ALPHAS, cv=2, class_weight=weights).fit(DENSE, CODES)
    GroupLassoClassifier(class_weight=weights).partial_fit(DENSE, CODES, classes=[0, 1])


@pytest.mark.parametrize("weights", [{7: 2}, {"0": 1, "1": 5}, {0: 1, "1": 5}, {1: 5, 2: 3}])
def test_class_weights_that_leave_a_label_out_and_name_another_are_refused(weights):
    with pytest.raises(ValueError, match="are not in class_weight"):
        LogisticRegression(class_weight=weights).fit(DENSE, CODES)
    for fit in (
        lambda: clone(CLASSIFIER).set_params(class_weight=weights).fit(DENSE, CODES),
        lambda: GroupLassoClassifierCV(ALPHAS, cv=2, class_weight=weights).fit(DENSE, CODES),
        lambda: GroupLassoClassifier(class_weight=weights).partial_fit(DENSE, CODES, [0, 1]),
    ):
        with pytest.raises(ValueError, match=r"has weights for \[.*\], .* and none for \[[01]"):
            fit()
