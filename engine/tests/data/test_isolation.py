"""Decoding happens in a process of its own, since arrow-rs can abort the one that it runs in."""

from __future__ import annotations

import os
import signal
import time
from array import array
from collections.abc import Iterator
from typing import NoReturn

import pytest
from spark_engine.data.isolated import isolated
from spark_engine.data.rows import Rows, empty
from spark_engine.errors import DeadlineExceeded, EngineError, InvalidData


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process that a test forks has been waited for at its end."""
    forked: list[int] = []
    fork = os.fork

    def recording() -> int:
        forked.append(fork())
        return forked[-1]

    monkeypatch.setattr(os, "fork", recording)
    yield
    assert len(forked) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(forked[0], os.WNOHANG)


def refuse() -> NoReturn:
    raise InvalidData("row 7: ü is not a number", field="spec.data.uri")


def fail() -> NoReturn:
    raise ZeroDivisionError("of ours")


def end_by(number: int) -> Rows:
    os.kill(os.getpid(), number)
    time.sleep(60)
    return empty(0)


def test_columns_come_back_as_they_were() -> None:
    rows = empty(100_000)
    rows.ts[:] = memoryview(array("q", range(100_000)))
    rows.volume[-1] = float("nan")
    rows.quality[5] = 3
    received = isolated(lambda: rows, "x")
    assert [column.tobytes() for column in received.columns()] == [
        column.tobytes() for column in rows.columns()
    ]
    assert [column.format for column in received.columns()] == ["q", *"ddddd", "b"]


def test_a_refusal_comes_back_with_its_field() -> None:
    with pytest.raises(InvalidData, match="row 7: ü is not a number") as refused:
        isolated(refuse, "x")
    assert refused.value.field == "spec.data.uri"


def test_a_fault_of_our_own_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="ZeroDivisionError: of ours"):
        isolated(fail, "x")


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_crash_is_the_fault_of_the_data_and_prints_nothing(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidData, match=r"x\.parquet is corrupt: decoding it crashes the reader"):
        isolated(lambda: end_by(number), "x.parquet")
    assert capfd.readouterr() == ("", "")


def test_a_kill_is_not_the_fault_of_the_data() -> None:
    with pytest.raises(EngineError, match="ended early with -9; is there enough memory"):
        isolated(lambda: end_by(signal.SIGKILL), "x.parquet")


def test_a_deadline_ends_the_decoding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes once the parent waits for columns: the child, which sends none, is told so and signals."""
    told, tell = os.pipe()
    readv = os.readv

    def expire(_number: int, _frame: object) -> NoReturn:
        raise DeadlineExceeded("too long")

    def waiting(receive: int, targets: list[memoryview]) -> int:
        os.write(tell, b"!")
        return readv(receive, targets)

    def overrun() -> Rows:
        os.read(told, 1)
        os.kill(os.getppid(), signal.SIGUSR1)
        time.sleep(60)
        return empty(0)

    monkeypatch.setattr(os, "readv", waiting)
    previous = signal.signal(signal.SIGUSR1, expire)
    try:
        with pytest.raises(DeadlineExceeded):
            isolated(overrun, "x.parquet")
    finally:
        signal.signal(signal.SIGUSR1, previous)
        os.close(told)
        os.close(tell)
