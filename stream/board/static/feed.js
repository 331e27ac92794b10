// Listens to the worker, connects again by itself, and knows how long nothing was heard.

import { choice } from "./choice.js";

export const LOST_AFTER = 5; // seconds without a beat; the server sends one each second
const GIVE_UP_AFTER = 12; // a connection that is open and silent is dead: make a new one

export const feed = {
  picture: null, // what the server said last
  beat: null, // when it said so, and what it finds wrong
  heard: instant(), // when we heard it, or began to listen: a worker may hang before its first word
};

// An instant by our own clocks: one that only goes forward, and one to show.
function instant() {
  return { ticks: performance.now(), wall: new Date() };
}

// A board can be of any family that has rows; of one that has columns: others, such as agents, are shown beside rows.
export const families = () =>
  Object.entries(feed.picture?.panels ?? {}).filter(([, { columns, rows }]) => columns.length && rows.length).map(([name]) => name);
const first = () => Object.keys(feed.picture?.panels ?? {})[0] ?? "";

// What a board is of: tiles, the list and the head are its own, others are lists below. A row is of the family that its
// address names.
export const leading = () => {
  if (choice.view === "queue") return choice.panel || first();
  const shown = families();
  return shown.includes(choice.panel) ? choice.panel : (shown[0] ?? first());
};
export const inAddress = (name) => (name === first() ? "" : name);
export const panelOf = (name) => feed.picture?.panels[name || leading()] ?? { windows: [], labels: [], columns: [], rows: [] };

let source = null;
let nextTry = GIVE_UP_AFTER;
let window_ = null;
let tell = null;

export function listen(window, told = tell) {
  source?.close();
  [window_, tell] = [window, told];
  const mine = new EventSource(`events?window=${encodeURIComponent(window)}`);
  source = mine;
  mine.addEventListener("board", (message) => {
    feed.picture = JSON.parse(message.data);
    for (const { labels, columns, rows } of Object.values(feed.picture.panels)) prepare(rows, labels, columns);
    tell.board();
  });
  mine.addEventListener("beat", (message) => {
    feed.beat = JSON.parse(message.data);
    feed.heard = instant();
    tell.beat();
  });
  // The browser tries again by itself, except after an answer that is no stream.
  mine.addEventListener("error", () => {
    if (mine.readyState === EventSource.CLOSED && mine === source) setTimeout(() => mine === source && listen(window_), 2000);
  });
}

function prepare(rows, labels, columns) {
  const needing = columns.filter((column) => column.needs_agents);
  for (const row of rows) {
    row.key = labels.map((label) => row[label] ?? "").join("/");
    // Somebody waits and nobody is free: the one thing about agents that wants an action.
    row.noAgentFree = row.agents?.available === 0 && needing.some(({ name }) => row[name] > 0);
  }
}

export async function detailOf(asked) {
  const answer = await fetch(`detail.json?${new URLSearchParams(asked)}`);
  if (!answer.ok) return null;
  const detail = await answer.json();
  prepare(detail.windows, detail.labels, detail.now);
  return { ...detail, asked };
}

const silence = () => (performance.now() - feed.heard.ticks) / 1000;

export function reconnectWhenSilent() {
  if (silence() < LOST_AFTER) nextTry = GIVE_UP_AFTER;
  else if (silence() > nextTry) {
    nextTry = silence() + GIVE_UP_AFTER;
    listen(window_);
  }
}

export const lost = () => silence() > LOST_AFTER;
const frozen = () => lost() || Boolean(feed.beat?.notices.some((one) => one.code === "broken"));

// Time is the server's, carried on by our own clock, so that a wrong one here does no harm.
export const now = () => Date.parse(feed.beat.at) / 1000 + (frozen() ? 0 : silence());
export const secondsSince = (instant) => (instant && feed.beat ? now() - Date.parse(instant) / 1000 : null);
