"""From which columns that come in a fitted transformer makes each column that comes out.

The origin of an output column is the frozenset of the positions of the input columns that it is
computed from. It is None if the transformer does not say, and is never guessed. What transformers
say is in their public attributes, in `get_support`, or in the names of their output columns.
"""

from collections import UserList
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    TargetEncoder,
)

from shrinklin.validation.entries import is_missing

# Of every output column. None if not even their number is known.
Origins = list[frozenset[int] | None]


def steps_of(model) -> list:
    """The steps of a pipeline, including those of nested pipelines."""
    if isinstance(model, Pipeline):
        return [step for _, part in model.steps for step in steps_of(part)]
    return [] if model is None or isinstance(model, str) else [model]


def unchanged(n_columns) -> Origins:
    return [frozenset([j]) for j in range(n_columns)]


def composed(first: Origins, second: Origins) -> Origins:
    """The origins of what a second transformer makes of the columns of a first one."""
    return [None if made is None else _union([first[j] for j in made]) for made in second]


def origins(step, n_given, n_made=None) -> Origins | None:
    """The origins of all output columns of a fitted transformer.

    Parameters
    ----------
    step : transformer, "passthrough" or None
    n_given : int or None
        Number of input columns, if known.
    n_made : int, default=None
        Number of output columns, if known.

    Returns
    -------
    list of length n_made
        All unknown, if the transformer seems to make another number of columns. None if n_made
        is None, and if the transformer does not give the number either.
    """
    found = None if n_given is None else _said(step, n_given, n_made)
    if n_made is not None and (found is None or len(found) != n_made):
        return [None] * n_made
    return found


def origins_of_steps(steps, n_given, n_made=None) -> Origins | None:
    """As `origins`, for transformers of which each takes what the one before makes."""
    columns = None if n_given is None else unchanged(n_given)
    for step, after in pairwise([*steps, None]):
        n_passed = n_made if after is None else getattr(after, "n_features_in_", None)
        made = origins(step, None if columns is None else len(columns), n_passed)
        if made is None or columns is None:
            columns = None if made is None else [None] * len(made)
        else:
            columns = composed(columns, made)
    if n_made is not None and (columns is None or len(columns) != n_made):
        return [None] * n_made
    return columns


def _union(parts) -> frozenset[int] | None:
    return None if None in parts else frozenset().union(*parts)


def _said(step, n_given, n_made) -> Origins | None:
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return unchanged(n_given)
    if isinstance(step, Pipeline):
        return origins_of_steps(steps_of(step), n_given, n_made)
    if hasattr(step, "get_support"):
        support = np.asarray(step.get_support(), dtype=bool)
        return _picked(np.flatnonzero(support)) if len(support) == n_given else None
    for kind, rule in _RULES.items():
        # A subclass with a transform of its own may do anything.
        known = isinstance(step, kind) and step.__class__.transform is kind.transform
        if known and (found := rule(step, n_given)) is not None:
            return found if _fits(found, n_given) else None
    if n_given == 1:
        if n_made is None and (names := names_made(step)) is not None:
            n_made = len(names)
        return None if n_made is None else [frozenset([0])] * n_made
    return _by_names(step, n_given)


def _fits(found, n_given):
    """Whether there are no other input columns than were given."""
    return all(max(made) < n_given for made in found if made)


def _picked(columns) -> Origins:
    return [frozenset([int(j)]) for j in columns]


def _blocks(sizes) -> Origins:
    """Each input column makes so many consecutive output columns."""
    return _picked(np.repeat(np.arange(len(sizes)), sizes))


# Names.


def names_made(step) -> list | None:
    """The names of the output columns, or None if the transformer does not give them."""
    try:
        return list(step.get_feature_names_out())
    except (AttributeError, TypeError, ValueError):
        return None


def _by_names(step, n_given) -> Origins | None:
    """An output column that has the name of an input column is this column."""
    made = names_made(step)
    if made is None:
        return None
    named = list(getattr(step, "feature_names_in_", []))
    given = named or [f"x{j}" for j in range(n_given)]
    # Those steps number what they make, so the same names may be chance.
    numbers = isinstance(step, ClassNamePrefixFeaturesOutMixin)
    if made == given and len(given) == n_given and not numbers:
        return unchanged(n_given)
    if numbers or not named or len(set(named)) != n_given:
        return [None] * len(made)
    at = {name: frozenset([j]) for j, name in enumerate(given)}
    return [at.get(name) for name in made]


# What transformers of scikit-learn say otherwise.


def _of_union(step, n_given) -> Origins | None:
    parts = [origins(part, n_given) for _, part in step.transformer_list if not _is_dropped(part)]
    if any(part is None for part in parts):
        return None
    return [made for part in parts for made in part or []]


def _is_dropped(part):
    return isinstance(part, str) and part == "drop"


def _of_column_transformer(step, n_given) -> Origins:
    places = step.output_indices_
    found: Origins = [None] * max(place.stop for place in places.values())
    names = list(getattr(step, "feature_names_in_", []))
    for name, part, columns in step.transformers_:
        place = places[name]
        n_made = place.stop - place.start
        if n_made and not _is_dropped(part):
            at = positions(columns, names, n_given)
            found[place] = composed(_picked(at), origins(part, len(at), n_made) or [])
    return found


def positions(columns, names, n_columns) -> np.ndarray:
    """The positions of the columns that a fitted `ColumnTransformer` selects."""
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            # As in pandas, the last one is included.
            first = 0 if columns.start is None else names.index(columns.start)
            last = n_columns - 1 if columns.stop is None else names.index(columns.stop)
            return np.arange(n_columns)[first : last + 1 : columns.step]
        return np.arange(n_columns)[columns]
    if isinstance(columns, UserList):  # before 1.7, that of scikit-learn warns when it is read
        columns = columns.data
    chosen = [columns] if np.ndim(columns) == 0 else list(columns)
    if all(isinstance(column, str) for column in chosen):
        return np.array([names.index(column) for column in chosen], dtype=int)
    return np.atleast_1d(np.arange(n_columns)[np.asarray(chosen)])


def _of_one_hot(step, n_given) -> Origins:
    sizes = np.array([len(categories) for categories in step.categories_])
    infrequent = getattr(step, "infrequent_categories_", None)
    for j, merged in enumerate([] if infrequent is None else infrequent):
        sizes[j] -= 0 if merged is None else len(merged) - 1
    if step.drop_idx_ is not None:
        sizes -= [dropped is not None for dropped in step.drop_idx_]
    return _blocks(sizes)


def _of_bins(step, n_given) -> Origins:
    return unchanged(n_given) if step.encode == "ordinal" else _blocks(step.n_bins_)


def _of_splines(step, n_given) -> Origins:
    return _blocks([step.n_features_out_ // n_given] * n_given)


def _of_target_encoder(step, n_given) -> Origins:
    multiclass = step.target_type_ == "multiclass"
    return _blocks([len(step.classes_) if multiclass else 1] * n_given)


def _of_polynomial(step, n_given) -> Origins:
    return [frozenset(np.flatnonzero(powers).tolist()) for powers in step.powers_]


def _of_imputer(step, n_given) -> Origins:
    # Columns without any value may be left out.
    everything = step.keep_empty_features
    kept = [j for j, value in enumerate(step.statistics_) if everything or not is_missing(value)]
    return _picked(kept) + ([] if step.indicator_ is None else _picked(step.indicator_.features_))


def _of_indicator(step, n_given) -> Origins:
    return _picked(step.features_)


def _of_function(step, n_given) -> Origins | None:
    return unchanged(n_given) if step.func is None else None


_RULES: dict[Any, Callable] = {
    ColumnTransformer: _of_column_transformer,
    FeatureUnion: _of_union,
    FunctionTransformer: _of_function,
    KBinsDiscretizer: _of_bins,
    MissingIndicator: _of_indicator,
    OneHotEncoder: _of_one_hot,
    PolynomialFeatures: _of_polynomial,
    SimpleImputer: _of_imputer,
    SplineTransformer: _of_splines,
    TargetEncoder: _of_target_encoder,
}
