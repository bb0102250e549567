"""run.json keeps what it holds, a wrong one is refused by field, and the canonical form is one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.canonical import canonical, digest, parse_canonical, sha256_hex
from spark_crds.formats.error import FormatError
from spark_crds.formats.run import GuardrailPin, RunDocument, RunIdentity, decode_run

RUN = RunDocument(
    run=RunIdentity(name="eth", namespace="quant", uid="1-2-3"),
    spec={"seed": 0, "strategy": {"name": "rsi"}},
    spec_hash="sha256:" + "0" * 64,
    attempt=2,
    guardrails=GuardrailPin(revision="default-abc", sha256="1" * 64),
    artifact_uri="s3://evidence/eth/",
    deadline_seconds=900,
)
BARE = RunDocument(run=RunIdentity(name="laptop"), spec={}, spec_hash="sha256:" + "0" * 64)


@pytest.mark.parametrize("run", [RUN, BARE])
def test_a_run_survives_its_way_through_json(run: RunDocument) -> None:
    assert decode_run(json.loads(json.dumps(run.document()))) == run


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("schema", "spark.trading/run/v2", "schema"),
        ("run", None, "run"),
        ("run", {"name": 3}, "run.name"),
        ("run", {"name": "../../etc"}, "run.name"),
        ("run", {"name": "Upper"}, "run.name"),
        ("run", {"name": "a" * 64}, "run.name"),
        ("run", {"name": "a", "uid": None}, "run.uid"),
        ("spec", [], "spec"),
        ("specHash", 1, "specHash"),
        ("attempt", 0, "attempt"),
        ("attempt", True, "attempt"),
        ("attempt", 1.0, "attempt"),
        ("deadlineSeconds", -1, "deadlineSeconds"),
        ("deadlineSeconds", "900", "deadlineSeconds"),
        ("guardrails", {"revision": "a"}, "guardrails.sha256"),
        ("guardrails", "a", "guardrails"),
        ("artifact", {"uri": 5}, "artifact.uri"),
        ("artifact", [1], "artifact"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, named: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_run(RUN.document() | {field: value})
    assert caught.value.field == named
    assert str(caught.value).startswith(f"{named}: must be")


@pytest.mark.parametrize("document", [None, [], "run", 1, {}])
def test_what_is_no_run_document_is_refused(document: Any) -> None:
    with pytest.raises(FormatError):
        decode_run(document)


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    """Section 3.2.2 of the RFC, its example of numbers and of key order."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(value) == expected.encode()


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53) + 1, 2**53 - 1))
)
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, int]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_an_integral_float_and_an_integer_are_one_value() -> None:
    assert digest({"a": 30.0}) == digest({"a": 30})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53)])
def test_what_json_cannot_hold_exactly_has_no_canonical_form(value: float) -> None:
    with pytest.raises(ValueError):
        canonical({"a": value})


def test_digests_carry_their_algorithm_and_checksums_do_not() -> None:
    assert digest({}) == f"sha256:{sha256_hex(b'{}')}"
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(
    st.dictionaries(
        st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9)
    )
)
def test_canonical_bytes_are_read_and_written_again_to_the_same_bytes(value: dict[str, float]) -> None:
    assert canonical(parse_canonical(canonical(value))) == canonical(value)
