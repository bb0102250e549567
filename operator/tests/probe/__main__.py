"""The operator's process with the Probe as its only kind."""

from __future__ import annotations

import os
import sys

from spark_operator.runtime.main import main

from probe.kind import kinds

if __name__ == "__main__":
    os._exit(main(sys.argv[1:], kinds))
