"""Sections 3 and 4: when a submission acts, what it costs, how much it buys."""

from engine.tests.semantics.row import Row

COSTS = {"takerFeeBps": "10", "slippageBps": "20"}

TIMING = (
    Row(
        "What is submitted at the close of bar i meets the market at the open of bar i+1",
        "100 / 102 104 101 103",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 102 taker signal",
            "equity = 10000, 10010",
        ),
    ),
    Row(
        "`fill: NextClose` takes the close of bar i+1 instead",
        "100 / 102 104 101 103",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 103 taker signal",
            "equity = 10000, 10000",
        ),
        {"fill": "NextClose"},
    ),
    Row(
        "Submissions of the last bar never fill and are counted",
        "100 / 100",
        "1: buy 10 market; 1: target 1",
        (
            "position = 0",
            "unfilled at end = 2",
        ),
    ),
    Row(
        "Every order and target takes the next id, rejected or not; children take theirs when they are born",
        "100 / 100 / 100 / 100",
        "0: sell 5 market; 0: buy 10 market take-profit 120 stop-loss 90; 1: target 0",
        (
            "1: #2 buy 10 at 100 taker signal",
            "1: #1 Rejected ShortNotAllowed",
            "2: #5 sell 10 at 100 taker signal",
            "2: #3 Cancelled ReduceOnly",
            "2: #4 Cancelled ReduceOnly",
        ),
    ),
    Row(
        "A cancel acts at the close at which it is made; cancelling what is not open does nothing",
        "100 / 100 / 90",
        "0: buy 10 limit 95; 1: cancel #1; 1: cancel #7",
        (
            "1: #1 Cancelled User",
            "resting orders = none",
        ),
    ),
    Row(
        "Bars that are missing are not made up: the fill is at the next bar there is",
        "100 / - / - / 107",
        "0: buy 10 market",
        (
            "1: #1 buy 10 at 107 taker signal",
            "equity = 10000, 10000",
        ),
    ),
)

MARKET = (
    Row(
        "A market order buys at O·(1+s), sells at O·(1−s), as taker: fee = (f·Q)·p; "
        "pnl = (side·Q·(exit − entry) − entry fee) − exit fee",
        "100 / 100 / 110",
        "0: buy 10 market; 1: sell 10 market",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "2: #2 sell 10 at 109.78 fee 1.0978 taker signal",
            "cash = 10093.7002",
            "pnl = 93.7002",
        ),
        COSTS,
    ),
    Row(
        "pnl of one entry and one exit is as above; of more fills it is the sum of all flows of cash",
        "100 / 100 / 110 / 120",
        "0: buy 10 market; 1: buy 10 market; 2: sell 20 market",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 buy 10 at 110 taker signal",
            "3: #3 sell 20 at 120 taker signal",
            "pnl = 300",
        ),
    ),
    Row(
        "AllIn: a target of 1 from flat spends all, the fee inside: Q = cash/(p·(1+f)); cash is exactly 0",
        "100 / 100 / 110",
        "0: target 1",
        (
            "1: #1 buy 99.9000999001 at 100 fee 9.99000999001 taker signal",
            "cash = 0",
            "equity = 10000, 9990.00999001, 10989.010989",
        ),
        {"takerFeeBps": "10"},
    ),
    Row(
        "AllIn short: the same Q; cash = (cash + Q·p) − fee",
        "100 / 100 / 90",
        "0: target -1",
        (
            "1: #1 sell 99.9000999001 at 100 fee 9.99000999001 taker signal",
            "cash = 19980.01998",
            "equity = 10000, 9990.00999001, 10989.010989",
        ),
        {"takerFeeBps": "10", "allowShort": True},
    ),
    Row(
        "A reversal is a close and an open at one price: two fills of one id",
        "100 / 100 / 120",
        "0: target 1; 1: target -1",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 sell 100 at 120 taker signal",
            "2: #2 sell 100 at 120 taker signal",
            "pnl = 2000",
        ),
        {"allowShort": True},
    ),
    Row(
        "The same target again does nothing; it takes an id all the same",
        "100 / 100 / 110 / 110",
        "0: target 1; 1: target 1; 2: target 0",
        (
            "1: #1 buy 100 at 100 taker signal",
            "3: #3 sell 100 at 110 taker signal",
        ),
    ),
    Row(
        "After a stop-out the same target enters again, since sign(target) ≠ sign(position)",
        "100 / 100 / 100 100 90 90 / 90",
        "0: target 1; 1: sell 100 stop 95; 2: target 1",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 sell 100 at 95 taker stop",
            "3: #3 buy 105.555555556 at 90 taker signal",
        ),
    ),
)

SIZING = (
    Row(
        "A target w below 1 takes w of the cash: Q = (w·L·cash)/(p·(1 + w·L·f)); cash = (cash − dq·p) − fee",
        "100 / 100",
        "0: target 0.5",
        (
            "1: #1 buy 49.95004995 at 100 fee 9.99000999001 taker signal",
            "cash = 4995.004995",
        ),
        {"takerFeeBps": "20"},
    ),
    Row(
        "Another |target| of the same sign resizes by one fill of the difference; Q is of the equity",
        "100 / 100 / 125",
        "0: target 0.5; 1: target 1",
        (
            "1: #1 buy 50 at 100 taker signal",
            "2: #2 buy 40 at 125 taker signal",
            "cash = 0",
        ),
    ),
    Row(
        "Resizing down sells the difference",
        "100 / 100 / 150",
        "0: target 1; 1: target 0.5",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 sell 50 at 150 taker signal",
            "cash = 7500",
        ),
    ),
    Row(
        "No drift rebalancing: the same |target| keeps its quantity whatever the price did",
        "100 / 100 / 200",
        "0: target 0.5; 1: target 0.5",
        (
            "1: #1 buy 50 at 100 taker signal",
            "position = 50",
        ),
    ),
    Row(
        "`FixedQuantity`: Q = v·w",
        "100 / 100 / 100",
        "0: target 1; 1: target 0.5",
        (
            "1: #1 buy 40 at 100 taker signal",
            "2: #2 sell 20 at 100 taker signal",
        ),
        {"sizing": "FixedQuantity", "size": "40"},
    ),
    Row(
        "`FixedNotional`: Q = (v·w)/p",
        "100 / 125",
        "0: target 1",
        (
            "1: #1 buy 40 at 125 taker signal",
            "cash = 5000",
        ),
        {"sizing": "FixedNotional", "size": "5000"},
    ),
    Row(
        "`EquityFraction`: AllIn with L := (v·w)·L",
        "100 / 100",
        "0: target 0.5",
        (
            "1: #1 buy 25 at 100 taker signal",
            "cash = 7500",
        ),
        {"sizing": "EquityFraction", "size": "0.5"},
    ),
    Row(
        "Leverage L: Q = (L·cash)/(p·(1 + L·f))",
        "100 / 100 / 110",
        "0: target 1",
        (
            "1: #1 buy 291.262135922 at 100 fee 291.262135922 taker signal",
            "cash = -19417.4757282",
            "equity = 10000, 9708.73786408, 12621.3592233",
        ),
        {"leverage": "3", "takerFeeBps": "100"},
    ),
    Row(
        "An open leg that finds cash ≤ 0 does nothing and leaves no event",
        "100 / 100 / 250 / 250",
        "0: target -1; 1: target 1; 2: target 1",
        (
            "1: #1 sell 100 at 100 taker signal",
            "2: #2 buy 100 at 250 taker signal",
            "cash = -5000",
        ),
        {"allowShort": True},
    ),
    Row(
        "Negative targets without allowShort count as 0 and are counted",
        "100 / 100 / 100",
        "0: target 1; 1: target -1",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 sell 100 at 100 taker signal",
            "short targets clamped = 1",
        ),
    ),
)

EXPLICIT = (
    Row(
        "An explicit quantity that exceeds the funds is rejected whole",
        "100 / 100",
        "0: buy 100.1 market",
        ("1: #1 Rejected InsufficientFunds",),
    ),
    Row(
        "… unless by no more than 1e-9 of it: then it is the AllIn quantity, and cash is exactly 0",
        "100 / 100",
        "0: buy 100.00000005 market",
        (
            "1: #1 buy 100 at 100 taker signal",
            "cash = 0",
        ),
    ),
    Row(
        "With leverage the most of an open leg is (L·(cash + q·p) − |q|·p)/(p·(1 + L·f)): here 100 more",
        "100 / 100 / 100 / 100",
        "0: buy 100 market; 1: buy 101 market; 2: buy 100 market",
        (
            "1: #1 buy 100 at 100 taker signal",
            "2: #2 Rejected InsufficientFunds",
            "3: #3 buy 100 at 100 taker signal",
            "cash = -10000",
        ),
        {"leverage": "2"},
    ),
    Row(
        "The part of an order against the position reduces, always; the rest opens and is tested alone",
        "100 / 100 / 100",
        "0: buy 30 market; 1: sell 50 market",
        (
            "1: #1 buy 30 at 100 taker signal",
            "2: #2 sell 30 at 100 taker signal",
            "2: #2 Rejected ShortNotAllowed",
        ),
    ),
    Row(
        "With allowShort both parts fill: a reversal of two fills",
        "100 / 100 / 100",
        "0: buy 30 market; 1: sell 50 market",
        (
            "1: #1 buy 30 at 100 taker signal",
            "2: #2 sell 30 at 100 taker signal",
            "2: #2 sell 20 at 100 taker signal",
            "position = -20",
        ),
        {"allowShort": True},
    ),
    Row(
        "A quantity within 1e-9 of the position closes it exactly",
        "100 / 100 / 100",
        "0: buy 30 market; 1: sell 30.00000002 market",
        (
            "1: #1 buy 30 at 100 taker signal",
            "2: #2 sell 30 at 100 taker signal",
            "position = 0",
        ),
    ),
    Row(
        "Prices with slippage round to the tick against the trader: buys up, sells down",
        "100 / 100.3 / 100.3",
        "0: buy 10 market; 1: sell 10 market",
        (
            "1: #1 buy 10 at 100.5 taker signal",
            "2: #2 sell 10 at 100.25 taker signal",
        ),
        {"slippageBps": "1", "tickSize": "0.25"},
    ),
    Row(
        "Limit prices are not rounded",
        "100 / 100 100 99 100",
        "0: buy 10 limit 99.13",
        ("1: #1 buy 10 at 99.13 maker limit",),
        {"tickSize": "0.25"},
    ),
    Row(
        "Quantities round down to whole lots: k = floor(Q/lot + 1e-9)",
        "100 / 130 / 130",
        "0: target 1; 1: sell 0.78 market",
        (
            "1: #1 buy 76.5 at 130 taker signal",
            "2: #2 sell 0.5 at 130 taker signal",
            "cash = 120",
        ),
        {"lotSize": "0.5"},
    ),
    Row(
        "Closing the whole position by target is not rounded; no lot at all is rejected",
        "100 / 100 / 100",
        "0: buy 0.4 market; 0: buy 7 market; 1: target 0",
        (
            "1: #2 buy 7 at 100 taker signal",
            "1: #1 Rejected LotSize",
            "2: #3 sell 7 at 100 taker signal",
        ),
        {"lotSize": "0.5"},
    ),
    Row(
        "Below minNotional an open leg is rejected, a reducing leg never",
        "100 / 100 / 100",
        "0: buy 9 market; 0: buy 10 market; 1: sell 1 market",
        (
            "1: #2 buy 10 at 100 taker signal",
            "1: #1 Rejected MinNotional",
            "2: #3 sell 1 at 100 taker signal",
        ),
        {"minNotional": "1000"},
    ),
    Row(
        "An open leg is tested for LotSize, ShortNotAllowed, InsufficientFunds, MinNotional, then the gates",
        "100 / 100",
        "0: sell 0.1 market; 0: sell 1 market; 0: buy 1000 market; 0: buy 1 market",
        (
            "1: #1 Rejected LotSize",
            "1: #2 Rejected ShortNotAllowed",
            "1: #3 Rejected InsufficientFunds",
            "1: #4 Rejected MinNotional",
        ),
        {"lotSize": "1", "minNotional": "500"},
    ),
)

SECTIONS = {
    "When a submission acts": TIMING,
    "Market fills and their cost": MARKET,
    "How much a target buys": SIZING,
    "Explicit quantities, ticks, lots": EXPLICIT,
}
