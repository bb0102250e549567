"""Tests of `spark_operator.cluster`. A package, or pytest would name it after `operator`, the standard library's module."""
