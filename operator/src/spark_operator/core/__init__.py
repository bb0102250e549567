"""Decisions as functions of values: no client, no clock, no chance. One module or package a kind."""
