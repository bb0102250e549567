"""`python -m spark_operator`: the operator. Exit codes are in its `--help`."""

from __future__ import annotations

import logging
import os
import sys

from spark_operator.controllers import kinds
from spark_operator.runtime.main import main

if __name__ == "__main__":
    code = main(sys.argv[1:], kinds)
    logging.shutdown()
    if code:
        # crash only: nothing that hangs, such as a thread of kopf, may keep a process that has lost its Lease
        os._exit(code)
