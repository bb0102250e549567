"""A drop behind HTTP, against a real server on a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.provider import Malformed
from spark_engine.feeds.providers.bist import web
from spark_engine.feeds.providers.bist.web import read_listing
from spark_engine.feeds.providers.bist_files import BistFiles, Poll
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestRefused
from spark_engine.feeds.settings import FeedSettings

HEADER = "date,open,high,low,close,volume\n"
NOW = round(datetime(2024, 6, 3, 18, tzinfo=UTC).timestamp() * 1000)
Settings = Callable[..., FeedSettings]


class Site:
    """pages: path to body. asked: paths in the order of requests. written: Last-Modified by path."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.written: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.pages.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(body or b"")))
                if self.path in site.written:
                    self.send_header("last-modified", site.written[self.path])
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def publish(self, name: str, rows: str, line: str = "") -> None:
        self.pages[f"/drop/{name}"] = (HEADER + rows).encode()
        self.pages.setdefault("/drop/", b"<h1>Index</h1><a href='../'>up</a>\n")
        self.pages["/drop/"] += f"<a href='{name}'>{name}</a>  {line}\n".encode()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def polls(settings: FeedSettings, kept: Any, *between: Callable[[], None], apart_ms: int = 0) -> list[Poll]:
    """One look, then one after each change; all are acknowledged."""

    async def look() -> list[Poll]:
        client = RestClient(user_agent="test")
        provider = BistFiles(settings, client)
        found = []
        try:
            for number, change in enumerate((lambda: None, *between)):
                change()
                found.append(await provider.poll(NOW + number * apart_ms, kept.known))
                kept.take(provider, found[-1])
        finally:
            await client.close()
        return found

    return asyncio.run(look())


def row(day: str, close: float = 10.5) -> str:
    return f"{day},10,11,9,{close},100\n"


def test_one_file_is_fetched_and_its_correction_is_a_revision(
    site: Site, settings: Settings, kept: Any
) -> None:
    site.publish("THYAO.csv", row("2024-05-31"))
    first, same, corrected = polls(
        settings(files=f"{site.url}/drop/THYAO.csv"),
        kept,
        lambda: None,
        lambda: site.publish("THYAO.csv", row("2024-05-31", 10.25)),
    )
    assert first.deliveries[0].changes.new == 1
    assert (same.deliveries, same.files) == ((), ())
    assert corrected.deliveries[0].changes.revised == 1


def test_a_listing_is_read_and_only_lines_that_differ_are_fetched_again(
    site: Site, settings: Settings, kept: Any
) -> None:
    site.publish("THYAO.csv", row("2024-05-31"), "31-May-2024 18:30   60")
    site.publish("EREGL.csv", row("2024-05-31"), "31-May-2024 18:30   60")

    def correct() -> None:
        site.asked.clear()
        site.pages["/drop/EREGL.csv"] = (HEADER + row("2024-05-31", 10.0)).encode()
        site.pages["/drop/"] = site.pages["/drop/"].replace(
            b"EREGL.csv</a>  31-May", b"EREGL.csv</a>  03-Jun"
        )

    first, second = polls(settings(files=f"{site.url}/drop/"), kept, correct)
    assert [part.instrument.symbol for part in first.deliveries] == ["EREGL", "THYAO"]
    assert [(part.instrument.symbol, part.changes.revised) for part in second.deliveries] == [("EREGL", 1)]
    assert site.asked == ["/drop/", "/drop/EREGL.csv"]


def test_a_young_file_is_fetched_again_though_its_line_is_the_same(
    site: Site, settings: Settings, kept: Any
) -> None:
    """Lines tell minutes and rounded sizes: the rest of an upload, or a quick correction, changes none."""
    site.publish("THYAO.csv", row("2024-05-31"), "03-Jun-2024 17:59   1K")
    site.written["/drop/THYAO.csv"] = "Mon, 03 Jun 2024 17:59:40 GMT"

    def finish() -> None:
        site.pages["/drop/THYAO.csv"] += row("2024-06-03").encode()
        site.written["/drop/THYAO.csv"] = "Mon, 03 Jun 2024 17:59:55 GMT"

    polls(settings(files=f"{site.url}/drop/"), kept, finish, *[lambda: None] * 6, apart_ms=30_000)
    assert len(kept.series("THYAO")) == 2
    assert site.asked.count("/drop/THYAO.csv") == 5  # until its line can be believed


def test_a_line_may_say_date_and_size_before_the_name(site: Site, settings: Settings, kept: Any) -> None:
    """As IIS writes it."""
    day = "5/31/2024  6:30 PM           60"
    names = ("EREGL.csv", "GARAN.csv", "THYAO.csv")
    for name in names:
        site.publish(name, row("2024-05-31"))
    lines = [f'{day} <A HREF="/drop/{name}">{name}</A><br>' for name in names]
    page = '<pre><A HREF="/">[To Parent Directory]</A><br><br> ' + " ".join(lines) + "</pre>"
    site.pages["/drop/"] = page.encode()

    def correct() -> None:
        site.asked.clear()
        site.pages["/drop/EREGL.csv"] = (HEADER + row("2024-05-31", 10.0)).encode()
        first = f'{day} <A HREF="/drop/EREGL'
        site.pages["/drop/"] = page.replace(first, first.replace("5/31", "6/3")).encode()

    _first, second = polls(settings(files=f"{site.url}/drop/"), kept, correct)
    assert [(part.instrument.symbol, part.changes.revised) for part in second.deliveries] == [("EREGL", 1)]
    assert "/drop/GARAN.csv" not in site.asked


def test_names_alone_are_no_line_that_could_stay_the_same() -> None:
    page = "".join(f"<li><a href='{name}.csv'>{name}.csv</a></li>\n" for name in "ABC")
    listed = read_listing(f"<h1>Directory listing</h1><ul>{page}</ul>".encode(), "http://host/drop/")
    assert [line for _url, line in listed.values()] == ["", "", ""]


def test_of_files_with_one_bar_the_last_name_is_right(site: Site, settings: Settings, kept: Any) -> None:
    site.publish("THYAO_20240531.csv", row("2024-05-31", 10.0))
    site.publish("THYAO_20240603.csv", row("2024-05-31", 10.9))
    polls(settings(files=f"{site.url}/drop/"), kept)
    assert [bar.close for bar in kept.series("THYAO")] == [109]


def test_a_file_that_is_listed_and_gone_is_named_and_the_others_are_taken(
    site: Site, settings: Settings, kept: Any
) -> None:
    site.publish("THYAO.csv", row("2024-05-31"))
    site.publish("EREGL.csv", row("2024-05-31"))
    del site.pages["/drop/EREGL.csv"]
    (found,) = polls(settings(files=f"{site.url}/drop/"), kept)
    assert {report.name: report.outcome for report in found.files} == {
        "EREGL.csv": "quarantined",
        "THYAO.csv": "taken",
    }


def test_a_listing_of_names_alone_is_read_to_its_end_however_long_it_is(
    site: Site, settings: Settings, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST_FILES", 2)
    days = [f"2024-05-{day}" for day in (27, 28, 29, 30, 31)]
    for day in days:
        site.publish(f"THYAO_{day}.csv", row(day))
    looks = polls(settings(files=f"{site.url}/drop/"), kept, *[lambda: None] * 3)
    held = [datetime.fromtimestamp(bar.ts_ms / 1000, UTC) for bar in kept.series("THYAO")]
    assert [f"{time:%Y-%m-%d}" for time in held] == days
    assert [look.more for look in looks] == [True, True, False, False]


def test_files_that_are_not_to_be_had_keep_no_others_away(
    site: Site, settings: Settings, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST_FILES", 2)
    for name in ("THYAO.csv", "THYAO_a.csv", "THYAO_b.csv"):
        site.publish(name, row("2024-05-31"), "31-May-2024 18:30   60")
    del site.pages["/drop/THYAO_a.csv"], site.pages["/drop/THYAO_b.csv"]
    polls(settings(files=f"{site.url}/drop/"), kept, lambda: None)
    assert len(kept.series("THYAO")) == 1


def test_a_file_that_is_cut_is_waited_for(site: Site, settings: Settings, kept: Any) -> None:
    site.publish("THYAO.csv", row("2024-05-31") + "2024-06-03,10,1")
    (found,) = polls(settings(files=f"{site.url}/drop/"), kept)
    assert [report.outcome for report in found.files] == ["waiting"]


def test_text_without_a_newline_at_its_end_is_taken_once_it_stands_still(
    site: Site, settings: Settings, kept: Any
) -> None:
    site.publish("THYAO.csv", row("2024-05-31").rstrip())

    def grow() -> None:
        site.publish("THYAO.csv", row("2024-05-31") + row("2024-06-03").rstrip())

    uri = f"{site.url}/drop/THYAO.csv"
    looks = polls(settings(files=uri), kept, grow, lambda: None, lambda: None, apart_ms=30_000)
    outcomes = [[report.outcome for report in look.files] for look in looks]
    assert outcomes == [["waiting"], ["waiting"], ["waiting"], ["taken"]]
    assert len(kept.series("THYAO")) == 2


def test_a_listing_that_is_not_there_is_an_error(site: Site, settings: Settings, kept: Any) -> None:
    with pytest.raises(RestRefused):
        polls(settings(files=f"{site.url}/nothing/"), kept)


def test_links_that_leave_the_folder_are_no_files_of_the_drop() -> None:
    page = b"""<a href="THYAO.csv">x</a><a href="/other/EREGL.csv">x</a><a href="https://evil/A.csv">x</a>
    <a href="sub/GARAN.csv">x</a><a href="../SISE.csv">x</a><a href="readme.html">x</a><a>none</a>"""
    assert list(read_listing(page, "http://host/drop/")) == ["THYAO.csv"]
    with pytest.raises(Malformed, match="UTF-8"):
        read_listing(b"\xff\xfe", "http://host/drop/")


def test_a_link_that_is_no_address_is_no_file_of_the_drop() -> None:
    page = b'<a href="http://[x/GARAN.csv">x</a><a href="//[/EREGL.csv">x</a><a href="THYAO.csv">x</a>'
    assert list(read_listing(page, "http://host/drop/")) == ["THYAO.csv"]


def test_a_page_that_is_no_html_is_malformed() -> None:
    with pytest.raises(Malformed, match="no HTML"):
        read_listing(b"<![foo[ <a href=THYAO.csv>", "http://host/drop/")


@given(st.lists(st.sampled_from(["<a href=", '"', "'", ">", "<![", "//[", "&#", "]]", "x.csv", "%", "\n"])))
def test_whatever_a_page_holds_it_is_read_or_malformed(parts: list[str]) -> None:
    try:
        read_listing("".join(parts).encode(), "http://host/drop/")
    except Malformed as refused:
        assert str(refused)


def test_a_bar_that_was_forming_when_the_server_says_the_file_was_written_waits(
    site: Site, settings: Settings, kept: Any
) -> None:
    """NOW is after the close of 2024-06-03, the file is from before it."""
    site.publish("THYAO.csv", row("2024-05-31") + row("2024-06-03"))
    site.written["/drop/THYAO.csv"] = "Mon, 03 Jun 2024 12:00:00 GMT"
    (first,) = polls(settings(files=f"{site.url}/drop/THYAO.csv"), kept)
    assert [len(delivery.candles) for delivery in first.deliveries] == [1]
    site.written.clear()
    (again,) = polls(settings(files=f"{site.url}/drop/THYAO.csv"), kept)
    assert [len(delivery.candles) for delivery in again.deliveries] == [1]


def test_of_two_files_with_one_bar_the_one_that_the_server_wrote_last_is_right(
    site: Site, settings: Settings, kept: Any
) -> None:
    site.publish("a-THYAO.csv", row("2024-05-31", 10.25))
    site.publish("b-THYAO.csv", row("2024-05-31", 10.75))
    site.written["/drop/a-THYAO.csv"] = "Sat, 01 Jun 2024 12:00:00 GMT"
    site.written["/drop/b-THYAO.csv"] = "Fri, 31 May 2024 18:00:00 GMT"
    polls(settings(files=f"{site.url}/drop/"), kept)
    assert [bar.close / 10**bar.price_scale for bar in kept.series("THYAO")] == [10.25]
