"""How loops and proxes are compiled: apart from each other, and once for all processes."""

import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from builders import compiled_prox
from shrinklin import kernels

SCALED = """
class Scaled:
    convex = True
    l1_ratio = None

    @staticmethod
    def prox(z, t, out):
        out[:] = {} * z
"""

STEP = """
import numpy as np
from shrinklin import kernels
from shrinklin.penalties.group_lasso import GroupLasso

one = np.ones(1)
kernels.prox_steps(kernels.compiled(GroupLasso()), one[None], one[None], one, one, np.arange(2))
print(kernels.prox_steps.stats.cache_hits.total(), kernels._compiled(GroupLasso.prox).cache_hits)
"""


class Quotient:
    convex = True
    l1_ratio = None

    @staticmethod
    def prox(z, t, out):
        out[:] = z[0] / t


def test_a_changed_prox_takes_effect_without_compiling_the_loops(tmp_path, monkeypatch):
    compiled_prox(Quotient(), np.ones(2), 1.0)
    loops = len(kernels.prox_steps.signatures)
    monkeypatch.syspath_prepend(tmp_path)
    for factor in (0.5, 0.125):
        (tmp_path / "scaled.py").write_text(SCALED.format(factor))
        monkeypatch.delitem(sys.modules, "scaled", raising=False)
        penalty = importlib.import_module("scaled").Scaled()
        np.testing.assert_array_equal(compiled_prox(penalty, np.ones(2), 1.0), factor)
    assert len(kernels.prox_steps.signatures) == loops


def test_another_process_compiles_nothing(tmp_path):
    def loaded():
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", STEP]
        result = subprocess.run(command, env=environment, capture_output=True, check=True)
        return result.stdout.split(), {file.name for file in tmp_path.rglob("*.nbc")}

    first, files = loaded()
    assert first == [b"0", b"0"]
    assert loaded() == ([b"1", b"1"], files)


def test_division_by_zero_in_a_prox_is_not_lost():
    np.testing.assert_array_equal(compiled_prox(Quotient(), np.ones(2), 0.0), np.inf)


def test_a_prox_that_was_typed_in_needs_no_file():
    space = {}
    exec(SCALED.format(2.0), space)
    assert "Scaled" in space
    np.testing.assert_array_equal(compiled_prox(space["Scaled"](), np.ones(2), 1.0), [2.0, 2.0])


def test_threads_that_begin_together_compile_a_prox_once():
    space = {}
    exec(SCALED.format(3.0), space)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: kernels.compiled(space["Scaled"]()), range(8)))
    assert len(set(found)) == 1
