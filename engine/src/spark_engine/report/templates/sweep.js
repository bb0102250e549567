"use strict";
// Enhancement only: the page is complete without it. Columns of the ranking can be sorted.
(() => {
  const table = document.getElementById("ranking");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const key = (row, column) => {
    const data = row.cells[column].querySelector("data");
    const text = data ? data.value : row.cells[column].textContent;
    const value = Number(text);
    return text !== "" && Number.isFinite(value) ? value : text;
  };
  const compare = (one, other) => {
    if (one === "" || other === "") return (one === "") - (other === "");
    return typeof one === typeof other ? (one > other) - (one < other) : typeof one === "number" ? -1 : 1;
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      rows.sort((a, b) => {
        const one = key(a, column);
        const other = key(b, column);
        return one === "" || other === "" ? compare(one, other) : (falling ? -1 : 1) * compare(one, other);
      });
      body.append(...rows);
    });
  });
})();
