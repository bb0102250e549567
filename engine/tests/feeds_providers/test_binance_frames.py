"""Binance's combined streams, and the real recordings of five minutes each."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spark_engine.feeds.market import BUY, SELL, MarketTick, Quote
from spark_engine.feeds.provider import (
    Acknowledged,
    Book,
    Malformed,
    Message,
    Notice,
    Quoted,
    Rescaled,
    StreamProvider,
    Subscription,
    Ticks,
)

Join = Callable[..., StreamProvider]
TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161601438,"s":"BTCUSDT","t":3735693016,'
    '"p":"61685.99000000","q":"0.00017000","T":1723161601437,"m":true,"M":true}}'
)
BOOK_TICKER = (
    '{"stream":"btcusdt@bookTicker","data":{"u":50093421613,"s":"BTCUSDT","b":"61685.99000000",'
    '"B":"1.25869000","a":"61686.00000000","A":"2.44816000"}}'
)


def depth(first: int, last: int) -> str:
    return (
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},'
        f'"b":[["61685.99000000","1.25869000"]],"a":[]}}}}'
    )


@pytest.fixture
def venue(join: Join) -> StreamProvider:
    return join("binance-spot", "BTCUSDT")


def test_a_trade_whose_buyer_was_the_maker_was_sold_by_the_taker(venue: StreamProvider) -> None:
    tick = MarketTick("BTCUSDT", "3735693016", 1723161601437, 6168599, 17000, SELL)
    assert list(venue.decode(TRADE)) == [Ticks("BTCUSDT", (tick,))]
    (bought,) = venue.decode(TRADE.replace('"m":true', '"m":false'))
    assert isinstance(bought, Ticks)
    assert bought.ticks[0].side == BUY


def test_best_prices_are_a_quote(venue: StreamProvider) -> None:
    quote = Quote("BTCUSDT", 6168599, 6168600, 125869000, 244816000)
    assert list(venue.decode(BOOK_TICKER)) == [Quoted(quote)]


def test_an_empty_side_of_the_book_has_no_price(venue: StreamProvider) -> None:
    (quoted,) = venue.decode(BOOK_TICKER.replace('"61686.00000000"', '"0.00000000"'))
    assert isinstance(quoted, Quoted)
    assert quoted.quote.ask is None


def test_finer_prices_widen_the_scale_first(venue: StreamProvider) -> None:
    rescaled, ticks = venue.decode(TRADE.replace("61685.99000000", "61685.99500000"))
    assert isinstance(rescaled, Rescaled) and isinstance(ticks, Ticks)
    assert (rescaled.instrument.price_scale, ticks.ticks[0].price) == (3, 61685995)


def sequences(venue: StreamProvider, *updates: tuple[int, int]) -> list[tuple[int, bool]]:
    books = [message for first, last in updates for message in venue.decode(depth(first, last))]
    return [(book.sequence, book.snapshot) for book in books if isinstance(book, Book)]


def test_updates_that_join_on_count_by_one(venue: StreamProvider) -> None:
    assert sequences(venue, (10, 12), (13, 13), (14, 20)) == [(0, True), (1, False), (2, False)]


def test_missing_updates_skip_a_number(venue: StreamProvider) -> None:
    assert sequences(venue, (10, 12), (14, 15), (16, 16)) == [(0, True), (2, False), (3, False)]


def test_repeated_updates_repeat_their_number(venue: StreamProvider) -> None:
    assert sequences(venue, (10, 12), (13, 14), (13, 14)) == [(0, True), (1, False), (1, False)]


def test_joining_anew_starts_the_count_anew(venue: StreamProvider) -> None:
    sequences(venue, (10, 12), (13, 14))
    venue.subscribe([Subscription("obdiff", "BTCUSDT")])
    assert sequences(venue, (99, 100)) == [(0, True)]


def test_the_best_levels_are_a_book_of_their_own(venue: StreamProvider) -> None:
    frame = (
        '{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":160,'
        '"bids":[["61685.99","1.5"],["61685.00","2"]],"asks":[]}}'
    )
    quote = Quote("BTCUSDT", 6168599, None, 150000000, None)
    assert list(venue.decode(frame)) == [Book("BTCUSDT", "orderbook", 160, True, quote)]


def test_streams_are_joined_in_frames_of_many(venue: StreamProvider) -> None:
    channels = ("ticker", "trade", "orderbook", "obdiff")
    (frame,) = venue.subscribe([Subscription(channel, "BTCUSDT") for channel in channels])  # type: ignore[arg-type]
    assert json.loads(frame)["method"] == "SUBSCRIBE"
    assert json.loads(frame)["params"] == [
        "btcusdt@bookTicker",
        "btcusdt@trade",
        "btcusdt@depth20@100ms",
        "btcusdt@depth@100ms",
    ]
    many = [Subscription("trade", f"S{number}") for number in range(450)]
    assert [len(json.loads(frame)["params"]) for frame in venue.subscribe(many)] == [200, 200, 50]
    assert json.loads(venue.unsubscribe(many[:1])[0])["method"] == "UNSUBSCRIBE"


def test_one_answer_acknowledges_every_stream_of_its_request(venue: StreamProvider) -> None:
    subscriptions = [Subscription("trade", "BTCUSDT"), Subscription("ticker", "BTCUSDT")]
    request = json.loads(venue.subscribe(subscriptions)[0])
    answers = list(venue.decode(json.dumps({"result": None, "id": request["id"]})))
    assert answers == [Acknowledged(each, True) for each in subscriptions]
    leaving = json.loads(venue.unsubscribe(subscriptions[:1])[0])
    answers = list(venue.decode(json.dumps({"result": None, "id": leaving["id"]})))
    assert answers == [Acknowledged(subscriptions[0], True, joined=False)]


def test_a_refusal_keeps_the_words_of_the_venue(venue: StreamProvider) -> None:
    subscription = Subscription("trade", "BTCUSDT")
    request = json.loads(venue.subscribe([subscription])[0])
    refusal = {"error": {"code": 2, "msg": "Invalid request"}, "id": request["id"]}
    detail = "Invalid request (code 2)"
    assert list(venue.decode(json.dumps(refusal))) == [Acknowledged(subscription, False, True, detail)]
    assert list(venue.decode('{"code":3,"msg":"Invalid JSON"}')) == [
        Acknowledged(None, False, True, "Invalid JSON (code 3)")
    ]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (TRADE.replace("btcusdt@trade", "ethusdt@trade"), "other-symbol"),
        (TRADE.replace('"BTCUSDT"', '"ETHUSDT"'), "other-symbol"),
        (TRADE.replace("btcusdt@trade", "btcusdt@aggTrade"), "unknown-stream"),
        ('{"lastUpdateId":5123107852948,"bids":[],"asks":[]}', "unknown-type"),
    ],
)
def test_what_was_not_asked_for_is_a_notice(venue: StreamProvider, frame: str, kind: str) -> None:
    (notice,) = venue.decode(frame)
    assert isinstance(notice, Notice)
    assert notice.kind == kind


def test_updates_that_end_before_they_begin_are_malformed(venue: StreamProvider) -> None:
    with pytest.raises(Malformed):
        venue.decode(depth(5, 4))


def recorded(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.partition(" ")[2]


def ids(messages: list[Message]) -> list[int]:
    return [int(tick.id) for message in messages if isinstance(message, Ticks) for tick in message.ticks]


def test_the_recording_of_the_spot_market_has_no_gap(join: Join, market_data: Callable[[str], Path]) -> None:
    venue = join("binance-spot", "BTCUSDT")
    frames = recorded(market_data("ws_binance_spot_btcusdt_20240809.gz"))
    messages = [message for frame in frames for message in venue.decode(frame)]
    assert Counter(type(message) for message in messages) == {Quoted: 45_134, Ticks: 10_147, Book: 3_044}
    trades, books = ids(messages), [message for message in messages if isinstance(message, Book)]
    assert trades == list(range(trades[0], trades[0] + 10_147))
    assert [book.sequence for book in books] == list(range(3_044))
    assert [book.snapshot for book in books] == [True] + [False] * 3_043


def test_the_recording_of_the_futures_market_is_read_where_it_is_alike(
    join: Join, market_data: Callable[[str], Path]
) -> None:
    venue = join("binance-spot", "BTCUSDT")
    frames = recorded(market_data("ws_binance_usdm_btcusdt_20240808.gz"))
    messages = [message for frame in frames for message in venue.decode(frame)]
    assert Counter(type(message) for message in messages) == {Quoted: 66_089, Ticks: 21_313, Notice: 6_552}
    notices = Counter(message.kind for message in messages if isinstance(message, Notice))
    assert notices == {"unknown-stream": 6_551, "unknown-type": 1}
    trades = ids(messages)
    assert trades == list(range(trades[0], trades[0] + 21_313))
    assert all(quoted.quote.ts_ms for quoted in messages if isinstance(quoted, Quoted))
