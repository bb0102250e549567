"""The HTTP API: writes with the caller's own Kubernetes credentials, reads from a watch cache."""
