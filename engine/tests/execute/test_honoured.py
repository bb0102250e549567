"""What cannot be honoured yet is refused, naming the field."""

from __future__ import annotations

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.execute.honoured import check_honoured


def test_a_field_that_would_be_ignored_is_refused_by_name() -> None:
    check_honoured({"data": {"uri": "x.parquet"}})
    with pytest.raises(InvalidSpec) as refused:
        check_honoured({"data": {"feedRef": {"name": "btcturk-spot"}}})
    assert refused.value.field == "spec.data.feedRef"
    assert "not supported by this engine yet" in refused.value.message
