"""BacktestRun as a kind of the machinery: what is read for a decision. `core.backtestrun` decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from spark_operator.cluster.interface import Cluster, Object, every
from spark_operator.cluster.resources import BACKTEST_RUNS, EVENTS, JOBS, PODS, Resource
from spark_operator.configuration.model import Configuration
from spark_operator.controllers.run_metrics import RunMetrics
from spark_operator.core import job as jobs
from spark_operator.core.backtestrun.decide import decide, refused
from spark_operator.core.backtestrun.observed import (
    ObservedRun,
    claim,
    is_finished,
    is_settled,
    job_name,
    may_have_other_jobs,
    order,
    reads_pods,
)
from spark_operator.core.backtestrun.results import executions
from spark_operator.core.backtestrun.running import quotes_events
from spark_operator.core.names import RUN_LABEL
from spark_operator.core.plan import Plan
from spark_operator.core.slots import Claim, Order, Slots
from spark_operator.runtime.kind import Key

CONTROLLER_UID_LABEL = "batch.kubernetes.io/controller-uid"


class BacktestRuns:
    """Keeps nothing that decisions rest on but the line for slots, rebuilt from the runs' own claims."""

    resource: Resource = BACKTEST_RUNS
    children: tuple[Resource, ...] = (JOBS,)

    def __init__(self, configuration: Callable[[], Configuration], metrics: RunMetrics) -> None:
        self._configuration = configuration
        self._metrics = metrics
        self._slots: Slots[Key] = Slots()

    def remember(self, body: Mapping[str, Any]) -> None:
        self._slots.note(*self._claim(body))
        self._metrics.observe(body)

    def forget(self, key: Key) -> None:
        self._slots.forget(key.namespace, key, self._configuration().limits.max_active_runs)
        self._metrics.forget(key.namespace, key.name)

    def is_settled(self, body: Mapping[str, Any]) -> bool:
        return is_settled(body)

    def woken(self) -> list[Key]:
        return self._slots.woken()

    async def observe(self, cluster: Cluster, key: Key, now: datetime) -> ObservedRun | None:
        run = await cluster.get(BACKTEST_RUNS, key.namespace, key.name)
        if run is None:
            return None
        self._metrics.observe(run)
        place = self._slots.place(*self._claim(run))
        name = job_name(run)
        job = await cluster.get(JOBS, key.namespace, name) if name else None
        pods = await _pods(cluster, job) if job is not None and reads_pods(run, job) else ()
        observed = ObservedRun(
            object=run,
            job=job,
            pods=pods,
            others=await _owned_jobs(cluster, run) if may_have_other_jobs(run) else (),
            event=await _newest_event(cluster, job, pods)
            if job is not None and _hangs(run, job, pods) and quotes_events(job, now)
            else "",
            place=place,
        )
        if job is not None and jobs.is_finished(job) and not is_finished(run):
            self._metrics.note(run, executions(observed))
        return observed

    def decide(self, observed: ObservedRun, now: datetime, configuration: Configuration) -> Plan:
        return decide(observed, now, configuration)

    def refused(
        self,
        observed: ObservedRun,
        message: str,
        now: datetime,
        configuration: Configuration,
        *,
        for_good: bool,
    ) -> Plan:
        return refused(observed, message, now, configuration, for_good=for_good)

    def record(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self._metrics.record(before, after)

    def _claim(self, run: Mapping[str, Any]) -> tuple[str, Key, Claim, Order, int]:
        configuration = self._configuration()
        metadata = run["metadata"]
        return (
            metadata["namespace"],
            Key(BACKTEST_RUNS.plural, metadata["namespace"], metadata["name"]),
            claim(run, configuration.guardrails.required),
            order(run),
            configuration.limits.max_active_runs,
        )


async def _pods(cluster: Cluster, job: Object) -> tuple[Object, ...]:
    """By the Job's uid: a name or label of ours could be anybody's."""
    metadata = job["metadata"]
    selector = f"{CONTROLLER_UID_LABEL}={metadata['uid']}"
    return tuple([pod async for pod in every(cluster, PODS, metadata["namespace"], label_selector=selector)])


async def _owned_jobs(cluster: Cluster, run: Object) -> tuple[Object, ...]:
    metadata = run["metadata"]
    labelled = every(cluster, JOBS, metadata["namespace"], label_selector=f"{RUN_LABEL}={metadata['name']}")
    return tuple([job async for job in labelled if jobs.is_owned_by(job, metadata["uid"])])


def _hangs(run: Object, job: Object, pods: tuple[Object, ...]) -> bool:
    """A Job that should run and of which no pod has started."""
    live = not (jobs.is_finished(job) or jobs.is_suspended(job) or is_finished(run))
    return live and "jobUID" in run["status"] and not jobs.start_times(pods)


async def _newest_event(cluster: Cluster, job: Object, pods: tuple[Object, ...]) -> str:
    """The note of the newest Event about the Job and its pods."""
    newest, note = "", ""
    for thing in (job, *pods):
        metadata = thing["metadata"]
        selector = f"regarding.uid={metadata['uid']}"
        async for event in every(cluster, EVENTS, metadata["namespace"], field_selector=selector):
            when = _time_of(event)
            if when >= newest:
                newest, note = when, f"{event.get('reason', '')}: {event.get('note', '')}"
    return note


def _time_of(event: Object) -> str:
    """Events of controllers of either API carry their time in different fields."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("deprecatedLastTimestamp"), event.get("eventTime"))
    return max(filter(None, (*times, event["metadata"].get("creationTimestamp"))), default="")
