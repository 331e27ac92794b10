// What the page says, in the language that is spoken now: words from stream/languages, figures by format.js.

import { formatsOf } from "./format.js";

const WORDS = await (await fetch("static/words.json")).json();

export const LANGUAGES = Object.keys(WORDS);
export const nameOf = (language) => WORDS[language].name;

let spoken = LANGUAGES[0];
export let write = formatsOf(spoken);

export function speak(language) {
  spoken = language;
  write = formatsOf(language);
  document.documentElement.lang = language;
  translate(document.body);
}

export const isEnglish = () => spoken === "en";

export const knows = (key) => key in WORDS[LANGUAGES[0]];

// What has no name in our words (a new state, a new reason) is shown as it was told, rather than not at all.
export function say(key, values = {}) {
  const text = WORDS[spoken][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (blank, name) => values[name] ?? blank);
}

export function sayOr(key, otherwise, values) {
  return key in WORDS[spoken] ? say(key, values) : otherwise;
}

// Fills in all that stands in the HTML: data-say="key" is text, data-say-label="key" an accessible name, and so on.
export function translate(root) {
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const [data, attribute] of [["label", "aria-label"], ["title", "title"], ["placeholder", "placeholder"]])
    for (const element of root.querySelectorAll(`[data-say-${data}]`))
      element.setAttribute(attribute, say(element.getAttribute(`data-say-${data}`)));
}
