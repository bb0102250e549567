"""Patterns of text fields that more than one module knows by name."""

from __future__ import annotations

DECIMAL_PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,18})?$"
SIGNED_DECIMAL_PATTERN = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"
BASIS_POINTS_PATTERN = r"^[0-9]{1,4}(\.[0-9]{1,18})?$"
FRACTION_PATTERN = r"^0(\.[0-9]{1,18})?$"
DECIMAL_PATTERNS = (DECIMAL_PATTERN, SIGNED_DECIMAL_PATTERN, BASIS_POINTS_PATTERN, FRACTION_PATTERN)
TIMESTAMP_PATTERN = (
    r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
TIMEFRAME_PATTERN = r"^[1-9][0-9]*(s|m|h|d|w)$"
QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
DNS_SUBDOMAIN_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DURATION_PATTERN = r"^[1-9][0-9]{0,5}(s|m|h|d)$"
