"""Where columns of pipelines come from, beside what changes if a column that comes in does."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_regression
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from shrinklin import ShrinkNetRegressor
from shrinklin.estimators.origins import composed, origins, positions

RNG = np.random.default_rng(0)
N = 60
NUMBERS = pd.DataFrame(
    RNG.normal(size=(N, 4)) + [0, 5, 0, -3], columns=["age", "dose", "bmi", "ph"]
)
NUMBERS["empty"] = 1.0
TABLE = NUMBERS.assign(
    city=RNG.choice(["Rome", "Oslo", "Bern"], N, p=[0.5, 0.4, 0.1]),
    sex=RNG.choice(["f", "m"], N),
    age=NUMBERS["age"].mask(RNG.random(N) < 0.2),
    bmi=NUMBERS["bmi"].mask(RNG.random(N) < 0.2),
    text=RNG.choice(["a cat", "a dog and a cat", "no dog"], N),
)
TABLE["city"] = np.where(np.arange(N) < 2, "Graz", TABLE["city"])
WORDS = ["city", "sex"]
Y = pd.Series(NUMBERS["age"] + NUMBERS["dose"] + RNG.normal(size=N), name="y")
FEW = NUMBERS[["age", "dose", "bmi"]]


class Doubled(TransformerMixin, BaseEstimator):
    """A transformer without names of its output columns."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.hstack([np.asarray(X), np.asarray(X)])


class Mixing(StandardScaler):
    """A subclass that does something else, and names it."""

    def transform(self, X):
        return super().transform(X) @ np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])

    def get_feature_names_out(self, input_features=None):
        return np.array(["p", "q", "r"], dtype=object)


def mixed(remainder="drop"):
    return ColumnTransformer(
        [
            ("scaled", StandardScaler(), [1, 3]),
            ("words", OneHotEncoder(drop="first", sparse_output=False), WORDS),
            ("gone", "drop", ["empty"]),
            ("none", StandardScaler(), []),
            ("as it is", "passthrough", make_column_selector("ph")),
            (
                "filled",
                make_pipeline(SimpleImputer(add_indicator=True), "passthrough"),
                ["bmi", "age"],
            ),
            ("counted", CountVectorizer(), "text"),
            ("masked", MinMaxScaler(), [name == "dose" for name in TABLE]),
            ("sliced", RobustScaler(), slice("dose", "bmi")),
        ],
        remainder=remainder,
        sparse_threshold=0,
    )


def one_hot(**options):
    return OneHotEncoder(sparse_output=False, **options)


def two_of(names):
    """A function that picks columns, and says so."""
    return FunctionTransformer(lambda X: X[names], feature_names_out=lambda *_: np.array(names))


KNOWN = {
    "scaled": (StandardScaler(), NUMBERS),
    "nested": (
        make_pipeline(make_pipeline(PowerTransformer()), "passthrough", MinMaxScaler()),
        FEW,
    ),
    "quantiles": (QuantileTransformer(n_quantiles=10), FEW),
    "ordinal": (OrdinalEncoder(), TABLE[WORDS]),
    "selected": (make_pipeline(VarianceThreshold(), SelectKBest(f_regression, k=2)), NUMBERS),
    "a model": (make_pipeline(StandardScaler(), ShrinkNetRegressor(0.3)), FEW),
    "one-hot": (one_hot(), TABLE[WORDS]),
    "one-hot, first": (one_hot(drop="first", handle_unknown="ignore"), TABLE[WORDS]),
    "one-hot, binary": (one_hot(drop="if_binary"), TABLE[WORDS]),
    "one-hot, named": (one_hot(drop=["Oslo", "m"]), TABLE[WORDS]),
    "one-hot, rare": (one_hot(min_frequency=8, handle_unknown="infrequent_if_exist"), TABLE[WORDS]),
    "one-hot, few": (one_hot(max_categories=2, drop="first"), TABLE[WORDS]),
    "one-hot, two left": (one_hot(max_categories=2, drop="if_binary"), TABLE[WORDS]),
    "target": (TargetEncoder(cv=2), TABLE[WORDS]),
    "products": (PolynomialFeatures(3), FEW),
    "interactions": (PolynomialFeatures(interaction_only=True, include_bias=False), FEW),
    "splines": (SplineTransformer(4), FEW),
    "splines without": (SplineTransformer(3, include_bias=False, degree=2), FEW),
    "bins": (KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"), FEW),
    "bin numbers": (KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), FEW),
    "filled": (SimpleImputer(add_indicator=True), TABLE[["dose", "age", "ph", "bmi"]]),
    "filled words": (SimpleImputer(strategy="most_frequent"), TABLE[WORDS]),
    "missing": (MissingIndicator(), TABLE[["dose", "age", "ph", "bmi"]]),
    "all missing": (MissingIndicator(features="all"), TABLE[["bmi", "age"]]),
    "no function": (FunctionTransformer(), FEW),
    "named function": (FunctionTransformer(np.cbrt, feature_names_out="one-to-one"), FEW),
    "picked": (two_of(["bmi", "age"]), FEW),
    "mixed": (mixed(), TABLE),
    "mixed, the rest": (mixed(make_pipeline(one_hot())), TABLE),
    "passed": (make_column_transformer((StandardScaler(), ["bmi"]), remainder="passthrough"), FEW),
    "by number": (make_column_transformer(("passthrough", [-1, 0]), (RobustScaler(), [1])), FEW),
    "by slice": (make_column_transformer(("passthrough", slice(1, None))), FEW.to_numpy()),
    "one column": (make_column_transformer((make_pipeline(PCA(), Doubled()), ["ph"])), NUMBERS),
    "united": (
        FeatureUnion(
            [
                ("b", KBinsDiscretizer(2, encode="onehot-dense", strategy="uniform")),
                ("d", "drop"),
                ("p", "passthrough"),
                ("s", make_pipeline(SelectKBest(f_regression, k=2), PolynomialFeatures(2))),
            ]
        ),
        FEW,
    ),
    "long": (
        make_pipeline(
            make_column_transformer((one_hot(), WORDS), (StandardScaler(), ["ph", "dose"])),
            PolynomialFeatures(2, include_bias=False),
            VarianceThreshold(0.05),
            make_union(StandardScaler(), SelectKBest(f_regression, k=3)),
        ),
        TABLE,
    ),
}


def fitted(step, X):
    with warnings.catch_warnings():
        # Of scikit-learn, about columns that are constant or rare.
        warnings.simplefilter("ignore")
        return clone(step).fit(X, Y)


def outputs(step, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = step.transform(X)
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made)


def changes(step, X):
    """For every output column, the input columns without which it would be another one."""
    before, rng = outputs(step, X), np.random.default_rng(1)
    found = [set() for _ in range(before.shape[1])]
    for j in range(X.shape[1]):
        values = X.iloc[:, j].to_numpy() if hasattr(X, "iloc") else X[:, j]
        others = [rng.permutation(values) for _ in range(5)]
        others += [values + 0.7] if values.dtype.kind == "f" else []
        for other in others:
            changed = X.copy()
            if hasattr(X, "iloc"):
                changed[X.columns[j]] = other
            else:
                changed[:, j] = other
            after = outputs(step, changed)
            same = (before == after) | ((before != before) & (after != after))
            for k in np.flatnonzero(~same.all(axis=0)):
                found[k].add(j)
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_origins_are_the_columns_whose_change_shows(name):
    step, X = KNOWN[name]
    step = fitted(step, X)
    expected = changes(step, X)
    found = origins(step, X.shape[1])
    assert found == expected
    assert origins(step, X.shape[1], len(expected)) == expected


class Naming(Doubled):
    """A step that passes on what it gets, under other names."""

    def __init__(self, names=()):
        self.names = names

    def transform(self, X):
        return X

    def get_feature_names_out(self, input_features=None):
        return np.array(self.names, dtype=object)


class Silent(Doubled):
    """A step with an error of its own where names are asked for."""

    def get_feature_names_out(self, input_features=None):
        raise ValueError("no names")


def named_like_pca(n_columns):
    return NUMBERS.iloc[:, :n_columns].set_axis([f"pca{j}" for j in range(n_columns)], axis=1)


UNKNOWN = {
    "PCA": (PCA(2), FEW, [None, None]),
    "names of PCA": (PCA(), named_like_pca(3), [None] * 3),
    "no names": (Doubled(), FEW, None),
    "names with an error": (Silent(), FEW, None),
    "a function": (FunctionTransformer(np.cbrt), FEW, None),
    "a subclass": (Mixing(), FEW, [None] * 3),
    "other names": (Naming(["bmi", "log dose"]), FEW, [{2}, None]),
    "names of no data": (Naming(["x2", "log"]), FEW.to_numpy(), [None, None]),
    "after a known one": (make_pipeline(StandardScaler(), PCA(2), MinMaxScaler()), FEW, [None] * 2),
    "before a known one": (make_pipeline(PCA(2), PolynomialFeatures(2)), FEW, [set()] + [None] * 5),
    "in a part": (
        make_column_transformer((PCA(2), ["age", "bmi"]), (StandardScaler(), ["dose"])),
        FEW,
        [None, None, {1}],
    ),
    "in a union": (make_union(StandardScaler(), PCA(1)), FEW, [{0}, {1}, {2}, None]),
    "uncounted": (make_union(StandardScaler(), Doubled()), FEW, None),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_nothing_is_guessed(name):
    step, X, expected = UNKNOWN[name]
    step = fitted(step, X) if not isinstance(step, Naming) else named(step, X)
    assert origins(step, X.shape[1]) == expected


def named(step, X):
    step.n_features_in_ = X.shape[1]
    if hasattr(X, "columns"):
        step.feature_names_in_ = X.columns.to_numpy(dtype=object)
    return step


def test_the_number_of_columns_decides_whether_a_step_is_believed():
    scaler, selector = fitted(StandardScaler(), FEW), fitted(VarianceThreshold(), FEW)
    assert origins(scaler, 3, 4) == [None] * 4
    assert origins(scaler, 2) == [None] * 3
    assert origins(selector, 2) is None
    assert origins(fitted(PolynomialFeatures(2), FEW), 2, 10) == [None] * 10
    assert origins(fitted(Doubled(), FEW), 3, 6) == [None] * 6
    assert origins(scaler, None) is None
    assert origins(scaler, None, 3) == [None] * 3
    assert origins("passthrough", 2) == origins(None, 2) == [{0}, {1}]


def test_steps_that_look_at_whole_rows_keep_their_names():
    # As the documentation says: the only ones whose origins are not all that their columns show.
    for step in (Normalizer(), KNNImputer()):
        X = TABLE[["dose", "age", "ph"]] if isinstance(step, KNNImputer) else FEW
        assert origins(fitted(step, X), 3) == [{0}, {1}, {2}]


def test_columns_are_selected_as_scikit_learn_does():
    names = list("abcd")
    for columns in (
        *["b", 1, -3, [1], ["b"], slice("b", "b"), slice(1, 2), np.array([1]), np.array(["b"])],
        *[[False, True, False, False], pd.Index(["b"]), pd.Series([False, True, False, False])],
    ):
        assert positions(columns, names, 4).tolist() == [1]
    assert positions(slice("b", None), names, 4).tolist() == [1, 2, 3]
    assert positions(slice(None, "c"), names, 4).tolist() == [0, 1, 2]
    assert positions(["d", "a"], names, 4).tolist() == [3, 0]
    assert positions(slice(None, None, -1), names, 4).tolist() == [3, 2, 1, 0]


def test_a_product_belongs_to_all_of_its_columns():
    first = [frozenset([0]), frozenset([2]), None]
    second = [frozenset([0, 1]), frozenset(), frozenset([1, 2]), None]
    assert composed(first, second) == [{0, 2}, set(), None, None]


@pytest.mark.parametrize(
    ("step", "attribute", "wrong"),
    [
        (OneHotEncoder(drop="first"), "drop_idx_", None),
        (OneHotEncoder(min_frequency=30), "infrequent_categories_", None),
    ],
    ids=["drop", "infrequent"],
)
def test_counts_that_forget_something_are_noticed(step, attribute, wrong):
    step = fitted(step, TABLE[WORDS])
    n_made = len(step.get_feature_names_out())
    assert None not in origins(step, 2, n_made)

    class Forgetful(OneHotEncoder):
        def __getattribute__(self, name):
            return wrong if name == attribute else super().__getattribute__(name)

    forgetful = Forgetful()
    vars(forgetful).update(vars(step))
    assert origins(forgetful, 2, n_made) == [None] * n_made
