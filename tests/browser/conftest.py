"""Reports of real runs, and a real Chromium that records all it complains about."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from spark_engine.command.intact import verified
from spark_engine.command.risk_report import risk_of
from spark_engine.evidence.comparison import compare
from spark_engine.report.comparison import render_comparison
from spark_engine.report.risk import render_risk

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "btcusdt-1h-sma-cross.yaml"
HOSTILE_NOTE = "</p><script>document.title='owned'</script><img src=https://example.org/x onerror=alert(1)>"

# run -> what is changed in the example
RUNS: dict[str, list[str]] = {
    "many trades": [],
    "long and short": [
        "strategy.params.direction=long-short",
        "account.allowShort=true",
        "market.end=2019-01-01T00:00:00Z",
    ],
    "few bars": ["market.start=2022-01-01T00:00:00Z", "market.end=2022-01-06T00:00:00Z"],
    "a hostile note": ["market.end=2018-03-01T00:00:00Z", f"notes={HOSTILE_NOTE}"],
}


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The report of one of RUNS, made by `backtest run` when it is first asked for."""
    folder = tmp_path_factory.mktemp("runs")

    def of(name: str) -> Path:
        directory = folder / name.replace(" ", "-")
        if not directory.exists():
            edits = [word for edit in RUNS[name] for word in ("--set", edit)]
            command = [sys.executable, "-m", "spark_engine.command.main", "run", "-q", "-f", EXAMPLE]
            subprocess.run([*command, *edits, "--out", directory], check=True, timeout=120)
        return directory / "report.html"

    return of


def _comparison(runs: list[Path]) -> str:
    found = [verified(run) for run in runs]
    document = compare([(run.name, evidence) for run, (_, evidence) in zip(runs, found, strict=True)])
    return render_comparison(document, [json.loads(directory.files["chart.json"]) for directory, _ in found])


def _risk(run: Path) -> str:
    directory, evidence = verified(run)
    return render_risk(risk_of(directory, evidence), evidence)


@pytest.fixture(scope="session")
def page_of(report: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The report of one of RUNS, or the page "comparison" or "risk" made from such runs."""
    folder = tmp_path_factory.mktemp("pages")

    def of(name: str) -> Path:
        if name in RUNS:
            return report(name)
        target = folder / f"{name}.html"
        if not target.exists():
            runs = [report(run).parent for run in ("long and short", "many trades")]
            target.write_text(_comparison(runs) if name == "comparison" else _risk(runs[0]))
        return target

    return of


@dataclass
class Window:
    """One page and everything that went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        pixels: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return pixels


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ends with the module: while Playwright lives, a loop runs in this thread and no other can start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        yield browser
        browser.close()


Open = Callable[..., Window]

RECORD_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


@pytest.fixture
def open_report(chromium: Browser, page_of: Callable[[str], Path]) -> Iterator[Open]:
    """`open_report(page, width=..., theme=..., scripts=...)`."""
    contexts: list[BrowserContext] = []

    def opened(name: str, *, width: int = 1280, theme: str = "light", scripts: bool = True) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        context.add_init_script(RECORD_VIOLATIONS)
        window = Window(context.new_page())
        window.page.on("request", lambda request: window.requests.append(request.url))
        window.page.on("console", lambda message: window.complaints.append(message.text))
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        window.page.goto(page_of(name).as_uri())
        if scripts and name in RUNS:
            window.page.wait_for_selector("body[data-ready]")
        return window

    yield opened
    for context in contexts:
        context.close()
