cimport cython

from spark_engine.simulation.bars cimport Bars
from spark_engine.simulation.holding cimport Holding


@cython.final
cdef class Carry:
    cdef Bars bars
    cdef Holding holding
    cdef bint present
    cdef double borrow_rate
    cdef Py_ssize_t row
    cdef Py_ssize_t rows
    cdef const long long[::1] ts
    cdef const double[::1] rate
    cdef double[::1] column
    cdef double funding
    cdef double borrow
    cdef void charge(self, Py_ssize_t i) noexcept nogil
