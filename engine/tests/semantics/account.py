"""Sections 6 and 7, and the end of a run."""

from engine.tests.semantics.row import Row

ISOLATED = {"leverage": "5", "marginModel": "Isolated", "maintenanceMargin": "0.05"}
GATED = {"leverage": "2"}

CARRY = (
    Row(
        "A sell from flat without allowShort is rejected",
        "100 / 100",
        "0: sell 10 market",
        ("1: #1 Rejected ShortNotAllowed",),
    ),
    Row(
        "A short is marked at the close: equity = cash + q·C",
        "100 / 100 / 90",
        "0: sell 10 market",
        (
            "1: #1 sell 10 at 100 taker signal",
            "cash = 11000",
            "equity = 10000, 10000, 10100",
        ),
        {"allowShort": True},
    ),
    Row(
        "Borrow interest of a short, each bar: ((|q|·C)·rate·Δms)/31536000000",
        "100 / 100 / 100",
        "0: sell 73 market; 1: target 0",
        (
            "1: #1 sell 73 at 100 taker signal",
            "2: #2 buy 73 at 100 taker signal",
            "borrow = 0.1",
            "pnl = -0.1",
        ),
        {"allowShort": True, "borrowRateAnnual": "0.12"},
    ),
    Row(
        "Funding at the close of the first bar with close ≥ T: cash −= (q·C)·rate; longs pay positive rates",
        "100 / 100 / 110 / 110",
        "0: buy 50 market; 2: target 0",
        (
            "1: #1 buy 50 at 100 taker signal",
            "3: #2 sell 50 at 110 taker signal",
            "funding = 5.5",
            "equity = 10000, 10000, 10494.5, 10494.5",
            "pnl = 494.5",
        ),
        {"funding": [[3, "0.001"]]},
    ),
    Row(
        "Funding that falls into a gap is paid at the close of the next bar there is",
        "100 / 100 / - / - / 100",
        "0: buy 50 market",
        (
            "1: #1 buy 50 at 100 taker signal",
            "funding = 5",
        ),
        {"funding": [[3, "0.001"]]},
    ),
    Row(
        "Shorts receive them; several times on one bar come in order",
        "100 / 100 / 100",
        "0: sell 50 market",
        (
            "1: #1 sell 50 at 100 taker signal",
            "funding = -15",
            "cash = 15015",
        ),
        {"allowShort": True, "funding": [[2, "0.001"], [3, "0.002"]]},
    ),
)

MARGIN = (
    Row(
        "`marginModel: None`: cash and equity may go below 0; the bar of it is recorded",
        "100 / 100 / 60 / 40",
        "0: target 1",
        (
            "1: #1 buy 200 at 100 taker signal",
            "equity = 10000, 10000, 2000, -2000",
            "bankrupt bar = 3",
        ),
        {"leverage": "2"},
    ),
    Row(
        "`Isolated`: a long is liquidated at P = −cash/(q·(1−m)): here 40000/(500·0.95) = 84.2105…",
        "100 / 100 / 100 100 80 90",
        "0: target 1",
        (
            "1: #1 buy 500 at 100 taker signal",
            "2: engine sell 500 at 84.2105263158 taker liquidation",
            "cash = 2105.26315789",
        ),
        ISOLATED,
    ),
    Row(
        "A short at P = cash/(|q|·(1+m)): here 60000/(500·1.05) = 114.2857…, with fee rate f + l",
        "100 / 100 / 100 120 100 110",
        "0: target -1",
        (
            "1: #1 sell 500 at 100 taker signal",
            "2: engine buy 500 at 114.285714286 fee 285.714285714 taker liquidation",
            "cash = 2571.42857143",
        ),
        ISOLATED | {"allowShort": True, "liquidationFeeBps": "50"},
    ),
    Row(
        "A gap liquidates at the open; a deficit halts the run: all orders cancelled, later ones rejected",
        "100 / 100 / 70 / 70",
        "0: target 1; 1: buy 1 limit 50; 2: buy 1 market",
        (
            "1: #1 buy 500 at 100 taker signal",
            "2: engine sell 500 at 70 taker liquidation",
            "2: engine Halted Deficit",
            "2: #2 Cancelled Deficit",
            "2: #3 Rejected GateClosed",
            "equity = 10000, 10000, -5000, -5000",
            "bankrupt bar = 2",
        ),
        ISOLATED,
    ),
    Row(
        "The liquidation stop ranks before the user's stops at its price: here 10000/(200·0.8) = 62.5",
        "100 / 100 / 100 100 60 61",
        "0: target 1; 1: sell 200 stop 62.5 reduce-only",
        (
            "1: #1 buy 200 at 100 taker signal",
            "2: engine sell 200 at 62.5 taker liquidation",
            "2: #2 Cancelled ReduceOnly",
        ),
        ISOLATED | {"leverage": "2", "maintenanceMargin": "0.2"},
    ),
)

GATES = (
    Row(
        "maxNotional: |position after|·p above the limit is rejected, equal passes",
        "100 / 100 / 100",
        "0: buy 50 market; 1: buy 1 market",
        (
            "1: #1 buy 50 at 100 taker signal",
            "2: #2 Rejected MaxNotional 5100",
        ),
        {"gates": {"maxNotional": "5000"}},
    ),
    Row(
        "maxPosition: |position after| in units",
        "100 / 100 / 100",
        "0: buy 50 market; 1: buy 1 market",
        (
            "1: #1 buy 50 at 100 taker signal",
            "2: #2 Rejected MaxPosition 51",
        ),
        {"gates": {"maxPosition": "50"}},
    ),
    Row(
        "maxLeverage: the same over the equity before the leg",
        "100 / 100 / 100",
        "0: buy 100 market; 1: buy 1 market",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 Rejected MaxLeverage 1.01",
        ),
        GATED | {"gates": {"maxLeverage": "1"}},
    ),
    Row(
        "The leg that reduces is never rejected: a reversal may be cut to its close",
        "100 / 100 / 100",
        "0: buy 50 market; 1: sell 120 market",
        (
            "1: #1 buy 50 at 100 taker signal",
            "2: #2 sell 50 at 100 taker signal",
            "2: #2 Rejected MaxNotional 7000",
            "position = 0",
        ),
        {"allowShort": True, "gates": {"maxNotional": "5000"}},
    ),
    Row(
        "maxOpenOrders: orders in the book and those of this close; targets do not count",
        "100 / 100",
        "0: buy 1 limit 90; 0: buy 1 market; 0: buy 1 limit 80; 0: target 0.5",
        (
            "0: #3 Rejected MaxOpenOrders 3",
            "1: #2 buy 1 at 100 taker signal",
            "1: #4 buy 49 at 100 taker signal",
        ),
        {"gates": {"maxOpenOrders": 2}},
    ),
    Row(
        "maxDrawdown: at 1 − E/peak ≥ limit orders are cancelled, the next open flattens, the gate is closed",
        "100 / 100 / 75 / 74 / 74",
        "0: target 1; 1: buy 1 limit 50; 2: target 1; 3: buy 1 market",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: engine Breach maxDrawdown 0.25",
            "2: #2 Cancelled Gate",
            "2: #3 Rejected GateClosed",
            "3: engine sell 100 at 74 taker gate",
            "3: #4 Rejected GateClosed",
            "equity = 10000, 10000, 7500, 7400, 7400",
        ),
        {"gates": {"maxDrawdown": "0.25"}},
    ),
    Row(
        "maxDailyLoss: against the equity before the UTC day; open again on the first bar of the next",
        "100 / 100 / 87.5 / 88 / 88 / 88",
        "0: target 1; 2: target 1; 3: target 0.5; 4: target 0.5",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: engine Breach maxDailyLoss 0.125",
            "2: #2 Rejected GateClosed",
            "3: engine sell 100 at 88 taker gate",
            "3: #3 Rejected GateClosed",
            "5: #4 buy 50 at 88 taker signal",
            "equity = 10000, 10000, 8750, 8800, 8800, 8800",
        ),
        {"timeframe": "6h", "gates": {"maxDailyLoss": "0.125"}},
    ),
    Row(
        "A day that began at 0 or below is not tested: bar 3 rose from −2000 to −500",
        "100 / 100 / 60 / 65 / 65",
        "0: target 1",
        (
            "1: #1 buy 300 at 100 taker signal",
            "2: engine Breach maxDailyLoss 1.2",
            "3: engine sell 300 at 65 taker gate",
            "equity = 10000, 10000, -2000, -500, -500",
            "bankrupt bar = 2",
        ),
        {"timeframe": "1d", "leverage": "3", "gates": {"maxDailyLoss": "0.5"}},
    ),
    Row(
        "`policy: Fail` stops the run at that bar: nothing is cancelled, nothing sold",
        "100 / 100 / 75 / 74",
        "0: target 1",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: engine Breach maxDrawdown 0.25",
            "equity = 10000, 10000, 7500",
            "position = 100",
            "stopped bar = 2",
        ),
        {"gates": {"maxDrawdown": "0.25", "policy": "Fail"}},
    ),
    Row(
        "On the last bar a breach is the event only",
        "100 / 100 / 75",
        "0: target 1",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: engine Breach maxDrawdown 0.25",
            "position = 100",
        ),
        {"gates": {"maxDrawdown": "0.25"}},
    ),
)

END = (
    Row(
        "An open position is marked, no trade; `finalEquityLiquidated` sells it at the last close with costs",
        "100 / 100 / 110",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "equity = 10000, 9996.998, 10096.998",
            "liquidated = 10093.7002",
            "pnl = none",
        ),
        {"takerFeeBps": "10", "slippageBps": "20"},
    ),
    Row(
        "`closeAtEnd` sells it in truth, as the last fill of the last bar, before that bar's mark",
        "100 / 100 / 110",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "2: engine sell 10 at 109.78 fee 1.0978 taker closeAtEnd",
            "equity = 10000, 9996.998, 10093.7002",
            "pnl = 93.7002",
        ),
        {"takerFeeBps": "10", "slippageBps": "20", "closeAtEnd": True},
    ),
    Row(
        "… so that the last bar pays no funding or borrow for it",
        "100 / 100 / 110",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: engine sell 10 at 110 taker closeAtEnd",
            "funding = 0",
        ),
        {"closeAtEnd": True, "funding": [[3, "0.01"]]},
    ),
)

SECTIONS = {
    "Shorts, borrow and funding": CARRY,
    "Margin": MARGIN,
    "Gates": GATES,
    "The end of a run": END,
}
