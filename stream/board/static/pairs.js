// Terms and what is said of each: the figures of tiles and of a detail, agents by state, what heads the page.

import { choice } from "./choice.js";
import { make, makePair, mark, put, reconcile, set } from "./dom.js";
import { cellText, headOf, judged, signed, textOf, wordOf } from "./figures.js";
import { say, write } from "./words.js";

// A pair for each item, which `writer` gives its text; where there are notes they stand below, a line each.
export function drawPairs(list, items, writer = put) {
  reconcile(list, items, {
    keyOf: ({ name }) => `${choice.lang} ${name}`,
    create({ name, head, notes }) {
      const pair = makePair("", { class: name });
      pair.firstElementChild.append(head);
      if (notes) pair.append(make("dd", "", { class: "note" }));
      return pair;
    },
    fill(pair, { text, judged, signed: withSign, short, notes }) {
      mark(pair, "signed", Boolean(withSign));
      if (judged) set(pair, "data-judged", judged);
      mark(pair, "short", Boolean(short));
      writer(pair.children[1], text);
      if (notes) drawNotes(pair.children[2], notes);
    },
  });
}

function drawNotes(box, notes) {
  reconcile(box, notes, {
    keyOf: ({ word }) => word,
    create: ({ kinds }) => make("span", "", { class: kinds.join(" ") }),
    fill: (line, { text }) => put(line, text),
  });
}

// What is said of a figure, with those of its notes that belong in one of some places.
export const figureOf = (panel, column, row, places, head = headOf) => ({
  name: column.word ?? column.name,
  head: head(panel, column),
  text: cellText(column, row),
  plain: textOf(column, row),
  judged: judged(row, column.judged_as),
  notes: places && notesOf(panel, column, row, places),
});

function notesOf(panel, { notes = [], judged_as: figure }, row, places) {
  const here = notes.filter(({ where }) => where.some((place) => places.includes(place)));
  const told = here.filter(({ if_any: ifAny, blanks }) => !ifAny || row[Object.keys(blanks)[0]]);
  return told.map(({ word, blanks, where, signed: withSign }) => {
    const values = Object.entries(blanks).map(([name, format]) => [name, textOf({ name, format }, row)]);
    const text = wordOf(panel, { word, title: word }, Object.fromEntries(values));
    return { word, text: withSign ? signed(row, figure, text) : text, kinds: withSign ? [...where, "signed"] : where };
  });
}

export function drawAgents(list, row, states) {
  const pairs = states.map((state) => ({
    name: state,
    head: say(state),
    text: write.count(row.agents[state]),
    short: row.noAgentFree && state === "available",
  }));
  drawPairs(list, pairs.map((one) => (one.short ? { ...one, text: `▼ ${one.text}` } : one)));
}
