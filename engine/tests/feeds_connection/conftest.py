"""Places that nobody reaches."""

from __future__ import annotations

import pytest

from engine.tests.feeds_connection import unreachable

refused_port = pytest.fixture(unreachable.refused_port)
unknown_name = pytest.fixture(unreachable.unknown_name)
