"""What tests of the machinery need: a small kind, a process for it, a proxy that spoils requests."""
