"""Who is let in, as whom, and what a token never meets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spark_operator.api.admin_token import AdminToken
from spark_operator.configuration.model import Configuration

from api.memory import MemoryCluster
from api.serving import Api, serving

ADMIN = "8f14e45fceea167a5a36dedd4bea2543b6d1a1f0c9e3f7d2"
OTHER_ADMIN = "c4ca4238a0b923820dcc509a6f75849bd3d9446802a44259"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "ADMIN_TOKEN"
    path.write_text(ADMIN + "\n")
    return path


@pytest.fixture
def guarded(cluster: MemoryCluster, configuration: Configuration, token_file: Path) -> Iterator[Api]:
    with serving(lambda: cluster, configuration, admin=AdminToken(token_file)) as running:
        yield running


def failures(api: Api, reason: str) -> float:
    found = api.services.metrics.registry.get_sample_value("backtest_auth_failures_total", {"reason": reason})
    assert found is not None
    return found


def test_without_credentials_nothing_is_read_or_written(api: Api) -> None:
    for method, path in (
        ("GET", "/api/backtest"),
        ("GET", "/api/backtest/status"),
        ("GET", "/api/backtest/one"),
        ("GET", "/api/backtest/one/artifacts"),
        ("GET", "/api/backtest/one/artifacts/evidence.json"),
        ("POST", "/api/backtest/start"),
        ("DELETE", "/api/backtest/cancel/one"),
    ):
        answer = api.ask(method, path, bearer="")
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json["status"] == 401
    assert failures(api, "missing") == 7


def test_a_bad_token_is_401_and_counted(api: Api) -> None:
    assert api.get("/api/backtest", bearer="nobodys").status == 401
    assert failures(api, "invalid") == 1
    for header in ("Basic YTpi", "Bearer", "Bearer a b", "Bearer ü"):
        answer = api.get("/api/backtest", bearer="", headers={"Authorization": header.encode("latin-1")})
        assert answer.status == 401, header
    assert failures(api, "malformed") == 4


def test_a_token_review_that_cannot_be_had_is_503(api: Api, cluster: MemoryCluster) -> None:
    cluster.state.down = True
    answer = api.get("/api/backtest", bearer="alice-token")
    assert answer.status == 503
    assert b"10.0.0.1" not in answer.content
    assert api.start({}, bearer="alice-token").status == 503


def test_who_may_not_read_is_403_in_the_servers_words(api: Api) -> None:
    answer = api.get("/api/backtest", bearer="mallory-token")
    assert answer.status == 403
    assert 'User "mallory" cannot list resource "backtestruns"' in answer.json["detail"]
    assert api.get("/api/backtest/one", bearer="mallory-token").status == 403


def test_who_may_only_view_lists_and_is_refused_a_start(api: Api) -> None:
    assert api.get("/api/backtest", bearer="bob-token").status == 200
    answer = api.start({}, bearer="bob-token")
    assert answer.status == 403
    assert answer.json["detail"].startswith(
        'backtestruns.spark.trading is forbidden: User "bob" cannot create'
    )


def test_reviews_are_kept_for_a_while(api: Api, cluster: MemoryCluster) -> None:
    for _ in range(5):
        api.get("/api/backtest", bearer="bob-token")
    asked = [plural for _, _, plural in cluster.state.requests]
    assert asked.count("tokenreviews") == 1
    assert asked.count("subjectaccessreviews") == 1


def test_another_namespace_or_verb_is_another_review(api: Api, cluster: MemoryCluster) -> None:
    for path in ("/api/backtest", "/api/backtest?namespace=other", "/api/backtest/one"):
        api.get(path, bearer="bob-token")
    assert [plural for _, _, plural in cluster.state.requests].count("subjectaccessreviews") == 3


def test_anonymous_reads_need_the_switch(api: Api, cluster: MemoryCluster) -> None:
    api.configure(anonymous_read=True)
    assert api.get("/api/backtest", bearer="").status == 200
    assert api.start({}, bearer="").status == 401
    assert api.get("/api/backtest", bearer="nobodys").status == 401
    api.configure(anonymous_read=False)
    assert api.get("/api/backtest", bearer="").status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {ADMIN}"},
        {"x-admin-token": ADMIN},
        {"Cookie": f"theme=dark; admin-token={ADMIN}"},
    ],
)
def test_break_glass_writes_as_the_apis_own_account(
    guarded: Api, cluster: MemoryCluster, headers: dict[str, str]
) -> None:
    assert guarded.start({}, headers=headers).status == 201
    assert ("", "create", "backtestruns") in cluster.state.requests
    assert guarded.get("/api/backtest", headers=headers).status == 200


def test_admin_token_is_never_sent_on(guarded: Api, cluster: MemoryCluster) -> None:
    guarded.get("/api/backtest", bearer=ADMIN)
    assert all(plural != "tokenreviews" for _, _, plural in cluster.state.requests)


def test_two_credentials_at_once_are_400(guarded: Api) -> None:
    for headers in (
        {"Authorization": f"Bearer {ADMIN}", "x-admin-token": ADMIN},
        {"Authorization": "Bearer alice-token", "Cookie": f"admin-token={ADMIN}"},
        {"x-admin-token": ADMIN, "Cookie": f"admin-token={ADMIN}"},
        {"Cookie": f"admin-token={ADMIN}; admin-token=other"},
    ):
        answer = guarded.get("/api/backtest", headers=headers)
        assert (answer.status, answer.json["reason"]) == (400, "AmbiguousCredentials"), headers
    assert failures(guarded, "ambiguous") == 4


def test_a_wrong_admin_token_is_401_and_no_kubernetes_token(guarded: Api, cluster: MemoryCluster) -> None:
    for value in ("wrong", ADMIN[:-1], "alice-token"):
        assert guarded.get("/api/backtest", headers={"x-admin-token": value}).status == 401
    assert all(plural != "tokenreviews" for _, _, plural in cluster.state.requests)


def test_without_the_file_break_glass_is_off(api: Api) -> None:
    assert api.get("/api/backtest", bearer="", headers={"x-admin-token": ADMIN}).status == 401


def test_tokens_change_with_the_file_and_two_are_valid_at_once(guarded: Api, token_file: Path) -> None:
    def status(token: str) -> int:
        return guarded.get("/api/backtest", headers={"x-admin-token": token}).status

    token_file.write_text(f"{OTHER_ADMIN}\n{ADMIN}\n")
    assert (status(ADMIN), status(OTHER_ADMIN)) == (200, 200)
    token_file.write_text(f"{OTHER_ADMIN}\n")
    assert (status(ADMIN), status(OTHER_ADMIN)) == (401, 200)
    token_file.write_text("test-secret-123\n")
    assert (status("test-secret-123"), status(OTHER_ADMIN)) == (401, 401)
    token_file.unlink()
    assert status(ADMIN) == 401


def test_a_write_that_another_site_caused_is_refused(guarded: Api) -> None:
    cookie = {"Cookie": f"admin-token={ADMIN}"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = guarded.start({}, headers=cookie | headers)
        assert (answer.status, answer.json["reason"]) == (403, "CrossSite"), headers
    own = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://127.0.0.1:{guarded.port}"}
    assert guarded.start({}, headers=cookie | own).status == 201
