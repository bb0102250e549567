"""Real candles inside the package, so that a fresh install can run at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark_engine.data.names import plain_symbol
from spark_engine.data.request import timeframe_ms
from spark_engine.errors import InvalidData

SCHEME: Final = "sample://"
FOLDER: Final = Path(__file__).with_name("samples")


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    symbol: str
    timeframe: str
    file: str
    about: str

    @property
    def uri(self) -> str:
        return SCHEME + self.name

    @property
    def path(self) -> Path:
        return FOLDER / self.file


SAMPLES: Final = (
    Sample(
        name="btcusdt-1h",
        symbol="BTCUSDT",
        timeframe="1h",
        file="btcusdt_1h_binance_2017_2024.parquet",
        about="Binance spot, 2017-08-17 to 2024-04-21, 58,419 bars, 28 outages (MIT, TradingStrategyGA)",
    ),
)


def find_sample(uri: str) -> Sample:
    """Raises `InvalidData` for a name that is not in the package."""
    for sample in SAMPLES:
        if uri == sample.uri:
            return sample
    allowed = ", ".join(sample.uri for sample in SAMPLES)
    raise InvalidData(f"there is no {uri[:100]}; the samples are {allowed}", field="spec.data.uri")


def check_sample(sample: Sample, symbol: str, timeframe: str) -> None:
    """Raises `InvalidData` if `sample` is of another symbol or of longer bars than asked."""
    has = f"{sample.uri} has {sample.symbol} in bars of {sample.timeframe}"
    if plain_symbol(symbol) != plain_symbol(sample.symbol):
        raise InvalidData(f"{symbol} was asked; {has}", field="spec.market.symbol")
    if timeframe_ms(timeframe) < timeframe_ms(sample.timeframe):
        raise InvalidData(f"bars of {timeframe} were asked; {has}, or longer", field="spec.market.timeframe")
