"""Run the tests of the compiled loops on builds that check more: `make sanitize`.

The first build checks all indices. The second has gcc's sanitizers of addresses and of undefined
behaviour, which have to be loaded before Python. Leaks are not looked for: Python keeps much until
it ends. Both are built in a copy, so the clone keeps its own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ["test_kernels", "test_penalties", "test_coordinate_descent", "test_proximal_newton"]
TESTS += ["test_newton", "test_sparse_group_lasso"]
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"


def library(name):
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True)
    return found.stdout.strip()


def builds():
    """(what it checks, environment of the build, environment of the tests)"""
    yield "indices", {"SHRINKLIN_CHECKED": "1"}, {}
    sanitized = {"CFLAGS": f"-O1 -g {SANITIZERS}", "LDFLAGS": SANITIZERS}
    loaded = {
        "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",
    }
    yield "addresses and undefined behaviour", sanitized, loaded


def main():
    for what, of_build, of_tests in builds():
        print(f"--- {what}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "shrinklin"
            left_out = shutil.ignore_patterns(".*", "*.so", "build", "_build", "__pycache__")
            shutil.copytree(ROOT, copy, ignore=left_out)
            build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
            subprocess.run(build, cwd=copy, env={**os.environ, **of_build}, check=True)
            files = [f"tests/{name}.py" for name in TESTS]
            # One process: the copy goes first on the path.
            tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
            environment = {**os.environ, "PYTHONPATH": str(copy), **of_tests}
            subprocess.run(tests, cwd=copy, env=environment, check=True)


if __name__ == "__main__":
    main()
