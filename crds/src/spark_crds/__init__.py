"""The contract: custom resource models, the manifest loader, the resolver, and the files that rooms exchange.

Imports nothing of ours. What a pod needs (`formats`, `canonical`) imports neither pydantic nor PyYAML.
"""

GROUP = "spark.trading"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
