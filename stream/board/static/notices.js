// The banner: what is wrong, since when, and for how long; and what a screen reader is told of changes.

import { $, put } from "./dom.js";
import { feed, lost } from "./feed.js";
import { isEnglish, say, sayOr, write } from "./words.js";

const QUIET = 10; // seconds between two announcements: a screen reader must be able to finish

const secondsAgo = (at) => (Date.now() - at) / 1000;

function all() {
  if (!lost()) return feed.beat?.notices ?? [];
  return [{ code: "connection", severity: "stale", text: say("notice_connection"), since: feed.heard.wall.toISOString() }];
}

export const stale = () => all().some((one) => one.severity === "stale");

// The worker speaks English, with details for whoever mends it; in other languages the board says what it means.
const textOf = (one) => (isEnglish() ? one.text : sayOr(`notice_${one.code}`, one.text));

function since(at) {
  const day = secondsAgo(at) > 43200 ? `${write.date(at)} ` : "";
  return `, ${say("since", { time: day + write.time(at) })}`;
}

export function draw() {
  const found = all();
  document.body.classList.toggle("frozen", stale());
  found.forEach((one, place) => {
    const line = $("banner").children[place] ?? $("banner").appendChild($("notice").content.firstElementChild.cloneNode(true));
    const at = one.since === null ? null : new Date(one.since);
    if (line.className !== one.severity) line.className = one.severity;
    put(line.firstElementChild, textOf(one) + (at === null ? "" : since(at)));
    put(line.lastElementChild, at === null ? "" : ` (${write.elapsed(secondsAgo(at))})`);
  });
  while ($("banner").children.length > found.length) $("banner").lastElementChild.remove();
  if (waiting.length && performance.now() - spoke > QUIET * 1000) speakUp();
}

let waiting = [];
let spoke = -QUIET * 1000;

export function announce(sentences) {
  waiting.push(...sentences);
}

function speakUp() {
  spoke = performance.now();
  const text = waiting.length > 3 ? say("changed_many", { count: write.count(waiting.length) }) : waiting.join(". ");
  waiting = [];
  put($("announcer"), text);
}
