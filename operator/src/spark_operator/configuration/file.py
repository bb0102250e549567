"""The configuration file: read whole or refused in plain words, and read again when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Gauge
from pydantic import BaseModel, ValidationError
from spark_crds.manifest import ManifestError, load_manifest

from spark_operator.configuration.model import Configuration, Controller, Store

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 5.0


class InvalidConfiguration(ValueError):
    """The file cannot be used; one line for each problem, with the field and what is allowed."""


class ConfigurationFile:
    """The newest configuration that was valid. Making one raises `InvalidConfiguration`.

    Exports `spark_config_last_reload_successful` (0 or 1) and
    `spark_config_last_reload_success_timestamp_seconds`.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path = path
        self._content = _content(path)
        self._configuration = _parsed(self._content, path)
        self._refused = b""
        self._successful = Gauge(
            "spark_config_last_reload_successful",
            "Whether the configuration file as it is now is the one in use.",
            registry=registry,
        )
        self._succeeded_at = Gauge(
            "spark_config_last_reload_success_timestamp_seconds",
            "When the configuration in use was read.",
            registry=registry,
        )
        self._note_success()

    def current(self) -> Configuration:
        return self._configuration

    def reload(self) -> bool:
        """Whether the configuration in use changed. A bad file keeps the old one."""
        try:
            content = _content(self._path)
            if content == self._content:
                self._successful.set(1)
                self._refused = b""
                return False
            configuration = _parsed(content, self._path)
        except InvalidConfiguration as error:
            self._note_refusal(str(error))
            return False
        self._content, self._configuration = content, configuration
        self._note_success()
        LOG.info("the configuration changed and is in use", extra={"file": str(self._path)})
        return True

    async def follow(self, seconds: float = LOOK_SECONDS) -> None:
        """Looks every few seconds, for ever. By content: a ConfigMap swaps symbolic links."""
        while True:
            await asyncio.sleep(seconds)
            self.reload()

    def _note_success(self) -> None:
        self._refused = b""
        self._successful.set(1)
        self._succeeded_at.set_to_current_time()

    def _note_refusal(self, problem: str) -> None:
        self._successful.set(0)
        if problem.encode() != self._refused:
            self._refused = problem.encode()
            LOG.error("the changed configuration is refused, the old one stays in use: %s", problem)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidConfiguration(f"{path}: {error.strerror or error}") from None


def _parsed(content: bytes, path: Path) -> Configuration:
    try:
        documents = load_manifest(content, str(path))
    except ManifestError as error:
        raise InvalidConfiguration(str(error)) from None
    if len(documents) > 1:
        raise InvalidConfiguration(f"{path}: one document is allowed, this file has {len(documents)}")
    try:
        configuration = Configuration.model_validate(documents[0])
    except ValidationError as error:
        problems = [f"{path}: {_problem(dict(each))}" for each in error.errors(include_url=False)]
        raise InvalidConfiguration("\n".join(problems)) from None
    if problem := _store_problem(configuration.store) or _timing_problem(configuration.controller):
        raise InvalidConfiguration(f"{path}: {problem}")
    return configuration


def _problem(error: dict[str, Any]) -> str:
    place: Sequence[str | int] = error["loc"]
    field = ".".join(map(str, place))
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown field; allowed here: {', '.join(_fields_at(place[:-1]))}"
    if error["type"] == "missing":
        return f"{field}: is required"
    if error["type"] == "string_pattern_mismatch":
        return f"{field}: must match {error['ctx']['pattern']}, got {error['input']!r}"
    given = "" if isinstance(error["input"], dict | list) else f", got {error['input']!r}"
    return f"{field}: {error['msg']}{given}"


def _fields_at(place: Sequence[str | int]) -> list[str]:
    """The names allowed in the model at this place of the file."""
    model: type[BaseModel] = Configuration
    for part in place:
        if isinstance(part, str):
            field = next(each for name, each in model.model_fields.items() if part in (each.alias, name))
            model = _model_of(field.annotation)
    return [str(field.alias) for field in model.model_fields.values()]


def _model_of(annotation: Any) -> type[BaseModel]:
    """The model of a field, also of a list of them."""
    candidates = (annotation, *get_args(annotation))
    return next(each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))


def _store_problem(store: Store) -> str:
    """A file is where its volume is, and a volume has nothing else to hold."""
    if store.uri.startswith("file://") == bool(store.claim):
        return ""
    return f"store.claim: a file:// uri needs a PersistentVolumeClaim, and no other does; got {store.uri!r}"


def _timing_problem(controller: Controller) -> str:
    """A write that outlives the Lease could meet the write of another leader."""
    margin = "leaseSeconds - renewDeadlineSeconds"
    left = controller.lease_seconds - controller.renew_deadline_seconds
    if left <= 0:
        return (
            f"controller.renewDeadlineSeconds: must be less than leaseSeconds ({controller.lease_seconds:g})"
        )
    if controller.write_timeout_seconds >= left:
        return f"controller.writeTimeoutSeconds: must be less than {margin} ({left:g})"
    if controller.retry_seconds >= controller.renew_deadline_seconds:
        deadline = f"renewDeadlineSeconds ({controller.renew_deadline_seconds:g})"
        return f"controller.retrySeconds: must be less than {deadline}"
    return ""
