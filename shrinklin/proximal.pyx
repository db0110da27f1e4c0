# cython: language_level=3, cdivision=True, freethreading_compatible=True
"""The proximal maps of all penalties, compiled.

The loops of `kernels` call them without Python. From Python, a `Prox` is called like a function.
Divisions by zero give infinity or NaN, as in C.
"""

from libc.math cimport acos, acosh, copysign, cos, cosh, fabs, fmax, pow, sqrt
from libc.stdlib cimport qsort

import numpy as np

# Up to this length, insertion is faster than qsort.
cdef Py_ssize_t _FEW = 16


cdef class Prox:
    """The prox of a penalty: called with (z, t, out), or with (z, t, s, out) if it `takes_l1`.

    It writes argmin_w ½‖w − z‖² + t φ(w) to out, for a block z (size,) and t >= 0. With an l1 part
    φ is a sum of two functions, whose factors are t and s.
    """

    def __call__(self, const double[::1] z, double t, *rest):
        cdef double s = 0.0
        if len(rest) != 1 + self.takes_l1:
            raise TypeError("give z, t" + ", s" * self.takes_l1 + " and out.")
        if self.takes_l1:
            s = rest[0]
        cdef double[::1] out = rest[1 if self.takes_l1 else 0]
        if out.shape[0] != z.shape[0]:
            raise ValueError(f"z has {z.shape[0]} entries, and out has {out.shape[0]}.")
        if z.shape[0]:
            self.write(<void *> self, &z[0], z.shape[0], t, s, &out[0])


cdef Prox _made(proximal_map write, bint takes_l1=False):
    cdef Prox prox = Prox.__new__(Prox)
    prox.write, prox.takes_l1 = write, takes_l1
    return prox


cdef inline double _norm(const double *z, Py_ssize_t n) noexcept nogil:
    cdef double squared = 0.0
    cdef Py_ssize_t i
    for i in range(n):
        squared += z[i] * z[i]
    return sqrt(squared)


cdef inline void _shorten(const double *z, Py_ssize_t n, double t, double *out) noexcept nogil:
    """Scale by (1 − t/‖z‖)₊. z may be out."""
    cdef double norm = _norm(z, n)
    cdef double scale = 0.0 if norm <= t else 1.0 - t / norm
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = scale * z[i]


cdef void _group_lasso(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil:
    _shorten(z, n, t, out)


cdef void _sparse_group_lasso(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil:
    """The prox of t‖·‖₂ + s‖·‖₁: soft-threshold entries, then scale."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = copysign(fmax(fabs(z[i]) - s, 0.0), z[i])
    _shorten(out, n, t, out)


cdef void _nonnegative(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil:
    """The same for entries that have to be >= 0."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = fmax(z[i] - s, 0.0)
    _shorten(out, n, t, out)


cdef void _bridge2(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil:
    """The prox of t‖·‖₂^{2/3}.

    It is zero if and only if ‖z‖ ≤ 2(2t/3)^{3/4}. Otherwise ‖out‖ = ‖z‖ v³, where v is the
    largest root of v⁴ − v + c with c = 2t / (3‖z‖^{4/3}) ≤ 2^{-4/3}. The root follows from the
    resolvent cubic s³ − 4cs − 1, which has one real root for these c: Cao, Sun, Xu (2013), Fast
    image deconvolution using closed-form thresholding formulas of L_q (q = 1/2, 2/3)
    regularization.
    """
    cdef double norm = _norm(z, n), c, h, root, v
    cdef Py_ssize_t i
    if norm <= 2.0 * pow(2.0 * t / 3.0, 0.75):
        v = 0.0
    elif t == 0.0:
        v = 1.0
    else:
        c = 2.0 * t / (3.0 * pow(norm, 4.0 / 3.0))
        if c < 1e-8:
            v = 1.0 - c / 3.0
        else:
            h = 0.5 * pow(0.75 / c, 1.5)
            s = 2.0 * sqrt(4.0 * c / 3.0) * cosh(acosh(h) / 3.0)
            root = sqrt(s)
            v = 0.5 * (root + sqrt(2.0 / root - s))
        # A Newton step removes the rounding error of cosh(acosh) and the missing c² above.
        v -= (v * v * v * v - v + c) / (4.0 * v * v * v - 1.0)
    v = v * v * v
    for i in range(n):
        out[i] = v * z[i]


cdef void _bridge1(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil:
    """The prox of t‖·‖₁^{1/2}.

    It is out = (|z| − μ)₊ sign z with μ = t/(2u) and u² = ‖out‖₁. If it keeps the k largest |z|,
    with sum Z_k, then u is the largest root of u³ − Z_k u + kt/2. The result is the candidate with
    the smallest value, among all consistent k and out = 0.
    """
    cdef double Z = 0.0, Q = 0.0, best = 0.0, shift = -1.0
    cdef double cosine, u, mu, following, value
    cdef double *magnitude = out
    cdef Py_ssize_t i, k
    if t == 0.0:
        for i in range(n):
            out[i] = z[i]
        return
    for i in range(n):
        magnitude[i] = fabs(z[i])
    _sort(magnitude, n)
    for k in range(1, n + 1):
        Z += magnitude[k - 1]
        Q += magnitude[k - 1] * magnitude[k - 1]
        # Then there is no root for this k. Tested without a division, as Z may be 0.
        if 0.75 * sqrt(3.0) * k * t > Z * sqrt(Z):
            continue
        cosine = 0.75 * sqrt(3.0) * k * t / (Z * sqrt(Z))
        u = 2.0 * sqrt(Z / 3.0) * cos(acos(-cosine) / 3.0)
        mu = 0.5 * t / u
        following = magnitude[k] if k < n else 0.0
        if magnitude[k - 1] <= mu or following > mu:
            continue
        value = 0.5 * (k * mu * mu - Q) + t * u
        if value < best:
            best = value
            shift = mu
    for i in range(n):
        out[i] = 0.0 if shift < 0.0 else copysign(fmax(fabs(z[i]) - shift, 0.0), z[i])


cdef void _sort(double *values, Py_ssize_t n) noexcept nogil:
    """Sort from large to small."""
    cdef double value
    cdef Py_ssize_t i, place
    if n > _FEW:
        qsort(values, n, sizeof(double), &_falling)
        return
    for i in range(1, n):
        value, place = values[i], i
        while place > 0 and values[place - 1] < value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


cdef int _falling(const void *a, const void *b) noexcept nogil:
    cdef double first = (<const double *> a)[0], second = (<const double *> b)[0]
    return (first < second) - (first > second)


cdef class PythonProx(Prox):
    """A prox that is a function of Python, for penalties that are tried out: slow."""

    cdef object function

    def __cinit__(self, function, bint takes_l1=False):
        self.function, self.takes_l1, self.write = function, takes_l1, _of_python


cdef void _of_python(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept with gil:
    function = (<PythonProx> prox).function
    at, there = np.array(<const double[:n]> z), np.asarray(<double[:n]> out)
    if (<PythonProx> prox).takes_l1:
        function(at, t, s, there)
    else:
        function(at, t, there)


GROUP_LASSO = _made(_group_lasso)
SPARSE_GROUP_LASSO = _made(_sparse_group_lasso, True)
NONNEGATIVE = _made(_nonnegative, True)
BRIDGE1 = _made(_bridge1)
BRIDGE2 = _made(_bridge2)
