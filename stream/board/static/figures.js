// What tiles, lists and detail have in common: how columns, labels and states are called and written, and waits that tick.

import { NO_SAMPLE } from "./format.js";
import { addressOf, choice } from "./choice.js";
import { inAddress, secondsSince } from "./feed.js";
import { make, put, set } from "./dom.js";
import { say, sayOr, write } from "./words.js";

export const SIGNS = { breached: "▼", at_risk: "●", ok: "▲", no_sample: NO_SAMPLE };
export const AGENT_STATES = ["available", "reserved", "on_contact", "acw", "not_ready", "error"];

// A figure that is judged says so by colour and sign; what is well says nothing.
export const judged = (row, name) => row.judged[name] ?? "no_sample";
export function signed(row, name, text) {
  return ["breached", "at_risk"].includes(row.judged[name]) ? `${SIGNS[row.judged[name]]} ${text}` : text;
}

export const stateText = (state) => `${SIGNS[state]} ${say(`state_${state}`)}`;
export function drawState(box, state) {
  put(box.firstElementChild, SIGNS[state]);
  put(box.lastElementChild, say(`state_${state}`));
}

// The label that names a row, and those that tell rows of one name apart: the tenant comes last.
export const labelsOf = (labels) => labels.toSorted((one, other) => (one === "tenant") - (other === "tenant"));
export const labelText = (row, label) => sayOr(`${label}_${row[label]}`, row[label] ?? "");
export const labelsText = (row, labels) => labels.map((label) => labelText(row, label)).filter(Boolean).join(" · ");

// What names a column: a word of its family's own, or one that all have.
export const wordOf = (panel, { name, word = name, title }, values) =>
  sayOr(`${panel}.${word}`, sayOr(word, title, values), values);

export const titleOf = (panel) => wordOf(panel, { name: "title", title: sayOr(`panel_${panel}`, panel) });

// The same above a column: where room is short, a shorter word.
export function headOf(panel, column) {
  const word = wordOf(panel, column);
  const short = wordOf(panel, { name: `short_${column.word ?? column.name}`, title: word });
  return short === word ? word : make("abbr", short, { title: word });
}

// What a row is called by: the first label that it has, but for its tenant. None: it is of all of a tenant.
const namedBy = (labels, row) => labelsOf(labels).find((label) => label !== "tenant" && row[label]);

export const isOfTenant = (labels, row) => namedBy(labels, row) === undefined;

// Rows that lack the label that names most of them have a sentence of their family's own, such as of a plan.
export function nameOfRow(panel, labels, row) {
  const by = namedBy(labels, row);
  if (by === labelsOf(labels)[0]) return row[by];
  return wordOf(panel, by ? { name: `called_${by}`, title: row[by] } : { name: "everybody", title: row.tenant ?? "" }, { name: row[by] });
}

// The labels that a row is not called by.
export const besideName = (labels, row) => labelsOf(labels).filter((label) => label !== namedBy(labels, row));

// Whether rows of its kind have a figure at all; where they have, it may be unknown.
export const isOf = ({ only_with: having, only_without: lacking }, row) =>
  (!having || Boolean(row[having])) && !(lacking && row[lacking]);

const WRITERS = {
  amount: (value, row) => write.amount(value, row.currency),
  text: (value) => value ?? "",
  agents: (states, row) => (row.noAgentFree ? "▼ 0" : write.count(states.available)),
};

export const valueOf = ({ name, since }, row) => (since ? secondsSince(row[since]) : row[name]);

export function textOf({ format, also, most, ...column }, row, value = valueOf(column, row)) {
  const text = (most !== undefined && value === most ? "≥ " : "") + (WRITERS[format] ?? write[format])(value, row);
  return also ? `${text} / ${textOf({ name: also[0], format: also[1] }, row)}` : text;
}

export const cellText = (column, row) =>
  column.signed === false ? textOf(column, row) : signed(row, column.judged_as, textOf(column, row));

export function link(anchor, text, panel, row) {
  put(anchor, text);
  const chosen = { panel: inAddress(panel), queue: row.key };
  set(anchor, "href", addressOf({ view: "queue", ...chosen }));
  Object.assign(anchor.dataset, chosen);
}

// Pages of a view; who looks for a name sees only those that have it.
export function found(rows) {
  const wanted = choice.find.trim().toLocaleLowerCase();
  return wanted ? rows.filter((row) => row.key.toLocaleLowerCase().includes(wanted)) : rows;
}
