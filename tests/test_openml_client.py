"""Downloads from OpenML: the real `openml` client against a local server that answers as OpenML's.

No test connects to another machine, and none waits between tries.
"""

import errno
import os
import pickle
import sys
import tempfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import datasets
from datasets import DatasetError, fetch, load
from datasets.dataset import checksum
from openml_server import Fault, Published, only_this_machine, running, without_waiting
from tiny_dataset import (
    ARFF,
    CHECKSUM,
    LABELS,
    TINY,
    VALUES,
    Bomb,
    as_arff,
    assert_tiny,
    contents,
    files_in,
    raising,
)

pytestmark = pytest.mark.untraced

refused = pytest.fixture(autouse=True)(only_this_machine)
waits = pytest.fixture(autouse=True)(without_waiting)


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture
def openml(server, monkeypatch):
    """The server, empty; the client is configured for it."""
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
    """The requests since the last call, in short."""
    asked = [
        "list" if "/list/" in path else path.rsplit("/", 1)[1].split("?")[0]
        for path in server.requests
    ]
    server.requests.clear()
    return asked


def download(home, card=TINY):
    return fetch(card, data_home=home)


KNOWN = replace(TINY, openml_id=7)


def test_pickles_in_a_cache_are_not_read(openml, home, tmp_path):
    # The client keeps pickles beside the files that it reads.
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
    # With the other card, too.
    assert_tiny(download(home, KNOWN if card is TINY else TINY))
    assert kinds(openml) == []
    assert contents(home) == before


def test_there_are_four_tries(openml, home, waits):
    openml.datasets, openml.faults = [publish()], [Fault("arff", "503", 3)]
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "7", *["7.arff"] * 4]
    assert waits == [1, 2, 3]


@pytest.mark.parametrize(
    ("card", "path", "kind", "asked"),
    [
        (TINY, "", "503", ["list"] * 4),
        (KNOWN, "", "404", ["7"] * 4),
        (KNOWN, "arff", "503", ["7", *["7.arff"] * 4]),
        # No request failed, but a proxy answered in place of OpenML.
        (TINY, "list", "page", ["list"]),
        (KNOWN, "7$", "page", ["7"]),
        # The client compares the MD5.
        (KNOWN, "arff", "altered", ["7", *["7.arff"] * 4]),
    ],
)
def test_a_lasting_failure_is_told(openml, home, card, path, kind, asked):
    openml.datasets, openml.faults = [publish()], [Fault(path, kind, np.inf)]
    with pytest.raises(DatasetError) as caught:
        download(home, card)
    assert kinds(openml) == asked
    message = str(caught.value)
    assert f"tiny: the download from {openml.api} into {home}" in message
    reason = {"page": "Error: ", "altered": "Checksum of downloaded file"}
    assert reason.get(kind, f"Status code: {kind}") in message
    assert f"tiny.arff or tiny.npz (it is not in {home}). Source: these tests" in message
    assert not list(home.rglob("*.*"))
    # The next try starts anew.
    openml.faults = []
    assert_tiny(download(home, card))


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
    # What was made from the damaged file is gone.
    assert sorted(home.rglob("*")) == before


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
        (publish(7, "iris"), ["7", "7.arff", "list", "9", "9.arff"]),
        (publish(7, "tiny", as_arff(VALUES[:4]), (4, 5)), ["7", "7.arff", "list", "9", "9.arff"]),
        (None, ["7", "list", "9", "9.arff"]),
        # The list has this id too: it is not asked for twice.
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
        publish(9),
        publish(5, arff=as_arff(VALUES[:, :4], "abcu"), size=(12, 4)),
    ]
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "9", "9.arff"]


def test_a_list_that_is_a_data_frame(openml, home, monkeypatch):
    import openml as client

    # As releases from 0.16 on return it.
    frames = partial(client.datasets.list_datasets, output_format="dataframe")
    monkeypatch.setattr(client.datasets, "list_datasets", frames)
    openml.datasets = [publish(9), publish(4, arff="spoilt")]
    assert_tiny(download(home))
    assert kinds(openml) == ["list", "4", "4.arff", "9", "9.arff"]
    with pytest.raises(DatasetError, match="has no dataset called 'other' of 12 × 5 values"):
        download(home, replace(TINY, openml_name="other"))


def test_where_nothing_fits_the_error_says_what_was_found(openml, home):
    openml.datasets = [
        publish(7, "iris"),
        publish(8, arff=as_arff(VALUES[:4])),
        publish(9, arff=as_arff(-VALUES)),
    ]
    with pytest.raises(DatasetError) as caught:
        download(home, KNOWN)
    for part in (
        "no dataset called 'tiny' of 12 × 5 values",
        "Not accepted: 7, it is called 'iris'.",
        "Not accepted: 8, found X of shape (4, 3)",
        "Not accepted: 9, the checksum is ",
        f"expected {CHECKSUM}",
    ):
        assert part in str(caught.value)
    assert not list(home.rglob("*.*"))
    assert kinds(openml) == ["7", "7.arff", "list", "8", "8.arff", "9", "9.arff"]


def test_an_empty_list_is_told(openml, home):
    with pytest.raises(DatasetError, match="has no dataset called 'tiny' of 12 × 5 values"):
        download(home)
    assert kinds(openml) == ["list"]


def test_cached_datasets_of_other_names_are_not_mentioned(openml, home):
    openml.datasets = [publish()]
    download(home)
    with pytest.raises(DatasetError, match="has no dataset called 'other'") as caught:
        download(home, replace(TINY, openml_name="other"))
    assert "Not accepted" not in str(caught.value)


@pytest.mark.parametrize("place", [(os, "replace"), (tempfile, "mkdtemp")])
def test_a_cache_that_cannot_be_written_is_told_at_once(openml, home, place, monkeypatch, waits):
    monkeypatch.setattr(*place, raising(OSError(errno.ENOSPC, "full")))
    openml.datasets = [publish()]
    with pytest.raises(DatasetError, match=f"tiny: the download .* into {home}.* full.*Give data_"):
        download(home, KNOWN)
    assert not list(home.rglob("*.*"))
    assert not waits


def test_a_folder_that_cannot_be_replaced_stays(openml, home, monkeypatch):
    openml.datasets = [publish()]
    download(home)
    file = next(home.rglob("dataset.arff"))
    file.write_text("damaged")
    before = files_in(home)
    monkeypatch.setattr(os, "replace", raising(OSError(errno.ENOSPC, "full")))
    with pytest.raises(DatasetError, match="full"):
        download(home)
    assert files_in(home) == before


def test_a_file_without_md5_that_is_no_table_is_not_accepted(openml, home):
    openml.datasets, openml.faults = [publish(md5="")], [Fault("arff", "page")]
    with pytest.raises(DatasetError, match="Not accepted: 7, it cannot be read as ARFF"):
        download(home, KNOWN)
    assert not list(home.rglob("*.*"))


def test_names_are_compared_without_case(openml, home):
    openml.datasets = [publish()]
    for card in (replace(KNOWN, openml_name="Tiny"), replace(TINY, openml_name="TINY")):
        data = download(home, card)
        np.testing.assert_array_equal(data.X, VALUES[:, :3])
        assert data.card == card
    assert kinds(openml) == ["7", "7.arff"]


def test_the_target_that_openml_marks_is_the_class(openml, home):
    values = VALUES.copy()
    values[:, 1] = np.arange(12) % 2
    openml.datasets = [publish(arff=as_arff(values), target="b")]
    data = download(home, replace(LABELS, n_features=4))
    assert data.feature_names == ["a", "c", "u", "v"]
    assert data.y.tolist() == [0, 1] * 6
    # In a regression with several targets, these are the last columns.
    openml.datasets = [publish(8, target="b")]
    assert_tiny(download(home, TINY))


def test_the_targets_that_openml_marks_do_not_contradict_a_regression(openml, home):
    openml.datasets = [publish(target="b,c")]
    message = "7, its source marks b, c as targets, its last columns are u, v: name the target_col"
    with pytest.raises(DatasetError, match=message):
        download(home)
    assert not list(home.rglob("*.*"))
    card = replace(TINY, target_columns=("c", "b"), checksum=None)
    assert download(home, card).target_names == ["c", "b"]
    openml.datasets = [publish(8, target="v, u")]
    assert_tiny(download(home))


def test_a_missing_class_in_a_parquet_file(openml, home):
    pandas = pytest.importorskip("pandas")
    openml.datasets = [publish()]
    download(home)
    file = next(home.rglob("dataset.arff"))
    frame = pandas.DataFrame(VALUES[:, :3], columns=list("abc")).assign(d=["p", None, "q"] * 4)
    frame.to_parquet(file.with_name("dataset_7.pq"))
    file.unlink()
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
        with pytest.warns(UserWarning, match=f"tiny: OpenML's copy differs .*{CHECKSUM}") as caught:
            data = get(data_home=home)
        assert [warning.filename for warning in caught] == [__file__]
        assert data.feature_names == ["A", "b", "c"]
        assert data.card == elsewhere
    assert kinds(openml) == ["list", "7", "7.arff"]
    with pytest.raises(DatasetError, match=f"the checksum is {data.checksum}, expected {CHECKSUM}"):
        download(home, TINY)


@pytest.mark.parametrize("skip_parquet", ["perhaps", None])
@pytest.mark.parametrize("fails", [False, True])
def test_the_client_is_left_as_it_was(openml, home, fails, skip_parquet, monkeypatch):
    import openml as client

    monkeypatch.delenv("OPENML_SKIP_PARQUET", raising=False)
    if skip_parquet:
        monkeypatch.setenv("OPENML_SKIP_PARQUET", skip_parquet)
    monkeypatch.setattr(client.config, "retry_policy", "robot")
    monkeypatch.setattr(client.config, "connection_n_retries", 3)
    before = client.config.get_config_as_dict()
    openml.datasets, openml.faults = [publish()], [Fault("arff", "503", 9 * fails)]
    if fails:
        with pytest.raises(DatasetError):
            download(home)
    else:
        download(home)
    assert before == client.config.get_config_as_dict()
    assert os.environ.get("OPENML_SKIP_PARQUET") == skip_parquet


def test_without_data_home_the_cache_is_that_of_the_client(openml, home, monkeypatch):
    import openml as client

    monkeypatch.setattr(client.config, "_root_cache_directory", home)
    openml.datasets = [publish()]
    assert_tiny(fetch(TINY))
    assert len(kinds(openml)) == 3
    assert_tiny(fetch(TINY))
    assert not kinds(openml)
    assert list(home.rglob("dataset.arff"))


def test_without_openml_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openml", None)
    message = r'tiny: OpenML needs openml .*pip install "openml", .*"\.\[data\]"\. .*tiny\.npz'
    with pytest.raises(DatasetError, match=message):
        fetch(TINY, data_home=tmp_path)
    assert load("iris").X.shape == (150, 4)
