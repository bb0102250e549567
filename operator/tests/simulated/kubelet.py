"""Scheduler and kubelet: takes pods through their lives as the script says."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulated.clock import Chance
from simulated.pod import delete_pod, is_leaving, is_terminal, set_condition
from simulated.recorder import Recorder
from simulated.script import Deleted, Evicted, Exit, Outcome, PullError, Unschedulable, engine_of
from simulated.server import ApiServer
from simulated.store import EventType, Key, Object

MAX_MESSAGE = 4096
MAX_LOG = 2048
IMAGE_ID = "registry.example/spark-engine@sha256:" + "ab" * 32


class Kubelet:
    """One node with room for everybody."""

    def __init__(self, server: ApiServer, chance: Chance, recorder: Recorder) -> None:
        self._server = server
        self._chance = chance
        self._recorder = recorder
        self._outcomes: dict[str, Outcome] = {}
        server.store.watch(self._on_event)

    def expect(self, pod_uid: str, outcome: Outcome) -> None:
        """What will happen to a pod that was just made."""
        self._outcomes[pod_uid] = outcome

    def _on_event(self, type_: EventType, body: Object) -> None:
        if body.get("kind") != "Pod":
            return
        if type_ == "ADDED":
            self._later(body, "bind", 0.05, 0.2, self._bind)
        elif type_ == "MODIFIED" and is_leaving(body) and body["metadata"].get("deletionGracePeriodSeconds"):
            self._later(body, "stop", 0.05, 0.3, self._stop)

    def _later(
        self, pod: Object, step: str, low: float, high: float, action: Callable[[Object], None]
    ) -> None:
        """Does `action` with the pod as it then is, unless it is gone or another has its name."""
        metadata = pod["metadata"]
        key = Key("pods", metadata["namespace"], metadata["name"])

        def act() -> None:
            present = self._server.store.get(key)
            if present is not None and present["metadata"]["uid"] == metadata["uid"]:
                action(present)

        delay = low if low == high else self._chance.between(low, high, step, metadata["uid"])
        if delay < math.inf:
            self._server.clock.after(delay, act)

    def _change(self, pod: Object, change: Callable[[Object], None]) -> None:
        self._server.modify("pods", pod["metadata"]["namespace"], pod["metadata"]["name"], change)

    def _outcome(self, pod: Object) -> Outcome:
        return self._outcomes.get(pod["metadata"]["uid"], Exit())

    def _bind(self, pod: Object) -> None:
        outcome, now = self._outcome(pod), self._server.clock.timestamp()
        if isinstance(outcome, Unschedulable):
            self._change(
                pod,
                lambda p: set_condition(
                    p["status"], "PodScheduled", "False", now, "Unschedulable", outcome.message
                ),
            )
            self._later(pod, "unschedulable", outcome.seconds, outcome.seconds, self._assign)
        else:
            self._assign(pod)

    def _assign(self, pod: Object) -> None:
        def assign(p: Object) -> None:
            p["spec"]["nodeName"] = "node-1"
            set_condition(p["status"], "PodScheduled", "True", self._server.clock.timestamp())

        self._change(pod, assign)
        self._later(pod, "accept", 0.05, 0.2, self._accept)

    def _accept(self, pod: Object) -> None:
        if is_leaving(pod) or is_terminal(pod):
            return
        now = self._server.clock.timestamp()

        def accept(p: Object) -> None:
            p["status"]["startTime"] = now
            p["status"]["containerStatuses"] = [_container(p, {"waiting": {"reason": "ContainerCreating"}})]

        self._change(pod, accept)
        if deadline := pod["spec"].get("activeDeadlineSeconds"):
            self._later(pod, "deadline", deadline, deadline, self._exceed_deadline)
        if isinstance(self._outcome(pod), PullError):
            self._later(pod, "pull", 0.3, 1.0, self._fail_pull)
        else:
            self._later(pod, "pull", 0.3, 1.0, self._start)

    def _fail_pull(self, pod: Object) -> None:
        outcome = self._outcome(pod)
        assert isinstance(outcome, PullError)
        image = pod["spec"]["containers"][0]["image"]
        text = f'Failed to pull image "{image}": {outcome.message}'
        waiting = {
            "reason": "ImagePullBackOff",
            "message": f'Back-off pulling image "{image}": {outcome.message}',
        }
        self._recorder.emit("kubelet", "Warning", "Failed", text, pod)
        self._change(
            pod, lambda p: p["status"].update(containerStatuses=[_container(p, {"waiting": waiting})])
        )

    def _start(self, pod: Object) -> None:
        if is_leaving(pod) or is_terminal(pod):
            return
        outcome, now = self._outcome(pod), self._server.clock.timestamp()

        def start(p: Object) -> None:
            p["status"]["phase"] = "Running"
            p["status"]["containerStatuses"] = [_container(p, {"running": {"startedAt": now}})]

        self._change(pod, start)
        seconds = getattr(outcome, "seconds", 2.0) if not isinstance(outcome, Unschedulable) else 2.0
        steps = {Evicted: self._evict, Deleted: self._be_deleted}
        self._later(pod, "end", seconds, seconds, steps.get(type(outcome), self._end))

    def _evict(self, pod: Object) -> None:
        def mark(p: Object) -> None:
            at = self._server.clock.timestamp()
            set_condition(
                p["status"], "DisruptionTarget", "True", at, "EvictionByEvictionAPI", "Eviction API: evicting"
            )

        if not is_terminal(pod) and not is_leaving(pod):
            self._change(pod, mark)
            delete_pod(self._server, "eviction", pod)

    def _be_deleted(self, pod: Object) -> None:
        if not is_terminal(pod) and not is_leaving(pod):
            delete_pod(self._server, "stranger", pod)

    def _end(self, pod: Object) -> None:
        if is_terminal(pod) or is_leaving(pod):
            return
        outcome = self._outcome(pod)
        ended = outcome if isinstance(outcome, Exit) else Exit()
        content = ended.message(engine_of(pod, ended.code)).decode("utf-8", "replace")
        if not content and ended.code:
            content = ended.logs[-MAX_LOG:]
        self._terminate(pod, ended.code, ended.reason, content[:MAX_MESSAGE], ended.pod_reason)
        if ended.vanishes:
            delete_pod(self._server, "stranger", self._server.store.get(_key(pod)) or pod)

    def _exceed_deadline(self, pod: Object) -> None:
        if is_terminal(pod) or is_leaving(pod):
            return
        ran = "running" in _state(pod)
        self._terminate(pod, 143 if ran else None, "Error", "", "DeadlineExceeded")

    def _stop(self, pod: Object) -> None:
        """SIGTERM, and SIGKILL once the grace period is over."""
        if not is_terminal(pod) and "running" in _state(pod):
            outcome = self._outcome(pod)
            code = getattr(outcome, "on_sigterm", 143)
            grace = float(pod["metadata"]["deletionGracePeriodSeconds"])
            delay = grace if code is None else min(0.2, grace)
            self._later(pod, "kill", delay, delay, lambda p: self._killed(p, 137 if code is None else code))
        else:
            self._killed(pod, None)

    def _killed(self, pod: Object, code: int | None) -> None:
        if not is_terminal(pod):
            self._terminate(pod, code, "Error", "", "")
        self._change(pod, lambda p: p["metadata"].update(deletionGracePeriodSeconds=0))

    def _terminate(self, pod: Object, code: int | None, reason: str, message: str, pod_reason: str) -> None:
        """`code` None: the container never ran."""
        now = self._server.clock.timestamp()

        def terminate(p: Object) -> None:
            p["status"]["phase"] = "Succeeded" if code == 0 else "Failed"
            if pod_reason:
                p["status"]["reason"] = pod_reason
            if code is not None:
                started = _state(p).get("running", {}).get("startedAt", now)
                ended = {"exitCode": code, "reason": reason or ("Error" if code else "Completed")}
                ended |= {"startedAt": started, "finishedAt": now} | ({"message": message} if message else {})
                p["status"]["containerStatuses"] = [_container(p, {"terminated": ended})]

        self._change(pod, terminate)


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _state(pod: Object) -> Object:
    statuses = pod["status"].get("containerStatuses") or [{}]
    state: Object = statuses[0].get("state", {})
    return state


def _container(pod: Object, state: Object) -> Object:
    container = pod["spec"]["containers"][0]
    started = "waiting" not in state
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": IMAGE_ID if started else "",
        "ready": "running" in state,
        "restartCount": 0,
        "started": "running" in state,
        "state": state,
    }
