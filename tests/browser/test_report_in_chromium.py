"""The report of real runs in a real Chromium, at the width of a phone and of a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
WIDTHS = (390, 1280)
THEMES = ("light", "dark")
LEAVE_TEN_TRADES = (  # rows are all alike, and axe takes seconds for a hundred of them
    "document.querySelectorAll('#trade-table tbody tr:nth-child(n + 11)').forEach((row) => row.remove())"
)
RUNS = ("many trades", "long and short", "few bars", "a hostile note")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("run", RUNS)
def test_the_page_fits_is_silent_and_loads_nothing_but_itself(
    open_report: Open, run: str, theme: str, width: int
) -> None:
    window = open_report(run, width=width, theme=theme)
    assert window.overflow() == 0
    assert window.complaints == []
    assert window.violations() == []
    assert window.requests == [window.page.url]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("run", ("many trades", "long and short", "few bars"))
def test_axe_finds_no_barrier(open_report: Open, run: str, theme: str) -> None:
    page = open_report(run, theme=theme).page
    page.evaluate(LEAVE_TEN_TRADES)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_hostile_note_is_only_text(open_report: Open) -> None:
    window = open_report("a hostile note")
    assert "owned" not in window.page.title()
    assert "onerror=alert(1)" in window.page.inner_text(".notes")
    assert window.page.locator("img").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_without_scripts_everything_is_there_and_no_dead_control(open_report: Open, width: int) -> None:
    page = open_report("many trades", width=width, scripts=False).page
    for section in (
        "trust",
        "headline",
        "equity",
        "price",
        "trades",
        "metrics",
        "data",
        "model",
        "provenance",
    ):
        assert page.locator(f"#{section}").is_visible()
    assert page.locator("svg.chart:visible").count() >= 5
    assert page.locator("#trade-table tbody tr").count() == 1_000
    assert not page.locator("#theme").is_visible()
    assert not page.locator(".filters").is_visible()


def test_the_axis_switches_between_linear_and_log_without_scripts(open_report: Open) -> None:
    page = open_report("many trades", scripts=False).page
    page.get_by_text("Linear", exact=True).click()
    assert page.locator(".pane-equity").is_visible()
    assert not page.locator(".pane-equity-log").is_visible()
    page.get_by_text("Log", exact=True).click()
    assert not page.locator(".pane-equity").is_visible()
    assert page.locator(".pane-equity-log").is_visible()


def test_the_theme_button_changes_the_colours(open_report: Open) -> None:
    page = open_report("few bars", theme="light").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    dark = page.evaluate(ground)
    assert dark != light
    page.click("#theme")
    assert page.evaluate(ground) == light


def test_the_cross_hair_reads_the_same_moment_in_every_chart_and_leaves_no_trace(open_report: Open) -> None:
    page = open_report("many trades").page
    at_end = page.inner_text("#equity .legend")
    page.locator("svg.chart:visible").first.hover(position={"x": 400, "y": 60})
    stamps = [page.inner_text(f"#{section} .when") for section in ("equity", "price")]
    assert stamps[0] == stamps[1]
    assert stamps[0].endswith("UTC")
    assert page.inner_text("#equity .legend") != at_end
    page.mouse.move(2, 2)
    assert page.inner_text("#equity .legend") == at_end


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace(",", "").replace("−", "-")) for text in texts]


def test_trades_are_sorted_by_number_not_by_text(open_report: Open) -> None:
    page = open_report("many trades").page
    column = page.locator("#trade-table tbody tr td:nth-child(9)")
    before = numbers(column.all_inner_texts())
    page.get_by_role("button", name="P/L").click()
    assert numbers(column.all_inner_texts()) == sorted(before)
    page.get_by_role("button", name="P/L").click()
    assert numbers(column.all_inner_texts()) == sorted(before, reverse=True)


def test_trades_are_filtered_by_result_and_the_count_is_told(open_report: Open) -> None:
    page = open_report("many trades").page
    won = page.locator("#trade-table tbody tr.won").count()
    page.select_option("#filter-result", "won")
    assert page.locator("#trade-table tbody tr:visible").count() == won
    assert page.inner_text("#filter-count") == f"{won:,} of 1,000 shown"


def test_on_paper_nothing_is_cut_off(open_report: Open) -> None:
    page = open_report("long and short").page
    page.emulate_media(media="print")
    hidden = page.eval_on_selector_all(
        ".scroll", "boxes => boxes.filter(box => box.scrollHeight > box.clientHeight + 1).length"
    )
    assert hidden == 0
    assert not page.locator("nav").is_visible()
