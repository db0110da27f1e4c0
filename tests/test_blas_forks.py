"""A forked process has the number of threads of the thread that forked, and does not hang."""

import os
import signal
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from blas_libraries import (
    Blas,
    Library,
    PrivateLibrary,
    enter,
    leave,
)
from processes import run
from shrinklin.blas import BlasLimit, one_blas_thread

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="Nothing forks on this system.")


def in_child(check, patience=60):
    """The exit status of a child that calls `check()`; 9 if it hangs."""
    child = os.fork()
    if child == 0:
        try:
            check()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    end = threading.Timer(patience, os.kill, (child, signal.SIGKILL))
    end.start()
    status = os.waitpid(child, 0)[1]
    end.cancel()
    return status


class Elsewhere:
    """A thread that holds a limit until it is told to leave."""

    def __init__(self, limit):
        self.pool, self.stack, self.limit = ThreadPoolExecutor(1), [], limit
        self.pool.submit(enter, limit, self.stack).result()

    def leave(self):
        self.pool.submit(leave, self.limit, self.stack).result()
        self.pool.shutdown()


def assert_right_in_children(limit, library):
    """Whichever threads hold the limit at a fork, the child has the number of the forking one."""

    def held_anew():
        assert library.num_threads == 2
        with limit():
            assert library.num_threads == 1
        assert library.num_threads == 2

    def ends(stack):
        for _ in range(2):
            assert library.num_threads == 1
            leave(limit, stack)
        held_anew()

    assert in_child(held_anew) == 0
    stack = []
    other = Elsewhere(limit)
    assert in_child(held_anew) == 0
    for _ in range(2):
        enter(limit, stack)
    assert in_child(lambda: ends(stack)) == 0
    other.leave()
    assert in_child(lambda: ends(stack)) == 0
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_child, held_anew).result() == 0
    assert library.num_threads == 1
    ends(stack)


def survivor(kind, library):
    limit = kind(lambda: [library])
    limit.survive_forks()
    return limit.held


class KeepsHolders(BlasLimit):
    def _begin_in_child(self):
        self._lock.release()


class ForgetsHolders(BlasLimit):
    def _begin_in_child(self):
        self._holders = []
        super()._begin_in_child()


def check_numbers_of_children():
    for make in (Library, PrivateLibrary):
        library = make()
        assert_right_in_children(survivor(BlasLimit, library), library)
    for mutant in (KeepsHolders, ForgetsHolders):
        library = Library()
        with pytest.raises(AssertionError):
            assert_right_in_children(survivor(mutant, library), library)
    assert_right_in_children(one_blas_thread, Blas())


class LockedLibrary(Library):
    """Its number is set under a lock, as by threadpoolctl 3.8; tests can make that take long."""

    def __init__(self):
        super().__init__()
        self.lock, self.lasts = threading.Lock(), False
        self.began, self.ends = threading.Event(), threading.Event()

    def set_num_threads(self, number):
        with self.lock:
            if self.lasts:
                self.lasts = False
                self.began.set()
                assert self.ends.wait(60)
            super().set_num_threads(number)


class WatchedLock:
    """A lock that signals when a thread begins to wait for it."""

    def __init__(self, lock, somebody_waits):
        self.lock, self.somebody_waits = lock, somebody_waits
        self.release = lock.release

    def acquire(self):
        if not self.lock.acquire(blocking=False):
            self.somebody_waits.set()
            self.lock.acquire()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()


def forked_between(kind, patience=60):
    """Exit statuses of two children, forked while a thread enters the limit and while it leaves.

    A fork should wait until the thread has set the number.
    """
    library = LockedLibrary()
    limit = kind(lambda: [library])
    limit._lock = WatchedLock(limit._lock, library.ends)
    limit.survive_forks()

    def use():
        with limit.held():
            pass

    def use_elsewhere():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(use).result()

    use()
    with ThreadPoolExecutor(1) as pool:
        stack, statuses = [], []
        for step in (enter, leave):
            library.began.clear()
            library.ends.clear()
            library.lasts = True
            done = pool.submit(step, limit.held, stack)
            assert library.began.wait(60)
            statuses.append(in_child(use_elsewhere, patience))
            library.ends.set()
            done.result()
    return statuses


class ForksAnyTime(BlasLimit):
    def survive_forks(self):
        pass


class StaysLockedInChild(BlasLimit):
    def _begin_in_child(self):
        pass


class LeavesUnlocked(BlasLimit):
    """Restores the number, which takes the lock of the library, without our lock."""

    @contextmanager
    def held(self):
        with self._lock:
            self._holders.append(threading.get_ident())
            self._limit()
        try:
            yield
        finally:
            self._holders.remove(threading.get_ident())
            self._restore()


def check_forks_between_changes():
    assert forked_between(BlasLimit) == [0, 0]
    hung = signal.SIGKILL
    for mutant in (ForksAnyTime, StaysLockedInChild):
        assert forked_between(mutant, patience=0.3) == [hung, hung]
    assert forked_between(LeavesUnlocked, patience=0.3)[1] == hung


def check_many_forks():
    """While other threads enter and leave the limit of BLAS itself."""
    done = threading.Event()

    def use():
        with one_blas_thread():
            assert blas_itself.num_threads == 1

    def use_until_done():
        while not done.is_set():
            use()

    blas_itself = Blas()
    with ThreadPoolExecutor(2) as pool:
        users = [pool.submit(use_until_done) for _ in range(2)]
        statuses = [in_child(use) for _ in range(10)]
        done.set()
        for user in users:
            user.result()
    assert set(statuses) == {0}
    assert blas_itself.num_threads == 2


@FORKS
def test_forks():
    run(check_numbers_of_children, check_forks_between_changes, check_many_forks)
