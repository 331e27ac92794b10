// The live board: listens to /events, keeps one tile for each queue, lets the longest waits tick.

import { NO_SAMPLE, count, duration, elapsed, level, limit, share } from "./format.js";

const STATES = {
  breached: ["▼", "BREACH"],
  at_risk: ["●", "AT RISK"],
  ok: ["▲", "OK"],
  no_sample: [NO_SAMPLE, "NO SAMPLE"],
};
const AGENTS = {
  available: "Available",
  reserved: "Ringing",
  on_contact: "On contact",
  acw: "Wrap-up",
  not_ready: "Not ready",
  error: "Error",
};
const ALWAYS_SHOWN = new Set(["available", "on_contact", "acw", "not_ready"]);
const LONG_NAME = 11; // characters that fit into the head of a tile at full size
const LOST_AFTER = 5; // seconds without a beat; the server sends one each second
const GIVE_UP_AFTER = 12; // a connection that is open and silent is dead: make a new one
const TILES_AT_FIRST = 24; // nobody reads more on one screen, and the worst come first
const ON_A_WALL = 12;

const $ = (id) => document.getElementById(id);
const tiles = new Map(); // by tenant, queue and channel
const query = new URLSearchParams(location.search);

let picture = null; // what the server said last
let beat = null; // when it said so, and what it finds wrong
let heard = null; // when we heard it, by our own clocks: {ticks, wall}
let showAll = false;
let chosen = query.get("window") || "30m";
let source = null;

// --- listening ----------------------------------------------------------------------------------

function listen() {
  source?.close();
  const mine = new EventSource(`events?window=${encodeURIComponent(chosen)}`);
  source = mine;
  mine.addEventListener("board", (message) => {
    picture = JSON.parse(message.data);
    draw();
  });
  mine.addEventListener("beat", (message) => {
    beat = JSON.parse(message.data);
    heard = { ticks: performance.now(), wall: new Date() };
    tick();
  });
  // The browser tries again by itself, except after an answer that is no stream.
  mine.addEventListener("error", () => {
    if (mine.readyState === EventSource.CLOSED && mine === source) setTimeout(listen, 2000);
  });
}

const silence = () => (heard === null ? 0 : (performance.now() - heard.ticks) / 1000);

let nextTry = GIVE_UP_AFTER;
function reconnectWhenSilent() {
  if (silence() < LOST_AFTER) nextTry = GIVE_UP_AFTER;
  else if (silence() > nextTry) {
    nextTry = silence() + GIVE_UP_AFTER;
    listen();
  }
}

// --- time: the server's, carried on by our own clock, so that a wrong one here does no harm --------

function now() {
  return Date.parse(beat.at) / 1000 + (frozen() ? 0 : silence());
}

const frozen = () => silence() > LOST_AFTER || Boolean(beat?.notices.some((one) => one.code === "broken"));
const waited = (row) => (row.oldest_enqueued_at === null ? null : now() - Date.parse(row.oldest_enqueued_at) / 1000);
const clockTime = (at) => at.toLocaleTimeString("en-GB");

const secondsAgo = (at) => (Date.now() - at) / 1000;
const since = (at) => `, since ${secondsAgo(at) > 43200 ? `${at.toLocaleDateString("en-GB")} ` : ""}${clockTime(at)}`;

// --- drawing: text is only touched where it changed ------------------------------------------------

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const figure = (tile, name, text) => put(tile.querySelector(`.${name} dd`), text);
const note = (tile, name, text) => put(tile.querySelector(`.${name} dd.note`), text);
const keyOf = (row) => JSON.stringify([row.tenant, row.queue, row.channel]);

function draw() {
  const rows = picture.queues;
  const shown = showAll ? rows : rows.slice(0, TILES_AT_FIRST);
  const tenants = new Set(rows.map((row) => row.tenant)).size;
  const keys = new Set(shown.map(keyOf));
  for (const [key, tile] of tiles) {
    if (!keys.has(key)) {
      tile.remove();
      tiles.delete(key);
    }
  }
  shown.forEach((row, place) => {
    const tile = tileOf(row);
    fill(tile, row, tenants > 1);
    if ($("tiles").children[place] !== tile) $("tiles").insertBefore(tile, $("tiles").children[place] ?? null);
  });
  lay(shown.length);
  document.body.classList.toggle("no-agents", rows.every((row) => Object.keys(row.agents).length === 0));
  put($("empty"), rows.length ? "" : "No queue yet. Figures appear with the first event.");
  $("more").hidden = shown.length === rows.length;
  put($("more-text"), `${rows.length - shown.length} more queues, none of them worse than these.`);
  drawWindows();
  tick();
}

function lay(tileCount) {
  const columns = tileCount <= 3 ? tileCount : Math.max(2, Math.ceil(Math.sqrt(tileCount * 1.35)));
  const rows = Math.ceil(tileCount / columns);
  document.body.classList.toggle("wall", tileCount > 0 && tileCount <= ON_A_WALL);
  $("tiles").style.setProperty("--columns", Math.ceil(tileCount / rows) || 1);
  $("tiles").style.setProperty("--rows", rows || 1);
}

function tileOf(row) {
  const key = keyOf(row);
  if (!tiles.has(key)) tiles.set(key, $("tile").content.firstElementChild.cloneNode(true));
  return tiles.get(key);
}

function fill(tile, row, withTenant) {
  const [sign, word] = STATES[row.state];
  announce(tile, row, word);
  tile.dataset.state = row.state;
  tile.firstElementChild.className = row.state;
  put(tile.querySelector(".name"), row.queue);
  tile.querySelector("h2").classList.toggle("long", row.queue.length > LONG_NAME);
  put(tile.querySelector(".where"), withTenant ? `${row.channel} · ${row.tenant}` : row.channel);
  put(tile.querySelector(".state"), `${sign} ${word}`);
  drawLevel(tile.querySelector(".level dd"), row);
  note(tile, "level", `target ${level(row.target)} in ${limit(row.threshold_seconds)}\n${count(row.decided)} decided`);
  figure(tile, "open", count(row.open_cases));
  note(tile, "open", row.callbacks_waiting ? `${count(row.callbacks_waiting)} to call back` : "");
  note(tile, "wait", row.waiting_past_threshold ? `▼ ${count(row.waiting_past_threshold)} past ${limit(row.threshold_seconds)}` : "");
  tile.querySelector(".wait").classList.toggle("past", row.waiting_past_threshold > 0);
  figure(tile, "asa", duration(row.asa_seconds));
  figure(tile, "abandoned", share(row.abandonment_ratio));
  figure(tile, "blocked", share(row.blocking_ratio));
  figure(tile, "aht", duration(row.aht_seconds));
  drawAgents(tile.querySelector(".agents"), row);
}

function announce(tile, row, word) {
  const before = tile.dataset.state;
  if (before && before !== row.state) put($("announcer"), `${row.queue}, ${row.channel}: ${word.toLowerCase()}`);
}

function drawLevel(box, row) {
  // The number is read from four metres, its unit need not be.
  const [number, unit] = level(row.service_level).split(" ");
  put(box.firstElementChild, number);
  put(box.lastElementChild, unit ?? "");
  box.classList.toggle("full", number === "100");
}

function drawAgents(list, row) {
  const known = Object.keys(row.agents).length > 0;
  const states = Object.keys(AGENTS).filter((state) => known && (row.agents[state] || ALWAYS_SHOWN.has(state)));
  const short = row.agents.available === 0 && row.open_cases > 0;
  const drawn = JSON.stringify([states.map((state) => [state, row.agents[state]]), short]);
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(...states.map((state) => agentsIn(state, row.agents[state], short && state === "available")));
}

function agentsIn(state, number, short) {
  const [box, term, value] = ["div", "dt", "dd"].map((name) => document.createElement(name));
  term.textContent = AGENTS[state];
  // Somebody waits and nobody is free: the one thing about agents that wants an action.
  value.textContent = short ? `▼ ${count(number)}` : count(number);
  box.classList.toggle("short", short);
  box.append(term, value);
  return box;
}

function drawWindows() {
  if ($("windows").children.length === 0) {
    for (const name of picture.windows) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => choose(name));
      $("windows").append(button);
    }
  }
  for (const button of $("windows").children) button.setAttribute("aria-pressed", button.textContent === picture.window);
}

function choose(name) {
  chosen = name;
  query.set("window", name);
  history.replaceState(null, "", `?${query}`);
  listen();
}

// --- every second: what changes although nothing happened -------------------------------------------

function tick() {
  put($("clock"), clockTime(new Date()));
  drawBanner();
  if (beat === null || picture === null) return;
  for (const row of picture.queues) {
    const tile = tiles.get(keyOf(row));
    if (tile) drawWait(tile.querySelector(".wait dd"), elapsed(waited(row)));
  }
  drawSummary(picture.queues);
  put($("updated"), `Last update ${clockTime(heard.wall)} · ratios and means over ${picture.window}`);
}

function drawWait(box, text) {
  put(box, text);
  box.classList.toggle("long", text.length > "59:59".length);
}

function drawSummary(rows) {
  const waits = rows.map(waited).filter((one) => one !== null);
  put($("sum-open"), count(rows.reduce((sum, row) => sum + row.open_cases, 0)));
  put($("sum-wait"), elapsed(waits.length ? waits.reduce((one, other) => Math.max(one, other)) : null));
  for (const state of ["breached", "at_risk", "ok"])
    put($(`sum-${state}`), count(rows.filter((row) => row.state === state).length));
  const staff = picture.agents.map((one) => `${picture.agents.length > 1 ? `${one.tenant}: ` : ""}${staffText(one.states)}`);
  put($("staff"), staff.length ? `Agents: ${staff.join(" · ")}` : "");
}

function staffText(states) {
  return Object.entries(AGENTS)
    .filter(([state]) => states[state])
    .map(([state, name]) => `${count(states[state])} ${name.toLowerCase()}`)
    .join(", ");
}

function drawTitle(stale) {
  const worst = picture?.queues[0];
  const what = worst ? `${STATES[worst.state][0]} ${worst.queue} ${level(worst.service_level)}` : "contact-stream";
  document.title = stale ? `⚠ STALE ${what}` : what;
}

function noticesNow() {
  if (heard === null) return [];
  if (silence() <= LOST_AFTER) return beat.notices;
  const text = "Connection to the worker is lost: figures stand still";
  return [{ code: "connection", severity: "stale", text, since: heard.wall.toISOString() }];
}

function drawBanner() {
  const notices = noticesNow();
  const stale = notices.some((one) => one.severity === "stale");
  document.body.classList.toggle("frozen", stale);
  drawTitle(stale);
  notices.forEach((one, place) => {
    const line = $("banner").children[place] ?? $("banner").appendChild($("notice").content.firstElementChild.cloneNode(true));
    const at = one.since === null ? null : new Date(one.since);
    line.className = one.severity;
    put(line.firstElementChild, `${one.text}${at === null ? "" : since(at)}`);
    put(line.lastElementChild, at === null ? "" : ` (${elapsed(secondsAgo(at))} ago)`);
  });
  while ($("banner").children.length > notices.length) $("banner").lastElementChild.remove();
}

$("more-button").addEventListener("click", () => {
  showAll = true;
  draw();
});
setInterval(() => {
  reconnectWhenSilent();
  tick();
}, 1000);
listen();
