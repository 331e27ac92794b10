// Touches the document only where something changed.

export const $ = (id) => document.getElementById(id);

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, on) {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function make(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// A term and what is said of it, as a part of a list of such.
export function makePair(term, attributes = {}) {
  const pair = make("div", "", attributes);
  pair.append(make("dt", term), make("dd"));
  return pair;
}

// Makes the children of `parent` those of `items`, in their order: one element for each key, made once.
// `fill` is called for an item that differs from what its element shows. Focus stays with its element.
export function reconcile(parent, items, { keyOf, create, fill }) {
  const focused = document.activeElement;
  const before = (parent.shown ??= new Map());
  const keys = new Set(items.map(keyOf));
  for (const [key, shown] of before) {
    if (!keys.has(key)) {
      shown.element.remove();
      before.delete(key);
    }
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const text = JSON.stringify(item);
    let shown = before.get(key);
    if (!shown) before.set(key, (shown = { element: create(item), text: "" }));
    if (shown.text !== text) fill(shown.element, item);
    shown.text = text;
    if (shown.element === next) next = next.nextElementSibling;
    else parent.insertBefore(shown.element, next);
  }
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

export function forget(parent) {
  parent.shown = new Map();
  parent.replaceChildren();
}

export const shownFor = (parent, key) => parent.shown?.get(key)?.element;
