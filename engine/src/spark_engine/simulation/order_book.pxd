cimport cython

from spark_engine.simulation.bars cimport Bars
from spark_engine.simulation.rows cimport EventRows
from spark_engine.simulation.slots cimport SlotHeap, SlotList


@cython.final
cdef class OrderBook:
    cdef EventRows events
    cdef bint through
    cdef Py_ssize_t room
    cdef long long used
    cdef long long free  # the first slot of those released, linked by `expires`
    cdef bint exhausted
    cdef long long next_id
    cdef long long open_count  # orders, submitted ones too, targets not
    cdef bint has_deadlines
    cdef long long earliest_expiry  # nothing expires before these
    cdef long long earliest_day
    cdef long long found
    cdef double meeting  # where a segment meets the next order
    cdef SlotList all
    cdef SlotList submitted
    cdef SlotList fresh
    cdef SlotList trailing  # resting trailing stops; the other resting orders are in the heaps
    cdef SlotList reducing
    cdef SlotList grouped
    cdef SlotHeap rising  # by level: what a rising price sets off
    cdef SlotHeap falling  # by -level
    cdef long long[::1] id
    cdef signed char[::1] type
    cdef signed char[::1] side
    cdef signed char[::1] waits
    cdef signed char[::1] state
    cdef signed char[::1] reason
    cdef signed char[::1] tif
    cdef signed char[::1] reduce_only
    cdef long long[::1] expires
    cdef long long[::1] day
    cdef long long[::1] oco
    cdef double[::1] quantity
    cdef double[::1] limit
    cdef double[::1] level
    cdef double[::1] trail
    cdef double[::1] trail_rate
    cdef double[::1] best
    cdef double[::1] take_profit
    cdef double[::1] stop_loss
    cdef double[::1] stop_trail
    cdef double[::1] stop_trail_rate
    cdef bint grow(self) noexcept with gil
    cdef lengthen(self)
    cdef long long accept(self, int type, int side, double quantity) noexcept nogil
    cdef void append(self, long long order) noexcept nogil
    cdef void remove(self, long long order) noexcept nogil
    cdef void release(self, long long order) noexcept nogil
    cdef void drop(self, long long order, int code) noexcept nogil
    cdef bint is_rising(self, long long order) noexcept nogil
    cdef void take_place(self, long long order) noexcept nogil
    cdef void leave_place(self, long long order) noexcept nogil
    cdef void settle_down(self) noexcept nogil
    cdef void become_limit(self, long long order) noexcept nogil
    cdef void ratchet(self, long long order, double price) noexcept nogil
    cdef void pass_point(self, double price) noexcept nogil
    cdef bint is_met(self, long long order, double price) noexcept nogil
    cdef bint is_quiet(self, double price) noexcept nogil
    cdef long long first_met(self, double price) noexcept nogil
    cdef long long next_met(self, double price, double end) noexcept nogil
    cdef long long next_of(self, bint every, double price, double end) noexcept nogil
    cdef bint has_limit_within(self, double low, double high, int side) noexcept nogil
    cdef bint is_before(self, long long order, long long other) noexcept nogil
    cdef bint has_exits_within(self, double low, double high, int side, bint stop) noexcept nogil
    cdef void drop_siblings(self, long long group) noexcept nogil
    cdef void drop_reduce_only(self) noexcept nogil
    cdef void drop_orders(self, int code) noexcept nogil
    cdef void activate(self, long long order, long long day) noexcept nogil
    cdef bint is_due(self, Bars bars, Py_ssize_t i) noexcept nogil
    cdef void expire(self, Bars bars, Py_ssize_t i) noexcept nogil
    cdef long long find(self, long long id) noexcept nogil
