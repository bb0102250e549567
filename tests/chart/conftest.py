"""The chart's programs, built from their Go modules or taken from the cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests import go_tools
from tests.chart.rendering import PROFILES, Helm, Object
from tests.cluster import programs


@pytest.fixture(scope="session")
def helm() -> Helm:
    if missing := go_tools.missing(programs.HELM):
        pytest.skip(f"helm {missing}")
    return Helm(programs.HELM.build())


@pytest.fixture(scope="session")
def kubeconform() -> Path:
    if missing := go_tools.missing(programs.KUBECONFORM):
        pytest.skip(f"kubeconform {missing}")
    return programs.KUBECONFORM.build()


@pytest.fixture(scope="session")
def profile(helm: Helm) -> Callable[[str], list[Object]]:
    """The objects of a profile by name; rendered once, so nobody may change them."""
    return cache(lambda name: helm.render(PROFILES[name]))


@pytest.fixture(params=PROFILES)
def objects(request: pytest.FixtureRequest, profile: Callable[[str], list[Object]]) -> list[Object]:
    """The objects of every profile in turn."""
    return profile(request.param)


@pytest.fixture
def default(profile: Callable[[str], list[Object]]) -> list[Object]:
    return profile("default")
