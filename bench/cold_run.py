"""A pod's run without the report: run.json in, every other artifact out. Run as a process of its own.

python -m bench.cold_run RUN_JSON DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

from spark_engine.evidence.directory import write_directory
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.wrap import wrap
from spark_engine.pod import read_run

write_directory(Path(sys.argv[2]), wrap(carry_out(read_run(Path(sys.argv[1]))), with_report=False).files)
