"""A function of a test module, run in a process of its own.

BLAS has two threads there to begin with, whatever the machine or pytest-xdist gives it, and
what is forked has no threads of pytest's to wait for.
"""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from threadpoolctl import ThreadpoolController

ROOT = Path(__file__).parents[1]
LIBRARIES = ("OPENBLAS", "MKL", "BLIS", "OMP")


def run(*checks):
    """Call functions of a test module, one after the other."""
    names = [check.__name__ for check in checks]
    assert python(CALL, checks[0].__module__, *names) == "done\n"


CALL = "import sys, processes; processes.call(*sys.argv[1:])"


def call(module, *names):
    checks = import_module(module)
    for name in names:
        give_blas_two_threads()
        getattr(checks, name)()
    print("done")


def python(code, *arguments):
    """What that code prints."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    threads = {f"{name}_NUM_THREADS": "2" for name in LIBRARIES}
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | threads | {"PYTHONPATH": path},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def give_blas_two_threads():
    """On one core OpenBLAS begins with one thread; in the threads of Python to come too."""
    # In threadpoolctl 3.8 a thread that lives on would be the only one that can set the number.
    setter = Thread(target=lambda: ThreadpoolController().limit(limits=2, user_api="blas"))
    setter.start()
    setter.join()


def blas_threads():
    """Numbers of threads of all BLAS libraries, one if they agree."""
    return {library.num_threads for library in libraries_with_threads()}


def libraries_with_threads():
    """The BLAS libraries that may have several."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    # cvxpy brings one that was built without: it says 1 whatever it is told.
    return [lib for lib in libraries if getattr(lib, "threading_layer", "") != "disabled"]
