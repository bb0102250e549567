"""`backtest data`: looks at candles before a run does, mends, archives and fetches them."""

from __future__ import annotations

import argparse

from spark_engine.command import data_convert, data_fetch, data_inspect, data_repair
from spark_engine.command.usage import Subparsers, add_command

DETAILS = """\
examples:
  backtest data inspect candles/ETHUSDT_1h.csv.gz
  backtest data inspect THYAO.parquet --calendar XIST
  backtest data repair candles/ETHUSDT_1h.csv.gz
  backtest data repair candles/ETHUSDT_1h.csv.gz --out ETHUSDT_1h.parquet
  backtest data convert ETHUSDT_1h.parquet --to archive --venue binance
  backtest data fetch --provider binance-spot --symbol BTCUSDT --start 2024-01-01 --to archive

Dirty data is no error here: it is counted, and mended only where one asks for it.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands, "data", data_inspect.inspect, "look at candles, mend them, archive them", DETAILS
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in (data_inspect, data_repair, data_convert, data_fetch):
        action.configure(actions)
