// Families beside the one that a board is of: a list each, below it.

import { choice } from "./choice.js";
import { $, make, mark, put, reconcile, shownFor } from "./dom.js";
import { feed, leading, panelOf } from "./feed.js";
import { titleOf } from "./figures.js";
import { drawTable, tickTable } from "./table.js";
import { say } from "./words.js";

const SHOWN_IN = new Set(["board", "list"]); // a wall has no room for lists

// A family without columns, such as agents, is shown beside the rows of others.
const shown = () => Object.entries(SHOWN_IN.has(choice.view) ? feed.picture.panels : {}).filter(
  ([name, { columns, rows }]) => name !== leading() && columns.length && rows.length,
);
export const othersShown = () => shown().length > 0;
const tableOf = (name) => shownFor($("panels"), name).lastElementChild;

export function draw() {
  mark($("panels"), "away", !shown().length);
  reconcile($("panels"), shown().map(([name]) => name), { keyOf: (name) => name, create, fill: () => {} });
  for (const [name, panel] of shown()) {
    const [title, { window }] = [titleOf(name), panel];
    // What lasts for days is in no window of minutes: then it says in which it is.
    put(tableOf(name).previousElementSibling, window === panelOf().window ? title : `${title} · ${say(`window_${window}`)}`);
    drawTable(tableOf(name), name, panel, panel.rows);
  }
}

export function tick() {
  for (const [name, panel] of shown()) tickTable(tableOf(name), panel, panel.rows);
}

function create(name) {
  const section = make("section");
  const table = make("table", "", { "aria-labelledby": `panel-${name}` });
  table.createTHead().insertRow();
  table.createTBody();
  section.append(make("h2", "", { id: `panel-${name}` }), table);
  return section;
}
