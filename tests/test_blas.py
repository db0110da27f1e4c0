"""BLAS has one thread for whoever holds the limit, and the number of before for all others."""

import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import combinations
from types import ModuleType

import pytest
from threadpoolctl import ThreadpoolController

from processes import give_blas_two_threads, libraries_with_threads, python, run
from shrinklin import blas
from shrinklin.blas import BlasLimit, one_blas_thread

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="Nothing forks on this system.")


class Library:
    """As threadpoolctl shows a library that has one number of threads for the process."""

    private = False

    def __init__(self, filepath="library"):
        self.filepath = filepath
        self.num_threads = 2

    def set_num_threads(self, number):
        self.num_threads = number


class PrivateLibrary(Library):
    """One in which each thread of Python has its own number, 2 to begin with."""

    private = True

    def __init__(self, filepath="private library"):
        self.filepath = filepath
        self.own = threading.local()

    @property
    def num_threads(self):
        return getattr(self.own, "number", 2)

    def set_num_threads(self, number):
        self.own.number = number


class ControlledLibrary(Library):
    """As of threadpoolctl 3.8: who sets the number keeps others from it until it is relieved."""

    def __init__(self):
        super().__init__("controlled library")
        self.controlling = None

    def clear_controlling_thread(self, force=False):
        if force or self.controlling == threading.get_ident():
            self.controlling = None

    def set_num_threads(self, number):
        self.controlling = self.controlling or threading.get_ident()
        if self.controlling == threading.get_ident():
            self.num_threads = number


class Blas:
    """The libraries of this process as one: some of them may be private."""

    private = None

    def __init__(self):
        self.libraries = libraries_with_threads()

    @property
    def num_threads(self):
        (number,) = {library.num_threads for library in self.libraries}
        return number

    def set_num_threads(self, number):
        assert number == self.num_threads


LIBRARIES = [Library, PrivateLibrary, ControlledLibrary]


# All orders in which two threads of Python can hold the limit


def orders(n_steps):
    """The ways in which the steps of thread 0 and thread 1, `n_steps` each, can follow."""
    for chosen in combinations(range(2 * n_steps), n_steps):
        yield [0 if i in chosen else 1 for i in range(2 * n_steps)]


def assert_limited(limit, library, before=(2, 2)):
    """Two threads enter twice and leave twice in any order: the number is right after each step."""
    pools = [ThreadPoolExecutor(1, "", library.set_num_threads, (n,)) for n in before]
    with pools[0], pools[1]:
        numbers = [pool.submit(getattr, library, "num_threads") for pool in pools]
        assert [number.result() for number in numbers] == list(before)
        for order in orders(4):
            stacks = [], []
            for i, thread in enumerate(order):
                step = _enter if order[:i].count(thread) < 2 else _leave
                pools[thread].submit(step, limit, stacks[thread]).result()
                found = [pool.submit(getattr, library, "num_threads").result() for pool in pools]
                assert found == expected(found, stacks, before, library.private), (order, i)


def _enter(limit, stack):
    stack.append(limit())
    stack[-1].__enter__()


def _leave(_, stack):
    stack.pop().__exit__(None, None, None)


def expected(found, stacks, before, private):
    """The number that each thread is to see; who holds nothing, of libraries unknown, any."""
    if not any(stacks):
        return list(before)
    others = {True: before, False: (1, 1), None: found}[private]
    return [1 if stack else other for stack, other in zip(stacks, others, strict=True)]


@pytest.mark.parametrize("make", LIBRARIES)
def test_one_thread_for_holders_and_the_old_number_for_others(make):
    library = make()
    assert_limited(BlasLimit(lambda: [library]).held, library)


def test_each_thread_gets_back_its_own_number():
    library = PrivateLibrary()
    for before in ((3, 1), (1, 3), (4, 3)):
        assert_limited(BlasLimit(lambda: [library]).held, library, before)
    assert library.num_threads == 2


class Mutant(BlasLimit):
    def __init__(self, library):
        super().__init__(lambda: [library])


class RestoresOnLeaving(Mutant):
    """Each restores what it found, as threadpoolctl does."""

    @contextmanager
    def held(self):
        (library,) = self._find()
        found = library.num_threads
        library.set_num_threads(1)
        try:
            yield
        finally:
            library.set_num_threads(found)


class FirstRestores(RestoresOnLeaving):
    """Who finds 1 restores nothing."""

    def held(self):
        (library,) = self._find()
        return super().held() if library.num_threads != 1 else ExitStack()


class CountsThreads(Mutant):
    """Nested use lifts the limit of the outer one."""

    class Holders(list):
        def append(self, thread):
            self[:] = {thread, *self}

        def remove(self, thread):
            self[:] = set(self) - {thread}

    def __init__(self, library):
        super().__init__(library)
        self._holders = self.Holders()


class TakesAllForShared(Mutant):
    def _owner(self, library):
        return None


class TakesAllForPrivate(Mutant):
    def _owner(self, library):
        return threading.get_ident()


MUTANTS = [
    (RestoresOnLeaving, Library),
    (RestoresOnLeaving, ControlledLibrary),
    (FirstRestores, Library),
    (FirstRestores, ControlledLibrary),
    (CountsThreads, Library),
    (CountsThreads, PrivateLibrary),
    (TakesAllForShared, PrivateLibrary),
    (TakesAllForPrivate, Library),
]


@pytest.mark.parametrize(("mutant", "make"), MUTANTS)
def test_wrong_limits_are_rejected(mutant, make):
    library = make()
    with pytest.raises(AssertionError):
        assert_limited(mutant(library).held, library)


def test_a_limit_that_relieves_nobody_is_rejected(monkeypatch):
    monkeypatch.setattr(blas, "_set", lambda library, number: library.set_num_threads(number))
    library = ControlledLibrary()
    with pytest.raises(AssertionError):
        assert_limited(BlasLimit(lambda: [library]).held, library)


def restores_what_it_finds():
    return ThreadpoolController().limit(limits=1, user_api="blas")


def restores_unless_it_finds_one():
    libraries = ThreadpoolController().select(user_api="blas")
    numbers = [library.num_threads for library in libraries.lib_controllers]
    return libraries.select(num_threads=[n for n in numbers if n != 1]).limit(limits=1)


def check_orders():
    assert_limited(one_blas_thread, Blas())
    for mutant in (restores_what_it_finds, restores_unless_it_finds_one):
        with pytest.raises(AssertionError):
            assert_limited(mutant, Blas())
        give_blas_two_threads()


def check_threads_where_another_sets_the_number():
    """Who has set it, in threadpoolctl 3.8, is the only one that can."""
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        assert_limited(one_blas_thread, Blas())


def test_the_number_of_blas_itself():
    run(check_orders, check_threads_where_another_sets_the_number)


@pytest.mark.parametrize("make", LIBRARIES)
def test_an_error_ends_the_limit(make):
    library = make()
    limit = BlasLimit(lambda: [library]).held
    with pytest.raises(KeyError), limit(), limit():
        raise KeyError
    assert library.num_threads == 2
    with limit():
        assert library.num_threads == 1


def test_a_limit_that_ends_in_another_thread_leaves_nothing_behind():
    """As that of a generator that is closed there."""
    library, private = Library(), PrivateLibrary()
    limit = BlasLimit(lambda: [library, private])
    stack = []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_enter, limit.held, stack).result()
        _leave(None, stack)
        with limit.held():
            assert (library.num_threads, private.num_threads) == (1, 1)
    assert (library.num_threads, private.num_threads) == (2, 2)


def test_what_no_number_changes_is_left_alone():
    class Stubborn(Library):
        def set_num_threads(self, number):
            self.set_to.append(number)

    class Mute(Stubborn):
        num_threads = None

        def __init__(self):
            self.filepath, self.set_to = "mute library", []

    stubborn, mute = Stubborn(), Mute()
    stubborn.set_to = []
    with BlasLimit(lambda: [stubborn, mute]).held():
        pass
    assert stubborn.num_threads == 2
    assert set(stubborn.set_to) == {1, 2}
    assert mute.set_to == []


def test_where_no_thread_can_be_started_the_process_has_one_number(monkeypatch):
    """At exit: others have ended by then."""

    class Unstartable(threading.Thread):
        def start(self):
            raise RuntimeError("can't create new thread at interpreter shutdown")

    library = Library()
    with monkeypatch.context() as patch:
        patch.setattr(blas, "Thread", Unstartable)
        limit = BlasLimit(lambda: [library])
        with limit.held():
            assert library.num_threads == 1
        assert library.num_threads == 2
    assert_limited(limit.held, library)


# Libraries that are loaded later


class Loaded:
    """Libraries of which one more is loaded by each import."""

    def __init__(self, monkeypatch):
        self.libraries, self.n_scans, self.monkeypatch = [], 0, monkeypatch

    def __call__(self):
        self.n_scans += 1
        return list(self.libraries)

    def numbers(self):
        return [library.num_threads for library in self.libraries]

    def load(self, make):
        name = f"library of {id(self)}, {len(self.libraries)}"
        self.libraries.append(make(name))
        self.monkeypatch.setitem(sys.modules, name, ModuleType(name))


def assert_late_libraries_are_limited(limit, loaded, make):
    loaded.load(make)
    with limit():
        assert loaded.numbers() == [1]
    loaded.load(make)
    with limit():
        assert loaded.numbers() == [1, 1]
        loaded.load(make)
        with limit():
            assert loaded.numbers() == [1, 1, 1]
        assert loaded.numbers() == [1, 1, 1]
    assert loaded.numbers() == [2, 2, 2]


@pytest.mark.parametrize("make", [Library, PrivateLibrary])
def test_late_libraries_are_limited(monkeypatch, make):
    loaded = Loaded(monkeypatch)
    assert_late_libraries_are_limited(BlasLimit(loaded).held, loaded, make)


class LooksOnce(BlasLimit):
    def _loaded(self):
        self._libraries = self._libraries or self._find()
        return self._libraries


class RestoresWhatTheFirstFound(BlasLimit):
    def _limit(self):
        if len(self._holders) == 1:
            super()._limit()


@pytest.mark.parametrize("mutant", [LooksOnce, RestoresWhatTheFirstFound])
def test_limits_that_miss_late_libraries_are_rejected(monkeypatch, mutant):
    loaded = Loaded(monkeypatch)
    with pytest.raises(AssertionError):
        assert_late_libraries_are_limited(mutant(loaded).held, loaded, Library)


def test_libraries_are_looked_for_after_imports_alone(monkeypatch):
    loaded = Loaded(monkeypatch)
    loaded.load(Library)
    limit = BlasLimit(loaded).held
    for _ in range(5):
        with limit(), limit():
            pass
    assert loaded.n_scans == 1


# scipy brings its own library beside numpy's. Read without the rest of shrinklin, which imports
# scipy, blas.py sees it come.
LATE = """
import runpy, sys
import numpy
import processes

names = runpy.run_path(sys.argv[1])


class LooksOnce(names["BlasLimit"]):
    def _loaded(self):
        self._libraries = self._libraries or self._find()
        return self._libraries


limit = names["one_blas_thread"]
if sys.argv[2] == "mutant":
    limit = LooksOnce(names["_blas_libraries"]).held
processes.give_blas_two_threads()
with limit():
    assert processes.blas_threads() == {1}
n_early = len(processes.libraries_with_threads())
with limit():
    import scipy.linalg

    # On one core it is loaded with one.
    processes.give_blas_two_threads()
    with limit():
        assert processes.blas_threads() == {1}
    assert processes.blas_threads() == {1}
assert processes.blas_threads() == {2}
with limit():
    assert processes.blas_threads() == {1}
assert processes.blas_threads() == {2}
print(len(processes.libraries_with_threads()) - n_early)
"""


def test_the_library_of_scipy_is_limited_though_it_comes_after_that_of_numpy():
    if python(LATE, blas.__file__, "") == "0\n":
        pytest.skip("numpy and scipy share their BLAS here.")
    with pytest.raises(AssertionError, match="AssertionError"):
        python(LATE, blas.__file__, "mutant")


# Forks


def in_child(check, patience=60):
    """The exit status of a child that calls `check()`, 9 of one that hangs."""
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
        self.pool.submit(_enter, limit, self.stack).result()

    def leave(self):
        self.pool.submit(_leave, self.limit, self.stack).result()
        self.pool.shutdown()


def assert_right_in_children(limit, library):
    """Whoever holds the limit when a thread forks, the child has the number of that thread."""

    def held_anew():
        assert library.num_threads == 2
        with limit():
            assert library.num_threads == 1
        assert library.num_threads == 2

    def ends(stack):
        for _ in range(2):
            assert library.num_threads == 1
            _leave(limit, stack)
        held_anew()

    assert in_child(held_anew) == 0
    stack = []
    other = Elsewhere(limit)
    assert in_child(held_anew) == 0
    for _ in range(2):
        _enter(limit, stack)
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
    """Its number is set under a lock, as by threadpoolctl 3.8; that can be made to last."""

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
    """A lock that says when somebody begins to wait for it."""

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
    """Statuses of children that are forked while a thread is about to set the number, as it
    enters and as it leaves: a fork is to wait for it."""
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
        for step in (_enter, _leave):
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
    """The lock of the library is taken while ours is free."""

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
