"""Numbers, flags and text in files mean the same, however they are stored and read."""

import io
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from equal_moments import assert_equal
from shrinklin import Moments
from written_tables import FEATURES, each_kind, expected, read, table, write

kind = pytest.fixture(params=["csv", "parquet"])(each_kind)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([True, False], [3, 4]),
        (np.float32([0.5, 0.25]), [1 / 3, 1 / 7]),
        ([1, 2], [0.5, 0.25]),
        (np.int8([1, 2]), [1000, 2000]),
    ],
)
def test_numbers_are_those_of_each_file_whatever_the_first_holds(tmp_path, kind, first, then):
    frames = [pd.DataFrame({"a": a, "y": [1.0, 3.0]}) for a in (first, then)]
    files = [write(frame, tmp_path / f"{i}.{kind}") for i, frame in enumerate(frames)]
    whole = pd.concat([frame.astype(float) for frame in frames])
    assert_equal(read(files, "y"), Moments.from_data(whole[["a"]], whole["y"]))


def test_numbers_that_are_stored_otherwise(tmp_path):
    frame = table()
    kept = frame.assign(a=frame["a"].round(4), b=frame["c"])
    told = kept.assign(a=[Decimal(f"{a:.4f}") for a in kept["a"]], b=kept["b"].astype("category"))
    file = write(told, tmp_path / "told.parquet")
    assert_equal(read(file, "y", features=FEATURES, rows=9), expected(kept, "y"))


def test_whole_numbers_of_more_than_64_bits(tmp_path):
    big = 2.0**70 * np.array([1, 2, 3])
    frame = pd.DataFrame({"a": [str(int(a)) for a in big], "y": [1, 2, 4]})
    file, whole = write(frame, tmp_path / "big.csv"), Moments.from_data(big[:, None], frame["y"])
    assert_equal(read(file, "y", dtype={"a": float}), whole)
    assert_equal(read(file, "y"), whole)


WRITTEN = {
    "flags and numbers": (["True", "False", "1", "0", "true", "FALSE"], [1, 0, 1, 0, 1, 0], {}),
    "flags and fractions": (
        ["True", "1.5", "-.5e1", "False", "+2.", "1e-3"],
        [1, 1.5, -5, 0, 2, 1e-3],
        {},
    ),
    "spaces": (["True", " 1", "0 ", "2", "False", "3"], [1, 1, 0, 2, 0, 3], {}),
    "words of one's own": (
        ["yes", "no", "1", "True", "0", "no"],
        [1, 0, 1, 1, 0, 0],
        {"true_values": ["yes"], "false_values": ["no"]},
    ),
    "signs of one's own": (
        ["True", "1.234,5", "1.000", "False", "2", "-3,25"],
        [1, 1234.5, 1000, 0, 2, -3.25],
        {"thousands": ".", "decimal": ",", "sep": ";"},
    ),
    "categories": (
        ["True", "1", "0", "2.5", "False", "3"],
        [1, 1, 0, 2.5, 0, 3],
        {"dtype": {"a": "category"}},
    ),
    "huge and negative": (
        ["18446744073709551615", "-1", "3", "4", "5", "6"],
        [2.0**64, -1, 3, 4, 5, 6],
        {},
    ),
    "huge and fractions": ([str(10**23), "1.5", "3", "4", "5", "6"], [1e23, 1.5, 3, 4, 5, 6], {}),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize(
    "role",
    [
        {"target": "b", "features": ["a"]},
        {"target": "a", "features": ["b"]},
        {"target": "b", "features": ["c"], "sample_weight": "a"},
    ],
    ids=["feature", "target", "weight"],
)
def test_what_a_column_means_does_not_depend_on_the_rows_read_at_a_time(kind, role):
    texts, numbers, options = WRITTEN[kind]
    frame = pd.DataFrame({"a": np.array(numbers, float), "b": range(6), "c": [0, 3, 1, 2, 5, 1]})
    if "sample_weight" in role:
        texts, frame["a"] = [text.lstrip("-") for text in texts], np.abs(frame["a"])
    sep = options.get("sep", ",")
    rows = [sep.join(map(str, row)) for row in zip(texts, frame["b"], frame["c"], strict=True)]
    text = "\n".join([sep.join("abc"), *rows])
    for n_rows in (1, 2, 3, 6):
        found = Moments.from_csv(io.StringIO(text), **role, chunksize=n_rows, **options)
        whole = expected(frame, **role)
        # A chunk whose rows all have no weight is not counted in n_samples.
        assert_equal(replace(found, n_samples=6), whole)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["True", "maybe", "1"], {}),
        (["True", "1_000", "1"], {}),
        (["True", "1.5", "1"], {"decimal": ","}),
        (["True", "1,5", "1"], {"quoting": 0}),
        (["True", "1", "0"], {"dtype": {"a": str}}),
        (["1", "2", "3"], {"dtype": str}),
        (["True", "1", "0"], {"converters": {"a": str}}),
    ],
)
def test_text_stays_text_however_many_rows_are_read_at_a_time(texts, options):
    lines = [f'"{text}",{i}' for i, text in enumerate(texts)]
    for n_rows in (1, 2, 3):
        with pytest.raises(ValueError, match=r"column '[ab]' holds .*, not numbers"):
            Moments.from_csv(
                io.StringIO("\n".join(["a,b", *lines])), "b", chunksize=n_rows, **options
            )


@pytest.mark.parametrize(("text", "told"), [("1,234", "thousands=','"), ("1,5", "decimal=','")])
def test_numbers_that_pandas_takes_for_text_name_its_option(tmp_path, text, told):
    frame = pd.DataFrame({"a": ["3", text], "y": [1, 2]})
    with pytest.raises(ValueError, match=rf"holds (str|object), '{text}' in row 1, .* give {told}"):
        read(write(frame, tmp_path / "a.csv"), "y")
