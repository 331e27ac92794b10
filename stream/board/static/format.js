// How figures are written on the page: the twin of stream/board/format.py; a test holds them equal.

export const NO_SAMPLE = "–";

const EPSILON = 1e-9;
const two = (number) => String(number).padStart(2, "0");

export function elapsed(seconds) {
  if (seconds === null) return NO_SAMPLE;
  const whole = Math.max(0, Math.floor(seconds + EPSILON));
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))}`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

export function duration(seconds) {
  return seconds === null ? NO_SAMPLE : elapsed(Math.floor(seconds + 0.5));
}

export function limit(seconds) {
  return seconds < 120 ? `${Math.floor(seconds + 0.5)} s` : duration(seconds);
}

export function level(ratio) {
  return ratio === null ? NO_SAMPLE : `${Math.floor(ratio * 100 + EPSILON)} %`;
}

export function share(ratio) {
  if (ratio === null) return NO_SAMPLE;
  if (ratio === 0) return "0 %";
  const tenths = Math.max(1, Math.floor(ratio * 1000 + 0.5));
  return tenths < 100 ? `${(tenths / 10).toFixed(1)} %` : `${Math.floor(ratio * 100 + 0.5)} %`;
}

export function count(number) {
  return number === null ? NO_SAMPLE : String(number).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
