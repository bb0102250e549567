"""The control plane: reconciles the custom resources of `spark.trading` and serves the HTTP API."""
