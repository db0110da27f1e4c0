"""A bar that shows how far long work is."""

from contextlib import contextmanager


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
