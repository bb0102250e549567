"""Every benchmark, one table after another: `make bench`."""

from __future__ import annotations

from bench import cold_process, warm_run

warm_run.main()
cold_process.main()
