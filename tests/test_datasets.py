"""The datasets: cards, checks, what scikit-learn ships, real data, simulation.

Without the real data beside the repository, the tests that read them skip.
"""

import csv
import doctest
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import arff

import datasets
from datasets import DatasetError, fetch, load
from datasets.dataset import assemble, checksum
from openml_server import only_this_machine
from tiny_dataset import CHECKSUM, DATA, LABELS, TINY, VALUES, assert_same, contents, needs

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
MULTI_TARGET = ["andro", "enb", "jura", "oes10", "oes97", "wq"]
ARRAYS = {
    "gas-drift-batches": "gas_drift/gas_drift_z10.npz",
    "gas-drift-raw8": "gas_drift/gas_drift_raw8.npz",
    "mnist-t10k": "mnist_t10k/mnist_t10k.npz",
    **{
        name: f"networks/{name}/{name}.npz"
        for name in ("car", "covertype93k", "isolet_part", "mfeat", "optdigits", "segment")
    },
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
    "car": (1728, 21, 4),
    "cifar_10": (60000, 3072, 10),
    "covertype": (581012, 54, 7),
    "covertype93k": (92962, 54, 7),
    "enb": (768, 8, 2),
    "gas-drift": (13910, 128, 6),
    "gas-drift-batches": (13910, 128, 6),
    "gas-drift-raw8": (6697, 128, 6),
    "gina_prior2": (3468, 784, 10),
    "isolet": (7797, 617, 26),
    "isolet_part": (3119, 617, 26),
    "jura": (359, 15, 3),
    "mfeat": (2000, 649, 10),
    "mfeat-factors": (2000, 216, 10),
    "mnist_784": (70000, 784, 10),
    "mnist-t10k": (10000, 784, 10),
    "oes10": (403, 298, 16),
    "oes97": (334, 263, 16),
    "optdigits": (5620, 64, 10),
    "rf1": (9125, 64, 8),
    "satimage": (6430, 36, 6),
    "scm1d": (9803, 280, 16),
    "segment": (2310, 19, 7),
    "steel-plates-fault": (1941, 27, 7),
    "wall-robot-navigation": (5456, 24, 4),
    "wq": (1060, 16, 14),
}
UNSEEN = {"atp1d", "gas-drift", "gina_prior2", "rf1", "scm1d"}
UNSEEN |= {"cifar_10", "covertype", "isolet", "mfeat-factors", "mnist_784"}


@pytest.fixture(autouse=True)
def refused(monkeypatch):
    """The connections that a test has tried to make to other machines."""
    return only_this_machine(monkeypatch)


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


# What scikit-learn ships, and the real data beside the repository.


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_datasets(name, refused):
    data = load(name)
    assert data.checksum == datasets.card(name).checksum
    assert not refused
    assert (*data.X.shape, len(data.target_names)) == BUNDLED[name]


def test_digits_completion_puts_the_halves_together():
    data, digits = load("digits-completion"), load("digits")
    np.testing.assert_array_equal(np.hstack([data.X, data.y]), digits.X)
    assert data.feature_names[-1] == "pixel_3_7"
    assert data.target_names[0] == "pixel_4_0"


@needs(DATA)
@pytest.mark.parametrize("name", [*MULTI_TARGET, *ARRAYS])
def test_the_files_beside_the_repository(name, refused):
    home = (DATA / ARRAYS[name]).parents[1] if name in ARRAYS else DATA
    data = load(name, data_home=home)
    assert data.checksum == datasets.card(name).checksum == checksum_of(data)
    assert (*data.X.shape, len(data.target_names)) == SIZES[name]
    assert not refused


def checksum_of(data):
    return checksum(data.X, data.y, data.feature_names, data.target_names)


@needs(DATA)
@pytest.mark.parametrize("name", ["oes97", "wq"])
def test_multi_target_files_end_in_the_targets(name, tmp_path):
    limit = csv.field_size_limit()
    records, header = arff.loadarff(DATA / "multi_target" / f"{name}.arff")
    # scipy raises it for the whole process.
    csv.field_size_limit(limit)
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


def test_what_is_not_on_openml_is_not_looked_for_there(tmp_path, refused):
    with pytest.raises(DatasetError, match=r"not on OpenML\. Give data_home .*gas_drift_z10.npz"):
        load("gas-drift-batches", data_home=tmp_path)
    with pytest.raises(DatasetError, match="not on OpenML"):
        load("mnist-t10k")
    assert not refused
    assert not contents(tmp_path)


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
