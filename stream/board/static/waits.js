// How long those who were answered had waited, in the window that is chosen: percentiles, and a bar for each bucket.

import { $, forget, make, makePair, mark, put, reconcile } from "./dom.js";
import { say, write } from "./words.js";

const PERCENTILES = ["p50", "p90", "p95"];

// Of a wait above the highest bound nothing is known but that.
function text({ waits }, name) {
  const atLeast = waits[name] === waits.bounds_seconds.at(-1) ? "≥ " : "";
  return atLeast + write.duration(waits[name]);
}

export function clear() {
  for (const box of [$("percentiles"), $("waits")]) forget(box);
}

export function draw(row) {
  put($("waits-title"), `${say("answered_waits")} · ${say(`window_${row.window}`)}`);
  reconcile($("percentiles"), PERCENTILES.map((name) => ({ name, text: text(row, name) })), {
    keyOf: (one) => one.name,
    create: (one) => makePair(one.name),
    fill: (box, one) => put(box.lastElementChild, one.text),
  });
  reconcile($("waits"), barsOf(row), { keyOf: (bar) => bar.label, create, fill });
}

function barsOf({ waits: { bounds_seconds: bounds, counts }, threshold_seconds: threshold }) {
  const most = Math.max(1, ...counts);
  return counts.map((number, place) => ({
    label: place < bounds.length ? `≤ ${write.limit(bounds[place])}` : `> ${write.limit(bounds.at(-1))}`,
    number: write.count(number),
    part: number / most,
    inTarget: bounds[place] <= threshold,
  }));
}

function create(bar) {
  const pair = makePair(bar.label);
  pair.lastElementChild.append(make("span"), make("i"));
  return pair;
}

function fill(pair, bar) {
  put(pair.querySelector("span"), bar.number);
  pair.style.setProperty("--part", bar.part);
  mark(pair, "in-target", bar.inTarget);
}
