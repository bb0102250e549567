"""Every route of the API, in the order in which they match: fixed paths before {id}."""

from __future__ import annotations

from spark_operator.api.handlers import cancel, download, public, read, start
from spark_operator.api.handlers.openapi import openapi
from spark_operator.api.operation import Access, Answer, Operation, Parameter
from spark_operator.api.query import DEFAULT_LIMIT, MOST
from spark_operator.core.vocabulary import Word

TEXT = "text/plain"
STATUSES = [word.value for word in Word]
WHOLE_NUMBER = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT}

ID = Parameter("id", "path", "Name of the run.")
FILE = Parameter("file", "path", "Name of the file, such as evidence.json.")
NAMESPACE = Parameter("namespace", "query", "Namespace of the run; without it, the configured one.")
LIMIT = Parameter("limit", "query", "Most runs of an answer.", WHOLE_NUMBER)
IF_NONE_MATCH = Parameter("If-None-Match", "header", "ETag of a former answer: 304 where it still holds.")
IF_MATCH = Parameter("If-Match", "header", "ETag of the run as it was read: 412 where it changed since.")
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key", "header", "Makes a repeated start answer with the first one's run."
)
FILTERS = (
    Parameter("status", "query", "Only runs with this status.", {"type": "string", "enum": STATUSES}),
    Parameter("strategy", "query", "Only runs of this strategy, by its name or entry point."),
    Parameter("symbol", "query", "Only runs of this symbol."),
    Parameter("continue", "query", "The `continue` of the page before."),
)
READING = (401, 403, 404, 503)
UNCHANGED = Answer("Not changed since the ETag.", media_type=TEXT)
HEALTHY = {200: Answer("Ready.", "Health")}
METRICS = {200: Answer("Series in the Prometheus text format.", media_type=TEXT)}

ROUTES: tuple[Operation, ...] = (
    Operation(
        "GET", "/healthz", public.live, Access.OPEN, {200: Answer("Alive.", media_type=TEXT)}, problems=(503,)
    ),
    Operation("GET", "/readyz", public.ready, Access.OPEN, HEALTHY, problems=(503,)),
    Operation("GET", "/metrics", public.metrics, Access.OPEN, METRICS),
    Operation("GET", "/openapi.json", openapi, Access.OPEN, {200: Answer("This document.", "Document")}),
    Operation("GET", "/__routes", public.list_routes, Access.OPEN, {200: Answer("Every route.", "Routes")}),
    Operation("GET", "/api/public/healthz", public.ready, Access.OPEN, HEALTHY, problems=(503,)),
    Operation("GET", "/api/public/metrics/prom", public.all_metrics, Access.OPEN, METRICS),
    Operation(
        "GET",
        "/api/backtest",
        read.list_runs,
        Access.READ,
        {200: Answer("A page of runs, newest first.", "RunList"), 304: UNCHANGED},
        parameters=(NAMESPACE, LIMIT, *FILTERS, IF_NONE_MATCH),
        problems=(400, 422, *READING),
    ),
    Operation(
        "POST",
        "/api/backtest/start",
        start.start,
        Access.WRITE,
        {201: Answer("A new run.", "Started"), 200: Answer("The run of the same key and body.", "Started")},
        parameters=(NAMESPACE, IDEMPOTENCY_KEY),
        body="StartRequest",
        problems=(400, 401, 403, 409, 413, 415, 422, 429, 503),
    ),
    Operation(
        "GET",
        "/api/backtest/status",
        read.status,
        Access.READ,
        {200: Answer("With id: that run. Without: how many runs are where.", "Status"), 304: UNCHANGED},
        parameters=(NAMESPACE, Parameter("id", "query", "Name of a run."), LIMIT, IF_NONE_MATCH),
        problems=(400, 422, *READING),
    ),
    Operation(
        "DELETE",
        "/api/backtest/cancel/{id}",
        cancel.cancel,
        Access.WRITE,
        {200: Answer("Cancelled.", "Cancelled"), 202: Answer("Will be cancelled.", "Cancelled")},
        parameters=(ID, NAMESPACE, IF_MATCH),
        problems=(400, 401, 403, 404, 409, 412, 422, 429, 503),
    ),
    Operation(
        "GET",
        "/api/backtest/{id}",
        read.detail,
        Access.READ,
        {200: Answer("One run.", "RunDetail"), 304: UNCHANGED},
        parameters=(ID, NAMESPACE, IF_NONE_MATCH),
        problems=(400, 422, *READING),
    ),
    Operation(
        "GET",
        "/api/backtest/{id}/artifacts",
        download.list_artifacts,
        Access.READ,
        {200: Answer("Files of the run.", "Artifacts")},
        parameters=(ID, NAMESPACE),
        problems=(400, 422, *READING),
    ),
    Operation(
        "GET",
        "/api/backtest/{id}/artifacts/{file}",
        download.download,
        Access.READ,
        {200: Answer("The file.", media_type="application/octet-stream"), 304: UNCHANGED},
        parameters=(ID, FILE, NAMESPACE, IF_NONE_MATCH),
        problems=(400, 422, *READING),
    ),
)
