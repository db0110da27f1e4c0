"""How many threads BLAS may use while something is fitted."""

import os
import sys
from contextlib import contextmanager
from threading import RLock, Thread, get_ident

from threadpoolctl import ThreadpoolController


def one_blas_thread():
    """A context in which BLAS does not spread its products over the cores.

    Most products here are small: threads gain nothing by them, and where another
    process wants their core they wait for each other (25 times as long, seen).
    """
    return _LIMIT.held()


class BlasLimit:
    """One BLAS thread while any thread of Python holds the limit, and the old number afterwards.

    ``find()`` lists threadpoolctl's controllers of the BLAS libraries that are loaded. Most
    libraries have one number of threads for the process: the first holder sets it to 1, the
    last one restores it. In the others (OpenMP, MKL) each thread of Python has its own number,
    which that thread sets to 1 and restores.
    """

    def __init__(self, find):
        self._find = find
        self._libraries, self._n_modules = [], None
        # By path of the library: whether each thread of Python has its own number there.
        self._private = {}
        # What to restore, by path of the library and thread (None: the process).
        self._before = {}
        # A thread that holds the limit twice is here twice.
        self._holders = []
        # A finaliser or a signal handler may fit a model while its thread is in here.
        self._lock = RLock()

    @contextmanager
    def held(self):
        """Limit all libraries that are loaded when this begins."""
        thread = get_ident()
        with self._lock:
            self._holders.append(thread)
        try:
            with self._lock:
                self._limit()
            yield
        finally:
            with self._lock:
                self._holders.remove(thread)
                self._restore()

    def survive_forks(self):
        """Fork only while no thread is in here: in the child nobody would release the lock.

        The lock of threadpoolctl is held only while ours is.
        """
        # Windows has no fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._begin_in_child,
            )

    def _begin_in_child(self):
        # No other thread of the parent exists here.
        self._holders = [thread for thread in self._holders if thread == get_ident()]
        try:
            self._restore()
        finally:
            self._lock.release()

    def _limit(self):
        for library in self._loaded():
            number = library.num_threads
            if number not in (None, 1):
                # A number that somebody sets in between is not what the first holder found.
                key = (library.filepath, self._owner(library))
                self._before.setdefault(key, (library, number))
                _set(library, 1)

    def _restore(self):
        for key, (library, number) in list(self._before.items()):
            _, owner = key
            held = self._holders if owner is None else owner in self._holders
            if not held:
                if owner in (None, get_ident()):
                    _set(library, number)
                del self._before[key]

    def _loaded(self):
        # To look for libraries takes milliseconds, more than a small fit. A library comes with
        # a module that is listed after it is loaded; only those loaded by hand can be missed,
        # and only until the next import.
        n_modules = len(sys.modules)
        if n_modules != self._n_modules:
            self._libraries, self._n_modules = self._find(), n_modules
        return self._libraries

    def _owner(self, library):
        """The thread whose number of threads is read and set here, None for the process."""
        path = library.filepath
        if path not in self._private:
            try:
                self._private[path] = _is_private(library)
            except RuntimeError:
                # At exit no thread can be started; the others have ended.
                return None
        return get_ident() if self._private[path] else None


def _is_private(library):
    """Whether each thread of Python has its own number of threads in that library.

    It is tried: what threadpoolctl knows of a library (threading layer, name) does not say so
    for BLIS and FlexiBLAS, nor for OpenMP on Windows.
    """
    number = library.num_threads
    if _number_elsewhere(library) != number:
        return True
    _set(library, 1)
    try:
        return _number_elsewhere(library) != 1
    finally:
        _set(library, number)


def _number_elsewhere(library):
    found = []
    thread = Thread(target=lambda: found.append(library.num_threads))
    thread.start()
    thread.join()
    return found[0]


def _set(library, number):
    # Since threadpoolctl 3.8 the first thread that sets the number of OpenBLAS is the only one
    # that can, until it ends or is relieved. Here any thread may be the last to hold the limit.
    relieve = getattr(library, "clear_controlling_thread", lambda force: None)
    relieve(force=True)
    library.set_num_threads(number)
    relieve(force=True)


def _blas_libraries():
    return ThreadpoolController().select(user_api="blas").lib_controllers


_LIMIT = BlasLimit(_blas_libraries)
_LIMIT.survive_forks()
