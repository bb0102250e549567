cimport cython


@cython.final
cdef class SlotList:
    cdef long long first
    cdef long long last
    cdef long long[::1] before
    cdef long long[::1] after
    cdef grow(self)
    cdef void append(self, long long slot) noexcept nogil
    cdef void remove(self, long long slot) noexcept nogil


@cython.final
cdef class SlotHeap:
    cdef Py_ssize_t size
    cdef double lowest
    cdef double[::1] key
    cdef long long[::1] rank
    cdef long long[::1] slot
    cdef long long[::1] place
    cdef grow(self)
    cdef void push(self, long long slot, double key, long long rank) noexcept nogil
    cdef void remove(self, long long slot) noexcept nogil
    cdef bint is_less(self, double key, long long rank, Py_ssize_t at) noexcept nogil
    cdef void set(self, Py_ssize_t at, long long slot, double key, long long rank) noexcept nogil
    cdef void rise(self, Py_ssize_t at, long long slot, double key, long long rank) noexcept nogil
    cdef void sink(self, Py_ssize_t at, long long slot, double key, long long rank) noexcept nogil
