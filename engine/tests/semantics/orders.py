"""Section 5: orders within a bar."""

from engine.tests.semantics.row import Row

COSTS = {"makerFeeBps": "5", "takerFeeBps": "10", "slippageBps": "20"}
LONG = "0: buy 10 market"
QUIET = " / ".join(["100"] * 8)  # eight quarters of an hour

LIMITS = (
    Row(
        "A resting limit fills at its price when the bar touches it: maker, no slippage",
        "100 / 100 / 100 101 95 99",
        "0: buy 10 limit 95",
        ("2: #1 buy 10 at 95 fee 0.475 maker limit",),
        COSTS,
    ),
    Row(
        "`limitFill: Through` asks for more than a touch",
        "100 / 100 / 100 101 95 99 / 99 99 94.9 99",
        "0: buy 10 limit 95",
        ("3: #1 buy 10 at 95 maker limit",),
        {"limitFill": "Through"},
    ),
    Row(
        "After a gap a resting limit fills at the open, better than its price, as maker",
        "100 / 100 / 93",
        "0: buy 10 limit 95",
        ("2: #1 buy 10 at 93 fee 0.465 maker limit",),
        COSTS,
    ),
    Row(
        "A marketable limit is a taker: a buy at min(limit, O·(1+s))",
        "100 / 100",
        "0: buy 10 limit 105; 0: buy 10 limit 100.1",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker limit",
            "1: #2 buy 10 at 100.1 fee 1.001 taker limit",
        ),
        COSTS,
    ),
    Row(
        "The slipped price is rounded to the tick before it is held against the limit",
        "100 / 100",
        "0: buy 10 limit 105; 0: buy 10 limit 100.3",
        (
            "1: #1 buy 10 at 100.5 taker limit",
            "1: #2 buy 10 at 100.3 taker limit",
        ),
        {"slippageBps": "20", "tickSize": "0.5"},
    ),
    Row(
        "Through: a new limit at the open itself rests; it fills at its price once the bar goes beyond",
        "100 / 100 101 99 101",
        "0: buy 10 limit 100",
        ("1: #1 buy 10 at 100 fee 0.5 maker limit",),
        COSTS | {"limitFill": "Through"},
    ),
    Row(
        "… a sell at max(limit, O·(1−s))",
        "100 / 100",
        "0: sell 10 limit 95; 0: sell 10 limit 99.9",
        (
            "1: #1 sell 10 at 99.8 fee 0.998 taker limit",
            "1: #2 sell 10 at 99.9 fee 0.999 taker limit",
        ),
        COSTS | {"allowShort": True},
    ),
)

STOPS = (
    Row(
        "A stop fills at its price with slippage, as taker",
        "100 / 100 / 100 104 99 103",
        "0: buy 10 stop 102",
        ("2: #1 buy 10 at 102.204 fee 1.02204 taker stop",),
        COSTS,
    ),
    Row(
        "After a gap it fills at the open with slippage",
        "100 / 100 / 105",
        "0: buy 10 stop 102",
        ("2: #1 buy 10 at 105.21 fee 1.0521 taker stop",),
        COSTS,
    ),
    Row(
        "A new stop that the open has passed acts as market",
        "100 / 100",
        "0: buy 10 stop 98",
        ("1: #1 buy 10 at 100.2 fee 1.002 taker stop",),
        COSTS,
    ),
    Row(
        "Slippage may leave the range of the bar",
        "100 / 100 / 100 102 99 101",
        "0: buy 10 stop 102",
        ("2: #1 buy 10 at 103.02 taker stop",),
        {"slippageBps": "100"},
    ),
    Row(
        "A stop-limit that is marketable at its trigger fills at the stop price: taker, no slippage",
        "100 / 100 / 100 104 99 103",
        "0: buy 10 stop-limit 102 103",
        ("2: #1 buy 10 at 102 fee 1.02 taker stop",),
        COSTS,
    ),
    Row(
        "… else it rests as a limit on the rest of the path, and is a maker",
        "100 / 100 / 100 104 99 103 / 103 103 101 102",
        "0: buy 10 stop-limit 102 101",
        ("3: #1 buy 10 at 101 fee 0.505 maker stop",),
        COSTS,
    ),
    Row(
        "An open that has passed the stop triggers a stop-limit there: at O, taker",
        "100 / 100 / 102.5",
        "0: buy 10 stop-limit 102 103",
        ("2: #1 buy 10 at 102.5 fee 1.025 taker stop",),
        COSTS,
    ),
)

TRAILING = (
    Row(
        "A trailing stop starts at the open of its first bar and follows the best price: best − amount",
        "100 / 100 106 100 105 / 105 105 102 103",
        "0: buy 10 market; 0: sell 10 trailing-stop 3",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 103 taker trailing",
        ),
    ),
    Row(
        "… or best·(1−r)",
        "100 / 100 110 100 110 / 110 110 104 105",
        "0: buy 10 market; 0: sell 10 trailing-stop 500bps",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 104.5 taker trailing",
        ),
    ),
    Row(
        "A buy trails the lowest price: best + amount",
        "100 / 100 100 92 93 / 93 96 92 95",
        "0: buy 10 trailing-stop 3",
        ("2: #1 buy 10 at 95 taker trailing",),
    ),
    Row(
        "The open of a later bar is tested first, then it ratchets",
        "100 / 100 / 96",
        "0: buy 10 market; 0: sell 10 trailing-stop 3",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 96 taker trailing",
        ),
    ),
    Row(
        "It ratchets on favourable segments and is tested on adverse ones of the same bar",
        "100 / 100 / 100 108 99 104",
        "0: buy 10 market; 0: sell 10 trailing-stop 3",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 105 taker trailing",
        ),
    ),
    Row(
        "A trailing child starts at the price of its parent's fill, slippage included",
        "100 / 100 / 100 100 97.1 97.1",
        "0: buy 10 market stop-loss trailing 3",
        (
            "1: #1 buy 10 at 100.2 taker signal",
            "2: #2 sell 10 at 97.0056 taker trailing",
        ),
        {"slippageBps": "20"},
    ),
)

PATH = (
    Row(
        "A bar that closes at or above its open goes O, L, H, C: the low comes first",
        "100 / 100 / 100 105 95 101",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #3 sell 10 at 96 taker stop",
            "2: #2 Cancelled Oco",
            "ambiguous bars = 1",
        ),
    ),
    Row(
        "A bar that closes below its open goes O, H, L, C: the high comes first",
        "100 / 100 / 100 105 95 99",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 104 maker limit",
            "2: #3 Cancelled Oco",
            "ambiguous bars = 1",
        ),
    ),
    Row(
        "`intrabarPath: Worst` takes the stop first in an ambiguous bar",
        "100 / 100 / 100 105 95 99",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #3 sell 10 at 96 taker stop",
            "2: #2 Cancelled Oco",
            "ambiguous bars = 1",
        ),
        {"intrabarPath": "Worst"},
    ),
    Row(
        "A bar is ambiguous when a stop and a limit of the position are both within [L, H], not with one",
        "100 / 100 / 100 103 95 99",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #3 sell 10 at 96 taker stop",
            "2: #2 Cancelled Oco",
            "ambiguous bars = 0",
        ),
    ),
    Row(
        "At one price stops come before limits, then the lower id",
        "100 / 100 100 95 98",
        "0: buy 10 limit 96; 0: sell 10 stop 96; 0: buy 20 limit 96",
        (
            "1: #2 sell 10 at 96 taker stop",
            "1: #1 buy 10 at 96 maker limit",
            "1: #3 buy 20 at 96 maker limit",
        ),
        {"allowShort": True},
    ),
    Row(
        "At the open: resting stops, then resting limits, then new orders in id order",
        "100 / 100 / 110",
        "0: sell 5 limit 105; 0: buy 5 stop 105; 1: sell 1 market",
        (
            "2: #2 buy 5 at 110 taker stop",
            "2: #1 sell 5 at 110 maker limit",
            "2: #3 sell 1 at 110 taker signal",
        ),
        {"allowShort": True},
    ),
    Row(
        "`resolveWith`: finer bars that cover the bar decide, and it is not ambiguous",
        "100 / 100 / 100 105 95 99",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #3 sell 10 at 96 taker stop",
            "2: #2 Cancelled Oco",
            "ambiguous bars = 0",
            "unresolved bars = 0",
        ),
        {
            "finer": QUIET + " / 100 100 95 96 / 96 105 96 104 / 104 104 99 99 / 99",
        },
    ),
    Row(
        "Finer bars that are missing or disagree leave the convention, and are counted",
        "100 / 100 / 100 105 95 99",
        f"{LONG}; 1: sell 10 limit 104 oco exit; 1: sell 10 stop 96 oco exit",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 104 maker limit",
            "2: #3 Cancelled Oco",
            "ambiguous bars = 1",
            "unresolved bars = 1",
        ),
        {
            "finer": QUIET + " / 100 100 95 96 / - / 96 105 96 104 / 104 104 99 99",
        },
    ),
    Row(
        "Worst for a short takes the high first",
        "100 / 100 / 100 105 95 101",
        "0: sell 10 market; 1: buy 10 limit 96 oco exit; 1: buy 10 stop 104 oco exit",
        (
            "1: #1 sell 10 at 100 taker signal",
            "2: #3 buy 10 at 104 taker stop",
            "2: #2 Cancelled Oco",
            "ambiguous bars = 1",
        ),
        {"intrabarPath": "Worst", "allowShort": True},
    ),
    Row(
        "Fills are whole: the volume of a candle does not limit them",
        "100 / 100 / 100 101 95 99",
        "0: buy 100 limit 95",
        ("2: #1 buy 100 at 95 maker limit",),
    ),
)

GROUPS = (
    Row(
        "A fill gives birth to its bracket at that point of the path: children may fill on the same bar",
        "100 / 100 105 99 104",
        "0: buy 10 market take-profit 103 stop-loss 98",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "1: #2 sell 10 at 103 fee 0.515 maker take-profit",
            "1: #3 Cancelled Oco",
            "entry bars = 1",
            "exit bars = 1",
        ),
        COSTS,
    ),
    Row(
        "A stop-loss child is a stop: slippage, taker",
        "100 / 100 100 97 99",
        "0: buy 10 market take-profit 103 stop-loss 98",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "1: #3 sell 10 at 97.804 fee 0.97804 taker stop-loss",
            "1: #2 Cancelled Oco",
        ),
        COSTS,
    ),
    Row(
        "A child that is passed at its birth acts at once, as a new order would: here the stop at market",
        "100 / 100",
        "0: buy 10 market stop-loss 101",
        (
            "1: #1 buy 10 at 100.2 fee 1.002 taker signal",
            "1: #2 sell 10 at 99.8 fee 0.998 taker stop-loss",
        ),
        COSTS,
    ),
    Row(
        "Children have the quantity of what the parent opened, not of what it closed",
        "100 / 100 / 100 / 100 110 100 110",
        "0: sell 10 market; 1: buy 25 market take-profit 108",
        (
            "1: #1 sell 10 at 100 taker signal",
            "2: #2 buy 10 at 100 taker signal",
            "2: #2 buy 15 at 100 taker signal",
            "3: #3 sell 15 at 108 maker take-profit",
        ),
        {"allowShort": True},
    ),
    Row(
        "A market exit cancels the bracket of the position",
        "100 / 100 / 100",
        "0: buy 10 market take-profit 110 stop-loss 90; 1: sell 10 market",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #4 sell 10 at 100 taker signal",
            "2: #2 Cancelled ReduceOnly",
            "2: #3 Cancelled ReduceOnly",
        ),
    ),
    Row(
        "One cancels the other: a fill cancels the rest of its group, those still to come to the open too",
        "100 / 100",
        "0: buy 10 market oco in; 0: buy 10 limit 95 oco in; 0: buy 10 market oco in",
        (
            "1: #1 buy 10 at 100 taker signal",
            "1: #2 Cancelled Oco",
            "1: #3 Cancelled Oco",
        ),
    ),
    Row(
        "A rejection cancels nobody",
        "100 / 100 / 100 100 95 100",
        "0: buy 1000 market oco in; 0: buy 10 limit 95 oco in",
        (
            "1: #1 Rejected InsufficientFunds",
            "2: #2 buy 10 at 95 maker limit",
        ),
    ),
    Row(
        "A reduce-only order is clipped to the position",
        "100 / 100 / 100 105 100 105",
        f"{LONG}; 0: sell 100 limit 104 reduce-only",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 sell 10 at 104 maker limit",
        ),
    ),
    Row(
        "It may rest while there is nothing to reduce, and is cancelled when it would fill with position 0",
        "100 / 100 / 100 105 100 105",
        "0: sell 10 limit 104 reduce-only",
        ("2: #1 Cancelled ReduceOnly",),
    ),
    Row(
        "… or of its own side",
        "100 / 100 / 100 100 95 100",
        "0: buy 10 market; 0: buy 10 limit 96 reduce-only",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #2 Cancelled ReduceOnly",
        ),
    ),
    Row(
        "At position 0 all resting reduce-only orders are cancelled",
        "100 / 100 / 100",
        f"{LONG}; 0: sell 10 limit 120 reduce-only; 0: sell 5 limit 130; 1: target 0",
        (
            "1: #1 buy 10 at 100 taker signal",
            "2: #4 sell 10 at 100 taker signal",
            "2: #2 Cancelled ReduceOnly",
            "resting orders = 3",
        ),
    ),
)

TIME_IN_FORCE = (
    Row(
        "GTC rests until it fills or is cancelled",
        "100 / 100 / 100 / 90",
        "0: buy 10 limit 95",
        ("3: #1 buy 10 at 90 maker limit",),
    ),
    Row(
        "GTD(T) takes part in bars whose close is at or before T; it expires in the first that is later",
        "100 / 100 / 100 / 90",
        "0: buy 10 limit 95 GTD 3h",
        ("3: #1 Expired GTD",),
    ),
    Row(
        "An order whose time is over before its first bar never takes part",
        "100 / 100",
        "0: buy 10 market GTD 1h",
        ("1: #1 Expired GTD",),
    ),
    Row(
        "Day lasts to the end of the UTC day of its first bar",
        "100 / 100 / 100 / 100 / 100 / 90",
        "0: buy 10 limit 95 Day",
        ("4: #1 Expired Day",),
        {"timeframe": "6h"},
    ),
    Row(
        "With an exchange's calendar it is the session that ends",
        "100 / 100 / 90",
        "0: buy 10 limit 95 Day",
        ("2: #1 Expired Day",),
        {"sessionHours": 2},
    ),
)

SECTIONS = {
    "Limit orders": LIMITS,
    "Stops and stop-limits": STOPS,
    "Trailing stops": TRAILING,
    "The path within a bar": PATH,
    "Brackets, OCO, reduce-only": GROUPS,
    "Time in force": TIME_IN_FORCE,
}
