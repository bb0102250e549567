"""A drop folder: what is complete is taken once, what is bad is named, what changed becomes a revision."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidSpec, StoreUnavailable
from spark_engine.feeds.providers.bist_files import BistFiles, Poll
from spark_engine.feeds.settings import FeedSettings

HEADER = "date,open,high,low,close,volume\n"
Put = Callable[..., Path]
Settings = Callable[..., FeedSettings]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2024-06-03T18:00")
EARLIER = NOW - 3_600_000


def row(day: str, close: float = 10.5, volume: int = 100) -> str:
    return f"{day},10,11,9,{close},{volume}\n"


def poll(provider: BistFiles, kept: Any, now_ms: int = NOW) -> Poll:
    return asyncio.run(provider.poll(now_ms, kept.known))


def outcomes(polled: Poll) -> dict[str, str]:
    return {report.name: report.outcome for report in polled.files}


def test_a_complete_file_is_taken_once(settings: Settings, put: Put, kept: Any) -> None:
    put("THYAO.csv", HEADER + row("2024-05-30") + row("2024-05-31"), EARLIER)
    provider = BistFiles(settings())
    first = poll(provider, kept)
    assert (first.deliveries[0].changes.new, outcomes(first)) == (2, {"THYAO.csv": "taken"})
    kept.take(provider, first)
    again = poll(provider, kept)
    assert (again.deliveries, again.files) == ((), ())


def test_what_was_not_acknowledged_comes_again(settings: Settings, put: Put, kept: Any) -> None:
    put("THYAO.csv", HEADER + row("2024-05-31"), EARLIER)
    provider = BistFiles(settings())
    assert poll(provider, kept).deliveries == poll(provider, kept).deliveries != ()


def test_after_a_restart_files_that_were_taken_change_nothing(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", HEADER + row("2024-05-31"), EARLIER)
    provider = BistFiles(settings())
    kept.take(provider, poll(provider, kept))
    restarted = poll(BistFiles(settings()), kept)
    assert restarted.deliveries[0].candles == ()
    assert restarted.deliveries[0].changes.unchanged == 1


def test_a_corrected_file_becomes_revisions_of_the_bars_that_differ(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", HEADER + row("2024-05-30") + row("2024-05-31"), EARLIER)
    provider = BistFiles(settings())
    kept.take(provider, poll(provider, kept))
    put("THYAO.csv", HEADER + row("2024-05-30") + row("2024-05-31", close=10.25), EARLIER + 60_000)
    (delivery,) = poll(provider, kept).deliveries
    assert (delivery.changes.new, delivery.changes.revised, delivery.changes.unchanged) == (0, 1, 1)
    (bar,) = delivery.candles
    assert (bar.ts_ms, bar.revision, bar.close / 10**bar.price_scale) == (ms("2024-05-31"), 1, 10.25)


def test_a_price_with_more_decimals_than_before_is_no_change_where_it_is_equal(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", HEADER + row("2024-05-30"), EARLIER)
    provider = BistFiles(settings())
    kept.take(provider, poll(provider, kept))
    put("THYAO.csv", HEADER + row("2024-05-30") + row("2024-05-31", close=10.125), EARLIER + 60_000)
    (delivery,) = poll(provider, kept).deliveries
    assert (delivery.changes.new, delivery.changes.unchanged, delivery.instrument.price_scale) == (1, 1, 3)


def test_of_two_files_with_one_bar_the_one_written_last_is_right_also_after_a_restart(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO_old.csv", HEADER + row("2024-05-31", close=10.0), EARLIER)
    put("THYAO_new.csv", HEADER + row("2024-05-31", close=10.9), EARLIER + 1000)
    provider = BistFiles(settings())
    kept.take(provider, poll(provider, kept))
    assert [bar.close for bar in kept.series("THYAO")] == [109]
    assert poll(BistFiles(settings()), kept).deliveries[0].candles == ()


def test_a_late_file_fills_what_is_missing_and_takes_nothing_back(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO_june.csv", HEADER + row("2024-05-31", close=10.9), EARLIER)
    provider = BistFiles(settings())
    kept.take(provider, poll(provider, kept))
    put("THYAO_may.csv", HEADER + row("2024-05-30") + row("2024-05-31", close=10.0), EARLIER - 60_000)
    (delivery,) = poll(provider, kept).deliveries
    assert [(bar.ts_ms, bar.revision) for bar in delivery.candles] == [(ms("2024-05-30"), 0)]


def test_a_file_that_is_still_being_written_is_waited_for(settings: Settings, put: Put, kept: Any) -> None:
    path = put("THYAO.csv", HEADER + row("2024-05-30"), NOW - 500)
    provider = BistFiles(settings())
    assert outcomes(poll(provider, kept)) == {"THYAO.csv": "waiting"}
    put("THYAO.csv", HEADER + row("2024-05-30") + row("2024-05-31"), NOW + 1000)  # it grew
    assert outcomes(poll(provider, kept, NOW + 1600)) == {"THYAO.csv": "waiting"}
    taken = poll(provider, kept, NOW + 3700)
    assert (outcomes(taken), taken.deliveries[0].changes.new) == ({path.name: "taken"}, 2)


def test_a_file_from_a_host_whose_clock_is_ahead_is_taken_once_it_stands_still(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", HEADER + row("2024-05-31"), NOW + 900_000)
    provider = BistFiles(settings())
    assert outcomes(poll(provider, kept)) == {"THYAO.csv": "waiting"}
    assert outcomes(poll(provider, kept, NOW + 2000)) == {"THYAO.csv": "taken"}


def test_text_that_may_be_cut_in_its_last_line_is_waited_for_longer(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", (HEADER + row("2024-05-31")).rstrip("\n"), NOW - 5000)
    provider = BistFiles(settings())
    assert outcomes(poll(provider, kept)) == {"THYAO.csv": "waiting"}
    assert outcomes(poll(provider, kept, NOW + 60_000)) == {"THYAO.csv": "taken"}


@pytest.mark.parametrize("name", ["THYAO.csv.part", "THYAO.csv.tmp", "THYAO.parquet.crdownload"])
def test_the_name_of_an_unfinished_download_is_waited_for(
    settings: Settings, put: Put, kept: Any, name: str
) -> None:
    put(name, HEADER + row("2024-05-31"), EARLIER)
    assert outcomes(poll(BistFiles(settings()), kept)) == {name: "waiting"}


def test_a_bad_file_is_named_with_its_reason_and_the_others_are_taken(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.csv", HEADER + row("2024-05-30") + "2024-05-31,10,9,11,10,100\n", EARLIER)
    put("EREGL.csv", HEADER + row("2024-05-31"), EARLIER)
    provider = BistFiles(settings())
    polled = poll(provider, kept)
    assert outcomes(polled) == {"THYAO.csv": "quarantined", "EREGL.csv": "taken"}
    assert [delivery.instrument.symbol for delivery in polled.deliveries] == ["EREGL"]
    (bad,) = provider.quarantined
    assert "does not hold open and close" in bad.reason
    kept.take(provider, polled)
    assert poll(provider, kept).files == ()  # it is told once, and stays on the list
    assert [report.name for report in provider.quarantined] == ["THYAO.csv"]


def test_a_bad_file_leaves_the_quarantine_when_it_is_mended_or_gone(
    settings: Settings, put: Put, kept: Any
) -> None:
    path = put("THYAO.csv", "nothing of use\n", EARLIER)
    gone = put("EREGL.parquet", b"PAR1", EARLIER)
    provider = BistFiles(settings())
    poll(provider, kept)
    assert len(provider.quarantined) == 2
    put(path.name, HEADER + row("2024-05-31"), EARLIER + 60_000)
    gone.unlink()
    assert poll(provider, kept).deliveries[0].changes.new == 1
    assert provider.quarantined == ()


def test_a_corrupt_parquet_file_does_not_end_the_process(
    settings: Settings, put: Put, kept: Any, real: Callable[[str], bytes]
) -> None:
    content = bytearray(real("bist_thyao_1d_2021_2026.parquet"))
    content[1000:5000] = b"\xff" * 4000
    put("THYAO.parquet", bytes(content), EARLIER)
    assert outcomes(poll(BistFiles(settings()), kept)) == {"THYAO.parquet": "quarantined"}


def test_the_real_files_are_delivered_and_delivered_again_unchanged(
    settings: Settings, put: Put, kept: Any, real: Callable[[str], bytes]
) -> None:
    now = ms("2026-11-20")
    for name in ("bist_thyao_1d_2021_2026.parquet", "bist_eregl_1d_2021_2026.parquet"):
        put(name, real(name), now - 60_000)
    provider = BistFiles(settings())
    first = poll(provider, kept, now)
    assert [(part.instrument.symbol, part.changes.new) for part in first.deliveries] == [
        ("EREGL", 1250),
        ("THYAO", 1249),
    ]
    kept.take(provider, first)
    again = poll(BistFiles(settings()), kept, now)
    assert [part.changes.unchanged for part in again.deliveries] == [1250, 1249]
    assert [part.candles for part in again.deliveries] == [(), ()]


def test_only_so_many_files_are_read_at_once_and_the_rest_the_next_time(
    settings: Settings, put: Put, kept: Any
) -> None:
    for number in range(260):
        put(f"THYAO_{number:03}.csv", HEADER + row("2024-05-31", volume=number), EARLIER + number)
    provider = BistFiles(settings())
    first = poll(provider, kept)
    assert (len(first.files), first.more) == (256, True)
    kept.take(provider, first)
    rest = poll(provider, kept)
    assert (len(rest.files), rest.more, rest.deliveries[0].candles) == (4, False, ())
    assert [bar.volume for bar in kept.series("THYAO")] == [259]  # of the one written last


def test_a_folder_that_is_not_there_names_the_field(settings: Settings, kept: Any, tmp_path: Path) -> None:
    provider = BistFiles(settings(files=str(tmp_path / "absent")))
    with pytest.raises(StoreUnavailable, match="there is no folder") as raised:
        poll(provider, kept)
    assert raised.value.field == "spec.endpoints.files"


@pytest.mark.parametrize("files", ["ftp://host/drop", "s3://bucket/drop", "http://host/drop"])
def test_a_drop_that_cannot_be_had_is_refused_at_once(settings: Settings, files: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        BistFiles(settings(files=files))
    assert raised.value.field == "spec.endpoints.files"


def test_a_file_uri_names_a_folder_too(settings: Settings, put: Put, kept: Any, tmp_path: Path) -> None:
    put("THYAO.csv", HEADER + row("2024-05-31"), EARLIER)
    assert poll(BistFiles(settings(files=f"file://{tmp_path}/drop")), kept).deliveries


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told_every_time(settings: Settings, put: Put, kept: Any) -> None:
    put("THYAO.csv", HEADER + row("2024-05-31"), EARLIER).chmod(0)
    provider = BistFiles(settings())
    assert [outcomes(poll(provider, kept)) for _ in range(2)] == [{"THYAO.csv": "quarantined"}] * 2


def test_corporate_actions_are_one_form_under_the_name_of_their_digest(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.actions.csv", "ex_date;splits;cash\n20240603;;2.5\n20240102;2;\n", EARLIER)
    polled = poll(BistFiles(settings()), kept)
    (actions,) = polled.actions
    assert actions.content == b"date,split,dividend\n2024-01-02,2.0,\n2024-06-03,,2.5\n"
    assert actions.path == f"THYAO/actions/{actions.sha256[:16]}.csv"
    assert outcomes(polled) == {"THYAO.actions.csv": "taken"}


def test_one_table_of_actions_may_be_of_many_symbols(settings: Settings, put: Put, kept: Any) -> None:
    put(
        "actions.csv",
        "symbol,date,split,dividend\nEREGL.E,2024-03-20,,1\nTHYAO.IS,2024-06-03,,2.5\nAKBNK,2024-01-01,2,\n",
        EARLIER,
    )
    found = poll(BistFiles(settings()), kept).actions
    assert [(part.symbol, part.rows) for part in found] == [("EREGL", 1), ("THYAO", 1)]


def test_actions_of_another_share_are_never_those_of_the_only_one(
    settings: Settings, put: Put, kept: Any
) -> None:
    put("THYAO.actions.csv", "date,split\n2024-06-03,2\n", EARLIER - 60_000)
    put("GARAN.actions.csv", "date,split\n2024-05-02,5\n", EARLIER)
    put("GARAN/actions.csv", "date,split\n2024-05-02,5\n", EARLIER)
    polled = poll(BistFiles(settings(symbols=("THYAO",))), kept)
    assert [part.content for part in polled.actions] == [b"date,split,dividend\n2024-06-03,2.0,\n"]
    assert outcomes(polled) == {
        "THYAO.actions.csv": "taken",
        "GARAN.actions.csv": "quarantined",
        "GARAN/actions.csv": "quarantined",
    }


def test_actions_without_a_name_are_of_the_only_share(settings: Settings, put: Put, kept: Any) -> None:
    put("actions.csv", "date,split\n2024-06-03,2\n", EARLIER)
    polled = poll(BistFiles(settings(symbols=("THYAO",))), kept)
    assert [part.symbol for part in polled.actions] == ["THYAO"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("actions.csv", "date,split\n2024-01-02,2\n", "name it SYMBOL.actions.csv"),
        ("THYAO.actions.csv", "date,price\n2024-01-02,2\n", "has neither price_factor"),
        ("THYAO.actions.csv", "date,split\n2024-01-02,2\n2024-01-02,3\n", "two rows of THYAO"),
        ("THYAO.actions.csv", "date,split\nsoon,2\n", "is not a time"),
    ],
)
def test_a_bad_file_of_actions_is_quarantined(
    settings: Settings, put: Put, kept: Any, name: str, content: str, said: str
) -> None:
    put(name, content, EARLIER)
    provider = BistFiles(settings())
    assert poll(provider, kept).actions == ()
    assert said in provider.quarantined[0].reason


def test_a_run_can_be_adjusted_by_delivered_actions(
    settings: Settings, put: Put, kept: Any, tmp_path: Path
) -> None:
    put("THYAO.actions.csv", "date,split\n2024-05-31,2\n", EARLIER)
    (actions,) = poll(BistFiles(settings()), kept).actions
    beside = tmp_path / "archive" / "BIST" / actions.path
    beside.parent.mkdir(parents=True)
    beside.write_bytes(actions.content)
    source = tmp_path / "THYAO_raw.csv"
    source.write_text(HEADER + "".join(row(day) for day in ("2024-05-29", "2024-05-30", "2024-05-31")))
    candles = read_candles(
        CandleRequest(
            str(source), "THYAO", "1d", calendar="XIST", adjustment="Splits", adjustment_uri=str(beside)
        )
    )
    assert list(candles.close) == [5.25, 5.25, 10.5]
