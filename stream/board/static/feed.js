// Listens to the worker, connects again by itself, and knows how long nothing was heard.

export const LOST_AFTER = 5; // seconds without a beat; the server sends one each second
const GIVE_UP_AFTER = 12; // a connection that is open and silent is dead: make a new one

export const feed = {
  picture: null, // what the server said last
  beat: null, // when it said so, and what it finds wrong
  heard: null, // when we heard it, by our own clocks: {ticks, wall}
};

export const panelOf = (name) => feed.picture?.panels[name] ?? { labels: [], columns: [], rows: [] };
// The rows of the queues: other panels are lists.
export const queues = () => panelOf("contacts").rows;

let source = null;
let nextTry = GIVE_UP_AFTER;
let window_ = null;
let tell = null;

export function listen(window, told = tell) {
  source?.close();
  [window_, tell] = [window, told];
  const mine = new EventSource(`events?window=${encodeURIComponent(window)}`);
  source = mine;
  mine.addEventListener("board", (message) => {
    feed.picture = JSON.parse(message.data);
    for (const { labels, rows } of Object.values(feed.picture.panels)) for (const row of rows) prepare(row, labels);
    tell.board();
  });
  mine.addEventListener("beat", (message) => {
    feed.beat = JSON.parse(message.data);
    feed.heard = { ticks: performance.now(), wall: new Date() };
    tell.beat();
  });
  // The browser tries again by itself, except after an answer that is no stream.
  mine.addEventListener("error", () => {
    if (mine.readyState === EventSource.CLOSED && mine === source) setTimeout(() => mine === source && listen(window_), 2000);
  });
}

const prepare = (row, labels) => (row.key = labels.map((label) => row[label] ?? "").join("/"));

export async function detailOf(panel, key) {
  const answer = await fetch(`detail.json?${new URLSearchParams({ panel, key })}`);
  return answer.ok ? { key, ...(await answer.json()) } : null;
}

const silence = () => (feed.heard === null ? 0 : (performance.now() - feed.heard.ticks) / 1000);

export function reconnectWhenSilent() {
  if (silence() < LOST_AFTER) nextTry = GIVE_UP_AFTER;
  else if (silence() > nextTry) {
    nextTry = silence() + GIVE_UP_AFTER;
    listen(window_);
  }
}

export const lost = () => silence() > LOST_AFTER;
const frozen = () => lost() || Boolean(feed.beat?.notices.some((one) => one.code === "broken"));

// Time is the server's, carried on by our own clock, so that a wrong one here does no harm.
export const now = () => Date.parse(feed.beat.at) / 1000 + (frozen() ? 0 : silence());
export const secondsSince = (instant) => (instant && feed.beat ? now() - Date.parse(instant) / 1000 : null);
export const waited = (row) => secondsSince(row.oldest_enqueued_at);
