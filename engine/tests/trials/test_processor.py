"""Which build of the kernel a processor gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_engine.simulation import trials_processor

HASWELL = "fpu sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt avx f16c abm bmi1 avx2 bmi2"


def cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: any\nflags\t\t: {flags}\nbugs\t\t:\n", encoding="ascii")
    return path


def test_a_processor_with_all_flags_of_the_level_is_of_it(tmp_path: Path) -> None:
    assert trials_processor.level(cpuinfo(tmp_path, HASWELL)) == "x86_64_v3"


@pytest.mark.parametrize("missing", ["avx2", "bmi1", "bmi2", "fma", "f16c", "abm", "movbe", "avx"])
def test_a_processor_that_lacks_one_flag_is_not(tmp_path: Path, missing: str) -> None:
    flags = " ".join(flag for flag in HASWELL.split() if flag != missing)
    assert trials_processor.level(cpuinfo(tmp_path, flags)) == "baseline"


def test_where_nothing_tells_the_baseline_runs(tmp_path: Path) -> None:
    assert trials_processor.level(tmp_path / "absent") == "baseline"


def test_a_build_that_was_not_made_gives_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials_processor, "PACKAGE", "spark_engine.simulation.absent")
    with pytest.raises(ModuleNotFoundError):
        trials_processor.core("baseline")
    monkeypatch.undo()
    assert trials_processor.core("baseline").__name__ == "spark_engine.simulation.trials_core"
