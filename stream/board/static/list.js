// All queues as a table, worst first: what a screen reader walks best, and most queues at a glance.

import { $, forget, make, mark, put, reconcile, set, shownFor } from "./dom.js";
import { channelText, drawState, drawWait, judged, link, noAgentFree, signed } from "./figures.js";
import { write } from "./words.js";

export const root = $("rows");
export const pageSize = () => 100;

// In the order of the head in board.html.
const CELLS = [
  null, // the state: on a phone its word gives way
  (row) => write.level(row.service_level),
  (row) => `${write.level(row.target)} / ${write.limit(row.threshold_seconds)}`,
  (row) => write.count(row.open_cases),
  null, // the longest wait ticks
  (row) => signed(row, "longest_wait", write.count(row.waiting_past_threshold)),
  (row) => write.duration(row.asa_seconds),
  (row) => signed(row, "abandonment", write.share(row.abandonment_ratio)),
  (row) => signed(row, "blocking", write.share(row.blocking_ratio)),
  (row) => write.duration(row.aht_seconds),
  (row) => write.count(row.offered),
  (row) => write.count(row.answered),
  (row) => (noAgentFree(row) ? "▼ 0" : write.count(row.agents.available ?? null)),
];
const JUDGED = [[2, "service_level"], [5, "longest_wait"], [6, "longest_wait"], [8, "abandonment"], [9, "blocking"]];
const [STATE, WAIT] = [1, 5];

export function draw(rows, { tenants }) {
  reconcile(root, rows, { keyOf: (row) => row.key, create, fill: (line, row) => fill(line, row, tenants > 1) });
}

export function tick(rows) {
  for (const row of rows) {
    const line = shownFor(root, row.key);
    if (line) drawWait(line.children[WAIT], row);
  }
}

export const clear = () => forget(root);

function create() {
  const line = make("tr");
  const head = make("th", "", { scope: "row" });
  // The channel is part of what a queue is.
  head.append(make("a", "", { class: "name" }), make("small", "", { class: "channel" }), make("small", "", { class: "tenant" }));
  const titles = $("list").querySelectorAll("thead th");
  // A column that gives way on a small screen does so as a whole.
  line.append(head, ...CELLS.map((_, place) => make("td", "", { class: titles[place + 1].className })));
  line.children[STATE].append(make("span"), " ", make("span", "", { class: "word" }));
  return line;
}

function fill(line, row, withTenant) {
  line.className = row.state;
  link(line.querySelector(".name"), row);
  put(line.querySelector(".channel"), channelText(row));
  put(line.querySelector(".tenant"), withTenant ? row.tenant : "");
  drawState(line.children[STATE], row.state);
  CELLS.forEach((cell, place) => cell && put(line.children[place + 1], cell(row)));
  for (const [place, figure] of JUDGED) set(line.children[place], "data-judged", judged(row, figure));
  mark(line, "short", noAgentFree(row));
}
