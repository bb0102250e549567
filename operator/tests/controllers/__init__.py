"""Tests of what belongs to one kind. A package, so that pytest tells it from the library's `operator`."""
