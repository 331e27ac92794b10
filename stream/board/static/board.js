// The live board: which view is open, and what every view has around it. Each view is a module of its own.

import { THEMES, addressOf, choice, choose, read } from "./choice.js";
import { $, make, mark, put, reconcile, set } from "./dom.js";
import { families, feed, inAddress, leading, listen, lost, panelOf, reconnectWhenSilent } from "./feed.js";
import { SIGNS, besideName, found, headOf, isOf, isOfTenant, labelText, nameOfRow, stateText, textOf, titleOf, valueOf } from "./figures.js";
import { listenToKeys, roam } from "./keys.js";
import * as list from "./list.js";
import * as notices from "./notices.js";
import { drawPairs } from "./pairs.js";
import * as panels from "./panels.js";
import * as queue from "./queue.js";
import { holdRotation, rotating, tickRotation, toggleRotation } from "./rotation.js";
import * as tiles from "./tiles.js";
import { LANGUAGES, nameOf, say, speak, write } from "./words.js";

const SHOWS = { board: tiles, wall: tiles, list, queue };

const view = () => SHOWS[choice.view];
const rows = () => panelOf().rows;
const openRows = () => panelOf(choice.panel).rows; // those beside the one that is open

let shown = []; // the rows of this page
let pages = 1;
let cameFrom = { view: "board", panel: "" };
let before = new Map(); // the state each queue had, to tell when it changes
let beforeOf = ""; // of which family

// --- drawing ------------------------------------------------------------------------------------

function draw() {
  document.body.className = document.body.className.replace(/\bview-\w+/, "").trim();
  document.body.classList.add(`view-${choice.view}`);
  for (const [name, element] of [["board", $("tiles")], ["list", $("list")], ["queue", $("queue")]])
    element.hidden = name !== (choice.view === "wall" ? "board" : choice.view);
  if (feed.picture === null || choice.view === "queue") put($("empty"), feed.picture === null ? say("connecting") : "");
  if (feed.picture !== null) {
    if (choice.view === "queue") queue.draw();
    else drawPage();
    panels.draw();
    drawSummary();
  }
  drawControls();
  tick();
}

function drawPage() {
  const all = found(rows());
  const size = view().pageSize(choice.view);
  pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(choice.page, pages);
  shown = all.slice((page - 1) * size, page * size);
  const tenants = new Set(rows().map((row) => row.tenant)).size;
  view().draw(shown, { tenants, view: choice.view });
  put($("page"), pages > 1 ? say("page", { page: write.count(page), pages: write.count(pages) }) : "");
  // A wall has no controls that tell it: of what its figures are, over what, and of how many pages this is one.
  const what = families().length > 1 ? titleOf(leading()) : "";
  put($("shown"), [what, say(`window_${panelOf().window}`), $("page").textContent, choice.find].filter(Boolean).join(" · "));
  put($("empty"), all.length ? "" : say(rows().length ? "nothing_found" : "empty"));
  roam();
}

function drawSummary() {
  for (const state of ["breached", "at_risk", "ok"])
    put($(`sum-${state}`), write.count(rows().filter((row) => row.state === state).length));
  const tenants = (feed.picture.panels.agents?.rows ?? []).filter((one) => one.queue === null);
  const agents = tenants.map((one) => (tenants.length > 1 ? `${one.tenant}: ` : "") + agentsText(one.states));
  put($("agents"), agents.length ? `${say("agents")}: ${agents.join(" · ")}` : "");
}

const sum = (numbers) => numbers.reduce((sum, one) => sum + one, 0);
const SUMMARIES = {
  sum,
  tenants: sum,
  max: (numbers) => numbers.reduce((most, one) => Math.max(most, one), numbers[0]),
};

// Figures over all rows, before how many rows are in which state; waits among them run on.
function tickSummary() {
  const { columns, labels } = panelOf();
  const told = columns.filter((column) => column.summary).map((column) => {
    const counted = rows().filter((row) => column.summary !== "tenants" || isOfTenant(labels, row));
    const numbers = counted.map((row) => valueOf(column, row)).filter((one) => one !== null);
    const text = textOf(column, {}, SUMMARIES[column.summary](numbers));
    return { name: column.word ?? column.name, head: headOf(leading(), column), text };
  });
  drawPairs($("summary"), told);
}

function agentsText(states) {
  return Object.entries(states)
    .filter(([state, number]) => number && state !== "offline")
    .map(([state, number]) => `${write.count(number)} ${say(state).toLocaleLowerCase()}`)
    .join(", ");
}

// Only those of the family that the board is of: others have nothing to tell of them.
const windows = () => panelOf().windows;
// One that this family lacks stays chosen for those that have it; meanwhile another one is shown.
const windowShown = () => (windows().includes(choice.window) ? choice.window : panelOf().window);

// A row of buttons, by the attribute that says which is which; one of them is pressed.
function drawButtons(row, attribute, buttons) {
  reconcile(row, buttons, {
    keyOf: ({ name }) => name,
    create: ({ name }) => make("button", "", { type: "button", [attribute]: name }),
    fill(button, { text, pressed }) {
      put(button, text);
      set(button, "aria-pressed", String(pressed));
    },
  });
}

function drawWindows() {
  drawButtons($("windows"), "data-window", windows().map((name) => ({ name, text: say(`window_${name}`), pressed: name === windowShown() })));
}

function drawFamilies() {
  $("families").hidden = families().length < 2 || choice.view === "queue";
  drawButtons($("families"), "data-panel", families().map((name) => ({ name, text: titleOf(name), pressed: name === leading() })));
}

// What is behind a row that is open: the board it was opened from.
const behind = () => (choice.view === "queue" ? cameFrom : choice);

function drawControls() {
  drawWindows();
  drawFamilies();
  for (const link of $("views").children) {
    set(link, "href", addressOf({ view: link.dataset.view, panel: behind().panel, queue: "", page: 1 }));
    if (link.dataset.view === choice.view) set(link, "aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  $("pages").hidden = pages < 2 || choice.view === "queue";
  if ($("find") !== document.activeElement) $("find").value = choice.find;
  [$("language").value, $("theme").value] = [choice.lang, choice.theme];
  put($("rotate"), rotating() ? `⏸ ${say("pause")}` : `▶ ${say("rotate")}`);
  set($("rotate"), "aria-pressed", String(rotating()));
}

// --- every second: what changes although nothing happened -----------------------------------------

function tick() {
  put($("clock"), write.time(new Date()));
  notices.draw();
  drawTitle();
  if (feed.beat === null || feed.picture === null) return;
  view().tick(shown);
  panels.tick();
  tickSummary();
  put($("updated"), `${say("updated", { time: write.time(feed.heard.wall) })} · ${say("over", { window: say(`window_${panelOf().window ?? feed.picture.window}`) })}`);
}

function drawTitle() {
  const row = choice.view === "queue" ? openRows().find((one) => one.key === choice.queue) : rows()[0];
  const { labels, columns } = panelOf(choice.panel);
  const largest = row && columns.find((column) => column.tile === "large" && isOf(column, row));
  const figure = largest ? ` ${textOf(largest, row)}` : "";
  const what = row ? `${SIGNS[row.state]} ${nameOfRow(choice.panel || leading(), labels, row)}${figure}` : "contact-stream";
  const title = notices.stale() ? `⚠ ${say("stale")} ${what}` : what;
  if (document.title !== title) document.title = title;
}

function noteChanges() {
  const known = beforeOf === leading() ? before : new Map();
  const changed = rows().filter((row) => known.has(row.key) && known.get(row.key) !== row.state);
  [before, beforeOf] = [new Map(rows().map((row) => [row.key, row.state])), leading()];
  const { labels } = panelOf();
  const others = (row) => besideName(labels, row).filter((label) => label !== "tenant").map((label) => labelText(row, label));
  const called = (row) => [nameOfRow(leading(), labels, row), ...others(row)].filter(Boolean).join(", ");
  notices.announce(changed.map((row) => `${called(row)}: ${stateText(row.state).slice(2).toLocaleLowerCase()}`));
}

// --- what a person can do -------------------------------------------------------------------------

// Goes somewhere: everything that is chosen goes through here, and through the address.
function go(changes) {
  const was = { ...choice };
  choose(changes);
  arrive(was);
}

function arrive(was) {
  if (choice.lang !== was.lang) {
    speak(choice.lang);
    for (const each of [tiles, queue]) each.clear();
  }
  document.documentElement.dataset.theme = choice.theme;
  if (choice.window !== was.window) listen(choice.window);
  if (choice.view === "queue") queue.open();
  draw();
  if (choice.view !== was.view) focusAfter(was);
}

// Who opens a queue by keyboard reads it from its name on; who comes back stands where they left.
function focusAfter(was) {
  scrollTo(0, 0);
  if (choice.view === "queue") $("queue-name").focus();
  else if (was.view === "queue") roam(was.queue)?.focus();
}

const inOrder = (keys, current, step) => keys[(Math.max(0, keys.indexOf(current)) + step + keys.length) % keys.length];

// The next page, on a wall also that of the next family; the next queue where one queue is open; else the next window.
function turn(step) {
  const page = Math.min(choice.page, pages) + step;
  if (choice.view === "queue") {
    const keys = openRows().map((row) => row.key);
    if (keys.length) go({ queue: inOrder(keys, choice.queue, step) });
  } else if (choice.view === "wall" && families().length > 1 && (page < 1 || page > pages)) nextFamily(step);
  else if (pages > 1) go({ page: ((page - 1 + pages) % pages) + 1 });
  else if (windows().length) go({ window: inOrder(windows(), windowShown(), step) });
}

const nextFamily = (step) => go({ panel: inAddress(inOrder(families(), leading(), step)), page: 1 });

const actions = {
  view: (name) => go({ view: name, panel: behind().panel, queue: "", page: 1 }),
  family: () => (choice.view === "queue" ? null : nextFamily(1)),
  window: (number) => windows()[number] && go({ window: windows()[number] }),
  open({ panel, queue }) {
    if (choice.view !== "queue") cameFrom = { view: choice.view, panel: choice.panel };
    go({ view: "queue", panel, queue });
  },
  back: () => go(choice.view === "queue" ? { ...cameFrom, queue: "" } : { view: "board", find: "" }),
  turn,
  rotate() {
    toggleRotation(go);
    drawControls();
  },
  theme: () => go({ theme: inOrder(THEMES, choice.theme, 1) }),
  find: () => $("find").focus(),
  help: () => $("help").showModal(),
};

function wire() {
  $("language").append(...LANGUAGES.map((one) => make("option", nameOf(one), { value: one, lang: one })));
  const clicked = (id, act) => $(id).addEventListener("click", act);
  clicked("windows", (event) => event.target.dataset.window && go({ window: event.target.dataset.window }));
  clicked("families", (event) => event.target.dataset.panel && go({ panel: inAddress(event.target.dataset.panel), page: 1 }));
  clicked("next", () => turn(1));
  clicked("previous", () => turn(-1));
  clicked("rotate", actions.rotate);
  clicked("help-button", actions.help);
  $("language").addEventListener("change", (event) => go({ lang: event.target.value }));
  $("theme").addEventListener("change", (event) => go({ theme: event.target.value }));
  $("find").addEventListener("input", (event) => go({ find: event.target.value, page: 1 }));
  document.addEventListener("click", followLinks);
  addEventListener("popstate", () => {
    const was = { ...choice };
    read();
    arrive(was);
  });
  addEventListener("resize", draw);
  for (const used of ["pointerdown", "keydown", "wheel"]) addEventListener(used, holdRotation, { passive: true });
  listenToKeys(actions);
}

// Links are real, so that they can be opened in another tab; here they need no reload.
function followLinks(event) {
  const link = event.target.closest?.("a[data-queue], a[data-view], #back");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.id === "back") actions.back();
  else if (link.dataset.queue) actions.open(link.dataset);
  else actions.view(link.dataset.view);
}

function start() {
  read();
  speak(choice.lang);
  document.documentElement.dataset.theme = choice.theme;
  wire();
  listen(choice.window, {
    board() {
      // The worker shows the usual window where it does not have the one that an address asks for.
      choice.window = feed.picture.window;
      noteChanges();
      draw();
    },
    beat() {
      if (choice.view === "queue" && !lost()) queue.refresh();
      tick();
    },
  });
  if (choice.view === "queue") queue.open();
  draw();
  setInterval(() => {
    reconnectWhenSilent();
    tickRotation(() => turn(1));
    tick();
  }, 1000);
}

start();
