"""The machinery that carries decisions out: watch pump, work queue, Lease, resync, health, metrics."""
