cimport cython

from spark_engine.simulation.episode cimport Episode
from spark_engine.simulation.guardrails cimport Guardrails
from spark_engine.simulation.order_book cimport OrderBook
from spark_engine.simulation.rows cimport FillRows, TradeRows
from spark_engine.simulation.sizing cimport Sizing


@cython.final
cdef class Holding:
    cdef Sizing sizing
    cdef OrderBook book
    cdef Guardrails guardrails
    cdef FillRows fills
    cdef TradeRows trades
    cdef Episode trade
    cdef double cash
    cdef double position
    cdef bint isolated
    cdef double maintenance
    cdef double liquidation_rate
    cdef double fees
    cdef double slippage
    cdef double turnover
    cdef void leg(
        self, long long id, long long group, int side, int liquidity, int reason, double quantity, double price,
        double rate, double base, bint all_cash,
    ) noexcept nogil
    cdef void close_whole(self, int reason, double base, double rate) noexcept nogil
    cdef void pay(self, double amount) noexcept nogil
    cdef double liquidation_price(self) noexcept nogil
    cdef bint is_called(self, double low, double high) noexcept nogil
    cdef void liquidate(self, double base) noexcept nogil
    cdef double liquidated(self, double base) noexcept nogil
