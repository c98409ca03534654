// The 24 × 60 heatmap: one cell for each minute of the last 24 hours, by hour and minute of the configured zone.
//
// A minute without events is not the same as a minute in which nobody listened: an empty minute that the server says to be
// unknown, for any of its feeds, is hatched instead of blank.

import { now } from "./connection.js";
import { byId, count, element, hourAndMinute, say } from "./words.js";

const HOURS = 24;
const MINUTES = 60;
const LEVELS = 6;
const MINUTE_MS = 60_000;

const two = (n) => String(n).padStart(2, "0");
const cells = [];
let counts = Array(HOURS * MINUTES).fill(0);
let bounds = [];
/** Minutes since the epoch in which some feed was not listened to. */
let unheard = new Set();
let pointed = null;

export function build() {
  const grid = byId("heatmap");
  for (let at = 0; at < HOURS * MINUTES; at++) cells.push(element("i", { "data-cell": at, "data-level": "0" }));
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
  const first = Math.floor(Date.parse(from) / MINUTE_MS);
  const last = Math.floor((Date.parse(to) - 1) / MINUTE_MS);
  unheard = new Set();
  if (feeds.length === 0) fill(first, last);
  for (const { intervals } of feeds) {
    for (const span of intervals.filter(({ completeness }) => completeness === "unknown")) {
      fill(Math.floor(Date.parse(span.from) / MINUTE_MS), Math.floor((Date.parse(span.to) - 1) / MINUTE_MS));
    }
  }
  redraw();
}

function fill(first, last) {
  for (let minute = first; minute <= last; minute++) unheard.add(minute);
}

/** Draws `data[hour][minute]`. */
export function draw(data) {
  counts = data.flat();
  redraw();
}

function redraw() {
  const largest = counts.reduce((a, b) => Math.max(a, b), 0);
  bounds = steps(largest);
  const [hour, minute] = hourAndMinute(now());
  const current = hour * MINUTES + minute;
  cells.forEach((cell, at) => {
    mark(cell, "level", levelAt(at, current));
    mark(cell, "now", at === current ? "yes" : "no");
  });
  legend();
  summary(largest);
  if (pointed !== null) read();
}

function mark(cell, name, value) {
  if (cell.dataset[name] !== value) cell.dataset[name] = value;
}

function levelAt(at, current) {
  if (counts[at] > 0) return String(1 + bounds.findIndex((bound) => counts[at] <= bound));
  return wasHeard(at, current) ? "0" : "unknown";
}

/** Whether every feed was listened to in all of this minute. */
function wasHeard(at, current) {
  const back = (current - at + HOURS * MINUTES) % (HOURS * MINUTES);
  return !unheard.has(Math.floor(now() / MINUTE_MS) - back);
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
  if (unheard.size > 0) entries.push(["unknown", "nobody listened"]);
  const list = byId("heatmap-legend");
  const text = JSON.stringify(entries);
  if (list.dataset.shows === text) return;
  list.dataset.shows = text;
  list.replaceChildren(
    ...entries.map(([level, label]) => element("li", {}, element("i", { "data-level": level }), label)),
  );
}

function summary(largest) {
  const total = counts.reduce((a, b) => a + b, 0);
  const busiest = counts.indexOf(largest);
  const text = total === 0
    ? "No events yet."
    : `${count(total)} events; the busiest minute is ${label(busiest)} with ${count(largest)}.`;
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
  const [hour, minute] = hourAndMinute(now());
  const from = pointed ?? hour * MINUTES + minute - step;
  point((from + step + HOURS * MINUTES) % (HOURS * MINUTES));
}

function point(at) {
  if (pointed !== null) delete cells[pointed].dataset.pointed;
  pointed = at;
  if (at !== null) cells[at].dataset.pointed = "yes";
  read();
}

function read() {
  const line = byId("heatmap-reading");
  if (pointed === null) return say(line, "");
  const unknown = cells[pointed].dataset.level === "unknown";
  const events = counts[pointed] === 1 ? "1 event" : `${count(counts[pointed])} events`;
  say(line, `${label(pointed)} ${document.body.dataset.zone}: ${unknown ? "nobody listened" : events}`);
}
