"""What a person sees of a feed that cannot work: the cause in words, a metric, no loop of crashes.

Every one is the real command in a process of its own, which stops within seconds of SIGTERM.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from spark_engine.execute.manifest import load_object
from spark_engine.feeds.archive.archive import Archive

from tests.conftest import EXAMPLE
from tests.exchange.ledger import Trade
from tests.exchange.market import Activity
from tests.exchange.threaded import ExchangeThread
from tests.feed_process import PATIENCE_SECONDS, FeedProcess, endpoints_of, manifest_of
from tests.ports import free_port
from tests.s3.fixtures import S3

Manifest = dict[str, Any]
# No domain of the machine's own is searched, and a name server that does not answer is not waited for.
RESOLVER = {"LOCALDOMAIN": "invalid", "RES_OPTIONS": "timeout:1 attempts:1"}


@pytest.fixture(scope="module")
def exchange() -> Iterator[ExchangeThread]:
    activity = Activity(quiet=0.0, burst=0.0)  # trades come in every minute
    with ExchangeThread(
        symbols=("BTCTRY", "ETHTRY"), seed=5, history_minutes=2, activity=activity, limits=False
    ) as running:
        yield running


@pytest.fixture
def manifest(exchange: ExchangeThread, tmp_path: Path) -> Manifest:
    """A feed that works, to be spoilt in one place by a test."""
    return manifest_of("spoilt", tmp_path / "archive", endpoints=endpoints_of(exchange))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small file system of its own; its options are those of tmpfs."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True
        )
        if done.returncode:
            pytest.skip(f"needs root that may mount a tmpfs: {done.stderr.decode().strip()}")
        mounted.append(place)
        return place

    if shutil.which("mount") is None:
        pytest.skip("needs mount(8) for a file system of its own")
    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Until nothing more fits."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    return filler


def set_field(manifest: Manifest, path: str, value: object) -> None:
    *parents, name = path.split(".")
    node = manifest
    for parent in parents:
        node = node.setdefault(parent, {})
    if value is None:
        del node[name]
    else:
        node[name] = value


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("spec.provider", "kraken", "spec.provider"),
        ("spec.symbols", ["BTCTRY", "btc/try"], "spec.symbols[1]"),
        ("spec.endpoints.rest", "http://127.0.0.1:99999", "spec.endpoints.rest"),
        ("spec.endpoints.webSocket", "http://127.0.0.1/", "spec.endpoints.webSocket"),
        ("spec.storage.uri", None, "spec.storage.uri"),
        ("spec.storage.uri", "ftp://host/archive", "spec.storage.uri"),
        ("spec.staleAfter", "0s", "spec.staleAfter"),
        ("spec.calendar", "XIST", "spec.calendar"),
        ("spec.symbol", "BTCTRY", "spec.symbol"),
    ],
)
def test_a_bad_field_ends_with_10_and_is_named(
    field: str, value: object, named: str, manifest: Manifest, tmp_path: Path
) -> None:
    set_field(manifest, field, value)
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        assert feed.ended() == 10, feed.said
    first, *more = [line for line in feed.said.splitlines() if "health on port" not in line]
    assert first.startswith(f"error: {named}")
    assert all(line.startswith("  ") for line in more)  # what the field is for


def test_a_manifest_of_another_kind_ends_with_10(tmp_path: Path) -> None:
    run = load_object(EXAMPLE.read_bytes(), str(EXAMPLE))
    with FeedProcess(run, tmp_path / "feed") as feed:
        assert feed.ended() == 10
    assert "MarketDataFeed" in feed.said
    assert "Traceback" not in feed.said


def test_a_port_that_is_taken_ends_with_10_and_is_named(manifest: Manifest, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with FeedProcess(manifest, tmp_path / "feed", "--port", port) as feed:
            assert feed.ended() == 10
    assert f"port: nothing can listen on {port} of 127.0.0.1: Address already in use" in feed.said


def test_a_wrong_duration_is_a_matter_of_usage(manifest: Manifest, tmp_path: Path) -> None:
    with FeedProcess(manifest, tmp_path / "feed", "--for", "ten minutes") as feed:
        assert feed.ended() == 2
    assert "--for" in feed.said
    assert "Traceback" not in feed.said


@pytest.mark.parametrize(
    ("endpoints", "cause"),
    [
        ({"rest": "http://127.0.0.1:{port}"}, "connection refused"),
        ({"rest": "http://no-such-host.invalid"}, "its name cannot be resolved"),
    ],
    ids=["nobody listens", "unknown name"],
)
def test_a_venue_that_cannot_be_reached_over_rest_is_said_and_tried_again(
    endpoints: dict[str, str], cause: str, manifest: Manifest, tmp_path: Path, refused_port: int
) -> None:
    manifest["spec"]["endpoints"] |= {name: url.format(port=refused_port) for name, url in endpoints.items()}
    with FeedProcess(manifest, tmp_path / "feed", **RESOLVER) as feed:
        feed.says(cause)
        assert feed.get("/healthz") == (200, "ok\n")
        status, reasons = feed.get("/readyz")
        assert (status, cause in reasons) == (503, True)
        health = feed.health()
        assert (health["wsUp"], health["fresh"], cause in health["problem"]) == (False, False, True)
        feed.until(lambda: feed.metric('feed_rest_events_total{event="unavailable"}') >= 2, "it gave up")
        assert feed.metric("btcturk_ws_up") == 0
        assert feed.stopped() == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ws://127.0.0.1:{port}/", "connection refused"),
        ("ws://no-such-host.invalid/", "name"),
        ("wss://{exchange}/", "cannot be reached"),
    ],
    ids=["nobody listens", "unknown name", "TLS to a port without"],
)
def test_a_socket_that_cannot_be_opened_is_said_counted_and_tried_again(
    url: str, reason: str, manifest: Manifest, tmp_path: Path, refused_port: int
) -> None:
    endpoints = manifest["spec"]["endpoints"]
    exchange = endpoints["webSocket"].removeprefix("ws://").rstrip("/")
    endpoints["webSocket"] = url.format(port=refused_port, exchange=exchange)
    with FeedProcess(manifest, tmp_path / "feed", **RESOLVER) as feed:
        feed.says(reason)
        assert reason in feed.get("/readyz")[1]
        assert feed.get("/healthz")[0] == 200
        feed.until(lambda: feed.metric('btcturk_reconnects_total{reason="unreachable"}') >= 2, "it gave up")
        assert feed.metric('feed_reconnects_total{reason="unreachable"}') >= 2
        assert not feed.health()["wsUp"]
        assert feed.stopped() == 0


def test_before_the_venue_has_answered_the_symbols_and_the_archive_are_told_as_they_are(
    manifest: Manifest, tmp_path: Path, refused_port: int
) -> None:
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(lambda: feed.health().get("archive", {}).get("commit", 0) >= 2)
        assert feed.stopped() == 0
    series = (tmp_path / "archive" / "btcturk-spot").glob("*/*/manifest.json")
    highest = max(json.loads(path.read_bytes())["commit"] for path in series)
    manifest["spec"]["endpoints"]["rest"] = f"http://127.0.0.1:{refused_port}"
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.says("connection refused")
        health = feed.health()
        states = [(each["symbol"], each["state"]) for each in health["symbols"]]
        assert states == [("BTCTRY", "requested"), ("ETHTRY", "requested")]
        assert feed.metric('feed_subscription_state{state="requested"}') == 2
        assert "requested: BTCTRY, ETHTRY" in health["notFresh"]
        assert health["archive"]["commit"] == highest
        assert feed.metric("feed_archive_commit") == highest
        assert feed.stopped() == 0


def test_an_unknown_symbol_is_named_and_the_others_go_on(manifest: Manifest, tmp_path: Path) -> None:
    manifest["spec"]["symbols"] = ["BTCTRY", "ETHTRI"]
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(lambda: feed.health().get("fresh"))
        assert "spec.symbols: btcturk-spot does not trade ETHTRI; did you mean ETHTRY?" in feed.said
        states = {each["symbol"]: each["state"] for each in feed.health()["symbols"]}
        assert states["ETHTRI"] == "refused"
        assert feed.metric('feed_subscription_state{state="refused"}') == 1
        feed.until(lambda: feed.metric('feed_subscription_state{state="live"}') == 1)
        assert feed.get("/readyz")[0] == 200
        assert feed.stopped() == 0


def test_where_no_symbol_is_known_the_feed_waits_and_says_so(manifest: Manifest, tmp_path: Path) -> None:
    manifest["spec"]["symbols"] = ["XXXTRY", "ETHTRI"]
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.says("does not trade XXXTRY")
        status, reasons = feed.get("/readyz")
        assert (status, "it trades none of spec.symbols: ETHTRI, XXXTRY" in reasons) == (503, True)
        assert feed.get("/healthz")[0] == 200
        assert feed.metric('feed_subscription_state{state="refused"}') == 2
        assert feed.stopped() == 0


def test_a_disk_that_fills_up_is_said_and_nothing_is_lost_once_there_is_room(
    manifest: Manifest, tmp_path: Path, disk: Callable[[str], Path], exchange: ExchangeThread
) -> None:
    place = disk("size=4m")
    archive = manifest["spec"]["storage"]["uri"] = str(place / "archive")
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(lambda: feed.health().get("fresh"))
        filler = fill(place)
        for _ in range(200):
            exchange.trade("BTCTRY")
        feed.says("No space left on device")
        assert feed.metric('feed_storage_errors_total{cause="full"}') >= 1
        health = feed.health()
        assert "No space left" in (health["storageError"] or health["archive"]["error"])
        assert feed.get("/healthz") == (200, "ok\n")
        filler.unlink()
        feed.until(
            lambda: not feed.health()["storageError"] and not feed.health()["archive"]["error"],
            "it did not get over it",
        )
        last = exchange.trade("BTCTRY")
        feed.until(lambda: (feed.health()["symbols"][0]["lastTick"] or "") >= _iso(last.time_ms))
        assert feed.stopped() == 0
    assert_no_trade_is_missing(archive, tmp_path, exchange, last)


def test_a_feed_that_is_stopped_while_the_disk_is_full_says_what_becomes_of_its_rows(
    manifest: Manifest, tmp_path: Path, disk: Callable[[str], Path], exchange: ExchangeThread
) -> None:
    place = disk("size=4m")
    manifest["spec"]["storage"]["uri"] = str(place / "archive")
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(lambda: feed.health().get("fresh"))
        fill(place)
        exchange.trade("BTCTRY")
        feed.says("No space left on device")
        assert feed.stopped() == 21
    assert "for the next start" in feed.said or "are lost" in feed.said
    assert "all that was received is in the archive" not in feed.said


def test_rows_that_only_memory_held_on_a_full_disk_are_told_as_lost(
    manifest: Manifest, tmp_path: Path, disk: Callable[[str], Path], exchange: ExchangeThread
) -> None:
    place = disk("size=4m")
    archive = str(place / "archive")
    manifest["spec"]["storage"] = {"uri": archive, "flushInterval": "1h"}
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(lambda: feed.health().get("archive", {}).get("journalRows"))
        filler = fill(place)
        feed.until(lambda: exchange.trade("BTCTRY") and feed.health().get("storageError"))
        last = exchange.trade("BTCTRY")
        feed.until(lambda: (feed.health()["symbols"][0]["lastTick"] or "") >= _iso(last.time_ms))
        assert feed.stopped() == 21
    filler.unlink()
    assert last.id not in archived(archive, place / "archive" / ".journal" / "btcturk-spot" / "spoilt")
    assert "rows that were received are lost" in feed.said
    assert "what else was received waits in" in feed.said  # what the journal had taken before


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def unread() -> int:
    """The end of a pipe whose reader has gone, as that of `2>&1 | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("stderr", [full, unread])
def test_a_feed_that_cannot_say_anything_goes_on(
    stderr: Callable[[], int], manifest: Manifest, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "feed.json").write_text(json.dumps(manifest))
    words = ["feed", "run", "-f", "feed.json", "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "spark_engine.command.main", *words]
    told = stderr()
    try:
        with subprocess.Popen(command, cwd=tmp_path, stderr=told) as process:
            end = time.monotonic() + PATIENCE_SECONDS
            while not is_ready(port):
                assert process.poll() is None, f"it ended with {process.returncode}"
                assert time.monotonic() < end
                time.sleep(0.05)
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        os.close(told)


@pytest.mark.parametrize("stderr", [full, unread])
def test_an_error_that_cannot_be_said_keeps_its_exit_code(stderr: Callable[[], int]) -> None:
    command = [sys.executable, "-m", "spark_engine.command.main", "feed", "run", "-f", "nowhere.yaml"]
    told = stderr()
    try:
        assert subprocess.run(command, stderr=told).returncode == 2
    finally:
        os.close(told)


def is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("what", ["archive", "state"])
def test_a_read_only_directory_is_said_and_waited_for(
    what: str, manifest: Manifest, tmp_path: Path, disk: Callable[[str], Path]
) -> None:
    place = disk("size=4m,ro")
    options: tuple[object, ...] = ("--state", place / "state" if what == "state" else tmp_path / "state")
    if what == "archive":
        manifest["spec"]["storage"]["uri"] = str(place / "archive")
    with FeedProcess(manifest, tmp_path / "feed", *options) as feed:
        feed.says(f"{place / what}")
        feed.says("Read-only file system")
        status, reasons = feed.get("/readyz")
        assert (status, "storage: " in reasons, "Read-only file system" in reasons) == (503, True, True)
        assert feed.get("/healthz") == (200, "ok\n")
        feed.until(lambda: feed.metric('feed_storage_errors_total{cause="read_only"}') >= 2, "it gave up")
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
        feed.until(lambda: feed.health()["fresh"], "it did not see that it may write")
        assert feed.stopped() == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; a read-only mount is tested instead")
def test_a_directory_that_others_own_is_said_and_waited_for(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir(mode=0o555)
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.says("Permission denied")
        feed.until(lambda: feed.metric('feed_storage_errors_total{cause="denied"}') >= 2, "it gave up")
        assert feed.stopped() == 0


def test_an_archive_that_another_feed_writes_is_waited_for(manifest: Manifest, tmp_path: Path) -> None:
    archive = Archive.open(
        manifest["spec"]["storage"]["uri"], venue="btcturk-spot", journal=tmp_path / "other", writer="first"
    )
    try:
        with FeedProcess(manifest, tmp_path / "feed") as feed:
            feed.says("is being written by first, process ")
            assert "is being written by first" in feed.get("/readyz")[1]
            feed.until(lambda: feed.metric('feed_storage_errors_total{cause="locked"}') >= 2, "it gave up")
            archive.abandon()
            feed.until(lambda: feed.health()["fresh"], "it did not take over")
            assert feed.stopped() == 0
    finally:
        archive.abandon()


def test_a_damaged_manifest_is_named_and_nothing_is_written_over_it(
    manifest: Manifest, tmp_path: Path
) -> None:
    path = tmp_path / "archive" / "btcturk-spot" / "BTCTRY" / "trades" / "manifest.json"
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.until(path.exists)
        assert feed.stopped() == 0
    whole = path.read_bytes()
    damaged = whole.replace(b'"commit":', b'"commit":1', 1)
    path.write_bytes(damaged)
    with FeedProcess(manifest, tmp_path / "feed") as feed:
        feed.says("btcturk-spot/BTCTRY/trades/manifest.json: sha256: ")
        assert "the file is damaged" in feed.get("/readyz")[1]
        assert feed.get("/healthz") == (200, "ok\n")
        feed.until(lambda: feed.metric('feed_storage_errors_total{cause="corrupt"}') >= 2, "it gave up")
        assert path.read_bytes() == damaged
        path.write_bytes(whole)
        feed.until(lambda: feed.health()["fresh"], "it did not see that it is whole")
        assert feed.stopped() == 0


def files_manifest(tmp_path: Path, **endpoints: str) -> Manifest:
    return manifest_of(
        "files",
        tmp_path / "archive",
        provider="bist-files",
        symbols=["THYAO"],
        endpoints={"files": str(tmp_path / "drop"), **endpoints},
    )


def test_a_drop_folder_that_is_away_is_said_and_waited_for(tmp_path: Path) -> None:
    with FeedProcess(files_manifest(tmp_path), tmp_path / "feed") as feed:
        feed.says(f"spec.endpoints.files: there is no folder {tmp_path / 'drop'}")
        status, reasons = feed.get("/readyz")
        assert (status, "there is no folder" in reasons) == (503, True)
        assert feed.get("/healthz") == (200, "ok\n")
        assert feed.metric("feed_ws_up") == 0
        assert feed.stopped() == 0


def test_a_page_of_files_that_does_not_answer_is_said_and_a_stop_does_not_wait_for_it(
    tmp_path: Path, refused_port: int
) -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/drop/"
        with FeedProcess(files_manifest(tmp_path, files=url), tmp_path / "silent") as feed:
            feed.until(lambda: feed.metric('feed_rest_events_total{event="sent"}') == 1)
            assert feed.health()["problem"] == "the files were not looked at yet"
            assert feed.stopped() == 0
    url = f"http://127.0.0.1:{refused_port}/drop/"
    with FeedProcess(files_manifest(tmp_path, files=url), tmp_path / "away") as feed:
        feed.says(f"the files cannot be looked at: 127.0.0.1:{refused_port}/drop/: connection refused")
        assert "connection refused" in feed.get("/readyz")[1]
        assert feed.metric('feed_rest_events_total{event="unavailable"}') == 1
        assert feed.stopped() == 0


def test_a_damaged_file_is_quarantined_by_name_and_the_feed_goes_on(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "THYAO.parquet").write_bytes(b"PAR1 this is no parquet PAR1")
    (drop / "THYAO.csv").write_text("date,open,high,low,close,volume\n2024-05-31,10,11,9,10,5\n")
    for path in drop.iterdir():
        os.utime(path, (1_717_200_000, 1_717_200_000))
    with FeedProcess(files_manifest(tmp_path), tmp_path / "feed") as feed:
        feed.says("THYAO.parquet is quarantined")
        feed.until(lambda: feed.health()["lastTick"])
        (bad,) = feed.health()["quarantined"]
        assert bad["file"] == "THYAO.parquet"
        assert feed.metric('feed_parse_errors_total{type="file"}') == 1
        assert "are overdue: THYAO" in feed.get("/readyz")[1]
        assert feed.stopped() == 0
    assert (tmp_path / "archive" / "bist-files" / "THYAO" / "1d" / "manifest.json").exists()


def test_what_a_file_is_called_cannot_drive_the_terminal_nor_forge_a_line(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    file = drop / "THYAO\x1b[2J\nbist-files: all is well.csv"
    file.write_text("no columns\n")
    os.utime(file, (1_717_200_000, 1_717_200_000))
    with FeedProcess(files_manifest(tmp_path), tmp_path / "feed") as feed:
        feed.says("is quarantined")
        assert feed.stopped() == 0
    assert "\x1b" not in feed.said
    assert not [line for line in feed.said.splitlines() if line.startswith("bist-files")]


@pytest.mark.s3
def test_wrong_credentials_are_said_and_waited_for(manifest: Manifest, tmp_path: Path, s3: S3) -> None:
    manifest["spec"]["storage"]["uri"] = f"s3://{s3.bucket}/refused"
    state = "--state", tmp_path / "state"
    wrong = {"AWS_SECRET_ACCESS_KEY": "another"}
    with FeedProcess(manifest, tmp_path / "feed", *state, **wrong) as feed:
        feed.says("check the credentials in the environment")
        assert "check the credentials" in feed.get("/readyz")[1]
        assert feed.get("/healthz") == (200, "ok\n")
        feed.until(lambda: feed.metric('feed_storage_errors_total{cause="denied"}') >= 2, "it gave up")
        assert feed.stopped() == 0


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_said_and_waited_for(
    manifest: Manifest, tmp_path: Path, s3: S3
) -> None:
    assert s3.bucket != "no-such-bucket"
    manifest["spec"]["storage"]["uri"] = "s3://no-such-bucket/feeds"
    with FeedProcess(manifest, tmp_path / "feed", "--state", tmp_path / "state") as feed:
        feed.says("no-such-bucket")
        feed.until(lambda: feed.get("/readyz")[0] == 503 and feed.health()["storageError"])
        assert feed.stopped() == 0


def test_a_store_that_does_not_answer_is_said_once_and_waited_for(
    manifest: Manifest, tmp_path: Path, refused_port: int
) -> None:
    manifest["spec"]["storage"]["uri"] = "s3://candles/feeds"
    endpoint = f"http://127.0.0.1:{refused_port}"
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    state = "--state", tmp_path / "state"
    with FeedProcess(manifest, tmp_path / "feed", *state, AWS_ENDPOINT_URL=endpoint, **keys) as feed:
        feed.says("(Connection refused)")
        assert endpoint in feed.get("/readyz")[1]
        feed.until(lambda: feed.metric('feed_storage_errors_total{cause="unreachable"}') >= 2, "it gave up")
        assert feed.said.count("Connection refused") == 1
        assert feed.stopped() == 0


def archived(archive: str, journal: Path) -> list[str]:
    """Ids of the trades of BTCTRY, with what waits in the journal."""
    held = Archive.open(archive, venue="btcturk-spot", journal=journal, writer="a test")
    try:
        return [tick.id for tick in held.ticks_since("BTCTRY", 0)]
    finally:
        held.close()


def assert_no_trade_is_missing(archive: str, folder: Path, running: ExchangeThread, last: Trade) -> None:
    """From the first archived trade to `last` at least, the archive has what the exchange made."""
    held = Archive.open(archive, venue="btcturk-spot", journal=folder / "again", writer="a test")
    try:
        for symbol in ("BTCTRY", "ETHTRY"):
            found = [tick.id for tick in held.ticks_since(symbol, 0)]
            trades = running.exchange.ledger.trades(symbol)
            made = [trade.id for trade in trades]
            since = made.index(found[0])
            assert sorted(found) == sorted(made[since : since + len(found)])
            assert {trade.id for trade in trades[since:] if trade.time_ms < last.time_ms} <= set(found)
    finally:
        held.close()


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
