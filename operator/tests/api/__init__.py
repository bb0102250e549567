"""The HTTP API: a real server and real requests, over a Kubernetes in memory or a real API server."""
