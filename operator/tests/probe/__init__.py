"""What tests of the machinery need: a small kind, a process that reconciles it, and a proxy that spoils requests."""
