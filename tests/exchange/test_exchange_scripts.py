"""Sequences of faults, and the exchange in a thread and in a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.exchange import Activity, FakeExchange, Step, Trade, faults, random_script, script
from tests.exchange.plain import PATIENCE_SECONDS, plain_socket
from tests.exchange.speed import Flood
from tests.exchange.threaded import ExchangeThread

ROOT = Path(__file__).resolve().parents[2]
PAIRS = ("BTCTRY", "ETHTRY")


def test_a_seed_writes_the_same_script() -> None:
    assert random_script(7, 30, PAIRS) == random_script(7, 30, PAIRS)
    assert random_script(7, 30, PAIRS) != random_script(8, 30, PAIRS)


def test_scripts_by_chance_use_every_fault_but_those_that_change_the_venue_for_good() -> None:
    used = {type(step.fault) for step in random_script(1, 2000, PAIRS)}
    unused = set(faults.FAULTS) - used
    assert unused == {faults.ClockStep, faults.Midnight, faults.Delisted}


def test_a_script_is_read_back_as_it_was_written() -> None:
    written = random_script(3, 40, PAIRS)
    assert script.loads(script.dumps(written)) == written


@pytest.mark.parametrize(
    "text", ['[{"fault":"Earthquake"}]', '[{"fault":"Silence","with":{"loud":true}}]', "[{]"]
)
def test_a_senseless_script_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Earthquake|loud|Expecting"):
        script.loads(text)


def test_a_script_by_chance_plays_to_its_end_with_clients_coming_and_going() -> None:
    async def played() -> None:
        busy = Activity(per_minute=1200, quiet=0)
        steps = random_script(11, 25, PAIRS, pause_seconds=(0.0, 0.06))
        short = [Step(step.after_seconds, shortened(step.fault)) for step in steps]
        async with FakeExchange(PAIRS, activity=busy, limits=False) as exchange:
            playing = asyncio.create_task(exchange.play(short))
            while not playing.done():
                try:
                    async with plain_socket(exchange.websocket_url, open_timeout=0.3) as socket:
                        await socket.join("trade", "BTCTRY")
                        await socket.next(422, timeout=0.2)
                except Exception:  # noqa: S110 - whatever the fault of the moment does to a client
                    pass
            records = playing.result()
            assert [record.fault for record in records] == [step.fault for step in short]
            assert all(record.ended_ns is not None for record in records)
            async with plain_socket(exchange.websocket_url) as socket:
                await socket.join("trade", "BTCTRY")
                await socket.next(422)

    def shortened(fault: faults.Fault) -> faults.Fault:
        return type(fault)(seconds=min(fault.seconds, 0.1))

    asyncio.run(asyncio.wait_for(played(), 60))


def test_a_flood_arrives_whole_and_in_order() -> None:
    async def flooded() -> None:
        async with (
            FakeExchange(PAIRS, live=False) as exchange,
            plain_socket(exchange.websocket_url, max_queue=None) as socket,
        ):
            with pytest.raises(ValueError, match="no socket has joined"):
                await Flood(exchange, 1).send()
            for pair in PAIRS:
                await socket.join("trade", pair)
                await socket.next(421)
            before = len(exchange.ledger)
            sent = asyncio.create_task(Flood(exchange, 5000).send())
            got = [await socket.next(422) for _ in range(5000)]
            assert (await sent).frames == 5000
            made = list(exchange.ledger)[before:]
            assert [(one["PS"], one["I"]) for one in got] == [(one.symbol, one.id) for one in made]

    asyncio.run(flooded())


def test_a_flood_can_be_paced() -> None:
    async def paced() -> float:
        async with (
            FakeExchange(PAIRS, live=False) as exchange,
            plain_socket(exchange.websocket_url, max_queue=None) as socket,
        ):
            for pair in PAIRS:
                await socket.join("trade", pair)
                await socket.next(421)
            return (await Flood(exchange, 500).send(per_second=2000)).seconds

    assert asyncio.run(paced()) >= 0.24


def test_it_runs_in_a_thread_of_its_own() -> None:
    with ExchangeThread(symbols=PAIRS, live=False) as running:
        made = running.trade("BTCTRY", price="3765500")
        record = running.inject(faults.ClockStep(by_ms=10))
        running.call(record.ended())
        rows = call(running.exchange.rest_url, "/api/v2/trades?pairSymbol=BTCTRY")["data"]
        assert [row["tid"] for row in rows] == [made.id]


def test_it_runs_as_a_process_and_writes_its_ledger_at_the_end(tmp_path: Path) -> None:
    ledger, quiet = tmp_path / "ledger.jsonl", tmp_path / "script.json"
    quiet.write_text(script.dumps([Step(0.0, faults.WrongServerTime(seconds=60.0))]))
    command = [
        sys.executable,
        "-m",
        "tests.exchange",
        "--symbols",
        "3",
        "--rate",
        "6000",
        "--ledger",
        str(ledger),
    ]
    command += ["--script", str(quiet), "--history-minutes", "2", "--seed", "4"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
        contextlib.ExitStack() as killer,
    ):
        killer.callback(process.kill)
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert set(addresses) == {"websocket", "rest", "control"}
        state = call(addresses["control"], "/state")
        assert set(state["trades"]) == {"BTCTRY", "ETHTRY", "USDTTRY"}
        begun = call(addresses["control"], "/inject", {"fault": "ClockStep", "with": {"by_ms": 5}})
        assert begun["with"]["by_ms"] == 5
        with pytest.raises(urllib.error.HTTPError, match="400"):
            call(addresses["control"], "/inject", {"fault": "Earthquake"})
        made = call(addresses["control"], "/trade", {"symbol": "BTCTRY", "price": "3765499"})
        assert "ClockStep" in [one["fault"] for one in call(addresses["control"], "/faults")]
        assert call(addresses["control"], "/klines?symbol=BTCTRY")
        asyncio.run(joined(addresses["websocket"]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    trades = [Trade(**json.loads(line)) for line in ledger.read_text().splitlines()]
    assert made in [{name: getattr(one, name) for name in made} for one in trades]


async def joined(url: str) -> None:
    async with plain_socket(url) as socket:
        await socket.join("ticker", "all")
        assert (await socket.next(100))["ok"] is True


def call(base: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(base + path, data, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - loopback
        return json.load(response)
