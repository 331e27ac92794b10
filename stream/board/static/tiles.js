// One tile for each row of the leading family, worst first: for a desk; larger, and with less in it, for a wall.

import { $, forget, make, mark, put, reconcile, shownFor } from "./dom.js";
import { leading, panelOf } from "./feed.js";
import { AGENT_STATES, besideName, isOf, labelsText, link, nameOfRow, stateText } from "./figures.js";
import { drawAgents, drawPairs, figureOf } from "./pairs.js";
import { othersShown } from "./panels.js";
import { translate } from "./words.js";

const ALWAYS_SHOWN = new Set(["available", "on_contact", "acw", "not_ready"]);
const LONG_NAME = 9; // characters that fit into the head of a tile at full size
const FITS_ON_A_SCREEN = 12;

export const root = $("tiles");
const handheld = () => innerWidth < 600;
export const pageSize = (view) => (view !== "wall" ? 24 : handheld() ? 3 : 6);

export function draw(rows, { tenants, view }) {
  reconcile(root, rows, { keyOf: (row) => row.key, create, fill: (tile, row) => fill(tile, row, tenants > 1) });
  lay(rows.length, view);
  mark(document.body, "no-agents", rows.every((row) => Object.keys(row.agents ?? {}).length === 0));
}

// What runs on although nothing happened.
export function tick(rows) {
  for (const row of rows) {
    const tile = shownFor(root, row.key);
    if (tile) drawFigures(tile, row);
  }
}

export const clear = () => forget(root);

function lay(count, view) {
  const upright = innerHeight > innerWidth;
  const wide = count <= 3 ? count : Math.max(2, Math.ceil(Math.sqrt(count * 1.35)));
  const columns = view === "wall" && upright ? Math.ceil(count / 3) : wide; // three below each other
  const rows = Math.ceil(count / columns);
  // Where lists of other families follow, the page is longer than a screen: tiles need not share its height.
  mark(document.body, "fits", view === "wall" || (count > 0 && count <= FITS_ON_A_SCREEN && !othersShown()));
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
  const { labels } = panelOf();
  const name = nameOfRow(leading(), labels, row);
  tile.firstElementChild.className = row.state;
  link(part(".name"), name, leading(), row);
  mark(part("h2"), "long", name.length > LONG_NAME);
  put(part(".where"), labelsText(row, besideName(labels, row).filter((label) => withTenant || label !== "tenant")));
  put(part(".state"), stateText(row.state));
  drawFigures(tile, row);
  const { agents = {} } = row;
  const known = Object.keys(agents).length > 0;
  drawAgents(part(".agents"), row, AGENT_STATES.filter((state) => known && (agents[state] || ALWAYS_SHOWN.has(state))));
}

function drawFigures(tile, row) {
  const figures = (size, places) =>
    panelOf()
      .columns.filter((column) => column.tile === size && isOf(column, row))
      .map((column) => figureOf(leading(), column, row, places));
  drawPairs(tile.querySelector(".large"), figures("large", ["tile", "wall"]).map(signedAbove), writeLarge);
  drawPairs(tile.querySelector(".small"), figures("small"));
}

// Large figures have their sign in the line above: beside the digits it would take a third of their room.
const signedAbove = (figure) => ({ ...figure, text: figure.plain, signed: figure.plain !== figure.text });

// The largest figure is read from four metres, its unit need not be; what needs more room gets smaller letters.
function writeLarge(box, text) {
  if (!box.firstElementChild) box.append(make("b"), make("span"));
  const number = text.replace(/\s*%$/, "");
  put(box.firstElementChild, number);
  put(box.lastElementChild, number === text ? "" : "%");
  if (box.style.getPropertyValue("--length") !== `${number.length}`) box.style.setProperty("--length", number.length);
  mark(box, "long", number.length > "59:59".length || /\p{L}/u.test(number));
}
