"""What users are told: how far long work is, and warnings, at the line of theirs they belong to."""

import inspect
import warnings
from contextlib import contextmanager

from sklearn.utils.parallel import Parallel


def warn(message, category=UserWarning):
    """Warn of the line that called shrinklin, however deep in it this is."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith("shrinklin."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def progress(verbose, total, name, unit):
    """Yield `report(**facts)`, to be called once a unit; a bar if `verbose`."""
    if not verbose:
        yield lambda **facts: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            f"verbose={verbose!r} shows a progress bar, which needs tqdm: pip install "
            '"shrinklin[plot]", or set verbose=0.'
        ) from error
    with tqdm(total=total, desc=name, unit=unit) as bar:

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
