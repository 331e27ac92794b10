// What tiles, lists and detail have in common: how columns, labels and states are called and written, and waits that tick.

import { NO_SAMPLE } from "./format.js";
import { addressOf, choice } from "./choice.js";
import { secondsSince, waited } from "./feed.js";
import { make, makePair, mark, put, reconcile, set } from "./dom.js";
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
export const channelText = (row) => labelText(row, "channel");
export const targetText = (row) =>
  say("target", { target: write.level(row.target), threshold: write.limit(row.threshold_seconds) });
export const pastText = (row) =>
  row.waiting_past_threshold
    ? `${SIGNS[judged(row, "longest_wait")]} ${say("past", { count: write.count(row.waiting_past_threshold), threshold: write.limit(row.threshold_seconds) })}`
    : "";
export const callbackText = (row) =>
  row.callbacks_waiting ? say("to_call_back", { count: write.count(row.callbacks_waiting) }) : "";

// Somebody waits and nobody is free: the one thing about agents that wants an action.
export const noAgentFree = (row) => row.agents.available === 0 && row.open_cases > 0;

// What names a column: a word of its family's own, or one that all have.
export const wordOf = (panel, { name, word = name, title }) => sayOr(`${panel}.${word}`, sayOr(word, title));

// The same above a column: where room is short, a shorter word.
export function headOf(panel, column) {
  const word = wordOf(panel, column);
  const short = wordOf(panel, { name: `short_${column.word ?? column.name}`, title: word });
  return short === word ? word : make("abbr", short, { title: word });
}

const WRITERS = {
  text: (value) => value ?? "",
  agents: (states, row) => (noAgentFree(row) ? "▼ 0" : write.count(states.available)),
};

export function textOf({ name, format, since, also, most }, row, value = since ? secondsSince(row[since]) : row[name]) {
  const text = (most !== undefined && value === most ? "≥ " : "") + (WRITERS[format] ?? write[format])(value, row);
  return also ? `${text} / ${textOf({ name: also[0], format: also[1] }, row)}` : text;
}

export const cellText = (column, row) =>
  column.signed === false ? textOf(column, row) : signed(row, column.judged_as, textOf(column, row));

export function drawAgents(list, row, states) {
  const short = (state) => state === "available" && noAgentFree(row);
  reconcile(list, states.map((state) => ({ state, number: row.agents[state], short: short(state) })), {
    keyOf: (one) => one.state,
    create: (one) => makePair(say(one.state), { class: one.state }),
    fill: (box, one) => {
      put(box.lastElementChild, `${one.short ? "▼ " : ""}${write.count(one.number)}`);
      mark(box, "short", one.short);
    },
  });
}

export function link(anchor, text, panel, row) {
  put(anchor, text);
  set(anchor, "href", addressOf({ view: "queue", panel, queue: row.key }));
  Object.assign(anchor.dataset, { panel, queue: row.key });
}

// The big figure is read from four metres, its unit need not be.
export function drawLevel(box, ratio) {
  const text = write.level(ratio);
  put(box.firstElementChild, text.replace(/\s*%$/, ""));
  put(box.lastElementChild, text.endsWith("%") ? "%" : "");
  mark(box, "full", box.firstElementChild.textContent === "100");
}

// A big figure; thousands, hours and days need more room, and get smaller letters.
export function drawBig(box, text) {
  put(box, text);
  mark(box, "long", text.length > "59:59".length || /\p{L}/u.test(text));
}

export const drawWait = (box, row) => drawBig(box, write.elapsed(waited(row)));

// Pages of a view; who looks for a name sees only those that have it.
export function found(rows) {
  const wanted = choice.find.trim().toLocaleLowerCase();
  return wanted ? rows.filter((row) => row.key.toLocaleLowerCase().includes(wanted)) : rows;
}
