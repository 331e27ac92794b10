// One queue and channel: what is now, and every figure in every window.

import { choice } from "./choice.js";
import { $, forget, make, makePair, mark, put, reconcile, set } from "./dom.js";
import { detailOf } from "./feed.js";
import {
  AGENT_STATES, callbackText, channelText, drawWait, judged, noAgentFree, pastText, signed, stateText, targetText,
} from "./figures.js";
import * as waits from "./waits.js";
import { say, sayOr, write } from "./words.js";

export const root = $("queue");

const { level, share, count, duration } = Object.fromEntries(
  ["level", "share", "count", "duration"].map((name) => [name, (number) => write[name](number ?? null)]),
);

// The section a figure stands in, the word that names it, how a row tells it, and by what it is judged.
const figure = (section, name, cell, by) => ({ section, name, cell, by });
const FIGURES = [
  figure("service_level", "service_level", (row) => level(row.service_level), "service_level"),
  figure("waits", "asa", (row) => duration(row.asa_seconds)),
  figure("waits", "aht", (row) => duration(row.aht_seconds)),
  figure("waits", "abandon_wait", (row) => duration(row.mean_abandon_seconds)),
  figure("waits", "abandonment", (row) => share(row.abandonment_ratio)),
  figure("waits", "abandonment_excluding_short", (row) => share(row.abandonment_excluding_short_ratio), "abandonment"),
  figure("waits", "blocking", (row) => share(row.blocking_ratio), "blocking"),
  ...["offered", "handled", "closed", "expired"].map((name) => figure("volumes", name, (row) => count(row[name]))),
  figure("exits", "decisions", (row) => count(row.decided)),
  ...["answered", "answered_in_target", "abandoned", "abandoned_short", "dequeued"].map((name) =>
    figure("exits", name, (row) => count(row[name])),
  ),
];
// Shown where there are any: these are in no service level.
const UNKNOWN_WAITS = ["answered_wait_unknown", "abandoned_wait_unknown"];
// Before the reasons for which they were blocked.
const BLOCKED = figure("exits", "blocked", (row) => count(row.blocked));

let detail = null;
let asking = false;

// The newest board may know of news: ask for them, one question at a time.
export async function refresh() {
  if (asking) return;
  asking = true;
  const key = choice.queue;
  try {
    const answer = await detailOf(key);
    if (answer && key === choice.queue) {
      detail = { key, ...answer };
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
  if (detail?.key !== choice.queue) {
    detail = null;
    clear();
  }
  refresh();
  draw();
}

export function draw() {
  const row = chosenRow();
  const known = detail?.key === choice.queue;
  put($("queue-name"), choice.queue.split("/").slice(1, -1).join("/"));
  put($("gone"), known && !row ? say("gone") : "");
  for (const part of ["queue-body", "queue-state"]) mark($(part), "away", !row);
  if (!row) return;
  put($("queue-where"), `${channelText(row)} · ${row.tenant}`);
  put($("queue-state"), stateText(row.state));
  $("queue-head").className = row.state;
  drawNow(row);
  drawAgents(row);
  waits.draw(row);
  drawFigures(detail.windows);
  tick();
}

export function tick() {
  const row = chosenRow();
  const box = document.querySelector("#now .longest_wait dd");
  if (row && box) drawWait(box, row);
}

function drawNow(row) {
  const boxes = [
    { name: "service_level", text: level(row.service_level), note: `${targetText(row)} · ${say(`window_${row.window}`)}`, by: "service_level" },
    { name: "open_cases", text: count(row.open_cases), note: callbackText(row) },
    { name: "longest_wait", text: null, note: pastText(row), by: "longest_wait" },
    { name: "waiting_past_threshold", text: count(row.waiting_past_threshold) },
    { name: "talking", text: count(row.talking) },
    { name: "wrapping_up", text: count(row.wrapping_up) },
    { name: "callbacks_waiting", text: count(row.callbacks_waiting) },
  ];
  reconcile($("now"), boxes.map((one) => ({ ...one, judged: judged(row, one.by) })), {
    keyOf: (one) => one.name,
    create: (one) => {
      const box = makePair(say(one.name));
      box.append(make("dd", "", { class: "note" }));
      return box;
    },
    fill: (box, one) => {
      set(box, "class", one.name);
      set(box, "data-judged", one.judged);
      if (one.text !== null) put(box.children[1], one.text);
      put(box.children[2], one.note ?? "");
    },
  });
}

function drawAgents(row) {
  const states = [...AGENT_STATES, "offline"].filter((state) => state in row.agents);
  put($("staff-unknown"), states.length ? "" : say("agents_unknown"));
  reconcile($("staff-now"), states.map((state) => ({ state, number: row.agents[state], short: state === "available" && noAgentFree(row) })), {
    keyOf: (one) => one.state,
    create: (one) => makePair(say(one.state)),
    fill: (box, one) => {
      put(box.lastElementChild, `${one.short ? "▼ " : ""}${count(one.number)}`);
      mark(box, "short", one.short);
    },
  });
}

// --- every figure in every window ------------------------------------------------------------------

function reasons(windows, field, prefix) {
  const names = [...new Set(windows.flatMap((row) => Object.keys(row[field])))].sort();
  return names.map((name) => ({ ...figure("exits", `${prefix}_${name}`, (row) => count(row[field][name] ?? 0)), title: name }));
}

function percentiles() {
  const title = (name) => `${say("answered_waits")}: ${name}`;
  return waits.PERCENTILES.map((name) => ({ ...figure("waits", name, (row) => waits.text(row, name)), title: title(name) }));
}

function formulas(windows) {
  const own = (letter) => (letter === windows[0].formula ? ` (${say("formula_of_queue")})` : "");
  return Object.keys(windows[0].service_levels).map((letter) => ({
    ...figure("formulas", letter, (row) => level(row.service_levels[letter])),
    title: say("formula", { formula: letter }) + own(letter),
  }));
}

function drawFigures(windows) {
  const told = [
    ...FIGURES.slice(0, 2),
    ...percentiles(),
    ...FIGURES.slice(2),
    ...UNKNOWN_WAITS.filter((name) => windows.some((row) => row[name])).map((name) => figure("exits", name, (row) => count(row[name]))),
    ...reasons(windows, "dequeued_by_reason", "exit"),
    BLOCKED,
    ...reasons(windows, "blocked_by_reason", "blocked"),
    ...formulas(windows),
  ];
  drawHead(windows);
  const lines = told.flatMap(({ section, name, cell, by, title }, place) => [
    ...(section === told[place - 1]?.section || section === name ? [] : [{ key: section, title: say(section) }]),
    {
      key: `${section}/${name}`,
      title: sayOr(name, title ?? name),
      cells: windows.map((row) => ({ text: signed(row, by, cell(row)), judged: judged(row, by) })),
    },
  ]);
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

function createLine(line) {
  const element = make("tr");
  if (line.cells) element.append(make("th", line.title, { scope: "row" }), ...line.cells.map(() => make("td")));
  else element.append(make("th", line.title, { scope: "colgroup", colspan: String($("figure-head").children.length) }));
  return element;
}

function fillLine(element, line) {
  line.cells?.forEach(({ text, judged }, place) => {
    put(element.children[place + 1], text);
    set(element.children[place + 1], "data-judged", judged);
  });
}
