"""Errors as problems, safe headers, request ids, and a log without secrets."""

from __future__ import annotations

import json
import logging
import socket

import pytest
from spark_operator.api.body import MAX_BODY_BYTES
from spark_operator.logs import JsonFormatter

from api.memory import MemoryCluster
from api.serving import Api, eventually

START = "/api/backtest/start"
JSON = {"Content-Type": "application/json"}


def test_every_error_is_a_problem_with_the_same_members(api: Api) -> None:
    answers = {
        404: api.get("/api/nothing"),
        405: api.ask("PUT", START, {}),
        413: api.ask("POST", START, content=b"{}" + b" " * MAX_BODY_BYTES, headers=JSON),
        415: api.ask("POST", START, content=b"{}", headers={"Content-Type": "text/plain"}),
        400: api.ask("POST", START, content=b"{", headers=JSON),
        401: api.get("/api/backtest", bearer=""),
        422: api.start({"pair": 1}),
    }
    for status, answer in answers.items():
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json
        assert {"type", "title", "status", "detail", "reason", "requestId"} <= body.keys()
        assert (body["type"], body["status"]) == ("about:blank", status)
        assert body["requestId"] == answer.headers["x-request-id"]


def test_405_tells_what_is_allowed(api: Api) -> None:
    assert api.get(START).headers["allow"] == "POST"
    assert "GET" in api.ask("DELETE", "/api/backtest/some-run").headers["allow"]


def test_a_trailing_slash_is_another_path(api: Api) -> None:
    assert api.get("/api/backtest/").status == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"pair": }', "line 1 column 10"),
        (b"[]", "must be a JSON object, is an array"),
        (b'"x"', "is a string"),
        (b'{"notes":"a","notes":"b"}', 'the key "notes" stands there twice'),
        (b'{"params":{"fast":NaN}}', "NaN is no JSON number"),
        (b'{"params":{"fast":1e999}}', "no JSON: Out of range"),
        (b'{"notes":"\xff"}', "UTF-8"),
        (b'{"notes":"\\ud800"}', "UTF-8"),
        (b'{"params":' + b"[" * 100 + b"]" * 100 + b"}", "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"params":{"fast":' + b"9" * 5000 + b"}}", "no JSON"),
    ],
)
def test_what_is_no_json_is_told(shared_api: Api, content: bytes, words: str) -> None:
    answer = shared_api.ask("POST", START, content=content, headers=JSON)
    assert answer.status == 400
    assert words in answer.json["detail"]


def test_an_integer_that_no_digest_can_hold_is_refused(api: Api) -> None:
    answer = api.start({"params": {"fast": 2**60, "slow": 21}})
    assert answer.status == 422


def test_a_body_without_a_length_is_cut_off(api: Api) -> None:
    """Chunked: the declared length cannot be trusted."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        head = (
            f"POST {START} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Authorization: Bearer alice-token\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        try:
            for _ in range(8):
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_an_error_of_our_own_is_500_and_tells_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret internals")

    monkeypatch.setattr(api.services.runs.cache, "newest", broken)
    answer = api.get("/api/backtest")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content
    logged = next(record for record in caplog.records if record.getMessage() == "unhandled")
    assert logged.requestId == answer.json["requestId"]


def test_answers_are_safe_in_a_browser(api: Api) -> None:
    for path in ("/healthz", "/api/backtest", "/nothing", "/openapi.json"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_what_credentials_show_is_kept_by_no_shared_cache(api: Api) -> None:
    assert api.get("/api/backtest").headers["cache-control"] == "private, no-cache"
    assert api.start({}).headers["cache-control"] == "no-store"


def test_a_request_id_is_taken_over_when_it_is_one(api: Api) -> None:
    assert api.get("/healthz", headers={"X-Request-Id": "trace-1.2"}).headers["x-request-id"] == "trace-1.2"
    for bad in ("a b", "x" * 65, '"}'):
        given = api.get("/healthz", headers={"X-Request-Id": bad}).headers["x-request-id"]
        assert given != bad
        assert len(given) == 32


def access_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "spark_operator.api.access"]


def test_each_request_is_one_line_without_secrets(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "spark_operator.api.access")
    answer = api.get("/api/backtest?limit=5", headers={"User-Agent": "tests"})
    request = answer.headers["x-request-id"]  # a late line of another test's request may come between

    def lines() -> list[dict[str, object]]:
        every = [json.loads(JsonFormatter().format(record)) for record in access_lines(caplog)]
        return [line for line in every if line["requestId"] == request]

    (line,) = eventually(lines)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/backtest", 200)
    assert (line["user"], line["userAgent"], line["bytes"]) == ("alice", "tests", len(answer.content))
    assert "alice-token" not in caplog.text


def test_no_log_of_a_refused_or_broken_request_has_the_token(
    api: Api, cluster: MemoryCluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    api.get("/api/backtest", bearer="a-secret-of-nobody")
    cluster.state.down = True
    api.get("/api/backtest", bearer="another-secret")
    cluster.state.down = False
    monkeypatch.setattr(api.services.runs.cache, "newest", None)
    api.get("/api/backtest")
    eventually(lambda: len(access_lines(caplog)) >= 3)
    text = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    for secret in ("a-secret-of-nobody", "another-secret", "alice-token"):
        assert secret not in text


def test_public_handlers_need_no_credentials(api: Api) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/__routes", "/openapi.json", "/api/public/healthz"):
        assert api.get(path, bearer="").status == 200, path
