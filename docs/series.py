"""Every series of operator, API and feed, from the registries that they export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_operator.api.metrics import Metrics
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.transport import Transport
from spark_operator.configuration.file import ConfigurationFile
from spark_operator.controllers import kinds
from spark_operator.runtime.process import OperatorProcess, Place

from docs.tables import markdown

OF_THE_LIBRARY = ("process_", "python_")
SUFFIXES = {"counter": "_total"}
HEAD = ("series", "type", "labels, and their values from the start", "meaning")


def leader_series() -> str:
    """Of the kinds: told by the leader alone."""
    return markdown(HEAD, _rows(kinds_registry()))


def replica_series() -> str:
    """Of the machinery: told by every replica."""
    return markdown(HEAD, _rows(operator_registry()))


def api_series() -> str:
    return markdown(HEAD, _rows(api_registry()))


def feed_series() -> str:
    """Of a feed of BTCTurk; those of other providers have all but `btcturk_*`."""
    return markdown(HEAD, _rows(feed_registry()))


def feed_registry() -> CollectorRegistry:
    """As `backtest feed run` has it, of one symbol."""
    return FeedMetrics("btcturk-spot", ("BTCTRY",)).registry


def kinds_registry() -> CollectorRegistry:
    """What `controllers.kinds` registers; nothing is connected to anything."""
    registry = CollectorRegistry()
    kinds(_configuration(CollectorRegistry()).current, registry)
    return registry


def operator_registry() -> CollectorRegistry:
    """As `python -m spark_operator` has it while it does not lead."""
    registry = CollectorRegistry()
    cluster = KubernetesCluster(Transport(None), requests_counter(registry))
    OperatorProcess(cluster, _configuration(registry), kinds, Place("any", "any"), registry)
    return registry


def api_registry() -> CollectorRegistry:
    """As `python -m spark_operator.api` has it."""
    registry = Metrics().registry
    _configuration(registry)
    requests_counter(registry)
    return registry


def _configuration(registry: CollectorRegistry) -> ConfigurationFile:
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text("engine: {image: spark-engine}\n")
        return ConfigurationFile(path, registry)


def _rows(registry: CollectorRegistry) -> Iterator[tuple[str, str, str, str]]:
    families = sorted(registry.collect(), key=lambda family: family.name)
    for family in families:
        if not family.name.startswith(OF_THE_LIBRARY):
            name = f"{family.name}{SUFFIXES.get(family.type, '')}"
            yield f"`{name}`", family.type, _labels(family), f"{family.documentation.rstrip('.')}."


def _labels(family: Metric) -> str:
    values: dict[str, dict[str, None]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                values.setdefault(label, {})[value] = None
    return "; ".join(f"`{label}`: `{', '.join(found)}`" for label, found in values.items())
