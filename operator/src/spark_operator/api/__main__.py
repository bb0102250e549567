"""`python -m spark_operator.api`: the HTTP API. Exit codes are in its `--help`."""

from __future__ import annotations

import sys

from spark_operator.api.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
