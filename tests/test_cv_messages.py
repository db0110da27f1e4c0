"""What cross-validation says: errors about parameters, one warning and its progress."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from problems import PROBLEMS
from searches import data_for, every_class
from shrinklin import (
    GradientDescent,
    GroupLassoRegressorCV,
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selection": "worst"}, r"selection='worst': give one of \"best\", \"1se\""),
        ({"selection": 1}, "selection=1: give one of"),
        ({"alphas": 0}, "alphas=0: give the number of alphas"),
        ({"eps": 2}, "eps=2"),
        ({"cv": 1}, "n_splits=1"),
        ({"cv": 50}, "n_splits=50"),
        ({"scoring": "worst"}, "scoring"),
        ({"scoring": lambda *_: np.nan}, "4 of 4 scores are not finite; the first is nan at alpha"),
        ({"solver": GradientDescent()}, "cannot compute a path"),
        ({"max_iter": 0}, "max_iter=0"),
        (
            {"cv": [(np.arange(10), np.arange(0))]},
            "fold 0 of cv has 10 training and 0 held-out rows",
        ),
        ({"cv": [(np.arange(20), np.arange(20))], "selection": "1se"}, "needs at least 2"),
        ({"cv": []}, "0 folds"),
    ],
)
@every_class
def test_bad_parameters_are_named(cls, options, message):
    X, y = data_for(cls, 40, 4)
    with pytest.raises(ValueError, match=message):
        cls(**{"alphas": 2, "eps": 0.3, "ridges": 0, "cv": 2, **options}).fit(X, y)


@every_class
def test_progress_and_summary(cls, capsys):
    X, y = data_for(cls)
    cls(alphas=2, eps=0.3, cv=2, verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert f"{cls.__name__}: alpha" in out
    assert "3/3" in err


def test_one_warning_for_all_folds():
    X, Y = PROBLEMS["correlated"]()
    with pytest.warns(ConvergenceWarning, match="at .* of 40 alphas") as caught:
        GroupLassoRegressorCV(alphas=10, cv=3, max_iter=1, tol=1e-14).fit(X, Y)
    assert len(caught) == 1
