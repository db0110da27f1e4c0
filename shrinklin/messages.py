"""What users are told: warnings, at the line of theirs they belong to; what to install; how far."""

import inspect
import warnings
from contextlib import contextmanager
from importlib import import_module

from sklearn.utils.parallel import Parallel


def warn(message, category=UserWarning):
    """Warn of the line that called shrinklin, however deep in it this is."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith("shrinklin."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def imported(name, what, extra=None, package=None):
    """The module of that name, of a package that not everyone has.

    Parameters
    ----------
    name : str
        As for `import_module`.
    what : str
        What needs it; begins the sentence of the error.
    extra : str, default=None
        The extra of setup.cfg that lists the package.
    package : str, default=None
        As pip calls it; None: as Python does.

    Raises
    ------
    ImportError
        With what to install, however this package was installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = package or name.partition(".")[0]
        clone = f', or in a clone of shrinklin pip install -e ".[{extra}]"' if extra else ""
        raise ImportError(
            f'{what} needs {package} ({error}): pip install "{package}"{clone}.', name=error.name
        ) from error


@contextmanager
def progress(verbose, total, name, unit):
    """Yield `report(**facts)`, to be called once a unit; a bar if `verbose`."""
    if not verbose:
        yield lambda **facts: None
        return
    what = f"The progress bar of verbose={verbose!r} (verbose=0 shows none)"
    tqdm = imported("tqdm.auto", what, "plot")
    with tqdm.tqdm(total=total, desc=name, unit=unit) as bar:

        def report(**facts):
            if facts:
                bar.set_postfix(facts, refresh=False)
            bar.update()

        yield report


def results(tasks, total, n_jobs, verbose, name, unit):
    """Yield in order what `total` tasks of joblib give, beside a bar if `verbose`."""
    # Only the bar needs results one by one, which not every backend of joblib gives.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator" if verbose else "list")
    with progress(verbose, total, name, unit) as report:
        for result in parallel(tasks):
            yield result
            report()
