"""The report says what the evidence says, and nothing that a stranger wrote into it can act."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spark_engine.report.costs import cost_rows
from spark_engine.report.formatting import money
from spark_engine.report.page import CHART_LIBRARY, vendored
from spark_engine.report.periods import monthly_table
from spark_engine.report.render import render_report
from spark_engine.statistics.definitions import DEFINITIONS

MAX_BYTES = 1_500_000
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """What a test asks of a page: elements with attributes, texts by element, exact figures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def figures(self, attribute: str) -> dict[str, float]:
        """Exact values by metric id."""
        return {
            str(found[attribute]): float(str(found["value"]))
            for tag, found in self.elements
            if tag == "data" and attribute in found and found["value"]
        }


def zigzag(bars: int) -> list[float]:
    return [100.0 + 10 * (bar % 20 if bar % 40 < 20 else 20 - bar % 20) for bar in range(bars)]


def trading(bars: int, every: int = 9) -> dict[int, float]:
    return {bar: float(bar // every % 2 == 0) for bar in range(0, bars - 1, every)}


@pytest.fixture(scope="module")
def ordinary(a_run: Callable[..., Any]) -> Any:
    return a_run(zigzag(400), trading(400), notes="A first try.", criteria={"minTrades": 5, "minSharpe": "9"})


def test_every_metric_stands_in_the_page_with_its_exact_value_and_definition(ordinary: Any) -> None:
    page = Page(ordinary.page())
    shown = page.figures("data-metric")
    for name, metric in ordinary.evidence["result"]["metrics"].items():
        assert metric["definition"] in page.text
        assert DEFINITIONS[name].text in page.text
        if metric["value"] is not None:
            assert shown[name] == metric["value"]


def test_metrics_come_in_the_order_of_their_definitions(ordinary: Any) -> None:
    assert list(Page(ordinary.page()).figures("data-metric")) == [
        name for name in DEFINITIONS if ordinary.evidence["result"]["metrics"][name]["value"] is not None
    ]


def test_a_strategy_of_the_user_is_called_by_its_entry_point(ordinary: Any) -> None:
    evidence = json.loads(json.dumps(ordinary.evidence))
    evidence["result"]["spec"]["strategy"] = {"entryPoint": "my_package.strategies:Breakout"}
    text = Page(render_report(evidence, ordinary.chart, ordinary.trades)).text
    assert "BTCUSDT 1d my_package.strategies:Breakout" in text


def test_the_headlines_are_the_metrics_of_the_evidence(ordinary: Any) -> None:
    metrics = ordinary.evidence["result"]["metrics"]
    shown = Page(ordinary.page()).figures("data-headline")
    for name in ("totalReturn", "maxDrawdown", "sharpe"):
        assert shown[name] == metrics[name]["value"]
    gross = sum(pnl for pnl in ordinary.trades["pnl"] if pnl > 0)
    costs = metrics["totalFees"]["value"] + metrics["totalSlippage"]["value"]
    assert shown["costs"] == pytest.approx(costs / gross, rel=1e-12)


def test_a_figure_is_rounded_for_the_eye(ordinary: Any) -> None:
    drawdown = ordinary.evidence["result"]["metrics"]["maxDrawdown"]["value"]
    assert f"{100 * drawdown:.2f}%" in Page(ordinary.page()).text


def test_a_metric_without_a_value_is_a_dash_with_its_reason(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0] * 50)
    assert run.evidence["result"]["metrics"]["winRate"]["reason"] == "NoTrades"
    page = Page(run.page())
    assert "winRate" not in page.figures("data-metric")
    assert "Win rate – No trades" in page.text


def test_digests_data_and_files_are_named(ordinary: Any) -> None:
    text = Page(ordinary.page()).text
    evidence = ordinary.evidence
    assert evidence["digest"] in text
    for name in ("candles", "decisions", "fills", "equity", "events"):
        assert evidence["result"][name] in text
    assert evidence["run"]["data"]["sha256"] in text
    assert evidence["run"]["files"][0]["sha256"] in text
    assert "backtest verify DIR --rerun" in text


def test_a_failed_verdict_names_the_criterion_that_failed(ordinary: Any) -> None:
    text = Page(ordinary.page()).text
    assert "Verdict failed Not met: Min Sharpe." in text
    assert "Min trades 5" in text


def test_gaps_and_mended_rows_are_warned_of(ordinary: Any) -> None:
    evidence = json.loads(json.dumps(ordinary.evidence))
    evidence["result"]["dataQuality"] |= {"gaps": 3, "missingBars": 100, "longestGapSeconds": 90_000}
    evidence["result"]["dataQuality"] |= {"conflictingDuplicates": 2}
    evidence["result"]["checks"]["fillsAfterGap"] = 1
    text = Page(render_report(evidence, ordinary.chart, ordinary.trades)).text
    assert "3 gaps in the data" in text
    assert "100 bars missing (20.00%), the longest gap 1 d 1 h; 1 fill on the first bar after one." in text
    assert "2 rows mended" in text
    assert "80.00%" in text


def test_every_trade_of_a_short_run_is_a_row(ordinary: Any) -> None:
    html = ordinary.page()
    total = ordinary.evidence["result"]["counts"]["trades"]
    assert html.count('<tr class="won">') + html.count('<tr class="lost">') == total
    assert html.count('<tr class="won">') == sum(pnl > 0 for pnl in ordinary.trades["pnl"])


def test_of_many_trades_the_last_1000_are_shown_and_the_rest_is_pointed_to(a_run: Callable[..., Any]) -> None:
    bars = 2_600
    run = a_run(zigzag(bars), {bar: 1.0 - bar % 2 for bar in range(bars - 1)}, fee=0.0)
    total = len(run.trades["pnl"])
    assert total > 1_000
    html = run.page()
    text = Page(html).text
    assert f"The last 1,000 of {total:,} trades. The {total - 1_000:,} before them" in text
    assert html.count('<tr class="won">') + html.count('<tr class="lost">') == 1_000
    assert f"{sum(pnl > 0 for pnl in run.trades['pnl']):,} trades won (bars upwards)" in text


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"{{ 7*7 }}&amp;"


def test_what_a_stranger_wrote_is_shown_as_text(a_run: Callable[..., Any]) -> None:
    run = a_run(zigzag(100), trading(100), notes=HOSTILE, symbol=HOSTILE)
    run.evidence["run"]["name"] = HOSTILE
    run.evidence["run"]["host"] = HOSTILE
    run.evidence["result"]["spec"]["strategy"]["params"] = {HOSTILE: HOSTILE}
    harmless = Page(a_run(zigzag(100), trading(100), notes="-").page())
    page = Page(run.page())
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == [tag for tag, _ in harmless.elements].count("script")
    assert "img" not in tags
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.texts.count(HOSTILE) >= 3


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_note_comes_out_as_it_went_in(ordinary: Any, note: str) -> None:
    evidence = {**ordinary.evidence, "run": {**ordinary.evidence["run"], "notes": note}}
    html = render_report(evidence, ordinary.chart, ordinary.trades)
    match = re.search(r'<p class="notes">(.*?)</p>', html, re.DOTALL)
    assert (unescape(match[1]) if match else "") == unescape(note.replace("&", "&amp;"))


ATTRIBUTION = "https://www.tradingview.com/"


def test_the_page_loads_nothing(ordinary: Any) -> None:
    html = ordinary.page()
    for tag, found in Page(html).elements:
        assert tag not in ("img", "link", "iframe", "object", "embed", "base", "form")
        assert "src" not in found
        assert "style" not in found
        assert (found.get("href") or "#").startswith("#") or (tag, found["href"]) == ("a", ATTRIBUTION)
    ours = html.replace(vendored(CHART_LIBRARY), "").replace(ATTRIBUTION, "")
    assert not re.search(r"https?://|url\(|@import|//[a-z]", re.sub(r"// .*", "", ours))


def test_the_policy_allows_exactly_the_style_and_the_scripts_of_the_page(ordinary: Any) -> None:
    html = ordinary.page()
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1])  # type: ignore[index]
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert (len(styles), len(scripts)) == (1, 4)
    for directive, contents in (("style-src", styles), ("script-src", scripts)):
        digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in contents)
        hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
        assert f"; {directive} {hashes};" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_chart_library_is_the_published_one_and_is_attributed(ordinary: Any) -> None:
    """Of lightweight-charts@5.2.1 on npm: dist/lightweight-charts.standalone.production.js."""
    html = ordinary.page()
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    published = "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf"
    assert hashlib.sha256(scripts[0].encode()).hexdigest() == published
    assert "TradingView Lightweight Charts™" in Page(html).text
    assert f'href="{ATTRIBUTION}"' in html


def test_every_vendored_file_has_the_recorded_hash() -> None:
    folder = resources.files("spark_engine.report") / "vendor"
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    recorded = dict(reversed(line.split("  ")) for line in lines)
    assert CHART_LIBRARY in recorded
    assert {one.name for one in folder.iterdir()} == {*recorded, "SHA256SUMS", "README.md"}
    for name, digest in recorded.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def series_of(html: str) -> dict[str, Any]:
    text = re.search(r'<script type="application/json" id="series">(.*?)</script>', html, re.DOTALL)[1]  # type: ignore[index]
    return dict(json.loads(text))


def test_the_interactive_charts_get_every_trade_at_its_bucket(ordinary: Any) -> None:
    series = series_of(ordinary.page())
    trades = series["trades"]
    assert trades["total"] == len(ordinary.trades["pnl"]) == len(trades["entry"])
    assert [series["ts"][at] for at in trades["entry"]] == ordinary.trades["entry_ts"]
    assert [series["ts"][at] for at in trades["exit"]] == ordinary.trades["exit_ts"]
    assert trades["won"] == [int(pnl > 0) for pnl in ordinary.trades["pnl"]]
    assert trades["entryPrice"] == pytest.approx(ordinary.trades["entry_price"], rel=1e-6)


def test_the_interactive_charts_lose_no_extreme(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0 + (bar * 7919) % 97 + (500 if bar == 3_333 else 0) for bar in range(4_000)], {0: 1.0})
    series = series_of(run.page())
    assert len(series["ts"]) < 2_000
    assert max(series["high"]) == max(run.candles.high)
    assert min(series["low"]) == min(run.candles.low)
    assert max(series["equityHigh"]) == pytest.approx(max(run.ledger.equity), rel=1e-6)
    assert min(series["equityLow"]) == pytest.approx(min(run.ledger.equity), rel=1e-6)
    assert max(series["drawdown"]) == pytest.approx(
        run.evidence["result"]["metrics"]["maxDrawdown"]["value"], rel=1e-6
    )


def test_an_open_position_is_marked_where_it_was_entered(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0, 101.0, 102.0, 103.0], {1: -1.0})
    entry = series_of(run.page())["openEntry"]
    assert (entry["bucket"], entry["side"]) == (2, -1)


def test_months_add_up_to_years_and_years_to_the_run(ordinary: Any) -> None:
    years = monthly_table(ordinary.chart)
    text = Page(ordinary.page()).text
    growth = 1.0
    for value in ordinary.chart["monthly"]["strategy"]:
        growth *= 1 + value
    assert growth - 1 == pytest.approx(ordinary.evidence["result"]["metrics"]["totalReturn"]["value"])
    for year in years:
        assert len(year.strategy) == 13
        assert f"{year.year} {' '.join(cell.text for cell in year.strategy)}" in text


def test_costs_lead_from_the_profit_before_them_to_the_net_profit(a_run: Callable[..., Any]) -> None:
    run = a_run(zigzag(400), trading(400))
    run.evidence["result"]["costs"] |= {"funding": 12.5, "borrow": 0.0}
    rows = {row.label: row for row in cost_rows(run.evidence, run.trades)}
    costs = run.evidence["result"]["costs"]
    net = run.ledger.equity[-1] - run.cash
    assert rows["Net profit"].amount == money(net)
    assert rows["Profit before costs"].amount == money(net + sum(costs.values()))
    assert rows["Funding"].amount == "12.50"
    page = Page(run.page())
    total = page.figures("data-headline")["costs"] * sum(pnl for pnl in run.trades["pnl"] if pnl > 0)
    assert total == pytest.approx(sum(costs.values()))
    assert "Funding and borrow 12.50" in page.text
    gross = sum(pnl for pnl in run.trades["pnl"] if pnl > 0)
    assert rows["Fees"].share == f"{100 * costs['fees'] / gross:.1f}%"


def test_breaches_and_order_events_are_listed(ordinary: Any) -> None:
    evidence = json.loads(json.dumps(ordinary.evidence))
    breach = {"bar": 7, "ts": 1_600_000_020_000, "gate": "maxDrawdown", "limit": "0.2", "value": 0.2134}
    evidence["result"]["guardrailEvents"] = [breach]
    evidence["result"]["checks"]["events"] = {"Rejected/LotSize": 3, "Breach/maxDrawdown": 1}
    evidence["result"]["checks"] |= {"shortTargetsClamped": 4, "stoppedBar": 9}
    evidence["result"]["executionModel"] |= {"ambiguousBars": 2, "unresolvedBars": 5}
    text = Page(render_report(evidence, ordinary.chart, ordinary.trades)).text
    assert "2020-09-13 12:27 Max drawdown 0.2134 0.2" in text
    assert "Rejected: Lot size 3" in text
    assert "A guardrail ended the run Policy Fail, at bar 9" in text
    assert "4 short targets taken as 0" in text
    assert "The order of fills is a convention on 2 bars" in text
    assert "5 bars without finer bars" in text
    assert "3 orders rejected" in text


def test_funding_has_a_column_only_where_there_was_some(ordinary: Any) -> None:
    heads = r"<th scope=\"col\">Funding</th>"
    assert not re.search(heads, ordinary.page())
    paid = {**ordinary.trades, "funding": [1.25] * len(ordinary.trades["pnl"])}
    html = render_report(ordinary.evidence, ordinary.chart, paid)
    assert re.search(heads, html)
    assert "<td>1.25<td" in html


def test_an_artifact_of_an_earlier_engine_is_still_drawn(ordinary: Any) -> None:
    evidence, chart = (json.loads(json.dumps(part)) for part in (ordinary.evidence, ordinary.chart))
    for name in ("exposure", "rollingSharpe", "monthly"):
        del chart[name]
    result = evidence["result"]
    del result["costs"]
    for name in ("events", "shortTargetsClamped", "stoppedBar", "lookAhead", "openOrdersAtEnd"):
        result["checks"].pop(name)
    for name in ("ambiguousBars", "unresolvedBars", "resolveWith"):
        result["executionModel"].pop(name)
    trades = {name: column for name, column in ordinary.trades.items() if name not in ("funding", "fills")}
    text = Page(render_report(evidence, chart, trades)).text
    assert "Returns by month" not in text
    assert f"Fees {money(result['metrics']['totalFees']['value'])}" in text


def test_the_same_evidence_gives_the_same_page(ordinary: Any) -> None:
    assert ordinary.page() == ordinary.page()


def test_the_document_has_landmarks_headings_captions_and_named_charts(ordinary: Any) -> None:
    page = Page(ordinary.page())
    tags = [tag for tag, _ in page.elements]
    assert [tags.count(tag) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
    assert tags.count("caption") == tags.count("table")
    ids = {found["id"] for _, found in page.elements if found.get("id")}
    charts = [found for tag, found in page.elements if tag == "svg" and found.get("role") == "img"]
    assert len(charts) >= 3
    for found in charts:
        assert found["aria-label"]
        assert found["aria-describedby"] in ids


def test_ids_are_unique_and_elements_are_closed(ordinary: Any) -> None:
    html = ordinary.page()
    ids = [found["id"] for _, found in Page(html).elements if "id" in found]
    assert len(ids) == len(set(ids))
    for tag in ("div", "section", "table", "tbody", "ul", "li", "figure", "svg", "p", "span"):
        opened = len(re.findall(rf"<{tag}[\s>]", html))
        assert opened == html.count(f"</{tag}>"), tag


def numbers_in_paths(html: str) -> bool:
    """No NaN or infinity reached a drawing."""
    drawn = re.findall(r' (?:d|x|y|x1|x2|y1|y2)="([^"]*)"', html)
    return bool(drawn) and not any(re.search(r"nan|inf", value, re.IGNORECASE) for value in drawn)


UNUSUAL: dict[str, tuple[list[float], dict[int, float], dict[str, Any]]] = {
    "one bar": ([100.0], {}, {}),
    "two bars": ([100.0, 101.0], {0: 1.0}, {}),
    "flat prices, no trade": ([100.0] * 30, {}, {}),
    "one open trade": ([100.0, 101.0, 102.0, 103.0], {0: 1.0}, {}),
    "a bankrupt short": ([100.0, 100.0, 100.0, 300.0, 290.0, 280.0], {0: -1.0, 3: 0.0}, {}),
    "tiny prices": ([1e-8 * (1 + bar % 7) for bar in range(60)], trading(60), {}),
    "huge prices": ([1e9 * (1 + bar % 7) for bar in range(60)], trading(60), {"cash": 1e12}),
    "a tiny account": ([100.0 + bar % 7 for bar in range(60)], trading(60), {"cash": 1e-6}),
    "a collapse": ([1e6 * 0.5**bar for bar in range(60)], {0: 1.0}, {}),
    "a moonshot": ([1e-6 * 2.0**bar for bar in range(60)], {0: 1.0, 50: 0.0}, {}),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_run_is_drawn_whole(a_run: Callable[..., Any], name: str) -> None:
    closes, targets, options = UNUSUAL[name]
    run = a_run(closes, targets, **options)
    html = run.page()
    page = Page(html)
    assert numbers_in_paths(html)
    assert page.figures("data-metric")["finalEquity"] == pytest.approx(run.ledger.equity[-1], rel=1e-11)
    assert "nan" not in page.text.lower().split()
    assert [tag for tag, _ in page.elements].count("main") == 1


def test_without_trades_the_page_says_what_to_look_at(a_run: Callable[..., Any]) -> None:
    text = Page(a_run([100.0] * 30).page()).text
    assert "No trade was closed in this run. The strategy never decided to trade" in text
    assert "No winning trade to set them against" in text


def test_a_bankrupt_run_says_so_first_and_offers_no_logarithm(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0, 100.0, 100.0, 300.0, 290.0], {0: -1.0})
    html = run.page()
    text = Page(html).text
    assert text.index("The account went bankrupt") < text.index("Headline figures")
    assert "a logarithm needs equity above 0" in text
    assert 'id="scale-log"' not in html


@pytest.mark.parametrize("fills", [145, 155, 300, 460, 475])
def test_an_account_that_fees_have_eaten_up_is_drawn(a_run: Callable[..., Any], fills: int) -> None:
    """A fifth is left by each fill: down to 1e-88, and at last to less than the least ordinary float."""
    run = a_run([100.0] * (fills + 1), {bar: 1.0 - bar % 2 for bar in range(fills)}, fee=0.9)
    assert 0 < min(run.ledger.equity) < 1e-80
    assert ('id="scale-log"' in run.page()) == (min(run.ledger.equity) >= 1e-100)


def test_100000_bars_with_10000_fills_stay_small(a_run: Callable[..., Any]) -> None:
    bars = 100_000
    closes = [20_000.123 + 7_000.0 * ((bar * 7919) % 1000) / 1000 for bar in range(bars)]
    run = a_run(closes, {bar: float(bar // 10 % 2 == 0) for bar in range(0, bars - 1, 10)}, fee=0.0)
    assert len(run.ledger.fills) >= 9_999
    html = run.page()
    assert len(html.encode()) < MAX_BYTES
    assert max(series_of(html)["high"]) == pytest.approx(max(run.candles.high), rel=1e-6)
