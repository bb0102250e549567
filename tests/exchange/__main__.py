"""The fake exchange as a process: `python -m tests.exchange --symbols 30 --script random:7:20`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.exchange.clock import Clock
from tests.exchange.control import Control
from tests.exchange.http_server import HttpServer
from tests.exchange.listings import many_symbols
from tests.exchange.market import Activity
from tests.exchange.script import read
from tests.exchange.server import SYMBOLS, FakeExchange


def main() -> None:
    asyncio.run(_run(_parser().parse_args()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the WebSocket side; 0 takes a free one")
    parser.add_argument("--rest-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--symbols", default=",".join(SYMBOLS), help="pairs by comma, or how many")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rate", type=float, default=30.0, help="trades a minute of each pair")
    parser.add_argument("--quiet", type=float, default=0.1, help="share of minutes without a trade")
    parser.add_argument(
        "--burst", type=float, default=0.02, help="share of minutes with 300 trades in a second"
    )
    parser.add_argument("--history-minutes", type=int, default=0)
    parser.add_argument(
        "--offset-ms", type=float, default=0.0, help="how far the clock is ahead of the host's"
    )
    parser.add_argument("--drift-ppm", type=float, default=0.0)
    parser.add_argument(
        "--period-scale", type=float, default=1.0, help="shortens the limits' periods and blocks"
    )
    parser.add_argument("--no-limits", action="store_true")
    parser.add_argument("--ping-seconds", type=float, default=15.0)
    parser.add_argument("--pong-timeout-seconds", type=float, default=45.0)
    parser.add_argument("--script", help="random:SEED:COUNT, or a file of JSON (script.dumps)")
    parser.add_argument("--ledger", type=Path, help="where the ledger is written at the end, as JSON lines")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    """Until SIGTERM, SIGINT or POST /stop. The first line of the output tells the addresses."""
    symbols = _symbols(arguments.symbols)
    exchange = FakeExchange(
        symbols,
        arguments.seed,
        Clock(offset_ms=arguments.offset_ms, drift_ppm=arguments.drift_ppm),
        host=arguments.host,
        port=arguments.port,
        rest_port=arguments.rest_port,
        activity=Activity(arguments.rate, arguments.quiet, arguments.burst),
        history_minutes=arguments.history_minutes,
        limits=not arguments.no_limits,
        period_scale=arguments.period_scale,
        ping_seconds=arguments.ping_seconds,
        pong_timeout_seconds=arguments.pong_timeout_seconds,
    )
    control = Control(exchange)
    port = HttpServer(control.answer, arguments.host, arguments.control_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, control.stopped.set)
    async with exchange:
        await port.listen()
        addresses = {
            "websocket": exchange.websocket_url,
            "rest": exchange.rest_url,
            "control": f"http://{arguments.host}:{port.port}",
        }
        print(json.dumps(addresses), flush=True)
        playing = None
        if arguments.script:
            playing = asyncio.create_task(exchange.play(read(arguments.script, symbols)))
        await control.stopped.wait()
        if playing is not None:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        port.close()
    if arguments.ledger:
        with arguments.ledger.open("w") as sink:
            exchange.ledger.write(sink)


def _symbols(text: str) -> tuple[str, ...]:
    return many_symbols(int(text)) if text.isdecimal() else tuple(text.split(","))


if __name__ == "__main__":
    main()
