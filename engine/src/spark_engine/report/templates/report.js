"use strict";
// Enhancement only: the page is complete without any of this.
(() => {
  const series = JSON.parse(document.getElementById("series").textContent);
  const charts = [...document.querySelectorAll("svg.chart")];
  const readouts = [...document.querySelectorAll("[data-readout]")];
  const cells = readouts.flatMap((line) => [...line.querySelectorAll("b, .when")]);
  const atEnd = new Map(cells.map((cell) => [cell, cell.textContent]));
  const plain = (value) => {
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-6 || size >= 1e15)) return value.toExponential(3).replace("-", "−");
    const digits = size >= 1 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumSignificantDigits: 4 };
    return value.toLocaleString("en-US", digits).replace("-", "−");
  };
  const shown = (name, value) => {
    if (value === null || value === undefined) return "–";
    return ["drawdown", "long", "short"].includes(name) ? `${(100 * value).toFixed(2)}%` : plain(value);
  };
  const stamp = (ts) => new Date(ts).toISOString().slice(0, 16).replace("T", " ");

  const nearest = (ts) => {
    let low = 0;
    let high = series.ts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (series.ts[middle] <= ts) low = middle; else high = middle - 1;
    }
    return low;
  };
  const view = interactiveCharts(series, { point: (index) => point(index), leave: () => leave() });
  const point = (index) => {
    view.point(index);
    const ts = series.ts[index] + series.span / 2;
    for (const chart of charts) {
      const start = Number(chart.dataset.start);
      const share = (ts - start) / (Number(chart.dataset.stop) - start);
      const cursor = chart.querySelector(".cursor");
      cursor.setAttribute("visibility", share >= 0 && share <= 1 ? "visible" : "hidden");
      cursor.setAttribute("x1", `${100 * share}%`);
      cursor.setAttribute("x2", `${100 * share}%`);
    }
    for (const cell of cells) {
      const name = cell.dataset.series;
      cell.textContent = name ? shown(name, series[name][index]) : `${stamp(series.ts[index])} UTC`;
    }
  };
  const leave = () => {
    view.leave();
    for (const chart of charts) chart.querySelector(".cursor").setAttribute("visibility", "hidden");
    for (const [cell, text] of atEnd) cell.textContent = text;
  };
  for (const chart of charts) {
    const start = Number(chart.dataset.start);
    const stop = Number(chart.dataset.stop);
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      point(nearest(start + share * (stop - start)));
    });
    chart.addEventListener("pointerleave", leave);
  }

  const table = document.getElementById("trade-table");
  if (table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const value = (row, column) => {
      const text = row.cells[column].textContent.replaceAll("−", "-");
      const digits = text.replace(/[,%+]/g, "");
      return digits !== "" && Number.isFinite(Number(digits)) ? Number(digits) : text;
    };
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        const keys = new Map(rows.map((row) => [row, value(row, column)]));
        rows.sort((a, b) => (falling ? -1 : 1) * compare(keys.get(a), keys.get(b)));
        body.append(...rows);
      });
    });

    const result = document.getElementById("filter-result");
    const side = document.getElementById("filter-side");
    const filter = () => {
      let left = 0;
      for (const row of rows) {
        const keep = (!result.value || row.className === result.value)
          && (!side || !side.value || row.cells[1].textContent === side.value);
        row.hidden = !keep;
        if (keep) left += 1;
      }
      document.getElementById("filter-count").textContent =
        left === rows.length ? "" : `${left.toLocaleString("en-US")} of ${rows.length.toLocaleString("en-US")} shown`;
    };
    for (const choice of [result, side]) if (choice) choice.addEventListener("change", filter);
    document.querySelector(".filters").hidden = false;
  }

  document.body.dataset.ready = "yes";
})();
