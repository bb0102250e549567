"""The termination message: always within its limit, read back as it was written, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.formats.error import FormatError
from spark_crds.formats.message import (
    MAX_MESSAGE_BYTES,
    ArtifactReference,
    TerminationMessage,
    decode_message,
)
from spark_crds.formats.outcome import Failure

NAMES = st.text("abcdefgh", min_size=1, max_size=20)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES = st.builds(
    TerminationMessage,
    run_uid=NAMES,
    job_uid=NAMES,
    attempt=st.integers(1, 9),
    index=st.integers(0, 10**5),
    engine_version=NAMES,
    digest=st.none() | DIGESTS.map("sha256:{}".format),
    metrics=st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False), max_size=60),
    verdict=st.none() | st.booleans(),
    engine_ms=st.none() | st.integers(0, 10**7),
    artifact=st.none()
    | st.builds(
        ArtifactReference, uri=st.text("a/", max_size=1000), sha256=DIGESTS, bytes=st.integers(0, 10**9)
    ),
    error=st.none() | st.builds(Failure, reason=NAMES, message=TEXTS, field=st.none() | NAMES),
)
PLAIN = TerminationMessage(run_uid="r", job_uid="j", attempt=1, index=0, engine_version="0.1.0")


@given(MESSAGES)
def test_a_message_fits_and_says_what_fits(message: TerminationMessage) -> None:
    content = message.encode()
    assert len(content) <= MAX_MESSAGE_BYTES
    read = decode_message(content)
    assert (read.run_uid, read.digest, read.artifact) == (message.run_uid, message.digest, message.artifact)
    assert read.metrics.items() <= dict(message.metrics).items()


def test_a_small_message_survives_whole() -> None:
    message = TerminationMessage(
        run_uid="r",
        job_uid="j",
        attempt=2,
        index=3,
        engine_version="0.1.0",
        metrics={"sharpe": 0.5, "trades": 7},
        verdict=False,
        error=Failure("InvalidData", "no such file", "spec.data.uri"),
    )
    assert decode_message(message.encode()) == message


def test_metrics_go_before_the_error_is_cut() -> None:
    crowded = {f"metric{number}": 1 / 3 for number in range(200)}
    error = Failure("EngineError", "x" * 512)
    read = decode_message(
        TerminationMessage(
            run_uid="r", job_uid="j", attempt=1, index=0, engine_version="1", metrics=crowded, error=error
        ).encode()
    )
    assert read.error == error
    assert 0 < len(read.metrics) < 200


@given(st.binary(max_size=200))
def test_any_other_text_is_no_message(content: bytes) -> None:
    with pytest.raises(FormatError):
        decode_message(content)


@given(st.integers(0, 300))
def test_a_message_that_was_cut_is_no_message(length: int) -> None:
    content = PLAIN.encode()
    with pytest.raises(FormatError):
        decode_message(content[: min(length, len(content) - 1)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "spark.trading/message/v2"),
        ("runUID", None),
        ("attempt", True),
        ("index", "0"),
        ("digest", "sha256:short"),
        ("metrics", []),
        ("metrics", {"sharpe": "high"}),
        ("verdict", 1),
        ("artifact", {"uri": "s3://x", "bytes": 1}),
        ("artifact", {"uri": "s3://x", "sha256": "0" * 63, "bytes": 1}),
        ("error", {"message": "m"}),
    ],
)
def test_a_field_of_another_kind_makes_it_no_message(name: str, value: Any) -> None:
    document = json.loads(PLAIN.encode()) | {name: value}
    with pytest.raises(FormatError):
        decode_message(json.dumps(document).encode())
