// What a person chose to see. It stands in the address, so that it can be shared; language and colours are also kept.

import { LANGUAGES, knows } from "./words.js";

export const VIEWS = ["board", "list", "wall", "queue"];
export const THEMES = ["auto", "dark", "light"];
const KEPT = ["lang", "theme"];

const DEFAULTS = { view: "board", panel: "", queue: "", window: "30m", lang: "", theme: "auto", rotate: 0, page: 1, find: "" };

export const choice = { ...DEFAULTS };

const oneOf = (known, wanted, otherwise) => (known.includes(wanted) ? wanted : otherwise);
const atLeast = (least, wanted) => Math.max(least, Math.floor(Number(wanted)) || 0);

// A browser may refuse to keep anything; then nothing is kept.
export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // see above
  }
}

function language(asked) {
  const wanted = [asked, kept("lang"), ...navigator.languages.map((one) => one.split("-")[0])];
  return wanted.find((one) => LANGUAGES.includes(one)) ?? LANGUAGES[0];
}

export function read() {
  const asked = new URLSearchParams(location.search);
  const text = (name) => asked.get(name) ?? DEFAULTS[name];
  Object.assign(choice, {
    view: oneOf(VIEWS, asked.get("view"), asked.has("queue") ? "queue" : DEFAULTS.view),
    panel: text("panel"),
    queue: text("queue"),
    window: knows(`window_${text("window")}`) ? text("window") : DEFAULTS.window, // each window has its word
    lang: language(asked.get("lang")),
    theme: oneOf(THEMES, asked.get("theme") ?? kept("theme"), DEFAULTS.theme),
    rotate: asked.has("rotate") ? Math.max(3, atLeast(0, asked.get("rotate"))) : 0,
    page: atLeast(1, asked.get("page")),
    find: text("find"),
  });
}

// The address with these changes; what is as by default is left out, and what was not asked for is not added.
export function addressOf(changes) {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === DEFAULTS[name]) asked.delete(name);
    else asked.set(name, value);
  }
  const text = asked.toString();
  return text ? `?${text}` : location.pathname;
}

export function choose(changes) {
  const address = addressOf(changes);
  // Only another view is a step that "Back" undoes.
  const step = "view" in changes && (changes.view !== choice.view || changes.queue !== choice.queue);
  history[step ? "pushState" : "replaceState"](null, "", address);
  for (const name of KEPT) if (name in changes) keep(name, changes[name]);
  Object.assign(choice, changes);
}
