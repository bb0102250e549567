"""The pages of real runs in a real Chromium, at the width of a phone and of a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
WIDTHS = (390, 1280)
THEMES = ("light", "dark")
LEAVE_TEN_TRADES = (  # rows are all alike, and axe takes seconds for a hundred of them
    "document.querySelectorAll('#trade-table tbody tr:nth-child(n + 11)').forEach((row) => row.remove())"
)
RUNS = ("many trades", "long and short", "few bars", "a hostile note")
PAGES = ("comparison", "risk")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("run", (*RUNS, *PAGES))
def test_the_page_fits_is_silent_and_loads_nothing_but_itself(
    open_report: Open, run: str, theme: str, width: int
) -> None:
    window = open_report(run, width=width, theme=theme)
    assert window.overflow() == 0
    assert window.complaints == []
    assert window.violations() == []
    assert window.requests == [window.page.url]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("run", ("many trades", "long and short", "few bars", *PAGES))
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
        "costs",
        "metrics",
        "data",
        "model",
        "events",
        "provenance",
    ):
        assert page.locator(f"#{section}").is_visible()
    assert page.locator("svg.chart:visible").count() >= 5
    assert page.locator("#trade-table tbody tr").count() == 1_000
    assert not page.locator("#theme").is_visible()
    assert not page.locator(".filters").is_visible()
    assert page.locator(".interactive:visible").count() == 0


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
    at_end = page.locator("#equity .legend").first.inner_text()
    page.locator("svg.chart:visible").first.hover(position={"x": 400, "y": 60})
    stamps = [page.inner_text(f"#{section} .when") for section in ("equity", "price")]
    assert stamps[0] == stamps[1]
    assert stamps[0].endswith("UTC")
    assert page.locator("#equity .legend").first.inner_text() != at_end
    page.mouse.move(2, 2)
    assert page.locator("#equity .legend").first.inner_text() == at_end


FRAMES = """(count) => new Promise((done) => {
  const next = () => (count-- > 0 ? requestAnimationFrame(next) : done());
  next();
})"""


def draw(page: Any) -> None:
    """Returns when the page has been drawn a few times more: whatever was due is on it, fast or slow."""
    page.evaluate(FRAMES, 10)


DRAWN = """(chart) => [...chart.querySelectorAll("canvas")].map((canvas) => {
  const { width, height } = canvas;
  if (!width || !height) return 0;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const colours = new Set();
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at + 3]) colours.add(pixels.slice(at, at + 3).join());
  }
  return colours.size;
})"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("run", ("many trades", "long and short", "few bars"))
def test_with_scripts_interactive_charts_take_the_place_of_the_drawings(
    open_report: Open, run: str, width: int
) -> None:
    page = open_report(run, width=width).page
    for chart in ("equity", "price"):
        box = page.locator(f"#{chart}-chart")
        assert box.is_visible()
        draw(page)
        assert max(box.evaluate(DRAWN)) > 8  # lines, bands and marks, not an empty canvas
    assert page.locator(".static:visible").count() == 0
    assert "marked" in page.inner_text("#marked")


def test_a_view_with_too_many_trades_says_so_and_the_last_ones_are_a_click_away(open_report: Open) -> None:
    page = open_report("many trades").page
    bar = page.locator("#price .toolbar")
    bar.get_by_text("Whole window").click()
    expect(page.locator("#marked")).to_contain_text("zoom in")
    bar.get_by_text("The last 40 trades").click()
    expect(page.locator("#marked")).to_contain_text("marked")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("run", ("many trades", "few bars"))
def test_at_first_the_whole_curve_of_equity_is_in_view(open_report: Open, run: str, width: int) -> None:
    page = open_report(run, width=width).page
    picture = "[...document.querySelectorAll('#equity-chart canvas')].map((one) => one.toDataURL()).join()"
    draw(page)
    at_first = page.evaluate(picture)
    page.locator("#equity .toolbar").get_by_text("Whole window").click()
    page.mouse.move(2, 2)
    draw(page)
    assert page.evaluate(picture) == at_first


def test_every_button_of_the_view_changes_it(open_report: Open) -> None:
    page = open_report("many trades").page
    bar, canvas = page.locator("#equity .toolbar"), "#equity-chart canvas"
    picture = f"[...document.querySelectorAll('{canvas}')].map((one) => one.toDataURL()).join()"
    draw(page)
    for button in ("Zoom in", "Earlier", "Later", "Zoom out"):
        before = page.evaluate(picture)
        bar.get_by_label(button).click()
        draw(page)
        assert page.evaluate(picture) != before, button


def test_the_cross_hair_of_an_interactive_chart_reads_every_chart(open_report: Open) -> None:
    page = open_report("many trades").page
    at_end = page.locator("#equity .legend").first.inner_text()
    page.locator("#equity-chart").hover(position={"x": 400, "y": 60})
    expect(page.locator("#equity .legend .when").first).to_contain_text("UTC")
    assert page.locator("#equity .legend").first.inner_text() != at_end
    stamps = set(page.locator(".when").all_inner_texts())
    assert len(stamps) == 1
    assert stamps.pop().endswith("UTC")
    page.mouse.move(2, 2)
    expect(page.locator("#equity .legend .when").first).not_to_contain_text("UTC")
    assert page.locator("#equity .legend").first.inner_text() == at_end


def test_the_wheel_scrolls_the_page_over_a_chart(open_report: Open) -> None:
    page = open_report("many trades").page
    page.locator("#equity-chart").hover()
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 300)
    page.wait_for_function("(before) => scrollY > before + 100", arg=before)  # scrolling may be smooth


def test_the_charts_follow_the_theme(open_report: Open) -> None:
    page = open_report("few bars", theme="light").page
    corner = """() => {
      const canvas = document.querySelector("#price-chart canvas");
      return [...canvas.getContext("2d").getImageData(3, 3, 1, 1).data].slice(0, 3);
    }"""
    draw(page)
    light = page.evaluate(corner)
    page.click("#theme")
    draw(page)
    assert sum(light) > 600 > 300 > sum(page.evaluate(corner))


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
    assert page.locator(".interactive:visible").count() == 0
    assert page.locator("#equity svg.chart:visible").count() >= 2
