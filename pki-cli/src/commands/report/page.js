"use strict";
// Sorts and filters the table. Without it the table is there all the same.
document.documentElement.classList.add("scripted");
const table = document.getElementById("certificates");
const body = table.tBodies[0];
const rows = Array.from(body.rows);
const said = document.getElementById("said");
const value = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();

for (const heading of table.tHead.rows[0].cells) {
  heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = heading.cellIndex;
    const order = (one, other) => value(one, column).localeCompare(value(other, column), "en", { numeric: true });
    rows.sort((one, other) => (down ? order(other, one) : order(one, other)));
    body.append(...rows);
    said.textContent = `sorted by ${heading.textContent.trim()}, ${down ? "descending" : "ascending"}`;
  });
}

const filter = document.getElementById("filter");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    if (!row.hidden) shown += 1;
  }
  said.textContent = `${shown} of ${rows.length} shown`;
});
