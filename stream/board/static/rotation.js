// Views that turn by themselves, unless somebody uses the board or has paused it.

import { choice } from "./choice.js";

const USUAL = 15; // seconds to a page, where the address does not say
const REST = 30; // seconds after a person did something

let paused = false;
let since = performance.now();
let usedAt = -Infinity;

export const rotating = () => choice.rotate > 0 && !paused;

export function holdRotation() {
  usedAt = performance.now();
}

export function toggleRotation(go) {
  if (choice.rotate === 0) go({ rotate: USUAL });
  else paused = !paused;
  [since, usedAt] = [performance.now(), -Infinity];
}

export function tickRotation(turn) {
  const now = performance.now();
  const busy = now - usedAt < REST * 1000 || document.querySelector("dialog[open]");
  if (!rotating() || busy) since = Math.max(since, usedAt);
  else if (now - since >= choice.rotate * 1000 - 50) {
    since = now;
    turn();
  }
}
