"""The pairs that the exchange lists, and how it spells numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.exchange.chance import seeded

DECIMALS = 10  # prices and amounts are kept in units of 1e-10, the spelling of a trade
UNIT = 10**DECIMALS
QUOTES = ("USDT", "TRY", "BTC")


@dataclass(frozen=True)
class Listing:
    """One pair. `start` is its first price; `tick_size` is what exchangeinfo says, which the prices of
    BTCTRY do not keep to (captured: tickSize "10", price 3712281)."""

    id: int
    base: str
    quote: str
    price_scale: int
    amount_scale: int
    start: Decimal
    tick_size: str

    @property
    def symbol(self) -> str:
        return self.base + self.quote

    @property
    def normalized(self) -> str:
        return f"{self.base}_{self.quote}"

    @property
    def price_step(self) -> int:
        """The smallest change of price, in units of 1e-10."""
        return int(10 ** (DECIMALS - self.price_scale))

    @property
    def amount_step(self) -> int:
        return int(10 ** (DECIMALS - self.amount_scale))

    @property
    def start_units(self) -> int:
        return units(self.start) // self.price_step * self.price_step


_KNOWN = (
    Listing(1, "BTC", "TRY", 0, 8, Decimal(3765490), "10"),
    Listing(2, "ETH", "TRY", 0, 8, Decimal(120450), "1"),
    Listing(5, "USDT", "TRY", 3, 2, Decimal("43.452"), "0.001"),
    Listing(19, "BTC", "USDT", 0, 8, Decimal(86766), "1"),
    Listing(20, "ETH", "USDT", 1, 8, Decimal("2770.3"), "0.1"),
    Listing(57, "ADA", "TRY", 3, 4, Decimal("34.76"), "0.001"),
)
_BY_SYMBOL = {known.symbol: known for known in _KNOWN}


def listing(symbol: str, number: int) -> Listing:
    """The pair of that name; one that is not known gets figures that its name decides."""
    if symbol in _BY_SYMBOL:
        return _BY_SYMBOL[symbol]
    quote = next((q for q in QUOTES if symbol.endswith(q) and symbol != q), "")
    if not quote or symbol != symbol.upper():
        raise ValueError(f"symbols: {symbol!r} is no pair in {', '.join(QUOTES)}, upper case")
    chance = seeded("listing", symbol)
    price_scale = chance.choice((1, 2, 3, 4, 6))
    start = Decimal(chance.randrange(1000, 90_000)).scaleb(-min(price_scale, 4))
    tick_size = format(Decimal(1).scaleb(-price_scale), "f")
    return Listing(100 + number, symbol.removesuffix(quote), quote, price_scale, 4, start, tick_size)


def catalogue(symbols: tuple[str, ...]) -> dict[str, Listing]:
    return {symbol: listing(symbol, number) for number, symbol in enumerate(symbols)}


def many_symbols(count: int) -> tuple[str, ...]:
    """So many pairs, the known ones first; the venue listed 379 in 2026."""
    made = [known.symbol for known in _KNOWN]
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    bases = (a + b + c for a in letters for b in letters for c in letters)
    while len(made) < count:
        base = next(bases)
        made += [symbol for symbol in (f"{base}TRY", f"{base}USDT") if symbol not in _BY_SYMBOL]
    return tuple(made[:count])


def units(value: Decimal | str | int) -> int:
    """In 1e-10; ValueError where the number has more decimals than a trade is spelt with."""
    scaled = Decimal(value).scaleb(DECIMALS)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than {DECIMALS} decimals")
    return int(scaled)


def spelt(value: int) -> str:
    """As a trade spells it, all ten decimals: 586950.0000000000."""
    return f"{value // UNIT}.{value % UNIT:0{DECIMALS}d}"


def trimmed(value: int, *, at_least: int = 0) -> str:
    """As ticker and book spell it, without zeros at the end: 86689, 0.0230723."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    fraction = f"{value % UNIT:0{DECIMALS}d}".rstrip("0").ljust(at_least, "0")
    return f"{sign}{value // UNIT}.{fraction}" if fraction else f"{sign}{value // UNIT}"


def number(value: int) -> int | float:
    """As a JSON number: an integer where it is one."""
    return value // UNIT if value % UNIT == 0 else float(Decimal(value).scaleb(-DECIMALS))
