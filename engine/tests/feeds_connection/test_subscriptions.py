from __future__ import annotations

from spark_engine.feeds.connection.subscriptions import Bounds, Overdue, Stage, Subscriptions
from spark_engine.feeds.provider import Acknowledged, Subscription

TICKER = Subscription("ticker", "BTCTRY")
TRADE = Subscription("trade", "BTCTRY")
UNKNOWN = Subscription("ticker", "NOPE")
BOUNDS = {"ticker": Bounds(first=10, silence=5), "trade": Bounds(first=10, silence=None)}


def joined(*subscriptions: Subscription) -> Subscriptions:
    machine = Subscriptions(subscriptions, BOUNDS)
    machine.on_requested(0.0)
    return machine


def yes(subscription: Subscription) -> Acknowledged:
    return Acknowledged(subscription, accepted=True)


def no(subscription: Subscription) -> Acknowledged:
    return Acknowledged(subscription, accepted=False)


def test_only_data_makes_a_subscription_live() -> None:
    machine = joined(TICKER)
    assert machine.stage(TICKER) is Stage.REQUESTED
    machine.on_acknowledged(yes(TICKER), 1.0)
    assert machine.stage(TICKER) is Stage.ACKNOWLEDGED
    machine.on_data(TICKER, 2.0)
    assert machine.stage(TICKER) is Stage.LIVE


def test_data_may_overtake_the_acknowledgement() -> None:
    machine = joined(TICKER)
    machine.on_data(TICKER, 1.0)
    machine.on_acknowledged(yes(TICKER), 2.0)
    assert machine.stage(TICKER) is Stage.LIVE


def test_an_acknowledged_subscription_without_data_is_overdue_and_counts_its_vain_joins() -> None:
    machine = joined(TICKER, UNKNOWN)
    for subscription in (TICKER, UNKNOWN):
        machine.on_acknowledged(yes(subscription), 0.5)
    machine.on_data(TICKER, 1.0)
    machine.on_data(TICKER, 5.5)
    machine.on_data(TICKER, 10.0)
    assert machine.overdue(10.4) == []
    assert machine.overdue(10.5) == [Overdue(UNKNOWN, acknowledged=True, waited=10.0, joins=1, ever=False)]
    assert machine.stage(UNKNOWN) is Stage.SILENT
    machine.on_requested(10.5, [UNKNOWN])
    machine.on_data(TICKER, 14.0)
    machine.on_data(TICKER, 18.0)
    assert machine.overdue(20.5) == [Overdue(UNKNOWN, acknowledged=False, waited=10.0, joins=2, ever=False)]


def test_a_join_that_nobody_answers_is_overdue() -> None:
    assert joined(TRADE).overdue(10.0) == [
        Overdue(TRADE, acknowledged=False, waited=10.0, joins=1, ever=False)
    ]


def test_a_live_channel_that_falls_silent_is_named_once_per_bound() -> None:
    machine = joined(TICKER)
    machine.on_data(TICKER, 1.0)
    assert machine.overdue(5.9) == []
    assert machine.overdue(6.0) == [Overdue(TICKER, acknowledged=False, waited=5.0, joins=0, ever=True)]
    assert machine.overdue(10.9) == []
    assert [overdue.subscription for overdue in machine.overdue(11.0)] == [TICKER]


def test_trades_of_a_thin_pair_may_be_silent_for_as_long_as_they_like() -> None:
    machine = joined(TRADE)
    machine.on_data(TRADE, 1.0)
    assert machine.overdue(1e6) == []


def test_a_refused_subscription_says_so() -> None:
    machine = joined(TICKER)
    machine.on_acknowledged(no(TICKER), 1.0)
    assert machine.stage(TICKER) is Stage.REFUSED


def test_the_no_to_a_second_join_does_not_end_the_first() -> None:
    machine = joined(TICKER)
    machine.on_data(TICKER, 1.0)
    machine.on_acknowledged(no(TICKER), 2.0)
    assert machine.stage(TICKER) is Stage.LIVE


def test_data_after_a_no_proves_that_it_delivers() -> None:
    machine = joined(TICKER)
    machine.on_acknowledged(no(TICKER), 1.0)
    machine.on_data(TICKER, 2.0)
    assert machine.stage(TICKER) is Stage.LIVE


def test_the_answer_to_leaving_changes_nothing() -> None:
    machine = joined(TICKER)
    machine.on_acknowledged(Acknowledged(TICKER, accepted=True, joined=False), 1.0)
    machine.on_acknowledged(Acknowledged(None, accepted=False), 1.0)
    assert machine.stage(TICKER) is Stage.REQUESTED


def test_nothing_is_due_while_disconnected_and_everything_again_after_joining() -> None:
    machine = joined(TICKER, TRADE)
    machine.on_data(TICKER, 1.0)
    machine.on_disconnected()
    assert machine.overdue(1e6) == []
    machine.on_data(TICKER, 1e6)  # a frame of the old connection that was still waiting
    assert machine.stages() == {TICKER: Stage.REQUESTED, TRADE: Stage.REQUESTED}
    machine.on_requested(2e6)
    assert {overdue.subscription for overdue in machine.overdue(2e6 + 10)} == {TICKER, TRADE}


def test_data_of_a_symbol_that_was_not_asked_for_is_ignored() -> None:
    machine = joined(TICKER)
    machine.on_data(UNKNOWN, 1.0)
    assert machine.stages() == {TICKER: Stage.REQUESTED}
