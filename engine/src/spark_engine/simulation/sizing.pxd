cimport cython


@cython.final
cdef class Sizing:
    cdef double taker
    cdef double maker
    cdef double buy
    cdef double sell
    cdef int sizing
    cdef bint explicit
    cdef double size
    cdef double leverage
    cdef double tick  # 0 for none, as the lot
    cdef double tick_units
    cdef double tick_scale
    cdef double lot
    cdef double lot_units
    cdef double lot_scale
    cdef double slipped(self, double base, int side) noexcept nogil
    cdef double in_lots(self, double quantity) noexcept nogil
    cdef double exposure(self, double weight) noexcept nogil
    cdef double sized(self, double weight, double money, double price) noexcept nogil
    cdef double affordable(self, double cash, double position, double price, double rate) noexcept nogil
