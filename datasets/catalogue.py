"""The cards: what is known about each dataset, in one file `cards/NAME.toml` per dataset."""

import difflib
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

CARDS = Path(__file__).parent / "cards"
# File systems allow 255 bytes. This leaves room for an ending.
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known about a dataset. `load` checks the data against it.

    Parameters
    ----------
    name : str
        The argument of `load`, and the name of a file: NAME.arff or NAME.npz.
    title : str
    task : {"regression", "classification"}
    source : str
        Who made the dataset, and where it is described.
    licence : str
        "not stated" if the source states none.
    n_samples, n_features : int
        In the source, before rows with missing values are dropped.
    n_targets : int, for regression only
    n_classes : int, for classification only
    target_columns : tuple of str, default=()
        The names of the target columns. Default for regression: the last `n_targets`
        columns; it is an error if OpenML marks as many other columns as targets. Default for
        classification: the column that OpenML marks as the target, or the last one.
    openml_name, openml_id : str and int, default=None
        None as name: the dataset is not on OpenML. None as id: it is searched by its name
        and shape.
    files : tuple of str, default=()
        Other names of files that contain the dataset.
    feature_prefix : str, default="x"
        Features that have no names in a file are called so, followed by 1, 2, ….
    bundled : bool, default=False
        True: the dataset comes with scikit-learn.
    missing : bool, default=False
        True: rows with missing values are expected; they are dropped and counted.
    checksum : str, default=None
        SHA-256 of the loaded data (see ``datasets.dataset.checksum``). None: the values
        have not been seen yet.
    openml_seen : bool, default=False
        True: the checksum is that of OpenML's copy. False: it was made from another copy;
        if OpenML's copy differs, for example in names, `load` warns instead of raising.
    paper : str
        How the ShrinkNets paper prepares the dataset.
    notes : str
    """

    name: str
    title: str
    task: str
    source: str
    licence: str
    n_samples: int
    n_features: int
    n_targets: int | None = None
    n_classes: int | None = None
    target_columns: tuple[str, ...] = ()
    openml_name: str | None = None
    openml_id: int | None = None
    files: tuple[str, ...] = ()
    feature_prefix: str = "x"
    bundled: bool = False
    missing: bool = False
    checksum: str | None = None
    openml_seen: bool = False
    paper: str = "not used"
    notes: str = ""

    def __post_init__(self):
        for file in (self.name, *self.files):
            _check_file_name(file)
        if self.task not in ("regression", "classification"):
            raise ValueError(f'task={self.task!r}: give "regression" or "classification".')
        if (self.n_targets is None) == (self.task == "regression"):
            raise ValueError(f"{self.name}: n_targets is for regression, and needed there.")
        if (self.n_classes is None) == (self.task == "classification"):
            raise ValueError(f"{self.name}: n_classes is for classification, and needed there.")

    @property
    def shape(self):
        """(n_samples, n_features)."""
        return self.n_samples, self.n_features

    @property
    def n_target_columns(self):
        """The number of columns of the source that are targets."""
        return 1 if self.n_targets is None else self.n_targets


def _check_file_name(name):
    """Raise if the name could refer to a file outside the folder that is searched."""
    outside = name in ("", ".", "..") or any(character in name for character in "/\\:\0")
    if outside or len(name.encode()) > _LONGEST:
        raise ValueError(
            f"{textwrap.shorten(repr(name), 80)} is not the name of a file: give a name without "
            f"slashes, colons and zeros, of at most {_LONGEST} bytes."
        )


def cards():
    """All cards, sorted by name.

    Returns
    -------
    list of Card
    """
    return [_read(file) for file in sorted(CARDS.glob("*.toml"))]


def card(name):
    """The card of one dataset.

    Parameters
    ----------
    name : str

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        If there is no card of that name. The message lists the names.
    """
    files = {file.stem: file for file in CARDS.glob("*.toml")}
    if not isinstance(name, str) or name not in files:
        raise ValueError(_unknown(name, sorted(files)))
    return _read(files[name])


def _unknown(name, known):
    close = difflib.get_close_matches(str(name).lower(), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no dataset {name!r}.{hint} There are {', '.join(known)}; "
        "with -twin after the name, a simulated twin."
    )


def _read(file):
    fields = tomllib.loads(file.read_text(encoding="utf-8"))
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return Card(**fields | lists)
