"""Logs: one JSON object a line on stderr."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
OURS = "spark_operator"


class JsonFormatter(logging.Formatter):
    """`ts`, `level`, `logger`, `msg`, then what a call gave as `extra`.

    Only a fault of ours brings a `traceback`; of others' exceptions the last line is enough.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = "".join(traceback.format_exception_only(error)).strip()
            if record.name.startswith(OURS):
                line["traceback"] = "".join(traceback.format_exception(error))
        return json.dumps(line, default=str, ensure_ascii=False)


def configure_logs(level: str) -> None:
    """Sends all logs to stderr. Libraries are heard from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    logging.getLogger("kubernetes").setLevel(logging.ERROR)  # what it warns of, it raises as well


def _is_news(record: logging.LogRecord) -> bool:
    return "OS signals are ignored" not in record.getMessage()
