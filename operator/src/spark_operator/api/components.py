"""JSON schemas of what the API answers and takes, by name."""

from __future__ import annotations

from typing import Any

from spark_operator.core.vocabulary import Word

TEXT = {"type": "string"}
TIME = {"type": "integer", "description": "Milliseconds since the epoch."}
COUNT = {"type": "integer", "minimum": 0}
STATUS = {"type": "string", "enum": [word.value for word in Word]}


def _object(required: str, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(component: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{component}"}}


_RUN = {
    "id": TEXT,
    "namespace": TEXT,
    "uid": TEXT,
    "status": STATUS,
    "reason": {"type": "string", "description": "Of the condition that decided, such as Cancelled."},
    "message": TEXT,
    "startedAt": {**TIME, "description": "When the run was created, in ms since the epoch."},
    "runningSince": TIME,
    "finishedAt": TIME,
    "strategy": TEXT,
    "pair": TEXT,
    "timeframe": TEXT,
    "notes": TEXT,
    "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
    "verdict": TEXT,
}
_ALWAYS = "id namespace uid status startedAt strategy pair timeframe"
_LINKS = {"type": "object", "additionalProperties": TEXT}

COMPONENTS: dict[str, Any] = {
    "Problem": _object(
        "type title status detail reason requestId",
        type={"const": "about:blank"},
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        reason={"type": "string", "description": "One CamelCase word for programs."},
        requestId=TEXT,
        errors={
            "type": "array",
            "items": _object("field message", field=TEXT, message=TEXT),
        },
    ),
    "Run": _object(_ALWAYS, **_RUN),
    "RunDetail": _object(
        f"{_ALWAYS} resourceVersion spec conditions links",
        **_RUN,
        resourceVersion=TEXT,
        spec={"$ref": "#/components/schemas/BacktestRunSpec"},
        conditions={"type": "array", "items": {"type": "object"}},
        attempt=COUNT,
        queuePosition=COUNT,
        progress={"type": "object"},
        digest=TEXT,
        artifact={"type": "object"},
        provenance={"type": "object"},
        specHash=TEXT,
        jobName=TEXT,
        links=_LINKS,
    ),
    "RunList": _object("runs continue", runs=_list("Run"), **{"continue": TEXT}),
    "Counts": _object(
        "queued running done failed runs",
        queued=COUNT,
        running=COUNT,
        done=COUNT,
        failed=COUNT,
        runs=_list("Run"),
    ),
    "Status": {
        "oneOf": [{"$ref": "#/components/schemas/RunDetail"}, {"$ref": "#/components/schemas/Counts"}]
    },
    "StartRequest": {
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["spec"],
                "properties": {"spec": {"$ref": "#/components/schemas/BacktestRunSpec"}},
            },
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "pair": {"type": "string", "examples": ["ETHUSDT"]},
                    "timeframe": {"type": "string", "examples": ["4h"]},
                    "notes": TEXT,
                    "strategy": {"type": "string", "examples": ["sma-cross"]},
                    "params": {"type": "object", "examples": [{"fast": 9, "slow": 21}]},
                },
            },
        ]
    },
    "Started": _object(
        "id status startedAt namespace uid links",
        id=TEXT,
        status=STATUS,
        startedAt=TIME,
        namespace=TEXT,
        uid=TEXT,
        links=_LINKS,
    ),
    "Cancelled": _object(
        "ok id status reason namespace links",
        ok={"const": True},
        id=TEXT,
        status=STATUS,
        reason=TEXT,
        namespace=TEXT,
        links=_LINKS,
    ),
    "Artifacts": _object(
        "id namespace artifacts",
        id=TEXT,
        namespace=TEXT,
        artifacts={
            "type": "array",
            "items": _object("name bytes mediaType url", name=TEXT, bytes=COUNT, mediaType=TEXT, url=TEXT),
        },
    ),
    "Health": _object("status", status={"const": "ok"}),
    "Routes": _object(
        "routes", routes={"type": "array", "items": _object("path methods", path=TEXT, methods=TEXT)}
    ),
    "Document": {"type": "object"},
}
