// Families that have no view of their own: a list each, with the columns that its panel names, worst rows first.

import { $, forget, make, mark, reconcile, set } from "./dom.js";
import { feed } from "./feed.js";
import { SIGNS, signed, stateText } from "./figures.js";
import { sayOr, write } from "./words.js";

const WITH_A_VIEW = new Set(["contacts"]); // tiles, list and detail
const SHOWN_IN = new Set(["board", "list"]); // a wall has no room for lists

// What another family tells beside a row is an object: how many are in which state.
const counted = (states) => Object.entries(states).filter(([, number]) => number).map(([state, number]) => `${sayOr(state, state)} ${write.count(number)}`);
const text = { text: (value) => (value !== null && typeof value === "object" ? counted(value).join(", ") : value ?? "") };
const written = (column, row) => (text[column.format] ?? write[column.format])(row[column.name]);
const wordOf = (panel, key, otherwise) => sayOr(`${panel}.${key}`, sayOr(key, otherwise));

// A family without columns, such as agents, is shown beside the rows of others.
const panels = () => Object.entries(feed.picture?.panels ?? {}).filter(
  ([name, { columns, rows }]) => !WITH_A_VIEW.has(name) && columns.length && rows.length,
);

export function draw(view) {
  const shown = SHOWN_IN.has(view) ? panels() : [];
  mark($("panels"), "away", !shown.length);
  reconcile($("panels"), shown.map(([name, panel]) => ({ name, ...panel })), {
    keyOf: (panel) => panel.name,
    create: () => make("section"),
    fill: (section, panel) => section.replaceChildren(...tableOf(panel)),
  });
}

export const clear = () => forget($("panels"));

function tableOf({ name, labels, columns, rows }) {
  const title = make("h2", wordOf(name, "title", name), { id: `panel-${name}` });
  const table = make("table", "", { "aria-labelledby": `panel-${name}` });
  const several = new Set(rows.map((row) => row.tenant)).size > 1;
  const keys = labels.filter((label) => label !== "tenant" || several);
  const heads = [...keys, "state"].map((key) => wordOf(name, key, key));
  heads.push(...columns.map((column) => wordOf(name, column.name, column.title)));
  const head = make("tr");
  head.append(...heads.map((word) => make("th", word, { scope: "col" })));
  table.append(make("thead"), make("tbody"));
  table.tHead.append(head);
  table.tBodies[0].append(...rows.map((row) => lineOf(row, keys, columns)));
  return [title, table];
}

function lineOf(row, keys, columns) {
  const line = make("tr", "", { class: row.state });
  const [first, ...others] = keys.map((key) => row[key] ?? "");
  line.append(make("th", first, { scope: "row" }), ...others.map((value) => make("td", value)));
  line.append(make("td", row.state === "no_sample" ? SIGNS.no_sample : stateText(row.state)));
  for (const column of columns) {
    const cell = make("td", signed(row, column.judged_as, written(column, row)));
    set(cell, "data-judged", row.judged[column.judged_as] ?? "no_sample");
    line.append(cell);
  }
  return line;
}
