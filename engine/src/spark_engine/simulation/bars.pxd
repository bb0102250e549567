cimport cython


@cython.final
cdef class Bars:
    cdef Py_ssize_t count
    cdef long long timeframe
    cdef const long long[::1] ts
    cdef const double[::1] open
    cdef const double[::1] high
    cdef const double[::1] low
    cdef const double[::1] close
    cdef bint has_sessions
    cdef const long long[::1] close_ts
    cdef const long long[::1] session_day
    cdef long long close_time(self, Py_ssize_t i) noexcept nogil
    cdef long long day(self, Py_ssize_t i) noexcept nogil


@cython.final
cdef class FinerBars:
    cdef bint present
    cdef Py_ssize_t begin
    cdef Py_ssize_t end
    cdef Py_ssize_t count
    cdef long long timeframe
    cdef const long long[::1] ts
    cdef const double[::1] open
    cdef const double[::1] high
    cdef const double[::1] low
    cdef const double[::1] close
    cdef bint cover(self, Bars bars, Py_ssize_t i) noexcept nogil
