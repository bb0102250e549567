cimport cython


@cython.final
cdef class FillRows:
    cdef long long now
    cdef Py_ssize_t rows
    cdef Py_ssize_t room
    cdef bint exhausted
    cdef long long[::1] bar
    cdef long long[::1] order
    cdef signed char[::1] side
    cdef signed char[::1] liquidity
    cdef signed char[::1] reason
    cdef double[::1] quantity
    cdef double[::1] price
    cdef double[::1] fee
    cdef double[::1] slippage
    cdef bint grow(self) noexcept with gil
    cdef void add(
        self, long long order, int side, int liquidity, int reason, double quantity, double price, double fee,
        double slippage,
    ) noexcept nogil


@cython.final
cdef class EventRows:
    cdef long long now
    cdef Py_ssize_t rows
    cdef Py_ssize_t room
    cdef bint exhausted
    cdef long long[::1] bar
    cdef signed char[::1] code
    cdef long long[::1] order
    cdef double[::1] value
    cdef bint grow(self) noexcept with gil
    cdef void add(self, int code, long long order, double value) noexcept nogil


@cython.final
cdef class TradeRows:
    cdef Py_ssize_t rows
    cdef Py_ssize_t room
    cdef bint exhausted
    cdef signed char[::1] side
    cdef long long[::1] entry_bar
    cdef double[::1] entry_price
    cdef long long[::1] exit_bar
    cdef double[::1] exit_price
    cdef double[::1] quantity
    cdef double[::1] fees
    cdef double[::1] pnl
    cdef double[::1] mae
    cdef double[::1] mfe
    cdef signed char[::1] exit_reason
    cdef double[::1] carry
    cdef long long[::1] fills
    cdef bint grow(self) noexcept with gil
