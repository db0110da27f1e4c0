"""What holds of the package as a whole: import, memory, interrupts, caches, the demo."""

import gc
import inspect
import os
import shutil
import subprocess
import sys
import sysconfig
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest

import shrinklin
from interrupt import interrupted
from processes import run
from shrinklin import (
    GradientDescent,
    GroupLassoClassifier,
    GroupLassoRegressor,
    GroupLassoRegressorCV,
    InformationCriterion,
    ShrinkNetClassifier,
    ShrinkNetRegressor,
    regularization_path,
    selection_frequencies,
)
from shrinklin.problem.problem import Problem

ROOT = Path(__file__).parents[1]


def python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, **options
    )


def test_import_leaves_the_heavy_alone():
    # What an import costs beyond scikit-learn's own is what it loads beyond it.
    code = (
        "import sklearn.linear_model, sys; before = set(sys.modules);"
        "import shrinklin;"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(new - sys.stdlib_module_names))"
    )
    result = python(code)
    assert result.stdout.strip() == "['shrinklin', 'sklearn']", result.stderr


def test_public_names_are_documented():
    for name in shrinklin.__all__:
        public = getattr(shrinklin, name)
        # Python 3.13 strips the indentation itself.
        assert len(inspect.cleandoc(public.__doc__).splitlines()) > 2, name
        for attribute, value in vars(public).items() if isinstance(public, type) else ():
            if not attribute.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{attribute}"


@pytest.mark.parametrize("estimator", [GroupLassoRegressor(), ShrinkNetRegressor()], ids=repr)
@pytest.mark.parametrize("order", ["C", "F"])
def test_no_copy_of_X(estimator, order):
    # The stated bound, 0.3 of X beside X, at a fifth of its rows.
    rng = np.random.default_rng(0)
    X = np.asarray(rng.normal(size=(20_000, 500)), order=order)
    y = X[:, :5].sum(axis=1) + rng.normal(size=20_000)
    estimator.fit(X[:50], y[:50])  # compiled code is not the fit's
    tracemalloc.start()
    estimator.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * X.nbytes


def few_models():
    """Fits of every kind, small and of large coefficients: what was kept would show."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(40, 4)), np.arange(40) % 20
    Y = X[:, :1] @ rng.normal(size=(1, 50)) + 0.1 * rng.normal(size=(40, 50))
    training = GradientDescent(max_epochs=50, tol=1e30)
    stream, classes = ShrinkNetRegressor(2.0), np.arange(20)
    rows = ShrinkNetClassifier(0.1, solver=training, random_state=0)
    return [
        lambda: GroupLassoRegressor(2.0).fit(X, Y),
        lambda: ShrinkNetRegressor(2.0).fit(X, Y),
        lambda: GroupLassoClassifier(0.2).fit(X, labels),
        lambda: ShrinkNetClassifier(0.2).fit(X, labels),
        lambda: ShrinkNetRegressor(2.0, solver=training, random_state=0).fit(X, Y),
        lambda: regularization_path(GroupLassoRegressor(), X, Y, alphas=[3.0, 2.0]),
        lambda: stream.partial_fit(X, Y),
        lambda: rows.partial_fit(X, labels, classes=classes),
    ]


def growth(fits, times, measure):
    """By how much `measure()` is larger after all fits again, so many times."""

    def repeat(times):
        for _ in range(times):
            for fit in fits:
                fit()
        gc.collect()
        return measure()

    # The first fits compile, and fill what is cached.
    before = repeat(20)
    return repeat(times) - before


def traced_growth(fits, times):
    """Bytes of Python."""
    tracemalloc.start()
    try:
        return growth(fits, times, lambda: tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()


def resident_growth(fits, times):
    """Bytes of the process."""
    return growth(fits, times, lambda: psutil.Process().memory_info().rss)


# Of what Python holds, which is free of noise; less than one row of coefficients.
A_FIT = 60


@pytest.mark.untraced
def test_memory_does_not_grow_over_a_thousand_fits():
    # In a process of its own, as threads that other tests leave behind fill memory, too.
    run(memory_does_not_grow)


def memory_does_not_grow():
    fits = few_models()
    assert resident_growth(fits, times=125) < 4_000_000
    # Tracing makes fits three times as dear.
    assert traced_growth(fits, times=25) < A_FIT * 25 * len(fits)


def test_a_fit_that_keeps_its_coefficients_is_seen(monkeypatch):
    kept, store = [], Problem._stored

    def storing(problem, W, *more):
        kept.append(W.copy())
        return store(problem, W, *more)

    monkeypatch.setattr(Problem, "_stored", storing)
    # The estimator with the fewest coefficients, and the others without fault.
    fits = few_models()
    assert traced_growth([fits[2]], times=12) > A_FIT * 12 * len(fits)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what a build needs, so that nothing is left in the clone."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in ("shrinklin", "proofs_check", "tests", "datasets"):
        left_out = shutil.ignore_patterns("__pycache__", "pickles", "*.so")
        shutil.copytree(ROOT / folder, copy / folder, ignore=left_out)
    return copy


@pytest.fixture(scope="module")
def wheel(copy, tmp_path_factory):
    """The names in a wheel."""
    out = tmp_path_factory.mktemp("wheel")
    code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, out], cwd=copy, check=True, capture_output=True)
    [file] = out.glob("*.whl")
    return zipfile.ZipFile(file).namelist()


def test_a_wheel_holds_every_module_and_the_mark_of_types(wheel):
    installed = {name for name in wheel if ".dist-info" not in name}
    expected = {
        file.relative_to(ROOT).as_posix()
        for folder in ("shrinklin", "proofs_check")
        for kind in ("*.py", "*.pyi")
        for file in (ROOT / folder).rglob(kind)
    }
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    compiled = {f"shrinklin/{name}{suffix}" for name in ("kernels", "proximal")}
    assert installed == expected | compiled | {"shrinklin/py.typed"}


def test_without_a_compiler_the_build_says_what_to_install(copy):
    environment = {**os.environ, "CC": "no-such-compiler"}
    result = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--force"],
        cwd=copy, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 1
    assert "takes a C compiler. Install one (Debian" in result.stderr
    assert "Traceback" not in result.stderr


def test_interrupt_ends_a_long_fit_at_once():
    done = interrupted(
        "import numpy as np; from shrinklin import ShrinkNetRegressor;"
        "rng = np.random.default_rng(0);"
        "X = rng.normal(size=(400, 400)) + 3 * rng.normal(size=(400, 1));"
        "Y = X @ rng.normal(size=(400, 20)) + rng.normal(size=(400, 20));"
        "ShrinkNetRegressor().fit(X[:20, :5], Y[:20]);"
        "print('begin', flush=True);"
        "ShrinkNetRegressor(alpha=1e-3, p=1).fit(X, Y);"
        "print('end')"
    )
    assert b"KeyboardInterrupt" in done.stderr
    assert done.stdout == b""


def test_the_example_of_removal_runs_and_draws(tmp_path):
    picture = tmp_path / "removal.png"
    result = python_example("removal.py", picture)
    rows = [line.split() for line in result.stdout.splitlines()]
    shares = {" ".join(row[:-5]): [float(x) for x in row[-5:]] for row in rows[-7:-1]}
    assert shares["no removal"][2:] == [1.0, 1.0, 1.0]
    for name in ("threshold", "sign change", "sign variance", "annealing"):
        assert max(shares[name][2:]) < 0.5
    objectives = [row[0] for row in shares.values()]
    assert shares["exact solver"][0] == min(objectives) > 0.95 * max(objectives)
    assert picture.stat().st_size > 10_000


def python_example(name, picture):
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "reports" / name, "--out", picture],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    assert result.returncode == 0, result.stderr
    return result


def test_demo_runs_and_draws(tmp_path):
    picture = tmp_path / "tradeoff.png"
    result = python_example("digits.py", picture)
    assert picture.stat().st_size > 10_000
    verdicts = [line for line in result.stdout.splitlines() if "features needed are" in line]
    assert ["mean squared error" in verdicts[0], "log-loss" in verdicts[1]] == [True, True]
    assert result.stdout.count("held-out ") >= 2


WARNING_CALLS = [
    lambda X, Y: GroupLassoRegressor(1e-3, **SHORT).fit(X, Y),
    lambda X, Y: GroupLassoRegressorCV(3, **SHORT).fit(X, Y),
    lambda X, Y: regularization_path(GroupLassoRegressor(**SHORT), X, Y),
    lambda X, Y: InformationCriterion(GroupLassoRegressor(**SHORT), alphas=3).fit(X, Y),
    lambda X, Y: selection_frequencies(GroupLassoRegressor(1e-3, **SHORT), X, Y, 2),
    lambda X, Y: ShrinkNetRegressor(solver=GradientDescent(max_epochs=3), weight_decay=0).fit(X, Y),
]
# A sweep may do, and nothing is as exact as that.
SHORT = {"max_iter": 1, "tol": 1e-300}


@pytest.mark.parametrize("call", WARNING_CALLS)
def test_warnings_point_at_the_users_line(call):
    X = np.random.default_rng(0).normal(size=(40, 5))
    with pytest.warns(UserWarning, match="converge|minimiser") as caught:
        call(X, X[:, :2])
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}
