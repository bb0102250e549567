"""One module a kind: how it is observed, and which core decides."""
