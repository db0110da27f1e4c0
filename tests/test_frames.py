"""DataFrames of polars, tables of pyarrow, and columns of pandas that are not numpy's.

Their models are those of the same numbers in arrays.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from entry_points import (
    ALL_FITS,
    ALPHAS,
    CLASSIFIER,
    CODES,
    DENSE,
    FRAME,
    NAMES,
    OF_X,
    REGRESSOR,
    N,
    Y,
)
from shrinklin import (
    InformationCriterion,
    Moments,
    ShrinkNetRegressor,
    bootstrap_intervals,
    regularization_path,
    split_intervals,
    summary,
)

# All that read X in a way of their own.
READERS = ["regressor", "partial_fit", "path", "criterion", "moments", "moments of chunks"]
READERS += ["cross-validation", "cross-validation by a scorer", "stability"]
READERS += ["classifier", "partial_fit of a classifier"]
COUNTS = np.round(3 * DENSE)
TEXT = np.where(CODES, "u", "v")


def polars():
    return pytest.importorskip("polars", reason="polars is not installed")


def in_polars(frame, **columns):
    pl = polars()
    table = pl.DataFrame({name: frame[name].to_numpy() for name in frame.columns})
    return table.with_columns(**columns)


def in_arrow(frame, **columns):
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    arrays = {name: frame[name].to_numpy() for name in frame.columns} | columns
    return arrow.table(arrays)


ARROW = "a table of pyarrow"
KINDS = {
    ARROW: lambda: (in_arrow(FRAME), DENSE),
    "polars": lambda: (in_polars(FRAME), DENSE),
    "Float64": lambda: (FRAME.astype("Float64"), DENSE),
    "pyarrow": lambda: (FRAME.astype("double[pyarrow]"), DENSE),
    "sparse": lambda: (FRAME.astype(pd.SparseDtype(float, 0.0)), DENSE),
    "Int64": lambda: (pd.DataFrame(COUNTS, columns=NAMES).astype("Int64"), COUNTS),
    "whole numbers of polars": lambda: (
        in_polars(pd.DataFrame(COUNTS.astype(int), columns=NAMES)),
        COUNTS,
    ),
    "boolean": lambda: ((FRAME > 0).astype("boolean"), DENSE > 0),
    "booleans of pyarrow": lambda: ((FRAME > 0).astype("bool[pyarrow]"), DENSE > 0),
    "booleans of polars": lambda: (in_polars(FRAME > 0), DENSE > 0),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.parametrize("name", READERS)
@every_kind
def test_fits_to_frames_are_fits_to_arrays(kind, name):
    frame, array = KINDS[kind]()
    found, expected = OF_X[name](frame), OF_X[name](array.astype(float))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@every_kind
def test_models_and_paths_of_frames_read_frames(kind):
    frame, array = KINDS[kind]()
    model, codes = clone(REGRESSOR).fit(frame, Y), clone(CLASSIFIER).fit(frame, CODES)
    assert list(model.feature_names_in_) == NAMES
    alone = clone(REGRESSOR).fit(array.astype(float), Y)
    np.testing.assert_allclose(model.predict(frame), alone.predict(array), rtol=1e-6, atol=1e-9)
    assert codes.predict_proba(frame).shape == (N, 2)
    assert model.score(frame, Y) == pytest.approx(alone.score(array.astype(float), Y))
    path = regularization_path(REGRESSOR, frame, Y, alphas=ALPHAS)
    assert list(path.feature_names) == NAMES
    np.testing.assert_allclose(path.predict(frame)[1][:, 0], path[1].predict(frame), atol=1e-12)
    assert path.refit(frame, Y).mean_squared_errors(frame, Y).shape == (2,)
    assert list(Moments.from_data(frame, Y).feature_names) == NAMES
    names = list("bacdef")
    other = frame.select(names) if kind == ARROW else frame[names]
    for read in (model.predict, path.predict):
        with pytest.raises(ValueError, match="feature names should match those that were"):
            read(other)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("kind", ["polars", ARROW])
def test_summaries_and_intervals_of_tables_are_those_of_pandas(kind, scaled):
    table, _ = KINDS[kind]()
    model = make_pipeline(StandardScaler(), REGRESSOR) if scaled else REGRESSOR
    for look in (
        lambda X: summary(clone(model).fit(X, Y)),
        lambda X: split_intervals(model, X, Y, random_state=0),
        lambda X: bootstrap_intervals(model, X, Y, 3, random_state=0),
    ):
        expected = look(FRAME)
        assert len(expected)
        pd.testing.assert_frame_equal(look(table), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "model", [REGRESSOR, InformationCriterion(ShrinkNetRegressor(), alphas=ALPHAS)]
)
def test_what_goes_out_is_of_the_kind_that_was_asked_for(model):
    model = clone(model).fit(in_polars(FRAME), Y).set_output(transform="polars")
    kept = model.transform(in_polars(FRAME))
    assert isinstance(kept, polars().DataFrame)
    assert kept.columns == list(model.get_feature_names_out())
    np.testing.assert_array_equal(kept.to_numpy(), DENSE[:, model.get_support()])
    model.set_output(transform="pandas")
    assert list(model.transform(FRAME.astype("Float64")).columns) == kept.columns


@cache
def targets():
    pl = polars()
    return [
        pl.Series("y", Y),
        pl.DataFrame({"y": Y}),
        pd.Series(Y, dtype="Float64"),
        pd.Series(Y, dtype="double[pyarrow]"),
    ]


@cache
def labels():
    pl = polars()
    return [
        pl.Series("y", TEXT),
        pl.Series("y", TEXT).cast(pl.Categorical),
        pl.Series("y", CODES == 1),
        *(pd.Series(TEXT, dtype=dtype) for dtype in ("string", "category", "string[pyarrow]")),
        pd.Series(CODES, dtype="Int64"),
        pd.Series(CODES == 1, dtype="boolean"),
    ]


@pytest.mark.parametrize("name", ["regressor", "partial_fit", "path", "moments", "stability"])
def test_targets_of_frames_are_targets_of_arrays(name):
    fit, _ = ALL_FITS[name]
    for y in targets():
        found = np.squeeze(fit(DENSE, y, None))
        np.testing.assert_allclose(found, np.squeeze(fit(DENSE, Y, None)), rtol=1e-9, atol=1e-12)


def test_labels_of_frames_are_labels_of_arrays():
    for y in labels():
        model = clone(CLASSIFIER).fit(in_polars(FRAME), y)
        alone = clone(CLASSIFIER).fit(in_polars(FRAME), np.asarray(y))
        np.testing.assert_array_equal(model.classes_, alone.classes_)
        np.testing.assert_array_equal(model.predict(in_polars(FRAME)), alone.predict(FRAME))
        assert model.score(in_polars(FRAME), y) == (model.predict(FRAME) == np.asarray(y)).mean()


PATH = regularization_path(REGRESSOR, FRAME, Y, alphas=ALPHAS)
FITTED = clone(REGRESSOR).fit(FRAME, Y)
READS = {
    "fit": lambda X: clone(REGRESSOR).fit(X, Y),
    "fit of a classifier": lambda X: clone(CLASSIFIER).fit(X, CODES),
    "partial_fit": lambda X: clone(REGRESSOR).partial_fit(X, Y),
    "predict": FITTED.predict,
    "path": lambda X: regularization_path(REGRESSOR, X, Y),
    "predictions of a path": PATH.predict,
    "refit": lambda X: PATH.refit(X, Y),
    "errors of a path": lambda X: PATH.mean_squared_errors(X, Y),
    "moments": lambda X: Moments.from_data(X, Y),
    "stability": OF_X["stability"],
    "cross-validation": OF_X["cross-validation"],
}
every_read = pytest.mark.parametrize("name", READS)


def in_pandas(values, dtype):
    return FRAME.assign(c=pd.Series(values, dtype=dtype))


NOT_NUMBERS = {
    "category": (lambda: in_pandas(TEXT, "category"), "category"),
    "a category of numbers": (lambda: in_pandas(CODES, "category"), "category"),
    "str": (lambda: in_pandas(TEXT, "str"), "text"),
    "string": (lambda: in_pandas(TEXT, "string"), "text"),
    "objects": (lambda: in_pandas(TEXT, object), "text"),
    "numbers as text": (lambda: in_pandas(CODES.astype(str), object), "text"),
    "text of pyarrow": (lambda: in_pandas(TEXT, "string[pyarrow]"), "text"),
    "polars": (lambda: in_polars(FRAME, c=polars().Series(TEXT)), "text"),
    "categories of polars": (
        lambda: in_polars(FRAME, c=polars().Series(TEXT).cast(polars().Categorical)),
        "category",
    ),
    "an Enum of polars": (
        lambda: in_polars(FRAME, c=polars().Series(TEXT).cast(polars().Enum(["u", "v"]))),
        "category",
    ),
    "numbers as text in a table of pyarrow": (
        lambda: in_arrow(FRAME, c=CODES.astype(str).tolist()),
        "text",
    ),
}


def in_pandas_objects(values):
    return FRAME.assign(c=pd.Series(values, dtype=object))


NESTED = {
    "lists of pandas": lambda: in_pandas_objects([[1.0]] * N),
    "lists of polars": lambda: in_polars(FRAME, c=polars().Series([[1.0]] * N)),
    "records of polars": lambda: in_polars(FRAME, c=polars().Series([{"u": 1}] * N)),
    "objects of polars": lambda: in_polars(
        FRAME, c=polars().Series([object()] * N, dtype=polars().Object)
    ),
    "lists of pyarrow": lambda: in_arrow(FRAME, c=[[1.0]] * N),
    "records of pyarrow": lambda: in_arrow(FRAME, c=[{"u": 1}] * N),
}


@pytest.mark.parametrize("kind", NESTED)
def test_lists_and_records_are_refused_with_the_name_of_their_column(kind):
    table = NESTED[kind]()
    for read in ("fit", "predict", "path", "moments", "cross-validation"):
        with pytest.raises(ValueError, match=r"lists, records or other objects in 1 of 6 .*'c'\."):
            READS[read](table)


@pytest.mark.parametrize("unit", ["timestamp[us]", "date32", "duration[s]"])
def test_dates_of_pyarrow_are_refused(unit):
    dates = pd.Series(np.arange(N), dtype="int32[pyarrow]" if unit == "date32" else None)
    table = in_arrow(FRAME, c=dates.astype(f"{unit}[pyarrow]").array.__arrow_array__())
    with pytest.raises(ValueError, match=r"dates or times \(.* in column 'c'\): give"):
        clone(REGRESSOR).fit(table, Y)


@every_read
@pytest.mark.parametrize("kind", NOT_NUMBERS)
def test_text_and_categories_are_refused_with_the_encoder_to_use(kind, name):
    make, said = NOT_NUMBERS[kind]
    with pytest.raises(ValueError, match=rf"text or categories in 1 of 6 columns: 'c' \({said}\)"):
        READS[name](make())


def test_the_encoder_of_the_message_works():
    X = FRAME.assign(c=TEXT, f=pd.Categorical(CODES))
    with pytest.raises(ValueError, match="X has text or categories in 2 of 6") as caught:
        REGRESSOR.fit(X, Y)
    encoder = make_column_transformer((OneHotEncoder(), ["c", "f"]), remainder="passthrough")
    line = "make_column_transformer((OneHotEncoder(), ['c', 'f']), remainder=\"passthrough\")"
    assert line in str(caught.value)
    model = make_pipeline(encoder, clone(REGRESSOR)).fit(X, Y)
    assert model.predict(X).shape == (N,)


def test_few_of_many_columns_are_named():
    wide = pd.DataFrame(np.full((4, 30), "a"))
    with pytest.raises(ValueError, match=r"30 of 30 columns: 0 \(text\), .* 4 \(text\), …\. Enc"):
        clone(REGRESSOR).fit(wide, np.arange(4.0))
    empty = pd.DataFrame(np.full((4, 30), np.nan))
    with pytest.raises(ValueError, match=r"NaN.* in 30 of 30 columns: 0, 1, 2, 3, 4, …\. Fill in"):
        clone(REGRESSOR).fit(empty, np.arange(4.0))


WHOLE, FLOATS, FLAGS = ([None, *values] for values in ([1] * 39, [1.5] * 39, [True] * 39))
MISSING = {
    "Int64": lambda: in_pandas(WHOLE, "Int64"),
    "Float64": lambda: in_pandas(FLOATS, "Float64"),
    "boolean": lambda: in_pandas(FLAGS, "boolean"),
    "pyarrow": lambda: in_pandas(WHOLE, "int64[pyarrow]"),
    "objects": lambda: in_pandas(FLOATS, object),
    "NaN": lambda: in_pandas(FLOATS, float),
    "polars": lambda: in_polars(FRAME, c=polars().Series(WHOLE)),
    ARROW: lambda: in_arrow(FRAME, c=WHOLE),
}


@every_read
@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_refused_with_the_name_of_their_column(kind, name):
    with pytest.raises(ValueError, match=r"NaN.* columns: '?c'?\. Fill in"):
        READS[name](MISSING[kind]())
