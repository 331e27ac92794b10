// The keyboard: arrows move between queues, single keys are shortcuts (which can be turned off, WCAG 2.1.4).

import { choice, keep, kept } from "./choice.js";
import { $ } from "./dom.js";

const queues = () => [...document.querySelectorAll("#tiles:not([hidden]) .name, .list:not([hidden]) .name")];

// One stop for Tab among all queues: the one that was there before, or the first.
export function roam(key = document.querySelector("a.name[tabindex='0']")?.dataset.queue) {
  const all = queues();
  const stop = all.find((one) => one.dataset.queue === key) ?? all[0];
  for (const one of all) if (one.tabIndex !== (one === stop ? 0 : -1)) one.tabIndex = one === stop ? 0 : -1;
  return stop;
}

// How far each key moves; a line is as many queues as stand beside the first.
function moved(key, all, place) {
  const top = (one) => Math.round(one.closest("li, tr").getBoundingClientRect().top);
  const line = all.filter((one) => top(one) === top(all[0])).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: line, ArrowUp: -line, Home: -all.length, End: all.length };
  return key in steps ? Math.min(all.length - 1, Math.max(0, place + steps[key])) : null;
}

function move(event) {
  const all = queues();
  const place = all.indexOf(document.activeElement);
  const starts = place < 0 && document.activeElement === document.body && event.key.startsWith("Arrow");
  const to = starts ? Math.max(0, all.findIndex((one) => one.tabIndex === 0)) : place < 0 ? null : moved(event.key, all, place);
  if (to === null || !all.length) return false;
  roam(all[to].dataset.queue).focus();
  all[to].scrollIntoView({ block: "nearest" });
  return true;
}

const typing = () => document.activeElement.matches("input[type=search], select");

export function listenToKeys(actions) {
  $("single-keys").checked = kept("keys") !== "off";
  $("single-keys").addEventListener("change", (event) => keep("keys", event.target.checked ? "on" : "off"));
  const single = {
    b: () => actions.view("board"),
    l: () => actions.view("list"),
    w: () => actions.view("wall"),
    f: actions.family,
    n: () => actions.turn(1),
    p: () => actions.turn(-1),
    t: actions.theme,
    "/": actions.find,
    "?": actions.help,
    " ": () => (choice.rotate ? actions.rotate() : null),
    r: actions.rotate,
  };
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9]) single[number] = () => actions.window(number - 1);

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (act(event, actions, single)) event.preventDefault();
  });
}

function act(event, actions, single) {
  if (event.key === "Escape") return escape(actions);
  if (typing()) return false;
  if (choice.view === "queue" && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    actions.turn(event.key === "ArrowRight" ? 1 : -1);
    return true;
  }
  if (move(event)) return true;
  const shortcut = single[event.key];
  const pressed = event.key === " " && document.activeElement.matches("button, a, input");
  if (!shortcut || pressed || !$("single-keys").checked) return false;
  return shortcut() !== null;
}

function escape(actions) {
  if (typing()) document.activeElement.blur();
  if (choice.view === "board" && !choice.find) return false;
  actions.back();
  return true;
}
