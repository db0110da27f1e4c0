"""A path is a sequence of fitted estimators: each against a fit, and against the path's arrays."""

import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from problems import simulate
from shrinklin import (
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    Moments,
    PathDisplay,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    ShrinkNetRegressorCV,
    regularization_path,
)
from shrinklin.selection.path import RegressionPath

N = 40
X, Y = simulate(N, 8, 2, 4)
FRAME = pd.DataFrame(X, columns=list("abcdefgh"))
# Labels that no features separate, so that refits have a minimum.
LABELS = np.array(["low", "mid", "high"])[(np.digitize(Y[:, 0], [-1, 1]) + np.arange(N) // 9) % 3]
# Fits and paths that differ only by rounding.
EXACT = {"tol": 1e-9}
ONE_ALPHA = [
    (GroupLassoRegressor(**EXACT), Y),
    (GroupLassoRegressor(groups=[0, 0, 1, 1, 2, 2, 3, 3], ridge=0.1, **EXACT), Y[:, 0]),
    (ShrinkNetRegressor(**EXACT), Y),
    (ShrinkNetRegressor(p=1, groups=[3, 2, 1, 1, 2, 2, 0, 0], weight_decay=0.1, **EXACT), Y[:, :1]),
    (GroupLassoClassifier(fit_intercept=False, **EXACT), LABELS == "low"),
    (ShrinkNetClassifier(class_weight="balanced", ridge=0.01, **EXACT), LABELS),
]
every_model = pytest.mark.parametrize(("estimator", "y"), ONE_ALPHA, ids=range(len(ONE_ALPHA)))


@cache
def _solved(which, n):
    estimator, y = ONE_ALPHA[which]
    return regularization_path(estimator, FRAME, y, alphas=n, eps=0.3)


def solved(estimator, y, n=6):
    """The path of an estimator, computed once if it is in the table."""
    for which, (known, _) in enumerate(ONE_ALPHA):
        if known is estimator:
            return _solved(which, n)
    return regularization_path(estimator, FRAME, y, alphas=n, eps=0.3)


def at_alpha(path, i):
    """All that a path has of model i, in the shapes of its arrays."""
    return path.coef(i), path.intercepts[i]


@every_model
def test_models_are_fitted_estimators(estimator, y):
    path = solved(estimator, y)
    assert len(path) == len(list(path)) == 6
    for i, model in enumerate(path):
        assert type(model) is type(estimator)
        assert model.get_params() == clone(estimator).set_params(alpha=path.alphas[i]).get_params()
        coef, intercept = at_alpha(path, i)
        np.testing.assert_allclose(np.atleast_2d(model.coef_), coef, rtol=1e-14)
        np.testing.assert_array_equal(np.atleast_1d(model.intercept_), intercept)
        assert model.get_support().sum() == path.n_selected[i]
        assert (model.objective_, model.residual_) == (path.objectives[i], path.residuals[i])
        np.testing.assert_array_equal(model.feature_names_in_, FRAME.columns)
        prediction = path.predict(FRAME)[i]
        np.testing.assert_array_equal(model.predict(FRAME).shape, np.shape(y))
        if prediction.dtype.kind == "f":
            prediction = prediction.reshape(np.shape(y))
            np.testing.assert_allclose(model.predict(FRAME), prediction, rtol=1e-12)
            continue
        np.testing.assert_array_equal(model.predict(FRAME), prediction)
        np.testing.assert_allclose(
            model.predict_proba(FRAME), path.predict_proba(FRAME)[i], rtol=1e-12
        )


@every_model
def test_models_are_those_of_single_fits(estimator, y):
    path = solved(estimator, y)
    alone = clone(estimator).set_params(alpha=path.alphas[2])
    alone.set_params(warm_start=True)
    # From the model of the path, so that a minimum that is not global stays the same.
    vars(alone).update({name: v for name, v in vars(path[2]).items() if name.endswith("_")})
    alone.fit(FRAME, y)
    model = path[2]
    for name, value in vars(model).items():
        if name.endswith("_") and name not in ("n_iter_", "residual_", "feature_names_in_"):
            found = getattr(alone, name)
            assert np.shape(found) == np.shape(value)
            if name == "classes_":
                np.testing.assert_array_equal(value, found)
            else:
                np.testing.assert_allclose(value, found, rtol=1e-5, atol=1e-7)
    unknown = {"cost_", "dual_gap_"}
    assert set(vars(alone)) - set(vars(model)) <= unknown
    if hasattr(model, "switch_"):
        np.testing.assert_array_equal(model.coef_, model.weight_ * model.switch_)


@every_model
def test_models_are_independent_of_the_path(estimator, y):
    path = solved(estimator, y)
    kept = pickle.loads(pickle.dumps(path))
    model = path[1]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(FRAME), model.predict(FRAME))
    assert not hasattr(clone(model), "coef_")
    model.coef_[...] = 7.0
    model.set_params(alpha=0.3).fit(FRAME.iloc[:40], y[:40])
    assert path == kept
    np.testing.assert_array_equal(path[1].coef_, kept[1].coef_)


def test_a_changed_estimator_does_not_change_the_models():
    estimator = GroupLassoRegressor(groups=[0, 0, 1, 1, 2, 2, 3, 3])
    path = solved(estimator, Y)
    estimator.groups[0] = 3
    path[0].groups[1] = 3
    assert path[0].groups == [0, 0, 1, 1, 2, 2, 3, 3]


@every_model
def test_refits_are_models_too(estimator, y):
    refitted = solved(estimator, y).refit(FRAME, y)
    assert refitted.refitted
    assert refitted != solved(estimator, y)
    for i, model in enumerate(refitted):
        np.testing.assert_allclose(np.atleast_2d(model.coef_), refitted.coef(i), rtol=1e-14)
        assert not hasattr(model, "n_iter_")
        assert model.objective_ == refitted.objectives[i]
    # The loss of refits need not fall with alpha.
    turned = replace(refitted, objectives=refitted.objectives[::-1].copy())
    few = turned.at(n_features=turned.n_selected[-1])
    assert few.alpha == turned.alphas[0]


def test_paths_of_moments_have_models():
    named = Moments.from_data(FRAME, Y[:, 0])
    path = regularization_path(ShrinkNetRegressor(), named, alphas=4)
    assert path[-1].predict(FRAME).shape == (N,)
    alone = ShrinkNetRegressor(path.alphas[-1]).fit_moments(named)
    np.testing.assert_allclose(path[-1].coef_, alone.coef_, atol=1e-5)


@pytest.mark.parametrize(
    "search",
    [
        GroupLassoRegressorCV(6, eps=0.1, cv=3),
        GroupLassoRegressorCV(6, eps=0.1, cv=3, relax=[0.01], ridges=[0.0, 0.1]),
        ShrinkNetRegressorCV(6, eps=0.1, cv=3, scoring="r2"),
        GroupLassoClassifierCV(6, eps=0.1, cv=3, ridges=0.01),
        InformationCriterion(ShrinkNetRegressor(), alphas=6, eps=0.1),
        InformationCriterion(GroupLassoClassifier(), alphas=6, eps=0.1, criterion="aic"),
    ],
)
def test_searches_have_models_for_other_alphas(search):
    y = Y if hasattr(search, "fit_moments") else LABELS
    chosen = search.fit(FRAME, y)
    path, i = chosen.path_, int(np.flatnonzero(chosen.alphas_ == chosen.alpha_)[0])
    same = path.at(alpha=chosen.alpha_)
    np.testing.assert_allclose(same.coef_, chosen.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(path[i].coef_, same.coef_)
    assert same.ridge == getattr(chosen, "ridge_", 0.0)
    for model, alpha in zip(path, path.alphas, strict=True):
        assert model.alpha == alpha
        assert model.predict(FRAME).shape == np.shape(y)
    fewer = path.at(n_features=3)
    assert fewer.get_support().sum() <= 3


def test_a_short_text_stands_for_a_path():
    path = solved(GroupLassoRegressor(), Y)
    largest, least = f"{path.alphas[0]:.3g}", f"{path.alphas[-1]:.3g}"
    most = path.n_selected.max()
    assert repr(path) == (
        f"RegressionPath of 6 alphas from {largest} to {least}, 0 to {most} of 8 features"
    )
    assert repr(path[:1]) == f"RegressionPath of 1 alpha of {largest}, 0 of 8 features"
    assert repr(path[:0]) == "RegressionPath of 0 alphas, of 8 features"
    wide = regularization_path(GroupLassoRegressor(), np.eye(50), np.arange(50.0))
    assert len(repr(wide)) < 100


@pytest.mark.parametrize("some", [slice(2, 5), slice(None, None, 2), slice(-2, None), slice(0, 1)])
@every_model
def test_slices_are_paths(estimator, y, some):
    path = solved(estimator, y)
    part = path[some]
    assert type(part) is type(path)
    assert len(part) == len(path.alphas[some])
    np.testing.assert_array_equal(part.alphas, path.alphas[some])
    np.testing.assert_array_equal(part.coefs, path.coefs[some])
    np.testing.assert_array_equal(part.kept, np.flatnonzero(part.coefs.any(axis=(0, 1))))
    np.testing.assert_array_equal(part.predict(FRAME), path.predict(FRAME)[some])
    np.testing.assert_allclose(
        part.refit(FRAME, y).objectives, path.refit(FRAME, y).objectives[some], rtol=1e-9
    )
    for ours, theirs in zip(part, list(path)[some], strict=True):
        np.testing.assert_array_equal(ours.coef_, theirs.coef_)
    assert not np.shares_memory(part.kept_coefs, path.kept_coefs)
    assert part == pickle.loads(pickle.dumps(part))


def test_no_models_are_a_path_too():
    path = solved(GroupLassoRegressor(), Y)
    empty = path[3:3]
    assert list(empty) == []
    assert empty.predict(FRAME).shape == (0, N, 2)
    assert empty.mean_squared_errors(FRAME, Y).shape == (0,)
    assert len(empty.refit(FRAME, Y)) == 0
    with pytest.raises(IndexError, match=r"path\[0\]: the path has 0 models; compute"):
        empty[0]
    for wanted in ({"alpha": 0.1}, {"n_features": 3}):
        with pytest.raises(ValueError, match="this path has no models: compute one with at least"):
            empty.at(**wanted)


def test_negative_indices_count_from_the_end():
    path = solved(GroupLassoRegressor(), Y)
    np.testing.assert_array_equal(path[-1].coef_, path[5].coef_)
    np.testing.assert_array_equal(path[np.int64(-6)].coef_, path[0].coef_)


@pytest.mark.parametrize(
    ("i", "error", "said"),
    [
        (6, IndexError, r"path\[6\]: the path has 6 models; give a number from -6 to 5"),
        (-7, IndexError, r"path\[-7\]: the path has 6 models"),
        (0.5, TypeError, r"path\[0.5\]: give a whole number or a slice. `at` finds"),
        ("a", TypeError, r"path\['a'\]: give a whole number or a slice"),
        ([1, 2], TypeError, "give a whole number or a slice"),
        (None, TypeError, "give a whole number or a slice"),
        (True, TypeError, r"path\[True\]: give a whole number or a slice"),
        (slice("a", None), TypeError, r"^'a' in a slice of a path: give a whole number\. `at`"),
        (slice(None, 2.5), TypeError, r"^2.5 in a slice of a path: give a whole number\. `at`"),
        (slice(True, None), TypeError, r"^True in a slice of a path: give a whole number\. `at`"),
        (slice(None, None, 0), ValueError, "step 0 of a slice: .* give a step > 0"),
        (slice(None, None, -1), ValueError, "alphas go from large to small, so give a step > 0"),
    ],
)
def test_wrong_indices_are_named(i, error, said):
    with pytest.raises(error, match=said):
        solved(GroupLassoRegressor(), Y)[i]


@every_model
def test_at_finds_the_nearest_alpha_by_ratio(estimator, y):
    path = solved(estimator, y)
    for i, alpha in enumerate(path.alphas):
        assert path.at(alpha=alpha).alpha == alpha
        assert path.at(alpha=float(f"{alpha:.3g}")).alpha == alpha
        if i < 5:
            middle = np.sqrt(alpha * path.alphas[i + 1])
            assert path.at(alpha=1.01 * middle).alpha == alpha
            assert path.at(alpha=0.99 * middle).alpha == path.alphas[i + 1]


def test_zero_is_near_no_other_alpha():
    path = regularization_path(GroupLassoRegressor(), FRAME, Y, alphas=[1.0, 0.1, 0.0])
    assert [path.at(alpha=a).alpha for a in (0, 1e-12, 0.11, 0.99)] == [0.0, 0.1, 0.1, 1.0]


@every_model
def test_at_finds_the_model_of_few_features_that_fits_best(estimator, y):
    path = solved(estimator, y, 8)
    losses = path.losses(FRAME, y)
    for n in range(path.n_selected.min(), 9):
        model = path.at(n_features=n)
        i = int(np.flatnonzero(path.alphas == model.alpha)[0])
        assert model.get_support().sum() == path.n_selected[i] <= n
        if not estimator.ridge:  # which is part of what was minimised
            assert losses[i] <= losses[path.n_selected <= n].min() * (1 + 1e-6)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "alpha=None, n_features=None: give one of both"),
        ({"alpha": 1.0, "n_features": 2}, "alpha=1.0, n_features=2: give one of both"),
        ({"alpha": 1e9}, "alpha=1000000000.0 is not in the range of the path, from"),
        ({"alpha": 1e-9}, "is not in the range of the path, from"),
        ({"alpha": np.nan}, "alpha=nan: give a finite number >= 0"),
        ({"n_features": -1}, "n_features=-1: give a whole number >= 0"),
        ({"n_features": 2.5}, "n_features=2.5: give a whole number >= 0"),
        ({"n_features": 0}, "n_features=0: the models of this path have at least 1"),
    ],
)
def test_models_that_a_path_does_not_have_are_refused(wanted, said):
    path = solved(GroupLassoRegressor(feature_weights=[0, *[1] * 7]), Y)
    with pytest.raises(ValueError, match=said):
        path.at(**wanted)


def test_equal_paths_have_equal_arrays():
    path = solved(GroupLassoRegressor(), Y)
    assert path == solved(GroupLassoRegressor(), Y)
    assert (path == 3, path == "a", path != path[1:], path == None) == (False, False, True, False)  # noqa: E711
    for name in ("alphas", "kept_coefs", "intercepts", "residuals", "objectives"):
        values = getattr(path, name).copy()
        values[0] = np.nan
        other = replace(path, **{name: values})
        assert other != path
        assert other == replace(path, **{name: values.copy()})
    assert replace(path, feature_names=None) != path
    names = path.feature_names[::-1].copy()
    assert replace(path, feature_names=names) != path
    assert replace(path, fit_intercept=False) != path

    class Other(RegressionPath):
        pass

    assert path != Other(**vars(path))
    with pytest.raises(TypeError, match="unhashable type: 'RegressionPath'"):
        hash(path)


def test_classes_make_a_difference():
    path = solved(GroupLassoClassifier(), LABELS)
    assert path == solved(GroupLassoClassifier(), LABELS)
    assert path != replace(path, classes=path.classes[::-1].copy())
    assert path != solved(GroupLassoClassifier(), LABELS == "low")


def test_parts_and_models_are_drawn_like_paths():
    path = solved(GroupLassoRegressor(), Y)
    display = PathDisplay(path[2:]).plot()
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), path.alphas[2:])


def test_paths_of_float32_have_models_of_float32():
    path = regularization_path(ShrinkNetRegressor(), X.astype(np.float32), Y, alphas=4)
    model = path[-1]
    assert model.coef_.dtype == model.switch_.dtype == model.intercept_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, path.coef(3), rtol=1e-6)


def test_a_path_of_0_1_0_says_what_it_lacks():
    path = solved(GroupLassoRegressor(), Y)
    old = pickle.loads(pickle.dumps(path))
    for name in ("template", "n_iter", "refitted"):
        del vars(old)[name]
    assert len(old) == 6
    assert repr(old) == repr(path)
    assert old[2:].refit(FRAME, Y).objectives.shape == (4,)
    for ask in (lambda: old[0], lambda: old.at(n_features=3), lambda: next(iter(old))):
        with pytest.raises(ValueError, match=r"shrinklin 0.1.0 did not store that: compute it"):
            ask()


@pytest.mark.parametrize("model", [GroupLassoClassifier(), ShrinkNetRegressor()])
def test_an_information_criterion_has_all_that_its_estimator_has(model):
    y = Y if isinstance(model, ShrinkNetRegressor) else LABELS
    chosen = InformationCriterion(model, alphas=3, eps=0.3)
    with pytest.raises(AttributeError, match="'InformationCriterion' object has no attribute 'co"):
        _ = chosen.coef_
    for frame in (FRAME, FRAME.to_numpy()):
        chosen.fit(frame, y)
        fitted = {n for n in vars(chosen.estimator_) if n.endswith("_")}
        assert fitted <= set(dir(chosen))
        assert hasattr(chosen, "feature_names_in_") == isinstance(frame, pd.DataFrame)
        for each in (chosen, pickle.loads(pickle.dumps(chosen))):
            for name in fitted - {"cost_"}:
                np.testing.assert_array_equal(getattr(each, name), getattr(each.estimator_, name))
    for missing in ("_stream", "alpha_of", "history_"):
        with pytest.raises(AttributeError, match=f"no attribute '{missing}'"):
            getattr(chosen, missing)
