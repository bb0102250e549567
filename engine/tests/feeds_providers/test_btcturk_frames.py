"""Every frame that BTCTurk's socket has been seen or documented to send, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_engine.feeds.market import BUY, SELL, UNKNOWN_SIDE, MarketTick, Quote
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
ALL = ("BTCTRY", "BTCUSDT", "ADATRY", "ETHUSDT")
TRADE = (
    '[422,{"D":"1651204593830","I":"100163785789620825","A":"0.0008777700","P":"586950.0000000000",'
    '"PS":"BTCTRY","S":1,"channel":"trade","event":"BTCTRY","type":422}]'
)
TICK = MarketTick("BTCTRY", "100163785789620825", 1651204593830, 586950, 87777, BUY)
TICKER = (
    '[402,{"B":"34.706","A":"34.738","BA":"190.3053","AA":"1481.3956","PS":"ADATRY","H":"36.7","L":"34.555",'
    '"LA":"34.76","O":"34.911","V":"473088.27239993","AV":"35.701201400000","D":"-0.173","DP":"-0.43",'
    '"DS":"TRY","NS":"ADA","PId":57,"channel":"ticker","event":"ADATRY","type":402}]'
)
LATEST = (
    '[421,{"symbol":"BTCTRY","items":[{"D":"1651204111661","I":"100163785789620803","A":"0.0072834700",'
    '"P":"586484.0000000000","S":0},{"D":"1651202811844","I":"100163785789620737","A":"0.0004123600",'
    '"P":"585778.0000000000","S":1}],"channel":"trade","event":"BTCTRY","type":421}]'
)
LATEST_FINE = (
    '[421,{"symbol":"BTCTRY","items":[{"D":"1787692476996","I":"100163842129199947","A":"0.0127318800",'
    '"P":"3765490.0000000000","S":0},{"D":"1787692476997","I":"100163842129199948","A":"0.0061489328",'
    '"P":"3766459.0000000000","S":1}],"channel":"trade","event":"BTCTRY","type":421}]'
)
FULL_BOOK = (
    '[431,{"CS":3999242,"PS":"BTCUSDT","AO":[{"A":"0.00288357","P":"86699"},{"A":"0.06358459","P":"86718"}],'
    '"BO":[{"A":"0.00863785","P":"86689"},{"A":"0.02307124","P":"86688"}],"channel":"obdiff",'
    '"event":"BTCUSDT","type":431}]'
)
BOOK_CHANGE = (
    '[432,{"CS":4097621,"PS":"ETHUSDT","AO":[{"CP":1,"P":"2770.7","A":"1.83710101"}],"BO":[{"CP":3,'
    '"P":"2550","A":"15.86046305"}],"channel":"obdiff","event":"ETHUSDT","type":432}]'
)


def one(messages: object) -> Message:
    assert isinstance(messages, tuple | list) and len(messages) == 1, messages
    message: Message = messages[0]
    return message


@pytest.fixture
def venue(join: Join) -> StreamProvider:
    return join("btcturk-spot", *ALL)


def test_a_trade_is_a_tick(venue: StreamProvider) -> None:
    assert one(venue.decode(TRADE)) == Ticks("BTCTRY", (TICK,))
    assert one(venue.decode(TRADE.encode())) == Ticks("BTCTRY", (TICK,))


def test_a_time_may_be_a_number_as_the_documentation_says(venue: StreamProvider) -> None:
    assert one(venue.decode(TRADE.replace('"1651204593830"', "1651204593830"))) == Ticks("BTCTRY", (TICK,))


@pytest.mark.parametrize(
    ("raw", "side"), [("0", SELL), ("1", BUY), ("2", UNKNOWN_SIDE), ("-1", UNKNOWN_SIDE)]
)
def test_the_side_is_as_rest_words_it(venue: StreamProvider, raw: str, side: int) -> None:
    ticks = one(venue.decode(TRADE.replace('"S":1', f'"S":{raw}')))
    assert isinstance(ticks, Ticks)
    assert ticks.ticks[0].side == side


def test_the_trades_on_joining_come_oldest_first(venue: StreamProvider) -> None:
    oldest = MarketTick("BTCTRY", "100163785789620737", 1651202811844, 585778, 41236, BUY)
    newest = MarketTick("BTCTRY", "100163785789620803", 1651204111661, 586484, 728347, SELL)
    assert one(venue.decode(LATEST)) == Ticks("BTCTRY", (oldest, newest), snapshot=True)


def test_trades_of_one_millisecond_are_ordered_by_their_number(venue: StreamProvider) -> None:
    items = ",".join(f'{{"D":"5","I":"{number}","A":"1","P":"2","S":0}}' for number in ("100", "9", "11"))
    frame = f'[421,{{"symbol":"BTCTRY","items":[{items}],"event":"BTCTRY"}}]'
    ticks = one(venue.decode(frame))
    assert isinstance(ticks, Ticks)
    assert [tick.id for tick in ticks.ticks] == ["9", "11", "100"]


def test_no_trades_on_joining_are_a_snapshot_too(venue: StreamProvider) -> None:
    frame = '[421,{"symbol":"BTCTRY","items":[],"channel":"trade","event":"BTCTRY","type":421}]'
    assert one(venue.decode(frame)) == Ticks("BTCTRY", (), snapshot=True)


def test_finer_trades_widen_the_scale_first_and_then_come_in_it(venue: StreamProvider) -> None:
    rescaled, ticks = venue.decode(LATEST_FINE)
    assert isinstance(rescaled, Rescaled)
    assert (rescaled.instrument.price_scale, rescaled.instrument.quantity_scale) == (0, 10)
    assert isinstance(ticks, Ticks)
    assert [tick.quantity for tick in ticks.ticks] == [127318800, 61489328]
    later = one(venue.decode(TRADE))
    assert isinstance(later, Ticks)
    assert later.ticks[0].quantity == 8777700


def test_price_and_quantity_may_widen_in_one_trade(venue: StreamProvider) -> None:
    frame = TRADE.replace("586950.0000000000", "586950.1250000000").replace("0.0008777700", "0.0008777701")
    rescaled, ticks = venue.decode(frame)
    assert isinstance(rescaled, Rescaled) and isinstance(ticks, Ticks)
    assert (rescaled.instrument.price_scale, rescaled.instrument.quantity_scale) == (3, 10)
    assert (ticks.ticks[0].price, ticks.ticks[0].quantity) == (586950125, 8777701)


def test_a_scale_widens_for_one_symbol_only(venue: StreamProvider) -> None:
    venue.decode(LATEST_FINE)
    ticker = one(venue.decode(TICKER))
    assert isinstance(ticker, Quoted)
    assert ticker.quote.bid_quantity == 1903053


def test_one_garbled_number_does_not_spoil_the_scale(venue: StreamProvider) -> None:
    venue.decode(TRADE)
    with pytest.raises(Malformed, match="18 decimals"):
        venue.decode(TRADE.replace("586950.0000000000", "0.000000000000000001"))
    assert one(venue.decode(TRADE)) == Ticks("BTCTRY", (TICK,))


def test_what_a_malformed_trade_widened_is_told_before_the_next_one(venue: StreamProvider) -> None:
    with pytest.raises(Malformed):
        venue.decode(TRADE.replace("586950.0000000000", "586950.5").replace("0.0008777700", "NaN"))
    rescaled, ticks = venue.decode(TRADE)
    assert isinstance(rescaled, Rescaled) and isinstance(ticks, Ticks)
    assert (rescaled.instrument.price_scale, ticks.ticks[0].price) == (1, 5869500)


@pytest.mark.parametrize(
    ("field", "value"), [("P", "0.0000000000"), ("A", "0"), ("P", ""), ("A", "-1"), ("I", "")]
)
def test_a_trade_of_nothing_is_malformed(venue: StreamProvider, field: str, value: str) -> None:
    model = json.loads(TRADE)[1]
    with pytest.raises(Malformed):
        venue.decode(json.dumps([422, {**model, field: value}]))


def test_a_ticker_is_a_quote_without_time(venue: StreamProvider) -> None:
    assert one(venue.decode(TICKER)) == Quoted(Quote("ADATRY", 34706, 34738, 1903053, 14813956, 34760))


@pytest.mark.parametrize("bid", ['"B":"0",', '"B":null,', "", '"B":"0.000",'])
def test_an_empty_side_has_no_price(venue: StreamProvider, bid: str) -> None:
    ticker = one(venue.decode(TICKER.replace('"B":"34.706",', bid)))
    assert isinstance(ticker, Quoted)
    assert (ticker.quote.bid, ticker.quote.ask) == (None, 34738)


def test_of_all_tickers_those_asked_for_are_quotes(join: Join) -> None:
    venue = join("btcturk-spot", "BTCTRY")
    item = (
        '{"B":"3913991","A":"3917599","BA":"0.02933893","AA":"0.03227701","PS":"%s","H":"3928662","L":"3715000",'
        '"DP":"4.94","LA":"3913951","O":"3729579","V":"34.29454149","AV":"3824157.560192780000","D":"188020",'
        '"DS":"TRY","NS":"BTC","PId":1,"Ord":0}'
    )
    frame = (
        f'[401,{{"items":[{item % "NEWTRY"},{item % "BTCTRY"}],"channel":"ticker","event":"all","type":401}}]'
    )
    assert one(venue.decode(frame)) == Quoted(Quote("BTCTRY", 3913991, 3917599, 2933893, 3227701, 3913951))
    nothing = f'[401,{{"items":[{item % "NEWTRY"}],"channel":"ticker","event":"all","type":401}}]'
    assert one(venue.decode(nothing)) == Notice("other-symbol", "all")


def test_a_full_book_starts_the_count_and_says_the_best_prices(venue: StreamProvider) -> None:
    quote = Quote("BTCUSDT", 8668900, 8669900, 863785, 288357)
    assert one(venue.decode(FULL_BOOK)) == Book("BTCUSDT", "obdiff", 3999242, True, quote)


def test_a_book_may_have_an_empty_side(venue: StreamProvider) -> None:
    frame = '[431,{"CS":1,"PS":"BTCTRY","AO":[],"BO":[],"channel":"orderbook","event":"BTCTRY","type":431}]'
    assert one(venue.decode(frame)) == Book("BTCTRY", "orderbook", 1, True, Quote("BTCTRY", None, None))


def test_a_change_of_the_book_carries_its_number(venue: StreamProvider) -> None:
    assert one(venue.decode(BOOK_CHANGE)) == Book("ETHUSDT", "obdiff", 4097621, False)


@pytest.mark.parametrize(
    ("frame", "subscription", "accepted", "joined"),
    [
        (
            '{"type":100,"ok":true,"message":"join|obdiff:BTCUSDT"}',
            Subscription("obdiff", "BTCUSDT"),
            True,
            True,
        ),
        (
            '{"type":100,"id":0,"ok":true,"message":"join|trade:ETHTRY"}',
            Subscription("trade", "ETHTRY"),
            True,
            True,
        ),
        (
            '{"type":100,"ok":true,"message":"leave|obdiff:BTCUSDT"}',
            Subscription("obdiff", "BTCUSDT"),
            True,
            False,
        ),
        (
            '{"type":100,"ok":false,"message":"join|ticker:BTCTRY"}',
            Subscription("ticker", "BTCTRY"),
            False,
            True,
        ),
        ('{"type":100,"ok":true,"message":"join|tradeview:BTCTRY_60"}', None, True, True),
        ('{"type":100,"ok":false,"message":""}', None, False, True),
    ],
)
def test_an_answer_names_its_subscription(
    venue: StreamProvider, frame: str, subscription: Subscription | None, accepted: bool, joined: bool
) -> None:
    detail = json.loads(frame)["message"]
    assert one(venue.decode(f"[100,{frame}]")) == Acknowledged(subscription, accepted, joined, detail)


@pytest.mark.parametrize(
    ("frame", "notice"),
    [
        (
            '[991,{"type":991,"current":"6.0.0","min":"2.3.0"}]',
            Notice("welcome", "version 6.0.0, at least 2.3.0"),
        ),
        ('[801,{"type":801,"message":"maintenance"}]', Notice("system-message")),
        ('[802,{"type":802}]', Notice("page-refresh")),
        ('[428,{"D":1787688000,"P":"BTCTRY","R":"60"}]', Notice("candle")),
        ('[451,{"type":451,"pairId":0,"symbol":"BTCTRY","id":0}]', Notice("private", "451")),
        ("[999,{}]", Notice("unknown-type", "999")),
        ("[-1,null]", Notice("unknown-type", "-1")),
        (f"[{'9' * 300},{{}}]", Notice("unknown-type", "9" * 40)),
    ],
)
def test_frames_without_market_data_are_notices(venue: StreamProvider, frame: str, notice: Notice) -> None:
    assert one(venue.decode(frame)) == notice


@pytest.mark.parametrize("frame", [TRADE, TICKER, LATEST, FULL_BOOK, BOOK_CHANGE])
def test_frames_of_symbols_not_asked_for_are_notices(join: Join, frame: str) -> None:
    venue = join("btcturk-spot")
    notice = one(venue.decode(frame))
    assert isinstance(notice, Notice)
    assert notice.kind == "other-symbol"


def test_frames_that_came_after_leaving_are_notices(venue: StreamProvider) -> None:
    venue.unsubscribe([Subscription("trade", "BTCTRY")])
    assert one(venue.decode(TRADE)) == Notice("other-symbol", "BTCTRY")


@pytest.mark.parametrize(
    "frame",
    [
        TRADE.replace('"PS":"BTCTRY"', '"PS":"ETHUSDT"'),
        LATEST.replace('"symbol":"BTCTRY"', '"symbol":"ETHUSDT"'),
    ],
)
def test_a_pair_that_is_not_its_event_is_never_data(venue: StreamProvider, frame: str) -> None:
    assert one(venue.decode(frame)) == Notice("other-symbol", "ETHUSDT for BTCTRY")


def test_joining_and_leaving_are_one_frame_a_subscription(venue: StreamProvider) -> None:
    subscriptions = [Subscription("obdiff", "BTCUSDT"), Subscription("ticker", "BTCTRY")]
    assert venue.subscribe(subscriptions) == [
        '[151,{"type":151,"channel":"obdiff","event":"BTCUSDT","join":true}]',
        '[151,{"type":151,"channel":"ticker","event":"BTCTRY","join":true}]',
    ]
    assert venue.unsubscribe(subscriptions[:1]) == [
        '[151,{"type":151,"channel":"obdiff","event":"BTCUSDT","join":false}]'
    ]


EXPECTED = {
    "welcome": ["Notice"],
    "ack join": ["Acknowledged"],
    "ack join, 2020 form with id": ["Acknowledged"],
    "ack leave": ["Acknowledged"],
    "nack duplicate join": ["Acknowledged"],
    "ticker pair": ["Quoted"],
    "ticker pair ADATRY": ["Quoted"],
    "ticker pair BTCTRY": ["Quoted"],
    "ticker all (first item captured, 379 items live)": ["Quoted"],
    "trade list on subscribe": ["Rescaled", "Ticks"],
    "trade list 2022": ["Ticks"],
    "trade single": ["Ticks"],
    "book full (orderbook channel)": ["Book"],
    "book snapshot (obdiff channel)": ["Book"],
    "book delta": ["Book"],
    "book delta with replace": ["Book"],
    "candle (tradeview)": ["Notice"],
    "stray order insert on a public socket": ["Notice"],
}


def test_every_collected_frame_says_what_it_should(join: Join, market_data: Callable[[str], Path]) -> None:
    lines = [json.loads(line) for line in market_data("btcturk_frames.jsonl").read_text().splitlines()[1:]]
    received = {line["name"]: line["frame"] for line in lines if line.get("direction") == "server_to_client"}
    said = {
        name: [type(message).__name__ for message in join("btcturk-spot", *ALL).decode(frame)]
        for name, frame in received.items()
    }
    assert said == EXPECTED
    sent = [line["frame"] for line in lines if line.get("direction") == "client_to_server"]
    joins = {"obdiff": "BTCUSDT", "ticker": "BTCTRY", "trade": "BTCTRY", "orderbook": "BTCTRY"}
    venue = join("btcturk-spot")
    for channel, symbol in joins.items():
        assert venue.subscribe([Subscription(channel, symbol)])[0] in sent  # type: ignore[arg-type]
