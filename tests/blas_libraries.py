"""Imitations of BLAS libraries, and a check of the numbers that two threads see under a limit."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

from processes import libraries_with_threads


class Library:
    """A library with one number of threads for the whole process, as threadpoolctl shows it."""

    private = False

    def __init__(self, filepath="library"):
        self.filepath = filepath
        self.num_threads = 2

    def set_num_threads(self, number):
        self.num_threads = number


class PrivateLibrary(Library):
    """A library in which each Python thread has its own number, at first 2."""

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
    """As of threadpoolctl 3.8: only the thread that set the number may change it, until cleared."""

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
    """All libraries of this process as one; some of them may be private."""

    private = None

    def __init__(self):
        self.libraries = libraries_with_threads()

    @property
    def num_threads(self):
        (number,) = {library.num_threads for library in self.libraries}
        return number

    def set_num_threads(self, number):
        assert number == self.num_threads


def orders(n_steps):
    """All orders in which threads 0 and 1 can take `n_steps` steps each."""
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
                step = enter if order[:i].count(thread) < 2 else leave
                pools[thread].submit(step, limit, stacks[thread]).result()
                found = [pool.submit(getattr, library, "num_threads").result() for pool in pools]
                assert found == expected(found, stacks, before, library.private), (order, i)


def enter(limit, stack):
    stack.append(limit())
    stack[-1].__enter__()


def leave(_, stack):
    stack.pop().__exit__(None, None, None)


def expected(found, stacks, before, private):
    """The number that each thread should see; any if it holds nothing and `private` is None."""
    if not any(stacks):
        return list(before)
    others = {True: before, False: (1, 1), None: found}[private]
    return [1 if stack else other for stack, other in zip(stacks, others, strict=True)]
