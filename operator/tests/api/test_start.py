"""POST /api/backtest/start."""

from __future__ import annotations

import re

import pytest
from spark_crds.resolve import resolve
from spark_operator.cluster.errors import Forbidden, Invalid, TooManyRequests, Unavailable

from api.memory import MemoryCluster
from api.serving import Api

WHOLE = {
    "strategy": {"name": "rsi", "params": {"period": 14, "lower": 30, "upper": 70}},
    "market": {"symbol": "ETHUSDT", "timeframe": "4h"},
    "data": {"uri": "s3://candles/ETHUSDT/4h/"},
}
TYPO = {"name": "rsi", "params": {"peroid": 1}}


def created(cluster: MemoryCluster, answer_id: str) -> dict:
    return cluster.state.runs["quant", answer_id]


def test_an_empty_object_runs_the_sample(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({})
    assert answer.status == 201
    spec = created(cluster, answer.json["id"])["spec"]
    assert spec["market"]["symbol"] == "BTCUSDT"
    assert spec["market"]["timeframe"] == "1h"
    assert spec["strategy"] == {"name": "sma-cross", "params": {"fast": 9, "slow": 21, "direction": "long"}}
    assert spec["data"]["uri"] == "sample://btcusdt-1h"


def test_no_body_at_all_is_an_empty_object(api: Api) -> None:
    assert api.ask("POST", "/api/backtest/start").status == 201


def test_the_answer_names_the_run_and_where_it_is(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({})
    body = answer.json
    assert body["status"] == "queued"
    assert body["startedAt"] == 1767225600000
    assert re.fullmatch(r"bt-\d{13}-[0-9a-f]{8}", body["id"])
    assert answer.headers["location"] == f"/api/backtest/{body['id']}?namespace=quant"
    assert api.get(answer.headers["location"]).json["uid"] == body["uid"]


def test_pair_timeframe_and_notes_are_taken(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({"pair": "ETHUSDT", "timeframe": "4h", "notes": "Smoke test"})
    spec = created(cluster, answer.json["id"])["spec"]
    assert (spec["market"]["symbol"], spec["market"]["timeframe"], spec["notes"]) == (
        "ETHUSDT",
        "4h",
        "Smoke test",
    )


def test_an_alias_names_the_same_strategy(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({"strategy": "smaCross", "params": {"fast": 5, "slow": 20}})
    strategy = created(cluster, answer.json["id"])["spec"]["strategy"]
    assert strategy == {"name": "sma-cross", "params": {"fast": 5, "slow": 20, "direction": "long"}}


def test_the_default_strategy_by_its_name_keeps_its_parameters(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({"strategy": "smaCross"})
    assert created(cluster, answer.json["id"])["spec"]["strategy"]["params"]["slow"] == 21


def test_parameters_alone_are_of_the_default_strategy(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({"params": {"fast": 3, "slow": 8}})
    strategy = created(cluster, answer.json["id"])["spec"]["strategy"]
    assert (strategy["name"], strategy["params"]["fast"]) == ("sma-cross", 3)


def test_another_strategy_does_not_inherit_the_default_parameters(api: Api, cluster: MemoryCluster) -> None:
    answer = api.start({"strategy": "rsi"})
    assert answer.status == 201
    assert "fast" not in created(cluster, answer.json["id"])["spec"]["strategy"]["params"]


def test_a_whole_spec_is_frozen_as_kubectl_would_resolve_it(api: Api, cluster: MemoryCluster) -> None:
    api.configure(run_defaults={"account": {"initialCash": "5"}})
    answer = api.start({"spec": WHOLE})
    run = created(cluster, answer.json["id"])
    assert run["spec"] == resolve({**run, "spec": WHOLE})
    assert run["spec"]["account"]["initialCash"] == "10000"


def test_run_defaults_of_the_platform_are_frozen_into_a_short_start(api: Api, cluster: MemoryCluster) -> None:
    api.configure(run_defaults={"account": {"initialCash": "2500.00"}, "market": {"timeframe": "4h"}})
    spec = created(cluster, api.start({"pair": "ETHUSDT"}).json["id"])["spec"]
    assert spec["account"]["initialCash"] == "2500"
    assert spec["market"]["timeframe"] == "4h"
    assert spec["market"]["symbol"] == "ETHUSDT"


def test_default_data_is_named_per_pair_and_timeframe(api: Api, cluster: MemoryCluster) -> None:
    api.configure(run_defaults={"data": {"uri": "s3://candles/{symbol}/{timeframe}/"}})
    spec = created(cluster, api.start({"pair": "ETHUSDT", "timeframe": "4h"}).json["id"])["spec"]
    assert spec["data"]["uri"] == "s3://candles/ETHUSDT/4h/"


def test_run_defaults_that_make_no_run_are_told_as_the_platforms_fault(api: Api) -> None:
    api.configure(run_defaults={"account": {"initialCash": "0"}})
    answer = api.start({})
    assert answer.status == 500
    assert "api.runDefaults.account.initialCash" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"pair": "no spaces"}, "pair", "should match"),
        ({"pair": 7}, "pair", "must be a string"),
        ({"timeframe": "1 hour"}, "timeframe", "should match"),
        ({"strategy": "smacros"}, "strategy", 'did you mean "sma-cross"?'),
        ({"strategy": {"name": "rsi"}}, "strategy", "must be a string"),
        ({"strategy": "smaCross", "params": {"fast": 9}}, "params.slow", "is missing"),
        ({"params": {"fast": 30, "slow": 5}}, "params.fast", "must be smaller than slow"),
        ({"params": {"fast": "9", "slow": 21}}, "params.fast", "an integer from 1 to 10000"),
        ({"params": [9, 21]}, "params", "must be an object"),
        ({"notes": "x" * 5000}, "notes", "Too long"),
        ({"symbol": "BTCUSDT"}, "symbol", "pair, timeframe, notes, strategy, params"),
        ({"spec": WHOLE, "pair": "BTCUSDT"}, "pair", "beside spec"),
        ({"spec": {**WHOLE, "sede": 1}}, "spec.sede", "unknown field"),
        ({"spec": {**WHOLE, "seed": -1}}, "spec.seed", "greater than or equal to 0"),
        ({"spec": "sma-cross"}, "spec", "must be of type object"),
        ({"spec": {"market": WHOLE["market"], "data": WHOLE["data"]}}, "spec.strategy", "Required value"),
        ({"spec": {**WHOLE, "strategy": TYPO}}, "spec.strategy.params.peroid", "did you mean"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(shared_api: Api, body: dict, field: str, words: str) -> None:
    answer = shared_api.start(body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json["errors"]
    assert error["field"] == field
    assert words in error["message"]
    assert answer.json["reason"] == "Invalid"


def test_objections_of_the_api_server_name_their_fields(api: Api, cluster: MemoryCluster) -> None:
    cluster.state.refusal = Invalid(
        'BacktestRun.spark.trading "bt-1" is invalid: [spec.market.symbol: Invalid value: "a, b": '
        "spec.market.symbol in body should match '^x$', spec.data: Required value]",
        status=422,
    )
    answer = api.start({})
    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == ["spec.market.symbol", "spec.data"]
    assert answer.json["errors"][1]["message"] == "Required value"


def test_a_refusal_that_names_no_field_keeps_the_servers_words(api: Api, cluster: MemoryCluster) -> None:
    words = 'backtestruns.spark.trading "bt-1" is forbidden: ValidatingAdmissionPolicy denied request: not so'
    cluster.state.refusal = Invalid(words, status=422)
    answer = api.start({})
    assert (answer.status, answer.json["detail"]) == (422, words)
    assert "errors" not in answer.json


def test_a_refusal_by_rbac_or_a_quota_keeps_the_servers_words(api: Api, cluster: MemoryCluster) -> None:
    cluster.state.refusal = Forbidden("exceeded quota: runs, used: 10, limited: 10", status=403)
    answer = api.start({})
    assert (answer.status, answer.json["detail"]) == (403, "exceeded quota: runs, used: 10, limited: 10")


def test_an_api_server_that_does_not_answer_is_503_without_its_address(
    api: Api, cluster: MemoryCluster
) -> None:
    cluster.state.refusal = Unavailable("https://10.0.0.1:6443: timed out")
    answer = api.start({})
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert b"10.0.0.1" not in answer.content


def test_an_api_server_that_asks_for_patience_is_429(api: Api, cluster: MemoryCluster) -> None:
    cluster.state.refusal = TooManyRequests("slow down", status=429)
    assert api.start({}).status == 429


def test_a_start_is_sent_as_the_caller(api: Api, cluster: MemoryCluster) -> None:
    api.start({})
    assert ("alice", "create", "backtestruns") in cluster.state.requests
    assert ("", "create", "backtestruns") not in cluster.state.requests


def test_a_namespace_can_be_named(api: Api, cluster: MemoryCluster) -> None:
    answer = api.ask("POST", "/api/backtest/start?namespace=other", {})
    assert ("other", answer.json["id"]) in cluster.state.runs


def test_a_repeated_key_with_the_same_body_answers_200_with_the_same_run(
    api: Api, cluster: MemoryCluster
) -> None:
    headers = {"Idempotency-Key": '"6f2c"'}
    first = api.start({"pair": "BTCUSDT", "timeframe": "1h"}, headers=headers)
    second = api.start({"timeframe": "1h", "pair": "BTCUSDT"}, headers=headers)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert len(cluster.state.runs) == 1
    assert re.fullmatch("bt-[0-9a-f]{32}", first.json["id"])


def test_a_repeated_key_with_another_body_is_refused(api: Api, cluster: MemoryCluster) -> None:
    api.start({}, headers={"Idempotency-Key": "k"})
    answer = api.start({"notes": "other"}, headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.json["reason"]) == (422, "IdempotencyKeyReused")
    assert len(cluster.state.runs) == 1


def test_a_replay_tells_where_the_run_is_by_now(api: Api, cluster: MemoryCluster) -> None:
    headers = {"Idempotency-Key": "k"}
    first = api.start({}, headers=headers).json
    cluster.set_status(
        first["id"], {"conditions": [{"type": "Complete", "status": "True", "reason": "Succeeded"}]}
    )
    assert api.start({}, headers=headers).json["status"] == "done"


def test_the_same_key_of_two_callers_is_two_runs(api: Api, cluster: MemoryCluster) -> None:
    cluster.state.users["carol-token"] = ("carol", cluster.state.users["alice-token"][1])
    one = api.start({}, headers={"Idempotency-Key": "k"})
    other = api.start({}, headers={"Idempotency-Key": "k"}, bearer="carol-token")
    assert (one.status, other.status) == (201, 201)


def test_a_key_that_is_no_key_is_refused(api: Api) -> None:
    assert api.start({}, headers={"Idempotency-Key": "two words"}).status == 400


def test_a_read_only_api_refuses_at_once(api: Api, cluster: MemoryCluster) -> None:
    api.configure(mode="readOnly")
    answer = api.start({}, bearer="")
    assert (answer.status, answer.json["reason"]) == (503, "ReadOnly")
    assert api.get("/api/backtest").status == 200
    api.configure(mode="readWrite")
    assert api.start({}).status == 201
