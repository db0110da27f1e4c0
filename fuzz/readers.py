"""Fuzz what reads files: ARFF, npz and cards of datasets, CSV and parquet of `Moments`.

What may happen: the errors that are documented, with a sentence, or numbers that are finite.
The first byte says which reader the others are for. Seeds are made anew in a folder; of a file
the one problem is read:

    python -m fuzz.readers FOLDER -max_total_time=300
"""

import io
import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["shrinklin", "datasets", "arff"]):
    import arff  # noqa: F401

    from datasets import arff_files, catalogue, files  # noqa: F401
    from datasets.dataset import DatasetError
    from shrinklin.data import readers  # noqa: F401
    from shrinklin.data.moments import Moments

import numpy as np

CARD = catalogue.Card(
    name="fuzzed", title="", task="regression", source="", licence="", n_samples=2, n_features=1,
    n_targets=1, missing=True,
)  # fmt: skip
CLASSES = catalogue.Card(
    name="fuzzed", title="", task="classification", source="", licence="", n_samples=2,
    n_features=1, n_classes=2, missing=True,
)  # fmt: skip
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-readers-"))


def fuzz_readers(raw):
    if raw:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            READERS[raw[0] % len(READERS)](raw[1:])


def check_message(error):
    """A sentence that says which file."""
    assert len(str(error)) > 20, repr(error)
    assert "fuzzed" in str(error) or "BytesIO" in str(error) or "chunk" in str(error), repr(error)


def read_dataset(content, suffix, card):
    path = FOLDER / f"fuzzed{suffix}"
    path.write_bytes(content)
    try:
        dataset = files.read(card, path)
    except DatasetError as error:
        check_message(error)
        return
    assert dataset.X.shape[1] == 1
    assert np.isfinite(dataset.X).all()


def read_card(content):
    path = FOLDER / "fuzzed.toml"
    path.write_bytes(content)
    try:
        catalogue._read(path)
    # A card is ours: what is no TOML, or has other fields, has to be seen, whatever is said.
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError):
        return


def read_csv(content):
    check_moments(lambda: Moments.from_csv(io.BytesIO(content), "y", chunksize=2))


def read_parquet(content):
    path = FOLDER / "fuzzed.parquet"
    path.write_bytes(content)
    check_moments(lambda: Moments.from_parquet(str(path), "y"))


def check_moments(read):
    try:
        moments = read()
    except ValueError as error:
        check_message(error)
        return
    assert np.isfinite(moments.x_mean).all()


READERS = [
    lambda content: read_dataset(content, ".arff", CARD),
    lambda content: read_dataset(content, ".arff", CLASSES),
    lambda content: read_dataset(content, ".npz", CARD),
    read_csv,
    read_parquet,
    read_card,
]


def seeds():
    """A file of every kind, each after its number."""
    import pandas as pd

    table = b"@relation r\n@attribute x numeric\n@attribute y %s\n@data\n1,%s\n?,%s\n"
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1, 0, 1]})
    npz, parquet = io.BytesIO(), io.BytesIO()
    np.savez(npz, X=np.ones((2, 1)), y=np.ones((2, 1)))
    frame.to_parquet(parquet)
    card = (catalogue.CARDS / "oes97.toml").read_bytes()
    contents = [
        table % (b"integer", b"2", b"3"),
        table % (b"{a, 'b c'}", b"a", b"'b c'"),
        npz.getvalue(),
        frame.to_csv(index=False).encode(),
        parquet.getvalue(),
        card,
    ]
    return [bytes([number]) + content for number, content in enumerate(contents)]


def main():
    folder = Path(next((name for name in sys.argv[1:] if not name.startswith("-")), FOLDER))
    if folder.is_dir():
        for number, content in enumerate(seeds()):
            (folder / f"seed-{number}").write_bytes(content)
    atheris.Setup(sys.argv, fuzz_readers)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
