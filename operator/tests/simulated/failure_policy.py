"""A Job's podFailurePolicy, as the Job controller reads it: the first rule that matches decides."""

from __future__ import annotations

from typing import Literal, NamedTuple

from simulated.store import Object

Action = Literal["FailJob", "Ignore", "Count"]


class Verdict(NamedTuple):
    """What a failed pod means for its Job."""

    action: Action
    message: str = ""


def judge(job: Object, pod: Object) -> Verdict:
    rules = job["spec"].get("podFailurePolicy", {}).get("rules", [])
    for index, rule in enumerate(rules):
        if "onPodConditions" in rule and _condition_matches(rule["onPodConditions"], pod):
            return Verdict(rule["action"])
        if "onExitCodes" in rule and (exited := _exit_code_matches(rule["onExitCodes"], pod)):
            name, code = exited
            metadata = pod["metadata"]
            place = f"{metadata['namespace']}/{metadata['name']}"
            how = f"failed with exit code {code} matching {rule['action']} rule at index {index}"
            return Verdict(rule["action"], f"Container {name} for pod {place} {how}")
    return Verdict("Count")


def _condition_matches(patterns: list[Object], pod: Object) -> bool:
    present = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
    return any(present.get(pattern["type"]) == pattern.get("status", "True") for pattern in patterns)


def _exit_code_matches(pattern: Object, pod: Object) -> tuple[str, int] | None:
    for status in pod["status"].get("containerStatuses") or ():
        code = status.get("state", {}).get("terminated", {}).get("exitCode", 0)
        if code == 0 or pattern.get("containerName", status["name"]) != status["name"]:
            continue
        if (code in pattern["values"]) == (pattern["operator"] == "In"):
            return status["name"], code
    return None
