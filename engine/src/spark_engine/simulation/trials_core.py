# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, attr-defined"
"""Many parameter sets over the same candles, 64 lanes at a time (compiled; the rules of `kernel` hold too).

Every lane does the operations of `kernel.run` in their order, so that a row has the bits of a single run:
vectors run across sets, never along bars. This source is built for several processors (see `processor`).
The number of lanes is written as 64 everywhere: C arrays and vector loops need it as a constant.

Of the peak only the bars are looked at where equity reaches `threshold`: the peak, or infinity while a flat
lane sits on its peak, where nothing can happen before its next fill. A lane whose equity is no longer a
positive finite number is retired: `retired_bar` tells, and the caller simulates that set alone.
"""

from __future__ import annotations

import cython

ALL = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
DE_BRUIJN = cython.declare(cython.ulonglong, 0x03F79D71B4CB0A89)
INFINITY = cython.declare(cython.double, float("inf"))
CSCV_BLOCKS = cython.declare(cython.Py_ssize_t, 16)


@cython.final
@cython.cclass
class Lanes:
    """The state of all sets, one column a field, as long as the sets padded to whole groups of 64."""

    opens: cython.const[cython.double][::1]
    closes: cython.const[cython.double][::1]
    bars: cython.Py_ssize_t
    at_close: cython.bint
    close_at_end: cython.bint
    taker: cython.double
    buy: cython.double
    sell: cython.double
    skipped: cython.Py_ssize_t
    block_bars: cython.Py_ssize_t
    cash: cython.double[::1]
    position: cython.double[::1]
    equity: cython.double[::1]
    s1: cython.double[::1]
    s2: cython.double[::1]
    s3: cython.double[::1]
    s4: cython.double[::1]
    d2: cython.double[::1]
    low: cython.double[::1]
    threshold: cython.double[::1]
    peak: cython.double[::1]
    drawdown: cython.double[::1]
    min_equity: cython.double[::1]
    fees: cython.double[::1]
    slippage: cython.double[::1]
    turnover: cython.double[::1]
    liquidated: cython.double[::1]
    entry_price: cython.double[::1]
    entry_fee: cython.double[::1]
    gained: cython.double[::1]
    lost: cython.double[::1]
    pnl: cython.double[::1]
    marked_s1: cython.double[::1]
    marked_s2: cython.double[::1]
    block_s1: cython.double[::1]
    block_s2: cython.double[::1]
    fills: cython.longlong[::1]
    trades: cython.longlong[::1]
    wins: cython.longlong[::1]
    losses: cython.longlong[::1]
    bars_held: cython.longlong[::1]
    bars_in_position: cython.longlong[::1]
    entry_bar: cython.longlong[::1]
    peak_bar: cython.longlong[::1]
    longest: cython.longlong[::1]
    longest_from: cython.longlong[::1]
    retired_bar: cython.longlong[::1]
    lane_of: cython.schar[::1]

    def __init__(
        self,
        opens: cython.const[cython.double][::1],
        closes: cython.const[cython.double][::1],
        at_close: cython.bint,
        close_at_end: cython.bint,
        taker: cython.double,
        slippage: cython.double,
        columns: dict[str, memoryview],
    ) -> None:
        """The window's prices, the account, and zeroed columns by the names above but for the marks set here.

        block_s1, block_s2: 16 a set, or empty for none.
        """
        i: cython.Py_ssize_t
        self.opens = opens
        self.closes = closes
        self.bars = len(closes)
        self.at_close = at_close
        self.close_at_end = close_at_end
        self.taker = taker
        self.buy = 1.0 + slippage
        self.sell = 1.0 - slippage
        self.cash = columns["cash"]
        self.position = columns["position"]
        self.equity = columns["equity"]
        self.s1 = columns["s1"]
        self.s2 = columns["s2"]
        self.s3 = columns["s3"]
        self.s4 = columns["s4"]
        self.d2 = columns["d2"]
        self.low = columns["low"]
        self.threshold = columns["threshold"]
        self.peak = columns["peak"]
        self.drawdown = columns["drawdown"]
        self.min_equity = columns["min_equity"]
        self.fees = columns["fees"]
        self.slippage = columns["slippage"]
        self.turnover = columns["turnover"]
        self.liquidated = columns["liquidated"]
        self.entry_price = columns["entry_price"]
        self.entry_fee = columns["entry_fee"]
        self.gained = columns["gained"]
        self.lost = columns["lost"]
        self.pnl = columns["pnl"]
        self.marked_s1 = columns["marked_s1"]
        self.marked_s2 = columns["marked_s2"]
        self.block_s1 = columns["block_s1"]
        self.block_s2 = columns["block_s2"]
        self.fills = columns["fills"]
        self.trades = columns["trades"]
        self.wins = columns["wins"]
        self.losses = columns["losses"]
        self.bars_held = columns["bars_held"]
        self.bars_in_position = columns["bars_in_position"]
        self.entry_bar = columns["entry_bar"]
        self.peak_bar = columns["peak_bar"]
        self.longest = columns["longest"]
        self.longest_from = columns["longest_from"]
        self.retired_bar = columns["retired_bar"]
        self.lane_of = memoryview(bytearray(64)).cast("b")
        for i in range(64):
            self.lane_of[((DE_BRUIJN << i) & ALL) >> 58] = i
        self.block_bars = (self.bars - 1) // CSCV_BLOCKS if len(self.block_s1) else 0
        self.skipped = (self.bars - 1) - self.block_bars * CSCV_BLOCKS

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def close_leg(
        self,
        row: cython.Py_ssize_t,
        bar: cython.Py_ssize_t,
        base: cython.double,
        cash: cython.double,
        position: cython.double,
    ) -> cython.double:
        """`Book.close`, and the trade that ends; returns the cash after it."""
        quantity: cython.double = abs(position)
        price: cython.double = base * (self.sell if position > 0.0 else self.buy)
        fee: cython.double = (self.taker * quantity) * price
        pnl: cython.double = (position * (price - self.entry_price[row]) - self.entry_fee[row]) - fee
        self.fees[row] += fee
        self.slippage[row] += quantity * abs(price - base)
        self.turnover[row] += quantity * price
        self.fills[row] += 1
        self.trades[row] += 1
        self.wins[row] += pnl > 0.0
        self.losses[row] += pnl < 0.0
        self.gained[row] += pnl if pnl > 0.0 else 0.0
        self.lost[row] += pnl if pnl < 0.0 else 0.0
        self.pnl[row] += pnl
        self.bars_held[row] += bar - self.entry_bar[row]
        return (cash + position * price) - fee

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def advance(
        self,
        first: cython.Py_ssize_t,
        begin: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        up: cython.const[cython.ulonglong][::1],
        down: cython.const[cython.ulonglong][::1],
        shift: cython.Py_ssize_t,
    ) -> cython.void:
        """Carries the sets [first, first + 64) through the bars [begin, end).

        up, down: at bar - shift the lanes with a target that fills there: up alone +1, down alone -1, both 0.
        """
        cash = cython.declare(cython.double[64])
        position = cython.declare(cython.double[64])
        equity = cython.declare(cython.double[64])
        s1 = cython.declare(cython.double[64])
        s2 = cython.declare(cython.double[64])
        s3 = cython.declare(cython.double[64])
        s4 = cython.declare(cython.double[64])
        d2 = cython.declare(cython.double[64])
        low = cython.declare(cython.double[64])
        threshold = cython.declare(cython.double[64])
        weight = cython.declare(cython.ulonglong[64])
        lane: cython.Py_ssize_t
        row: cython.Py_ssize_t
        i: cython.Py_ssize_t
        long: cython.ulonglong = 0
        short: cython.ulonglong = 0
        live: cython.ulonglong = ALL
        ups: cython.ulonglong
        downs: cython.ulonglong
        some: cython.ulonglong
        bit: cython.ulonglong
        base: cython.double
        close: cython.double
        price: cython.double
        cost: cython.double
        quantity: cython.double
        fee: cython.double
        now: cython.double
        change: cython.double
        square: cython.double
        top: cython.double
        border: cython.Py_ssize_t = self.skipped
        block: cython.Py_ssize_t = 0
        for lane in range(64):
            row = first + lane
            cash[lane] = self.cash[row]
            position[lane] = self.position[row]
            equity[lane] = self.equity[row]
            s1[lane] = self.s1[row]
            s2[lane] = self.s2[row]
            s3[lane] = self.s3[row]
            s4[lane] = self.s4[row]
            d2[lane] = self.d2[row]
            low[lane] = self.low[row]
            threshold[lane] = self.threshold[row]
            bit = 1
            weight[lane] = bit << lane
            if position[lane] > 0.0:
                long |= weight[lane]
            elif position[lane] < 0.0:
                short |= weight[lane]
            if self.retired_bar[row] >= 0:
                live ^= weight[lane]
        if self.block_bars == 0:
            border = self.bars
        while border < begin:
            border += self.block_bars
            block += 1
        for i in range(begin, end):
            close = self.closes[i]
            ups = up[i - shift] & live
            downs = down[i - shift] & live
            if ups | downs:
                base = close if self.at_close else self.opens[i]
                some = (long & downs) | (short & ups)
                long &= ~some
                short &= ~some
                while some:
                    bit = some & -some
                    some ^= bit
                    lane = self.lane_of[((bit * DE_BRUIJN) & ALL) >> 58]
                    cash[lane] = self.close_leg(first + lane, i, base, cash[lane], position[lane])
                    position[lane] = 0.0
                some = (ups & ~downs & ~long) | (downs & ~ups & ~short)
                while some:
                    bit = some & -some
                    some ^= bit
                    lane = self.lane_of[((bit * DE_BRUIJN) & ALL) >> 58]
                    price = base * (self.buy if ups & bit else self.sell)
                    cost = price * (1.0 + self.taker)
                    if cash[lane] <= 0.0 or cost <= 0.0:
                        continue
                    quantity = cash[lane] / cost
                    fee = (self.taker * quantity) * price
                    if quantity == 0.0:
                        continue
                    row = first + lane
                    if ups & bit:
                        cash[lane] = 0.0
                        position[lane] = quantity
                        long |= bit
                    else:
                        cash[lane] = (cash[lane] + quantity * price) - fee
                        position[lane] = -quantity
                        short |= bit
                    self.fees[row] += fee
                    self.slippage[row] += quantity * abs(price - base)
                    self.turnover[row] += quantity * price
                    self.fills[row] += 1
                    self.entry_price[row] = price
                    self.entry_fee[row] = fee
                    self.entry_bar[row] = i
                    if threshold[lane] == INFINITY:
                        threshold[lane] = self.peak[row]
                        self.peak_bar[row] = i - 1
            if self.close_at_end and i == self.bars - 1:
                some = long | short
                while some:
                    bit = some & -some
                    some ^= bit
                    lane = self.lane_of[((bit * DE_BRUIJN) & ALL) >> 58]
                    cash[lane] = self.close_leg(first + lane, i, close, cash[lane], position[lane])
                    position[lane] = 0.0
            some = 0
            for lane in range(64):
                now = cash[lane] + position[lane] * close
                change = now / equity[lane] - 1.0  # 0.0 where nothing moved: adding it is exact
                square = change * change
                s1[lane] += change
                s2[lane] += square
                s3[lane] += square * change
                s4[lane] += square * square
                d2[lane] += square if change < 0.0 else 0.0
                low[lane] = now if now < low[lane] else low[lane]
                equity[lane] = now
                some |= weight[lane] if (now >= threshold[lane]) | (now <= 0.0) else 0
            while some:
                bit = some & -some
                some ^= bit
                lane = self.lane_of[((bit * DE_BRUIJN) & ALL) >> 58]
                row = first + lane
                now = equity[lane]
                if now <= 0.0 or now == INFINITY:
                    live &= ~bit
                    long &= ~bit
                    short &= ~bit
                    self.retired_bar[row] = i
                    cash[lane] = 1.0
                    position[lane] = 0.0
                    equity[lane] = 1.0
                    threshold[lane] = INFINITY
                    continue
                top = self.peak[row]
                if now > top:
                    if low[lane] < top:
                        if 1.0 - low[lane] / top > self.drawdown[row]:
                            self.drawdown[row] = 1.0 - low[lane] / top
                        if low[lane] < self.min_equity[row]:
                            self.min_equity[row] = low[lane]
                    self.peak[row] = now
                    low[lane] = now
                if i - 1 - self.peak_bar[row] > self.longest[row]:
                    self.longest[row] = i - 1 - self.peak_bar[row]
                    self.longest_from[row] = self.peak_bar[row]
                self.peak_bar[row] = i
                threshold[lane] = INFINITY if position[lane] == 0.0 else now
            if i == border:
                for lane in range(64):
                    row = first + lane
                    if block > 0:
                        self.block_s1[row * CSCV_BLOCKS + block - 1] = s1[lane] - self.marked_s1[row]
                        self.block_s2[row * CSCV_BLOCKS + block - 1] = s2[lane] - self.marked_s2[row]
                    self.marked_s1[row] = s1[lane]
                    self.marked_s2[row] = s2[lane]
                border += self.block_bars
                block += 1
        for lane in range(64):
            row = first + lane
            self.cash[row] = cash[lane]
            self.position[row] = position[lane]
            self.equity[row] = equity[lane]
            self.s1[row] = s1[lane]
            self.s2[row] = s2[lane]
            self.s3[row] = s3[lane]
            self.s4[row] = s4[lane]
            self.d2[row] = d2[lane]
            self.low[row] = low[lane]
            self.threshold[row] = threshold[lane]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def finish(self, first: cython.Py_ssize_t, last: cython.Py_ssize_t) -> cython.void:
        """What is known after the last bar only, for the sets [first, last)."""
        row: cython.Py_ssize_t
        under: cython.longlong
        position: cython.double
        price: cython.double
        for row in range(first, last):
            if 1.0 - self.low[row] / self.peak[row] > self.drawdown[row]:
                self.drawdown[row] = 1.0 - self.low[row] / self.peak[row]
            if self.low[row] < self.min_equity[row]:
                self.min_equity[row] = self.low[row]
            under = self.bars - 1 - self.peak_bar[row]
            if self.threshold[row] < INFINITY and under > self.longest[row]:
                self.longest[row] = under
                self.longest_from[row] = self.peak_bar[row]
            position = self.position[row]
            price = self.closes[self.bars - 1] * (self.sell if position > 0.0 else self.buy)
            self.liquidated[row] = (self.cash[row] + position * price) - (self.taker * abs(position)) * price
            self.bars_in_position[row] = self.bars_held[row]
            if position != 0.0:
                self.bars_in_position[row] += self.bars - self.entry_bar[row]


@cython.final
@cython.cclass
class Crossings:
    """The averages of a block of bars that many pairs share, and where the pairs cross in it."""

    ticks: cython.const[cython.longlong][::1]
    warmup: cython.Py_ssize_t
    flat: cython.bint
    first: cython.Py_ssize_t
    windows: cython.const[cython.longlong][::1]
    fast: cython.const[cython.longlong][::1]
    slow: cython.const[cython.longlong][::1]
    block: cython.Py_ssize_t
    stride: cython.Py_ssize_t
    prefix: cython.double[::1]
    table: cython.double[::1]
    up: cython.ulonglong[::1]
    down: cython.ulonglong[::1]

    def __init__(
        self,
        ticks: cython.const[cython.longlong][::1],
        warmup: cython.Py_ssize_t,
        flat: cython.bint,
        first: cython.Py_ssize_t,
        windows: cython.const[cython.longlong][::1],
        fast: cython.const[cython.longlong][::1],
        slow: cython.const[cython.longlong][::1],
        block: cython.Py_ssize_t,
        prefix: cython.double[::1],
        table: cython.double[::1],
        up: cython.ulonglong[::1],
        down: cython.ulonglong[::1],
    ) -> None:
        """ticks: warm-up and window. flat: a down signal's target is 0, else -1. windows: of averages.

        fast, slow: places in `windows`, one a set from the set `first`. block: bars, a multiple of 64, the
        length of up and down. prefix: the largest window + block + 1. table: windows * (block + 8).
        """
        self.ticks = ticks
        self.warmup = warmup
        self.flat = flat
        self.first = first
        self.windows = windows
        self.fast = fast
        self.slow = slow
        self.block = block
        self.stride = block + 8
        self.prefix = prefix
        self.table = table
        self.up = up
        self.down = down

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def average(self, begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.void:
        """The averages at the bars [begin - 2, end - 1): what decides the fills of [begin, end).

        Prefix sums are whole numbers below 2^53 (the caller's check), so that float64 holds them exactly.
        """
        longest: cython.Py_ssize_t = self.windows[len(self.windows) - 1]
        before: cython.Py_ssize_t = self.warmup + begin - 2 - longest
        place: cython.Py_ssize_t
        k: cython.Py_ssize_t
        total: cython.double = 0.0
        self.prefix[0] = 0.0
        for k in range(1, longest + end - begin + 1):
            if before + k >= 0:
                total += self.ticks[before + k]
            self.prefix[k] = total
        for place in range(len(self.windows)):
            divide(
                self.prefix,
                longest,
                self.windows[place],
                self.table,
                place * self.stride,
                end - begin + 1,
            )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def cross(
        self,
        first: cython.Py_ssize_t,
        lanes: cython.Py_ssize_t,
        begin: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
    ) -> cython.void:
        """Writes up and down of the sets [first, first + lanes) at the bars [begin, end)."""
        ups = cython.declare(cython.ulonglong[64])
        downs = cython.declare(cython.ulonglong[64])
        weight = cython.declare(cython.ulonglong[64])
        lane: cython.Py_ssize_t
        k: cython.Py_ssize_t
        at: cython.Py_ssize_t
        fast: cython.Py_ssize_t
        slow: cython.Py_ssize_t
        from_row: cython.Py_ssize_t
        above: cython.ulonglong
        below: cython.ulonglong
        known: cython.ulonglong
        one: cython.ulonglong = 1
        for k in range(64):
            weight[k] = one << k
            ups[k] = 0
            downs[k] = 0
        for at in range(0, end - begin, 64):
            for lane in range(lanes):
                fast = self.fast[first + lane - self.first] * self.stride + at
                slow = self.slow[first + lane - self.first] * self.stride + at
                above = 0
                below = 0
                for k in range(64):
                    above |= weight[k] if self.table[fast + 1 + k] > self.table[slow + 1 + k] else 0
                    below |= weight[k] if self.table[fast + 1 + k] < self.table[slow + 1 + k] else 0
                from_row = self.windows[self.slow[first + lane - self.first]]
                from_row = from_row if from_row > self.warmup else self.warmup
                known = ones_from(from_row - (self.warmup + begin - 2) - at - 1)
                ups[lane] = above & ~(((above << 1) & ALL) | (self.table[fast] > self.table[slow])) & known
                downs[lane] = below & ~(((below << 1) & ALL) | (self.table[fast] < self.table[slow])) & known
            transpose(ups)
            transpose(downs)
            for k in range(64):
                self.up[at + k] = (ups[k] | downs[k]) if self.flat else ups[k]
                self.down[at + k] = downs[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def divide(
    prefix: cython.double[::1],
    end: cython.Py_ssize_t,
    window: cython.Py_ssize_t,
    table: cython.double[::1],
    at: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.void:
    length: cython.double = window
    k: cython.Py_ssize_t
    for k in range(count):
        table[at + k] = (prefix[end + k] - prefix[end + k - window]) / length


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def ones_from(place: cython.Py_ssize_t) -> cython.ulonglong:
    """A word with the bits from `place` up; a shift by 64 or more is 0 in Python and undefined in C."""
    if place <= 0:
        return ALL
    if place >= 64:
        return 0
    return (ALL << place) & ALL


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def exchange(rows: cython.p_ulonglong, width: cython.int, mask: cython.ulonglong) -> cython.void:
    top: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t
    moved: cython.ulonglong
    while top < 64:
        for k in range(top, top + width):
            moved = ((rows[k] >> width) ^ rows[k + width]) & mask
            rows[k] ^= moved << width
            rows[k + width] ^= moved
        top += 2 * width


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def transpose(rows: cython.p_ulonglong) -> cython.void:
    """Bit k of row j becomes bit j of row k (Warren, Hacker's Delight, 2nd edition, 7-3)."""
    exchange(rows, 32, 0x00000000FFFFFFFF)
    exchange(rows, 16, 0x0000FFFF0000FFFF)
    exchange(rows, 8, 0x00FF00FF00FF00FF)
    exchange(rows, 4, 0x0F0F0F0F0F0F0F0F)
    exchange(rows, 2, 0x3333333333333333)
    exchange(rows, 1, 0x5555555555555555)


def carry_crossings(
    lanes: Lanes,
    crossings: Crossings,
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    stop: cython.const[cython.schar][::1],
    done: cython.longlong[::1],
    place: cython.Py_ssize_t,
) -> None:
    """Carries the sets [first, last) through all bars, until stop[0]; done[place] counts their bars.

    first is a multiple of 64; columns reach to the next multiple of last.
    """
    begin: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    group: cython.Py_ssize_t
    with cython.nogil:
        while begin < lanes.bars and stop[0] == 0:
            end = begin + crossings.block if begin + crossings.block < lanes.bars else lanes.bars
            crossings.average(begin, end)
            for group in range(first, last, 64):
                crossings.cross(group, last - group if last - group < 64 else 64, begin, end)
                lanes.advance(group, begin, end, crossings.up, crossings.down, begin)
            done[place] += (last - first) * (end - begin)
            begin = end
        lanes.finish(first, last)


def carry_targets(
    lanes: Lanes,
    up: cython.const[cython.ulonglong][::1],
    down: cython.const[cython.ulonglong][::1],
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    block: cython.Py_ssize_t,
    stop: cython.const[cython.schar][::1],
    done: cython.longlong[::1],
    place: cython.Py_ssize_t,
) -> None:
    """As `carry_crossings` for at most 64 sets whose targets `put` has written."""
    begin: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    with cython.nogil:
        while begin < lanes.bars and stop[0] == 0:
            end = begin + block if begin + block < lanes.bars else lanes.bars
            lanes.advance(first, begin, end, up, down, 0)
            done[place] += (last - first) * (end - begin)
            begin = end
        lanes.finish(first, last)


def put(
    lane: cython.int,
    bar: cython.const[cython.longlong][::1],
    target: cython.const[cython.double][::1],
    shorts: cython.bint,
    up: cython.ulonglong[::1],
    down: cython.ulonglong[::1],
) -> None:
    """Writes the decisions of one set into its lane, each at the bar where it fills. up, down: bars + 1.

    Without `shorts` a negative target counts as 0.
    """
    one: cython.ulonglong = 1
    bit: cython.ulonglong = one << lane
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(len(bar)):
            if target[k] >= 0.0 or not shorts:
                up[bar[k] + 1] |= bit
            if target[k] <= 0.0:
                down[bar[k] + 1] |= bit


def clear(up: cython.ulonglong[::1], down: cython.ulonglong[::1]) -> None:
    """Zeroes both columns, which are of one length."""
    k: cython.Py_ssize_t
    with cython.nogil:
        for k in range(len(up)):
            up[k] = 0
            down[k] = 0


def underwater(equity: cython.const[cython.double][::1], initial_cash: cython.double) -> tuple[int, int]:
    """The peak's bar and the last bar of the longest run of bars below a peak, as `kernel.run` finds them."""
    bars: cython.Py_ssize_t = len(equity)
    i: cython.Py_ssize_t
    peak: cython.double = initial_cash
    peak_bar: cython.Py_ssize_t = 0
    longest: cython.Py_ssize_t = 0
    longest_from: cython.Py_ssize_t = 0
    with cython.nogil:
        for i in range(bars):
            if equity[i] >= peak:
                peak = equity[i]
                peak_bar = i
            elif i - peak_bar > longest:
                longest = i - peak_bar
                longest_from = peak_bar
    return longest_from, longest_from + longest


def block_sums(
    equity: cython.const[cython.double][::1],
    at: cython.Py_ssize_t,
    block_s1: cython.double[::1],
    block_s2: cython.double[::1],
) -> None:
    """Writes rows at .. at + 15: the growth of the sums of returns and of squares over each CSCV block."""
    bars: cython.Py_ssize_t = len(equity)
    length: cython.Py_ssize_t = (bars - 1) // CSCV_BLOCKS
    border: cython.Py_ssize_t = (bars - 1) - length * CSCV_BLOCKS
    block: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    change: cython.double
    s1: cython.double = 0.0
    s2: cython.double = 0.0
    marked_s1: cython.double = 0.0
    marked_s2: cython.double = 0.0
    with cython.nogil:
        for i in range(bars):
            if i > 0 and equity[i - 1] > 0.0 and equity[i] != equity[i - 1]:
                change = equity[i] / equity[i - 1] - 1.0
                s1 += change
                s2 += change * change
            if i == border:
                if block > 0:
                    block_s1[at + block - 1] = s1 - marked_s1
                    block_s2[at + block - 1] = s2 - marked_s2
                marked_s1 = s1
                marked_s2 = s2
                border += length
                block += 1
