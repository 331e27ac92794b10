// Figures that are distributions, in the window that is chosen: what sums each up, and a bar for each bucket.

import { $, forget, make, makePair, mark, put, reconcile } from "./dom.js";
import { textOf, wordOf } from "./figures.js";
import { drawPairs } from "./pairs.js";
import { say, write } from "./words.js";

export const clear = () => forget($("distributions"));

export function draw(panel, columns, row) {
  const told = columns.map((column) => ({
    name: column.name,
    title: `${wordOf(panel, column)} · ${say(`window_${row.window}`)}`,
    parts: (column.parts?.names ?? []).map((name) => ({ name, head: name, text: textOf(column, row, row[column.name][name]) })),
    bars: barsOf(column, row),
  }));
  reconcile($("distributions"), told, { keyOf: (one) => one.name, create: createSection, fill: fillSection });
}

function barsOf({ name, bars: { bounds: field, format, within } }, row) {
  const { counts, [field]: bounds } = row[name];
  const most = Math.max(1, ...counts);
  return counts.map((number, place) => ({
    label: place < bounds.length ? `≤ ${write[format](bounds[place])}` : `> ${write[format](bounds.at(-1))}`,
    number: write.count(number),
    part: number / most,
    within: bounds[place] <= row[within],
  }));
}

function createSection({ name }) {
  const section = make("section", "", { "aria-labelledby": `bars-${name}` });
  section.append(make("h3", "", { id: `bars-${name}` }), make("dl", "", { class: "parts" }), make("dl", "", { class: "bars" }));
  return section;
}

function fillSection(section, { title, parts, bars }) {
  const [head, large, drawn] = section.children;
  put(head, title);
  drawPairs(large, parts);
  reconcile(drawn, bars, { keyOf: (bar) => bar.label, create: createBar, fill: fillBar });
}

function createBar(bar) {
  const pair = makePair(bar.label);
  pair.lastElementChild.append(make("span"), make("i"));
  return pair;
}

function fillBar(pair, bar) {
  put(pair.querySelector("span"), bar.number);
  pair.style.setProperty("--part", bar.part);
  mark(pair, "within", bar.within);
}
