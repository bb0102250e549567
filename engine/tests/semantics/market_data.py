"""Sections 1 and 2: from rows to bars and ticks, and the signals of the classic two."""

from collections.abc import Mapping, Sequence

from engine.tests.semantics.row import DataRow, SignalRow

BAR = "00:00 100 101 99 100"
NEXT = "01:00 100 102 98 101"

DIRT = (
    DataRow(
        "Rows out of order are sorted and counted",
        (NEXT, BAR),
        ("00:00 100 101 99 100", "01:00 100 102 98 101", "unsorted_rows = 1"),
    ),
    DataRow(
        "Exact duplicates are dropped and counted",
        (BAR, BAR, NEXT),
        ("00:00 100 101 99 100", "01:00 100 102 98 101", "duplicate_rows = 1"),
    ),
    DataRow(
        "Rows of one time that differ are refused",
        (BAR, "00:00 100 101 99 99.5", NEXT),
        ("refused: exit 11, spec.data.duplicates",),
    ),
    DataRow(
        "… `duplicates: KeepLast` keeps the last of the source",
        (BAR, "00:00 100 101 99 99.5", NEXT),
        ("00:00 100 101 99 99.5", "01:00 100 102 98 101", "conflicting_duplicates = 1"),
        request={"duplicates": "KeepLast"},
    ),
    DataRow(
        "A high or low that misses open or close by at most 1e-9 is mended and counted",
        ("00:00 100 100 99 100.00000005", NEXT),
        ("00:00 100 100.00000005 99 100.00000005", "01:00 100 102 98 101", "clamped_rows = 1"),
    ),
    DataRow(
        "By more it is refused",
        ("00:00 100 100 99 100.5", NEXT),
        ("refused: exit 11, spec.data.uri",),
    ),
    DataRow(
        "A price of 0 or below is refused",
        ("00:00 100 101 0 100", NEXT),
        ("refused: exit 11, spec.data.uri",),
    ),
    DataRow(
        "A time off the grid is refused",
        (BAR, NEXT, "02:00 101 101 101 101", "02:30 101 101 101 101"),
        ("refused: exit 11, spec.data.uri",),
    ),
    DataRow(
        "A null volume is 0, and counted",
        ("00:00 100 101 99 100 -", NEXT),
        ("00:00 100 101 99 100", "01:00 100 102 98 101", "volume = 0", "null_volumes = 1"),
    ),
    DataRow(
        "A bar flagged partial or feed-down is refused",
        ("00:00 100 101 99 100 5 complete", "01:00 100 102 98 101 5 partial"),
        ("refused: exit 11, spec.data.partialBars",),
    ),
    DataRow(
        "… `partialBars: Drop` leaves it out; a bar without trades is a bar like others",
        (
            "00:00 100 101 99 100 5 complete",
            "01:00 100 102 98 101 5 partial",
            "02:00 101 101 101 101 0 no-trades",
        ),
        ("00:00 100 101 99 100", "02:00 101 101 101 101", "partial_rows_dropped = 1"),
        request={"partialBars": "Drop"},
    ),
    DataRow(
        "Missing bars stay missing and are counted",
        (BAR, NEXT, "02:00 101 101 101 101", "06:00 102 102 102 102"),
        (
            "00:00 100 101 99 100",
            "01:00 100 102 98 101",
            "02:00 101 101 101 101",
            "06:00 102 102 102 102",
            "gaps = 1",
            "missing_bars = 3",
            "longest_gap_seconds = 10800",
        ),
    ),
    DataRow(
        "… `gaps: Fail` refuses them",
        (BAR, NEXT, "02:00 101 101 101 101", "06:00 102 102 102 102"),
        ("refused: exit 11, spec.data.gaps",),
        request={"gaps": "Fail"},
    ),
)

WINDOW = (
    DataRow(
        "The window [start, end) has the bars that open at or after start and close by end",
        (BAR, NEXT, "02:00 101 101 101 101", "03:00 102 102 102 102"),
        ("01:00 100 102 98 101", "02:00 101 101 101 101"),
        request={"start": "01:00", "end": "03:30"},
    ),
    DataRow(
        "Warm-up rows come before start: they feed indicators alone",
        (BAR, NEXT, "02:00 101 101 101 101", "03:00 102 102 102 102"),
        ("01:00 100 102 98 101", "02:00 101 101 101 101", "03:00 102 102 102 102", "warmup = 1"),
        request={"start": "02:00", "warmupBars": 1},
    ),
    DataRow(
        "`timestamps: Close`: stamps of the close are shifted; 59.999 counts as the full minute",
        ("01:00 100 101 99 100", "01:59:59.999 100 102 98 101"),
        ("00:00 100 101 99 100", "01:00 100 102 98 101"),
        request={"timestamps": "Close"},
    ),
    DataRow(
        "A last bar that is still forming is dropped",
        (BAR, NEXT),
        ("00:00 100 101 99 100", "forming_bar_dropped = True"),
        request={"now": "01:30"},
    ),
)

QUARTERS = (
    "00:00 100 101 99 100",
    "00:15 100 104 100 103",
    "00:30 103 103 97 98",
    "00:45 98 100 98 99",
)

SECOND_WEEK = (
    "2024-01-08 100 101 99 100",
    "2024-01-09 100 120 99 100",
    *(f"2024-01-{day} 100 101 99 101" for day in range(10, 15)),
)

RESAMPLING = (
    DataRow(
        "Finer rows become bars: first open, highest high, lowest low, last close",
        QUARTERS,
        ("00:00 100 104 97 99", "volume = 4"),
    ),
    DataRow(
        "A missing row inside makes no bar partial: no trade, no bar",
        (
            *QUARTERS[:2],
            QUARTERS[3],
            "01:00 99 99 99 99",
            "01:15 99 99 99 99",
            "01:30 99 99 99 99",
            "01:45 98 98 98 98",
        ),
        ("00:00 100 104 98 99", "01:00 99 99 98 98", "partial_rows = 0"),
    ),
    DataRow(
        "A bar that reaches beyond the source is partial, and refused",
        (*QUARTERS, "01:00 99 99 99 99"),
        ("refused: exit 11, spec.data.partialBars",),
    ),
    DataRow(
        "… `partialBars: Drop` leaves it out",
        (*QUARTERS, "01:00 99 99 99 99"),
        ("00:00 100 104 97 99", "partial_rows_dropped = 1"),
        request={"partialBars": "Drop"},
    ),
    DataRow(
        "… `Keep` keeps it",
        (*QUARTERS, "01:00 99 99 99 99"),
        ("00:00 100 104 97 99", "01:00 99 99 99 99", "partial_rows = 1"),
        request={"partialBars": "Keep"},
    ),
    DataRow(
        "Weeks begin on Mondays: 2024-01-08 is the second",
        (*(f"2024-01-0{day} 100 101 99 100" for day in range(1, 8)), *SECOND_WEEK),
        ("00:00 100 101 99 100", "168:00 100 120 99 101"),
        timeframe="1w",
    ),
    DataRow(
        "A source that is coarser than the timeframe is refused",
        (BAR, NEXT, "02:00 101 101 101 101"),
        ("refused: exit 11, spec.market.timeframe",),
        timeframe="15m",
    ),
)

TICKS = (
    DataRow(
        "The tick scale is the smallest number of decimals that fits all prices",
        ("00:00 100.5 101 99.25 100", NEXT),
        ("00:00 100.5 101 99.25 100", "01:00 100 102 98 101", "price_scale = 2", "ticks_exact = True"),
    ),
    DataRow(
        "Float noise is replaced by the tick's own number, and counted",
        ("00:00 0.3 0.30000000000000004 0.3 0.3", "01:00 0.3 0.3 0.1 0.2"),
        ("00:00 0.3 0.3 0.3 0.3", "01:00 0.3 0.3 0.1 0.2", "price_scale = 1", "snapped_rows = 1"),
    ),
    DataRow(
        "`priceScale` given: prices are rounded to it, half to even",
        ("00:00 100.125 100.375 100.125 100.375", NEXT),
        ("00:00 100.12 100.38 100.12 100.38", "01:00 100 102 98 101", "price_scale = 2", "snapped_rows = 1"),
        request={"priceScale": 2},
    ),
    DataRow(
        "Prices that fit no scale stay as they are, and the evidence says so",
        ("00:00 0.1234567890123 1 0.1 1", "01:00 1 1 1 1"),
        ("00:00 0.123456789012 1 0.1 1", "01:00 1 1 1 1", "price_scale = 9", "ticks_exact = False"),
    ),
)

SIGNALS = (
    SignalRow(
        "sma-cross: up where the fast average is above the slow one and was not on the bar before",
        "20 19 18 17 18 20 22 24 23 20 17 15 16 19 23 24",
        "sma-cross",
        {"fast": 2, "slow": 3},
        ("bar 5: target 1", "bar 9: target 0", "bar 13: target 1"),
    ),
    SignalRow(
        "… down is −1 with `direction: long-short`",
        "20 19 18 17 18 20 22 24 23 20 17 15 16 19 23 24",
        "sma-cross",
        {"fast": 2, "slow": 3, "direction": "long-short"},
        ("bar 5: target 1", "bar 9: target -1", "bar 13: target 1"),
    ),
    SignalRow(
        "A tie is neither above nor below: bars 1 and 3",
        "10 10 12 12 11",
        "sma-cross",
        {"fast": 1, "slow": 2},
        ("bar 2: target 1", "bar 4: target 0"),
    ),
    SignalRow(
        "Ties are found exactly: (0.1+0.3+0.2)/3 is 0.2 (in floats 0.20000000000000004), so bar 3 is no down",
        "0.2 0.1 0.3 0.2 0.3",
        "sma-cross",
        {"fast": 1, "slow": 3},
        ("bar 4: target 1",),
    ),
    SignalRow(
        "rsi: bar 2 is 50, nothing moved; bar 3 is 0, up; bar 4 is 100·1.5/1.75 = 85.7, down",
        "10 10 10 9 12",
        "rsi",
        {"period": 2, "lower": 30, "upper": 70},
        ("bar 3: target 1", "bar 4: target 0"),
    ),
)

SECTIONS: Mapping[str, Sequence[DataRow | SignalRow]] = {
    "Dirt": DIRT,
    "The window": WINDOW,
    "Resampling": RESAMPLING,
    "Ticks": TICKS,
    "Signals": SIGNALS,
}
