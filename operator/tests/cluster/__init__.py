"""A package: pytest would take a lone module for part of `operator`, which is the standard library's."""
