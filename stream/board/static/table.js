// A family as a table, worst rows first: a line for each row, a cell for each column that its panel names.

import { choice } from "./choice.js";
import { forget, make, mark, put, reconcile, set, shownFor } from "./dom.js";
import { besideName, cellText, drawState, headOf, isOf, judged, labelText, labelsOf, link, nameOfRow, textOf, wordOf } from "./figures.js";
import { say } from "./words.js";

// Where a screen is small, columns of a high rank give way first, those of rank 0 never: see queue.css.
const roomFor = (rank = 0) => (rank > 5 ? "widest" : rank > 0 ? "wide" : "");
const [STATE, FIRST] = [1, 2]; // the places of the state, and of the first column

export function drawTable(table, name, panel, rows) {
  const several = new Set(panel.rows.map((row) => row.tenant)).size > 1;
  const [first, ...labels] = labelsOf(panel.labels).filter((label, place) => label !== "tenant" || several || !place);
  const drawn = { name, first, labels, all: panel.labels, columns: panel.columns, language: choice.lang };
  const text = JSON.stringify(drawn);
  if (table.drawn !== text) {
    table.drawn = text;
    forget(table.tBodies[0]);
    drawHead(table.tHead.rows[0], drawn);
  }
  reconcile(table.tBodies[0], rows, {
    keyOf: (row) => row.key,
    create: () => create(drawn),
    fill: (line, row) => fill(line, row, drawn),
  });
}

// What runs on although nothing happened.
export function tickTable(table, { columns }, rows) {
  for (const row of rows) {
    const cells = shownFor(table.tBodies[0], row.key)?.children;
    columns.forEach((column, place) => column.since && cells && isOf(column, row) && put(cells[FIRST + place], textOf(column, row)));
  }
}

function drawHead(head, { name, first, columns }) {
  const state = make("th", "", { scope: "col" });
  state.append(make("span", say("state"), { class: "word" })); // on a phone its word gives way
  head.replaceChildren(make("th", wordOf(name, { name: first, title: first }), { scope: "col" }), state);
  for (const column of columns) {
    head.append(make("th", "", { scope: "col", class: roomFor(column.rank) }));
    head.lastElementChild.append(headOf(name, column));
  }
}

function create({ labels, columns }) {
  const line = make("tr");
  const head = make("th", "", { scope: "row" });
  // What tells rows of one name apart, such as the channel of a queue, is part of what they are.
  head.append(make("a", "", { class: "name" }), ...labels.map((label) => make("small", "", { class: label })));
  // A column that gives way does so as a whole.
  line.append(head, make("td"), ...columns.map(({ rank }) => make("td", "", { class: roomFor(rank) })));
  line.children[STATE].append(make("span"), " ", make("span", "", { class: "word" }));
  return line;
}

function fill(line, row, { name, labels, all, columns }) {
  const [anchor, ...others] = line.children[0].children;
  line.className = row.state;
  link(anchor, nameOfRow(name, all, row), name, row);
  const beside = besideName(all, row);
  labels.forEach((label, place) => put(others[place], beside.includes(label) ? labelText(row, label) : ""));
  drawState(line.children[STATE], row.state);
  columns.forEach((column, place) => {
    const cell = line.children[FIRST + place];
    put(cell, isOf(column, row) ? cellText(column, row) : "");
    set(cell, "data-judged", judged(row, column.judged_as));
    mark(cell, "short", column.format === "agents" && row.noAgentFree);
  });
}
