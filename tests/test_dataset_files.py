"""Datasets in a folder: ARFF and npz files, good, damaged or up to something."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import datasets
from datasets import DatasetError, fetch, load
from experiments.catalogue import EXPERIMENTS
from experiments.run import Place, run
from openml_server import only_this_machine
from tiny_dataset import ARFF, LABELS, TINY, VALUES, Bomb, as_arff, assert_tiny, contents

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def refused(monkeypatch):
    """The connections that a test has tried to make to other machines."""
    return only_this_machine(monkeypatch)


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


def test_objects_in_an_npz_file_are_not_made(tmp_path):
    mark = tmp_path / "exploded"
    np.savez(tmp_path / "tiny.npz", X=X3, y=Y2, feature_names=np.array([Bomb(mark)]))
    with pytest.raises(DatasetError, match=r"cannot be read as an npz .*Object arrays.*Replace"):
        fetch(TINY, data_home=tmp_path)
    assert not mark.exists()
    with np.load(tmp_path / "tiny.npz", allow_pickle=True) as file:
        assert file["feature_names"] is not None
    assert mark.exists()
