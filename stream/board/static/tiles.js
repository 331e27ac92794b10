// One tile for each queue, worst first: for a desk; larger, and with less in it, for a wall.

import { $, forget, makePair, mark, put, reconcile, set, shownFor } from "./dom.js";
import { panelOf } from "./feed.js";
import {
  AGENT_STATES, callbackText, cellText, channelText, drawAgents, drawBig, drawLevel, drawWait, headOf, judged, link,
  pastText, stateText, targetText,
} from "./figures.js";
import { say, translate, write } from "./words.js";

const ALWAYS_SHOWN = new Set(["available", "on_contact", "acw", "not_ready"]);
const JUDGED = [["level", "service_level"], ["wait", "longest_wait"]];
const LONG_NAME = 10; // characters that fit into the head of a tile at full size
const FITS_ON_A_SCREEN = 12;

export const root = $("tiles");
const handheld = () => innerWidth < 600;
export const pageSize = (view) => (view !== "wall" ? 24 : handheld() ? 3 : 6);

export function draw(rows, { tenants, view }) {
  reconcile(root, rows, { keyOf: (row) => row.key, create, fill: (tile, row) => fill(tile, row, tenants > 1) });
  lay(rows.length, view);
  mark(document.body, "no-agents", rows.every((row) => Object.keys(row.agents).length === 0));
}

export function tick(rows) {
  for (const row of rows) {
    const tile = shownFor(root, row.key);
    if (tile) drawWait(tile.querySelector(".wait dd"), row);
  }
}

export const clear = () => forget(root);

function lay(count, view) {
  const upright = innerHeight > innerWidth;
  const wide = count <= 3 ? count : Math.max(2, Math.ceil(Math.sqrt(count * 1.35)));
  const columns = view === "wall" && upright ? Math.ceil(count / 3) : wide; // three below each other
  const rows = Math.ceil(count / columns);
  mark(document.body, "fits", view === "wall" || (count > 0 && count <= FITS_ON_A_SCREEN));
  root.style.setProperty("--columns", Math.ceil(count / rows) || 1);
  root.style.setProperty("--rows", rows || 1);
}

function create() {
  const tile = $("tile").content.firstElementChild.cloneNode(true);
  translate(tile);
  return tile;
}

function fill(tile, row, withTenant) {
  const part = (name) => tile.querySelector(name);
  tile.firstElementChild.className = row.state;
  link(part(".name"), row.queue, "contacts", row);
  mark(part("h2"), "long", row.queue.length > LONG_NAME);
  put(part(".where"), withTenant ? `${channelText(row)} · ${row.tenant}` : channelText(row));
  put(part(".state"), stateText(row.state));
  drawLevel(part(".level dd"), row.service_level);
  put(part(".level .aim"), targetText(row));
  put(part(".level .goal"), `${say("aim")} ${write.level(row.target)}`);
  put(part(".level .decided"), say("decided", { count: write.count(row.decided) }));
  drawBig(part(".open dd"), write.count(row.open_cases));
  put(part(".open .note"), callbackText(row));
  put(part(".wait .note"), pastText(row));
  for (const [name, figure] of JUDGED) set(part(`.${name}`), "data-judged", judged(row, figure));
  drawSmall(part(".small"), row);
  const known = Object.keys(row.agents).length > 0;
  drawAgents(part(".agents"), row, AGENT_STATES.filter((state) => known && (row.agents[state] || ALWAYS_SHOWN.has(state))));
}

function drawSmall(list, row) {
  const columns = panelOf("contacts").columns.filter((column) => column.tile);
  const shown = columns.map((column) => ({ column, text: cellText(column, row), judged: judged(row, column.judged_as) }));
  reconcile(list, shown, {
    keyOf: ({ column }) => column.name,
    create({ column }) {
      const pair = makePair("", { class: column.word ?? column.name });
      pair.firstElementChild.append(headOf("contacts", column));
      return pair;
    },
    fill(pair, { text, judged }) {
      put(pair.lastElementChild, text);
      set(pair, "data-judged", judged);
    },
  });
}
