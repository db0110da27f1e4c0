"""The limit of BLAS holds for libraries that are loaded later."""

import sys
from types import ModuleType

import pytest

from blas_libraries import Library, PrivateLibrary
from processes import python
from shrinklin import blas
from shrinklin.blas import BlasLimit


class Loaded:
    """Libraries, of which `load` adds one, as an import may."""

    def __init__(self, monkeypatch):
        self.libraries, self.n_scans, self.monkeypatch = [], 0, monkeypatch

    def __call__(self):
        self.n_scans += 1
        return list(self.libraries)

    def numbers(self):
        return [library.num_threads for library in self.libraries]

    def load(self, make):
        name = f"library of {id(self)}, {len(self.libraries)}"
        self.libraries.append(make(name))
        self.monkeypatch.setitem(sys.modules, name, ModuleType(name))


def assert_late_libraries_are_limited(limit, loaded, make):
    loaded.load(make)
    with limit():
        assert loaded.numbers() == [1]
    loaded.load(make)
    with limit():
        assert loaded.numbers() == [1, 1]
        loaded.load(make)
        with limit():
            assert loaded.numbers() == [1, 1, 1]
        assert loaded.numbers() == [1, 1, 1]
    assert loaded.numbers() == [2, 2, 2]


@pytest.mark.parametrize("make", [Library, PrivateLibrary])
def test_late_libraries_are_limited(monkeypatch, make):
    loaded = Loaded(monkeypatch)
    assert_late_libraries_are_limited(BlasLimit(loaded).held, loaded, make)


class LooksOnce(BlasLimit):
    def _loaded(self):
        self._libraries = self._libraries or self._find()
        return self._libraries


class RestoresWhatTheFirstFound(BlasLimit):
    def _limit(self):
        if len(self._holders) == 1:
            super()._limit()


@pytest.mark.parametrize("mutant", [LooksOnce, RestoresWhatTheFirstFound])
def test_limits_that_miss_late_libraries_are_rejected(monkeypatch, mutant):
    loaded = Loaded(monkeypatch)
    with pytest.raises(AssertionError):
        assert_late_libraries_are_limited(mutant(loaded).held, loaded, Library)


def test_libraries_are_looked_for_after_imports_alone(monkeypatch):
    loaded = Loaded(monkeypatch)
    loaded.load(Library)
    limit = BlasLimit(loaded).held
    for _ in range(5):
        with limit(), limit():
            pass
    assert loaded.n_scans == 1


# scipy brings its own library beside numpy's. Here blas.py is run without the rest of shrinklin,
# which would import scipy at once.
LATE = """
import runpy, sys
import numpy
import processes

names = runpy.run_path(sys.argv[1])


class LooksOnce(names["BlasLimit"]):
    def _loaded(self):
        self._libraries = self._libraries or self._find()
        return self._libraries


limit = names["one_blas_thread"]
if sys.argv[2] == "mutant":
    limit = LooksOnce(names["_blas_libraries"]).held
processes.give_blas_two_threads()
with limit():
    assert processes.blas_threads() == {1}
n_early = len(processes.libraries_with_threads())
with limit():
    import scipy.linalg

    # On one core it is loaded with one.
    processes.give_blas_two_threads()
    with limit():
        assert processes.blas_threads() == {1}
    assert processes.blas_threads() == {1}
assert processes.blas_threads() == {2}
with limit():
    assert processes.blas_threads() == {1}
assert processes.blas_threads() == {2}
print(len(processes.libraries_with_threads()) - n_early)
"""


def test_the_library_of_scipy_is_limited_though_it_comes_after_that_of_numpy():
    if python(LATE, blas.__file__, "") == "0\n":
        pytest.skip("numpy and scipy share their BLAS here.")
    with pytest.raises(AssertionError, match="AssertionError"):
        python(LATE, blas.__file__, "mutant")
