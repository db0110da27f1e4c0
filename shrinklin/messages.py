"""What users are told: warnings, at the line of theirs they belong to; errors; progress."""

import inspect
import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from threading import current_thread, main_thread

from sklearn import config_context, get_config

# Each thread has its own; the filters and hooks of `warnings` belong to the whole process.
_collecting: ContextVar[list | None] = ContextVar("collecting", default=None)


@contextmanager
def collected():
    """Yield a list of (category, text): what `warn` is told meanwhile, and does not show."""
    log: list[tuple] = []
    token = _collecting.set(log)
    try:
        yield log
    finally:
        _collecting.reset(token)


def warn(message, category=UserWarning):
    """Warn of the line that called shrinklin, however deep in it this is."""
    log = _collecting.get()
    if log is not None:
        log.append((category, message))
        return
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith("shrinklin."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def naming(what):
    """Begin the message of a ValueError with what it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


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
    """Yield in order what `total` tasks, functions without arguments, give; a bar if `verbose`."""
    from joblib import Parallel, delayed

    here = get_config(), warnings.filters, os.getpid()
    # Only the bar needs results one by one, which not every backend of joblib gives.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator" if verbose else "list")
    with progress(verbose, total, name, unit) as report:
        for result in parallel(delayed(_call)(task, *here) for task in tasks):
            yield result
            report()


def _call(task, config, filters, caller):
    """Call a task under scikit-learn's configuration and the filters of warnings of the caller.

    `delayed` of scikit-learn does so too, but sets the filters in the threads of the caller's
    process as well, which have one list together: calls that overlap would spoil it.
    """
    with config_context(**config):
        if not alone_in_another_process(caller):
            return task()
        with warnings.catch_warnings():
            warnings.filters = list(filters)
            return task()


def alone_in_another_process(caller):
    """Whether what is set for this whole process is set for nobody else."""
    return os.getpid() != caller and current_thread() is main_thread()
