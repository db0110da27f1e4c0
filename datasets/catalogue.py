"""The cards: what is known of each dataset, one file `cards/NAME.toml` each."""

import difflib
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

CARDS = Path(__file__).parent / "cards"
# With .arff after it and in a folder of a cache, well below what file systems take.
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a dataset, and what a load of it is checked against.

    Parameters
    ----------
    name : str
        As `load` takes it; also the name of its file in a folder, NAME.arff or NAME.npz.
    title : str
    task : {"regression", "classification"}
    source : str
        Who made it and where it is described.
    licence : str
        "not stated" where the source states none.
    n_samples, n_features : int
        As the source has them: before rows with missing values are dropped.
    n_targets : int, for regression only
    n_classes : int, for classification only
    target_columns : tuple of str, default=()
        The columns that are targets, wherever they stand. Left out: the last `n_targets`
        columns (refused where OpenML marks as many others); for classes the column that
        OpenML marks as the target, else the last.
    openml_name, openml_id : str and int, default=None
        Without a name the dataset is not on OpenML. The id may be left out.
    files : tuple of str, default=()
        Further names of files that hold it.
    bundled : bool, default=False
        It comes with scikit-learn.
    missing : bool, default=False
        It has rows with missing values, which are dropped and counted.
    checksum : str, default=None
        SHA-256 of what is loaded (see ``datasets.dataset.checksum``); None where the values
        have not been seen yet.
    openml_seen : bool, default=False
        The checksum is that of OpenML's own copy. If it was made from another copy,
        what OpenML sends may differ from it, in names for instance: a warning, no error.
    paper : str
        How the drafts of the ShrinkNets paper prepare it.
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
        """How many columns of the source are targets."""
        return 1 if self.n_targets is None else self.n_targets


def _check_file_name(name):
    """Raise for what could lead out of the folder that it is looked for in."""
    outside = name in ("", ".", "..") or any(character in name for character in "/\\:\0")
    if outside or len(name.encode()) > _LONGEST:
        raise ValueError(
            f"{textwrap.shorten(repr(name), 80)} is not the name of a file: give a name without "
            f"slashes, colons and zeros, of at most {_LONGEST} bytes."
        )


def cards():
    """All cards, by name.

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
        If there is none of that name; it says which there are.
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
