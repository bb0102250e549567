"""Whatever a socket sends, a frame is decoded or `Malformed`; no other error, for no bytes at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spark_engine.feeds.provider import Malformed, StreamProvider, Ticks

Join = Callable[..., StreamProvider]
FRAMES: dict[str, tuple[str, ...]] = {
    "btcturk-spot": (
        '[991,{"type":991,"current":"6.0.0","min":"2.3.0"}]',
        '[100,{"type":100,"ok":true,"message":"join|obdiff:BTCUSDT"}]',
        '[401,{"items":[{"B":"391","A":"392","BA":"0.02","AA":"0.03","PS":"BTCTRY","LA":"391"}],"event":"all"}]',
        '[402,{"B":"34","A":"35","BA":"1","AA":"2","PS":"BTCTRY","LA":"34","event":"BTCTRY","type":402}]',
        '[421,{"symbol":"BTCTRY","items":[{"D":"1","I":"7","A":"0.1","P":"2","S":0}],"event":"BTCTRY"}]',
        '[422,{"D":"1","I":"7","A":"0.1","P":"2","PS":"BTCTRY","S":1,"event":"BTCTRY","type":422}]',
        '[431,{"CS":3,"PS":"BTCTRY","AO":[{"A":"1","P":"3"}],"BO":[{"A":"1","P":"2"}],"channel":"obdiff"}]',
        '[432,{"CS":4,"PS":"BTCTRY","AO":[{"CP":1,"P":"3","A":"1"}],"BO":[],"channel":"obdiff"}]',
    ),
    "binance-spot": (
        '{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":3,"p":"6.1","q":"0.1","T":1,"m":true}}',
        '{"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"6.1","B":"1.2","a":"6.2","A":"2.4"}}',
        '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}}',
        '{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":1,"bids":[["1","2"]],"asks":[]}}',
        '{"result":null,"id":1}',
        '{"error":{"code":2,"msg":"Invalid request"},"id":1}',
    ),
}
EACH = pytest.mark.parametrize("name", sorted(FRAMES))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
WRONG = JSON | st.sampled_from(
    [
        "NaN",
        "Infinity",
        "-1",
        "1e5",
        "1,5",
        "",
        "0",
        "9" * 80,
        10**400,
        -(10**400),
        2**63,
        -1,
        1e308,
        "BTCUSDT",
        "0." + "0" * 17 + "1",
        "0." + "1" * 25,
        "٣",
        "\ud800",
        "BTCTRY",
    ]
)


def decodes_or_is_malformed(venue: StreamProvider, frame: str | bytes) -> None:
    try:
        messages = venue.decode(frame)
    except Malformed as error:
        assert str(error)
        assert len(str(error)) < 400
        return
    assert messages
    for message in messages:
        if isinstance(message, Ticks):
            assert all(0 < tick.price < 2**63 and 0 < tick.quantity < 2**63 for tick in message.ticks)


@pytest.fixture(scope="module")
def venues() -> dict[str, StreamProvider]:
    return {}


@pytest.fixture
def venue(name: str, join: Join, venues: dict[str, StreamProvider]) -> StreamProvider:
    """One for all examples: what one frame does to it, the next must bear."""
    return venues.setdefault(name, join(name, "BTCTRY", "BTCUSDT"))


FUZZ = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@EACH
@FUZZ
@given(frame=st.binary(max_size=200) | st.text(st.characters(), max_size=200))
def test_any_bytes_and_any_text(name: str, venue: StreamProvider, frame: str | bytes) -> None:
    decodes_or_is_malformed(venue, frame)


@EACH
@FUZZ
@given(value=JSON, kind=st.sampled_from([100, 401, 402, 421, 422, 428, 431, 432, 991, 801]) | st.integers())
def test_any_json(name: str, venue: StreamProvider, value: Any, kind: int) -> None:
    decodes_or_is_malformed(venue, json.dumps(value))
    decodes_or_is_malformed(venue, json.dumps([kind, value]))
    decodes_or_is_malformed(venue, json.dumps({"stream": "btcusdt@trade", "data": value}))


@EACH
@FUZZ
@given(data=st.data())
def test_a_known_frame_with_one_value_replaced(name: str, venue: StreamProvider, data: st.DataObject) -> None:
    frame = json.loads(data.draw(st.sampled_from(FRAMES[name])))
    at: Any = frame
    while True:
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = data.draw(WRONG)
        break
    decodes_or_is_malformed(venue, json.dumps(frame))
    decodes_or_is_malformed(venue, json.dumps(frame, ensure_ascii=False))


@EACH
def test_a_known_frame_cut_anywhere_is_malformed(name: str, join: Join) -> None:
    venue = join(name, "BTCTRY", "BTCUSDT")  # none that was told of so many decimals that no price fits
    for frame in FRAMES[name]:
        assert venue.decode(frame)
        for end in range(len(frame)):
            with pytest.raises(Malformed):
                venue.decode(frame[:end])
            with pytest.raises(Malformed):
                venue.decode(frame[:end].encode())


@EACH
@pytest.mark.parametrize(
    "within", ["%s", "[422,%s]", '{"stream":"btcusdt@trade","data":%s}', '[100,{"x":%s}]']
)
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_brackets_without_end_are_malformed(
    name: str, venue: StreamProvider, within: str, brackets: str
) -> None:
    opening, closing = brackets[:-1], brackets[-1]
    for frame in (within % (opening * 200_000), within % (opening * 200_000 + "1" + closing * 200_000)):
        with pytest.raises(Malformed):
            venue.decode(frame)


@EACH
def test_a_number_of_a_million_digits_does_no_harm(name: str, venue: StreamProvider) -> None:
    digits = "9" * 1_000_000
    for frame in FRAMES[name]:
        for wrong in (frame.replace(":1,", f":{digits},"), frame.replace('"0.1"', f'"{digits}"')):
            decodes_or_is_malformed(venue, wrong)
    decodes_or_is_malformed(venue, f"[{digits},{{}}]")
