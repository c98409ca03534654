// The 24 × 60 heatmap: one cell for each minute of the last 24 hours, by hour and minute of the configured zone.
//
// Minutes are instants, and stand where the server says that clocks showed them (zone.js). On a day when the clocks
// change, some cells have no minute in 24 hours and some have two: two of one day are added up, marked and told apart
// when read; of two days the newer is shown.
//
// A minute without events is not the same as a minute in which nobody listened: an empty minute that the server says to be
// unknown, for any of its feeds, is hatched instead of blank.

import { now } from "./connection.js";
import { byId, count, element, say } from "./words.js";
import { localMinute, offsetName } from "./zone.js";

const HOURS = 24;
const MINUTES = 60;
const CELLS = HOURS * MINUTES;
const LEVELS = 6;
const MINUTE_MS = 60_000;

const two = (n) => String(n).padStart(2, "0");
const cells = [];
/** How many events each minute had, by the minute since the epoch. */
let events = new Map();
/** The minutes that each cell shows. */
let minutesOf = Array.from({ length: CELLS }, () => []);
let bounds = [];
/** Minutes since the epoch in which some feed was not listened to; `null` before the first answer. */
let unheard = null;
let pointed = null;

export function build() {
  const grid = byId("heatmap");
  for (let at = 0; at < CELLS; at++) cells.push(element("i", { "data-cell": at, "data-level": "waiting" }));
  grid.append(...cells);
  for (let h = 0; h < HOURS; h++) byId("heatmap-hours").append(element("span", {}, two(h)));
  for (let m = 0; m < MINUTES; m += 5) byId("heatmap-minutes").append(element("span", {}, two(m)));
  grid.addEventListener("pointermove", (event) => point(cellOf(event.target)));
  grid.addEventListener("pointerleave", () => point(null));
  grid.addEventListener("blur", () => point(null));
  grid.addEventListener("keydown", moved);
}

/** Takes what is known of the last 24 hours, feed by feed, and hatches by it. */
export function heard({ feeds, from, to }) {
  unheard = new Set();
  if (feeds.length === 0) fill({ from, to });
  for (const { intervals } of feeds) intervals.filter(({ completeness }) => completeness === "unknown").forEach(fill);
  redraw();
}

function fill({ from, to }) {
  const last = Math.floor((Date.parse(to) - 1) / MINUTE_MS);
  for (let minute = Math.floor(Date.parse(from) / MINUTE_MS); minute <= last; minute++) unheard.add(minute);
}

/** Draws the events of each minute from an instant on. */
export function draw({ from, events: counts }) {
  const first = Math.floor(Date.parse(from) / MINUTE_MS);
  events = new Map(counts.map((n, i) => [first + i, n]));
  layOut();
  redraw();
}

function layOut() {
  const all = Array.from({ length: CELLS }, () => ({ day: -Infinity, minutes: [] }));
  for (const minute of events.keys()) {
    const { day, at } = localMinute(minute);
    if (day > all[at].day) all[at] = { day, minutes: [] };
    all[at].minutes.push(minute);
  }
  minutesOf = all.map(({ minutes }) => minutes);
}

function counted(at) {
  return minutesOf[at].reduce((sum, minute) => sum + events.get(minute), 0);
}

function redraw() {
  if (events.size === 0) return;
  const largest = cells.reduce((most, _, at) => Math.max(most, counted(at)), 0);
  bounds = steps(largest);
  const current = localMinute(Math.floor(now() / MINUTE_MS)).at;
  cells.forEach((cell, at) => {
    mark(cell, "level", levelAt(at));
    mark(cell, "twice", minutesOf[at].length > 1 ? "yes" : "no");
    mark(cell, "now", at === current ? "yes" : "no");
  });
  legend();
  summary();
  if (pointed !== null) read();
}

function mark(cell, name, value) {
  if (cell.dataset[name] !== value) cell.dataset[name] = value;
}

function levelAt(at) {
  const n = counted(at);
  if (n > 0) return String(1 + bounds.findIndex((bound) => n <= bound));
  if (minutesOf[at].length === 0) return "absent";
  if (unheard === null) return "waiting";
  return minutesOf[at].some((minute) => unheard.has(minute)) ? "unknown" : "0";
}

/** Upper bounds of the colours: round at the top, and finer at the bottom, where most minutes are. */
function steps(largest) {
  const top = roundUp(Math.max(largest, LEVELS));
  return Array.from({ length: LEVELS }, (_, k) => Math.ceil(top * ((k + 1) / LEVELS) ** 1.6))
    .filter((bound, k, all) => bound !== all[k - 1]);
}

function roundUp(n) {
  const unit = 10 ** Math.floor(Math.log10(n));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((f) => Math.ceil(f * unit)).find((candidate) => candidate >= n);
}

function legend() {
  const ranges = bounds.map((bound, k) => {
    const from = k === 0 ? 1 : bounds[k - 1] + 1;
    return [String(k + 1), from === bound ? count(from) : `${count(from)}–${count(bound)}`];
  });
  const entries = [["0", "none"], ...ranges];
  const drawn = (level) => cells.some((cell) => cell.dataset.level === level);
  if (drawn("unknown")) entries.push(["unknown", "nobody listened"]);
  if (drawn("absent")) entries.push(["absent", "no such minute: the clocks changed"]);
  const list = byId("heatmap-legend");
  const text = JSON.stringify(entries);
  if (list.dataset.shows === text) return;
  list.dataset.shows = text;
  list.replaceChildren(
    ...entries.map(([level, label]) => element("li", {}, element("i", { "data-level": level }), label)),
  );
}

function summary() {
  const all = minutesOf.flat();
  const sum = (minutes) => minutes.reduce((total, minute) => total + events.get(minute), 0);
  const busiest = all.reduce((most, one) => (events.get(one) > events.get(most) ? one : most), all[0]);
  const unknown = unheard === null || all.every((minute) => unheard.has(minute));
  const total = sum(all);
  let text = unknown ? "Nothing was heard yet." : "No events in what was heard.";
  if (total > 0) {
    const at = label(localMinute(busiest).at);
    text = `${count(total)} events; the busiest minute is ${at} with ${count(events.get(busiest))}.`;
  }
  const hidden = sum([...events.keys()]) - total;
  if (hidden > 0) text += ` ${count(hidden)} more are of the day before, at hours that came again in fewer than 24.`;
  say(byId("heatmap-summary"), text);
}

function label(at) {
  return `${two(Math.floor(at / MINUTES))}:${two(at % MINUTES)}`;
}

function cellOf(target) {
  return target.dataset.cell === undefined ? null : Number(target.dataset.cell);
}

function moved(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -MINUTES, ArrowDown: MINUTES }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const from = pointed ?? localMinute(Math.floor(now() / MINUTE_MS)).at - step;
  point((from + step + CELLS) % CELLS);
}

function point(at) {
  if (pointed !== null) delete cells[pointed].dataset.pointed;
  pointed = at;
  if (at !== null) cells[at].dataset.pointed = "yes";
  read();
}

function read() {
  const line = byId("heatmap-reading");
  if (pointed === null || events.size === 0) return say(line, "");
  const told = minutesOf[pointed].map((minute) => ({ offset: offsetName(minute * MINUTE_MS), what: happened(minute) }));
  const zone = document.body.dataset.zone;
  if (told.length === 0) return say(line, `${label(pointed)} ${zone}: no such minute in these 24 hours, the clocks changed`);
  if (told.length === 1) return say(line, `${label(pointed)} ${zone}: ${told[0].what}`);
  const each = told.map(({ offset, what }) => `${what} at ${offset}`);
  say(line, `${label(pointed)} ${zone}, twice: ${each.join(", ")}`);
}

function happened(minute) {
  const n = events.get(minute);
  if (n > 0) return n === 1 ? "1 event" : `${count(n)} events`;
  return unheard?.has(minute) ? "nobody listened" : "0 events";
}
