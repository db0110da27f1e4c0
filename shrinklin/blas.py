"""How many threads BLAS may use while something is fitted."""

import os
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_ENTERING = Lock()
# Not on Windows. A process that is forked while another thread holds the lock would wait for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_ENTERING.acquire,
        after_in_parent=_ENTERING.release,
        after_in_child=_ENTERING.release,
    )


@contextmanager
def one_blas_thread():
    """A context in which BLAS does not spread its products over the cores.

    Most products here are small: threads gain nothing by them, and where another
    process wants their core they wait for each other (25 times as long, seen). The number
    belongs to the process as a rule: of two threads of Python that overlap, the first leaves the
    number as it found it and the other goes on with that many, unless whoever started them
    is here too.
    """
    # Who finds 1 restores nothing: it may be the 1 of a thread that leaves earlier.
    with _ENTERING:
        limit = _libraries_with_threads().limit(limits=1)
    with limit:
        yield


def _libraries_with_threads():
    """Those that use more than one at the moment."""
    libraries = _libraries()
    numbers = [library.num_threads for library in libraries.lib_controllers]
    return libraries.select(num_threads=[n for n in numbers if n != 1])


@cache
def _libraries():
    return ThreadpoolController().select(user_api="blas")
