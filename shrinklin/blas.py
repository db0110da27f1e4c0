"""Limit the number of BLAS threads during a fit."""

import os
import sys
from contextlib import contextmanager
from threading import RLock, Thread, get_ident

from threadpoolctl import ThreadpoolController


def one_blas_thread():
    """Context manager in which BLAS uses only one thread.

    Most products here are small, so several threads do not make them faster. If another process
    uses one of their cores, they wait for each other: one case took 25 times as long.
    """
    return _LIMIT.held()


class BlasLimit:
    """One BLAS thread while any Python thread holds the limit, and the old number afterwards.

    ``find()`` returns threadpoolctl's controllers of the loaded BLAS libraries. Most libraries
    have one number of threads for the whole process: the first holder sets it to 1, and the last
    one restores it. In the others (OpenMP, MKL), each Python thread has its own number. That
    thread sets it to 1 and restores it.
    """

    def __init__(self, find):
        self._find = find
        self._libraries, self._n_modules = [], None
        # For each library path: whether each Python thread has its own number there.
        self._private = {}
        # The number to restore, for each library path and thread (None: the whole process).
        self._before = {}
        # A thread that holds the limit twice is listed twice.
        self._holders = []
        # Reentrant: a finaliser or a signal handler may fit a model while its thread has the lock.
        self._lock = RLock()

    @contextmanager
    def held(self):
        """Limit all libraries that are loaded on entry."""
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
        """Fork only while no thread has the lock: in the child, nobody would release it.

        threadpoolctl's own lock is held only while this lock is held.
        """
        # Windows has no fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._begin_in_child,
            )

    def _begin_in_child(self):
        # The other threads of the parent do not exist in the child.
        self._holders = [thread for thread in self._holders if thread == get_ident()]
        try:
            self._restore()
        finally:
            self._lock.release()

    def _limit(self):
        for library in self._loaded():
            number = library.num_threads
            if number not in (None, 1):
                # If somebody sets a number in between, keep the one that the first holder found.
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
        # Searching for libraries takes milliseconds, more than a small fit. So search again only
        # after an import: a library is loaded by a module, and the module is listed afterwards.
        # Only libraries loaded by hand can be missed, and only until the next import.
        n_modules = len(sys.modules)
        if n_modules != self._n_modules:
            self._libraries, self._n_modules = self._find(), n_modules
        return self._libraries

    def _owner(self, library):
        """The thread whose number is read and set here, or None for the whole process."""
        path = library.filepath
        if path not in self._private:
            try:
                self._private[path] = _is_private(library)
            except RuntimeError:
                # At exit no thread can be started, and the others have ended.
                return None
        return get_ident() if self._private[path] else None


def _is_private(library):
    """Whether each Python thread has its own number of threads in that library.

    This is tested by changing the number. What threadpoolctl knows about a library (threading
    layer, name) does not tell for BLIS and FlexiBLAS, nor for OpenMP on Windows.
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
    # Since threadpoolctl 3.8, once a thread has set the number of OpenBLAS, no other thread can,
    # until that one ends or gives up control. Here any thread may be the last to hold the limit.
    relieve = getattr(library, "clear_controlling_thread", lambda force: None)
    relieve(force=True)
    library.set_num_threads(number)
    relieve(force=True)


def _blas_libraries():
    return ThreadpoolController().select(user_api="blas").lib_controllers


_LIMIT = BlasLimit(_blas_libraries)
_LIMIT.survive_forks()
