"""Which columns a feature was made of, as its name tells: `ByColumn`."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt
from numbers import Integral

from shrinklin.validation.parameters import check_real


class ByColumn:
    """Groups of features by the columns that they were made of.

    Encoders make several features of a column, and name them after it. `ByColumn` reads these names
    in every fit. So it also works in a `Pipeline`, in cross-validation, and where the rows of a
    fold lack a level. Give it as `groups`, and features of one column are kept or dropped together.

    Parameters
    ----------
    columns : list of str, or dict of str to label
        The names of all columns that features are made of. A dict gives every column a label;
        columns with the same label form one group.
    weights : dict of str to float, or Series, default=None
        For `feature_weights`: factors >= 0 of the weights that groups have by default, the square
        root of their number of features, by the names of columns. A column that is left out has
        factor 1; 0 leaves it unpenalised. A group has the largest factor of its columns. None means
        that labels are asked for.

    Notes
    -----
    Names are understood as `get_feature_names_out` of scikit-learn makes them:

    - ``column`` itself;
    - ``column_…``, as `OneHotEncoder`, `SplineTransformer` and `KBinsDiscretizer` write. If several
      columns fit, the longest is taken;
    - ``column^2`` and ``feature other``, as `PolynomialFeatures` writes, if both features are there
      alone, too. Where they are not, as after ``degree=(2, 2)``, it is read as a product only if it
      cannot be a level. All products of the same columns form one group. The constant ``1`` is of
      no column: give ``include_bias=False``;
    - ``missingindicator_column``, as `SimpleImputer` writes;
    - any of these after ``transformer__``, as `ColumnTransformer` and `FeatureUnion` write.

    X needs names. In a pipeline, ``set_output(transform="pandas")`` passes them on; it needs
    ``OneHotEncoder(sparse_output=False)``.

    Examples
    --------
    >>> from shrinklin import ByColumn
    >>> names = ["age", "colour_dark red", "colour_blue", "age^2", "age colour_blue"]
    >>> ByColumn(["age", "colour"])(names)
    ['age', 'colour', 'colour', 'age', ('age', 'colour')]

    In a pipeline, with a column that is always kept:

    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder, StandardScaler
    >>> from shrinklin import GroupLassoRegressor
    >>> encoder = make_column_transformer(
    ...     (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["colour"]),
    ...     (StandardScaler(), ["age"]),
    ... )
    >>> columns = ["age", "colour"]
    >>> lasso = GroupLassoRegressor(
    ...     groups=ByColumn(columns), feature_weights=ByColumn(columns, weights={"age": 0.0})
    ... )
    >>> model = make_pipeline(encoder, lasso).set_output(transform="pandas")
    """

    def __init__(self, columns, weights=None):
        self.columns, self.weights = columns, weights

    def __repr__(self):
        weights = "" if self.weights is None else f", weights={self.weights!r}"
        return f"ByColumn({self.columns!r}{weights})"

    def __call__(self, names):
        """The label of every feature, or its weight.

        Parameters
        ----------
        names : list of str
            Names of the features.

        Returns
        -------
        list of length n_features

        Raises
        ------
        TypeError
            If the weights are no dict or Series.
        ValueError
            If there are no names, a name fits no column, or a weight is not one of a column.
        """
        if isinstance(names, Integral):
            raise ValueError(
                "ByColumn needs names of features, and X has none: give a DataFrame, or call "
                'set_output(transform="pandas") of the pipeline.'
            )
        labels = _labels_of(self.columns)
        names = [str(name) for name in names]
        alone = _without_transformers(names)
        sources = [_source(name, labels, alone) for name in names]
        own = [_labels(columns, labels) for columns in sources]
        found = [each[0] if len(each) == 1 else each for each in own]
        if self.weights is None:
            return found
        sizes, factors = Counter(found), self._factors(labels)
        return [
            max(factors[label] for label in each) * sqrt(sizes[group])
            for each, group in zip(own, found, strict=True)
        ]

    def _factors(self, labels):
        """The largest factor of the columns of every label."""
        if not hasattr(self.weights, "items"):
            raise TypeError(
                f"weights={self.weights!r}: give a dict or Series of factors by the names of "
                "columns."
            )
        given = dict(self.weights.items())
        unknown = [column for column in given if column not in labels]
        if unknown:
            raise ValueError(
                f"weights has {unknown[0]!r}, which is none of the columns {list(labels)}."
            )
        for column, factor in given.items():
            check_real(f"weights[{column!r}]", factor, 0)
        factors: dict = {}
        for column, label in labels.items():
            factors[label] = max(factors.get(label, 0.0), given.get(column, 1.0))
        return factors


def _labels_of(columns):
    """The labels, by column."""
    if isinstance(columns, Mapping):
        return dict(columns)
    listed = isinstance(columns, Iterable) and not isinstance(columns, str)
    if not listed or not all(isinstance(column, str) for column in columns):
        raise ValueError(f"columns={columns!r}: give a list of the names of columns, or a dict.")
    return {column: column for column in columns}


def _labels(columns, labels):
    """The labels of some columns, each once: a tuple, in the order of all columns."""
    return tuple(dict.fromkeys(label for column, label in labels.items() if column in columns))


def _source(name, known, alone):
    """The set of columns that a feature was made of, as its name tells.

    Parameters
    ----------
    name : str
    known : collection of str
        The names of all columns.
    alone : set of str
        The names of all features. Products are made of these.
    """
    if name in known:
        return {name}
    readings = _product(name, known, alone), _column(name, known), _product(name, known)
    for columns in readings:
        if columns:
            return columns
    raise ValueError(
        f"{name!r} is not made of the columns {list(known)}: give ByColumn the names of "
        "all columns that go into the model."
    )


def _product(name, known, alone=None):
    """The columns of a product of features, of those in `alone` if it is given; else none."""
    for place, character in enumerate(name):
        if character == " " and (last := _power(name[place + 1 :], known, alone)):
            first = name[:place]
            others = _power(first, known, alone) or _product(first, known, alone)
            if others:
                return others | last
    return set()


def _power(name, known, alone):
    """The column of a factor of a product."""
    base = re.sub(r"\^\d+$", "", name)
    if alone is not None and not alone & _without_transformers([base]):
        return set()
    return _column(name, known)


def _without_transformers(names):
    """The names, and what is left of them without the names of transformers."""
    parts = [name.split("__") for name in names]
    return {"__".join(each[first:]) for each in parts for first in range(len(each))}


def _column(name, known):
    """The column that a feature which is no product was made of, as a set."""
    parts = name.split("__")
    # First with the names of all transformers, as a column may be called so, then with fewer.
    for own in ("__".join(parts[first:]) for first in range(len(parts))):
        for text in (own, re.sub(r"\^\d+$", "", own), own.removeprefix("missingindicator_")):
            if text in known:
                return {text}
            # What follows two underscores is read without the name before, if it can be.
            ends = [place for place, character in enumerate(text[:-1]) if character == "_"]
            ends = [end for end in ends if text[end + 1] != "_"]
            fits = [text[:end] for end in reversed(ends) if text[:end] in known]
            if fits:
                return {fits[0]}
    return set()
