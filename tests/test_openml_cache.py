"""Datasets in a cache of OpenML: the real `openml` client reads a copy of one without network.

The cache stands beside the repository and not in it: without it most of these tests skip.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import datasets
from datasets import DatasetError, fetch, load
from openml_server import only_this_machine, without_waiting
from tiny_dataset import DATA, contents, files_in, raising

pytestmark = pytest.mark.untraced

CACHE = DATA / "openml_cache"
CACHED = ["optdigits", "satimage", "steel-plates-fault", "wall-robot-navigation"]

refused = pytest.fixture(autouse=True)(only_this_machine)
waits = pytest.fixture(autouse=True)(without_waiting)


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
def test_a_cache_is_read_without_network(name, cache, refused):
    before = contents(cache)
    for home in (cache, cache.parent):
        data = load(name, data_home=home)
        assert data.checksum == datasets.card(name).checksum
    assert not refused
    assert contents(cache) == before
    assert not (cache.parent / "org").exists()


def test_labels_and_names_of_a_cached_dataset(cache):
    steel = load("steel-plates-fault", data_home=cache)
    assert steel.feature_names == [f"V{j}" for j in range(1, 28)]
    assert (steel.target_names[0], steel.target_names[6]) == ("Bumps", "Z_Scratch")
    np.testing.assert_array_equal(steel.X[0, :4], [42, 50, 270900, 270944])
    assert steel.y[0] == "Pastry"


@pytest.mark.parametrize("did", [None, 182])
def test_a_cached_dataset_is_found_by_its_name(cache, did, refused):
    # 182 is the number of another dataset.
    card = replace(datasets.card("wall-robot-navigation"), openml_id=did)
    assert fetch(card, data_home=cache).checksum == card.checksum
    assert not refused


@pytest.mark.parametrize("name", CACHED)
def test_a_parquet_file_has_the_checksum_of_the_arff_file(name, cache, tmp_path, refused):
    copy = folder_of(tmp_path, name)
    shutil.copytree(folder_of(cache, name), copy)
    (copy / "dataset.arff").unlink()
    for _ in range(2):
        assert load(name, data_home=tmp_path).checksum == datasets.card(name).checksum
    assert not refused


STEEL = "steel-plates-fault"


@pytest.fixture
def steel(cache, tmp_path):
    """The folder of a cached dataset, in a cache of its own."""
    return Path(shutil.copytree(folder_of(cache, STEEL), folder_of(tmp_path, STEEL)))


def half(content):
    return content[: len(content) // 2]


def other_value(content):
    return content.replace(b"42", b"43", 1)


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
    ],
)
def test_of_two_files_of_a_cache_one_is_enough(steel, tmp_path, damage, refused):
    spoil(steel, damage)
    before = contents(tmp_path)
    assert load(STEEL, data_home=tmp_path).checksum == datasets.card(STEEL).checksum
    assert contents(tmp_path) == before
    assert not refused


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
        ({"dataset.arff": half, "dataset.pq": None}, r"dataset\.arff, it is damaged \(MD5"),
        ({"dataset.arff": other_value, "dataset.pq": half}, r"dataset\.pq, it cannot be read as"),
        ({"description.xml": half}, r"dataset\.arff, it cannot be read as data with a desc.*xml"),
        ({"description.xml": None}, r"dataset\.arff, it cannot be read as data with a desc.*xml"),
        (
            {"description.xml": lambda text: text.replace(b"id>40982<", b"id>28<")},
            r"dataset\.arff, it cannot be read as data with a desc.* it is of dataset '28'",
        ),
    ],
)
def test_without_network_a_damaged_cache_is_left_alone(steel, tmp_path, damage, reason):
    spoil(steel, damage)
    before = files_in(tmp_path)
    with pytest.raises(DatasetError, match=rf"no network.*Not accepted: .*40982/{reason}.*Give d"):
        fetch(datasets.card(STEEL), data_home=tmp_path)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("error", [OSError("a passing one"), ImportError("No engine")])
def test_an_error_of_the_parquet_reader_costs_nothing(steel, tmp_path, monkeypatch, error):
    import pandas

    (steel / "dataset.arff").unlink()
    before = files_in(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pandas, "read_parquet", raising(error))
        with pytest.raises(DatasetError, match=rf"40982/dataset\.pq, .*{error}"):
            fetch(datasets.card(STEEL), data_home=tmp_path)
    assert files_in(tmp_path) == before
    assert load(STEEL, data_home=tmp_path).checksum == datasets.card(STEEL).checksum


def test_a_parquet_file_with_another_value_is_refused(steel, tmp_path):
    pandas = pytest.importorskip("pandas")
    (steel / "dataset.arff").unlink()
    frame = pandas.read_parquet(steel / "dataset.pq")
    frame.loc[1000, "V22"] += 1e-9
    frame.to_parquet(steel / "dataset.pq")
    with pytest.raises(DatasetError, match=r"40982/dataset\.pq, the checksum is"):
        fetch(datasets.card(STEEL), data_home=tmp_path)


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


def test_without_network_the_error_says_how_to_go_on(tmp_path, waits):
    pytest.importorskip("openml")
    with pytest.raises(DatasetError) as caught:
        fetch(datasets.card("oes97"), data_home=tmp_path)
    for part in (
        "oes97: the download from https://www.openml.org",
        "no network in tests",
        "Try again later.",
        f"oes97.arff or oes97.npz (it is not in {tmp_path})",
        "Source: Mulan",
    ):
        assert part in str(caught.value)
    assert waits == [1, 2, 3]
    assert not list(tmp_path.rglob("*.*"))
