"""The tiers of tests: which of them this machine can run, and one line each on what was run."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import go_tools, images
from tests.cluster import node, programs
from tests.cluster.client import uses_existing_cluster

pytest_plugins = ["tests.surroundings", "tests.unreachable", "tests.cluster.fixtures", "tests.s3.fixtures"]


@dataclass(frozen=True)
class Tier:
    """A set of tests that needs something of the machine. `missing` says what is not there, or nothing."""

    name: str
    what: str
    missing: Callable[[], str]


def _missing_for_images() -> str:
    if os.geteuid() != 0:
        return "needs root"
    absent = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
    return f"needs {' and '.join(absent)}" if absent else ""


def _missing_for_s3() -> str:
    if os.environ.get("SPARK_TEST_S3_ENDPOINT"):
        return ""
    missing = go_tools.missing(go_tools.VERSITYGW)
    return f"{missing}; or SPARK_TEST_S3_ENDPOINT" if missing else ""


def _missing_for_control_plane() -> str:
    if uses_existing_cluster():
        return "" if os.environ.get("KUBECONFIG") else "USE_EXISTING_CLUSTER needs KUBECONFIG"
    if not sys.platform.startswith("linux"):
        return "needs Linux, or USE_EXISTING_CLUSTER=true and KUBECONFIG"
    return go_tools.missing(*programs.control_plane_tools())


def _missing_for_node() -> str:
    if uses_existing_cluster():
        return _missing_for_control_plane() or _missing_for_images()
    if os.geteuid() != 0:
        return "needs root"
    return node.missing() or go_tools.missing(*programs.node_tools())


def _missing_for_browser() -> str:
    return "" if shutil.which("chromium") else "needs chromium"


TIERS = (
    Tier("unit", "pure core, kernel, readers, command", lambda: ""),
    Tier("control_plane", "a real API server and its controllers", _missing_for_control_plane),
    Tier("node", "the same with a node that runs pods", _missing_for_node),
    Tier("s3", "a real S3 server", _missing_for_s3),
    Tier("browser", "the report in a real Chromium", _missing_for_browser),
    Tier("image", "the container image, built and run", _missing_for_images),
)


def pytest_configure(config: pytest.Config) -> None:
    for tier in TIERS:
        config.addinivalue_line("markers", f"{tier.name}: {tier.what}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {tier.name: tier.missing() for tier in TIERS}
    for item in items:
        reason = reasons[_tier_of(item)]
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
        if {"python_base", "engine_image", "operator_image"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(images.SECONDS_FOR_A_BUILD))  # the first to ask waits for it


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds the programs of the tiers that run: the ten minutes of a test are not for compilers."""
    if session.config.option.collectonly:
        return
    tiers = {_tier_of(item) for item in session.items if item.get_closest_marker("skip") is None}
    with contextlib.suppress(RuntimeError):  # whoever needs a program that does not build will say so
        programs.build(_programs_of(tiers))


def _programs_of(tiers: Container[str]) -> list[go_tools.GoTool]:
    found: list[go_tools.GoTool] = []
    if "control_plane" in tiers and not uses_existing_cluster():
        found += programs.control_plane_tools()
    if "node" in tiers and not uses_existing_cluster():
        found += programs.node_tools()
    if "s3" in tiers and not os.environ.get("SPARK_TEST_S3_ENDPOINT"):
        found.append(go_tools.VERSITYGW)
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if isinstance(report, pytest.TestReport):
                counts[_tier_of_keywords(report.keywords), outcome] += 1
    terminalreporter.section("tiers")
    for tier in TIERS:
        reason = tier.missing()
        tally = ", ".join(f"{n} {outcome}" for (name, outcome), n in counts.items() if name == tier.name)
        told = f"NOT RUN: {reason}" if reason else (tally or "no test selected")
        terminalreporter.write_line(f"{tier.name:<13} {tier.what:<40} {told}")


def _tier_of(item: pytest.Item) -> str:
    return _tier_of_keywords(item.keywords)


def _tier_of_keywords(keywords: Container[str]) -> str:
    names = [tier.name for tier in TIERS if tier.name != "unit"]
    return next((name for name in names if name in keywords), "unit")


@pytest.fixture(scope="session")
def market_data() -> Callable[[str], Path]:
    """The path of a file of real candles; skips where the market data is not on this machine."""
    folder = Path(
        os.environ.get("SPARK_TEST_DATA") or Path(__file__).resolve().parent.parent / "shared" / "data"
    )

    def find(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"no market data: {folder / name} is absent (set SPARK_TEST_DATA)")
        return folder / name

    return find


@pytest.fixture(scope="session")
def heavy_packages() -> frozenset[str]:
    """What no run of a built-in strategy imports, on a laptop's resolved run or in a pod."""
    return frozenset(
        {
            "numpy", "polars", "pandas", "pyarrow", "pydantic", "yaml", "rich", "jsonschema", "cel",
            "kubernetes", "numba", "cython",
        }
    )  # fmt: skip
