"""Makes the package `probe` importable, and gives its fixtures."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from probe.fixtures import api, namespace, probes_served, proxy

__all__ = ["api", "namespace", "probes_served", "proxy"]
