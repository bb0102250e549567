"""The Kubernetes API as this project uses it: plain JSON objects, typed errors, no caches."""
