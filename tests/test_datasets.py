"""The datasets: cards, files, the real `openml` client against a local server, simulation.

No test connects to another machine. Real data stand beside the repository and not in it:
without them those tests skip.
"""

import doctest
import errno
import io
import logging
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.io import arff

import datasets
from datasets import Card, DatasetError, fetch, load, openml_client
from datasets.dataset import assemble, checksum
from experiments.catalogue import EXPERIMENTS
from experiments.run import Place, run
from openml_server import Fault, Published, running

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CACHE = DATA / "openml_cache"
CACHED = ["optdigits", "satimage", "steel-plates-fault", "wall-robot-navigation"]
MULTI_TARGET = ["andro", "enb", "jura", "oes10", "oes97", "wq"]
ARRAYS = {
    "gas-drift-batches": "gas_drift/gas_drift_z10.npz",
    "gas-drift-raw8": "gas_drift/gas_drift_raw8.npz",
    "mnist-t10k": "mnist_t10k/mnist_t10k.npz",
}
BUNDLED = {
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, 1),
    "digits": (1797, 64, 10),
    "digits-completion": (1797, 32, 32),
    "iris": (150, 4, 3),
    "linnerud": (20, 3, 3),
    "wine": (178, 13, 3),
}
# Samples, features, targets or classes: from the papers, not from the cards.
SIZES = BUNDLED | {
    "andro": (49, 30, 6),
    "atp1d": (337, 411, 6),
    "enb": (768, 8, 2),
    "gas-drift": (13910, 128, 6),
    "gas-drift-batches": (13910, 128, 6),
    "gas-drift-raw8": (6697, 128, 6),
    "gina_prior2": (3468, 784, 10),
    "jura": (359, 15, 3),
    "mnist-t10k": (10000, 784, 10),
    "oes10": (403, 298, 16),
    "oes97": (334, 263, 16),
    "optdigits": (5620, 64, 10),
    "rf1": (9125, 64, 8),
    "satimage": (6430, 36, 6),
    "scm1d": (9803, 280, 16),
    "steel-plates-fault": (1941, 27, 7),
    "wall-robot-navigation": (5456, 24, 4),
    "wq": (1060, 16, 14),
}
UNSEEN = {"atp1d", "gas-drift", "gina_prior2", "rf1", "scm1d"}


def needs(path):
    return pytest.mark.skipif(not path.exists(), reason=f"{path.name} is not beside the project")


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch):
    """Connections to any other machine fail, and are remembered."""
    refused = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded(self, address):
        if address[0] != "127.0.0.1":
            refused.append(address)
            raise OSError("no network in tests")
        return connect(self, address)

    def resolved(host, *args, **kwargs):
        if host != "127.0.0.1":
            refused.append(host)
            raise OSError("no network in tests")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return refused


def contents(folder):
    """Everything in a folder, bytes and times included."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def assert_same(one, other):
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.y, other.y)
    assert one.feature_names == other.feature_names
    assert one.target_names == other.target_names


# Cards.


def test_there_is_a_card_for_each_dataset():
    sizes = {
        card.name: (*card.shape, card.n_targets or card.n_classes) for card in datasets.cards()
    }
    assert sizes == SIZES


@pytest.mark.parametrize("card", datasets.cards(), ids=lambda card: card.name)
def test_a_card_is_complete(card):
    assert datasets.card(card.name) == card
    for text in (card.title, card.source, card.licence, card.paper, card.notes):
        assert len(text) > 5
        assert text == text.strip()
    assert (card.checksum is None) == (card.name in UNSEEN)
    if card.checksum:
        assert len(card.checksum) == 64
        assert set(card.checksum) <= set("0123456789abcdef")
    # One way to have it: scikit-learn, OpenML, or a named file.
    assert [card.bundled, card.openml_name is not None, bool(card.files)].count(True) == 1
    assert card.openml_id is None or card.openml_name is not None


def test_no_two_cards_share_an_id():
    ids = [card.openml_id for card in datasets.cards() if card.openml_id is not None]
    assert len(set(ids)) == len(ids)
    known = {"scm1d": 41485, "gina_prior2": 1041, "gas-drift": 1476, "optdigits": 28}
    assert {name: datasets.card(name).openml_id for name in known} == known


@pytest.mark.parametrize("name", ["oes79", "OES97", "oes97-twins"])
def test_an_unknown_name_says_which_there_are(name):
    with pytest.raises(ValueError, match=f"no dataset '{name}'.*mean 'oes97'.*scm1d"):
        load(name)
    for wrong in ("../oes97", ["iris"], None):
        with pytest.raises(ValueError, match="There are andro, atp1d"):
            datasets.card(wrong)
    with pytest.raises(ValueError, match=r"no dataset \['iris'\]"):
        load(["iris"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"task": "ranking"}, "task='ranking'"),
        ({"n_targets": None}, "n_targets is for regression"),
        ({"n_classes": 2}, "n_classes is for classification"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **wrong)


def test_doctests():
    for module in (datasets, datasets.loading):
        assert doctest.testmod(module) == (0, 4 if module is datasets else 3)


def test_neither_openml_nor_pandas_is_needed_without_openml():
    absent = "import sys; sys.modules.update(dict.fromkeys(['openml', 'pandas', 'arff']))"
    code = f"{absent}; import datasets; datasets.load('iris'); datasets.load('wq-twin')"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# A made-up dataset: 12 rows, 3 features, 2 targets.


def tiny_values(n_rows=12, n_columns=5):
    return np.round(np.random.default_rng(0).normal(size=(n_rows, n_columns)), 4)


def as_arff(values, names=("a", "b", "c", "u", "v")):
    header = "".join(f"@attribute {name} numeric\n" for name in names)
    rows = "\n".join(
        ",".join("?" if np.isnan(value) else repr(float(value)) for value in row) for row in values
    )
    return f"@relation tiny\n{header}@data\n{rows}\n"


VALUES = tiny_values()
ARFF = as_arff(VALUES)
CHECKSUM = checksum(VALUES[:, :3], VALUES[:, 3:], ["a", "b", "c"], ["u", "v"])
TINY = Card(
    name="tiny",
    title="Made up",
    task="regression",
    source="these tests",
    licence="BSD-3-Clause",
    n_samples=12,
    n_features=3,
    n_targets=2,
    openml_name="tiny",
    checksum=CHECKSUM,
    openml_seen=True,
)
LABELS = replace(TINY, task="classification", n_targets=None, n_classes=2, checksum=None)


def assert_tiny(dataset):
    np.testing.assert_array_equal(dataset.X, VALUES[:, :3])
    np.testing.assert_array_equal(dataset.y, VALUES[:, 3:])
    assert dataset.X.flags.c_contiguous
    assert dataset.feature_names == ["a", "b", "c"]
    assert dataset.target_names == ["u", "v"]
    assert dataset.checksum == CHECKSUM
    assert dataset.card.checksum == CHECKSUM
    assert dataset.n_dropped == 0


# Checks.


def corruptions():
    X, y = VALUES[:, :3], VALUES[:, 3:]
    one_bit = X.copy()
    one_bit[7, 1] = np.nextafter(one_bit[7, 1], 9)
    exchanged = X.copy()
    exchanged[[0, 1]] = X[[1, 0]]
    return {
        "one bit": (one_bit, y, "abc", "uv"),
        "two rows exchanged": (exchanged, y, "abc", "uv"),
        "targets swapped": (X, y[:, ::-1], "abc", "uv"),
        "targets and their names swapped": (X, y[:, ::-1], "abc", "vu"),
        "feature and target swapped": (
            np.c_[X[:, :2], y[:, :1]],
            np.c_[X[:, 2], y[:, 1]],
            "abu",
            "cv",
        ),
        "features renamed": (X, y, "abz", "uv"),
        "a name moved": (X, y, ["ab", "", "c"], "uv"),
    }


@pytest.mark.parametrize("case", corruptions())
def test_what_differs_from_the_card_is_refused(case):
    X, y, features, targets = corruptions()[case]
    with pytest.raises(DatasetError, match=f"the checksum is .* expected {CHECKSUM}"):
        assemble(TINY, X, y, features, targets)


def test_the_checksum_does_not_depend_on_how_numbers_are_stored():
    X, y = np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([1, 2])
    expected = checksum(X, y, ["a", "b"], ["1", "2"])
    for other in (np.asfortranarray(X), X.astype(">f8"), X.astype(np.float32), X - 0.0 * X):
        assert checksum(other, y, ["a", "b"], ["1", "2"]) == expected
    assert checksum(np.where(X == 0, -0.0, X), y, ["a", "b"], ["1", "2"]) == expected
    assert checksum(X, np.array(["1", "2"]), ["a", "b"], ["1", "2"]) == expected
    assert checksum(X.reshape(1, 4), y, ["a", "b"], ["1", "2"]) != expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": VALUES[:11, :3]}, r"found X of shape \(11, 3\).* expected \(12, 3\)"),
        ({"X": VALUES[:, :2]}, r"found X of shape \(12, 2\)"),
        ({"y": VALUES[:, 3]}, r"y of shape \(12, 1\), expected \(12, 3\) and \(12, 2\)"),
        ({"X": VALUES[:, :3] * [1, 1, np.inf]}, "12 rows have values that are infinite"),
        ({"y": VALUES[:, 3:] * [1, -np.inf]}, "12 rows have values that are infinite"),
        ({"y": VALUES[:, 3:] * [1, np.nan]}, "12 rows have values that are missing"),
        ({"feature_names": ["a", "b"]}, "found 2 names of features and 2 of targets"),
        ({"target_names": ["u"]}, "found 3 names of features and 1 of targets"),
    ],
)
def test_sizes_and_values_are_checked(change, message):
    parts = {"X": VALUES[:, :3], "y": VALUES[:, 3:], "feature_names": "abc", "target_names": "uv"}
    with pytest.raises(DatasetError, match=message):
        assemble(TINY, **parts | change)


@pytest.mark.parametrize("labels", [["p"] * 12, ["p", "q", "r"] * 4])
def test_the_number_of_classes_is_checked(labels):
    with pytest.raises(DatasetError, match=r"found [13] classes, expected 2\."):
        assemble(LABELS, VALUES[:, :3], labels, "abc")


def test_labels_stay_what_they_are():
    text = assemble(LABELS, VALUES[:, :3], ["q", "p"] * 6, "abc")
    assert text.y[0] == "q"
    assert text.target_names == ["p", "q"]
    numbers = assemble(LABELS, VALUES[:, :3], [3.0, 1.0] * 6, "abc")
    assert numbers.y.dtype == np.int64
    assert numbers.y[:2].tolist() == [3, 1]
    assert numbers.target_names == ["1", "3"]


def test_standardized():
    X = VALUES[:, :3] * [1, 1e6, 0] + [0, -3, 0.1]
    card = replace(TINY, checksum=None)
    raw = assemble(card, X, VALUES[:, 3:], "abc", "uv")
    data = raw.standardized()
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(data.X.std(axis=0, ddof=0), [1, 1, 0], rtol=1e-12)
    assert (data.X[:, 2] == 0).all()
    np.testing.assert_allclose(data.y.std(axis=0, ddof=0), 1)
    np.testing.assert_allclose(data.y * raw.y.std(axis=0) + raw.y.mean(axis=0), raw.y)
    np.testing.assert_array_equal(raw.X, X)
    assert data.checksum == raw.checksum
    labelled = assemble(LABELS, X, ["q", "p"] * 6, "abc").standardized()
    assert labelled.y.tolist() == ["q", "p"] * 6
    np.testing.assert_array_equal(labelled.X, data.X)


# Folders.


def test_a_folder_is_read_and_left_alone(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "tiny.arff").write_text(ARFF)
    before = contents(tmp_path)
    assert_tiny(fetch(TINY, data_home=tmp_path))
    assert_tiny(fetch(TINY, data_home=str(tmp_path / "deeper")))
    assert contents(tmp_path) == before


def test_a_file_in_the_folder_comes_before_one_further_down(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "tiny.arff").write_text("@relation spoilt")
    (tmp_path / "tiny.arff").write_text(ARFF)
    assert_tiny(fetch(TINY, data_home=tmp_path))


@pytest.mark.parametrize("file", ["tiny.npz", "by_another_name.npz"])
def test_an_npz_file_has_the_checksum_of_the_arff_file(tmp_path, file):
    names = {"feature_names": ["a", "b", "c"], "target_names": ["u", "v"]}
    np.savez(tmp_path / file, X=np.asfortranarray(VALUES[:, :3]), y=VALUES[:, 3:], **names)
    assert_tiny(fetch(replace(TINY, files=("by_another_name.npz",)), data_home=tmp_path))


def test_an_npz_file_without_names(tmp_path):
    np.savez(tmp_path / "tiny.npz", X=VALUES[:, :3], y=VALUES[:, 3:])
    data = fetch(replace(TINY, checksum=None), data_home=tmp_path)
    assert (data.feature_names, data.target_names) == (["x1", "x2", "x3"], ["y1", "y2"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tiny.arff", ARFF[:-40], "expected"),
        ("tiny.arff", ARFF[: ARFF.index("@data")], "cannot be read as ARFF"),
        ("tiny.arff", "<html>404</html>", "cannot be read as ARFF"),
        ("tiny.arff", "", "cannot be read as ARFF"),
        ("tiny.arff", ARFF.replace("c numeric", "c {x}"), "cannot be read as ARFF"),
        ("tiny.arff", ARFF.replace("attribute a", "attribute z"), "the checksum is"),
        ("tiny.arff", ARFF.replace("-", "", 1), "the checksum is"),
        ("tiny.arff", as_arff(VALUES[:, :2], "ab"), "it has 2 columns, too few"),
        ("tiny.npz", "PK not a zip", "cannot be read as an npz"),
    ],
)
def test_a_spoilt_file_is_named_and_left_alone(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match=f"(?s){message}.*Replace the file") as caught:
        fetch(TINY, data_home=tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert contents(tmp_path) == before


def test_an_npz_file_without_y_is_refused(tmp_path):
    np.savez(tmp_path / "tiny.npz", X=VALUES)
    with pytest.raises(DatasetError, match="npz file with X and y: 'y"):
        fetch(TINY, data_home=tmp_path)


def test_rows_with_missing_values_are_dropped_and_counted(tmp_path):
    values = VALUES.copy()
    values[2, 0] = values[5, 4] = values[5, 1] = np.nan
    (tmp_path / "tiny.arff").write_text(as_arff(values))
    card = replace(TINY, checksum=None)
    data = fetch(replace(card, missing=True), data_home=tmp_path)
    assert data.n_dropped == 2
    np.testing.assert_array_equal(np.c_[data.X, data.y], np.delete(VALUES, [2, 5], axis=0))
    with pytest.raises(DatasetError, match="2 rows have values that are missing"):
        fetch(card, data_home=tmp_path)
    (tmp_path / "tiny.arff").write_text(as_arff(np.where(VALUES[:, :1] < 9, np.nan, VALUES)))
    with pytest.raises(DatasetError, match="missing in every row"):
        fetch(replace(card, missing=True), data_home=tmp_path)


def test_target_columns_by_name(tmp_path):
    (tmp_path / "tiny.arff").write_text(ARFF)
    card = replace(TINY, checksum=None, target_columns=("b", "u"))
    data = fetch(card, data_home=tmp_path)
    assert (data.feature_names, data.target_names) == (["a", "c", "v"], ["b", "u"])
    np.testing.assert_array_equal(data.y, VALUES[:, [1, 3]])
    np.testing.assert_array_equal(data.X, VALUES[:, [0, 2, 4]])
    with pytest.raises(DatasetError, match="it has no column w"):
        fetch(replace(card, target_columns=("b", "w")), data_home=tmp_path)


def test_nominal_columns(tmp_path):
    kinds = "@attribute a {0,1}\n@attribute b numeric\n@attribute c {'x y',z}\n"
    text = f"% made up\n@relation t\n{kinds}@data\n" + "1,2.5,z\n0,?,'x y'\n1,4,?\n0,1,z\n1,1,'x y'"
    (tmp_path / "tiny.arff").write_text(text)
    card = replace(LABELS, n_samples=5, n_features=2, missing=True)
    data = fetch(card, data_home=tmp_path)
    assert data.n_dropped == 2
    assert data.y.tolist() == ["z", "z", "x y"]
    np.testing.assert_array_equal(data.X, [[1, 2.5], [0, 1], [1, 1]])
    with pytest.raises(DatasetError, match="column 'c' is not numeric"):
        fetch(replace(card, target_columns=("a",)), data_home=tmp_path)


def test_sparse_arff(tmp_path):
    pytest.importorskip("arff")
    kinds = "@attribute a numeric\n@attribute b numeric\n@attribute c {p,q}\n"
    text = f"@relation t\n{kinds}@data\n" + "{0 1.5, 2 q}\n{1 -2}\n{}\n"
    (tmp_path / "tiny.arff").write_text(text)
    data = fetch(replace(LABELS, n_samples=3, n_features=2), data_home=tmp_path)
    np.testing.assert_array_equal(data.X, [[1.5, 0], [0, -2], [0, 0]])
    assert data.y.tolist() == ["q", "p", "p"]


def test_arff_needs_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "arff", None)
    (tmp_path / "tiny.arff").write_text(ARFF)
    message = r'tiny\.arff: .*needs liac-arff .*pip install "liac-arff", .*"\.\[data\]"\.'
    with pytest.raises(DatasetError, match=message):
        fetch(TINY, data_home=tmp_path)


def arff_of(kinds, rows):
    attributes = "".join(
        f"@attribute {name} {kind}\n" for name, kind in zip("abc", kinds, strict=True)
    )
    return "@relation t\n" + attributes + "@data\n" + "\n".join(rows) + "\n"


SMALL = replace(LABELS, n_samples=4, n_features=2)


@pytest.mark.parametrize(
    ("kinds", "rows", "message"),
    [
        (["numeric", "numeric", "{p,q}"], ["1,5,2,5,p", "1,2,q"] * 2, "BadDataFormat in line 6"),
        (["numeric", "numeric", "{p,q}"], ["1,2,5%,p", "1,2,q"] * 2, "BadDataFormat in line 6"),
        (["numeric", "numeric", "{p,q}"], ["1,2,100%", "1,2,q"] * 2, "BadNominalValue in line 6"),
        (["numeric", "numeric", "{p,q}"], [f"1,{'2' * 200_000},q"] * 4, "cannot be read as ARFF"),
        (
            ["date yyyy-MM-dd", "numeric", "{p,q}"],
            ["2020-01-01,1,p", "?,1,q"] * 2,
            "BadAttributeType in line 2",
        ),
        (["numeric", "{ }", "{p,q}"], ["1,1,p", "2,1,q"] * 2, "BadAttributeType in line 3"),
        (["numeric", "{p q}", "{p,q}"], ["1,1,p", "2,1,q"] * 2, "BadAttributeType in line 3"),
        (["numeric", "", "{p,q}"], ["1,1,p", "2,1,q"] * 2, "BadAttributeFormat in line 3"),
        (["string", "numeric", "{p,q}"], ["x,1,p", "y,1,q"] * 2, "column 'a' is not numeric"),
        (["string", "numeric", "{p,q}"], ["1,1,p", "2,1,q"] * 2, "column 'a' is not numeric"),
    ],
)
def test_arff_that_could_be_misread_is_refused(tmp_path, kinds, rows, message):
    (tmp_path / "tiny.arff").write_text(arff_of(kinds, rows))
    with pytest.raises(DatasetError, match=f"tiny in .*: .*{message}.* Replace the file") as caught:
        fetch(replace(SMALL, missing=True), data_home=tmp_path)
    assert str(caught.value).count(str(tmp_path)) == 1


@pytest.mark.parametrize(
    ("kind", "rows", "labels"),
    [
        ('{"q,q",p}', ['1,2,"q,q"', "3,4,p"], ["q,q", "p"]),
        ("{'q, \\'q' , p }", ["1,2,'q, \\'q'", "3,4,p"], ["q, 'q", "p"]),
        ("string", ["1,2,'two words'", "3,4,p"], ["two words", "p"]),
        ("string", ["1,2,10", "3,4,9"], ["10", "9"]),
        ("integer", ["1,2,10", "3,4,9"], [10, 9]),
    ],
)
def test_classes_of_an_arff_file(tmp_path, kind, rows, labels):
    (tmp_path / "tiny.arff").write_text(arff_of(["numeric", "real", kind], rows * 2))
    data = fetch(SMALL, data_home=tmp_path)
    assert data.y.tolist() == labels * 2
    assert data.y.dtype.kind in "iU"
    np.testing.assert_array_equal(data.X, [[1, 2], [3, 4]] * 2)


def test_no_list_of_values_takes_exponential_time(tmp_path):
    many = "x," * 60
    for number, listed in enumerate([f"{{{many}", f"{{{many} a b}}", f"{{'a, {many} b', c}}"]):
        (tmp_path / f"{number}.arff").write_text(arff_of(["real", "real", listed], ["1,2,c"]))
    code = f"""if True:
        from pathlib import Path
        from datasets.dataset import DatasetError
        from datasets.tables import read_arff
        for number in range(3):
            try:
                print(read_arff(Path({str(tmp_path)!r}, f"{{number}}.arff")).columns[2])
            except DatasetError as error:
                print(error)
        """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        timeout=100,
        text=True,
        capture_output=True,
    )
    refused = "it cannot be read as ARFF: BadAttributeType in line 4."
    assert done.stdout.splitlines() == [refused, refused, "['c']"]


def test_decimals_of_an_integer_column_are_kept(tmp_path):
    (tmp_path / "tiny.arff").write_text(ARFF.replace("a numeric", "a INTEGER  "))
    assert_tiny(fetch(TINY, data_home=tmp_path))


def test_a_numeric_class_stays_whole_where_rows_are_dropped(tmp_path):
    rows = ["1,2,3", "?,2,3", "1,2,?", "1,2,7", "1,2,7"]
    (tmp_path / "tiny.arff").write_text(arff_of(["numeric"] * 3, rows))
    data = fetch(replace(SMALL, n_samples=5, missing=True), data_home=tmp_path)
    assert (data.y.dtype, data.y.tolist(), data.n_dropped) == (np.int64, [3, 7, 7], 2)
    assert data.target_names == ["3", "7"]


@pytest.mark.parametrize("column", [1, 4])
def test_infinite_values_are_refused_where_missing_ones_are_not(tmp_path, column):
    values = VALUES.copy()
    values[3, column] = -np.inf
    (tmp_path / "tiny.arff").write_text(as_arff(values))
    with pytest.raises(DatasetError, match="1 rows have values that are infinite"):
        fetch(replace(TINY, checksum=None, missing=True), data_home=tmp_path)


def test_arff_comes_before_npz_before_the_names_on_the_card(tmp_path):
    card = replace(TINY, checksum=None, files=("other.npz",))
    for number, file in enumerate(["other.npz", "tiny.npz"]):
        np.savez(tmp_path / file, X=VALUES[:, :3] + number, y=VALUES[:, 3:])
        assert fetch(card, data_home=tmp_path).X[0, 0] == VALUES[0, 0] + number
    (tmp_path / "tiny.arff").write_text(ARFF.replace("attribute a", "attribute first"))
    assert fetch(card, data_home=tmp_path).feature_names[0] == "first"


@pytest.mark.parametrize("names", [["p", "q"], None])
@pytest.mark.parametrize("dtype", ["U", "S"])
def test_labels_of_an_npz_file(tmp_path, names, dtype):
    given = {} if names is None else {"target_names": np.array(names, dtype=dtype)}
    given["feature_names"] = np.array(["a", "b", "c"], dtype=dtype)
    np.savez(tmp_path / "tiny.npz", X=VALUES[:, :3], y=np.array(["q", "p"] * 6, dtype), **given)
    data = fetch(LABELS, data_home=tmp_path)
    assert data.y.tolist() == ["q", "p"] * 6
    assert (data.feature_names, data.target_names) == (["a", "b", "c"], ["p", "q"])


@pytest.mark.parametrize("names", [["q", "p"], ["p", "r"]])
def test_names_of_classes_that_are_not_the_labels_are_refused(tmp_path, names):
    np.savez(tmp_path / "tiny.npz", X=VALUES[:, :3], y=["q", "p"] * 6, target_names=names)
    with pytest.raises(DatasetError, match=f"called {', '.join(names)}, but the labels.* are p, q"):
        fetch(LABELS, data_home=tmp_path)


X3, Y2, TWO = VALUES[:, :3], VALUES[:, 3:], ["p", "q"] * 6


@pytest.mark.parametrize(
    ("card", "arrays", "message"),
    [
        (TINY, {"X": X3 + 1j, "y": Y2}, "X of type complex128"),
        (TINY, {"X": X3, "y": Y2 + 1j}, "y of type complex128"),
        (TINY, {"X": X3.astype(str), "y": Y2}, "X of type <U"),
        (TINY, {"X": X3, "y": Y2.astype(str)}, "y of type <U"),
        (TINY, {"X": X3.astype(object), "y": Y2}, "as an npz file with X and y: Object arrays"),
        (TINY, {"X": X3.astype("M8[s]"), "y": Y2}, "X of type datetime64"),
        (TINY, {"X": 1.0, "y": Y2}, r"X of shape \(\) and"),
        (TINY, {"X": X3, "y": 1.0}, r"y of shape \(\),"),
        (TINY, {"X": X3[None], "y": Y2}, r"X of shape \(1, 12, 3\)"),
        (TINY, {"X": X3, "y": Y2[None]}, r"y of shape \(1, 12, 2\)"),
        (TINY, {"X": X3, "y": Y2, "target_names": "u"}, "found 3 names of features and 1 of"),
        (LABELS, {"X": X3, "y": np.arange(12) % 2 + 0j}, "y of type complex128"),
        (LABELS, {"X": X3, "y": [TWO]}, r"y of shape \(1, 12\)"),
        (LABELS, {"X": X3, "y": np.array([b"\xff", b"p"] * 6)}, "cannot be read as an npz"),
    ],
)
def test_arrays_of_a_wrong_kind_are_refused(tmp_path, card, arrays, message):
    path = tmp_path / "tiny.npz"
    np.savez(path, **arrays)
    with pytest.raises(DatasetError, match=f"{message}.*Replace the file") as caught:
        fetch(replace(card, checksum=None), data_home=tmp_path)
    assert str(caught.value).startswith(f"tiny in {path}: ")


def test_what_is_not_an_npz_file_is_refused(tmp_path):
    path = tmp_path / "tiny.npz"
    with path.open("wb") as file:
        np.save(file, VALUES)
    with pytest.raises(DatasetError, match=rf"tiny in {path}: .*npz.*Replace the file"):
        fetch(TINY, data_home=tmp_path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X", "1 2 3")
        file.writestr("y", "1 2 3")
    with pytest.raises(DatasetError, match=rf"tiny in {path}: .*npz.*Replace the file"):
        fetch(TINY, data_home=tmp_path)


def test_a_home_folder_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "tiny.arff").write_text(ARFF)
    assert_tiny(fetch(TINY, data_home="~"))


@pytest.mark.parametrize("name", ["oes97", "iris"])
def test_what_is_not_a_folder_is_refused_as_data_home(tmp_path, name):
    file = tmp_path / "oes97.arff"
    file.touch()
    with pytest.raises(DatasetError, match=f"data_home='{file}' is a file: give the folder"):
        load(name, data_home=file)
    with pytest.raises(DatasetError, match="data_home is empty: give a folder"):
        load(name, data_home="")


@needs(DATA)
@pytest.mark.parametrize("name", MULTI_TARGET)
def test_targets_are_known_by_name(tmp_path, name):
    card = datasets.card(name)
    assert len(card.target_columns) == card.n_targets
    path = tmp_path / f"{name}.arff"
    text = (DATA / "multi_target" / f"{name}.arff").read_text()
    header, rows = text.split("@data" if "@data" in text else "@DATA")
    lines = header.splitlines(keepends=True)
    first, *others = [line for line in lines if line.lower().startswith("@attribute")]
    rows = [row.partition(",") for row in rows.split()]
    # The first column, put last.
    rows = "".join(f"{rest},{value}\n" for value, _, rest in rows)
    path.write_text("@relation t\n" + "".join([*others, first]) + "@data\n" + rows)
    with pytest.raises(DatasetError, match="the checksum is"):
        load(name, data_home=tmp_path)
    data = fetch(replace(card, checksum=None), data_home=tmp_path)
    assert tuple(data.target_names) == card.target_columns
    np.testing.assert_array_equal(data.y, load(name, data_home=DATA).y)


# What scikit-learn ships, and the real data beside the repository.


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_datasets(name, only_this_machine):
    data = load(name)
    assert data.checksum == datasets.card(name).checksum
    assert not only_this_machine
    assert (*data.X.shape, len(data.target_names)) == BUNDLED[name]


def test_digits_completion_puts_the_halves_together():
    data, digits = load("digits-completion"), load("digits")
    np.testing.assert_array_equal(np.hstack([data.X, data.y]), digits.X)
    assert data.feature_names[-1] == "pixel_3_7"
    assert data.target_names[0] == "pixel_4_0"


@needs(DATA)
@pytest.mark.parametrize("name", [*MULTI_TARGET, *ARRAYS])
def test_the_files_beside_the_repository(name, only_this_machine):
    data = load(name, data_home=DATA)
    assert data.checksum == datasets.card(name).checksum == checksum_of(data)
    assert (*data.X.shape, len(data.target_names)) == SIZES[name]
    assert not only_this_machine


def checksum_of(data):
    return checksum(data.X, data.y, data.feature_names, data.target_names)


@needs(DATA)
@pytest.mark.parametrize("name", ["oes97", "wq"])
def test_multi_target_files_end_in_the_targets(name, tmp_path):
    records, header = arff.loadarff(DATA / "multi_target" / f"{name}.arff")
    data = load(name, data_home=DATA / "multi_target")
    assert data.feature_names + data.target_names == header.names()
    np.testing.assert_array_equal(np.hstack([data.X, data.y]), np.array(records.tolist()))
    names = {"feature_names": data.feature_names, "target_names": data.target_names}
    np.savez(tmp_path / f"{name}.npz", X=data.X, y=data.y, **names)
    assert_same(load(name, data_home=tmp_path), data)


@needs(DATA)
def test_arrays_are_those_of_the_npz_files():
    for name, file in ARRAYS.items():
        data = load(name, data_home=(DATA / file).parent)
        with np.load(DATA / file) as content:
            np.testing.assert_array_equal(data.X, content["X"])
            np.testing.assert_array_equal(data.y, content["y"])


def test_what_is_not_on_openml_is_not_looked_for_there(tmp_path, only_this_machine):
    with pytest.raises(DatasetError, match=r"not on OpenML\. Give data_home .*gas_drift_z10.npz"):
        load("gas-drift-batches", data_home=tmp_path)
    with pytest.raises(DatasetError, match="not on OpenML"):
        load("mnist-t10k")
    assert not only_this_machine
    assert not contents(tmp_path)


# The real client on a copy of a real cache.


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    pytest.importorskip("openml")
    if not CACHE.exists():
        pytest.skip("openml_cache is not beside the project")
    folder = tmp_path_factory.mktemp("home") / "cache"
    shutil.copytree(CACHE, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def folder_of(cache, name):
    return cache / "org" / "openml" / "www" / "datasets" / str(datasets.card(name).openml_id)


@pytest.mark.parametrize("name", CACHED)
def test_a_cache_is_read_without_network(name, cache, only_this_machine):
    before = contents(cache)
    for home in (cache, cache.parent):
        data = load(name, data_home=home)
        assert data.checksum == datasets.card(name).checksum == checksum_of(data)
        assert (*data.X.shape, len(data.target_names)) == SIZES[name]
    assert not only_this_machine
    assert contents(cache) == before
    assert not (cache.parent / "org").exists()


def test_labels_and_names_of_a_cached_dataset(cache):
    steel = load("steel-plates-fault", data_home=cache)
    assert steel.feature_names == [f"V{j}" for j in range(1, 28)]
    assert (steel.target_names[0], steel.target_names[6]) == ("Bumps", "Z_Scratch")
    np.testing.assert_array_equal(steel.X[0, :4], [42, 50, 270900, 270944])
    assert steel.y[0] == "Pastry"


@pytest.mark.parametrize("did", [None, 182])
def test_a_cached_dataset_is_found_by_its_name(cache, did, only_this_machine):
    # 182 is another dataset.
    card = replace(datasets.card("wall-robot-navigation"), openml_id=did)
    assert fetch(card, data_home=cache).checksum == card.checksum
    assert not only_this_machine


@pytest.mark.parametrize("name", CACHED)
def test_a_parquet_file_has_the_checksum_of_the_arff_file(name, cache, tmp_path, only_this_machine):
    copy = folder_of(tmp_path, name)
    shutil.copytree(folder_of(cache, name), copy)
    (copy / "dataset.arff").unlink()
    for _ in range(2):
        assert load(name, data_home=tmp_path).checksum == datasets.card(name).checksum
    assert not only_this_machine


STEEL = "steel-plates-fault"


@pytest.fixture
def steel(cache, tmp_path):
    """The folder of a cached dataset, in a cache of its own."""
    return Path(shutil.copytree(folder_of(cache, STEEL), folder_of(tmp_path, STEEL)))


def half(content):
    return content[: len(content) // 2]


def other_value(content):
    return content.replace(b"42", b"43", 1)


def no_url(content):
    return re.sub(rb"<oml:parquet_url>.*?</oml:parquet_url>", b"", content)


def dos(content):
    return content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "damage",
    [
        {"dataset.arff": half},
        {"dataset.arff": other_value},
        {"dataset.arff": None},
        {"dataset.arff": dos, "dataset.pq": None},
        {"dataset.pq": half},
        {"dataset.pq": None, "description.xml": no_url},
    ],
)
def test_of_two_files_of_a_cache_one_is_enough(steel, tmp_path, damage, only_this_machine):
    spoil(steel, damage)
    before = contents(tmp_path)
    assert load(STEEL, data_home=tmp_path).checksum == datasets.card(STEEL).checksum
    assert contents(tmp_path) == before
    assert not only_this_machine


def spoil(folder, damage):
    for name, change in damage.items():
        path = folder / name
        content = path.read_bytes()
        path.unlink()
        if change is not None:
            path.write_bytes(change(content))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"dataset.arff": half, "dataset.pq": None}, r"dataset\.arff: it is damaged \(MD5"),
        ({"dataset.arff": other_value, "dataset.pq": half}, r"dataset\.pq: it cannot be read as"),
        ({"dataset.arff": None, "description.xml": no_url}, r"dataset\.pq: .*no parquet_url"),
        ({"description.xml": half}, r"description\.xml: it is missing or damaged"),
        ({"description.xml": None}, r"description\.xml: it is missing or damaged"),
        (
            {"description.xml": lambda text: text.replace(b"id>40982<", b"id>28<")},
            r"description\.xml: it is missing or damaged",
        ),
        (
            {"description.xml": lambda text: text.replace(b"oml:version>", b"oml:no>")},
            r"dataset\.arff: KeyError: 'oml:version'",
        ),
    ],
)
def test_without_network_a_damaged_cache_is_left_alone(steel, tmp_path, damage, reason):
    spoil(steel, damage)
    before = files_in(tmp_path)
    with pytest.raises(DatasetError, match=rf"no network.*Not taken: .*40982/{reason}.*Give data_"):
        fetch(datasets.card(STEEL), data_home=tmp_path, waits=())
    assert files_in(tmp_path) == before


def files_in(folder):
    """As `contents`, without folders: one may have been written to and fro."""
    return {path: state for path, state in contents(folder).items() if path.is_file()}


@pytest.mark.parametrize("error", [OSError("a passing one"), ImportError("No engine")])
def test_an_error_of_the_parquet_reader_costs_nothing(steel, tmp_path, monkeypatch, error):
    import pandas

    (steel / "dataset.arff").unlink()
    before = files_in(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pandas, "read_parquet", raising(error))
        with pytest.raises(DatasetError, match=rf"40982/dataset\.pq: .*{error}"):
            fetch(datasets.card(STEEL), data_home=tmp_path, waits=())
    assert files_in(tmp_path) == before
    assert load(STEEL, data_home=tmp_path).checksum == datasets.card(STEEL).checksum


def raising(error):
    def function(*_, **__):
        raise error

    return function


def test_a_parquet_file_with_another_value_is_refused(steel, tmp_path):
    pandas = pytest.importorskip("pandas")
    (steel / "dataset.arff").unlink()
    frame = pandas.read_parquet(steel / "dataset.pq")
    frame.loc[1000, "V22"] += 1e-9
    frame.to_parquet(steel / "dataset.pq")
    with pytest.raises(DatasetError, match=r"40982/dataset\.pq: the checksum is"):
        fetch(datasets.card(STEEL), data_home=tmp_path, waits=())


def test_a_cache_that_may_only_be_read(steel, tmp_path):
    (steel / "dataset.arff").unlink()
    for path in [steel, *steel.iterdir()]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = contents(tmp_path)
    try:
        assert load(STEEL, data_home=tmp_path).checksum == datasets.card(STEEL).checksum
        assert contents(tmp_path) == before
    finally:
        steel.chmod(0o755)


def test_without_network_the_error_says_how_to_go_on(tmp_path):
    pytest.importorskip("openml")
    with pytest.raises(DatasetError) as caught:
        fetch(datasets.card("oes97"), data_home=tmp_path, waits=(0, 0))
    for part in (
        "oes97 could not be downloaded: https://www.openml.org",
        "3 tries",
        "no network in tests",
        f"oes97.arff or oes97.npz (it is not in {tmp_path})",
        "Source: Mulan",
    ):
        assert part in str(caught.value)


# Names that would lead elsewhere, and files that are up to something.


OUTSIDE = ["../tiny", "..", "/etc/tiny", "a/tiny", "a\\tiny", "C:tiny", "", "tiny\0", "x" * 5000]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_cannot_lead_out_of_the_folder(tmp_path, name):
    (tmp_path / "home").mkdir()
    (tmp_path / "tiny.arff").write_text(ARFF)
    for load_it in (load, datasets.card, datasets.make_twin):
        with pytest.raises(ValueError, match="There is no dataset"):
            load_it(name)
    with pytest.raises(ValueError, match="is not the name of a file: give a name"):
        fetch(replace(TINY, name=name), data_home=tmp_path / "home")
    with pytest.raises(ValueError, match="is not the name of a file: give a name"):
        fetch(replace(TINY, files=("tiny.csv", name)), data_home=tmp_path / "home")


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_experiment_writes_nothing_for_such_a_name(tmp_path, name):
    place = Place(tmp_path / "out", data_home=tmp_path, quiet=True)
    for experiment in EXPERIMENTS.values():
        with pytest.raises((ValueError, DatasetError)):
            run(experiment, name, True, place)
    assert not contents(tmp_path)


def test_a_link_out_of_the_folder_is_the_users_own(tmp_path):
    # Whoever can put one there can copy the file as well; large files are often linked.
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere.arff").write_text(ARFF)
    (tmp_path / "home" / "tiny.arff").symlink_to(tmp_path / "elsewhere.arff")
    assert_tiny(fetch(TINY, data_home=tmp_path / "home"))


@pytest.mark.parametrize(
    ("home", "reason"),
    [("x" * 5000, "too long"), ("a\0b", "null"), ("file/home", "Not a directory")],
)
def test_what_cannot_be_a_folder_is_told(tmp_path, monkeypatch, home, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=f"tiny: data_home cannot be a folder: .*{reason}"):
        fetch(TINY, data_home=home)


class Bomb:
    """What leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_objects_in_an_npz_file_are_not_made(tmp_path):
    mark = tmp_path / "exploded"
    np.savez(tmp_path / "tiny.npz", X=X3, y=Y2, feature_names=np.array([Bomb(mark)]))
    with pytest.raises(DatasetError, match=r"cannot be read as an npz .*Object arrays.*Replace"):
        fetch(TINY, data_home=tmp_path)
    assert not mark.exists()
    with np.load(tmp_path / "tiny.npz", allow_pickle=True) as file:
        assert file["feature_names"] is not None
    assert mark.exists()


# The real client against a server that answers as OpenML's.


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture
def openml(server, monkeypatch):
    """The server, empty, as the one that the client is configured for."""
    openml = pytest.importorskip("openml")
    server.datasets, server.faults, server.requests = [], [], []
    monkeypatch.setattr(openml.config, "server", server.api)
    return server


@pytest.fixture
def home(tmp_path):
    return tmp_path / "cache"


def publish(did=7, name="tiny", arff=ARFF, size=(12, 5), **more):
    return Published(did, name, arff, size, **more)


def kinds(server):
    """What was asked for, in short, since the last time."""
    asked = [
        "list" if "/list/" in path else path.rsplit("/", 1)[1].split("?")[0]
        for path in server.requests
    ]
    server.requests.clear()
    return asked


def download(home, card=TINY, waits=(0, 0)):
    return fetch(card, data_home=home, waits=waits)


KNOWN = replace(TINY, openml_id=7)


def test_pickles_in_a_cache_are_not_read(openml, home, tmp_path):
    # The client keeps some beside what it reads.
    openml.datasets = [publish()]
    download(home)
    [description] = home.rglob("description.xml")
    mark = tmp_path / "exploded"
    for name in ("features.xml.pkl", "qualities.xml.pkl", "dataset.pkl.py3", "dataset.pkl"):
        description.with_name(name).write_bytes(pickle.dumps(Bomb(mark)))
    for card in (TINY, KNOWN):
        assert_tiny(download(home, card))
    assert not mark.exists()
    pickle.loads(description.with_name("dataset.pkl").read_bytes())
    assert mark.exists()


@pytest.mark.parametrize(
    ("card", "asked"), [(TINY, ["list", "7", "7.arff"]), (KNOWN, ["7", "7.arff"])]
)
def test_download_and_cache(openml, home, card, asked):
    openml.datasets = [publish()]
    assert_tiny(download(home, card))
    assert kinds(openml) == asked
    before = contents(home)
    assert_tiny(download(home, card))
    assert_tiny(download(home.parent, card))
    # By the other card, too.
    assert_tiny(download(home, KNOWN if card is TINY else TINY))
    assert kinds(openml) == []
    assert contents(home) == before


@pytest.mark.parametrize("path", ["/list/", "data/7$", "arff"])
@pytest.mark.parametrize("kind", ["503", "404", "page", "cut"])
def test_a_passing_failure_is_survived(openml, home, path, kind):
    openml.datasets, openml.faults = [publish()], [Fault(path, kind, 2)]
    assert_tiny(download(home))
    assert kinds(openml).count({"/list/": "list", "data/7$": "7", "arff": "7.arff"}[path]) == 3
    assert_tiny(download(home))
    assert kinds(openml) == []


@pytest.mark.parametrize("kind", ["503", "404"])
@pytest.mark.parametrize(
    ("card", "path", "what", "asked"),
    [
        (TINY, "", "the list of datasets", ["list"] * 3),
        (KNOWN, "", "dataset 7", ["7"] * 3),
        # When a data file fails, the client forgets the description, too.
        (KNOWN, "arff", "dataset 7", ["7", "7.arff"] * 3),
    ],
)
def test_a_lasting_failure_is_told(openml, home, kind, card, path, what, asked):
    openml.datasets, openml.faults = [publish()], [Fault(path, kind, np.inf)]
    with pytest.raises(DatasetError) as caught:
        download(home, card)
    assert kinds(openml) == asked
    message = str(caught.value)
    assert f"tiny could not be downloaded: {openml.api} failed to send {what}, 3 tries" in message
    assert f"Status code: {kind}" in message
    assert f"tiny.arff or tiny.npz (it is not in {home}). Source: these tests" in message
    # The next try starts anew.
    openml.faults = []
    assert_tiny(download(home, card))


@pytest.mark.parametrize("kind", ["short", "altered", "cut"])
def test_a_damaged_file_is_downloaded_again(openml, home, kind):
    openml.datasets, openml.faults = [publish()], [Fault("arff", kind)]
    assert_tiny(download(home, KNOWN))
    assert kinds(openml) == ["7", "7.arff", "7", "7.arff"]


@pytest.mark.parametrize("kind", ["short", "altered", "cut"])
def test_a_file_that_is_always_damaged_is_not_kept(openml, home, kind):
    openml.datasets, openml.faults = [publish()], [Fault("arff", kind, np.inf)]
    with pytest.raises(DatasetError, match="IncompleteRead" if kind == "cut" else "MD5") as caught:
        download(home, KNOWN)
    disagrees = "OpenML's file disagrees with the MD5 that OpenML states. Give data_home"
    assert (disagrees in str(caught.value)) == (kind != "cut")
    assert ("Try again later" in str(caught.value)) == (kind == "cut")
    assert kinds(openml) == ["7", "7.arff"] * 3
    assert not list(home.rglob("dataset.*"))


def test_a_file_altered_in_the_cache_is_downloaded_again(openml, home):
    openml.datasets = [publish()]
    assert_tiny(download(home))
    kinds(openml)
    file = next(home.rglob("dataset.arff"))
    before = sorted(home.rglob("*"))
    file.write_text(ARFF.replace("1", "2", 1))
    (file.parent / "dataset.pkl").touch()
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "7", "7.arff"]
    assert file.read_text() == ARFF
    # With all that was made from the damaged file.
    assert sorted(home.rglob("*")) == before


def test_a_description_without_data_is_completed(openml, home):
    openml.datasets = [publish()]
    download(home)
    kinds(openml)
    next(home.rglob("dataset.arff")).unlink()
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "7", "7.arff"]


def test_of_two_cached_versions_the_card_chooses(openml, home):
    openml.datasets = [publish(3), publish(9, arff=as_arff(VALUES + 1))]
    other = checksum(VALUES[:, :3] + 1, VALUES[:, 3:] + 1, ["a", "b", "c"], ["u", "v"])
    third, ninth = replace(TINY, openml_id=3), replace(TINY, openml_id=9, checksum=other)
    assert_tiny(download(home, third))
    # The cached version has the shape but not the checksum.
    assert download(home, ninth).checksum == other
    assert kinds(openml) == ["3", "3.arff", "9", "9.arff"]
    for card in (third, ninth):
        assert download(home, replace(card, checksum=None)).checksum == card.checksum
    assert kinds(openml) == []


@pytest.mark.parametrize(
    ("other", "asked"),
    [
        # Under another name it is not even downloaded.
        (publish(7, "iris", as_arff(VALUES[:4])), ["7", "list", "9", "9.arff"]),
        (publish(7, "tiny", as_arff(VALUES[:4]), (4, 5)), ["7", "7.arff", "list", "9", "9.arff"]),
        (None, ["7", "list", "9", "9.arff"]),
        # The list has it, too: it is not asked for twice.
        (publish(7, private=True), ["7", "list", "9", "9.arff"]),
    ],
)
def test_a_wrong_id_on_the_card_does_no_harm(openml, home, other, asked):
    openml.datasets = [publish(9)] if other is None else [other, publish(9)]
    assert_tiny(download(home, KNOWN))
    assert kinds(openml) == asked
    # What was refused is not kept.
    assert [file.parent.name for file in home.rglob("dataset.arff")] == ["9"]
    assert_tiny(download(home, KNOWN))
    assert kinds(openml) == []


def test_the_version_whose_shape_fits_is_taken(openml, home):
    openml.datasets = [
        publish(3, arff=as_arff(VALUES[:4]), size=(4, 5)),
        publish(9, version=2),
        publish(5, arff=as_arff(VALUES[:, :4], "abcu"), size=(12, 4), version=3),
    ]
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "9", "9.arff"]


def test_a_list_that_is_a_data_frame(openml, home, monkeypatch):
    import openml as client

    # As releases from 0.16 on return it.
    frames = partial(client.datasets.list_datasets, output_format="dataframe")
    monkeypatch.setattr(client.datasets, "list_datasets", frames)
    openml.datasets = [publish(3, size=(4, 5)), publish(4, listed=False), publish(9, arff="spoilt")]
    assert_tiny(download(home, waits=()))
    assert kinds(openml) == ["list", "9", "9.arff", "4", "4.arff"]


def test_versions_of_unlisted_shape_are_tried_last(openml, home):
    openml.datasets = [
        publish(3, arff=as_arff(VALUES[:4]), listed=False),
        publish(4, arff=as_arff(VALUES), listed=False),
        publish(9, arff=as_arff(VALUES + 1)),
    ]
    assert_tiny(download(home))
    # 9 has the shape but not the checksum.
    assert kinds(openml) == ["list", "9", "9.arff", "3", "3.arff", "4", "4.arff"]


def test_where_nothing_fits_the_error_says_what_was_found(openml, home):
    openml.datasets = [
        publish(7, "iris"),
        publish(8, size=(4, 5)),
        publish(9, arff=as_arff(-VALUES)),
    ]
    with pytest.raises(DatasetError) as caught:
        download(home, KNOWN)
    for part in (
        "no dataset called 'tiny' of 12 × 5 values",
        "7: it is called 'iris'",
        "8: it has 4 × 5 values",
        "9: the checksum is ",
        f"expected {CHECKSUM}",
    ):
        assert part in str(caught.value)
    assert not list(home.rglob("*.*"))
    assert kinds(openml) == ["7", "list", "9", "9.arff"]


def test_an_empty_list_is_told(openml, home):
    with pytest.raises(DatasetError, match="has no dataset called 'tiny' of 12 × 5 values"):
        download(home)
    assert kinds(openml) == ["list"]


def test_without_a_server(openml, home, monkeypatch):
    import openml as client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        monkeypatch.setattr(client.config, "server", f"http://{address}/api/v1/xml")
        with pytest.raises(DatasetError, match=f"http://{address}.* 2 tries, last ConnectionError"):
            download(home, waits=[0])
    assert not list(home.rglob("*.*"))


@pytest.mark.parametrize("code", ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", None])
@pytest.mark.parametrize("place", ["get_dataset", "replace", "mkdtemp"])
def test_a_cache_that_cannot_be_written_is_told_at_once(openml, home, code, place, monkeypatch):
    import openml as client

    if code:
        error = OSError(getattr(errno, code), "told")
    else:
        error = client.exceptions.OpenMLCacheException("told")
    module = {"get_dataset": client.datasets, "replace": os, "mkdtemp": tempfile}[place]
    monkeypatch.setattr(module, place, raising(error))
    openml.datasets = [publish()]
    with pytest.raises(DatasetError, match=r"tiny: the cache .* cannot be written .*told.* Give"):
        download(home, KNOWN, waits=[100])
    assert not list(home.rglob("*.*"))


def test_a_folder_that_cannot_be_replaced_stays(openml, home, monkeypatch):
    openml.datasets = [publish()]
    download(home)
    file = next(home.rglob("dataset.arff"))
    file.write_text("damaged")
    before = files_in(home)
    monkeypatch.setattr(os, "replace", raising(OSError(errno.ENOSPC, "full")))
    with pytest.raises(DatasetError, match="cannot be written"):
        download(home)
    assert files_in(home) == before


def test_a_file_without_md5_that_is_no_table_is_downloaded_again(openml, home):
    openml.datasets = [publish(md5="")]
    openml.faults = [Fault("arff", "page")]
    assert_tiny(download(home, KNOWN))
    assert kinds(openml) == ["7", "7.arff", "7.arff"]


def test_each_wait_is_announced(openml, home, caplog):
    openml.datasets, openml.faults = [publish()], [Fault("arff", "503", 2)]
    assert_tiny(download(home, KNOWN, waits=(0.125, 0)))
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert {(record.name, record.levelname) for record in records} == {("datasets", "WARNING")}
    first, second = (record.getMessage() for record in records)
    assert first.startswith(f"tiny: {openml.api} failed to send dataset 7 (OpenMLServerError: ")
    assert first.endswith("; next try in 0.125 s.")
    assert second.endswith("; next try in 0 s.")


def test_names_are_compared_without_case(openml, home):
    openml.datasets = [publish()]
    for card in (replace(KNOWN, openml_name="Tiny"), replace(TINY, openml_name="TINY")):
        data = download(home, card)
        np.testing.assert_array_equal(data.X, VALUES[:, :3])
        assert data.card == card
    assert kinds(openml) == ["7", "7.arff"]


def test_the_server_answers_as_openml_does(openml, home):
    import openml as client

    text = "@relation t\n@attribute a numeric\n@attribute b {p,q}\n@data\n1,p\n2,q\n"
    openml.datasets = [publish(arff=text, target="b")]
    with openml_client._configured(client, home):
        columns = client.datasets.get_dataset(7, download_features_meta_data=True).features
        found = [(f.index, f.name, f.data_type, f.nominal_values) for f in columns.values()]
        assert found == [(0, "a", "numeric", None), (1, "b", "nominal", ["p", "q"])]
        with pytest.raises(client.exceptions.OpenMLServerNoResult):
            client.datasets.get_dataset(8, download_features_meta_data=True)
    for path in ("", "/7", "/api/v1/xml/task/7", "/api/v1/xml/data/7.arff", "/data/7"):
        assert openml.answer(path)[0] == 404


def test_waits_between_the_tries(openml, home):
    openml.faults = [Fault("", "503", np.inf)]
    start = time.perf_counter()
    with pytest.raises(DatasetError, match="3 tries"):
        download(home, waits=(0.1, 0.2))
    assert 0.3 <= time.perf_counter() - start < 3


def parquet(values):
    pandas, buffer = pytest.importorskip("pandas"), io.BytesIO()
    pandas.DataFrame(values, columns=list("abcuv")).to_parquet(buffer)
    return buffer.getvalue()


def test_parquet_is_taken_where_arff_fails(openml, home):
    openml.datasets = [publish(parquet=parquet(VALUES))]
    openml.faults = [Fault("arff", "404", np.inf)]
    assert_tiny(download(home))
    assert kinds(openml) == ["list", *["7", "7.arff"] * 3, "7", "7.pq"]
    assert_tiny(download(home))
    assert kinds(openml) == []


def test_a_damaged_parquet_file_is_downloaded_again(openml, home):
    openml.datasets = [publish(parquet=parquet(VALUES))]
    # Its first request is HEAD, and is not hurt by being short.
    openml.faults = [Fault("arff", "404", np.inf), Fault("pq", "short", 2)]
    assert_tiny(download(home))
    assert kinds(openml).count("7.pq") == 2


def test_the_target_that_openml_marks_is_the_class(openml, home):
    values = VALUES.copy()
    values[:, 1] = np.arange(12) % 2
    openml.datasets = [publish(arff=as_arff(values), target="b")]
    data = download(home, replace(LABELS, n_features=4))
    assert data.feature_names == ["a", "c", "u", "v"]
    assert data.y.tolist() == [0, 1] * 6
    # Of a regression with more targets, the last columns.
    openml.datasets = [publish(8, target="b")]
    assert_tiny(download(home, TINY))


def test_the_targets_that_openml_marks_do_not_contradict_a_regression(openml, home):
    openml.datasets = [publish(target="b,c")]
    message = "7: its source marks b, c as targets, its last columns are u, v: name the target_col"
    with pytest.raises(DatasetError, match=message):
        download(home)
    assert not list(home.rglob("*.*"))
    card = replace(TINY, target_columns=("c", "b"), checksum=None)
    assert download(home, card).target_names == ["c", "b"]
    openml.datasets = [publish(8, target="v, u")]
    assert_tiny(download(home))


def test_a_missing_class_in_a_parquet_file(openml, home):
    pandas, buffer = pytest.importorskip("pandas"), io.BytesIO()
    frame = pandas.DataFrame(VALUES[:, :3], columns=list("abc"))
    frame.assign(d=["p", None, "q"] * 4).to_parquet(buffer)
    openml.datasets = [publish(size=(12, 4), parquet=buffer.getvalue())]
    openml.faults = [Fault("arff", "404", np.inf)]
    with pytest.raises(DatasetError, match="4 rows have values that are missing"):
        download(home, LABELS)
    data = download(home, replace(LABELS, missing=True))
    assert (data.n_dropped, data.y.tolist()) == (4, ["p", "q"] * 4)


def test_a_checksum_of_another_copy_warns(openml, home, monkeypatch):
    openml.datasets = [publish(arff=as_arff(VALUES, ["A", "b", "c", "u", "v"]))]
    elsewhere = replace(TINY, openml_seen=False)
    monkeypatch.setattr(datasets.loading, "card_of", lambda name: elsewhere)
    # From the server, then from the cache.
    for get in (partial(load, "tiny"), partial(fetch, elsewhere)) * 2:
        with pytest.warns(UserWarning, match=f"tiny: OpenML's copy has .*{CHECKSUM}") as caught:
            data = get(data_home=home)
        assert [warning.filename for warning in caught] == [__file__]
        assert data.feature_names == ["A", "b", "c"]
        assert data.card == elsewhere
    assert kinds(openml) == ["list", "7", "7.arff"]
    with pytest.raises(DatasetError, match=f"the checksum is {data.checksum}, expected {CHECKSUM}"):
        download(home, TINY)


@pytest.mark.parametrize("fails", [False, True])
def test_the_client_is_left_as_it_was(openml, home, fails, monkeypatch, capfd):
    import openml as client

    monkeypatch.setenv("OPENML_SKIP_PARQUET", "perhaps")
    monkeypatch.setattr(client.config, "retry_policy", "robot")
    monkeypatch.setattr(client.config, "connection_n_retries", 3)
    root = logging.getLogger()
    assert not root.filters
    before = (client.config.get_config_as_dict(), root.handlers[:], root.filters[:])
    openml.datasets, openml.faults = [publish()], [Fault("arff", "503", 9 * fails)]
    if fails:
        with pytest.raises(DatasetError):
            download(home)
    else:
        download(home)
    assert before == (client.config.get_config_as_dict(), root.handlers[:], root.filters[:])
    assert os.environ["OPENML_SKIP_PARQUET"] == "perhaps"
    assert capfd.readouterr() == ("", "")


def test_the_client_says_nothing_that_is_not_of_interest(openml, home, caplog):
    openml.datasets = [publish()]
    download(home)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    logging.getLogger().warning("ours")
    assert "ours" in caplog.text


def test_a_program_that_loads_sees_one_line_a_wait(openml, home):
    openml.datasets, openml.faults = [publish()], [Fault("arff", "503")]
    program = f"""
import logging, openml, test_datasets
openml.config.server = {openml.api!r}
test_datasets.assert_tiny(test_datasets.download({str(home)!r}))
assert not logging.getLogger().handlers and not logging.getLogger().filters
"""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(r"tiny: http.* failed to send dataset 7 \(.*\); next try in 0 s\.", line)
    assert kinds(openml) == ["list", "7", "7.arff", "7", "7.arff"]


def test_without_data_home_the_cache_is_that_of_the_client(openml, home, monkeypatch):
    import openml as client

    monkeypatch.setattr(client.config, "_root_cache_directory", home)
    openml.datasets = [publish()]
    assert_tiny(fetch(TINY, waits=()))
    assert len(kinds(openml)) == 3
    assert_tiny(fetch(TINY, waits=()))
    assert not kinds(openml)
    assert list(home.rglob("dataset.arff"))


@pytest.mark.parametrize("module", ["openml", "pandas"])
def test_without_openml_the_extra_is_named(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf'tiny: OpenML needs {module} .*pip install "{module}", .*"\.\[data\]"\. .*tiny\.npz'
    with pytest.raises(DatasetError, match=message):
        fetch(TINY, data_home=tmp_path)
    assert load("iris").X.shape == (150, 4)


# Simulated data.


@pytest.mark.parametrize("k", [1, 3, 6])
def test_xor_is_the_parity_of_k_features(k):
    X, y = datasets.make_xor(500, 6, k, random_state=0)
    assert X.shape == (500, 6)
    negatives = (X[:, :k] < 0).sum(axis=1)
    np.testing.assert_array_equal(y, (negatives % 2 == 0).astype(int))
    assert np.abs(X).max() <= 1
    np.testing.assert_allclose(X.var(axis=0), 1 / 3, atol=0.05)
    np.testing.assert_array_equal(X, datasets.make_xor(500, 6, k, random_state=0)[0])


@pytest.mark.parametrize("k", [0, 7])
def test_xor_of_too_many_features_is_refused(k):
    with pytest.raises(ValueError, match=f"k={k}: give a whole number from 1 to n_features=6"):
        datasets.make_xor(10, 6, k)


def test_all_targets_share_the_support():
    X, Y, support = datasets.make_shared_support(
        200, 30, 5, n_relevant=25, noise=0, correlation=0.6, random_state=1
    )
    assert (X.shape, Y.shape, support.shape) == ((200, 30), (200, 5), (25,))
    assert (np.diff(support) > 0).all()
    W, *_ = np.linalg.lstsq(X, Y, rcond=None)
    sizes = np.abs(W)
    assert (sizes[support] > 0.02).all()
    assert (np.delete(sizes, support, axis=0) < 1e-10).all()


def test_correlation_and_noise_of_the_shared_support():
    make = {"n_relevant": 3, "correlation": -0.7, "random_state": 3}
    X, Y, _ = datasets.make_shared_support(20000, 6, 2, noise=0.0, **make)
    _, noisy, _ = datasets.make_shared_support(20000, 6, 2, noise=0.4, **make)
    lags = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    np.testing.assert_allclose(X.T @ X / len(X), (-0.7) ** lags, atol=0.05)
    np.testing.assert_allclose(Y.std(axis=0), 1, atol=0.03)
    np.testing.assert_allclose((noisy - Y).std(axis=0), 0.4, atol=0.02)


@pytest.mark.parametrize(
    "wrong", [{"n_relevant": 0}, {"n_relevant": 51}, {"correlation": 1.0}, {"noise": -1.0}]
)
def test_options_of_the_shared_support_are_checked(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value}: give a"):
        datasets.make_shared_support(**wrong)


@pytest.mark.parametrize("name", SIZES)
def test_twins_have_the_shape_of_the_card(name):
    twin = datasets.make_twin(name)
    n_samples, n_features, n_outputs = SIZES[name]
    assert twin.X.shape == (n_samples, n_features)
    assert len(twin.target_names) == n_outputs
    if twin.card.task == "regression":
        assert twin.y.shape == (n_samples, n_outputs)
    else:
        assert np.unique(twin.y).size == n_outputs
    assert twin.card.name == f"{name}-twin"
    assert "imulated" in twin.card.title
    assert twin.card.openml_name is None
    assert twin.card.checksum is None


def test_a_twin_is_the_same_each_time():
    twin = load("oes97-twin")
    assert_same(twin, datasets.make_twin("oes97", random_state=0))
    assert twin.checksum == load("oes97-twin", data_home="nowhere").checksum
    assert twin.checksum != datasets.make_twin("oes97", random_state=1).checksum


def test_a_twin_of_classes_can_be_learned():
    from sklearn.linear_model import LogisticRegression

    twin = load("iris-twin")
    assert LogisticRegression().fit(twin.X, twin.y).score(twin.X, twin.y) > 0.7
