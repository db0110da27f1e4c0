"""Groups by the columns that features were made of, against what the encoders say themselves."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from shrinklin import (
    ByColumn,
    GroupLassoClassifier,
    GroupLassoClassifierCV,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    ShrinkNetRegressor,
)

COLUMNS = ["colour", "house_type", "age", "age_group", "width (cm)"]


def table(n=80, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "colour": rng.choice(["dark red", "blue", "light_blue"], n),
            "house_type": rng.choice(["flat", "single_family", "age 2"], n),
            "age": rng.uniform(1, 9, n),
            "age_group": rng.choice(["a", "b"], n),
            "width (cm)": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(1, 9, n)),
        }
    )


def one_hot(**options):
    return OneHotEncoder(sparse_output=False, **options)


TEXT, NUMBERS = ["colour", "house_type", "age_group"], ["age", "width (cm)"]
FILLED = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
ENCODERS = {
    "one-hot": make_column_transformer((one_hot(), TEXT), (FILLED, NUMBERS)),
    "short": make_column_transformer(
        (one_hot(drop="first"), TEXT), (FILLED, NUMBERS), verbose_feature_names_out=False
    ),
    "infrequent": make_column_transformer(
        (one_hot(min_frequency=26), TEXT), (SplineTransformer(), ["age"])
    ),
    "bins": make_column_transformer(
        (one_hot(), TEXT),
        (
            KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"),
            ["age"],
        ),
    ),
    "union": make_union(make_column_transformer((FILLED, NUMBERS)), "drop"),
    "products": make_pipeline(
        make_column_transformer((one_hot(), TEXT), (SimpleImputer(), NUMBERS)),
        PolynomialFeatures(2, include_bias=False),
    ),
}


def changed_by(encoder, X):
    """For each feature, the columns that change it: an oracle that reads no name."""
    encoded = np.asarray(encoder.transform(X))
    found = [set() for _ in encoded[0]]
    for column in X:
        moved = X.copy()
        # Every value moves, and missing ones stand elsewhere.
        moved[column] = np.roll(X[column].sample(frac=1, random_state=1).to_numpy(), 1)
        different = (np.asarray(encoder.transform(moved)) != encoded).any(axis=0)
        for feature in np.flatnonzero(different):
            found[feature].add(column)
    return found


@pytest.mark.parametrize("name", ENCODERS)
def test_groups_are_those_of_the_columns_that_change_a_feature(name):
    X = table()
    encoder = clone(ENCODERS[name]).fit(X)
    labels = ByColumn(COLUMNS)(encoder.get_feature_names_out())
    for label, columns in zip(labels, changed_by(encoder, X), strict=True):
        # Products of two levels of a column never change: they are 0.
        assert columns <= ({label} if isinstance(label, str) else set(label))
        assert columns or name == "products"
    assert len(set(labels)) == (len(COLUMNS) * 3 if name == "products" else len(set(labels)))


def test_names_with_several_readings():
    by = ByColumn(["a", "a_b", "b c", "x"])
    names = ["a", "a_b", "a_b_c", "a_c", "b c", "b c^2", "t__a_b_1", "x_b c d"]
    assert by(names) == ["a", "a_b", "a_b", "a", "b c", "b c", "a_b", "x"]
    assert by(["b c a", "a b c", "a^2 b c^3"]) == [("a", "b c")] * 3
    assert ByColumn(["a__b", "b"])(["a__b", "t__a__b_1", "u__b"]) == ["a__b", "a__b", "b"]
    # A transformer that is called like a column.
    assert ByColumn(["num", "age"])(["num__age", "num__num", "num__age_1"]) == ["age", "num", "age"]
    names = ["t__a_x y", "t__b_z", "t__a_x y t__b_z", "t__u__b^2"]
    assert ByColumn(["a", "b"])(names) == ["a", "b", ("a", "b"), "b"]


def test_a_level_that_ends_like_a_column_is_no_product():
    by = ByColumn(["contact", "phone", "phone type"])
    levels = ["contact_by phone", "contact_no phone type", "phone", "phone type_x phone"]
    assert by(levels) == ["contact", "contact", "phone", "phone type"]
    # With the features that it would be made of, it is one.
    assert by(["contact_by", "phone", "contact_by phone"])[2] == ("contact", "phone")
    assert by(["t__contact_by", "t__phone", "t__contact_by phone^2"])[2] == ("contact", "phone")
    assert by(["contact_by", "contact_by^3 phone"])[1] == "contact"  # as phone is not there


def test_products_without_the_features_alone():
    X = table().fillna(5.0)[["age", "width (cm)"]]
    pairs = PolynomialFeatures((2, 2), include_bias=False).fit(X)
    labels = ByColumn(COLUMNS)(pairs.get_feature_names_out())
    assert labels == ["age", ("age", "width (cm)"), "width (cm)"]


def test_columns_may_share_a_label():
    place = ByColumn({"lat": "place", "lon": "place", "age": "age"})
    names = ["lat", "lon^2", "lat lon", "age lat", "age"]
    assert place(names) == ["place", "place", "place", ("place", "age"), "age"]


def test_weights_are_multiples_of_the_default():
    names = ["age", "colour_1", "colour_2", "colour_3", "age colour_1", "age colour_2", "size"]
    columns = ["age", "colour", "size"]
    found = ByColumn(columns, weights={"age": 0, "size": 2.5})(names)
    np.testing.assert_allclose(found, [0, *[3**0.5] * 3, *[2**0.5] * 2, 2.5])
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 7)), columns=names)
    y = X.to_numpy() @ np.arange(7)
    plain = GroupLassoRegressor(0.1, groups=ByColumn(columns))
    same = clone(plain).set_params(feature_weights=ByColumn(columns, weights={}))
    np.testing.assert_array_equal(plain.fit(X, y).coef_, same.fit(X, y).coef_)
    free = clone(plain).set_params(feature_weights=ByColumn(columns, weights={"age": 0}), alpha=1e4)
    np.testing.assert_array_equal(free.fit(X, y).get_support(), [name == "age" for name in names])


def test_a_group_has_the_largest_factor_of_its_columns():
    names = ["lat", "lon_1", "lon_2", "age", "lat age"]
    labels = {"lat": "place", "lon": "place", "age": "age"}
    for weights in ({"lat": 3, "age": 0}, pd.Series({"lat": 3.0, "age": 0.0})):
        found = ByColumn(labels, weights=weights)(names)
        np.testing.assert_allclose(found, [3 * 3**0.5] * 3 + [0.0, 3.0])
    # A column that is left out has factor 1, which may be the largest.
    np.testing.assert_allclose(ByColumn(labels, weights={"lat": 0.5})(names)[:3], [3**0.5] * 3)
    model = GroupLassoRegressor(
        0.01, groups=ByColumn(labels), feature_weights=ByColumn(labels, weights={"lat": 3})
    )
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 5)), columns=names)
    assert model.fit(X, X["lat"]).get_support()[0]


@pytest.mark.parametrize("weights", [[1, 2], np.ones(2), 3.0, "a"], ids=str)
def test_factors_without_names_are_refused(weights):
    with pytest.raises(TypeError, match=r"weights=.*: give a dict or Series of factors by the"):
        ByColumn(["a", "b"], weights=weights)(["a", "b"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ByColumn(["a"])(["a", "pca0"]), "'pca0' is not made of the columns \\['a'\\]"),
        (lambda: ByColumn(["a"])(["1"]), "'1' is not made of the columns"),
        (lambda: ByColumn("a")(["a"]), "columns='a': give a list"),
        (lambda: ByColumn([1])(["a"]), r"columns=\[1\]: give a list"),
        (lambda: ByColumn(["a"])(3), "needs names of features, and X has none"),
        (lambda: ByColumn(["a"], weights={"b": 1})(["a"]), "weights has 'b', which is none"),
        (lambda: ByColumn(["a"], weights={"a": -1})(["a"]), r"weights\['a'\]=-1: give a finite"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def rare(n=120):
    """A table of which a level occurs twice, so that folds lack it."""
    X = table(n).fillna(5.0)
    X.loc[[3, 70], "colour"] = "rare"
    y = (X["colour"] == "blue") * 2.0 + X["age"] + np.random.default_rng(1).normal(size=n)
    return X, y


def pipeline(model):
    encoder = make_column_transformer(
        (one_hot(handle_unknown="ignore"), TEXT), (StandardScaler(), NUMBERS)
    )
    return make_pipeline(encoder, model).set_output(transform="pandas")


@pytest.mark.parametrize(
    "model",
    [
        GroupLassoRegressor(0.05, groups=ByColumn(COLUMNS)),
        ShrinkNetRegressor(0.05, groups=ByColumn(COLUMNS)),
        GroupLassoRegressorCV(5, groups=ByColumn(COLUMNS), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_levels_stay_together_in_a_pipeline(model):
    X, y = rare()
    piped = pipeline(model).fit(X, y)
    names = piped[0].get_feature_names_out()
    labels = ByColumn(COLUMNS)(names)
    kept = piped[-1].get_support()
    assert len(set(zip(kept, labels, strict=True))) == len(set(labels))
    assert 0 < kept.sum() < len(kept)
    right = clone(piped[-1]).set_params(groups=labels).fit(piped[0].transform(X), y)
    np.testing.assert_array_equal(right.coef_, piped[-1].coef_)
    # The folds have different numbers of features.
    assert np.isfinite(cross_val_score(piped, X, y, cv=6, error_score="raise")).all()
    again = pickle.loads(pickle.dumps(piped))
    np.testing.assert_array_equal(again.predict(X), piped.predict(X))


def test_a_grid_search_over_an_encoder_that_makes_other_features():
    X, y = rare()
    labels = np.where(y > y.median(), "high", "low")
    model = pipeline(GroupLassoClassifier(groups=ByColumn(COLUMNS)))
    grid = {
        "columntransformer__onehotencoder__min_frequency": [None, 10],
        "grouplassoclassifier__alpha": [0.01, 0.1],
        "grouplassoclassifier__groups": [ByColumn(COLUMNS), None],
    }
    search = GridSearchCV(model, grid, cv=StratifiedKFold(3), error_score="raise").fit(X, labels)
    assert search.best_score_ > 0.7
    inner = pipeline(GroupLassoClassifierCV(4, groups=ByColumn(COLUMNS), cv=2, ridges=0.0))
    assert inner.fit(X, labels).score(X, labels) > 0.7


def test_without_names_it_says_what_to_do():
    X, y = rare()
    piped = pipeline(GroupLassoRegressor(groups=ByColumn(COLUMNS))).set_output(transform="default")
    with pytest.raises(ValueError, match=r"X has none: give a DataFrame, or call set_output"):
        piped.fit(X, y)


def test_it_looks_like_its_call():
    by = ByColumn(["a"], weights={"a": 0.0})
    assert repr(by) == "ByColumn(['a'], weights={'a': 0.0})"
    assert repr(GroupLassoRegressor(groups=ByColumn(["a"]))).count("ByColumn(['a'])") == 1
