cimport cython

from spark_engine.simulation.bars cimport Bars
from spark_engine.simulation.carry cimport Carry
from spark_engine.simulation.guardrails cimport Guardrails
from spark_engine.simulation.holding cimport Holding
from spark_engine.simulation.matching cimport Matching
from spark_engine.simulation.order_book cimport OrderBook
from spark_engine.simulation.rows cimport EventRows, FillRows, TradeRows


@cython.final
cdef class Exchange:
    cdef readonly long long bar
    cdef readonly double initial_cash
    cdef double now  # equity at the last close
    cdef Bars bars
    cdef EventRows events
    cdef OrderBook book
    cdef Guardrails guardrails
    cdef FillRows filled
    cdef TradeRows traded
    cdef Holding holding
    cdef Carry carry
    cdef Matching matching
    cdef bint close_at_end
    cdef bint allow_short
    cdef list asked
    cdef Py_ssize_t asked_rows
    cdef Py_ssize_t clamped
    cdef double[::1] equity_column
    cdef double[::1] cash_column
    cdef double[::1] position_column
    cdef long long place(
        self, int type, int side, double quantity, double limit, double stop, double trail, double trail_rate,
        int tif, long long expires, bint reduce_only, long long oco, double take_profit, double stop_loss,
        double stop_trail, double stop_trail_rate,
    ) noexcept nogil
    cdef long long aim(self, double weight) noexcept nogil
    cdef void withdraw(self, long long id) noexcept nogil
    cdef void step(self, Py_ssize_t i) noexcept nogil
