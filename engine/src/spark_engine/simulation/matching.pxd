cimport cython

from spark_engine.simulation.bars cimport Bars, FinerBars
from spark_engine.simulation.execution cimport Execution
from spark_engine.simulation.guardrails cimport Guardrails
from spark_engine.simulation.holding cimport Holding
from spark_engine.simulation.order_book cimport OrderBook
from spark_engine.simulation.sizing cimport Sizing


@cython.final
cdef class Matching:
    cdef Bars bars
    cdef FinerBars finer
    cdef Execution execution
    cdef Holding holding
    cdef OrderBook book
    cdef Sizing sizing
    cdef Guardrails guardrails
    cdef bint next_close
    cdef bint worst
    cdef Py_ssize_t ambiguous_bars
    cdef Py_ssize_t unresolved_bars
    cdef bint is_idle(self, Py_ssize_t i) noexcept nogil
    cdef void match(self, Py_ssize_t i) noexcept nogil
    cdef bint is_low_first(self, Py_ssize_t i) noexcept nogil
    cdef bint is_ambiguous(self, Py_ssize_t i) noexcept nogil
    cdef void walk_bar(
        self, Py_ssize_t i, double open, double high, double low, double close, bint low_first
    ) noexcept nogil
    cdef void walk_finer(self, Py_ssize_t i, double price) noexcept nogil
    cdef void walk(self, Py_ssize_t i, double price, double end) noexcept nogil
    cdef double call_price(self, double price, double end) noexcept nogil
    cdef bint is_called_first(self, long long order, double price, double end) noexcept nogil
    cdef void settle(self, Py_ssize_t i, double price, bint arriving) noexcept nogil
    cdef bint let_in(self, Py_ssize_t i, double price) noexcept nogil
    cdef bint arrive(self, long long order, Py_ssize_t i, double price) noexcept nogil
    cdef void trigger(self, long long order, double price) noexcept nogil
    cdef void pass_point(self, double price) noexcept nogil
