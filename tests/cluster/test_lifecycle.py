"""How a cluster begins and ends, also where who started it was killed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import cgroups, network
from tests.cluster.instance import Instance, Kind, forget_lost_checkouts
from tests.cluster.node_files import containerd_socket
from tests.cluster.pods import strict_job
from tests.cluster.processes import Process, running

Instances = Callable[..., Instance]
Start = Callable[[Instance], subprocess.Popen[str]]
Kill = Callable[[subprocess.Popen[str]], None]

BOTH_KINDS = [
    pytest.param(Kind.CONTROL_PLANE, marks=pytest.mark.control_plane),
    pytest.param(Kind.NODE, marks=pytest.mark.node),
]


def mounts_of(cluster: Instance) -> list[str]:
    """What of the cluster this process sees mounted. Others may mount things on this machine as they like."""
    places = (f" {cluster.directory}/", " /run/containerd/spark", " - tmpfs spark ")
    mounted = Path("/proc/self/mountinfo").read_text().splitlines()
    return [mount for mount in mounted if any(place in mount for place in places)]


def alive(processes: dict[str, Process]) -> list[str]:
    return [name for name, process in processes.items() if process.alive]


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_killed_session_leaves_nothing_after_down(
    instance: Instances, ready: Start, kill: Kill, kind: Kind
) -> None:
    cluster = instance(kind)
    kill(ready(cluster))
    left = cluster.processes.recorded()
    assert alive(left) == list(left) != []
    assert cluster.down() == "removed"
    assert alive(left) == []
    assert not cluster.directory.exists()


@pytest.mark.node
def test_pods_of_a_killed_session_leave_no_process_no_network_and_no_mount(
    instance: Instances, ready: Start, kill: Kill, pushed_to: Callable[[Instance], str]
) -> None:
    cluster = instance(Kind.NODE)
    session = ready(cluster)
    inside = cluster.cluster()
    pod = strict_job("sleeper", pushed_to(cluster), ["sleep", "infinity"])
    pod["metadata"]["namespace"] = "default"
    inside.apply(pod)
    inside.kubectl("wait", "--for=jsonpath={.status.ready}=1", "job/sleeper", "--timeout=60s")
    shims = running("containerd-shim-runc-v2", str(containerd_socket(cluster.directory)))
    pods = [Path(f"/proc/{pid}") for pid in cgroups.members(cluster.name)]
    assert shims
    assert pods
    kill(session)
    assert cluster.down() == "removed"
    assert not any(shim.alive for shim in shims)
    assert not any(pod.exists() for pod in pods)
    assert not list(cgroups.ROOT.glob(f"**/{cgroups.name_of(cluster.name)}"))
    assert not Path("/sys/class/net", network.of(cluster.name).host_interface).exists()
    assert mounts_of(cluster) == []


@pytest.mark.control_plane
def test_a_session_killed_while_it_starts_leaves_nothing_after_down(
    instance: Instances, session: Start, kill: Kill
) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    starting = session(cluster)
    while not cluster.processes.recorded():
        time.sleep(0.005)
    kill(starting)
    left = cluster.processes.recorded()
    assert not cluster.ready
    assert cluster.down() == "removed"
    assert alive(left) == []


@pytest.mark.control_plane
def test_the_next_session_starts_anew_where_one_was_killed(
    instance: Instances, ready: Start, kill: Kill
) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    kill(ready(cluster))
    left = cluster.processes.recorded()
    with cluster.session() as anew:
        assert alive(left) == []
        assert "default" in anew.kubectl("get", "namespaces")
    assert not cluster.directory.exists()


@pytest.mark.control_plane
def test_a_session_ends_what_it_started_with_its_last_user(instance: Instances, ready: Start) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    first, second = ready(cluster), ready(cluster)
    started = cluster.processes.recorded()
    first.communicate()
    assert cluster.ready
    second.communicate()
    assert alive(started) == []
    assert not cluster.directory.exists()


@pytest.mark.control_plane
def test_what_is_up_stays_and_is_used_by_sessions_and_a_second_up_changes_nothing(
    instance: Instances, ready: Start
) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    cluster.up()
    started = cluster.processes.recorded()
    ready(cluster).communicate()
    cluster.up()
    assert cluster.processes.recorded() == started
    assert alive(started) == list(started)


@pytest.mark.control_plane
def test_down_leaves_a_session_its_cluster_until_the_session_ends(instance: Instances, ready: Start) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    cluster.up()
    user = ready(cluster)
    assert "ends with it" in cluster.down()
    assert cluster.ready
    user.communicate()
    assert not cluster.directory.exists()


@pytest.mark.control_plane
def test_a_cluster_of_which_a_part_died_is_started_anew(instance: Instances) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    cluster.up()
    broken = cluster.processes.recorded()
    broken["etcd"].end()
    assert not cluster.ready
    assert "default" in cluster.up().kubectl("get", "namespaces")
    assert alive(broken) == []


@pytest.mark.control_plane
def test_the_cluster_of_a_removed_clone_is_ended(instance: Instances) -> None:
    cluster = instance(Kind.CONTROL_PLANE)
    cluster.up()
    started = cluster.processes.recorded()
    cluster.checkout.rmdir()
    forget_lost_checkouts()
    assert alive(started) == []
    assert not cluster.directory.exists()


@pytest.mark.control_plane
def test_two_checkouts_have_two_clusters(instance: Instances) -> None:
    one, other = instance(Kind.CONTROL_PLANE, "one"), instance(Kind.CONTROL_PLANE, "other")
    with one.session() as first, other.session() as second:
        first.kubectl("create", "namespace", "mine")
        assert "mine" not in second.kubectl("get", "namespaces")
