"""Datasets of OpenML: read from a cache of the `openml` client, or downloaded by that client.

The client searches, downloads, retries, and compares ARFF files with OpenML's MD5. This module
adds what the client does not do:

- Safe caches. The client reads cached files without any check, and deletes its files of a dataset
  when something fails. So this module reads caches itself, and downloads into a temporary folder.
  A download is moved into the cache after it has passed every check.
- The right dataset. The ids on the cards come from published lists and may be wrong. If a dataset
  does not agree with its card, datasets of the same name and shape are tried.
- Settings. Those of the client are global. They are restored after use, which the client's own
  `overwrite_config_context` does not do after an error. Do not load in several threads at once.
- Errors that say which data were not accepted, why, and how to go on.

Other libraries do less of this. `sklearn.datasets.fetch_openml` cannot choose by shape, use another
server, or read the caches of `openml`. `pooch` needs the URL and the hash of each file.
"""

import hashlib
import os
import tempfile
import textwrap
import warnings
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from datasets.dataset import DatasetError, assemble, way_on
from datasets.files import folders
from datasets.tables import read_arff, read_parquet, reading, split
from shrinklin.messages import imported

OML = "{http://openml.org/openml}"
SKIP_PARQUET = "OPENML_SKIP_PARQUET"
# For each request. The client waits 1, 2 and 3 s between them.
TRIES = 4


def obtain(card, home):
    """Load the dataset of a card from a cache or else from the server, and check it.

    Parameters
    ----------
    card : Card
        With an `openml_name`.
    home : Path or None
        The root of a cache, or a folder that contains such roots. None: the cache that the
        client is configured for.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
    """
    # Why data were not accepted, by file of a cache or by id on the server.
    rejected: dict[Path | int, Exception] = {}
    try:
        openml = imported("openml", "OpenML", "data")
        root = home or Path(openml.config.get_config_as_dict()["cachedir"])
        dataset = _from_caches(openml, card, root, rejected)
        dataset = dataset or _from_server(openml, card, root, rejected)
    except (DatasetError, ImportError) as error:
        seen = [f"Not accepted: {what}, {str(why).rstrip('.')}." for what, why in rejected.items()]
        parts = [f"{card.name}: {error}", *seen, way_on(card, home)]
        raise DatasetError(" ".join(parts)) from error
    if card.checksum not in (None, dataset.checksum):
        warnings.warn(
            f"{card.name}: OpenML's copy differs in values, names or their order from the copy "
            f"its card was made from (checksum {dataset.checksum}, there {card.checksum}).",
            # The caller of `load` or `fetch`.
            stacklevel=4,
        )
    return replace(dataset, card=card)


class _OtherDataset(DatasetError):
    """The data belong to a dataset with another name."""


@contextmanager
def _configured(openml, root):
    """Let the client keep its cache in `root`, and download ARFF files only.

    OpenML has no MD5 of Parquet files, and the client downloads them without encryption.
    """
    before, skipped = openml.config.get_config_as_dict(), os.environ.get(SKIP_PARQUET)
    try:
        openml.config.set_root_cache_directory(root)
        openml.config.set_retry_policy("human", TRIES)
        os.environ[SKIP_PARQUET] = "true"
        yield
    finally:
        openml.config.set_root_cache_directory(before["cachedir"])
        openml.config.set_retry_policy(before["retry_policy"], before["connection_n_retries"])
        os.environ.pop(SKIP_PARQUET)
        if skipped is not None:
            os.environ[SKIP_PARQUET] = skipped


def _cache(openml, root):
    """The folder where the client keeps the datasets of its server."""
    with _configured(openml, root):
        return Path(openml.config.get_cache_directory()) / "datasets"


# Reading.


def _from_caches(openml, card, root, rejected):
    """The dataset, or None. Nothing is changed."""
    for folder in folders(root):
        for file in _cached(_cache(openml, folder), card.openml_id):
            try:
                return _read(card, file)
            except _OtherDataset:
                continue
            except DatasetError as error:
                rejected[file] = error
    return None


def _cached(cache, first):
    """The data files of a cache, those of the id `first` before the others."""
    ids = [int(folder.name) for folder in cache.glob("*") if folder.name.isdecimal()]
    for did in sorted(ids, key=lambda did: (did != first, did)):
        names = ["dataset.arff", f"dataset_{did}.pq", "dataset.pq"]
        yield from (
            cache / str(did) / name for name in names if (cache / str(did) / name).is_file()
        )


def _described(folder):
    """What OpenML says about the dataset in a folder of a cache."""
    with reading("data with a description.xml"):
        tree = ElementTree.parse(folder / "description.xml")
        keys = ("id", "name", "md5_checksum", "default_target_attribute")
        described = {key: (tree.findtext(OML + key) or "").strip() for key in keys}
        if described["id"] != folder.name:
            raise ValueError(f"it is of dataset {described['id']!r}")
        return described


def _read(card, file):
    """The dataset in a data file, checked against its description and the card."""
    described = _described(file.parent)
    # OpenML's search ignores case, too.
    if described["name"].casefold() != card.openml_name.casefold():
        raise _OtherDataset(f"it is called {described['name']!r}.")
    if file.suffix == ".arff":
        _check_md5(file, described["md5_checksum"])
    table = read_arff(file) if file.suffix == ".arff" else read_parquet(file)
    marked = [name.strip() for name in described["default_target_attribute"].split(",")]
    required = card if card.openml_seen else replace(card, checksum=None)
    return assemble(required, *split(card, table, marked))


def _check_md5(file, expected):
    with reading("ARFF"):
        content = file.read_bytes()
    # The client writes text, so line endings depend on the operating system.
    versions = content, content.replace(b"\r\n", b"\n")
    found = [hashlib.md5(version).hexdigest() for version in versions]
    if expected and expected not in found:
        raise DatasetError(f"it is damaged (MD5 {found[0]}, expected {expected}).")


# Downloading.


def _from_server(openml, card, root, rejected):
    server, cache = openml.config.server, _cache(openml, root)
    try:
        dataset = _downloaded(openml, card, cache, rejected)
    # The client raises its own errors, those of requests, expat and the system, and a KeyError
    # if a proxy answers instead of the server.
    except Exception as error:
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300).rstrip(".")
        raise DatasetError(
            f"the download from {server} into {cache} failed ({reason}). Try again later."
        ) from error
    if dataset is None:
        raise DatasetError(
            f"{server} has no dataset called {card.openml_name!r} of {card.n_samples} × "
            f"{card.n_features + card.n_target_columns} values that agrees with the card."
        )
    return dataset


def _downloaded(openml, card, cache, rejected):
    """The first dataset that agrees with the card, or None. It is moved into the cache."""
    errors = openml.exceptions
    refused = DatasetError, errors.OpenMLServerNoResult, errors.OpenMLPrivateDatasetError
    cache.mkdir(parents=True, exist_ok=True)
    with (
        # In the cache, because a folder cannot be moved to another disk in one step.
        tempfile.TemporaryDirectory(dir=cache.parent, ignore_cleanup_errors=True) as temporary,
        _configured(openml, temporary),
    ):
        for did in _candidates(openml, card):
            try:
                file = Path(openml.datasets.get_dataset(did, download_data=True).data_file)
                dataset = _read(card, file)
            except refused as error:
                rejected[did] = error
                continue
            with suppress(FileNotFoundError):
                os.replace(cache / str(did), Path(temporary) / "replaced")
            os.replace(file.parent, cache / str(did))
            return dataset
    return None


def _candidates(openml, card):
    """The ids to try: that of the card, then those of datasets of the same name and shape."""
    if card.openml_id is not None:
        yield card.openml_id
    with warnings.catch_warnings():
        # Release 0.15 announces that the next one returns a data frame.
        warnings.simplefilter("ignore", FutureWarning)
        found = openml.datasets.list_datasets(
            data_name=card.openml_name,
            number_instances=card.n_samples,
            number_features=card.n_features + card.n_target_columns,
        )
    ids = found if isinstance(found, dict) else found.get("did", ())
    yield from (int(did) for did in sorted(ids) if did != card.openml_id)
