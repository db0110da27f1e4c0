"""groups and feature_weights: lists in the order of the columns, by their names, or callables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from entry_points import ALPHAS, CLASSIFIER, CODES, DENSE, EPOCHS, FRAME, NAMES, REGRESSOR, N, P, Y
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    regularization_path,
    selection_frequencies,
)
from shrinklin.distributed import moments as moments_on_a_cluster
from shrinklin.validation.parameters import by_column

GIVEN = {"groups": list("xxyyzz"), "feature_weights": [1.0, 2.0, 0.0, 0.5, 1.0, 3.0]}


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda v: dict(zip("abcdeg", v, strict=True)), r"dict with the keys \['a'.*column 'f'"),
        (
            lambda v: "abcdef",
            "='abcdef' is not a list: give a list with one (label|weight) per feat",
        ),
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
        (lambda v: str, "is not a list"),
        (lambda v: lambda names: v[1:], r"returned .*it has 5 entries, and X has 6 features"),
        (lambda v: lambda names: None, r"returned None: give a list"),
        (lambda v: lambda names: "abcdef", r"returned 'abcdef': .*is not a list"),
        (lambda v: lambda names: {"a": 1.0}, r"returned .*the column 'b' of X is not in it"),
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
        by_name = series.to_dict() | {"rare level": 7}
        for given in (by_name, pd.Series(by_name), AsGiven(by_name), AsGiven(values)):
            np.testing.assert_array_equal(
                fit(model.set_params(**{parameter: given}), FRAME, y), right
            )
        for index in (range(P)[::-1], list("abcdeg"), list("abcdee")):
            model.set_params(**{parameter: pd.Series(values, index=index)})
            with pytest.raises(ValueError, match=f"{parameter} is a Series with the index"):
                fit(model, FRAME, y)


@dataclass
class AsGiven:
    """A callable that checks what it is called with."""

    values: object
    names: object = tuple(NAMES)

    def __call__(self, names):
        assert names == P if self.names is None else list(names) == list(self.names)
        return self.values


def test_a_callable_gets_the_number_of_columns_without_names():
    for name, values in GIVEN.items():
        model = clone(REGRESSOR).set_params(**{name: AsGiven(values, None)})
        right = clone(REGRESSOR).set_params(**{name: values})
        np.testing.assert_array_equal(model.fit(DENSE, Y).coef_, right.fit(DENSE, Y).coef_)
        with pytest.raises(ValueError, match=r"is a dict with the keys .*X has no column names"):
            model.set_params(**{name: dict(zip(NAMES, values, strict=True))}).fit(DENSE, Y)


def test_series_say_what_does_not_fit():
    def refused(index, X=FRAME):
        with pytest.raises(ValueError, match="is a Series with the index") as caught:
            GroupLassoRegressor(groups=pd.Series(range(len(index)), index=index)).fit(X, Y)
        return str(caught.value)

    both = "the column 'f' of X is not in it, and 'g' is not a column of X"
    assert both in refused(list("abcdeg"))
    assert "the column 'f' of X is not in it: " in refused(list("abcde"))
    assert "'a' appears twice" in refused(list("aabcde"))
    assert "5 is not a column of X" in refused(range(P)[::-1])
    for index in (NAMES, range(P)[::-1]):
        assert "X has no column names" in refused(index, DENSE)
        assert "X has no column names" in refused(index, FRAME.set_axis(range(P), axis=1))
    piped = make_pipeline(
        StandardScaler(), GroupLassoRegressor(groups=pd.Series(NAMES, index=NAMES))
    )
    with pytest.raises(ValueError, match="X has no column names"):
        piped.fit(FRAME, Y)
    piped.set_output(transform="pandas").fit(FRAME, Y)


def test_columns_of_the_same_name_are_taken_by_place_where_the_index_is_theirs():
    """Without a fit, as only older releases of scikit-learn take such tables."""
    columns = np.array(list("abcabc"), dtype=object)
    for name, values in GIVEN.items():
        series = pd.Series(values, index=columns)
        assert list(by_column(name, series, columns, P)) == values
        with pytest.raises(ValueError, match="'c' appears twice"):
            by_column(name, series[::-1], columns, P)


def test_names_of_the_first_call_stay():
    weights = pd.Series(GIVEN["feature_weights"], index=NAMES)[::-1]
    right = clone(REGRESSOR).set_params(feature_weights=GIVEN["feature_weights"])
    model = clone(REGRESSOR).set_params(feature_weights=weights).partial_fit(FRAME[:20], Y[:20])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.partial_fit(DENSE[20:], Y[20:])
    np.testing.assert_allclose(model.coef_, chunks_fit(right, FRAME, Y).coef_, atol=1e-9)


class Polars:
    """Like a polars.Series: read as an array, without an index."""

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
