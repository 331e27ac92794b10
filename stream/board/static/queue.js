// One row of a family, mostly a queue and channel: what is now, and every figure in every window.

import { choice } from "./choice.js";
import { $, forget, make, makePair, mark, put, reconcile, set } from "./dom.js";
import { detailOf } from "./feed.js";
import {
  AGENT_STATES, callbackText, drawAgents, judged, labelText, labelsOf, pastText, signed, stateText, targetText, textOf,
  wordOf,
} from "./figures.js";
import * as waits from "./waits.js";
import { say } from "./words.js";

// What stands below some of the large figures.
const NOTES = {
  service_level: (row) => `${targetText(row)} · ${say(`window_${row.window}`)}`,
  open_cases: callbackText,
  longest_wait_seconds: pastText,
};

let detail = null;
let asking = false;

const isOf = ({ panel, key }) => panel === choice.panel && key === choice.queue;

// The newest board may know of news: ask for them, one question at a time.
export async function refresh() {
  if (asking) return;
  asking = true;
  try {
    const answer = await detailOf(choice.panel, choice.queue);
    if (answer && isOf(answer)) {
      detail = answer;
      draw();
    }
  } catch {
    // The worker is away: the banner says so, and the figures stand.
  } finally {
    asking = false;
  }
}

export function clear() {
  for (const box of [$("now"), $("staff-now"), $("figures")]) forget(box);
  waits.clear();
}

const chosenRow = () => detail?.windows.find((row) => row.window === choice.window);

export function open() {
  if (detail && !isOf(detail)) {
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
  const [name, ...others] = labelsOf(detail?.labels ?? []);
  put($("queue-name"), row?.[name] ?? choice.queue.split("/").slice(1, -1).join("/"));
  if (!row) return;
  put($("queue-where"), others.map((label) => labelText(row, label)).join(" · "));
  put($("queue-state"), stateText(row.state));
  $("queue-head").className = row.state;
  drawAgentSection(row);
  mark($("waits").parentElement, "away", !row.waits);
  if (row.waits) waits.draw(row);
  drawFigures(detail.windows);
  tick();
}

// What is shown large; of this the longest wait runs on although nothing happened.
export function tick() {
  const row = chosenRow();
  if (!row) return;
  mark($("now").parentElement, "away", !detail.now.length);
  const boxes = detail.now.map((column) => ({
    name: column.word ?? column.name,
    title: wordOf(detail.panel, column),
    text: textOf(column, row),
    note: NOTES[column.name]?.(row) ?? "",
    judged: judged(row, column.judged_as),
  }));
  reconcile($("now"), boxes, {
    keyOf: (one) => one.name,
    create: (one) => {
      const box = makePair(one.title, { class: one.name });
      box.append(make("dd", "", { class: "note" }));
      return box;
    },
    fill: (box, one) => {
      set(box, "data-judged", one.judged);
      put(box.children[1], one.text);
      put(box.children[2], one.note);
    },
  });
}

function drawAgentSection(row) {
  const states = [...AGENT_STATES, "offline"].filter((state) => state in (row.agents ?? {}));
  mark($("staff-title").parentElement, "away", !states.length && !("open_cases" in row)); // where nobody waits for agents
  put($("staff-unknown"), states.length ? "" : say("agents_unknown"));
  drawAgents($("staff-now"), row, states);
}

// --- every figure in every window ------------------------------------------------------------------

// A line, or one for each of its parts; what did not occur in a window is 0 there.
function linesOf(column, windows) {
  const { name, parts, if_any: ifAny } = column;
  if (ifAny && !windows.some((row) => row[name])) return [];
  if (!parts) return [lineOf(name, wordOf(detail.panel, column), column, windows, (row) => row[name])];
  const known = parts.names ?? [...new Set(windows.flatMap((row) => Object.keys(row[name])))].sort();
  return known.map((part) =>
    lineOf(`${name}/${part}`, partTitle(column, part, windows[0]), column, windows, (row) => ({ [part]: 0, ...row[name] })[part]),
  );
}

function lineOf(key, title, column, windows, valueOf) {
  const textIn = (row) => signed(row, column.judged_as, textOf(column, row, valueOf(row)));
  return { key, title, cells: windows.map((row) => ({ text: textIn(row), judged: judged(row, column.judged_as) })) };
}

function partTitle({ name, word = name, parts }, part, row) {
  const any = wordOf(detail.panel, { name: `${word}_any`, title: part }).replace("{part}", part);
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
  if (head.children.length === 1) head.append(...windows.map(() => make("th", "", { scope: "col" })));
  windows.forEach((row, place) => {
    put(head.children[place + 1], say(`window_${row.window}`));
    mark(head.children[place + 1], "chosen", row.window === choice.window);
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
