"""Errors about refused data are explained from the data, not from scikit-learn's message."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from entry_points import CLASSIFIER, CODES, DAYS, DENSE, FITTED_TO_NAMES, FRAME, REGRESSOR, N, P, Y
from shrinklin.validation.data import diagnosis

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
        (REGRESSOR, [[10**400]] * N, Y, OverflowError, "a whole number that is too large"),
        (REGRESSOR, DENSE, [10**400] * N, OverflowError, "a whole number that is too large"),
        (REGRESSOR, FRAME.assign(c=[{}] * N), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, TALL.assign(d=[{}] * N), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, FRAME.assign(c=[None, {}] * (N // 2)), Y, TypeError, "encode them as numbers"),
        (REGRESSOR, DENSE, [{}] * N, TypeError, "encode them as numbers"),
        (REGRESSOR, FRAME.assign(c=[pd.NA] * N), Y, TypeError, "missing .* in 1 of 6 columns: 'c'"),
        (REGRESSOR, FRAME.assign(c=[None] * N), Y, ValueError, "missing .* in 1 of 6 columns: 'c'"),
        (REGRESSOR, DENSE, LATER_NAN, ValueError, "fill in missing values"),
        (CLASSIFIER, DENSE, MIXED, TypeError, "with both text and numbers"),
        (CLASSIFIER, DENSE, [None, *CODES[1:]], ValueError, "a y with missing entries"),
        (CLASSIFIER, DENSE, LATER_NAN, ValueError, "a y with missing entries"),
        (
            CLASSIFIER,
            DENSE[:7],
            MIXED,
            TypeError,
            r"samples: \[7, 40\]: give X and y with the same number",
        ),
        (
            REGRESSOR,
            DENSE[:7],
            Y,
            ValueError,
            r"samples: \[7, 40\]: give X and y with the same number",
        ),
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
    """The one that scikit-learn finds, without advice about the other."""
    mixed = CODES.astype(object)
    mixed[0] = "a"
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        clone(CLASSIFIER).fit(np.where(DENSE == 0, np.nan, DENSE), mixed)
    with pytest.raises(ValueError, match=r"^The feature names should match"):
        FITTED_TO_NAMES.predict(FRAME.rename(columns={"a": "z"}).assign(c=np.nan))
    with pytest.raises(ValueError, match=r"^X has text or categories in 1 of 6 columns: 'c'"):
        FITTED_TO_NAMES.predict(TALL.rename(columns={"a": "z"}))
