# Writes the prox of a penalty at z, of n numbers, to out. s is 0 unless the penalty takes an l1 part.
# The first argument is the `Prox` that it is of.
ctypedef void (*proximal_map)(
    void *prox, const double *z, Py_ssize_t n, double t, double s, double *out
) noexcept nogil


cdef class Prox:
    cdef proximal_map write
    cdef readonly bint takes_l1
