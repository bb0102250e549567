"use strict";
// Two charts by lightweight-charts in place of the drawings that a page without scripts shows.
// `notify.point(index)` and `notify.leave()` tell the page where the cross-hair is.
const interactiveCharts = (series, notify) => {
  const MARKED_AT_MOST = 150;
  const library = window.LightweightCharts;
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  // Custom properties hold light-dark(): only a used colour tells which one it is.
  const colour = (name, opacity = 1) => {
    probe.style.color = `var(--${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
    return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
  };

  const times = series.ts.map((ts) => Math.floor(ts / 1000));
  const index = new Map(times.map((time, at) => [time, at]));
  const points = (values) => values.map((value, at) => ({ time: times[at], value }));
  const intraday = series.span < 86_400_000;
  const compact = (value) => {
    const size = Math.abs(value);
    for (const [unit, suffix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"]]) {
      if (size >= unit && size < unit * 1e3) return `${(value / unit).toPrecision(4)}${suffix}`;
    }
    if (size !== 0 && (size < 1e-5 || size >= 1e15)) return value.toExponential(2);
    const digits = size >= 1_000 ? 0 : size >= 1 ? 2 : 6;
    return value.toLocaleString("en-US", { maximumFractionDigits: digits }).replace("-", "−");
  };
  const percent = (value) => `${(100 * value).toFixed(value !== 0 && Math.abs(value) < 0.1 ? 1 : 0)}%`.replace("-", "−");
  const format = (formatter) => ({ type: "custom", formatter, minMove: 1e-9 });
  const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };

  const create = (container) => library.createChart(container, {
    autoSize: true,
    layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11.5 },
    rightPriceScale: { borderVisible: false, minimumWidth: 66, entireTextOnly: true },
    timeScale: {
      borderVisible: false, timeVisible: intraday, secondsVisible: series.span < 60_000, minBarSpacing: 0.05,
    },
    // The wheel scrolls the page; the chart has buttons, and can be dragged and pinched.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
    crosshair: { mode: library.CrosshairMode.Normal },
    localization: { locale: "en-US" },
  });

  for (const box of document.querySelectorAll(".interactive")) box.hidden = false;
  document.body.dataset.interactive = "yes";
  const performance = create(document.getElementById("equity-chart"));
  const price = create(document.getElementById("price-chart"));
  const band = series.bucketed ? performance.addSeries(library.CandlestickSeries, {
    ...quiet, priceFormat: format(compact), wickVisible: false, borderVisible: false,
  }) : null;
  const benchmark = performance.addSeries(library.LineSeries, {
    ...quiet, priceFormat: format(compact), lineWidth: 1, lineStyle: library.LineStyle.Dashed,
  });
  const equity = performance.addSeries(library.LineSeries, { ...quiet, priceFormat: format(compact), lineWidth: 2 });
  const drawdown = performance.addSeries(library.BaselineSeries, {
    ...quiet, priceFormat: format(percent), lineWidth: 1, baseValue: { type: "price", price: 0 },
  }, 1);
  const candles = price.addSeries(library.CandlestickSeries, { ...quiet, priceFormat: format(compact) });
  const markers = library.createSeriesMarkers(candles, []);

  if (band) {
    band.setData(times.map((time, at) => {
      const [low, high] = [series.equityLow[at], series.equityHigh[at]];
      return { time, open: low, high, low, close: high };
    }));
  }
  benchmark.setData(points(series.benchmark));
  equity.setData(points(series.equity));
  drawdown.setData(points(series.drawdown.map((depth) => -depth)));
  candles.setData(times.map((time, at) => ({
    time, open: series.open[at], high: series.high[at], low: series.low[at], close: series.close[at],
  })));
  const panes = performance.panes();
  panes[0].setStretchFactor(3);
  panes[1].setStretchFactor(1);

  const paint = () => {
    const options = {
      layout: {
        background: { color: colour("ground") },
        textColor: colour("muted"),
        panes: { separatorColor: colour("rule"), separatorHoverColor: colour("rule") },
      },
      grid: { vertLines: { color: colour("grid") }, horzLines: { color: colour("grid") } },
      crosshair: {
        vertLine: { color: colour("muted"), labelBackgroundColor: colour("muted") },
        horzLine: { color: colour("muted"), labelBackgroundColor: colour("muted") },
      },
    };
    for (const chart of [performance, price]) chart.applyOptions(options);
    const shade = colour("accent", 0.22);
    if (band) band.applyOptions({ upColor: shade, downColor: shade });
    benchmark.applyOptions({ color: colour("benchmark") });
    equity.applyOptions({ color: colour("accent") });
    drawdown.applyOptions({
      bottomLineColor: colour("lost"),
      bottomFillColor1: colour("lost", 0.12),
      bottomFillColor2: colour("lost", 0.22),
      topLineColor: colour("lost"),
      topFillColor1: "rgba(0, 0, 0, 0)",
      topFillColor2: "rgba(0, 0, 0, 0)",
    });
    candles.applyOptions({
      upColor: colour("ground"), downColor: colour("candle"),
      borderUpColor: colour("candle"), borderDownColor: colour("candle"),
      wickUpColor: colour("candle"), wickDownColor: colour("candle"),
    });
    mark();
  };

  const entry = (at, level, side) => ({
    time: times[at],
    price: level,
    position: side > 0 ? "atPriceBottom" : "atPriceTop",
    shape: side > 0 ? "arrowUp" : "arrowDown",
    color: colour("accent"),
    size: 0.8,
  });
  const status = document.getElementById("marked");
  const trades = series.trades;
  const mark = () => {
    const range = price.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const visible = (at) => at >= range.from - 1 && at <= range.to + 1;
    const seen = [];
    trades.entry.forEach((at, row) => { if (visible(at) || visible(trades.exit[row])) seen.push(row); });
    if (seen.length > MARKED_AT_MOST) {
      markers.setMarkers([]);
      status.textContent = `${seen.length.toLocaleString("en-US")} trades in view: zoom in to ${MARKED_AT_MOST} to mark them.`;
      return;
    }
    const found = seen.flatMap((row) => [
      entry(trades.entry[row], trades.entryPrice[row], trades.side[row]),
      {
        time: times[trades.exit[row]],
        price: trades.exitPrice[row],
        position: "atPriceMiddle",
        shape: trades.won[row] ? "circle" : "square",
        color: colour(trades.won[row] ? "won" : "lost"),
        size: 0.6,
      },
    ]);
    const open = series.openEntry;
    if (open && visible(open.bucket)) found.push(entry(open.bucket, open.price, open.side));
    found.sort((a, b) => a.time - b.time);
    markers.setMarkers(found);
    const left = trades.first - 1;
    status.textContent = `${seen.length} ${seen.length === 1 ? "trade" : "trades"} marked.`
      + (left > 0 ? ` The first ${left.toLocaleString("en-US")} of ${trades.total.toLocaleString("en-US")} are not on this chart.` : "");
  };

  const whole = (chart) => chart.timeScale().fitContent();
  const lastTrades = (count) => {
    const first = trades.entry[Math.max(0, trades.entry.length - count)];
    const room = Math.max(2, (times.length - first) * 0.04);
    price.timeScale().setVisibleLogicalRange({ from: first - room, to: times.length - 1 + room });
  };
  const move = (chart, how) => {
    if (how === "all") return whole(chart);
    if (how === "trades") return lastTrades(40);
    const range = chart.timeScale().getVisibleLogicalRange();
    const width = range.to - range.from;
    const middle = (range.from + range.to) / 2;
    if (how === "in" || how === "out") {
      const half = Math.min(times.length + 10, Math.max(8, width * (how === "in" ? 0.6 : 1 / 0.6))) / 2;
      return chart.timeScale().setVisibleLogicalRange({ from: middle - half, to: middle + half });
    }
    const step = width * (how === "later" ? 0.5 : -0.5);
    const kept = Math.min(times.length - width / 2, Math.max(-width / 2, range.from + step));
    return chart.timeScale().setVisibleLogicalRange({ from: kept, to: kept + width });
  };
  // Shown again whenever a chart gets another width, as at its first layout, until the reader chooses a view.
  const views = new Map([[performance, "all"], [price, trades.entry.length > MARKED_AT_MOST ? "trades" : "all"]]);
  for (const [id, chart] of [["equity-chart", performance], ["price-chart", price]]) {
    const show = () => requestAnimationFrame(() => { if (views.has(chart)) move(chart, views.get(chart)); });
    show();
    chart.timeScale().subscribeSizeChange(show);
    document.getElementById(id).addEventListener("pointerdown", () => views.delete(chart));
    const bar = document.getElementById(id).parentElement.querySelector(".toolbar");
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-view]");
      if (!button) return;
      views.delete(chart);
      if (["all", "trades"].includes(button.dataset.view)) views.set(chart, button.dataset.view);
      move(chart, button.dataset.view);
    });
  }

  const logarithmic = document.getElementById("scale-log");
  const scale = () => {
    const mode = logarithmic && logarithmic.checked ? library.PriceScaleMode.Logarithmic : library.PriceScaleMode.Normal;
    performance.priceScale("right", 0).applyOptions({ mode });
  };
  for (const choice of document.querySelectorAll("[name=scale]")) choice.addEventListener("change", scale);
  const positive = Math.min(...series.low) > 0;
  if (positive && Math.max(...series.high) / Math.min(...series.low) >= 4) {
    price.priceScale("right").applyOptions({ mode: library.PriceScaleMode.Logarithmic });
  }

  // A cross-hair that follows another one makes an event too, without a source.
  for (const chart of [performance, price]) {
    chart.subscribeCrosshairMove((event) => {
      if (!event.sourceEvent) return;
      const at = event.time === undefined ? undefined : index.get(event.time);
      if (at === undefined) notify.leave(); else notify.point(at);
    });
  }
  for (const id of ["equity-chart", "price-chart"]) {
    document.getElementById(id).addEventListener("pointerleave", () => notify.leave());
  }
  let scheduled = false;
  price.timeScale().subscribeVisibleLogicalRangeChange(() => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => { scheduled = false; mark(); });
  });

  new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  scale();
  paint();

  return {
    point: (at) => {
      performance.setCrosshairPosition(series.equity[at], times[at], equity);
      price.setCrosshairPosition(series.close[at], times[at], candles);
    },
    leave: () => {
      performance.clearCrosshairPosition();
      price.clearCrosshairPosition();
    },
  };
};
