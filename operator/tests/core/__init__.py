"""Tests of the pure decisions. A package, so that pytest does not name it below `operator`, the library's."""
