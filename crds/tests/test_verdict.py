"""Our offline verdict says what the API server says: the table objects.yaml, recorded from a real one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from spark_crds.validate import server_violations, validate, verdict

Split = Callable[[str], tuple[str, set[str]]]


def test_an_object_is_judged_as_by_the_api_server(object_case: Any, split: Split) -> None:
    text = verdict(object_case.manifest, object_case.old)
    if object_case.accepted:
        assert server_violations(object_case.manifest, object_case.old) == []
    else:
        assert split(text) == object_case.refusal()


def test_what_only_the_operator_refuses_is_said_to_be_so(object_case: Any) -> None:
    if not object_case.accepted:
        assert all(
            violation.by != "operator" for violation in validate(object_case.manifest, object_case.old)
        )
        return
    found = validate(object_case.manifest, object_case.old)
    assert [str(violation) for violation in found] == object_case.operator
    assert all(violation.by == "operator" for violation in found)
    assert ("would be failed by the operator" in verdict(object_case.manifest, object_case.old)) == bool(
        found
    )


def test_an_accepted_object_has_an_empty_verdict(manifest: dict[str, Any]) -> None:
    assert verdict(manifest) == ""


def test_several_objections_are_listed_as_kubectl_lists_them(manifest: dict[str, Any]) -> None:
    manifest["spec"] = {"retries": 11, **manifest["spec"], "seed": -1}
    assert verdict(manifest) == (
        'The BacktestRun "base" is invalid: '
        "\n* spec.retries: Invalid value: 11: spec.retries in body should be less than or equal to 10"
        "\n* spec.seed: Invalid value: -1: spec.seed in body should be greater than or equal to 0"
    )


def test_judging_an_object_leaves_it_as_it_was(object_case: Any) -> None:
    before = copy.deepcopy(object_case.manifest)
    validate(object_case.manifest, object_case.old)
    assert object_case.manifest == before


def test_an_object_of_no_shape_at_all_is_refused_in_words() -> None:
    for odd in ({}, {"kind": []}, {"apiVersion": None, "kind": {}}, {"metadata": 3}):
        assert verdict(odd).startswith("error: resource mapping not found")
