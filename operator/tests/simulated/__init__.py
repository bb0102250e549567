"""A Kubernetes in memory: API server, Job controller, garbage collector, kubelet, one clock."""
