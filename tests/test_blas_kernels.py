"""`make test-kernels`: it runs what it says, and fails where a test fails."""

import re

import pytest

import blas_kernels

# The first passes under that kernel alone.
TESTS = """
from scipy import linalg
from threadpoolctl import threadpool_info

def test_the_kernel():
    found = [library for library in threadpool_info() if library["internal_api"] == "openblas"]
    assert {library["architecture"] for library in found} == {"Nehalem"}
    assert {library["num_threads"] for library in found} == {1}

def test_that_fails():
    assert False
"""
# Every x86-64 processor has it.
nehalem = pytest.mark.skipif(
    blas_kernels.obstacle("Nehalem", 1) is not None, reason="no OpenBLAS, or another processor"
)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(blas_kernels, "THREADS", (1,))


@nehalem
def test_a_kernel_runs_the_tests_and_one_that_is_not_there_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "test_seen.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    monkeypatch.setattr(blas_kernels, "KERNELS", ("Abacus", "Nehalem"))
    assert blas_kernels.main(["-n0", f"--rootdir={tmp_path}", str(tmp_path)]) == 1
    abacus, nehalem = capsys.readouterr().out.splitlines()[-2:]
    assert re.match(r"Abacus +1 +skipped +OpenBLAS takes \w+ instead", abacus)
    assert re.match(r"Nehalem +1 +failed +1 failed, 1 passed in ", nehalem)


@pytest.mark.parametrize("tested", [["Zen"], ["Haswell", "Zen"], []])
def test_what_was_tested_has_to_pass_and_something_has_to_be_tested(tested, monkeypatch, capsys):
    monkeypatch.setattr(blas_kernels, "obstacle", lambda k, _: None if k in tested else "absent")
    monkeypatch.setattr(blas_kernels, "run_tests", lambda k, *_: (k == "Haswell", "so many"))
    assert blas_kernels.main([]) == (0 if tested == ["Zen"] else 1)
    assert ("No kernel was tested." in capsys.readouterr().out) == (not tested)


def test_what_keeps_a_kernel_from_being_tested(monkeypatch):
    def reason(probe, threads=1):
        monkeypatch.setattr(blas_kernels, "PROBE", probe)
        return blas_kernels.obstacle("Haswell", threads)

    assert reason('print(\'[["Haswell", 1], ["haswell", 1]]\')') is None
    assert reason("import os; os.kill(os.getpid(), 4)") == "the processor lacks it (signal 4)"
    assert reason("import nothing_like_it").endswith("No module named 'nothing_like_it'")
    assert reason("print([])") == "numpy and scipy use no OpenBLAS"
    assert reason('print(\'[["Haswell", 1], ["Zen", 1]]\')') == "OpenBLAS takes Zen instead"
    assert reason("print('[[\"Haswell\", 1]]')", 2) == "OpenBLAS takes 1 of 2 threads"
