cimport cython

from spark_engine.simulation.order_book cimport OrderBook


@cython.final
cdef class Guardrails:
    cdef OrderBook book
    cdef double max_notional
    cdef double max_position
    cdef double max_leverage
    cdef long long max_open_orders
    cdef double max_drawdown
    cdef double max_daily_loss
    cdef bint judges
    cdef bint fail
    cdef bint flatten
    cdef bint halted
    cdef bint stopped
    cdef bint drawdown_closed
    cdef bint daily_closed
    cdef double peak
    cdef double day_start
    cdef long long today
    cdef bint turns_away(self, long long id, bint is_order) noexcept nogil
    cdef bint lets_pass(self, long long id, double after, double price, double money) noexcept nogil
    cdef void judge(self, double equity, double before, long long day, bint held, bint last) noexcept nogil
    cdef bint breach(self, int code, double loss, bint held, bint last) noexcept nogil
    cdef void halt(self) noexcept nogil
