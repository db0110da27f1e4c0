"""Datasets of OpenML, through the `openml` client: from a cache of it, or downloaded.

A dataset is known by its name and its shape: an id on the card is only tried first. The
ARFF file comes before the Parquet file, because OpenML states a checksum (MD5) of the former only.
While the client works, its settings are ours; they are the user's again afterwards. (They
are global: do not load from several threads at once.)
"""

import hashlib
import logging
import os
import textwrap
import time
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from datasets.dataset import DatasetError, assemble, way_on
from datasets.tables import MISSING_EXTRA, read_arff, read_parquet, split

OML = "{http://openml.org/openml}"
SKIP_PARQUET = "OPENML_SKIP_PARQUET"


def obtain(card, data_home, waits):
    """The dataset of a card from a cache, else from the server, checked.

    Parameters
    ----------
    card : Card
        With an `openml_name`.
    data_home : path-like or None
        The root of a cache, or a folder that has such roots in it; None: the client's own.
    waits : sequence of float
        Seconds between the tries of each request.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
    """
    search = _Search(card, data_home, tuple(waits), rejected={})
    openml = _imported(search)
    for root in _roots(data_home):
        with _configured(openml, root):
            dataset = _from_cache(openml, search)
        if dataset is not None:
            return dataset
    with _configured(openml, None if data_home is None else Path(data_home)):
        return _from_server(openml, search)


@dataclass(frozen=True)
class _Search:
    card: object
    data_home: object
    waits: tuple[float, ...]
    # Why each dataset seen so far is not the one: reasons by id.
    rejected: dict[int, str]


def _roots(data_home):
    if data_home is None:
        return [None]
    home = Path(data_home)
    if not home.is_dir():
        return []
    return [home, *sorted(child for child in home.iterdir() if child.is_dir())]


@contextmanager
def _configured(openml, root):
    """The client keeps its cache in `root` and leaves retries to us, quietly."""
    before = openml.config.get_config_as_dict()
    with ExitStack() as stack:
        stack.callback(openml.config.set_root_cache_directory, before["cachedir"])
        policy = before["retry_policy"], before["connection_n_retries"]
        stack.callback(openml.config.set_retry_policy, *policy)
        stack.enter_context(_quiet())
        if root is not None:
            openml.config.set_root_cache_directory(root)
        # The client would wait at least a second before each further try.
        openml.config.set_retry_policy("human", 1)
        yield


def _imported(search):
    try:
        import openml
        import pandas  # noqa: F401
    except ImportError as error:
        way = way_on(search.card, search.data_home)
        raise DatasetError(f"{search.card.name}: {error}. {MISSING_EXTRA} {way}") from error
    return openml


@contextmanager
def _quiet():
    """Silence what the client logs through the root logger, "Received uncompressed content"."""
    root = logging.getLogger()
    # With no handler there, its first message would install one that prints.
    handler = logging.NullHandler()
    root.addHandler(handler)
    root.addFilter(_not_of_the_client)
    try:
        yield
    finally:
        root.removeFilter(_not_of_the_client)
        root.removeHandler(handler)


def _not_of_the_client(record):
    return Path(record.pathname).parent.name != "openml"


@contextmanager
def _arff_only(skip):
    before = os.environ.get(SKIP_PARQUET)
    os.environ[SKIP_PARQUET] = str(skip).lower()
    try:
        yield
    finally:
        if before is None:
            del os.environ[SKIP_PARQUET]
        else:
            os.environ[SKIP_PARQUET] = before


# Caches.


def _from_cache(client, search):
    """The dataset if it is there and sound; what is damaged is removed."""
    for did in _cached(client, search.card):
        folder = _folder(client, did)
        try:
            table = _table(client, did, arff=(folder / "dataset.arff").is_file())
        except (_Damaged, _Unreadable) as error:
            search.rejected[did] = str(error)
            continue
        dataset = _accepted(client, search, did, table)
        if dataset is not None:
            return dataset
    return None


def _cached(client, card):
    """Ids of complete datasets of that name in the cache, the card's own first."""
    folder = _folder(client, "")
    if not folder.is_dir():
        return []
    ids = [int(child.name) for child in folder.iterdir() if child.name.isdigit()]
    ids = [did for did in ids if _data_files(folder / str(did))]
    same_name = [did for did in ids if _is_called(card, _description(client, did).get("name"))]
    return sorted(same_name, key=lambda did: (did != card.openml_id, did))


def _folder(client, did):
    return Path(client.config.get_cache_directory()) / "datasets" / str(did)


def _data_files(folder):
    names = ["dataset.arff", "dataset.pq", f"dataset_{folder.name}.pq"]
    return [folder / name for name in names if (folder / name).is_file()]


def _description(client, did):
    """Name, MD5 and target of a cached dataset; empty where there is no sound description."""
    try:
        tree = ElementTree.parse(_folder(client, did) / "description.xml")
    except (OSError, ElementTree.ParseError):
        return {}
    fields = {"name": "name", "md5": "md5_checksum", "target": "default_target_attribute"}
    return {key: tree.findtext(f"{OML}{tag}") for key, tag in fields.items()}


def _is_called(card, name):
    # OpenML's search, too, ignores case.
    return name is not None and name.strip().casefold() == card.openml_name.casefold()


class _Damaged(Exception):
    """A cached file is truncated or altered, and has been removed."""


class _Unreadable(Exception):
    """A file is as the server has it, and yet not a table."""


def _table(client, did, arff):
    """The table of a dataset; from the network only what the cache does not have."""
    with _arff_only(arff):
        found = client.datasets.get_dataset(did, download_data=True)
    path = Path(found.parquet_file or found.data_file)
    sound = False
    try:
        if path.suffix != ".arff":
            return read_parquet(path)
        sound = _has_md5(path, _description(client, did).get("md5"))
        return read_arff(path)
    except DatasetError as error:
        if sound:
            raise _Unreadable(str(error)) from error
        path.unlink()
        raise _Damaged(f"its file in the cache was damaged and is removed now ({error})") from error


def _has_md5(path, expected):
    """Whether it is known to be sound; `DatasetError` if it is known not to be."""
    if not expected:
        return False
    content = path.read_bytes()
    # Where the client wrote it in text mode, line ends may be those of the system.
    versions = content, content.replace(b"\r\n", b"\n")
    found = [hashlib.md5(version).hexdigest() for version in versions]
    if expected.strip() not in found:
        raise DatasetError(f"MD5 {found[0]}, expected {expected.strip()}")
    return True


def _accepted(client, search, did, table):
    """The dataset if the table is what the card says; else the reason is kept."""
    card = search.card
    marked = (_description(client, did).get("target") or "").split(",")
    folder = _folder(client, did)
    remedy = f"Delete {folder} to have it downloaded anew, or report that OpenML changed."
    required = card if card.openml_seen else replace(card, checksum=None)
    try:
        found = assemble(required, *split(card, table, marked), origin=folder, remedy=remedy)
        return _as_on_the_card(card, found)
    except DatasetError as error:
        search.rejected[did] = str(error)
        return None


def _as_on_the_card(card, dataset):
    if card.checksum not in (None, dataset.checksum):
        warnings.warn(
            f"{card.name}: OpenML's copy has other values, names or an other order than the "
            f"copy its card was made from (checksum {dataset.checksum}, there {card.checksum}).",
            stacklevel=7,
        )
    return replace(dataset, card=card)


# The server.


def _from_server(client, search):
    for did in _candidates(client, search):
        try:
            name, table = _downloaded(client, search, did)
        except _Unreadable as error:
            search.rejected[did] = str(error)
            continue
        if table is None:
            search.rejected[did] = f"it is called {name!r}" if name else "the server has no such id"
            continue
        dataset = _accepted(client, search, did, table)
        if dataset is not None:
            return dataset
    raise DatasetError(_nothing_fits(client, search))


def _candidates(client, search):
    """Ids to try: the card's own, then those that the server lists under the name."""
    if search.card.openml_id is not None:
        yield search.card.openml_id
    rows = _patiently(client, search, "the list of datasets", lambda: _listed(client, search.card))
    # Rows without a known shape come last: they cost a download.
    for row in sorted(rows, key=lambda row: (None in _shape(row), row["did"])):
        did, shape = int(row["did"]), _shape(row)
        expected = (search.card.n_samples, search.card.n_features + search.card.n_target_columns)
        if all(found in (None, size) for found, size in zip(shape, expected, strict=True)):
            yield did
        else:
            search.rejected[did] = "it has {} × {} values".format(*shape)


def _listed(client, card):
    """Rows of the server's list under that name: dicts."""
    with warnings.catch_warnings():
        # Releases before 0.16 announce that they will return a data frame.
        warnings.filterwarnings("ignore", "Support for `output_format`", FutureWarning)
        rows = client.datasets.list_datasets(data_name=card.openml_name)
    rows = rows.to_dict("index") if hasattr(rows, "to_dict") else rows
    return list(rows.values())


def _shape(row):
    """(rows, columns) of a listed dataset, None where the server does not say."""
    sizes = (row.get("NumberOfInstances"), row.get("NumberOfFeatures"))
    return tuple(None if size is None or size != size else int(size) for size in sizes)


def _downloaded(client, search, did):
    """Name and table of a dataset; no table under another name, no name if it is unknown."""
    what = f"dataset {did}"
    try:
        found = _patiently(client, search, what, lambda: client.datasets.get_dataset(did))
    except (client.exceptions.OpenMLServerNoResult, client.exceptions.OpenMLPrivateDatasetError):
        return None, None
    if not _is_called(search.card, found.name):
        return found.name, None
    try:
        table = _patiently(client, search, what, lambda: _table(client, did, arff=True))
    except (DatasetError, _Unreadable):
        if not getattr(found, "_parquet_url", None):
            raise
        table = _patiently(client, search, what, lambda: _table(client, did, arff=False))
    return found.name, table


def _patiently(client, search, what, request):
    """The result of a request, tried again after each wait; `DatasetError` in the end."""
    errors = client.exceptions
    for wait in (*search.waits, None):
        try:
            return request()
        except (errors.OpenMLServerNoResult, errors.OpenMLPrivateDatasetError, _Unreadable):
            raise
        except (errors.OpenMLCacheException, PermissionError) as error:
            raise DatasetError(_not_writable(client, search, error)) from error
        # The client lets pass whatever happens below it: errors of requests, minio,
        # urllib3, expat, the system, and KeyErrors where a proxy answers for the server.
        except Exception as error:
            reason = error
        if wait is not None:
            time.sleep(wait)
    raise DatasetError(_gave_up(client, search, what, reason)) from reason


def _gave_up(client, search, what, reason):
    tries = len(search.waits) + 1
    text = textwrap.shorten(str(reason), 300) or "no reason given"
    return (
        f"{search.card.name} could not be downloaded: {client.config.server} failed to send "
        f"{what}, {tries} {'try' if tries == 1 else 'tries'}, last {type(reason).__name__}: "
        f"{text}. {_seen(search)}Try again later. {way_on(search.card, search.data_home)}"
    )


def _not_writable(client, search, error):
    cache = client.config.get_cache_directory()
    way = way_on(search.card, search.data_home)
    return f"{search.card.name}: the cache {cache} cannot be written ({error}). {way}"


def _nothing_fits(client, search):
    card = search.card
    return (
        f"{card.name}: {client.config.server} has no dataset called {card.openml_name!r} of "
        f"{card.n_samples} × {card.n_features + card.n_target_columns} values that agrees with "
        f"the card. {_seen(search)}{way_on(card, search.data_home)}"
    )


def _seen(search):
    if not search.rejected:
        return ""
    reasons = "; ".join(f"{did}: {why}" for did, why in search.rejected.items())
    return f"Not taken: {reasons.rstrip('.')}. "
