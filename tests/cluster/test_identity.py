"""What tells one cluster, process, program from another."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import cgroups, network, programs
from tests.cluster.instance import Instance, Kind
from tests.cluster.processes import Process, Processes, running
from tests.places import checkout_hash


@pytest.fixture
def sleeper() -> Iterator[Process]:
    with subprocess.Popen(["sleep", "987654"]) as process:
        try:
            found: list[Process] = []
            while not found:  # a program that has just begun has no arguments yet
                found = [each for each in running("sleep", "987654") if each.pid == process.pid]
            yield found[0]
        finally:
            process.kill()


def test_two_checkouts_share_no_name_no_address_and_no_place() -> None:
    # at fixed places: of 32,768 pairs one has the same address, and is refused (network.py)
    one, other = Path("/checkouts/one"), Path("/checkouts/other")
    hashes = {checkout_hash(one), checkout_hash(other)}
    networks = {network.of(name) for name in hashes}
    assert len({each.host for each in networks} | {each.node for each in networks}) == 4
    assert len({each.host_interface for each in networks}) == 2
    assert len({cgroups.name_of(name) for name in hashes}) == 2
    assert Instance(Kind.NODE, one).directory != Instance(Kind.NODE, other).directory


def test_the_name_of_an_interface_fits_the_kernel() -> None:
    assert len(network.of(checkout_hash()).host_interface) <= 15


def test_a_proxy_of_the_machine_is_not_asked_for_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "intranet.example")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    for address in ("127.0.0.1", "198.18.0.2"):
        network.ask_directly("127.0.0.1", address)
        assert urllib.request.proxy_bypass_environment(f"{address}:6443")
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "intranet.example,127.0.0.1,198.18.0.2"


def test_a_recorded_process_is_ended(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("sleeper", ["sleep", "infinity"])
    while "sleeper" not in processes.recorded():
        pass
    assert processes.dead() == []
    processes.end_all()
    assert processes.dead() == ["sleeper"]


def test_a_pid_that_another_process_has_by_now_is_left_alone(sleeper: Process) -> None:
    former = replace(sleeper, start_time=sleeper.start_time - 1)
    former.end()
    assert not former.alive
    assert sleeper.alive


def test_a_process_of_an_earlier_boot_is_left_alone(sleeper: Process) -> None:
    replace(sleeper, boot="earlier").end()
    assert sleeper.alive


def test_a_record_cut_short_is_no_process(tmp_path: Path) -> None:
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes" / "etcd").write_text("12 (sh) S")
    assert Processes(tmp_path).recorded() == {}


def test_a_version_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S", "1.2.3")
    with pytest.raises(ValueError, match=r"K8S=1\.2\.3 .*1\.35\.4"):
        programs.kubernetes_version()


@pytest.mark.parametrize("version", programs.supported_versions())
def test_each_version_is_a_module_of_that_version(version: str) -> None:
    required = (programs.kubernetes("kubectl", version).module / "go.mod").read_text()
    staging = "v0." + version.partition(".")[2]
    assert f"k8s.io/kubernetes v{version}" in required
    assert f"k8s.io/api => k8s.io/api {staging}" in required


def test_a_program_is_cached_by_what_decides_its_bytes(tmp_path: Path) -> None:
    tool = replace(programs.PAUSE, module=tmp_path)
    (tmp_path / "go.mod").write_text("module one\n")
    first = tool.path
    (tmp_path / "go.mod").write_text("module other\n")
    assert len({first, tool.path, replace(tool, variables=(("main.version", "1"),)).path}) == 3


def test_programs_of_envtest_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert programs.ETCD.path == tmp_path / "etcd"
    assert programs.COREDNS.path.parent != tmp_path
