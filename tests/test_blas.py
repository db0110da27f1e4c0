"""BLAS has one thread for those who hold the limit, and its previous number for all others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from threadpoolctl import ThreadpoolController

from blas_libraries import (
    Blas,
    ControlledLibrary,
    Library,
    PrivateLibrary,
    assert_limited,
    enter,
    leave,
)
from processes import give_blas_two_threads, run
from shrinklin import blas
from shrinklin.blas import BlasLimit, one_blas_thread

LIBRARIES = [Library, PrivateLibrary, ControlledLibrary]


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
    """A thread that finds 1 restores nothing."""

    def held(self):
        (library,) = self._find()
        return super().held() if library.num_threads != 1 else ExitStack()


class CountsThreads(Mutant):
    """The end of an inner limit ends the outer one too."""

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
    """In threadpoolctl 3.8 only the thread that has set the number can change it."""
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
    """As when a generator that holds the limit is closed there."""
    library, private = Library(), PrivateLibrary()
    limit = BlasLimit(lambda: [library, private])
    stack = []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(enter, limit.held, stack).result()
        leave(None, stack)
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
    """As at exit, when all other threads have ended."""

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
