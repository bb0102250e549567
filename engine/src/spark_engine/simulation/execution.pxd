cimport cython

from spark_engine.simulation.guardrails cimport Guardrails
from spark_engine.simulation.holding cimport Holding
from spark_engine.simulation.order_book cimport OrderBook
from spark_engine.simulation.sizing cimport Sizing


@cython.final
cdef class Execution:
    cdef Holding holding
    cdef Sizing sizing
    cdef OrderBook book
    cdef Guardrails guardrails
    cdef bint allow_short
    cdef double min_notional
    cdef double last_target
    cdef double reject(self, long long id, int code) noexcept nogil
    cdef double admit(
        self, long long id, int side, double asked, double price, double rate, bint explicit
    ) noexcept nogil
    cdef double afford(self, long long id, double quantity, double price, double rate) noexcept nogil
    cdef void execute(self, long long order, double base, double price, int liquidity) noexcept nogil
    cdef double reduce(
        self, long long order, double quantity, double base, double price, int liquidity
    ) noexcept nogil
    cdef void enter(self, long long order, double asked, double base, double price, int liquidity) noexcept nogil
    cdef void leg_of(
        self, long long order, double quantity, double base, double price, int liquidity, bint all_cash
    ) noexcept nogil
    cdef void bracket(self, long long parent, double quantity, double price) noexcept nogil
    cdef void bear(
        self, int type, int side, double quantity, long long group, int reason, double level, double trail,
        double trail_rate, double price,
    ) noexcept nogil
    cdef void reach(self, long long id, double weight, double base) noexcept nogil
    cdef void close_held(self, long long id, int side, double base) noexcept nogil
    cdef void open_target(self, long long id, int side, double weight, double base) noexcept nogil
    cdef void resize(self, long long id, int sign, double weight, double base) noexcept nogil
    cdef double change(self, int side, int sign, double weight, double base) noexcept nogil
    cdef void shift(self, long long id, int side, double quantity, int sign, double base) noexcept nogil
