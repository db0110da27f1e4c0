"""Messages for users: warnings at the right line of user code, errors, and progress bars."""

import inspect
import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from threading import current_thread, main_thread

from sklearn import config_context, get_config

# Each thread has its own list, while filters and hooks of `warnings` are for the whole process.
_collecting: ContextVar[list | None] = ContextVar("collecting", default=None)


@contextmanager
def collected():
    """Yield a list. Meanwhile `warn` adds (category, text) to it instead of warning."""
    log: list[tuple] = []
    token = _collecting.set(log)
    try:
        yield log
    finally:
        _collecting.reset(token)


def warn(message, category=UserWarning):
    """Warn at the line of user code that called shrinklin, however many calls lie between."""
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
    """Start the message of a ValueError with `what`, the thing it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def imported(name, what, extra=None, package=None):
    """Import a module of an optional package.

    Parameters
    ----------
    name : str
        As for `import_module`.
    what : str
        What needs the module. The error message starts with it.
    extra : str, default=None
        The extra of setup.cfg that lists the package.
    package : str, default=None
        Name of the package for pip, if it differs from the name for Python.

    Raises
    ------
    ImportError
        The message says what to install, however shrinklin was installed.
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
    """Yield `report(**facts)`, to be called once per unit. Shows a bar if `verbose`."""
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
    """Yield the results of `total` tasks in order. Shows a bar if `verbose`.

    A task is a function without arguments.
    """
    from joblib import Parallel, delayed

    here = get_config(), warnings.filters, os.getpid()
    # Only the bar needs results one by one. Not every backend of joblib supports that.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator" if verbose else "list")
    with progress(verbose, total, name, unit) as report:
        for result in parallel(delayed(_call)(task, *here) for task in tasks):
            yield result
            report()


def _call(task, config, filters, caller):
    """Call a task with the caller's scikit-learn configuration and warning filters.

    scikit-learn's `delayed` does this too, but also sets the filters in threads of the caller's
    process. These threads share one list of filters, which overlapping calls would corrupt.
    """
    with config_context(**config):
        if not alone_in_another_process(caller):
            return task()
        with warnings.catch_warnings():
            warnings.filters = list(filters)
            return task()


def alone_in_another_process(caller):
    """Whether a setting for the whole process affects only the current call.

    That is so in the main thread of a process other than the caller's.
    """
    return os.getpid() != caller and current_thread() is main_thread()
