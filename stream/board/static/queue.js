// One row of a family, mostly a queue and channel: what is now, and every figure in every window.

import * as bars from "./bars.js";
import { choice } from "./choice.js";
import { $, forget, make, mark, put, reconcile, set } from "./dom.js";
import { detailOf, panelOf } from "./feed.js";
import { AGENT_STATES, besideName, isOf, judged, labelsOf, labelsText, nameOfRow, signed, stateText, textOf, wordOf } from "./figures.js";
import { drawAgents, drawPairs, figureOf } from "./pairs.js";
import { say } from "./words.js";

let detail = null;
let asking = false;

const isAsked = ({ asked }) => asked.panel === choice.panel && asked.key === choice.queue;

// The newest board may know of news: ask for them, one question at a time.
export async function refresh() {
  if (asking) return;
  asking = true;
  // None also where the worker is away: the banner says so, and the figures stand.
  const answer = await detailOf({ panel: choice.panel, key: choice.queue }).catch(() => null);
  asking = false;
  if (answer && isAsked(answer)) {
    detail = answer;
    draw();
  }
}

export function clear() {
  for (const box of [$("now"), $("agents-now"), $("figures")]) forget(box);
  bars.clear();
}

// A family that lacks the window has another in its place, as its list has.
const rowOf = (window) => detail?.windows.find((row) => row.window === window);
const chosenRow = () => rowOf(choice.window) ?? rowOf(panelOf(detail?.panel).window);

export function open() {
  if (detail && !isAsked(detail)) {
    detail = null;
    clear();
  }
  refresh();
  draw();
}

export function draw() {
  const row = chosenRow();
  put($("gone"), detail && !row ? say("gone") : "");
  for (const part of ["queue-body", "queue-state"]) mark($(part), "away", !row);
  const { labels } = detail ?? panelOf(choice.panel);
  put($("queue-name"), row ? nameOfRow(detail.panel, labels, row) : nameIn(choice.queue, labels));
  if (!row) return;
  put($("queue-where"), labelsText(row, besideName(labels, row)));
  put($("queue-state"), stateText(row.state));
  $("queue-head").className = row.state;
  drawAgentSection(row);
  bars.draw(detail.panel, detail.sections.flatMap(({ lines }) => lines).filter((column) => column.bars), row);
  drawFigures(detail.windows);
  tick();
}

// The name of a row of which nothing else is known; it may itself have slashes.
function nameIn(key, labels) {
  const [parts, place] = [key.split("/"), labels.indexOf(labelsOf(labels)[0])];
  return parts.slice(place, parts.length - labels.length + place + 1).join("/");
}

// What is shown large; some of it runs on although nothing happened.
export function tick() {
  const row = chosenRow();
  if (!row) return;
  mark($("now").parentElement, "away", !detail.now.length);
  drawPairs($("now"), detail.now.filter((column) => isOf(column, row)).map((column) => largeOf(column, row)));
}

// Here all notes stand in one line, with the window where the figure is of one.
function largeOf(column, row) {
  const figure = figureOf(detail.panel, column, row, ["detail"], wordOf);
  const lines = [...figure.notes.map(({ text }) => text), ...(column.windowed ? [say(`window_${row.window}`)] : [])];
  return { ...figure, notes: [{ word: "all", kinds: [], text: lines.join(" · ") }] };
}

function drawAgentSection(row) {
  const states = [...AGENT_STATES, "offline"].filter((state) => state in (row.agents ?? {}));
  mark($("agents-title").parentElement, "away", !states.length && !detail.now.some((column) => column.needs_agents));
  put($("agents-unknown"), states.length ? "" : say("agents_unknown"));
  drawAgents($("agents-now"), row, states);
}

// --- every figure in every window ------------------------------------------------------------------

// A line, or one for each of its parts; what did not occur in a window is 0 there.
function linesOf(column, windows) {
  const { name, parts, if_any: ifAny } = column;
  if (!isOf(column, windows[0])) return [];
  if (ifAny && !windows.some((row) => row[name])) return [];
  if (!parts) return [lineOf(name, wordOf(detail.panel, column), column, windows, (row) => row[name])];
  const absent = (part) => ({ [part]: parts.absent_is_unknown ? null : 0 });
  const known = parts.names ?? [...new Set(windows.flatMap((row) => Object.keys(row[name])))].sort();
  return known.map((part) =>
    lineOf(`${name}/${part}`, partTitle(column, part, windows[0]), column, windows, (row) => ({ ...absent(part), ...row[name] })[part]),
  );
}

function lineOf(key, title, column, windows, valueOf) {
  const textIn = (row) => signed(row, column.judged_as, textOf(column, row, valueOf(row)));
  return { key, title, cells: windows.map((row) => ({ text: textIn(row), judged: judged(row, column.judged_as) })) };
}

function partTitle({ name, word = name, parts }, part, row) {
  const called = parts.called ? wordOf(detail.panel, { name: `${parts.called}_${part}`, title: part }) : part;
  const any = wordOf(detail.panel, { name: `${word}_any`, title: part }).replace("{part}", called);
  const own = row[parts.own] === part ? ` (${say(`${word}_of_queue`)})` : "";
  return wordOf(detail.panel, { name: `${word}_${part}`, title: any }) + own;
}

function drawFigures(windows) {
  drawHead(windows);
  const lines = detail.sections.flatMap(({ name, lines }) => {
    const told = lines.flatMap((column) => linesOf(column, windows));
    const head = { key: `section ${name}`, title: wordOf(detail.panel, { name, title: name }) };
    return name && told.length ? [head, ...told] : told;
  });
  reconcile($("figures"), lines, { keyOf: (line) => line.key, create: createLine, fill: fillLine });
}

function drawHead(windows) {
  const head = $("figure-head");
  while (head.children.length > windows.length + 1) head.lastElementChild.remove();
  while (head.children.length <= windows.length) head.append(make("th", "", { scope: "col" }));
  windows.forEach((row, place) => {
    put(head.children[place + 1], say(`window_${row.window}`));
    mark(head.children[place + 1], "chosen", row === chosenRow());
  });
}

function createLine({ title, cells }) {
  const element = make("tr");
  const scope = cells ? { scope: "row" } : { scope: "colgroup", colspan: $("figure-head").children.length };
  element.append(make("th", title, scope), ...(cells ?? []).map(() => make("td")));
  return element;
}

function fillLine(element, line) {
  line.cells?.forEach(({ text, judged }, place) => {
    put(element.children[place + 1], text);
    set(element.children[place + 1], "data-judged", judged);
  });
}
