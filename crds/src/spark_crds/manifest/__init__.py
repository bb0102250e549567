"""The one manifest loader: what kubectl would send for a file, as the API server would decode it."""

from __future__ import annotations

from spark_crds.manifest.error import ManifestError
from spark_crds.manifest.load import load_manifest

__all__ = ["ManifestError", "load_manifest"]
