// What the clocks of the configured zone show, by what the server says of them.
//
// A browser has zone rules of its own, and after a change of law they may be older than the server's: the same page would
// then show the same instant at two hours. So the server says from when on clocks are how far ahead of UTC, and nothing
// here asks the browser about a zone. What is older than the server tells is written in UTC, and says so.

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** From when on (ms since the epoch) clocks are how far ahead of UTC, ascending. */
let offsets = [];

/** Takes what the server says: `[{ from, offset }]`. */
export function learn(told) {
  offsets = told.map(({ from, offset }) => ({ at: Date.parse(from), aheadMs: aheadOf(offset), offset }));
}

/** `+05:30`, in ms. */
function aheadOf(offset) {
  const [h, m, s = 0] = offset.slice(1).split(":").map(Number);
  return (offset.startsWith("-") ? -1 : 1) * ((h * 60 + m) * 60 + s) * 1000;
}

/** The offset at an instant; undefined where none is known. */
function offsetAt(instant) {
  return offsets.findLast(({ at }) => at <= instant);
}

/** How far clocks were ahead of UTC at an instant, as in `+05:30`. */
export function offsetName(instant) {
  return offsetAt(instant)?.offset ?? "UTC";
}

/** The day and the minute of the day that clocks show at a minute, both counted. */
export function localMinute(minute) {
  const shown = Math.floor((minute * MINUTE_MS + (offsetAt(minute * MINUTE_MS)?.aheadMs ?? 0)) / MINUTE_MS);
  const day = Math.floor(shown / DAY_MINUTES);
  return { day, at: shown - day * DAY_MINUTES };
}

const time = formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = formatter({ month: "short", day: "numeric" });

/** Writes what it is given as if it were UTC. */
function formatter(parts) {
  return new Intl.DateTimeFormat("en-GB", { ...parts, hourCycle: "h23", timeZone: "UTC" });
}

function shown(instant) {
  const offset = offsetAt(instant);
  return { at: instant + (offset?.aheadMs ?? 0), mark: offset === undefined ? " UTC" : "" };
}

/** Time of day in the zone; with the day when it is not today's. */
export function timeOfDay(instant, now) {
  const { at, mark } = shown(instant);
  const day = date.format(at);
  return `${day === date.format(shown(now).at) ? "" : `${day} `}${time.format(at)}${mark}`;
}

/** Time of day with milliseconds, for a timeline. */
export function exactTime(iso) {
  const { at, mark } = shown(Date.parse(iso));
  return `${time.format(at)}.${String(new Date(at).getUTCMilliseconds()).padStart(3, "0")}${mark}`;
}
