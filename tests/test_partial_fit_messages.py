"""What partial_fit says: errors about data and parameters, a warning, a line per call."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from problems import simulate_classes
from shrinklin import (
    Annealing,
    GradientDescent,
    Moments,
    SignChange,
)
from streams import ESTIMATORS, chunks_of, every_estimator, make, same_bits, stream

X, Y = simulate_classes(30, 8, 3)


@every_estimator
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, Y), ValueError, r"classes=None in the first call .*give all labels .*np.unique"),
        ((X, Y, [0, 1]), ValueError, r"y has labels that .* classes \[0, 1\]: 2. Give all labels"),
        ((X, Y, [0]), ValueError, r"classes=\[0\] is only one class: give a list .* at least two"),
        ((X, Y, []), ValueError, r"classes=\[\]: give a list of all labels"),
        ((X, Y, 3), ValueError, "classes=3: give a list of all labels"),
        ((X, Y, [[0, 1, 2]]), ValueError, r"classes=\[\[0, 1, 2\]\]: give a list of all"),
        ((X, Y, [0, 1, "2"]), ValueError, r"classes=.*These are not labels: Mix of label"),
        ((X, Y, [0, 1, 2.5]), ValueError, r"classes=.*These are not labels: Unknown label type"),
        ((X, Y, [0, 1, None]), ValueError, r"classes=.*These are not labels"),
        ((X, Y / 7, range(3)), ValueError, r"y has labels that are not among .*: 0\.14"),
        ((X, Y.astype(str), range(3)), ValueError, r"y has labels that are not among .*: '0'"),
        ((X, np.arange(30), range(3)), ValueError, r"\[0, 1, 2\]: 3, 4, 5, 6, 7, …. Give"),
        ((X, Y, range(3), np.full(30, 1e308)), ValueError, "class_weight is too large for float64"),
        ((Moments.from_data(X, Y), None, range(3)), TypeError, "Moments, which .* Give the sam"),
        (
            (X[:9], Y, range(3)),
            ValueError,
            "inconsistent numbers of samples.*the same number of rows",
        ),
        ((np.where(X > 2, np.nan, X), Y, range(3)), ValueError, "contains NaN"),
        ((1e200 * X, Y, range(3)), ValueError, "works with squares of X"),
        ((X, Y, range(3), np.zeros(30)), ValueError, "zero on every row of the first call"),
        ((X, Y, range(3), -np.ones(30)), ValueError, "negative entries"),
        ((X, Y, range(3), 0), ValueError, r"sample_weight has shape \(\): give one"),
        ((X, Y, range(3), np.ones(29)), ValueError, "inconsistent numbers of samples"),
        ((X, Y, range(3), np.zeros(29)), ValueError, "inconsistent numbers of samples"),
        ((X, Y, range(3), ["a"] * 30), ValueError, "sample_weight of dtype .* not numeric"),
    ],
    ids=range(23),
)
def test_a_bad_first_call_leaves_nothing_behind(estimator, arguments, error, message):
    model = clone(estimator)
    before = vars(model).copy()
    with pytest.raises(error, match=message):
        model.partial_fit(*arguments)
    assert vars(model) == before
    assert same_bits(stream(model, chunks_of()), stream(clone(estimator), chunks_of()))


@every_estimator
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"class_weight": "balanced"}, 'class_weight="balanced" needs .*give a dict of label'),
        ({"class_weight": {7: 2}}, r"class_weight has weights for \[7\]"),
        ({"class_weight": {0: 0, 1: 0}}, "one class, 2,"),
        ({"class_weight": "even"}, "class_weight='even': give None"),
        ({"alpha": -1}, "alpha=-1: give"),
        ({"solver": GradientDescent(batch_size=0)}, "batch_size=0: give"),
        ({"solver": GradientDescent(removal=Annealing(9))}, "n_features=9 is more than the 8"),
        ({"solver": "sgd"}, "solver='sgd' is not a solver of"),
    ],
    ids=repr,
)
def test_bad_parameters(estimator, parameters, message):
    model, chunks = stream(clone(estimator), chunks_of()), chunks_of()
    for started in (clone(estimator), model):
        with pytest.raises(ValueError, match=message):
            stream(started.set_params(**parameters), chunks[:1])


def test_group_lasso_has_no_signs_to_follow():
    with pytest.raises(ValueError, match="follows the signs of switches"):
        stream(make(ESTIMATORS[1], removal=SignChange()), chunks_of())


@every_estimator
@pytest.mark.parametrize("fitted", [False, True])
def test_bad_later_calls_leave_the_model_as_it_was(estimator, fitted):
    chunks = chunks_of()
    begin = (lambda m: m.fit(*chunks[0])) if fitted else (lambda m: stream(m, chunks[:1]))
    model, other = begin(clone(estimator)), begin(clone(estimator))
    X, y = chunks[1]
    for arguments, message in [
        ((X[:, :-1], y), "X has 7 features, but .* is expecting 8"),
        ((X, y, [0, 1]), r"classes=\[0, 1\] differ from those of the model, \[0, 1, 2\]: give the"),
        (
            (X, y + 1),
            r"not among the classes \[0, 1, 2\]: 3. Start again with a clone, and give all",
        ),
        ((X, y, None, np.full(len(y), np.nan)), "sample_weight contains NaN"),
    ]:
        before = vars(model).copy()
        with pytest.raises(ValueError, match=message):
            model.partial_fit(*arguments)
        assert vars(model) == before
    for X, y in chunks[1:]:
        model.partial_fit(X, y)
        other.partial_fit(X, y, classes=[2, 1, 0])
    assert same_bits(model, other)


def test_an_objective_without_a_minimiser_is_warned_of():
    model = make(ESTIMATORS[0], weight_decay=0)
    with pytest.warns(UserWarning, match="weight_decay=0 leaves the objective") as caught:
        model.partial_fit(X, Y, classes=range(3))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(("parameters", "warned"), [({"p": 0.5}, 0), ({"weight_decay": 0}, 1)])
def test_what_only_an_exact_solver_lacks_is_no_matter(parameters, warned):
    model = clone(ESTIMATORS[0]).set_params(**parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.partial_fit(X, Y, classes=range(3))
    assert len(caught) == warned
    with pytest.raises(ValueError, match=r"closed-form|without a minimiser"):
        model.fit(X, Y)


@every_estimator
def test_verbose_prints_a_line_a_call(estimator, capsys):
    stream(clone(estimator).set_params(verbose=1), chunks_of())
    out, err = capsys.readouterr()
    assert [line.split(", ")[-1] for line in out.splitlines()] == [
        f"{k} call{'s' * (k > 1)}." for k in range(1, 6)
    ]
    assert err == ""
