// How figures are written in each language. Rounding is that of stream/core/format.py; a test holds them equal.

export const NO_SAMPLE = "–";

const MINUS = "\u2212"; // in every language, and wherever the locale would put a hyphen
const MOST_DECIMALS = 6;
const EPSILON = 1e-9; // 0.29 x 100 is 28.999999999999996 in floating point
const LOCALES = { en: "en-GB" }; // of the English ways to write a date, the one without surprises in Europe

export function formatsOf(language) {
  const locale = LOCALES[language] ?? language;
  const writer = (options) => {
    const made = new Intl.NumberFormat(locale, options);
    return (number) => made.format(number);
  };
  const unit = (name, digits) => writer({ style: "unit", unit: name, unitDisplay: "narrow", minimumIntegerDigits: digits });
  const decimals = [...Array(MOST_DECIMALS + 1).keys()].map((digits) =>
    writer({ minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const [whole, two] = [writer({}), writer({ minimumIntegerDigits: 2 })];
  const [percent, tenths] = [0, 1].map((digits) => writer({ style: "percent", minimumFractionDigits: digits }));
  const [days, hours, twoHours, seconds] = [unit("day"), unit("hour"), unit("hour", 2), unit("second")];
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const [weekday, day] = [{ weekday: "short" }, { day: "numeric", month: "short" }].map(
    (options) => new Intl.DateTimeFormat(locale, options),
  );
  const minutes = (length) => Math.floor((length % 3600) / 60);

  const or = (write) => (number) => (number === null || number === undefined ? NO_SAMPLE : write(number));

  // A running wait: whole seconds that have passed.
  const elapsed = or((length) => {
    const passed = Math.max(0, Math.floor(length + EPSILON));
    if (passed < 3600) return `${minutes(passed)}:${two(passed % 60)}`;
    if (passed < 86400) return `${hours(Math.floor(passed / 3600))} ${two(minutes(passed))}`;
    return `${days(Math.floor(passed / 86400))} ${twoHours(Math.floor((passed % 86400) / 3600))}`;
  });
  const currencies = new Map();
  const moneyIn = (currency) => {
    if (!currencies.has(currency)) currencies.set(currency, writer({ style: "currency", currency, maximumFractionDigits: 0 }));
    return currencies.get(currency);
  };
  // A mean length, rounded to the nearest second.
  const duration = or((length) => elapsed(Math.floor(length + 0.5)));
  return {
    elapsed,
    duration,
    // A threshold, the way people name it.
    limit: or((length) => (length < 120 ? seconds(Math.floor(length + 0.5)) : duration(length))),
    // A service level, rounded down: 79.9 % of a promised 80 % must not read as kept.
    level: or((ratio) => percent(Math.floor(ratio * 100 + EPSILON) / 100)),
    // Only nothing at all is 0 %.
    share: or((ratio) => {
      if (ratio === 0) return percent(0);
      const rounded = Math.max(1, Math.floor(ratio * 1000 + 0.5));
      return rounded < 100 ? tenths(rounded / 1000) : percent(Math.floor(ratio * 100 + 0.5) / 100);
    }),
    count: or(whole),
    // A mean score, or a difference of shares in points.
    score: or((number) => decimals[1](Math.floor(number * 10 + 0.5) / 10)),
    // How often something happens, in the mean.
    rate: or((number) => decimals[2](Math.floor(number * 100 + 0.5) / 100)),
    // By how much something is more, or less, and the margin of error of that: neither may read as 0.
    change: or(([more, margin]) => {
      const size = Math.abs(more);
      const smaller = Math.min(...[size, margin].filter((one) => one > 0), 1);
      let digits = 2;
      while (digits < MOST_DECIMALS && smaller * 10 ** digits < 1) digits++;
      const write = (one) => decimals[digits](Math.floor(one * 10 ** digits + 0.5) / 10 ** digits);
      return `${more > 0 ? "+" : more < 0 ? MINUS : ""}${write(size)} ± ${write(margin)}`;
    }),
    // Money in whole units; without a currency where none is told.
    amount: (number, currency) => or(currency ? moneyIn(currency) : whole)(number === null ? null : Math.floor(number + 0.5)),
    // An instant ahead, with no more of its date than it takes to know which is meant.
    moment: or((at) => {
      const [then, now] = [new Date(at), new Date()];
      if (then.toDateString() === now.toDateString()) return clock.format(then);
      return `${(then - now < 6 * 86400e3 ? weekday : day).format(then)} ${clock.format(then)}`;
    }),
    time: (at) => time.format(at),
    date: (at) => date.format(at),
  };
}
