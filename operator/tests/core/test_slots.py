"""The line for slots of a namespace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spark_operator.core.slots import Claim, Place, Slots


def wait(slots: Slots[str], key: str, limit: int = 2) -> Place:
    return slots.place("ns", key, Claim.WAITING, (key, key), limit)


def test_the_first_to_come_are_admitted_and_the_rest_know_their_place() -> None:
    slots: Slots[str] = Slots()
    assert [wait(slots, key).position for key in "abcd"] == [0, 0, 1, 2]


def test_those_who_were_there_before_a_restart_keep_their_slots() -> None:
    slots: Slots[str] = Slots()
    slots.place("ns", "z", Claim.ACTIVE, ("z", "z"), 1)
    assert wait(slots, "a", limit=1) == Place(admitted=False, position=1)


def test_nobody_is_admitted_while_claims_are_only_noted() -> None:
    slots: Slots[str] = Slots()
    for key in "ba":  # a LIST is in no order of arrival, and shows the active ones last
        slots.note("ns", key, Claim.WAITING, (key, key), 1)
    slots.note("ns", "z", Claim.ACTIVE, ("z", "z"), 1)
    assert [wait(slots, key, limit=1).position for key in "ab"] == [1, 2]
    slots.forget("ns", "z", 1)
    assert [wait(slots, key, limit=1).position for key in "ba"] == [2, 0]


def test_who_held_nothing_wakes_nobody() -> None:
    slots: Slots[str] = Slots()
    slots.note("ns", "a", Claim.WAITING, ("a", "a"), 1)
    slots.note("ns", "finished", Claim.NONE, ("b", "b"), 1)
    assert slots.woken() == []


def test_a_slot_that_falls_free_wakes_the_first_in_line_only() -> None:
    slots: Slots[str] = Slots()
    for key in "abcd":
        wait(slots, key)
    slots.place("ns", "a", Claim.NONE, ("a", "a"), 2)
    assert slots.woken() == ["c"]
    assert slots.woken() == []
    assert wait(slots, "d").position == 2
    assert wait(slots, "c").admitted


def test_one_who_left_the_line_makes_room_behind_them() -> None:
    slots: Slots[str] = Slots()
    for key in "abcd":
        wait(slots, key)
    slots.forget("ns", "c", 2)
    assert wait(slots, "d").position == 1


def test_namespaces_do_not_share_slots() -> None:
    slots: Slots[str] = Slots()
    assert slots.place("one", "a", Claim.WAITING, ("a", "a"), 1).admitted
    assert slots.place("two", "b", Claim.WAITING, ("b", "b"), 1).admitted


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(list(Claim)[:2]))), st.integers(1, 3))
def test_there_are_never_more_admitted_than_the_limit_and_nobody_is_forgotten(
    claims: list[tuple[str, Claim]], limit: int
) -> None:
    slots: Slots[str] = Slots()
    admitted: set[str] = set()
    for key, claim in claims:
        place = slots.place("ns", key, claim, (key, key), limit)
        if claim is Claim.NONE:
            admitted.discard(key)
        elif place.admitted:
            admitted.add(key)
        assert len(admitted) <= limit
    waiting = dict(claims)  # the last claim of each
    line = sorted(key for key, claim in waiting.items() if claim is Claim.WAITING and key not in admitted)
    for key in line:  # whoever looks again gets in as far as there is room, in order
        if wait(slots, key, limit).admitted:
            admitted.add(key)
    left = [key for key in line if key not in admitted]
    assert not left or len(admitted) == limit
    assert line[len(line) - len(left) :] == left
