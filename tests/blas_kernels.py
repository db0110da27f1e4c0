"""The tests under every kernel of OpenBLAS, with one thread and with two.

``python tests/blas_kernels.py [ARGUMENTS OF PYTEST]``: `make test-kernels`. The last digits of
a product depend on the kernel, which is chosen for the processor, and on the number of threads.
numpy and scipy each bring an OpenBLAS of their own: what is asked for is what both have to take.
"""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import joblib

KERNELS = ("Haswell", "SkylakeX", "Zen", "Sandybridge", "Nehalem")
THREADS = (1, 2)
# Uses it, too: of a kernel that the processor lacks the process dies.
PROBE = """
import json
import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_info
A = np.eye(300) + np.full((300, 300), 1e-3)
assert np.allclose(linalg.solve(A, A @ A), np.linalg.inv(A) @ A @ A)
found = [library for library in threadpool_info() if library["internal_api"] == "openblas"]
print(json.dumps([[library["architecture"], library["num_threads"]] for library in found]))
"""


def environment(kernel, threads):
    numbers = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS")}
    return {**os.environ, **numbers, "OPENBLAS_CORETYPE": kernel}


def obstacle(kernel, threads):
    """Why this kernel cannot be tested here with so many threads, or None."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=environment(kernel, threads), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if probe.returncode < 0:
        return f"the processor lacks it (signal {-probe.returncode})"
    if probe.returncode > 0:
        return f"it does not work (exit code {probe.returncode}): {probe.stderr.strip()[-200:]}"
    found = json.loads(probe.stdout.splitlines()[-1])
    if not found:
        return "numpy and scipy use no OpenBLAS"
    others = sorted({name for name, _ in found if name.lower() != kernel.lower()})
    if others:
        return f"OpenBLAS takes {' and '.join(others)} instead"
    fewer = min(number for _, number in found)
    return None if fewer == threads else f"OpenBLAS takes {fewer} of {threads} threads"


def run_tests(kernel, threads, arguments):
    """The exit code of pytest and its last line, all that it says being shown."""
    workers = max(joblib.cpu_count() // threads, 1)
    command = [sys.executable, "-m", "pytest", f"--numprocesses={workers}", "--dist=worksteal"]
    last = ""
    with subprocess.Popen(
        [*command, *arguments], env=environment(kernel, threads), stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip(" =\n") or last
    return process.returncode, last


def main(arguments):
    rows, codes = [], []
    for kernel, threads in product(KERNELS, THREADS):
        reason = obstacle(kernel, threads)
        if reason is None:
            print(f"\n{kernel}, BLAS threads: {threads}", flush=True)
            code, reason = run_tests(kernel, threads, arguments)
            codes.append(code)
            outcome = "failed" if code else "passed"
        else:
            outcome = "skipped"
        rows.append(f"{kernel:<12} {threads:>7}  {outcome:<8} {reason}")
    print(f"\n{'kernel':<12} {'threads':>7}", *rows, sep="\n")
    if not codes:
        print("No kernel was tested.")
    return int(not codes or any(codes))


if __name__ == "__main__":
    # Whatever is imported is this repository's own, as with `make test`.
    os.chdir(Path(__file__).parents[1])
    sys.exit(main(sys.argv[1:]))
