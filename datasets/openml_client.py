"""Datasets of OpenML, through the `openml` client: from a cache of it, or downloaded.

A dataset is known by its name and its shape: an id on the card is only tried first. The
ARFF file comes before the Parquet file, because OpenML states a checksum (MD5) of the former only.

The client never works in the user's cache: on any failure it removes all that it has of a
dataset. It reads a copy, and downloads into a temporary folder, whence what has passed
every check is moved into the cache.

While the client works, its settings are ours; they are the user's again afterwards. (They
are global: do not load from several threads at once.)
"""

import errno
import hashlib
import logging
import os
import shutil
import tempfile
import textwrap
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from datasets.dataset import DatasetError, assemble, way_on
from datasets.files import folders
from datasets.tables import read_arff, read_parquet, split
from shrinklin.messages import imported

LOGGER = logging.getLogger("datasets")
OML = "{http://openml.org/openml}"
SKIP_PARQUET = "OPENML_SKIP_PARQUET"
# No further try makes a folder writable, or a disk larger.
NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def obtain(card, home, waits):
    """The dataset of a card from a cache, else from the server, checked.

    Parameters
    ----------
    card : Card
        With an `openml_name`.
    home : Path or None
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
    search = _Search(card, home, tuple(waits), rejected={})
    openml = _imported(search)
    dataset = _from_caches(openml, search) or _from_server(openml, search)
    if card.checksum not in (None, dataset.checksum):
        warnings.warn(
            f"{card.name}: OpenML's copy has other values, names or an other order than the "
            f"copy its card was made from (checksum {dataset.checksum}, there {card.checksum}).",
            # The caller of `load` or `fetch`.
            stacklevel=4,
        )
    return replace(dataset, card=card)


@dataclass(frozen=True)
class _Search:
    card: object
    home: Path | None
    waits: tuple[float, ...]
    # Why what was seen so far is not taken: by file of a cache, by id on the server.
    rejected: dict[Path | int, str]


class _GaveUp(DatasetError):
    """The server does not answer: no use to ask it for another dataset."""


@contextmanager
def _configured(openml, root):
    """The client keeps its cache in `root` and leaves retries to us."""
    before = openml.config.get_config_as_dict()
    with ExitStack() as stack:
        stack.callback(openml.config.set_root_cache_directory, before["cachedir"])
        policy = before["retry_policy"], before["connection_n_retries"]
        stack.callback(openml.config.set_retry_policy, *policy)
        if root is not None:
            openml.config.set_root_cache_directory(root)
        # The client would wait at least a second before each further try.
        openml.config.set_retry_policy("human", 1)
        yield


def _imported(search):
    try:
        imported("pandas", "OpenML", "data")
        return imported("openml", "OpenML", "data")
    except ImportError as error:
        way = way_on(search.card, search.home)
        raise DatasetError(f"{search.card.name}: {error} {way}") from error


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


def _from_caches(client, search):
    """The dataset, if it is there and sound; what is not taken is left alone."""
    for root in [None] if search.home is None else folders(search.home):
        for file in _cached(client, search, _cache(client, root)):
            try:
                return _from_copy(client, search.card, file)
            # Of a damaged description the client makes almost any error.
            except Exception as error:
                known = isinstance(error, DatasetError)
                search.rejected[file] = str(error) if known else f"{_text(error)}."
    return None


def _cache(client, root):
    """The folder where the client keeps the datasets of its server."""
    with _configured(client, root):
        return Path(client.config.get_cache_directory()) / "datasets"


def _cached(client, search, cache):
    """Data files of the datasets of that name in a cache, the card's own id first."""
    card = search.card
    ids = [int(child.name) for child in cache.glob("*") if child.name.isdecimal()]
    for did in sorted(ids, key=lambda did: (did != card.openml_id, did)):
        folder = cache / str(did)
        names = ["dataset.arff", f"dataset_{did}.pq", "dataset.pq"]
        files = [folder / name for name in names if (folder / name).is_file()]
        description = folder / "description.xml"
        name = _name(description, did)
        if name is None and did == card.openml_id and files:
            search.rejected[description] = "it is missing or damaged."
        if _is_called(card, name):
            yield from files


def _name(description, did):
    """The name in a description of that dataset, None where it is not one."""
    try:
        tree = ElementTree.parse(description)
    except (OSError, ElementTree.ParseError):
        return None
    return tree.findtext(f"{OML}name") if tree.findtext(f"{OML}id") == str(did) else None


def _is_called(card, name):
    # OpenML's search, too, ignores case.
    return name is not None and name.strip().casefold() == card.openml_name.casefold()


def _from_copy(client, card, file):
    """The dataset that the client reads from a copy of a data file and its description."""
    did = int(file.parent.name)
    description = file.with_name("description.xml")
    if file.suffix == ".pq" and not ElementTree.parse(description).findtext(f"{OML}parquet_url"):
        # The client would ask the server for the ARFF file.
        raise DatasetError("its description has no parquet_url.")
    with tempfile.TemporaryDirectory() as root, _configured(client, root), _quiet():
        copy = _cache(client, root) / str(did)
        copy.mkdir(parents=True)
        for source in (description, file):
            shutil.copyfile(source, copy / source.name)
        found, path = _described(client, did, arff=file.suffix == ".arff")
        if path.suffix == ".arff":
            _check_md5(path, found.md5_checksum)
        return _accepted(card, found, _table(path))


def _check_md5(path, expected):
    content = path.read_bytes()
    # The client writes in text mode: line ends may be those of the system.
    versions = content, content.replace(b"\r\n", b"\n")
    found = [hashlib.md5(version).hexdigest() for version in versions]
    if expected and expected.strip() not in found:
        raise DatasetError(f"it is damaged (MD5 {found[0]}, expected {expected.strip()}).")


# What the client reads or downloads.


def _described(client, did, arff):
    """What the client says of a dataset, and the path of its ARFF or Parquet file."""
    with _arff_only(arff):
        found = client.datasets.get_dataset(did, download_data=True)
    return found, Path(found.parquet_file or found.data_file)


def _table(path):
    return read_arff(path) if path.suffix == ".arff" else read_parquet(path)


def _accepted(card, found, table):
    """The dataset; `DatasetError` if it is not what the card says."""
    marked = [name.strip() for name in (found.default_target_attribute or "").split(",")]
    required = card if card.openml_seen else replace(card, checksum=None)
    return assemble(required, *split(card, table, marked))


# The server.


def _from_server(client, search):
    cache = _cache(client, search.home)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (
            # In the cache, whose disk may be another one, so that a folder can be moved.
            tempfile.TemporaryDirectory(dir=cache.parent, ignore_cleanup_errors=True) as root,
            _configured(client, root),
        ):
            for did in _candidates(client, search):
                try:
                    dataset = _downloaded(client, search, did)
                except _GaveUp:
                    raise
                except DatasetError as error:
                    search.rejected[did] = str(error)
                    continue
                _move(_cache(client, root) / str(did), cache / str(did), Path(root) / "replaced")
                return dataset
    except (OSError, client.exceptions.OpenMLCacheException) as error:
        raise DatasetError(_not_writable(cache, search, error)) from error
    raise DatasetError(_nothing_fits(client, search))


def _move(folder, target, replaced):
    """Into the cache, in the place of what could not be read there."""
    with suppress(FileNotFoundError):
        os.replace(target, replaced)
    os.replace(folder, target)


def _candidates(client, search):
    """Ids to try: the card's own, then those that the server lists under the name."""
    if search.card.openml_id is not None:
        yield search.card.openml_id
    rows = _patiently(client, search, "the list of datasets", lambda: _listed(client, search.card))
    # Rows without a known shape come last: they cost a download.
    for row in sorted(rows, key=lambda row: (None in _shape(row), row["did"])):
        did, shape = int(row["did"]), _shape(row)
        if did in search.rejected:
            continue
        expected = (search.card.n_samples, search.card.n_features + search.card.n_target_columns)
        if all(found in (None, size) for found, size in zip(shape, expected, strict=True)):
            yield did
        else:
            search.rejected[did] = "it has {} × {} values.".format(*shape)


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
    """The dataset; `DatasetError` if it is not the one."""
    patiently = partial(_patiently, client, search, f"dataset {did}")
    found = patiently(lambda: client.datasets.get_dataset(did))
    if not _is_called(search.card, found.name):
        raise DatasetError(f"it is called {found.name!r}.")
    try:
        table = patiently(lambda: _sent(client, did, arff=True))
    except DatasetError:
        if not found._parquet_url:
            raise
        table = patiently(lambda: _sent(client, did, arff=False))
    return _accepted(search.card, found, table)


def _sent(client, did, arff):
    """The table of a dataset; `DatasetError` if it is as it should be and yet not a table."""
    found, path = _described(client, did, arff)
    try:
        return _table(path)
    except DatasetError as error:
        if path.suffix == ".arff" and found.md5_checksum:
            raise
        # To have it sent again.
        path.unlink()
        raise ValueError(str(error)) from error


def _patiently(client, search, what, request):
    """The result of a request, tried again after each wait; `_GaveUp` in the end."""
    errors = client.exceptions
    reasons = []
    for wait in (*search.waits, None):
        try:
            with _quiet():
                return request()
        except (errors.OpenMLServerNoResult, errors.OpenMLPrivateDatasetError) as error:
            raise DatasetError(f"the server does not give it: {error}.") from error
        except (errors.OpenMLCacheException, DatasetError):
            raise
        # The client lets pass whatever happens below it: errors of requests, minio,
        # urllib3, expat, the system, and KeyErrors where a proxy answers for the server.
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NOT_WRITABLE:
                raise
            reasons.append(error)
        if wait is not None:
            LOGGER.warning(
                "%s: %s failed to send %s (%s); next try in %g s.",
                *(search.card.name, client.config.server, what, _text(reasons[-1]), wait),
            )
            time.sleep(wait)
    raise _GaveUp(_gave_up(client, search, what, reasons)) from reasons[-1]


def _text(error):
    text = textwrap.shorten(str(error), 300) or "no reason given"
    return f"{type(error).__name__}: {text.rstrip('.')}"


def _gave_up(client, search, what, reasons):
    n = len(reasons)
    advice = "Try again later."
    same = len({(type(reason), str(reason)) for reason in reasons}) == 1
    if same and isinstance(reasons[-1], client.exceptions.OpenMLHashException):
        advice = "OpenML's file disagrees with the MD5 that OpenML states."
    return (
        f"{search.card.name} could not be downloaded: {client.config.server} failed to send "
        f"{what}, {n} {'try' if n == 1 else 'tries'}, last {_text(reasons[-1])}. "
        f"{_seen(search)}{advice} {way_on(search.card, search.home)}"
    )


def _not_writable(cache, search, error):
    way = way_on(search.card, search.home)
    return f"{search.card.name}: the cache {cache} cannot be written ({error}). {way}"


def _nothing_fits(client, search):
    card = search.card
    return (
        f"{card.name}: {client.config.server} has no dataset called {card.openml_name!r} of "
        f"{card.n_samples} × {card.n_features + card.n_target_columns} values that agrees with "
        f"the card. {_seen(search)}{way_on(card, search.home)}"
    )


def _seen(search):
    if not search.rejected:
        return ""
    reasons = " ".join(f"{what}: {why}" for what, why in search.rejected.items())
    return f"Not taken: {reasons} "
