"""The series of the Kubernetes client, named as client-go names them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_ANSWER = "<error>"
CODES = ("200", "409", "429", "500", "503", NO_ANSWER)


def requests_counter(registry: CollectorRegistry) -> Counter:
    """`rest_client_requests_total{code,method}`; the code is `<error>` where there was no answer."""
    counter = Counter(
        "rest_client_requests",
        "Requests to the API server by HTTP status and method.",
        ("code", "method"),
        registry=registry,
    )
    for method in METHODS:
        for code in CODES:
            counter.labels(code, method)
    return counter
