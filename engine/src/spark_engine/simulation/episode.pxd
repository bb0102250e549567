cimport cython

from spark_engine.simulation.rows cimport TradeRows


@cython.final
cdef class Episode:
    cdef int side
    cdef long long entry_bar
    cdef Py_ssize_t entries
    cdef Py_ssize_t exits
    cdef double entered
    cdef double entered_value
    cdef double entry_price
    cdef double entry_fee
    cdef double left
    cdef double left_value
    cdef double fees
    cdef double flow
    cdef double carry
    cdef double highest
    cdef double lowest
    cdef void begin(self, long long bar, int side, double price) noexcept nogil
    cdef void fill(self, int side, double quantity, double price, double fee) noexcept nogil
    cdef void see(self, double price) noexcept nogil
    cdef void see_bar(self, double high, double low) noexcept nogil
    cdef void pay(self, double amount) noexcept nogil
    cdef void end(self, TradeRows trades, long long bar, double price, double fee, int reason) noexcept nogil
