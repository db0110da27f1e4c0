"""Images: files of two kinds, what is refused, and the copies beside the repository."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from datasets import DatasetError, load_images
from openml_server import only_this_machine
from tiny_dataset import DATA, needs

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _refused(monkeypatch):
    only_this_machine(monkeypatch)


def write_mnist(folder):
    parts = {
        "X_train": RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "y_train": np.arange(6, dtype=np.uint8),
        "X_test": RNG.integers(0, 256, (2, 28, 28), dtype=np.uint8),
        "y_test": np.array([9, 0], dtype=np.uint8),
    }
    np.savez(folder / "mnist.npz", **parts)
    return parts


def jpeg(color):
    """A plain picture, which JPEG changes by a unit or two at most."""
    stream = BytesIO()
    Image.new("RGB", (32, 32), color).save(stream, "JPEG", quality=95)
    return stream.getvalue()


COLORS = [(200, 10, 30), (0, 0, 0), (255, 255, 255), (10, 20, 250)]


def write_cifar10(folder):
    for file, colors in {"train": COLORS, "test": COLORS[:1]}.items():
        files = [jpeg(color) for color in colors]
        np.savez(
            folder / f"{file}_jpeg.npz",
            jpeg=np.frombuffer(b"".join(files), dtype=np.uint8),
            offsets=np.cumsum([0, *map(len, files)]),
            y=np.arange(len(files), dtype=np.uint8),
        )


def test_arrays_of_mnist(tmp_path):
    folder = tmp_path / "below"
    folder.mkdir()
    parts = write_mnist(folder)
    found = load_images("mnist", data_home=tmp_path)
    np.testing.assert_array_equal(found.X[:, 0], parts["X_train"])
    np.testing.assert_array_equal(found.X_test[:, 0], parts["X_test"])
    assert found.y.tolist() == list(range(6))
    assert found.y_test.dtype == np.int64
    again = load_images("mnist", data_home=tmp_path).checksum
    assert found.checksum == again
    found.y[0] = 1
    assert found.checksum != again


def test_jpeg_files_are_decoded_channel_by_channel(tmp_path):
    write_cifar10(tmp_path)
    found = load_images("cifar10", data_home=tmp_path)
    assert found.X.shape == (4, 3, 32, 32)
    assert found.X_test.shape == (1, 3, 32, 32)
    np.testing.assert_allclose(found.X.mean(axis=(2, 3)), COLORS, atol=4)


def test_what_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no images 'imagenet'. There are mnist, cifar10"):
        load_images("imagenet")
    write_cifar10(tmp_path)
    (tmp_path / "test_jpeg.npz").unlink()
    # Half of them is no set of images.
    with pytest.raises(DatasetError, match=r"folder that holds train_jpeg.npz and test_jpeg.npz"):
        load_images("cifar10", data_home=tmp_path)
    (tmp_path / "mnist.npz").write_bytes(b"no zip file")
    with pytest.raises(DatasetError, match=r"mnist.npz: it cannot be read.*move it away"):
        load_images("mnist", data_home=tmp_path)


@needs(DATA)
def test_mnist_beside_the_repository():
    found = load_images("mnist", data_home=DATA / "networks")
    assert found.X.shape == (60_000, 1, 28, 28)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(found.y).tolist() == counts
